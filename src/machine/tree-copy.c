/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/tree-copy.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

/* One step copies at most this much. */
#define STEP_BYTES (1U << 20)

typedef struct {
    char *from, *to; /* owned */
} File;

struct MfTreeCopy {
    char *directory;  /* owned */
    GPtrArray *files; /* owned; of File */
    guint next;       /* the first file not yet begun */
    int input, output;
    guint64 planned, copied; /* bytes */
    guint8 *block;           /* owned; STEP_BYTES */
};

static void
file_free(File *self)
{
    g_free(self->from);
    g_free(self->to);
    g_free(self);
}

MfTreeCopy *
mf_tree_copy_new(const char *directory)
{
    MfTreeCopy *self = g_new0(MfTreeCopy, 1);

    self->directory = g_strdup(directory);
    self->files = g_ptr_array_new_with_free_func((GDestroyNotify)file_free);
    self->input = self->output = -1;
    self->block = g_malloc(STEP_BYTES);
    return self;
}

void
mf_tree_copy_free(MfTreeCopy *self)
{
    if (!self)
        return;
    mf_fd_clear(&self->input);
    mf_fd_clear(&self->output);
    g_ptr_array_unref(self->files);
    g_free(self->block);
    g_free(self->directory);
    g_free(self);
}

static void
plan(MfTreeCopy *self, const char *from, const char *to, off_t size)
{
    File *file = g_new0(File, 1);

    file->from = g_strdup(from);
    file->to = g_build_filename(self->directory, to, NULL);
    g_ptr_array_add(self->files, file);
    self->planned += (guint64)size;
}

gboolean
mf_tree_copy_add_file(MfTreeCopy *self, const char *from, const char *to, GError **error)
{
    struct stat status;

    if (stat(from, &status) < 0 || access(from, R_OK) < 0) {
        mf_error_set_errno(error, MF_ERROR_CONFIG, errno, "'%s' cannot be read", from);
        return FALSE;
    }
    if (!S_ISREG(status.st_mode)) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "'%s' is not a regular file.", from);
        return FALSE;
    }
    plan(self, from, to, status.st_size);
    return TRUE;
}

gboolean
mf_tree_copy_add_tree(MfTreeCopy *self, const char *from, const char *to, GError **error)
{
    g_autofree char *root = g_strdup(from);
    char *roots[] = {root, NULL};
    FTS *walk = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
    int failure = walk ? 0 : errno;

    for (FTSENT *file; walk && !failure && (file = fts_read(walk));) {
        if (file->fts_info == FTS_F) {
            g_autofree char *below = g_build_filename(to, file->fts_path + strlen(from), NULL);

            plan(self, file->fts_path, below, file->fts_statp->st_size);
        } else if (file->fts_info == FTS_DNR || file->fts_info == FTS_ERR ||
                   file->fts_info == FTS_NS) {
            failure = file->fts_errno;
        }
    }
    if (walk)
        fts_close(walk);
    if (failure)
        mf_error_set_errno(error, MF_ERROR_CONFIG, failure, "'%s' cannot be read", from);
    return failure == 0;
}

static gboolean
begin(MfTreeCopy *self, const File *file, GError **error)
{
    g_autofree char *directory = g_path_get_dirname(file->to);

    self->input = open(file->from, O_RDONLY | O_CLOEXEC);
    if (self->input < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be read", file->from);
        return FALSE;
    }
    if (g_mkdir_with_parents(directory, 0755) == 0)
        self->output = open(file->to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (self->output < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be written", file->to);
        return FALSE;
    }
    return TRUE;
}

/* Copies a piece of the file that is open, and closes it at its end. */
static gboolean
copy_some(MfTreeCopy *self, const File *file, GError **error)
{
    g_autoptr(GError) write_error = NULL;
    ssize_t n;

    do
        n = read(self->input, self->block, STEP_BYTES);
    while (n < 0 && errno == EINTR);
    if (n < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be read", file->from);
        return FALSE;
    }
    if (n == 0) {
        mf_fd_clear(&self->input);
        mf_fd_clear(&self->output);
        return TRUE;
    }
    self->copied += (guint64)n;
    if (mf_fd_write_all(self->output, self->block, (size_t)n, &write_error))
        return TRUE;
    mf_error_take_foreign(error, MF_ERROR_HOST, g_steal_pointer(&write_error),
                          "'%s' cannot be written", file->to);
    return FALSE;
}

gboolean
mf_tree_copy_step(MfTreeCopy *self, gboolean *ret_done, GError **error)
{
    if (self->input < 0 && self->next == self->files->len) {
        *ret_done = TRUE;
        return TRUE;
    }
    if (self->input < 0 && !begin(self, self->files->pdata[self->next++], error))
        return FALSE;
    *ret_done = FALSE;
    return copy_some(self, self->files->pdata[self->next - 1], error);
}

double
mf_tree_copy_get_fraction(MfTreeCopy *self)
{
    return self->planned ? MIN((double)self->copied / (double)self->planned, 1.0) : 1.0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "run/artifact-store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

/* Of a file that is not complete. One at a time: the store's directory belongs to one run. */
#define PARTIAL ".mayfly-partial"

struct _MfArtifactStore {
    char *directory;  /* owned */
    int directory_fd; /* owned */
    int parent_fd;    /* owned; of the file that was begun; -1 when there is none */
    int fd;           /* owned; that file; -1 */
    char *name;       /* owned; that file's, relative to the directory; NULL */
    guint files, max_files;
    guint64 bytes, max_bytes;
};

static gboolean
is_plain(const char *part)
{
    for (const char *at = part; *at; at++)
        if (g_ascii_iscntrl(*at))
            return FALSE;
    return !g_str_equal(part, "..") && strlen(part) <= NAME_MAX;
}

char *
mf_artifact_name(const char *path)
{
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    g_autoptr(GString) name = g_string_new(NULL);

    for (char **part = parts; *part; part++) {
        if (!**part || g_str_equal(*part, "."))
            continue;
        if (!is_plain(*part))
            return NULL;
        g_string_append_printf(name, "%s%s", name->len > 0 ? "/" : "", *part);
    }
    if (name->len == 0 || name->len > MF_ARTIFACT_NAME_MAX)
        return NULL;
    return g_string_free(g_steal_pointer(&name), FALSE);
}

MfArtifactStore *
mf_artifact_store_new(const char *directory, guint max_files, guint64 max_bytes, GError **error)
{
    mf_autofd fd = -1;

    if (g_mkdir_with_parents(directory, 0755) == 0)
        fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno,
                           "The directory '%s' for the artifacts cannot be used", directory);
        return NULL;
    }

    MfArtifactStore *self = g_new0(MfArtifactStore, 1);
    self->directory = g_strdup(directory);
    self->max_files = max_files;
    self->max_bytes = max_bytes;
    self->directory_fd = mf_fd_steal(&fd);
    self->parent_fd = self->fd = -1;
    return self;
}

void
mf_artifact_store_drop(MfArtifactStore *self)
{
    if (self->fd >= 0)
        unlinkat(self->parent_fd, PARTIAL, 0);
    mf_fd_clear(&self->fd);
    mf_fd_clear(&self->parent_fd);
    g_clear_pointer(&self->name, g_free);
}

void
mf_artifact_store_free(MfArtifactStore *self)
{
    if (!self)
        return;
    mf_artifact_store_drop(self);
    mf_fd_clear(&self->directory_fd);
    g_free(self->directory);
    g_free(self);
}

/* What is in the way can have come with another artifact, or be the user's: no reason to fail. */
static MfErrorCode
code_of(int reason)
{
    return reason == ENOTDIR || reason == ELOOP || reason == EISDIR || reason == ENAMETOOLONG
               ? MF_ERROR_GUEST
               : MF_ERROR_HOST;
}

static gboolean
fail(MfArtifactStore *self, int reason, GError **error)
{
    mf_error_set_errno(error, code_of(reason), reason,
                       "The artifact '%s' cannot be written to '%s'", self->name, self->directory);
    mf_artifact_store_drop(self);
    return FALSE;
}

/* Opens the directory of the file, making what is missing. One step at a time: a symbolic link on
 * the way could lead anywhere. Returns -1 with errno. */
static int
open_parent(MfArtifactStore *self)
{
    g_auto(GStrv) parts = g_strsplit(self->name, "/", -1);
    mf_autofd fd = fcntl(self->directory_fd, F_DUPFD_CLOEXEC, 3);

    for (char **part = parts; part[1] && fd >= 0; part++) {
        int next = -1;

        if (mkdirat(fd, *part, 0755) == 0 || errno == EEXIST)
            next = openat(fd, *part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        mf_fd_clear(&fd);
        fd = next;
    }
    return mf_fd_steal(&fd);
}

gboolean
mf_artifact_store_begin(MfArtifactStore *self, const char *path, GError **error)
{
    g_autofree char *valid = g_utf8_make_valid(path, -1);

    mf_artifact_store_drop(self);
    self->name = mf_artifact_name(path);
    if (!self->name) {
        g_autofree char *shown = g_strescape(valid, NULL);

        g_set_error(error, MF_ERROR, MF_ERROR_GUEST,
                    "The artifact '%s' is left out: its name cannot be used on the host.", shown);
        return FALSE;
    }
    if (self->files >= self->max_files) {
        g_set_error(error, MF_ERROR, MF_ERROR_GUEST,
                    "The artifact '%s' is left out: there are more than %u files.", self->name,
                    self->max_files);
        return FALSE;
    }
    self->parent_fd = open_parent(self);
    if (self->parent_fd < 0)
        return fail(self, errno, error);
    /* One that a killed run has left. */
    unlinkat(self->parent_fd, PARTIAL, 0);
    self->fd = openat(self->parent_fd, PARTIAL,
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (self->fd < 0)
        return fail(self, errno, error);
    self->files++;
    return TRUE;
}

gboolean
mf_artifact_store_write(MfArtifactStore *self, const void *data, gsize size, GError **error)
{
    g_autoptr(GError) reason = NULL;

    if (size > self->max_bytes - self->bytes) {
        g_set_error(error, MF_ERROR, MF_ERROR_GUEST,
                    "The artifact '%s' is left out: together they have more than %" G_GUINT64_FORMAT
                    " bytes.",
                    self->name, self->max_bytes);
        mf_artifact_store_drop(self);
        return FALSE;
    }
    self->bytes += size;
    if (mf_fd_write_all(self->fd, data, size, &reason))
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_HOST, "The artifact '%s' cannot be written to '%s': %s",
                self->name, self->directory, reason->message);
    mf_artifact_store_drop(self);
    return FALSE;
}

gboolean
mf_artifact_store_end(MfArtifactStore *self, GError **error)
{
    const char *slash = strrchr(self->name, '/');

    if (renameat(self->parent_fd, PARTIAL, self->parent_fd, slash ? slash + 1 : self->name) < 0)
        return fail(self, errno, error);
    mf_fd_clear(&self->fd);
    mf_artifact_store_drop(self);
    return TRUE;
}

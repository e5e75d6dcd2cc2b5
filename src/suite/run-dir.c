/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/run-dir.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/tempdir.h"
#include "run/crash-evidence.h"
#include "run/memory-dump.h"
#include "run/snapshots.h"

struct _MfRunDir {
    char *path; /* owned */
    int mark;   /* owned; locked as long as the directory is in use */
};

static const char *const kept[] = {
    MF_RUN_DIR_CONSOLE,
    MF_RUN_DIR_STDOUT,
    MF_RUN_DIR_STDERR,
    MF_RUN_DIR_QEMU,
    MF_RUN_DIR_RESULT,
    MF_RUN_DIR_TIMELINE,
    MF_RUN_DIR_ARTIFACTS,
    MF_CRASH_SCREENSHOT,
    MF_SNAPSHOTS_DIR,
    MF_CRASH_DUMP MF_MEMORY_DUMP_KDUMP,
    MF_CRASH_DUMP MF_MEMORY_DUMP_ELF,
};

static gboolean
is_empty(const char *path)
{
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);

    return directory && !g_dir_read_name(directory);
}

/* Marks the directory as a run directory, and locks it. Only what nobody else put files into
 * becomes one: what is in it may be removed. */
static gboolean
take(MfRunDir *self, GError **error)
{
    g_autofree char *mark = g_build_filename(self->path, MF_RUN_DIR_MARK, NULL);

    if (!g_file_test(mark, G_FILE_TEST_EXISTS) && g_file_test(self->path, G_FILE_TEST_IS_DIR) &&
        !is_empty(self->path)) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The run directory '%s' has other files in it: name a new or an empty one.",
                    self->path);
        return FALSE;
    }
    if (g_mkdir_with_parents(self->path, 0755) == 0)
        self->mark = open(mark, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (self->mark < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "The run directory '%s' cannot be used",
                           self->path);
        return FALSE;
    }
    if (flock(self->mark, LOCK_EX | LOCK_NB) == 0)
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "The run directory '%s' is in use by another mayfly: name a directory for each.",
                self->path);
    return FALSE;
}

MfRunDir *
mf_run_dir_new(const char *path, GError **error)
{
    g_autoptr(MfRunDir) self = g_new0(MfRunDir, 1);

    self->mark = -1;
    self->path = path ? g_canonicalize_filename(path, NULL) : mf_tempdir_make_lasting(error);
    if (!self->path || !take(self, error))
        return NULL;
    return g_steal_pointer(&self);
}

void
mf_run_dir_free(MfRunDir *self)
{
    if (!self)
        return;
    mf_fd_clear(&self->mark);
    g_free(self->path);
    g_free(self);
}

const char *
mf_run_dir_get_path(const MfRunDir *self)
{
    return self->path;
}

static char *
attempt_path(const char *directory, guint attempt)
{
    return g_strdup_printf("%s/attempt-%u", directory, attempt);
}

/* What another suite left of the case. Its earlier attempts are numbered without a gap. */
static void
clear(const char *directory)
{
    for (gsize i = 0; i < G_N_ELEMENTS(kept); i++) {
        g_autofree char *path = g_build_filename(directory, kept[i], NULL);

        mf_tempdir_remove(path);
    }
    for (guint attempt = 1;; attempt++) {
        g_autofree char *path = attempt_path(directory, attempt);

        if (!g_file_test(path, G_FILE_TEST_IS_DIR))
            return;
        mf_tempdir_remove(path);
    }
}

static gboolean
put_aside(const char *directory, guint attempt, GError **error)
{
    g_autofree char *aside = attempt_path(directory, attempt);
    gboolean good = g_mkdir(aside, 0755) == 0;

    for (gsize i = 0; good && i < G_N_ELEMENTS(kept); i++) {
        g_autofree char *from = g_build_filename(directory, kept[i], NULL);
        g_autofree char *to = g_build_filename(aside, kept[i], NULL);

        good = g_rename(from, to) == 0 || errno == ENOENT;
    }
    if (!good)
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "An attempt cannot be kept in '%s'", aside);
    return good;
}

const char *
mf_run_dir_begin_alone(const MfRunDir *self)
{
    clear(self->path);
    return self->path;
}

char *
mf_run_dir_begin(const MfRunDir *self, const MfCase *the_case, guint attempt, GError **error)
{
    g_autofree char *path = g_build_filename(self->path, the_case->id, NULL);

    if (g_mkdir(path, 0755) < 0 && errno != EEXIST) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "The directory '%s' cannot be made", path);
        return NULL;
    }
    if (attempt == 1)
        clear(path);
    else if (!put_aside(path, attempt - 1, error))
        return NULL;
    return g_steal_pointer(&path);
}

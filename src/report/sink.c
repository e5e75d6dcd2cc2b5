/* SPDX-License-Identifier: Apache-2.0 */
#include "report/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

struct _MfSink {
    char *name;     /* owned; for messages, with its quotes */
    char *path;     /* owned; of the file that is replaced in the end, or NULL */
    GString *whole; /* owned; with 'path' */
    int fd;         /* without; -1 when there is none */
    gboolean fd_owned;
    GError *error; /* owned; the first one */
};

static MfSink *
sink_new(const char *name)
{
    MfSink *self = g_new0(MfSink, 1);

    self->name = g_strdup(name);
    self->fd = -1;
    return self;
}

MfSink *
mf_sink_new_fd(int fd)
{
    MfSink *self = sink_new(fd == STDOUT_FILENO ? "the standard output" : "the terminal");

    self->fd = fd;
    return self;
}

void
mf_sink_free(MfSink *self)
{
    if (!self)
        return;
    if (self->fd_owned)
        mf_fd_clear(&self->fd);
    if (self->whole)
        g_string_free(self->whole, TRUE);
    g_clear_error(&self->error);
    g_free(self->name);
    g_free(self->path);
    g_free(self);
}

/* Finds out before anything runs that the file will not be written in the end. */
static gboolean
check_directory(const char *path, GError **error)
{
    g_autofree char *directory = g_path_get_dirname(path);

    if (!g_file_test(directory, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "'%s' cannot be written: there is no directory '%s'.", path, directory);
        return FALSE;
    }
    if (access(directory, W_OK | X_OK) < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be written", path);
        return FALSE;
    }
    return TRUE;
}

static gboolean
open_in_place(MfSink *self, const char *path, MfSinkMode mode, GError **error)
{
    int flag = mode == MF_SINK_APPEND ? O_APPEND : O_TRUNC;

    self->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | flag, 0666);
    if (self->fd < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be written", path);
        return FALSE;
    }
    self->fd_owned = TRUE;
    return TRUE;
}

MfSink *
mf_sink_open(const char *path, MfSinkMode mode, GError **error)
{
    struct stat status;

    if (g_str_equal(path, "-"))
        return mf_sink_new_fd(STDOUT_FILENO);
    if (!*path) {
        g_set_error_literal(error, MF_ERROR, MF_ERROR_CONFIG, "The file of a report has no name.");
        return NULL;
    }

    g_autofree char *name = g_strdup_printf("'%s'", path);
    g_autoptr(MfSink) self = sink_new(name);
    gboolean exists = stat(path, &status) == 0;

    if (exists && S_ISDIR(status.st_mode)) {
        g_set_error(error, MF_ERROR, MF_ERROR_HOST, "'%s' cannot be written: it is a directory.",
                    path);
        return NULL;
    }
    if (mode != MF_SINK_WHOLE || (exists && !S_ISREG(status.st_mode)))
        return open_in_place(self, path, mode, error) ? g_steal_pointer(&self) : NULL;

    /* Of a symbolic link it is the target that is replaced. */
    g_autofree char *resolved = exists ? realpath(path, NULL) : NULL;
    if (!check_directory(resolved ? resolved : path, error))
        return NULL;
    self->path = g_strdup(resolved ? resolved : path);
    self->whole = g_string_new(NULL);
    return g_steal_pointer(&self);
}

void
mf_sink_begin(MfSink *self)
{
    /* What may not be removed may not be replaced in the end: that is told then. */
    if (self->path)
        unlink(self->path);
}

void
mf_sink_write(MfSink *self, const char *data, gsize size)
{
    g_autoptr(GError) error = NULL;

    if (self->error)
        return;
    if (self->whole)
        g_string_append_len(self->whole, data, (gssize)size);
    else if (!mf_fd_write_all(self->fd, data, size, &error))
        self->error = g_steal_pointer(&error);
}

void
mf_sink_write_text(MfSink *self, const char *text)
{
    mf_sink_write(self, text, strlen(text));
}

/* Some file systems tell only now that there was no space. */
static gboolean
close_in_place(MfSink *self, GError **error)
{
    if (!self->fd_owned || close(mf_fd_steal(&self->fd)) == 0)
        return TRUE;
    mf_error_set_errno(error, MF_ERROR_HOST, errno, "what was written was not kept");
    return FALSE;
}

gboolean
mf_sink_close(MfSink *self, GError **error)
{
    if (self->path)
        return mf_file_replace(self->path, self->whole->str, self->whole->len, 0666, error);
    if (!self->error)
        close_in_place(self, &self->error);
    if (!self->error)
        return TRUE;
    g_propagate_prefixed_error(error, g_steal_pointer(&self->error),
                               "The report to %s is not complete: ", self->name);
    return FALSE;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/child.h"
#include "base/error.h"
#include "base/fd.h"

/* How long a cancelled tool may take to clean up after itself. */
#define GRACE_MS 2000

/* A status line longer than this is nothing that any tool means. */
#define STATUS_LINE_MAX 4096

/* One end of a pipe that is read until the tool is done. */
typedef struct {
    int fd;
    guint source;
    GString *text; /* owned; what was read and not yet used */
} Pipe;

typedef struct {
    char *name;     /* owned */
    MfChild *child; /* owned */
    Pipe output, status;
    MfToolStatusFunc on_status;
    gpointer status_data;
    gulong cancelled_id;
    gboolean overflown; /* the output is over MF_TOOL_OUTPUT_MAX and was dropped */
} Run;

static void
pipe_close(Pipe *self)
{
    if (self->source)
        g_source_remove(self->source);
    self->source = 0;
    mf_fd_clear(&self->fd);
}

static void
run_free(Run *self)
{
    pipe_close(&self->output);
    pipe_close(&self->status);
    g_string_free(self->output.text, TRUE);
    g_string_free(self->status.text, TRUE);
    g_clear_object(&self->child);
    g_free(self->name);
    g_free(self);
}

/* Appends what is there. FALSE at the end of the file. */
static gboolean
pipe_read(Pipe *self)
{
    for (;;) {
        char chunk[16384];
        ssize_t n = read(self->fd, chunk, sizeof(chunk));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return TRUE;
        if (n <= 0)
            return FALSE;
        g_string_append_len(self->text, chunk, n);
        if (self->text->len > MF_TOOL_OUTPUT_MAX)
            return TRUE;
    }
}

/* Both give FALSE when there is nothing more to read. */
static gboolean
read_output(Run *self)
{
    gboolean more = pipe_read(&self->output);

    if (self->output.text->len > MF_TOOL_OUTPUT_MAX) {
        self->overflown = TRUE;
        g_string_truncate(self->output.text, 0);
        mf_child_terminate(self->child, GRACE_MS);
        return FALSE;
    }
    return more;
}

static gboolean
read_status(Run *self)
{
    gboolean more = pipe_read(&self->status);
    GString *text = self->status.text;
    char *end;

    while ((end = memchr(text->str, '\n', text->len))) {
        g_autofree char *line = g_strndup(text->str, (gsize)(end - text->str));

        g_string_erase(text, 0, end - text->str + 1);
        self->on_status(line, self->status_data);
    }
    if (text->len > STATUS_LINE_MAX)
        g_string_truncate(text, 0);
    return more;
}

static gboolean
on_output(int fd, GIOCondition condition, gpointer data)
{
    Run *self = data;

    if (read_output(self))
        return G_SOURCE_CONTINUE;
    self->output.source = 0;
    mf_fd_clear(&self->output.fd);
    return G_SOURCE_REMOVE;
}

static gboolean
on_status_readable(int fd, GIOCondition condition, gpointer data)
{
    Run *self = data;

    if (read_status(self))
        return G_SOURCE_CONTINUE;
    self->status.source = 0;
    mf_fd_clear(&self->status.fd);
    return G_SOURCE_REMOVE;
}

/* What the tool wrote last is still in the pipes when its exit is seen. */
static void
drain(Run *self)
{
    if (self->output.fd >= 0)
        read_output(self);
    if (self->status.fd >= 0)
        read_status(self);
    pipe_close(&self->output);
    pipe_close(&self->status);
}

static void
on_waited(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    Run *self = g_task_get_task_data(task);

    mf_child_wait_finish(self->child, result, NULL);
    g_cancellable_disconnect(g_task_get_cancellable(task), self->cancelled_id);
    drain(self);
    if (g_task_return_error_if_cancelled(task))
        return;

    int status = mf_child_get_wait_status(self->child);
    if (self->overflown) {
        g_task_return_new_error(task, MF_ERROR, MF_ERROR_PROTOCOL,
                                "'%s' printed more than %u bytes, which is no answer to what it "
                                "was asked.",
                                self->name, MF_TOOL_OUTPUT_MAX);
    } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        g_autofree char *what = mf_child_describe(self->child);
        g_autofree char *tail = mf_child_get_stderr_tail(self->child);

        g_task_return_new_error(task, MF_ERROR, MF_ERROR_REMOTE, "'%s' %s%s%s", self->name, what,
                                *tail ? ": " : ".", tail);
    } else {
        g_task_return_pointer(task, g_string_free(self->output.text, FALSE), g_free);
        self->output.text = g_string_new(NULL);
    }
}

static gboolean
pipe_open(Pipe *self, int *ret_write, GError **error)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "A pipe could not be made");
        return FALSE;
    }
    g_unix_set_fd_nonblocking(ends[0], TRUE, NULL);
    self->fd = ends[0];
    *ret_write = ends[1];
    return TRUE;
}

static gboolean
start(Run *self, const MfArgv *argv, GError **error)
{
    mf_autofd output = -1;
    mf_autofd status = -1;
    gsize n_fds = self->on_status ? 2 : 1;

    if (!pipe_open(&self->output, &output, error) ||
        (self->on_status && !pipe_open(&self->status, &status, error)))
        return FALSE;

    const MfChildFd fds[] = {{output, STDOUT_FILENO}, {status, MF_TOOL_STATUS_FD}};
    self->child = mf_child_spawn(argv, fds, n_fds, error);
    if (!self->child)
        return FALSE;

    self->output.source =
        g_unix_fd_add(self->output.fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_output, self);
    if (self->on_status)
        self->status.source =
            g_unix_fd_add(self->status.fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_status_readable, self);
    return TRUE;
}

static void
on_cancelled(GCancellable *cancellable, gpointer data)
{
    mf_child_terminate(data, GRACE_MS);
}

void
mf_tool_run_async(const char *name, const MfArgv *argv, MfToolStatusFunc on_status,
                  gpointer status_data, GCancellable *cancellable, GAsyncReadyCallback callback,
                  gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user_data);
    Run *self = g_new0(Run, 1);
    GError *error = NULL;

    g_task_set_task_data(task, self, (GDestroyNotify)run_free);
    self->name = g_strdup(name);
    self->on_status = on_status;
    self->status_data = status_data;
    self->output = (Pipe){.fd = -1, .text = g_string_new(NULL)};
    self->status = (Pipe){.fd = -1, .text = g_string_new(NULL)};

    if (g_task_return_error_if_cancelled(task))
        return;
    if (!start(self, argv, &error)) {
        g_task_return_error(task, error);
        return;
    }
    if (cancellable)
        self->cancelled_id =
            g_cancellable_connect(cancellable, G_CALLBACK(on_cancelled), self->child, NULL);
    /* Without the cancellable: a cancelled tool is awaited too. */
    mf_child_wait_async(self->child, NULL, on_waited, g_steal_pointer(&task));
}

char *
mf_tool_run_finish(GAsyncResult *result, GError **error)
{
    g_autoptr(GError) failure = NULL;
    GTask *task = G_TASK(result);
    char *output = g_task_propagate_pointer(task, &failure);

    if (output || !failure)
        return output;
    if (g_error_matches(failure, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
        Run *self = g_task_get_task_data(task);

        g_set_error(error, MF_ERROR, MF_ERROR_CANCELLED, "'%s' was cancelled.", self->name);
    } else {
        g_propagate_error(error, g_steal_pointer(&failure));
    }
    return NULL;
}

char *
mf_tool_find(const char *program)
{
    static const char *const directories[] = {"/usr/sbin", "/sbin"};
    char *path = g_find_program_in_path(program);

    for (gsize i = 0; !path && i < G_N_ELEMENTS(directories); i++) {
        g_autofree char *candidate = g_build_filename(directories[i], program, NULL);

        if (g_file_test(candidate, G_FILE_TEST_IS_EXECUTABLE))
            path = g_steal_pointer(&candidate);
    }
    return path;
}

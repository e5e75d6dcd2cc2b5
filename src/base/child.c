/* SPDX-License-Identifier: Apache-2.0 */
#include "base/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

/* How long leftover writers may hold the stderr pipe open after the exit. */
#define STDERR_LINGER_MS 1000

/* More descriptors than any child of ours is handed: QEMU gets one for each virtiofs share. */
#define FDS_MAX 128

struct _MfChild {
    GObject parent;
    char *program; /* owned */
    GPid pid;
    int pidfd;
    int stderr_fd;
    GString *stderr_tail; /* owned */
    guint exit_source, stderr_source, kill_source, linger_source;
    gboolean exited;   /* reaped; wait_status is valid */
    gboolean finished; /* exited and stderr read to the end: waiters are told */
    int wait_status;
    GPtrArray *waiters; /* owned; of GTask */
};

G_DEFINE_FINAL_TYPE(MfChild, mf_child, G_TYPE_OBJECT)

enum { SIGNAL_EXITED, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
clear_source(guint *id)
{
    if (*id)
        g_source_remove(*id);
    *id = 0;
}

static void
finish_if_done(MfChild *self)
{
    if (self->finished || !self->exited || self->stderr_fd >= 0)
        return;
    self->finished = TRUE;
    clear_source(&self->linger_source);
    clear_source(&self->kill_source);

    g_autoptr(MfChild) keep = g_object_ref(self);
    g_autoptr(GPtrArray) waiters = g_steal_pointer(&self->waiters);
    for (guint i = 0; i < waiters->len; i++)
        g_task_return_boolean(waiters->pdata[i], TRUE);
    g_signal_emit(self, signals[SIGNAL_EXITED], 0);
}

static void
close_stderr(MfChild *self)
{
    clear_source(&self->stderr_source);
    mf_fd_clear(&self->stderr_fd);
}

/* Reads what is there; closes at the end of file. */
static void
drain_stderr(MfChild *self)
{
    for (;;) {
        char chunk[4096];
        ssize_t n = read(self->stderr_fd, chunk, sizeof(chunk));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            close_stderr(self);
            return;
        }
        g_string_append_len(self->stderr_tail, chunk, n);
        if (self->stderr_tail->len > MF_CHILD_STDERR_MAX)
            g_string_erase(self->stderr_tail, 0,
                           (gssize)(self->stderr_tail->len - MF_CHILD_STDERR_MAX));
    }
}

static gboolean
on_stderr(int fd, GIOCondition condition, gpointer data)
{
    MfChild *self = data;

    drain_stderr(self);
    if (self->stderr_fd >= 0)
        return G_SOURCE_CONTINUE;
    self->stderr_source = 0;
    finish_if_done(self);
    return G_SOURCE_REMOVE;
}

static gboolean
on_linger_over(gpointer data)
{
    MfChild *self = data;

    self->linger_source = 0;
    close_stderr(self);
    finish_if_done(self);
    return G_SOURCE_REMOVE;
}

static void
reap(MfChild *self)
{
    while (waitpid(self->pid, &self->wait_status, 0) < 0 && errno == EINTR)
        ;
    self->exited = TRUE;
    mf_fd_clear(&self->pidfd);
}

static void
end(MfChild *self)
{
    self->exit_source = 0;
    if (self->stderr_fd >= 0)
        drain_stderr(self);
    if (self->stderr_fd >= 0)
        self->linger_source = g_timeout_add(STDERR_LINGER_MS, on_linger_over, self);
    finish_if_done(self);
}

static gboolean
on_pidfd(int fd, GIOCondition condition, gpointer data)
{
    reap(data);
    end(data);
    return G_SOURCE_REMOVE;
}

static void
on_reaped(GPid pid, int wait_status, gpointer data)
{
    MfChild *self = data;

    self->wait_status = wait_status;
    self->exited = TRUE;
    end(self);
}

/* Kernels before 5.3, sandboxes and valgrind have no pidfds: GLib makes do without. */
static guint
watch_exit(MfChild *self)
{
    self->pidfd = (int)syscall(SYS_pidfd_open, self->pid, 0);
    if (self->pidfd >= 0)
        return g_unix_fd_add(self->pidfd, G_IO_IN, on_pidfd, self);
    return g_child_watch_add(self->pid, on_reaped, self);
}

/* Nothing is killed that GLib has reaped already: its pid may be another process's. */
static void
kill_and_reap(MfChild *self)
{
    if (waitpid(self->pid, &self->wait_status, WNOHANG) != 0)
        return;
    mf_child_signal(self, SIGKILL);
    reap(self);
}

static void
mf_child_dispose(GObject *object)
{
    MfChild *self = MF_CHILD(object);

    clear_source(&self->exit_source);
    clear_source(&self->kill_source);
    clear_source(&self->linger_source);
    if (self->pid > 0 && !self->exited)
        kill_and_reap(self);
    close_stderr(self);
    mf_fd_clear(&self->pidfd);
    g_clear_pointer(&self->waiters, g_ptr_array_unref);
    G_OBJECT_CLASS(mf_child_parent_class)->dispose(object);
}

static void
mf_child_finalize(GObject *object)
{
    MfChild *self = MF_CHILD(object);

    g_free(self->program);
    g_string_free(self->stderr_tail, TRUE);
    G_OBJECT_CLASS(mf_child_parent_class)->finalize(object);
}

static void
mf_child_class_init(MfChildClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_child_dispose;
    G_OBJECT_CLASS(class)->finalize = mf_child_finalize;
    signals[SIGNAL_EXITED] = g_signal_new("exited", MF_TYPE_CHILD, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                          NULL, G_TYPE_NONE, 0);
}

static void
mf_child_init(MfChild *self)
{
    self->pidfd = self->stderr_fd = -1;
    self->stderr_tail = g_string_new(NULL);
    self->waiters = g_ptr_array_new_with_free_func(g_object_unref);
}

/* No handler of the parent's may run where its memory is, and what has come for one (as Ctrl-C
 * comes for the whole group) is not for the child. */
static void
reset_handlers(void)
{
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;

        if (sigaction(number, NULL, &action) < 0 || action.sa_handler == SIG_DFL ||
            action.sa_handler == SIG_IGN)
            continue;
        signal(number, SIG_IGN);
        signal(number, SIG_DFL);
    }
}

/* Only async-signal-safe calls, and nothing is written but what is this function's own: between
 * fork and exec in the child. */
static void G_GNUC_NORETURN
exec_in_child(const char *path, char *const *arguments, const MfChildFd *fds, gsize n_fds,
              MfChildPrepare prepare, pid_t parent, int report_fd)
{
    sigset_t none;
    int highest = STDERR_FILENO;

    setpgid(0, 0);
    reset_handlers();
    signal(SIGPIPE, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);

    /* First out of the way of all targets, then each into its place. */
    for (gsize i = 0; i < n_fds; i++)
        highest = MAX(highest, fds[i].target);
    report_fd = fcntl(report_fd, F_DUPFD_CLOEXEC, highest + 1);
    int moved[FDS_MAX];
    for (gsize i = 0; i < n_fds; i++)
        moved[i] = fcntl(fds[i].fd, F_DUPFD_CLOEXEC, highest + 1);
    gboolean placed = TRUE;
    for (gsize i = 0; placed && i < n_fds; i++)
        placed = dup2(moved[i], fds[i].target) >= 0;

    int reason = placed && prepare ? prepare() : 0;
    if (placed && reason == 0)
        execv(path, arguments);
    if (reason == 0)
        reason = errno;
    if (write(report_fd, &reason, sizeof(reason)) < 0)
        _exit(126);
    _exit(127);
}

/* Starts the child; its pid, or -1. It does not get a copy of the memory, which would be most of
 * what a start costs, but has its parent's, which waits until the program is there. What 'prepare'
 * does may need memory that nobody shares (user_namespaces(7)). */
static pid_t
spawn(const char *path, char *const *arguments, const GArray *fds, MfChildPrepare prepare,
      int report_fd)
{
    pid_t parent = getpid();
    sigset_t all, before;
    pid_t child;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &before);
    child = prepare ? fork() : vfork();
    if (child == 0)
        exec_in_child(path, arguments, (const MfChildFd *)(void *)fds->data, fds->len, prepare,
                      parent, report_fd);

    int reason = errno;
    sigprocmask(SIG_SETMASK, &before, NULL);
    errno = reason;
    return child;
}

/* The errno with which exec failed in the child, 0 when it succeeded. */
static int
read_exec_errno(int fd)
{
    int reason = 0;
    ssize_t n;

    do
        n = read(fd, &reason, sizeof(reason));
    while (n < 0 && errno == EINTR);
    return n == (ssize_t)sizeof(reason) ? reason : 0;
}

static gboolean
start(MfChild *self, const char *path, const MfArgv *argv, const MfChildFd *fds, gsize n_fds,
      MfChildPrepare prepare, GError **error)
{
    mf_autofd null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    int report[2], errors[2];

    if (null_fd < 0 || pipe2(report, O_CLOEXEC) < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be started", path);
        return FALSE;
    }
    mf_autofd report_read = report[0], report_write = report[1];
    if (pipe2(errors, O_CLOEXEC) < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be started", path);
        return FALSE;
    }
    mf_autofd errors_write = errors[1];
    self->stderr_fd = errors[0];
    g_unix_set_fd_nonblocking(self->stderr_fd, TRUE, NULL);

    g_autoptr(GArray) all = g_array_new(FALSE, FALSE, sizeof(MfChildFd));
    const MfChildFd standard[] = {{null_fd, 0}, {null_fd, 1}, {errors_write, 2}};
    gboolean taken[3] = {FALSE, FALSE, FALSE};
    for (gsize i = 0; i < n_fds; i++)
        if (fds[i].target < 3)
            taken[fds[i].target] = TRUE;
    for (gsize i = 0; i < 3; i++)
        if (!taken[i])
            g_array_append_val(all, standard[i]);
    g_array_append_vals(all, fds, (guint)n_fds);
    g_assert(all->len <= FDS_MAX);

    char *const *arguments = (char *const *)mf_argv_get(argv);
    self->pid = spawn(path, arguments, all, prepare, report_write);
    if (self->pid < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be started", path);
        return FALSE;
    }
    mf_fd_clear(&report_write);
    int reason = read_exec_errno(report_read);
    if (reason) {
        reap(self);
        mf_error_set_errno(error, MF_ERROR_HOST, reason, "'%s' cannot be executed", path);
        return FALSE;
    }
    return TRUE;
}

MfChild *
mf_child_spawn(const MfArgv *argv, const MfChildFd *fds, gsize n_fds, GError **error)
{
    return mf_child_spawn_prepared(argv, fds, n_fds, NULL, error);
}

MfChild *
mf_child_spawn_prepared(const MfArgv *argv, const MfChildFd *fds, gsize n_fds,
                        MfChildPrepare prepare, GError **error)
{
    const char *program = mf_argv_get_program(argv);
    g_autofree char *path = g_find_program_in_path(program);

    if (!path) {
        if (g_file_test(program, G_FILE_TEST_EXISTS))
            g_set_error(error, MF_ERROR, MF_ERROR_HOST, "'%s' is not executable.", program);
        else
            g_set_error(error, MF_ERROR, MF_ERROR_HOST, "The program '%s' was not found.", program);
        return NULL;
    }

    g_autoptr(MfChild) self = g_object_new(MF_TYPE_CHILD, NULL);
    self->program = g_path_get_basename(path);
    if (!start(self, path, argv, fds, n_fds, prepare, error))
        return NULL;

    self->exit_source = watch_exit(self);
    self->stderr_source =
        g_unix_fd_add(self->stderr_fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_stderr, self);
    return g_steal_pointer(&self);
}

GPid
mf_child_get_pid(MfChild *self)
{
    return self->pid;
}

gboolean
mf_child_has_exited(MfChild *self)
{
    return self->exited;
}

int
mf_child_get_wait_status(MfChild *self)
{
    return self->wait_status;
}

char *
mf_child_describe(MfChild *self)
{
    if (!self->exited)
        return g_strdup("is running");
    if (WIFSIGNALED(self->wait_status))
        return g_strdup_printf("was killed by signal %d (%s)", WTERMSIG(self->wait_status),
                               strsignal(WTERMSIG(self->wait_status)));
    return g_strdup_printf("exited with status %d", WEXITSTATUS(self->wait_status));
}

char *
mf_child_get_stderr_tail(MfChild *self)
{
    char *text = g_utf8_make_valid(self->stderr_tail->str, (gssize)self->stderr_tail->len);

    return g_strchomp(text);
}

void
mf_child_signal(MfChild *self, int signal_number)
{
    if (self->exited)
        return;
    /* While there is no pidfd the child is as a rule not reaped, so the pid is still its own. */
    if (self->pidfd >= 0)
        syscall(SYS_pidfd_send_signal, self->pidfd, signal_number, NULL, 0);
    else
        kill(self->pid, signal_number);
}

static gboolean
on_grace_over(gpointer data)
{
    MfChild *self = data;

    self->kill_source = 0;
    mf_child_signal(self, SIGKILL);
    return G_SOURCE_REMOVE;
}

void
mf_child_terminate(MfChild *self, guint grace_ms)
{
    if (self->exited || self->kill_source)
        return;
    mf_child_signal(self, SIGTERM);
    self->kill_source = g_timeout_add(grace_ms, on_grace_over, self);
}

void
mf_child_wait_async(MfChild *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                    gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(self, cancellable, callback, user_data);

    if (self->finished)
        g_task_return_boolean(task, TRUE);
    else
        g_ptr_array_add(self->waiters, g_steal_pointer(&task));
}

gboolean
mf_child_wait_finish(MfChild *self, GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}

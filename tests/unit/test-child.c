/* SPDX-License-Identifier: Apache-2.0 */
#include "base/child.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

static void
on_waited(GObject *source, GAsyncResult *result, gpointer data)
{
    g_assert_true(mf_child_wait_finish(MF_CHILD(source), result, NULL));
    g_main_loop_quit(data);
}

static void
wait_for(MfChild *child)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);

    mf_child_wait_async(child, NULL, on_waited, loop);
    g_main_loop_run(loop);
}

static MfChild *
spawn_shell(const char *script, const MfChildFd *fds, gsize n_fds)
{
    g_autoptr(MfArgv) argv = mf_argv_new("sh");
    g_autoptr(GError) error = NULL;

    mf_argv_add_many(argv, "-c", script, NULL);
    MfChild *child = mf_child_spawn(argv, fds, n_fds, &error);
    g_assert_no_error(error);
    return child;
}

static void
test_status_and_stderr_tail_are_kept(void)
{
    g_autoptr(MfChild) child = spawn_shell("echo first >&2; echo last >&2; exit 3", NULL, 0);

    wait_for(child);
    g_assert_true(WIFEXITED(mf_child_get_wait_status(child)));
    g_assert_cmpint(WEXITSTATUS(mf_child_get_wait_status(child)), ==, 3);
    g_autofree char *tail = mf_child_get_stderr_tail(child);
    g_assert_cmpstr(tail, ==, "first\nlast");
}

static void
test_the_stderr_tail_is_bounded(void)
{
    g_autoptr(MfChild) child =
        spawn_shell("head -c 100000 /dev/zero | tr '\\0' x >&2; printf end >&2", NULL, 0);

    wait_for(child);
    g_autofree char *tail = mf_child_get_stderr_tail(child);
    g_assert_cmpuint(strlen(tail), ==, MF_CHILD_STDERR_MAX);
    g_assert_true(g_str_has_suffix(tail, "xend"));
}

static void
test_descriptors_arrive_under_their_targets(void)
{
    int a, b;

    g_assert_true(mf_fd_socketpair(&a, &b, NULL));
    mf_autofd ours = a;
    mf_autofd theirs = b;
    const MfChildFd fds[] = {{theirs, 3}, {theirs, 1}};
    g_autoptr(MfChild) child =
        spawn_shell("echo three >&3; echo one; ls /proc/self/fd | wc -l", fds, 2);

    mf_fd_clear(&theirs);
    wait_for(child);
    char text[64];
    ssize_t n = read(ours, text, sizeof(text) - 1);
    g_assert_cmpint(n, >, 0);
    text[n] = '\0';
    /* 0, 1, 2, 3 and the directory that ls reads: nothing else leaked in. */
    g_assert_cmpstr(text, ==, "three\none\n5\n");
}

static void
on_signal(int number)
{
}

/* That is: it is neither blocked nor ignored. Not read in /proc/self/status, since whoever started
 * this may ignore signals that the C library keeps to itself, and nobody can undo that. */
static void
assert_kills_the_child(int number)
{
    g_autofree char *script = g_strdup_printf("kill -%d $$; exit 0", number);
    g_autoptr(MfChild) child = spawn_shell(script, NULL, 0);

    wait_for(child);
    g_assert_true(WIFSIGNALED(mf_child_get_wait_status(child)));
    g_assert_cmpint(WTERMSIG(mf_child_get_wait_status(child)), ==, number);
}

static void
test_signals_are_fresh_in_the_child_and_as_before_in_the_parent(void)
{
    sigset_t blocked, before, mask;
    struct sigaction action;

    /* Whoever started this may ignore some, as nohup does. */
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    signal(SIGUSR1, on_signal);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGUSR2);
    sigprocmask(SIG_SETMASK, &blocked, &before);
    assert_kills_the_child(SIGUSR1);
    assert_kills_the_child(SIGUSR2);
    assert_kills_the_child(SIGPIPE);
    sigprocmask(SIG_SETMASK, &before, &mask);
    for (int number = 1; number < NSIG; number++)
        g_assert_cmpint(sigismember(&mask, number), ==, number == SIGUSR2);
    g_assert_cmpint(sigaction(SIGUSR1, NULL, &action), ==, 0);
    g_assert_true(action.sa_handler == on_signal);
    signal(SIGUSR1, SIG_DFL);
    signal(SIGPIPE, SIG_DFL);
}

static void
test_terminate_escalates_to_kill(void)
{
    int a, b;

    g_assert_true(mf_fd_socketpair(&a, &b, NULL));
    mf_autofd ours = a;
    mf_autofd theirs = b;
    const MfChildFd fds[] = {{theirs, 1}};
    g_autoptr(MfChild) child =
        spawn_shell("trap '' TERM; echo ready; while :; do sleep 60; done", fds, 1);
    char byte;

    g_unix_set_fd_nonblocking(ours, FALSE, NULL);
    g_assert_cmpint(read(ours, &byte, 1), ==, 1);
    mf_child_terminate(child, 50);
    wait_for(child);
    g_assert_true(WIFSIGNALED(mf_child_get_wait_status(child)));
    g_assert_cmpint(WTERMSIG(mf_child_get_wait_status(child)), ==, SIGKILL);
}

static void
test_disposing_kills_and_reaps(void)
{
    g_autoptr(MfChild) child = spawn_shell("exec sleep 60", NULL, 0);
    GPid pid = mf_child_get_pid(child);

    g_clear_object(&child);
    g_assert_cmpint(kill(pid, 0), ==, -1);
}

/* As a container's sandbox does. */
static void
forbid_pidfds(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {G_N_ELEMENTS(code), code};

    g_assert_cmpint(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), ==, 0);
    g_assert_cmpint(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), ==, 0);
    g_assert_cmpint(syscall(SYS_pidfd_open, getpid(), 0), ==, -1);
}

static void
test_children_are_watched_where_the_host_has_no_pidfds(void)
{
    if (!g_test_subprocess()) {
        g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDERR);
        g_test_trap_assert_passed();
        return;
    }
    forbid_pidfds();
    test_status_and_stderr_tail_are_kept();
    test_terminate_escalates_to_kill();
    test_disposing_kills_and_reaps();
}

static void
test_a_missing_program_is_named(void)
{
    g_autoptr(MfArgv) argv = mf_argv_new("mayfly-no-such-program");
    g_autoptr(GError) error = NULL;

    g_assert_null(mf_child_spawn(argv, NULL, 0, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_cmpstr(error->message, ==, "The program 'mayfly-no-such-program' was not found.");
}

static void
test_an_unusable_program_is_an_error(void)
{
    g_autofree char *path = g_strdup("/tmp/test-child-XXXXXX");
    mf_autofd fd = g_mkstemp_full(path, 2, 0700);
    g_autoptr(MfArgv) argv = mf_argv_new(path);
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_fd_write_all(fd, "\177ELFnonsense", 12, NULL));
    mf_fd_clear(&fd);
    g_assert_null(mf_child_spawn(argv, NULL, 0, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    unlink(path);
}

static int
move_to_usr(void)
{
    return chdir("/usr") < 0 ? ENOTDIR : 0;
}

static int
refuse(void)
{
    return EXDEV;
}

static void
test_a_child_is_prepared_before_it_runs(void)
{
    g_autoptr(MfArgv) argv = mf_argv_new("sh");
    g_autoptr(GError) error = NULL;

    mf_argv_add_many(argv, "-c", "pwd >&2", NULL);
    g_autoptr(MfChild) child = mf_child_spawn_prepared(argv, NULL, 0, move_to_usr, &error);
    g_assert_no_error(error);
    wait_for(child);
    g_autofree char *tail = mf_child_get_stderr_tail(child);
    g_assert_cmpstr(tail, ==, "/usr");
}

static void
test_a_child_that_cannot_be_prepared_does_not_run(void)
{
    g_autoptr(MfArgv) argv = mf_argv_new("sh");
    g_autoptr(GError) error = NULL;

    g_assert_null(mf_child_spawn_prepared(argv, NULL, 0, refuse, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, g_strerror(EXDEV)));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/child/status-and-stderr-tail-are-kept", test_status_and_stderr_tail_are_kept);
    g_test_add_func("/child/the-stderr-tail-is-bounded", test_the_stderr_tail_is_bounded);
    g_test_add_func("/child/descriptors-arrive-under-their-targets",
                    test_descriptors_arrive_under_their_targets);
    g_test_add_func("/child/signals-are-fresh-in-the-child-and-as-before-in-the-parent",
                    test_signals_are_fresh_in_the_child_and_as_before_in_the_parent);
    g_test_add_func("/child/terminate-escalates-to-kill", test_terminate_escalates_to_kill);
    g_test_add_func("/child/S-14/disposing-kills-and-reaps", test_disposing_kills_and_reaps);
    g_test_add_func("/child/children-are-watched-where-the-host-has-no-pidfds",
                    test_children_are_watched_where_the_host_has_no_pidfds);
    g_test_add_func("/child/S-15-Q-10/a-missing-program-is-named", test_a_missing_program_is_named);
    g_test_add_func("/child/an-unusable-program-is-an-error", test_an_unusable_program_is_an_error);
    g_test_add_func("/child/a-child-is-prepared-before-it-runs",
                    test_a_child_is_prepared_before_it_runs);
    g_test_add_func("/child/a-child-that-cannot-be-prepared-does-not-run",
                    test_a_child_that_cannot_be_prepared_does_not_run);
    return g_test_run();
}

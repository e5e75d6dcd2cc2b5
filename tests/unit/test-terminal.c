/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/terminal.h"

#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <utmp.h>

/* Raw and back at the end of its scope: nobody looks. */
static void
return_from_main(void)
{
    g_autoptr(MfTerminal) terminal = mf_terminal_new(STDIN_FILENO);

    mf_terminal_make_raw(terminal);
    g_assert_true(mf_terminal_is_raw());
}

static void
exit_while_raw(void)
{
    mf_terminal_make_raw(mf_terminal_new(STDIN_FILENO));
    exit(0);
}

static void
die_while_raw(int number)
{
    const struct rlimit none = {0, 0};

    setrlimit(RLIMIT_CORE, &none);
    mf_terminal_make_raw(mf_terminal_new(STDIN_FILENO));
    raise(number);
}

static gboolean
same_settings(const struct termios *a, const struct termios *b)
{
    return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag && a->c_cflag == b->c_cflag &&
           a->c_lflag == b->c_lflag && memcmp(a->c_cc, b->c_cc, sizeof(a->c_cc)) == 0;
}

/* Whether a terminal has other settings after 'act' (or the signal 'die_of' while it was raw), done
 * by the leader of a session on it. */
static gboolean
differs_after(void (*act)(void), int die_of)
{
    struct winsize size = {.ws_row = 30, .ws_col = 100};
    struct termios before, after;
    int master, slave, status;

    g_assert_cmpint(openpty(&master, &slave, NULL, NULL, &size), ==, 0);
    g_assert_cmpint(tcgetattr(slave, &before), ==, 0);
    pid_t pid = fork();
    if (pid == 0) {
        close(master);
        login_tty(dup(slave));
        if (act)
            act();
        else
            die_while_raw(die_of);
        _exit(0);
    }
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_cmpint(WIFSIGNALED(status) ? WTERMSIG(status) : 0, ==, die_of);
    g_assert_cmpint(WIFEXITED(status) ? WEXITSTATUS(status) : 0, ==, 0);
    g_assert_cmpint(tcgetattr(slave, &after), ==, 0);
    close(master);
    close(slave);
    return !same_settings(&before, &after);
}

static void
test_it_is_as_before_after_its_scope(void)
{
    g_assert_false(differs_after(return_from_main, 0));
}

static void
test_it_is_as_before_after_exit(void)
{
    g_assert_false(differs_after(exit_while_raw, 0));
}

static void
test_it_is_as_before_after_each_deadly_signal(void)
{
    static const int signals[] = {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};

    for (gsize i = 0; i < G_N_ELEMENTS(signals); i++)
        g_assert_false(differs_after(NULL, signals[i]));
}

static void
leave_raw(void)
{
    mf_terminal_make_raw(mf_terminal_new(STDIN_FILENO));
}

static void
test_it_is_raw_in_between(void)
{
    /* Ends by _exit(), which nothing can see. */
    g_assert_true(differs_after(leave_raw, 0));
}

static void
check_size(void)
{
    g_autoptr(MfTerminal) terminal = mf_terminal_new(STDIN_FILENO);
    guint16 rows, columns;

    g_assert_true(mf_terminal_get_size(terminal, &rows, &columns));
    g_assert_cmpuint(rows, ==, 30);
    g_assert_cmpuint(columns, ==, 100);
    const struct winsize none = {0};
    ioctl(STDIN_FILENO, TIOCSWINSZ, &none);
    g_assert_false(mf_terminal_get_size(terminal, &rows, &columns));
}

static void
test_it_has_the_size_of_its_window_or_none(void)
{
    g_assert_false(differs_after(check_size, 0));
}

/* The child of a session's leader, in a group of its own, is a job in the background. */
static void
make_raw_in_the_background(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        setpgid(0, 0);
        leave_raw();
        _exit(mf_terminal_is_raw());
    }
    int status;
    waitpid(pid, &status, WUNTRACED);
    g_assert_true(WIFEXITED(status));
    g_assert_cmpint(WEXITSTATUS(status), ==, 0);
}

static void
test_a_job_in_the_background_leaves_it_alone(void)
{
    g_assert_false(differs_after(make_raw_in_the_background, 0));
}

static void
test_a_file_is_none(void)
{
    int ends[2];

    g_assert_cmpint(pipe(ends), ==, 0);
    g_assert_null(mf_terminal_new(ends[0]));
    close(ends[0]);
    close(ends[1]);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/terminal/is-as-before-after-its-scope", test_it_is_as_before_after_its_scope);
    g_test_add_func("/terminal/is-as-before-after-exit", test_it_is_as_before_after_exit);
    g_test_add_func("/terminal/is-as-before-after-each-deadly-signal",
                    test_it_is_as_before_after_each_deadly_signal);
    g_test_add_func("/terminal/is-raw-in-between", test_it_is_raw_in_between);
    g_test_add_func("/terminal/has-the-size-of-its-window-or-none",
                    test_it_has_the_size_of_its_window_or_none);
    g_test_add_func("/terminal/a-job-in-the-background-leaves-it-alone",
                    test_a_job_in_the_background_leaves_it_alone);
    g_test_add_func("/terminal/a-file-is-none", test_a_file_is_none);
    return g_test_run();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/children.h"

#include <errno.h>
#include <glib.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    struct mfg_loop loop;
    struct mfg_children children;
    struct mfg_child child;
    pid_t pid;
    int status;
    bool was_there; /* the pid, during the report */
    bool done;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    g_assert_true(mfg_loop_init(&f->loop));
    g_assert_true(mfg_children_init(&f->children, &f->loop));
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    mfg_children_clear(&f->children);
    mfg_loop_clear(&f->loop);
}

static void
on_exited(void *data, pid_t pid, int status)
{
    Fixture *f = data;

    f->pid = pid;
    f->status = status;
    f->was_there = kill(pid, 0) == 0;
    f->done = true;
}

/* Starts a child that exits with 'status', or dies of signal -'status'. */
static pid_t
start(int status)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (status >= 0)
            _exit(status);
        raise(-status);
        _exit(255);
    }
    g_assert_cmpint(pid, >, 0);
    return pid;
}

static void
test_statuses_and_signals_are_reported(Fixture *f, gconstpointer data)
{
    static const int statuses[] = {0, 1, 127, 255, -SIGKILL, -SIGTERM};

    for (gsize i = 0; i < G_N_ELEMENTS(statuses); i++) {
        pid_t pid = start(statuses[i]);

        f->done = false;
        mfg_children_add(&f->children, &f->child, pid, on_exited, f);
        mfg_loop_run(&f->loop, &f->done);
        g_assert_cmpint(f->pid, ==, pid);
        g_assert_cmpint(f->status, ==, statuses[i]);
    }
}

static void
test_a_pid_is_its_own_during_the_report_and_gone_after_it(Fixture *f, gconstpointer data)
{
    pid_t pid = start(0);

    mfg_children_add(&f->children, &f->child, pid, on_exited, f);
    g_assert_true(mfg_children_has(&f->children, pid));
    mfg_loop_run(&f->loop, &f->done);
    g_assert_true(f->was_there);
    g_assert_false(mfg_children_has(&f->children, pid));
    g_assert_cmpint(f->child.pid, ==, 0);
    g_assert_cmpint(kill(pid, 0), ==, -1);
    g_assert_cmpint(errno, ==, ESRCH);
}

static void
test_children_that_nobody_waits_for_are_reaped(Fixture *f, gconstpointer data)
{
    pid_t stranger = start(3), removed = start(4), last;

    mfg_children_add(&f->children, &f->child, removed, on_exited, f);
    mfg_children_remove(&f->children, &f->child);
    /* Both are there before the one that ends the loop. */
    g_assert_cmpint(waitid(P_PID, (id_t)stranger, &(siginfo_t){0}, WEXITED | WNOWAIT), ==, 0);
    g_assert_cmpint(waitid(P_PID, (id_t)removed, &(siginfo_t){0}, WEXITED | WNOWAIT), ==, 0);
    last = start(5);
    mfg_children_add(&f->children, &f->child, last, on_exited, f);
    mfg_loop_run(&f->loop, &f->done);
    g_assert_cmpint(f->status, ==, 5);
    g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
    g_assert_cmpint(errno, ==, ECHILD);
}

static void
test_a_subreaper_reaps_orphans(Fixture *f, gconstpointer data)
{
    int ends[2];
    char byte;
    pid_t pid;

    prctl(PR_SET_CHILD_SUBREAPER, 1);
    g_assert_cmpint(pipe(ends), ==, 0);
    pid = fork();
    if (pid == 0) {
        /* The grandchild ends when the pipe does, after its parent. */
        if (fork() == 0) {
            close(ends[1]);
            _exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
        }
        _exit(0);
    }
    close(ends[0]);
    mfg_children_add(&f->children, &f->child, pid, on_exited, f);
    mfg_loop_run(&f->loop, &f->done);
    close(ends[1]);
    g_assert_cmpint(waitid(P_ALL, 0, &(siginfo_t){0}, WEXITED | WNOWAIT), ==, 0);

    f->done = false;
    mfg_children_add(&f->children, &f->child, start(6), on_exited, f);
    mfg_loop_run(&f->loop, &f->done);
    g_assert_cmpint(waitpid(-1, NULL, WNOHANG), ==, -1);
    prctl(PR_SET_CHILD_SUBREAPER, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, name)                                                                            \
    g_test_add("/guest-children/" path, Fixture, NULL, set_up, test_##name, tear_down)
    ADD("status", statuses_and_signals_are_reported);
    ADD("pid", a_pid_is_its_own_during_the_report_and_gone_after_it);
    ADD("strangers", children_that_nobody_waits_for_are_reaped);
    ADD("orphans", a_subreaper_reaps_orphans);
#undef ADD
    return g_test_run();
}

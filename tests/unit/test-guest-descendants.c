/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/descendants.h"

#include <glib.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct {
    struct mfg_children children;
    int said[2]; /* a process says its pid when it is where it should be */
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    g_assert_cmpint(pipe(f->said), ==, 0);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    close(f->said[0]);
    close(f->said[1]);
}

/* Says that this process is there, and waits to be killed. */
static _Noreturn void
stay(Fixture *f)
{
    pid_t pid = getpid();

    if (write(f->said[1], &pid, sizeof(pid)) == sizeof(pid))
        for (;;)
            pause();
    _exit(1);
}

static pid_t
hear(Fixture *f)
{
    pid_t pid;

    g_assert_cmpint(read(f->said[0], &pid, sizeof(pid)), ==, sizeof(pid));
    return pid;
}

static void
assert_killed(pid_t pid)
{
    int status;

    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_cmpint(WTERMSIG(status), ==, SIGKILL);
}

static size_t
count(const Fixture *f, struct mfg_descent descent)
{
    return mfg_descendants_signal(&f->children, &descent, 0);
}

/* A process whose parent, in a session of its own, has exited; and that session. */
static pid_t
make_orphan(Fixture *f, bool leaves_session, pid_t *ret_session)
{
    pid_t parent = fork();

    if (parent == 0) {
        setsid();
        if (fork() == 0) {
            if (leaves_session)
                setsid();
            stay(f);
        }
        pause();
    }
    *ret_session = parent;

    pid_t orphan = hear(f);
    kill(parent, SIGKILL);
    assert_killed(parent);
    return orphan;
}

static void
test_the_tree_of_a_leader_is_found_and_that_of_another_child_is_not(Fixture *f, gconstpointer data)
{
    struct mfg_child other = {0};
    pid_t pids[4];

    for (int i = 0; i < 2; i++) {
        pids[2 * i] = fork();
        if (pids[2 * i] == 0) {
            if (fork() == 0) {
                setsid();
                stay(f);
            }
            pause();
        }
        pids[2 * i + 1] = hear(f);
    }
    mfg_children_add(&f->children, &other, pids[2], NULL, NULL);

    struct mfg_descent descent = {.leader = pids[0], .since = MFG_DESCENT_NO_ORPHANS};
    g_assert_cmpuint(mfg_descendants_signal(&f->children, &descent, SIGKILL), ==, 2);
    assert_killed(pids[0]);
    assert_killed(pids[1]);
    g_assert_cmpuint(count(f, descent), ==, 0);

    descent.leader = pids[2];
    g_assert_cmpuint(mfg_descendants_signal(&f->children, &descent, SIGKILL), ==, 2);
    assert_killed(pids[2]);
    assert_killed(pids[3]);
}

static void
test_an_orphan_is_known_by_its_session(Fixture *f, gconstpointer data)
{
    pid_t session, orphan = make_orphan(f, false, &session);
    struct mfg_descent descent = {.session = session, .since = MFG_DESCENT_NO_ORPHANS};

    g_assert_cmpuint(count(f, (struct mfg_descent){.since = MFG_DESCENT_NO_ORPHANS}), ==, 0);
    g_assert_cmpuint(mfg_descendants_signal(&f->children, &descent, SIGKILL), ==, 1);
    assert_killed(orphan);
}

static void
test_an_orphan_of_no_known_session_is_known_by_its_age(Fixture *f, gconstpointer data)
{
    pid_t session, orphan = make_orphan(f, true, &session);
    uint64_t start = mfg_descendants_start_of(orphan);

    g_assert_cmpuint(start, <, MFG_DESCENT_NO_ORPHANS);
    g_assert_cmpuint(count(f, (struct mfg_descent){.session = session, .since = start + 1}), ==, 0);
    g_assert_cmpuint(count(f, (struct mfg_descent){.since = start}), ==, 1);
    g_assert_cmpuint(mfg_descendants_signal(&f->children, &(struct mfg_descent){0}, SIGKILL), ==,
                     1);
    assert_killed(orphan);
}

static void
test_a_process_that_is_gone_has_no_start(Fixture *f, gconstpointer data)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    g_assert_cmpint(waitpid(pid, NULL, 0), ==, pid);
    g_assert_cmpuint(mfg_descendants_start_of(pid), ==, MFG_DESCENT_NO_ORPHANS);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, name)                                                                            \
    g_test_add("/guest-descendants/" path, Fixture, NULL, set_up, test_##name, tear_down)
    ADD("tree", the_tree_of_a_leader_is_found_and_that_of_another_child_is_not);
    ADD("P-14-session", an_orphan_is_known_by_its_session);
    ADD("P-14-age", an_orphan_of_no_known_session_is_known_by_its_age);
    ADD("gone", a_process_that_is_gone_has_no_start);
#undef ADD
    return g_test_run();
}

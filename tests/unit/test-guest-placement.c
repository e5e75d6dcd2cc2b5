/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/placement.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest/cgroup.h"

/* Children that are born in their group at the same moment as others are moved would show a
 * mistake only now and then. */
#define ROUNDS 30

typedef struct {
    char *directory; /* owned; stands for a control group */
    char *procs;     /* owned; its file, which is not there at first */
    int fd;
    int said[2]; /* what the child says, by this pipe */
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    f->directory = g_dir_make_tmp("mayfly-XXXXXX", NULL);
    f->procs = g_build_filename(f->directory, "cgroup.procs", NULL);
    f->fd = open(f->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    g_assert_cmpint(f->fd, >=, 0);
    g_assert_cmpint(pipe2(f->said, O_CLOEXEC), ==, 0);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    close(f->fd);
    close(f->said[0]);
    if (f->said[1] >= 0)
        close(f->said[1]);
    g_unlink(f->procs);
    g_rmdir(f->directory);
    g_free(f->procs);
    g_free(f->directory);
}

/* Has the child say what is in 'path' as soon as it runs. */
static pid_t
start(Fixture *f, pid_t (*place)(int directory_fd), int directory_fd, const char *path)
{
    pid_t pid = place(directory_fd);

    if (pid == 0) {
        char text[4096];
        int fd = open(path, O_RDONLY);
        ssize_t n = read(fd, text, sizeof(text));

        _exit(n >= 0 && write(f->said[1], text, (size_t)n) == n ? 0 : 1);
    }
    return pid;
}

static char *
hear(Fixture *f)
{
    char text[4096];
    ssize_t n;

    close(f->said[1]);
    f->said[1] = -1;
    n = read(f->said[0], text, sizeof(text) - 1);
    g_assert_cmpint(n, >=, 0);
    text[n] = '\0';
    return g_strdup(text);
}

static void
assert_exits(pid_t pid, int expected)
{
    int status;

    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_cmpint(status, ==, expected);
}

static void
test_the_child_goes_on_once_its_pid_is_in_the_file(Fixture *f, gconstpointer data)
{
    pid_t pid;

    g_assert_true(g_file_set_contents(f->procs, "", 0, NULL));
    pid = start(f, mfg_placement_handshake, f->fd, f->procs);
    g_assert_cmpint(pid, >, 0);

    g_autofree char *seen = hear(f), *expected = g_strdup_printf("%d\n", (int)pid);
    g_assert_cmpstr(seen, ==, expected);
    assert_exits(pid, 0);
}

static void
assert_nobody_ran(Fixture *f)
{
    g_autofree char *said = hear(f);

    g_assert_cmpstr(said, ==, "");
    g_assert_cmpint(waitpid(-1, NULL, 0), ==, -1);
    g_assert_cmpint(errno, ==, ECHILD);
}

static void
test_a_child_that_cannot_be_placed_never_runs_and_is_reaped(Fixture *f, gconstpointer data)
{
    gint64 before = g_get_monotonic_time();

    g_assert_cmpint(start(f, mfg_placement_handshake, f->fd, "/dev/null"), ==, -1);
    g_assert_cmpint(errno, ==, ENOENT);
    g_assert_cmpint(g_get_monotonic_time() - before, <, 10 * G_USEC_PER_SEC);
    assert_nobody_ran(f);
}

static void
test_a_file_that_takes_nothing_is_given_up_in_time(Fixture *f, gconstpointer data)
{
    static const char block[4096];
    gint64 before = g_get_monotonic_time(), took;
    int fd;

    g_assert_cmpint(mkfifo(f->procs, 0600), ==, 0);
    fd = open(f->procs, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    while (write(fd, block, sizeof(block)) > 0)
        ;
    g_assert_cmpint(start(f, mfg_placement_handshake, f->fd, "/dev/null"), ==, -1);
    g_assert_cmpint(errno, ==, ETIMEDOUT);
    took = g_get_monotonic_time() - before;
    g_assert_cmpint(took, >=, MFG_CGROUP_WRITE_MS * G_TIME_SPAN_MILLISECOND);
    g_assert_cmpint(took, <, 10 * G_USEC_PER_SEC);
    assert_nobody_ran(f);
    close(fd);
}

static void
test_where_a_child_cannot_be_born_in_a_group_it_is_moved(Fixture *f, gconstpointer data)
{
    pid_t pid;

    g_assert_true(g_file_set_contents(f->procs, "", 0, NULL));
    /* No control group at all, as any group is to a kernel without clone3(2). */
    g_assert_cmpint(mfg_placement_clone(f->fd), ==, -1);
    pid = start(f, mfg_placement_fork, f->fd, f->procs);
    g_assert_cmpint(pid, >, 0);

    g_autofree char *seen = hear(f), *expected = g_strdup_printf("%d\n", (int)pid);
    g_assert_cmpstr(seen, ==, expected);
    assert_exits(pid, 0);
}

/* A new control group in a version 2 hierarchy; NULL where there is none that can be written. */
static char *
make_group(void)
{
    static const char *const hierarchies[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

    for (gsize i = 0; i < G_N_ELEMENTS(hierarchies); i++) {
        g_autofree char *path = g_strdup_printf("%s/mayfly-test.%d", hierarchies[i], getpid());
        struct statfs status;

        if (statfs(hierarchies[i], &status) == 0 && status.f_type == CGROUP2_SUPER_MAGIC &&
            g_mkdir(path, 0755) == 0)
            return g_steal_pointer(&path);
    }
    return NULL;
}

static void
test_the_child_is_in_its_group_at_once(Fixture *f, gconstpointer data)
{
    pid_t (*const *place)(int directory_fd) = data;
    g_autofree char *group = make_group();

    if (!group) {
        g_test_skip("no version 2 control group can be made here");
        return;
    }

    g_autofree char *name = g_path_get_basename(group);
    g_autofree char *line = g_strdup_printf("/%s\n", name);
    int fd = open(group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool placed = true;

    for (guint i = 0; i < ROUNDS && placed; i++) {
        pid_t pid = start(f, *place, fd, "/proc/self/cgroup");
        char text[4096];
        ssize_t n;

        placed = pid > 0;
        if (!placed)
            break;
        n = read(f->said[0], text, sizeof(text) - 1);
        g_assert_cmpint(n, >, 0);
        text[n] = '\0';
        assert_exits(pid, 0);
        g_assert_nonnull(strstr(text, line));
    }
    close(fd);
    g_rmdir(group);
    if (!placed)
        g_test_skip("this process may not put others into the group");
}

int
main(int argc, char **argv)
{
    static pid_t (*clone_kind)(int) = mfg_placement_clone;
    static pid_t (*handshake_kind)(int) = mfg_placement_handshake;

    g_test_init(&argc, &argv, NULL);
#define ADD(path, data, name)                                                                      \
    g_test_add("/guest-placement/" path, Fixture, data, set_up, test_##name, tear_down)
    ADD("P-25-handshake", NULL, the_child_goes_on_once_its_pid_is_in_the_file);
    ADD("P-26-failure", NULL, a_child_that_cannot_be_placed_never_runs_and_is_reaped);
    ADD("P-28-bound", NULL, a_file_that_takes_nothing_is_given_up_in_time);
    ADD("fallback", NULL, where_a_child_cannot_be_born_in_a_group_it_is_moved);
    ADD("born-in-its-group", &clone_kind, the_child_is_in_its_group_at_once);
    ADD("moved-to-its-group", &handshake_kind, the_child_is_in_its_group_at_once);
#undef ADD
    return g_test_run();
}

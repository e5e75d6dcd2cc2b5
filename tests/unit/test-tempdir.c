/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/tempdir.h"

/* Each process looks for what others left only once, so that every one of these is a process of its
 * own, which makes a directory with a file in it. */
typedef struct {
    pid_t pid;
    int hold; /* it lives until this is closed */
    char *path;
} Other;

static _Noreturn void
be_other(int said, int hold)
{
    g_autofree char *path = mf_tempdir_make(NULL);
    g_autofree char *file = g_build_filename(path, "file", NULL);
    char byte;

    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
    g_assert_cmpint(write(said, path, strlen(path)), ==, strlen(path));
    close(said);
    _exit(read(hold, &byte, 1) == 0 ? 0 : 1);
}

static Other
start_other(void)
{
    char path[4096] = {0};
    int said[2], hold[2];
    Other other;

    g_assert_cmpint(pipe2(said, O_CLOEXEC), ==, 0);
    g_assert_cmpint(pipe2(hold, O_CLOEXEC), ==, 0);
    other.pid = fork();
    if (other.pid == 0) {
        close(hold[1]);
        be_other(said[1], hold[0]);
    }
    close(said[1]);
    close(hold[0]);
    g_assert_cmpint(read(said[0], path, sizeof(path) - 1), >, 0);
    close(said[0]);
    other.hold = hold[1];
    other.path = g_strdup(path);
    return other;
}

static void
kill_other(Other *other)
{
    int status;

    kill(other->pid, SIGKILL);
    g_assert_cmpint(waitpid(other->pid, &status, 0), ==, other->pid);
    g_assert_true(WIFSIGNALED(status));
    close(other->hold);
}

static gboolean
is_there(const char *path)
{
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void
test_what_a_killed_process_left_goes_with_the_next(void)
{
    Other killed = start_other();
    g_assert_true(is_there(killed.path));
    kill_other(&killed);
    g_assert_true(is_there(killed.path));

    Other next = start_other();
    g_assert_false(is_there(killed.path));
    g_assert_true(is_there(next.path));

    kill_other(&next);
    mf_tempdir_remove(next.path);
    g_free(killed.path);
    g_free(next.path);
}

static void
test_what_is_in_use_stays(void)
{
    Other first = start_other(), second = start_other();

    g_assert_true(is_there(first.path));
    g_assert_true(is_there(second.path));
    kill_other(&first);
    kill_other(&second);
    mf_tempdir_remove(first.path);
    mf_tempdir_remove(second.path);
    g_free(first.path);
    g_free(second.path);
}

static void
test_what_is_kept_or_of_others_stays(void)
{
    const char *top = g_get_tmp_dir();
    g_autofree char *lasting = mf_tempdir_make_lasting(NULL);
    g_autofree char *file = g_build_filename(top, "mayfly-run-file", NULL);
    g_autofree char *link = g_build_filename(top, "mayfly-run-link", NULL);

    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
    g_assert_cmpint(symlink(lasting, link), ==, 0);

    Other other = start_other();
    g_assert_true(is_there(lasting));
    g_assert_true(is_there(file));
    g_assert_true(is_there(link));

    kill_other(&other);
    mf_tempdir_remove(other.path);
    g_unlink(link);
    g_unlink(file);
    mf_tempdir_remove(lasting);
    g_assert_false(is_there(lasting));
    g_free(other.path);
}

static void
test_a_directory_is_private_and_goes_with_all_in_it(void)
{
    g_autofree char *path = mf_tempdir_make(NULL), *second = mf_tempdir_make(NULL);
    g_autofree char *file = g_build_filename(path, "file", NULL);
    struct stat status;

    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 07777, ==, 0700);
    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
    mf_tempdir_remove(path);
    g_assert_false(is_there(path));
    g_assert_true(is_there(second));
    mf_tempdir_remove(second);
    g_assert_false(is_there(second));
}

int
main(int argc, char **argv)
{
    g_autofree char *top = g_dir_make_tmp("test-tempdir-XXXXXX", NULL);

    g_setenv("TMPDIR", top, TRUE);
    g_test_init(&argc, &argv, NULL);
    /* First, while this process has made none: the others are copies of it. */
    g_test_add_func("/tempdir/what-a-killed-process-left-goes-with-the-next",
                    test_what_a_killed_process_left_goes_with_the_next);
    g_test_add_func("/tempdir/what-is-in-use-stays", test_what_is_in_use_stays);
    g_test_add_func("/tempdir/what-is-kept-or-of-others-stays",
                    test_what_is_kept_or_of_others_stays);
    g_test_add_func("/tempdir/a-directory-is-private-and-goes-with-all-in-it",
                    test_a_directory_is_private_and_goes_with_all_in_it);

    int status = g_test_run();
    g_rmdir(top);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/ends.h"

#include <fcntl.h>
#include <glib.h>
#include <unistd.h>

static void
assert_carries(int from, int to)
{
    char byte = 0;

    g_assert_cmpint(write(from, "x", 1), ==, 1);
    g_assert_cmpint(read(to, &byte, 1), ==, 1);
    g_assert_cmpint(byte, ==, 'x');
}

static void
test_a_program_reads_from_its_input_and_writes_to_its_outputs(void)
{
    struct mfg_ends ends = MFG_ENDS_NONE;

    for (int stream = 0; stream < 3; stream++) {
        g_assert_true(mfg_ends_open_pipe(&ends, stream));
        g_assert_cmpint(fcntl(ends.ours[stream], F_GETFD), ==, FD_CLOEXEC);
        g_assert_cmpint(fcntl(ends.its[stream], F_GETFD), ==, FD_CLOEXEC);
    }
    assert_carries(ends.ours[0], ends.its[0]);
    assert_carries(ends.its[1], ends.ours[1]);
    assert_carries(ends.its[2], ends.ours[2]);
    mfg_ends_clear(&ends);
}

static void
test_nobody_is_at_the_other_end_of_the_null_device(void)
{
    struct mfg_ends ends = MFG_ENDS_NONE;
    char byte;

    g_assert_true(mfg_ends_open_null(&ends, 0));
    g_assert_true(mfg_ends_open_null(&ends, 1));
    g_assert_cmpint(ends.ours[0], ==, -1);
    g_assert_cmpint(ends.ours[1], ==, -1);
    g_assert_cmpint(read(ends.its[0], &byte, 1), ==, 0);
    g_assert_cmpint(write(ends.its[1], "x", 1), ==, 1);
    mfg_ends_clear(&ends);
}

static void
test_what_was_taken_stays_open_and_the_rest_is_closed_once(void)
{
    struct mfg_ends ends = MFG_ENDS_NONE;

    g_assert_true(mfg_ends_open_pipe(&ends, 1));
    int its = ends.its[1], ours = mfg_ends_take(&ends, 1);
    g_assert_cmpint(mfg_ends_take(&ends, 1), ==, -1);
    mfg_ends_clear(&ends);
    mfg_ends_clear(&ends);
    g_assert_cmpint(fcntl(its, F_GETFD), ==, -1);
    g_assert_cmpint(fcntl(ours, F_GETFD), ==, FD_CLOEXEC);
    close(ours);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-ends/a-program-reads-from-its-input-and-writes-to-its-outputs",
                    test_a_program_reads_from_its_input_and_writes_to_its_outputs);
    g_test_add_func("/guest-ends/nobody-is-at-the-other-end-of-the-null-device",
                    test_nobody_is_at_the_other_end_of_the_null_device);
    g_test_add_func("/guest-ends/what-was-taken-stays-open-and-the-rest-is-closed-once",
                    test_what_was_taken_stays_open_and_the_rest_is_closed_once);
    return g_test_run();
}

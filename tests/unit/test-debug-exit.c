/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/debug-exit.h"

#include <signal.h>

#include "base/error.h"

/* Wait statuses, as waitpid() makes them. */
#define EXITED(status) ((status) << 8)
#define KILLED(signal) (signal)

static void
test_q_4_a_status_is_twice_the_value_and_one(void)
{
    static const struct {
        guint32 value;
        guint status;
    } cases[] = {
        {0, 1},
        {1, 3},
        {0x10, 33},
        {0x7f, 255},
        /* The host gets 8 bits. */
        {0x80, 1},
        {0xff, 255},
        {G_MAXUINT32, 255},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpuint(mf_debug_exit_get_status(cases[i].value), ==, cases[i].status);
}

static void
test_q_4_every_status_that_a_guest_can_reach_is_taken(void)
{
    for (guint32 value = 0; value < 0x80; value++) {
        g_autoptr(GError) error = NULL;

        g_assert_true(mf_debug_exit_check(MF_ARCH_X86_64, mf_debug_exit_get_status(value), &error));
        g_assert_no_error(error);
    }
}

static void
test_q_4_a_status_that_no_guest_can_reach_is_refused(void)
{
    static const gint64 statuses[] = {0, 2, 32, 254, 256, 257, -1, G_MAXINT64, G_MININT64};

    for (gsize i = 0; i < G_N_ELEMENTS(statuses); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *pattern =
            g_strdup_printf("No guest can end QEMU with the exit status %" G_GINT64_FORMAT
                            ": *2 * V + 1*an odd number from 1 to 255.",
                            statuses[i]);

        g_assert_false(mf_debug_exit_check(MF_ARCH_X86_64, statuses[i], &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_true(g_pattern_match_simple(pattern, error->message));
    }
}

static void
test_an_architecture_without_the_device_is_refused(void)
{
    for (MfArch arch = 0; arch < MF_N_ARCHS; arch++) {
        g_autoptr(GError) error = NULL;

        g_assert_cmpint(mf_debug_exit_check(arch, 33, &error), ==, arch == MF_ARCH_X86_64);
        if (arch != MF_ARCH_X86_64)
            g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    }
}

static void
test_q_3_only_the_status_that_was_named_is_a_success(void)
{
    for (int status = 0; status < 256; status++) {
        g_autofree char *unmet = mf_debug_exit_judge(33, EXITED(status));

        g_assert_cmpint(unmet == NULL, ==, status == 33);
    }
}

static void
test_q_4_a_mismatch_says_what_was_expected_and_what_came(void)
{
    g_autofree char *other = mf_debug_exit_judge(33, EXITED(35));
    g_autofree char *none = mf_debug_exit_judge(33, EXITED(0));

    g_assert_cmpstr(other, ==,
                    "The guest ended with the exit status 35 (it wrote 0x11), where 33 (0x10) was "
                    "expected.");
    g_assert_cmpstr(none, ==,
                    "The machine ended with the exit status 0 and without a value from the guest, "
                    "where 33 was expected: the guest has to write 0x10 to port 0xf4.");
}

static void
test_q_3_a_qemu_that_a_signal_killed_is_named_and_no_success(void)
{
    g_autofree char *killed = mf_debug_exit_judge(1, KILLED(SIGKILL));

    g_assert_cmpstr(killed, ==,
                    "QEMU was killed by signal 9 (Killed), where the exit status 1 was expected.");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/debug-exit/q-4-a-status-is-twice-the-value-and-one",
                    test_q_4_a_status_is_twice_the_value_and_one);
    g_test_add_func("/debug-exit/q-4-every-status-that-a-guest-can-reach-is-taken",
                    test_q_4_every_status_that_a_guest_can_reach_is_taken);
    g_test_add_func("/debug-exit/q-4-a-status-that-no-guest-can-reach-is-refused",
                    test_q_4_a_status_that_no_guest_can_reach_is_refused);
    g_test_add_func("/debug-exit/an-architecture-without-the-device-is-refused",
                    test_an_architecture_without_the_device_is_refused);
    g_test_add_func("/debug-exit/q-3-only-the-status-that-was-named-is-a-success",
                    test_q_3_only_the_status_that_was_named_is_a_success);
    g_test_add_func("/debug-exit/q-4-a-mismatch-says-what-was-expected-and-what-came",
                    test_q_4_a_mismatch_says_what_was_expected_and_what_came);
    g_test_add_func("/debug-exit/q-3-a-qemu-that-a-signal-killed-is-named-and-no-success",
                    test_q_3_a_qemu_that_a_signal_killed_is_named_and_no_success);
    return g_test_run();
}

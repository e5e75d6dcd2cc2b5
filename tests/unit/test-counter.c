/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/counter.h"

static void
test_a_counter_is_a_clock_where_linux_takes_it_for_one(void)
{
    g_assert_true(mf_counter_is_clock("kvm-clock tsc acpi_pm \n"));
    g_assert_true(mf_counter_is_clock("tsc\n"));
    g_assert_false(mf_counter_is_clock("kvm-clock hpet acpi_pm \n"));
    g_assert_false(mf_counter_is_clock("tsc-early\n"));
    g_assert_false(mf_counter_is_clock(""));
}

static void
test_a_rate_is_told_in_whole_megahertz(void)
{
    g_assert_cmpuint(mf_counter_judge(4890856, 2000000), ==, 2445000);
    g_assert_cmpuint(mf_counter_judge(4999990, 2000010), ==, 2500000);
    g_assert_cmpuint(mf_counter_judge(200000, 2000000), ==, 100000);
}

static void
test_what_is_no_rate_is_none(void)
{
    g_assert_cmpuint(mf_counter_judge(0, 2000000), ==, 0);
    g_assert_cmpuint(mf_counter_judge(4890856, 0), ==, 0);
    g_assert_cmpuint(mf_counter_judge(4890856, 1000), ==, 0);
    g_assert_cmpuint(mf_counter_judge(G_MAXUINT64, 2000000), ==, 0);
    g_assert_cmpuint(mf_counter_judge(4890856, G_MAXUINT64), ==, 0);
}

static void
test_the_rate_of_another_architectures_counter_is_unknown(void)
{
    g_assert_cmpuint(mf_counter_get_khz(MF_ARCH_AARCH64), ==, 0);
    g_assert_cmpuint(mf_counter_get_khz(MF_ARCH_S390X), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/counter/a-counter-is-a-clock-where-linux-takes-it-for-one",
                    test_a_counter_is_a_clock_where_linux_takes_it_for_one);
    g_test_add_func("/counter/a-rate-is-told-in-whole-megahertz",
                    test_a_rate_is_told_in_whole_megahertz);
    g_test_add_func("/counter/what-is-no-rate-is-none", test_what_is_no_rate_is_none);
    g_test_add_func("/counter/the-rate-of-another-architectures-counter-is-unknown",
                    test_the_rate_of_another_architectures_counter_is_unknown);
    return g_test_run();
}

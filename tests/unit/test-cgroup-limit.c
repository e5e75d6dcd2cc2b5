/* SPDX-License-Identifier: Apache-2.0 */
#include "run/cgroup-limit.h"

#define CPUS 4

static const struct {
    const char *file, *value;
    gboolean good;
} cases[] = {
    {"cpu.max", "max", TRUE},
    {"cpu.max", "20000", TRUE},
    {"cpu.max", "20000 100000", TRUE},
    {"cpu.max", "max 100000", TRUE},
    {"cpu.max", "1000 1000000", TRUE},
    {"cpu.max", "999 100000", FALSE},
    {"cpu.max", "1000 999", FALSE},
    {"cpu.max", "1000 1000001", FALSE},
    {"cpu.max", "20%", FALSE},
    {"cpu.max", "MAX", FALSE},
    {"cpu.max", "-1", FALSE},
    {"cpu.max", "20000 100000 1", FALSE},
    {"cpuset.cpus", "0", TRUE},
    {"cpuset.cpus", "0-3", TRUE},
    {"cpuset.cpus", "0,2-3", TRUE},
    {"cpuset.cpus", "0-N", TRUE},
    {"cpuset.cpus", "all", TRUE},
    {"cpuset.cpus", "0-3:1/2", TRUE},
    {"cpuset.cpus", "4", FALSE},
    {"cpuset.cpus", "0-4", FALSE},
    {"cpuset.cpus", "3-1", FALSE},
    {"cpuset.cpus", "0-", FALSE},
    {"cpuset.cpus", "0,", FALSE},
    {"cpuset.cpus", "first", FALSE},
    {"memory.max", "max", TRUE},
    {"memory.max", "67108864", TRUE},
    {"memory.max", "64M", TRUE},
    {"memory.max", "64m", TRUE},
    {"memory.max", "0x1000", TRUE},
    {"memory.max", "lots", FALSE},
    {"memory.max", "1.5G", FALSE},
    {"memory.max", "64MB", FALSE},
    {"memory.max", "64 M", FALSE},
    {"memory.max", "M", FALSE},
    {"memory.max", "-1", FALSE},
    {"io.max", "8:0 rbps=1048576", TRUE},
    {"io.max", "8:0 rbps=max wiops=120", TRUE},
    {"io.max", "sda rbps=1", FALSE},
    {"io.max", "8:0", FALSE},
    {"io.max", "8:0 rbps=0", FALSE},
    {"io.max", "8:0 bps=1", FALSE},
    {"io.max", "8:0 rbps=1M", FALSE},
    /* Those are numbers, whose range the config's schema has. */
    {"pids.max", "7", TRUE},
    {"cpu.weight", "100", TRUE},
};

static void
test_a_value_that_no_kernel_takes_is_told_with_what_is_expected(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *flaw = mf_cgroup_limit_find_flaw(cases[i].file, cases[i].value, CPUS);

        g_test_message("%s = %s: %s", cases[i].file, cases[i].value, flaw ? flaw : "good");
        g_assert_cmpint(flaw == NULL, ==, cases[i].good);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/cgroup-limit/a-value-that-no-kernel-takes-is-told-with-what-is-expected",
                    test_a_value_that_no_kernel_takes_is_told_with_what_is_expected);
    return g_test_run();
}

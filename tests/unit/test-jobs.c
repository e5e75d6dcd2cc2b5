/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/jobs.h"

#include "base/parse.h"
#include "case-fixture.h"

#define GIB (1024 * MF_MIB)

static void
test_every_cpu_gets_a_vm_where_memory_is_plenty(void)
{
    MfCapacity capacity = {.cpus = 8, .memory = 64 * GIB};

    g_assert_cmpuint(mf_jobs_choose(&capacity, GIB, 24), ==, 8);
    capacity.memory = G_MAXUINT64;
    g_assert_cmpuint(mf_jobs_choose(&capacity, GIB, 24), ==, 8);
}

static void
test_there_are_no_more_jobs_than_fit_into_the_memory(void)
{
    const MfCapacity capacity = {.cpus = 8, .memory = 7 * GIB};

    g_assert_cmpuint(mf_jobs_choose(&capacity, 2 * GIB, 24), ==, 3);
}

static void
test_there_are_no_more_jobs_than_cases(void)
{
    const MfCapacity capacity = {.cpus = 8, .memory = 64 * GIB};

    g_assert_cmpuint(mf_jobs_choose(&capacity, GIB, 3), ==, 3);
}

static void
test_one_vm_runs_however_little_there_is(void)
{
    const MfCapacity capacity = {.cpus = 1, .memory = 0};

    g_assert_cmpuint(mf_jobs_choose(&capacity, 2 * GIB, 24), ==, 1);
    g_assert_cmpuint(mf_jobs_choose(&capacity, 2 * GIB, 0), ==, 1);
}

static void
test_a_copy_of_a_saved_machine_costs_less_than_one_that_boots(void)
{
    g_autoptr(GPtrArray) cases = case_array_new();
    MfTarget *target = case_array_add(cases, "a", "")->target;

    target->memory = 4 * GIB;
    guint64 clone = mf_jobs_cost(cases);
    g_assert_cmpuint(clone, >, GIB);
    g_assert_cmpuint(clone, <, 2 * GIB);
    target->cold = TRUE;
    g_assert_cmpuint(mf_jobs_cost(cases), >, 4 * GIB);
}

static void
test_a_machine_that_cannot_be_saved_costs_as_one_that_boots(void)
{
    g_autoptr(GPtrArray) cases = case_array_new();
    MfTarget *target = case_array_add(cases, "a", "")->target;

    target->memory = 4 * GIB;
    target->net = MF_NET_USER;
    g_assert_cmpuint(mf_jobs_cost(cases), >, 4 * GIB);
    target->net = MF_NET_NONE;
    g_assert_cmpuint(mf_jobs_cost(cases), <, 2 * GIB);
    g_ptr_array_add(target->disks, mf_disk_new("/disk", NULL, FALSE));
    g_assert_cmpuint(mf_jobs_cost(cases), >, 4 * GIB);
    g_ptr_array_set_size(target->disks, 0);
    g_ptr_array_add(target->numa, mf_numa_node_new(4 * GIB, NULL));
    g_assert_cmpuint(mf_jobs_cost(cases), >, 4 * GIB);
}

static void
test_the_dearest_case_counts(void)
{
    g_autoptr(GPtrArray) cases = case_array_new();

    case_array_add(cases, "small", "");
    guint64 small = mf_jobs_cost(cases);
    case_array_add(cases, "large", "")->target->memory = 16 * GIB;
    case_array_add(cases, "small too", "");
    g_assert_cmpuint(mf_jobs_cost(cases), >, small);
    g_assert_cmpuint(mf_jobs_cost(cases), >, 4 * GIB);
}

static void
test_meminfo_says_what_is_available(void)
{
    g_assert_cmpuint(mf_capacity_parse_meminfo("MemTotal:       24684092 kB\n"
                                               "MemFree:        21581636 kB\n"
                                               "MemAvailable:   23901752 kB\n"),
                     ==, G_GUINT64_CONSTANT(23901752) * 1024);
    g_assert_cmpuint(mf_capacity_parse_meminfo("MemTotal: 24684092 kB\n"), ==, 0);
    g_assert_cmpuint(mf_capacity_parse_meminfo(""), ==, 0);
}

static void
test_this_host_has_a_cpu_and_memory(void)
{
    MfCapacity capacity;

    mf_capacity_probe(&capacity);
    g_assert_cmpuint(capacity.cpus, >, 0);
    g_assert_cmpuint(capacity.memory, >, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/jobs/every-cpu-gets-a-vm-where-memory-is-plenty",
                    test_every_cpu_gets_a_vm_where_memory_is_plenty);
    g_test_add_func("/jobs/there-are-no-more-than-fit-into-the-memory",
                    test_there_are_no_more_jobs_than_fit_into_the_memory);
    g_test_add_func("/jobs/there-are-no-more-than-cases", test_there_are_no_more_jobs_than_cases);
    g_test_add_func("/jobs/one-vm-runs-however-little-there-is",
                    test_one_vm_runs_however_little_there_is);
    g_test_add_func("/jobs/a-copy-of-a-saved-machine-costs-less-than-one-that-boots",
                    test_a_copy_of_a_saved_machine_costs_less_than_one_that_boots);
    g_test_add_func("/jobs/a-machine-that-cannot-be-saved-costs-as-one-that-boots",
                    test_a_machine_that_cannot_be_saved_costs_as_one_that_boots);
    g_test_add_func("/jobs/the-dearest-case-counts", test_the_dearest_case_counts);
    g_test_add_func("/capacity/meminfo-says-what-is-available",
                    test_meminfo_says_what_is_available);
    g_test_add_func("/capacity/this-host-has-a-cpu-and-memory",
                    test_this_host_has_a_cpu_and_memory);
    return g_test_run();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/queue.h"

#include "case-fixture.h"

/* Cases with these kernels, a letter each. */
static GPtrArray *
make_cases(const char *kernels)
{
    GPtrArray *cases = case_array_new();

    for (guint i = 0; kernels[i]; i++) {
        g_autofree char *name = g_strdup_printf("case %u", i);

        case_array_add(cases, name, "")->target->kernel = g_strdup_printf("/boot/%c", kernels[i]);
    }
    return cases;
}

static void
test_one_after_the_other_they_start_as_in_the_file(void)
{
    g_autoptr(GPtrArray) cases = make_cases("abab");
    g_autoptr(MfQueue) queue = mf_queue_new(cases);

    for (int i = 0; i < 4; i++) {
        g_assert_cmpint(mf_queue_take(queue), ==, i);
        mf_queue_note_booted(queue, (guint)i);
    }
    g_assert_cmpint(mf_queue_take(queue), ==, -1);
}

static void
test_the_first_of_each_machine_go_ahead(void)
{
    g_autoptr(GPtrArray) cases = make_cases("aaabbc");
    g_autoptr(MfQueue) queue = mf_queue_new(cases);

    g_assert_cmpint(mf_queue_take(queue), ==, 0);
    g_assert_cmpint(mf_queue_take(queue), ==, 3);
    g_assert_cmpint(mf_queue_take(queue), ==, 5);
}

static void
test_no_job_stays_free_while_a_machine_boots(void)
{
    g_autoptr(GPtrArray) cases = make_cases("aaa");
    g_autoptr(MfQueue) queue = mf_queue_new(cases);

    g_assert_cmpint(mf_queue_take(queue), ==, 0);
    g_assert_cmpint(mf_queue_take(queue), ==, 1);
}

static void
test_once_its_machine_is_up_a_case_s_siblings_are_due_again(void)
{
    g_autoptr(GPtrArray) cases = make_cases("aabb");
    g_autoptr(MfQueue) queue = mf_queue_new(cases);

    g_assert_cmpint(mf_queue_take(queue), ==, 0);
    g_assert_cmpint(mf_queue_take(queue), ==, 2);
    mf_queue_note_booted(queue, 2);
    mf_queue_note_booted(queue, 2);
    g_assert_cmpint(mf_queue_take(queue), ==, 3);
    mf_queue_note_booted(queue, 0);
    g_assert_cmpint(mf_queue_take(queue), ==, 1);
}

static void
test_another_size_of_memory_is_another_machine(void)
{
    g_autoptr(GPtrArray) cases = make_cases("aaa");
    MfCase *large = g_ptr_array_index(cases, 2);

    large->target->memory *= 2;
    g_autoptr(MfQueue) queue = mf_queue_new(cases);
    g_assert_cmpint(mf_queue_take(queue), ==, 0);
    g_assert_cmpint(mf_queue_take(queue), ==, 2);
}

static void
test_a_cleared_queue_gives_nothing_and_says_how_many_there_were(void)
{
    g_autoptr(GPtrArray) cases = make_cases("abc");
    g_autoptr(MfQueue) queue = mf_queue_new(cases);

    mf_queue_take(queue);
    g_assert_cmpuint(mf_queue_clear(queue), ==, 2);
    g_assert_cmpuint(mf_queue_clear(queue), ==, 0);
    g_assert_cmpint(mf_queue_take(queue), ==, -1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/queue/one-after-the-other-they-start-as-in-the-file",
                    test_one_after_the_other_they_start_as_in_the_file);
    g_test_add_func("/queue/the-first-of-each-machine-go-ahead",
                    test_the_first_of_each_machine_go_ahead);
    g_test_add_func("/queue/no-job-stays-free-while-a-machine-boots",
                    test_no_job_stays_free_while_a_machine_boots);
    g_test_add_func("/queue/once-its-machine-is-up-a-case-s-siblings-are-due-again",
                    test_once_its_machine_is_up_a_case_s_siblings_are_due_again);
    g_test_add_func("/queue/another-size-of-memory-is-another-machine",
                    test_another_size_of_memory_is_another_machine);
    g_test_add_func("/queue/a-cleared-queue-gives-nothing-and-says-how-many-there-were",
                    test_a_cleared_queue_gives_nothing_and_says_how_many_there_were);
    return g_test_run();
}

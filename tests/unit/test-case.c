/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/case.h"

#include <string.h>

static void
test_a_name_that_is_fit_for_a_file_is_its_own_id(void)
{
    g_autofree char *longest = g_strnfill(MF_CASE_ID_MAX, 'x');
    const char *const names[] = {"boot", "a", "net-6.1_x86", "0.1", longest};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *id = mf_case_make_id(names[i]);

        g_assert_cmpstr(id, ==, names[i]);
    }
}

static void
test_the_id_of_a_combination_is_readable_and_the_same_in_every_run(void)
{
    g_autofree char *id = mf_case_make_id("net test [kernel=boot/6.1, arch=x]");

    g_assert_cmpstr(id, ==, "net-test-kernel-boot-6.1-arch-x-9a9002f0");
}

static void
test_every_name_gives_an_id_that_is_fit_for_a_file(void)
{
    g_autofree char *too_long = g_strnfill(MF_CASE_ID_MAX + 1, 'x');
    const char *const names[] = {"",    ".",        "..",       "-x",     ".hidden",   "a/b",
                                 "a b", "../../up", "\xc3\xa4", "a\nb\t", "   ---   ", too_long};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *id = mf_case_make_id(names[i]);
        size_t fit = strspn(id, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-");

        g_assert_cmpuint(strlen(id), >, 0);
        g_assert_cmpuint(strlen(id), <=, MF_CASE_ID_MAX);
        g_assert_cmpuint(fit, ==, strlen(id));
        g_assert_null(strchr(".-", id[0]));
    }
}

static void
test_names_that_differ_in_what_is_unfit_have_different_ids(void)
{
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *long_a = g_strdup_printf("%0*d a", MF_CASE_ID_MAX, 0);
    g_autofree char *long_b = g_strdup_printf("%0*d b", MF_CASE_ID_MAX, 0);
    const char *const names[] = {"a b", "a/b", "a  b", "a-b",  "a b ",
                                 ".a",  "-a",  "a",    long_a, long_b};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        g_assert_true(g_hash_table_add(seen, mf_case_make_id(names[i])));
}

static void
test_a_scenario_is_the_name_without_the_persona(void)
{
    static const struct {
        const char *name, *persona, *scenario;
    } cases[] = {
        {"boot", NULL, "boot"},
        {"boot", "pc", "boot"},
        {"boot [persona=pc]", "pc", "boot"},
        {"boot [kernel=6.1, persona=pc]", "pc", "boot [kernel=6.1]"},
        {"boot [persona=pc, vm.num_cpus=2]", "pc", "boot [vm.num_cpus=2]"},
        {"boot [persona=pc]", "other", "boot [persona=pc]"},
        {"a [b] [persona=pc]", "pc", "a [b]"},
        {"a [persona=pc] b", "pc", "a [persona=pc] b"},
        {"", "pc", ""},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *scenario = mf_case_make_scenario(cases[i].name, cases[i].persona);

        g_test_message("%s", cases[i].name);
        g_assert_cmpstr(scenario, ==, cases[i].scenario);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/case/a-name-that-is-fit-for-a-file-is-its-own-id",
                    test_a_name_that_is_fit_for_a_file_is_its_own_id);
    g_test_add_func("/case/the-id-of-a-combination-is-readable-and-the-same-in-every-run",
                    test_the_id_of_a_combination_is_readable_and_the_same_in_every_run);
    g_test_add_func("/case/every-name-gives-an-id-that-is-fit-for-a-file",
                    test_every_name_gives_an_id_that_is_fit_for_a_file);
    g_test_add_func("/case/names-that-differ-in-what-is-unfit-have-different-ids",
                    test_names_that_differ_in_what_is_unfit_have_different_ids);
    g_test_add_func("/case/a-scenario-is-the-name-without-the-persona",
                    test_a_scenario_is_the_name_without_the_persona);
    return g_test_run();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel-fragment.h"

static void
test_a_fragment_takes_the_place_of_what_the_base_says(void)
{
    g_autofree char *merged = mf_kernel_fragment_merge("# A comment\n"
                                                       "CONFIG_A=m\n"
                                                       "# CONFIG_B is not set\n"
                                                       "CONFIG_AB=y\n"
                                                       "CONFIG_C=\"x=y\"\n"
                                                       "\n"
                                                       "CONFIG_D=y",
                                                       "CONFIG_A=y\nCONFIG_B=y\n"
                                                       "# CONFIG_D is not set\nCONFIG_E=5\n");

    g_assert_cmpstr(merged, ==,
                    "# A comment\nCONFIG_AB=y\nCONFIG_C=\"x=y\"\n"
                    "CONFIG_A=y\nCONFIG_B=y\n# CONFIG_D is not set\nCONFIG_E=5\n");
}

static void
test_an_empty_base_becomes_the_fragment(void)
{
    g_autofree char *merged = mf_kernel_fragment_merge("", "CONFIG_A=y\n");

    g_assert_cmpstr(merged, ==, "CONFIG_A=y\n");
}

static void
test_what_is_missing_or_other_is_unmet(void)
{
    const char *fragment = "CONFIG_YES=y\nCONFIG_MODULE=y\nCONFIG_OFF=y\nCONFIG_GONE=y\n"
                           "CONFIG_TEXT=\"a\"\nCONFIG_NUMBER=8\n# CONFIG_WISH is not set\n";
    const char *config = "CONFIG_YES=y\nCONFIG_MODULE=m\n# CONFIG_OFF is not set\n"
                         "CONFIG_TEXT=\"b\"\nCONFIG_NUMBER=8\nCONFIG_WISH=y\nCONFIG_GONER=y\n";
    g_autoptr(GPtrArray) unmet = mf_kernel_fragment_unmet(fragment, config);

    g_assert_cmpuint(unmet->len, ==, 3);
    g_assert_cmpstr(unmet->pdata[0], ==, "CONFIG_OFF=y");
    g_assert_cmpstr(unmet->pdata[1], ==, "CONFIG_GONE=y");
    g_assert_cmpstr(unmet->pdata[2], ==, "CONFIG_TEXT=\"a\"");
}

static char *
read_fragment(const char *name)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, name, NULL);
    char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

static void
test_what_any_kernel_needs_is_in_the_small_one(void)
{
    g_autofree char *needs = read_fragment("kernel-needs.config");
    g_autofree char *small = read_fragment("kernel.config");
    g_autoptr(GPtrArray) missing = mf_kernel_fragment_unmet(needs, small);
    g_autoptr(GPtrArray) all = mf_kernel_fragment_unmet(needs, "");

    g_assert_cmpuint(missing->len, ==, 0);
    g_assert_cmpuint(all->len, >, 20);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kernel-fragment/a-fragment-takes-the-place-of-what-the-base-says",
                    test_a_fragment_takes_the_place_of_what_the_base_says);
    g_test_add_func("/kernel-fragment/an-empty-base-becomes-the-fragment",
                    test_an_empty_base_becomes_the_fragment);
    g_test_add_func("/kernel-fragment/what-is-missing-or-other-is-unmet",
                    test_what_is_missing_or_other_is_unmet);
    g_test_add_func("/kernel-fragment/what-any-kernel-needs-is-in-the-small-one",
                    test_what_any_kernel_needs_is_in_the_small_one);
    return g_test_run();
}

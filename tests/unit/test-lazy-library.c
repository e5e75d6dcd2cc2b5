/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/lazy-library.h"

#include <string.h>

#include "base/error.h"

typedef struct {
    int unrelated;
    double (*cosine)(double);
} Table;

static const MfLazySymbol cosine = {"cos", G_STRUCT_OFFSET(Table, cosine)};

static void
test_the_table_gets_the_addresses(void)
{
    g_autoptr(GError) error = NULL;
    Table table = {.unrelated = 7};

    g_assert_true(mf_lazy_library_load("libm.so.6", "libc6", &cosine, 1, &table, &error));
    g_assert_no_error(error);
    g_assert_cmpfloat(table.cosine(0), ==, 1);
    g_assert_cmpint(table.unrelated, ==, 7);
}

static void
test_a_missing_library_is_named_with_its_package(void)
{
    g_autoptr(GError) error = NULL;
    Table table = {0};

    g_assert_false(
        mf_lazy_library_load("libmayfly-none.so.1", "some-package", &cosine, 1, &table, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, "'libmayfly-none.so.1'"));
    g_assert_nonnull(strstr(error->message, "Debian: some-package"));
    g_assert_null(table.cosine);
}

static void
test_a_library_without_the_function_is_too_old(void)
{
    static const MfLazySymbol absent = {"mayfly_no_such_function", G_STRUCT_OFFSET(Table, cosine)};
    g_autoptr(GError) error = NULL;
    Table table = {0};

    g_assert_false(mf_lazy_library_load("libm.so.6", "libc6", &absent, 1, &table, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, "has no 'mayfly_no_such_function': it is too old."));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/lazy-library/the-table-gets-the-addresses",
                    test_the_table_gets_the_addresses);
    g_test_add_func("/lazy-library/a-missing-library-is-named-with-its-package",
                    test_a_missing_library_is_named_with_its_package);
    g_test_add_func("/lazy-library/without-the-function-it-is-too-old",
                    test_a_library_without_the_function_is_too_old);
    return g_test_run();
}

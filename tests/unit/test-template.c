/* SPDX-License-Identifier: Apache-2.0 */
#include "base/template.h"

#include "base/error.h"

static char *
render(const char *text, GError **error)
{
    g_autoptr(GHashTable) values = g_hash_table_new(g_str_hash, g_str_equal);

    g_hash_table_insert(values, (char *)"name", (char *)"{{other}}");
    g_hash_table_insert(values, (char *)"other", (char *)"x");
    return mf_template_render(text, "file.in", values, error);
}

static void
test_holes_are_filled_once_from_left_to_right(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = render("a {{name}}{{other}} {{{{name}} }} {", &error);

    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, "a {{other}}x {{name}} }} {");
}

static void
test_an_unknown_name_is_an_error_with_its_line(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *text = render("1\n2\n{{nam}}", &error);

    g_assert_null(text);
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==, "file.in:3: the variable 'nam' is not known.");
}

static void
test_an_open_hole_is_an_error(void)
{
    static const char *const bad[] = {"{{", "{{}}", "{{name", "{{name}", "{{na me}}"};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(render(bad[i], &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/template/holes-are-filled-once-from-left-to-right",
                    test_holes_are_filled_once_from_left_to_right);
    g_test_add_func("/template/an-unknown-name-is-an-error-with-its-line",
                    test_an_unknown_name_is_an_error_with_its_line);
    g_test_add_func("/template/an-open-hole-is-an-error", test_an_open_hole_is_an_error);
    return g_test_run();
}

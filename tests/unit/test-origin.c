/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/origin.h"

#include "base/error.h"
#include "wire/json.h"

static void
set_line(json_object *value, guint line)
{
    MfOrigin origin = {MF_ORIGIN_FILE, g_intern_string("m.toml"), line, 2, line, 1};

    mf_origin_set(value, &origin);
}

static guint
line_of(json_object *value)
{
    const MfOrigin *origin = mf_origin_get(value);

    return origin ? origin->line : 0;
}

static void
test_second_origin_replaces_the_first(void)
{
    g_autoptr(json_object) value = json_object_new_int(1);

    g_assert_null(mf_origin_get(value));
    set_line(value, 3);
    set_line(value, 4);
    g_assert_cmpuint(line_of(value), ==, 4);
    g_assert_null(mf_origin_get(NULL));
}

static void
test_origin_begins_a_message(void)
{
    const struct {
        MfOrigin origin;
        const char *expected;
    } cases[] = {
        {{MF_ORIGIN_FILE, "m.toml", 3, 9, 3, 1}, "m.toml:3:9"},
        {{MF_ORIGIN_MATRIX, "m.toml", 4, 1, 0, 0}, "m.toml:4:1"},
        {{MF_ORIGIN_ENVIRONMENT, "MAYFLY_KERNEL", 0, 0, 0, 0}, "MAYFLY_KERNEL"},
        {{MF_ORIGIN_OPTION, "--memory", 0, 0, 0, 0}, "--memory"},
        {{MF_ORIGIN_DEFAULT, NULL, 0, 0, 0, 0}, "the default"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = mf_origin_describe(&cases[i].origin);

        g_assert_cmpstr(text, ==, cases[i].expected);
    }
    g_autofree char *none = mf_origin_describe(NULL);
    g_assert_cmpstr(none, ==, "the default");
}

static void
test_error_begins_with_the_place_of_its_origin_if_it_has_one(void)
{
    const MfOrigin file = {MF_ORIGIN_FILE, "m.toml", 3, 9, 3, 1}, none = {MF_ORIGIN_DEFAULT};
    const MfOrigin *origins[] = {&file, &none, NULL};
    const char *const messages[] = {"m.toml:3:9: 'x' is 5.", "'x' is 5.", "'x' is 5."};

    for (gsize i = 0; i < G_N_ELEMENTS(origins); i++) {
        g_autoptr(GError) error = NULL;

        mf_origin_set_error(&error, origins[i], "'%s' is %d.", "x", 5);
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_cmpstr(error->message, ==, messages[i]);
    }
}

static void
test_copy_of_a_tree_has_origins_of_its_own(void)
{
    g_autoptr(json_object) tree = json_object_new_object();
    json_object *array = json_object_new_array(), *element = json_object_new_string("x");

    json_object_array_add(array, element);
    json_object_array_add(array, json_object_new_double(0.5));
    json_object_object_add(tree, "a", array);
    set_line(tree, 1);
    set_line(array, 2);
    set_line(element, 3);

    g_autoptr(json_object) copy = mf_origin_copy_tree(tree);
    set_line(element, 9);

    json_object *copied = json_object_object_get(copy, "a");
    g_assert_true(json_object_equal(tree, copy));
    g_assert_true(copied != array);
    g_assert_cmpuint(line_of(copy), ==, 1);
    g_assert_cmpuint(line_of(copied), ==, 2);
    g_assert_cmpuint(line_of(json_object_array_get_idx(copied, 0)), ==, 3);
    g_assert_cmpuint(line_of(json_object_array_get_idx(copied, 1)), ==, 0);
    g_assert_null(mf_origin_copy_tree(NULL));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/origin/second-origin-replaces-the-first",
                    test_second_origin_replaces_the_first);
    g_test_add_func("/origin/origin-begins-a-message", test_origin_begins_a_message);
    g_test_add_func("/origin/error-begins-with-the-place-of-its-origin-if-it-has-one",
                    test_error_begins_with_the_place_of_its_origin_if_it_has_one);
    g_test_add_func("/origin/copy-of-a-tree-has-origins-of-its-own",
                    test_copy_of_a_tree_has_origins_of_its_own);
    return g_test_run();
}

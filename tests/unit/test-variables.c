/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/variables.h"

#include <string.h>

#include "base/error.h"
#include "suite/toml.h"
#include "wire/json.h"

static char *const environment[] = {(char *)"HOME=/somewhere", (char *)"EMPTY=", NULL};

/* Variables with the built-in ones of the tests and those of the TOML text 'table'. */
static MfVariables *
variables_new(const char *table)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_object) tree = mf_toml_parse(table, strlen(table), "m.toml", &error);
    MfVariables *variables = mf_variables_new((char **)environment);

    g_assert_no_error(error);
    mf_variables_set(variables, "config_dir", "/src/a {{b}} c");
    mf_variables_set(variables, "brace", "{");
    mf_variables_set(variables, "kernel", NULL);
    g_assert_true(mf_variables_add_table(variables, tree, &error));
    g_assert_no_error(error);
    return variables;
}

static void
assert_expands(MfVariables *variables, const char *text, const char *expected)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *expanded = mf_variables_expand(variables, text, NULL, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(expanded, ==, expected);
}

static void
assert_fails(MfVariables *variables, const char *text, const char *message)
{
    const MfOrigin origin = {MF_ORIGIN_FILE, g_intern_static_string("m.toml"), 7, 3, 7, 1};
    g_autoptr(GError) error = NULL;

    g_assert_null(mf_variables_expand(variables, text, &origin, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==, message);
}

static void
test_a_name_in_braces_is_replaced_by_its_value(void)
{
    g_autoptr(MfVariables) variables = variables_new("dir = '/k'\n'a.b-c_1' = 'x'\nempty = ''");

    assert_expands(variables, "", "");
    assert_expands(variables, "no variable, {a} }} and {", "no variable, {a} }} and {");
    assert_expands(variables, "{{dir}}", "/k");
    assert_expands(variables, "a{{dir}}{{dir}}/b{{empty}}{{a.b-c_1}}", "a/k/k/bx");
    assert_expands(variables, "\xc3\xa4{{dir}}\n{{dir}}", "\xc3\xa4/k\n/k");
}

static void
test_four_braces_are_two_literal_ones(void)
{
    g_autoptr(MfVariables) variables = variables_new("x = 'v'");

    assert_expands(variables, "{{{{", "{{");
    assert_expands(variables, "{{{{x}}", "{{x}}");
    assert_expands(variables, "{{{{{{{{x", "{{{{x");
    assert_expands(variables, "docker inspect -f '{{{{.Id}}'", "docker inspect -f '{{.Id}}'");
    assert_expands(variables, "{{{{{{x}}", "{{v");
}

static void
test_an_odd_brace_is_itself(void)
{
    g_autoptr(MfVariables) variables = variables_new("x = 'v'");

    assert_expands(variables, "{{{x}}}", "{v}");
    assert_expands(variables, "{{{{{x", "{{{x");
    assert_expands(variables, "{{{{{{{x}}", "{{{v");
}

static void
test_an_environment_variable_has_the_prefix_env(void)
{
    g_autoptr(MfVariables) variables = variables_new("");

    assert_expands(variables, "{{env.HOME}}[{{env.EMPTY}}]", "/somewhere[]");
    assert_fails(variables, "{{env.NONE}}",
                 "m.toml:7:3: The variable 'env.NONE' is not known: the environment has no "
                 "'NONE'.");
}

static void
test_what_a_value_brings_along_is_not_read_again(void)
{
    g_autoptr(MfVariables) variables = variables_new("outer = 'o {{config_dir}}'");

    assert_expands(variables, "{{config_dir}}", "/src/a {{b}} c");
    assert_expands(variables, "{{outer}}", "o /src/a {{b}} c");
    assert_expands(variables, "{{brace}}{{brace}}outer}}", "{{outer}}");
}

static void
test_variables_may_refer_to_variables_in_any_order(void)
{
    g_autoptr(MfVariables) variables = variables_new(
        "image = '{{dir}}/{{file}}'\nfile = '{{release}}.img'\nrelease = '6.1'\ndir = '{{{{d'");

    assert_expands(variables, "{{image}} {{release}}", "{{d/6.1.img 6.1");
}

static void
test_an_unknown_variable_is_an_error_at_its_place_with_a_suggestion(void)
{
    g_autoptr(MfVariables) variables = variables_new("release = '6.1'\nx = '{{relaese}}'");

    assert_fails(variables, "a {{relese}}",
                 "m.toml:7:3: The variable 'relese' is not known: did you mean 'release'?");
    assert_fails(variables, "{{something}}",
                 "m.toml:7:3: The variable 'something' is not known: it has to be in [variables], "
                 "and '{{{{' is a literal '{{'.");
    assert_fails(variables, "{{x}}",
                 "m.toml:2:5: The variable 'relaese' is not known: did you mean 'release'?");
}

static void
test_a_variable_without_a_value_is_an_error_only_where_it_is_used(void)
{
    g_autoptr(MfVariables) variables = variables_new("");

    assert_expands(variables, "x", "x");
    assert_fails(variables, "{{kernel}}", "m.toml:7:3: The variable 'kernel' has no value here.");
}

static void
test_braces_without_a_name_are_an_error_that_tells_of_the_literal(void)
{
    g_autoptr(MfVariables) variables = variables_new("x = 'v'");
    const char *const texts[] = {"{{", "{{}}", "{{x", "{{x}", "{{ x }}", "{{x y}}", "{{\xc3\xa4}}"};

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        assert_fails(variables, texts[i],
                     "m.toml:7:3: '{{' is not followed by a variable's name and '}}' (write "
                     "'{{{{' for a literal one).");
}

static void
test_a_cycle_of_variables_is_an_error_where_it_closes(void)
{
    g_autoptr(MfVariables) variables =
        variables_new("a = '{{b}}'\nb = '{{c}}'\nc = 'x{{a}}'\nself = '{{self}}'\nok = 'k'");

    assert_fails(variables, "{{a}}", "m.toml:3:5: The variable 'a' refers to itself.");
    assert_fails(variables, "{{c}}", "m.toml:2:5: The variable 'c' refers to itself.");
    assert_fails(variables, "{{self}}", "m.toml:4:8: The variable 'self' refers to itself.");
    assert_expands(variables, "{{ok}}", "k");
}

/* v0 refers to v1, and so on; the last one of 'count' is text. */
static MfVariables *
chain_new(int count)
{
    g_autoptr(GString) table = g_string_new(NULL);

    for (int i = 0; i < count - 1; i++)
        g_string_append_printf(table, "v%d = '{{v%d}}'\n", i, i + 1);
    g_string_append_printf(table, "v%d = 'end'\n", count - 1);
    return variables_new(table->str);
}

static void
test_a_cycle_of_variables_that_nothing_uses_is_found_where_it_closes(void)
{
    static const struct {
        const char *table, *message;
    } cases[] = {
        {"a = '{{b}}'\nb = '{{a}}'", "m.toml:2:5: The variable 'a' refers to itself."},
        {"ok = '{{self}}'\nself = 'x{{self}}'",
         "m.toml:2:8: The variable 'self' refers to itself."},
        {"a = '{{b}}{{b}}'\nb = '{{c}}{{c}}'\nc = 'x'", NULL},
        /* Where they are not used it is no matter what has no value. */
        {"a = '{{typo}}{{env.NONE}}{{kernel}}'", NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(MfVariables) variables = variables_new(cases[i].table);
        g_autoptr(json_object) table =
            mf_toml_parse(cases[i].table, strlen(cases[i].table), "m.toml", NULL);
        g_autoptr(GError) error = NULL;

        g_assert_cmpint(mf_variables_check_cycles(variables, table, &error), ==,
                        cases[i].message == NULL);
        g_assert_cmpstr(error ? error->message : NULL, ==, cases[i].message);
    }
}

static void
test_an_environment_that_is_deferred_stays_in_the_text(void)
{
    g_autoptr(MfVariables) variables = variables_new("dir = '/k'");

    mf_variables_defer_environment(variables);
    assert_expands(variables, "{{dir}}/{{env.NONE}}", "/k/{{env.NONE}}");
    assert_fails(variables, "{{none}}",
                 "m.toml:7:3: The variable 'none' is not known: it has to be in [variables], and "
                 "'{{{{' is a literal '{{'.");
}

static void
test_variables_refer_to_one_another_down_to_a_cap(void)
{
    g_autoptr(MfVariables) good = chain_new(MF_VARIABLES_DEPTH_MAX);
    g_autoptr(MfVariables) bad = chain_new(MF_VARIABLES_DEPTH_MAX + 1);

    assert_expands(good, "{{v0}}", "end");
    assert_fails(bad, "{{v0}}",
                 "m.toml:32:7: The variable 'v32' is one too many: 32 may refer to one another in "
                 "a row.");
    assert_expands(bad, "{{v1}}", "end");
}

static void
test_doubling_variables_end_at_the_cap_of_a_strings_size(void)
{
    g_autoptr(GString) table = g_string_new("v0 = '{{v1}}{{v1}}'\n");
    g_autofree char *longest = g_strnfill(MF_VARIABLES_TEXT_MAX, 'x');
    g_autofree char *longer = g_strnfill(MF_VARIABLES_TEXT_MAX + 1, 'x');

    for (int i = 1; i < 30; i++)
        g_string_append_printf(table, "v%d = '{{v%d}}{{v%d}}'\n", i, i + 1, i + 1);
    g_string_append(table, "v30 = 'laugh'\n");
    g_autoptr(MfVariables) variables = variables_new(table->str);
    g_autoptr(GError) error = NULL;

    g_assert_null(mf_variables_expand(variables, "{{v0}}", NULL, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "The string grows to more than 1048576 bytes"));
    assert_expands(variables, longest, longest);
    assert_fails(variables, longer,
                 "m.toml:7:3: The string grows to more than 1048576 bytes by its variables.");
}

static void
test_doubling_variables_without_text_take_no_time(void)
{
    g_autoptr(GString) table = g_string_new(NULL);

    for (int i = 0; i < 31; i++)
        g_string_append_printf(table, "v%d = '{{v%d}}{{v%d}}'\n", i, i + 1, i + 1);
    g_string_append(table, "v31 = ''\n");
    g_autoptr(MfVariables) variables = variables_new(table->str);

    assert_expands(variables, "{{v0}}", "");
}

static void
test_a_table_of_variables_is_checked_at_the_place_of_each(void)
{
    const struct {
        const char *table, *message;
    } wrong[] = {
        {"\nn = 6.10",
         "m.toml:2:5: The variable 'n' is not a string: write its value between quotes."},
        {"b = true",
         "m.toml:1:5: The variable 'b' is not a string: write its value between quotes."},
        {"config_dir = '/'",
         "m.toml:1:14: The variable 'config_dir' is mayfly's own: give yours another name."},
        {"'a b' = ''", "m.toml:1:9: The variable's name 'a b' is not made of letters, digits, '_', "
                       "'-' and '.', or begins with 'env.'."},
        {"'' = ''", "m.toml:1:6: The variable's name '' is not made of letters, digits, '_', '-' "
                    "and '.', or begins with 'env.'."},
        {"'env.X' = ''", "m.toml:1:11: The variable's name 'env.X' is not made of letters, digits, "
                         "'_', '-' and '.', or begins with 'env.'."},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(MfVariables) variables = variables_new("");
        g_autoptr(json_object) tree =
            mf_toml_parse(wrong[i].table, strlen(wrong[i].table), "m.toml", NULL);
        g_autoptr(GError) error = NULL;

        g_assert_false(mf_variables_add_table(variables, tree, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_cmpstr(error->message, ==, wrong[i].message);
    }
}

static void
test_all_strings_of_a_tree_are_expanded_and_keep_their_places(void)
{
    const char *text = "command = 'run {{x}}'\nn = 4\nf = 1.5\nb = true\n"
                       "list = ['{{x}}', ['{{x}}{{x}}'], {k = '{{x}}'}]\n'{{x}}' = 1";
    g_autoptr(MfVariables) variables = variables_new("x = 'v'");
    g_autoptr(GError) error = NULL;
    g_autoptr(json_object) tree = mf_toml_parse(text, strlen(text), "m.toml", &error);
    g_autoptr(json_object) expanded = mf_variables_expand_tree(variables, tree, &error);
    json_object *list = json_object_object_get(expanded, "list");

    g_assert_no_error(error);
    g_assert_cmpstr(json_object_to_json_string_ext(expanded, JSON_C_TO_STRING_PLAIN), ==,
                    "{\"command\":\"run v\",\"n\":4,\"f\":1.5,\"b\":true,"
                    "\"list\":[\"v\",[\"vv\"],{\"k\":\"v\"}],\"{{x}}\":1}");
    g_assert_cmpuint(mf_origin_get(json_object_object_get(expanded, "n"))->line, ==, 2);
    g_assert_cmpuint(mf_origin_get(list)->line, ==, 5);
    g_assert_cmpuint(mf_origin_get(json_object_array_get_idx(list, 0))->column, ==, 9);
    g_assert_true(json_object_is_type(json_object_object_get(tree, "command"), json_type_string));
    g_assert_cmpstr(json_object_get_string(json_object_object_get(tree, "command")), ==,
                    "run {{x}}");
}

static void
test_an_unknown_variable_deep_in_a_tree_is_an_error_at_its_place(void)
{
    const char *text = "a = 1\nlist = [\n  {k = 'x'},\n  {k = '{{none}}'},\n]";
    g_autoptr(MfVariables) variables = variables_new("");
    g_autoptr(json_object) tree = mf_toml_parse(text, strlen(text), "m.toml", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_null(mf_variables_expand_tree(variables, tree, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_true(g_str_has_prefix(error->message, "m.toml:4:8: The variable 'none' "));
}

/* Expands in two steps, 'later' having its value only in the second one. */
static void
assert_expands_later(const char *table, const char *text, const char *between, const char *expected)
{
    g_autoptr(MfVariables) variables = variables_new(table);
    g_autoptr(GError) error = NULL;

    mf_variables_defer(variables, "later");
    g_autofree char *first = mf_variables_expand(variables, text, NULL, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(first, ==, between);
    mf_variables_set(variables, "later", "{L{{");
    assert_expands(variables, first, expected);
}

static void
test_what_is_expanded_in_two_steps_is_as_if_it_were_one(void)
{
    const char *const table = "x = 'v'\nopen = '{'\nkernel-of = '{{later}}/{{x}}'\nraw = '{{{{x}}'";

    assert_expands_later(table, "{{x}} {{later}}", "v {{later}}", "v {L{{");
    assert_expands_later(table, "{{{{x}}", "{{{{x}}", "{{x}}");
    assert_expands_later(table, "{{raw}}", "{{{{x}}", "{{x}}");
    assert_expands_later(table, "{{kernel-of}}!", "{{later}}/v!", "{L{{/v!");
    assert_expands_later(table, "{{config_dir}}", "/src/a {{{{b}} c", "/src/a {{b}} c");
    assert_expands_later(table, "{{open}}{{open}}x}}", "{{{{x}}", "{{x}}");
    assert_expands_later(table, "{{open}}{{later}}", "{{{later}}", "{{L{{");
    assert_expands_later(table, "{{open}}{{open}}{{open}}{{later}}", "{{{{{{{later}}", "{{{{L{{");
    assert_expands_later(table, "{{later}}{{brace}}", "{{later}}{", "{L{{{");
    assert_expands_later(table, "{{brace}}{{{{", "{{{{{", "{{{");
}

static void
test_a_text_is_escaped_so_that_it_stands_for_itself(void)
{
    const char *const texts[] = {"", "a", "{", "{{", "{{{", "{{{{", "{{{{{x}}", "a{{b}}{{{c"};
    g_autoptr(MfVariables) variables = variables_new("");

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *escaped = mf_variables_escape(texts[i]);
        g_autofree char *back = mf_variables_unescape(escaped);

        assert_expands(variables, escaped, texts[i]);
        g_assert_cmpstr(back, ==, texts[i]);
    }
    g_assert_null(mf_variables_unescape("a{{later}}"));
    g_assert_null(mf_variables_unescape("{{env.HOME}}"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/variables/" #name, test_##name)
    ADD(a_name_in_braces_is_replaced_by_its_value);
    ADD(four_braces_are_two_literal_ones);
    ADD(an_odd_brace_is_itself);
    ADD(an_environment_variable_has_the_prefix_env);
    ADD(what_a_value_brings_along_is_not_read_again);
    ADD(variables_may_refer_to_variables_in_any_order);
    ADD(an_unknown_variable_is_an_error_at_its_place_with_a_suggestion);
    ADD(a_variable_without_a_value_is_an_error_only_where_it_is_used);
    ADD(braces_without_a_name_are_an_error_that_tells_of_the_literal);
    ADD(a_cycle_of_variables_is_an_error_where_it_closes);
    ADD(a_cycle_of_variables_that_nothing_uses_is_found_where_it_closes);
    ADD(an_environment_that_is_deferred_stays_in_the_text);
    ADD(variables_refer_to_one_another_down_to_a_cap);
    ADD(doubling_variables_end_at_the_cap_of_a_strings_size);
    ADD(doubling_variables_without_text_take_no_time);
    ADD(a_table_of_variables_is_checked_at_the_place_of_each);
    ADD(all_strings_of_a_tree_are_expanded_and_keep_their_places);
    ADD(an_unknown_variable_deep_in_a_tree_is_an_error_at_its_place);
    ADD(what_is_expanded_in_two_steps_is_as_if_it_were_one);
    ADD(a_text_is_escaped_so_that_it_stands_for_itself);
    return g_test_run();
}

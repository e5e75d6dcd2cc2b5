/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/error.h"
#include "suite/toml.h"
#include "wire/json.h"

static json_object *
parse(const char *text, GError **error)
{
    return mf_toml_parse(text, strlen(text), "t.toml", error);
}

/* Texts that TOML 1.0 allows, and the tree that they are. */
static const struct {
    const char *text, *json;
} good[] = {
    {"", "{}"},
    {"# nothing", "{}"},
    {"\xEF\xBB\xBF"
     "a = 1",
     "{\"a\":1}"},
    {"a = 1\r\nb = 2\r\n", "{\"a\":1,\"b\":2}"},
    {"a=[1, # one\r\n 2,\r\n]", "{\"a\":[1,2]}"},
    {"a = +99\nb = -0\nc = 1_000\nd = 0xDEAD_beef\ne = 0o17\nf = 0b101",
     "{\"a\":99,\"b\":0,\"c\":1000,\"d\":3735928559,\"e\":15,\"f\":5}"},
    {"a = 9223372036854775807\nb = -9223372036854775808",
     "{\"a\":9223372036854775807,\"b\":-9223372036854775808}"},
    {"a = 1.5\nb = -2e3\nc = 5e-1", "{\"a\":1.5,\"b\":-2000.0,\"c\":0.5}"},
    {"a = true\nb = false", "{\"a\":true,\"b\":false}"},
    {"a = \"tab\\t quote\\\" \\u00e9 \\U0001F600\"",
     "{\"a\":\"tab\\t quote\\\" \xC3\xA9 \xF0\x9F\x98\x80\"}"},
    {"a = '\\s\\d'", "{\"a\":\"\\\\s\\\\d\"}"},
    {"a = ''", "{\"a\":\"\"}"},
    {"a = '''\nif true; then\n\techo '$0' \\n\nfi'''",
     "{\"a\":\"if true; then\\n\\techo '$0' \\\\n\\nfi\"}"},
    {"a = \"\"\"one \\\n      two\"\"\"", "{\"a\":\"one two\"}"},
    {"a = '''x'''''", "{\"a\":\"x''\"}"},
    {"a = \"\"\"\"x\"\"\"\"", "{\"a\":\"\\\"x\\\"\"}"},
    {"a = \"\\u0000\"", "{\"a\":\"\\u0000\"}"},
    {"\"\" = 1", "{\"\":1}"},
    {"\"\xC3\xA9\" = 1", "{\"\xC3\xA9\":1}"},
    {"1234 = 1\ntrue = 2", "{\"1234\":1,\"true\":2}"},
    {"3.14 = 'pi'", "{\"3\":{\"14\":\"pi\"}}"},
    {"a . b.'c.d' = 1\na.b.e = 2", "{\"a\":{\"b\":{\"c.d\":1,\"e\":2}}}"},
    {"[ a . 'b' ]\nc = 1", "{\"a\":{\"b\":{\"c\":1}}}"},
    {"[a.b]\nc = 1\n[a]\nd = 2", "{\"a\":{\"b\":{\"c\":1},\"d\":2}}"},
    {"[[t]]\nn = 1\n[t.vm]\nm = 2\n[[t]]\n[[t.x]]\n[[t.x]]",
     "{\"t\":[{\"n\":1,\"vm\":{\"m\":2}},{\"x\":[{},{}]}]}"},
    {"t = [{ a.b = 1 }, {}]", "{\"t\":[{\"a\":{\"b\":1}},{}]}"},
    {"a = [1, 'x', [true], 1.5]", "{\"a\":[1,\"x\",[true],1.5]}"},
    {"a = 1979-05-27T07:32:00Z", "{\"a\":\"1979-05-27T07:32:00Z\"}"},
    {"a = 1979-05-27 00:32:00.5-07:30", "{\"a\":\"1979-05-27T00:32:00.5-07:30\"}"},
    {"a = 1979-05-27T07:32:00+00:00", "{\"a\":\"1979-05-27T07:32:00Z\"}"},
    {"a = 1979-05-27T07:32:10", "{\"a\":\"1979-05-27T07:32:10\"}"},
    {"a = 1979-05-27\nb = 07:32:00.000001", "{\"a\":\"1979-05-27\",\"b\":\"07:32:00.000001\"}"},
    {"a = 2024-02-29", "{\"a\":\"2024-02-29\"}"},
};

/* Texts that it does not allow, or that we do not read, and where they are wrong. */
static const struct {
    const char *text, *message;
} bad[] = {
    {"a = 1\n  a = 2", "t.toml:2:3: The key 'a' is there already."},
    {"x = {b = 1, c.d = [1], b = {c = 1}}", "t.toml:1:24: The key 'b' is there already."},
    {"\"\xC3\xA9, a\" = 1\n\"\xC3\xA9, a\" = 2",
     "t.toml:2:1: The key '\"\xC3\xA9, a\"' is there already."},
    {"[a]\n\n[a]", "t.toml:3:1: This is not TOML 1.0: cannot redefine existing table 'a'."},
    {"a.b = 1\n[a]", "t.toml:2:1: This is not TOML 1.0: cannot redefine existing table 'a'."},
    {"a = {}\na.b = 1", "t.toml:2:1: This is not TOML 1.0: cannot redefine existing table as "
                        "dotted key-value pair."},
    {"[a.b]\n[a]\nb.d = 1", "t.toml:3:1: This is not TOML 1.0: cannot redefine existing table "
                            "as dotted key-value pair."},
    {"a = []\n[[a]]", "t.toml:2:1: This is not TOML 1.0: cannot redefine existing array 'a' as "
                      "array-of-tables."},
    {"[[a]]\n[a]", "t.toml:2:1: This is not TOML 1.0: cannot redefine existing array 'a' as "
                   "table."},
    {"a = {b = 1,}", "t.toml:1:12: This is not TOML 1.0: expected key-value pair, saw closing '}' "
                     "(dangling comma)."},
    {"a = {b = 1\n}", "t.toml:1:11: This is not TOML 1.0: expected key or closing '}', saw "
                      "'\\n'."},
    {"a = 1 b = 2", "t.toml:1:7: This is not TOML 1.0: expected a comment or whitespace, saw 'b'."},
    {"a", "t.toml:1:2: This is not TOML 1.0: encountered end-of-file."},
    {"a =\n", "t.toml:1:4: This is not TOML 1.0: expected value, saw '\\n'."},
    {"a = yes",
     "t.toml:1:5: This is not TOML 1.0: 'yes' is no value (a text is written in quotes)."},
    {"a = \"x\n", "t.toml:1:7: This is not TOML 1.0: a string ends on its line, and has no "
                  "control characters."},
    {"a = 'x", "t.toml:1:7: This is not TOML 1.0: encountered end-of-file."},
    {"a = \"\\x41\"", "t.toml:1:7: This is not TOML 1.0: escape sequence '\\x' is not supported in "
                      "TOML 1.0.0 and earlier."},
    {"a = \"\\ud800\"", "t.toml:1:12: This is not TOML 1.0: unicode surrogates (U+D800 - U+DFFF) "
                        "are explicitly prohibited."},
    {"a = 010", "t.toml:1:8: This is not TOML 1.0: leading zeroes are prohibited."},
    {"a = 1__0", "t.toml:1:7: This is not TOML 1.0: underscores may only follow digits."},
    {"a = .5", "t.toml:1:5: This is not TOML 1.0: expected decimal digit, saw '.'."},
    {"a = 9223372036854775808", "t.toml:1:24: This is not TOML 1.0: '9223372036854775808' is not "
                                "representable in 64 bits."},
    {"a = 2023-02-29",
     "t.toml:1:15: This is not TOML 1.0: expected day between 1 and 28 (inclusive), saw 29."},
    {"a = 25:00:00",
     "t.toml:1:7: This is not TOML 1.0: expected hour between 0 to 59 (inclusive), saw 25."},
    {"\xC3\xA9 = 1", "t.toml:1:1: This is not TOML 1.0: expected keys, tables, whitespace or "
                     "comments, saw '\xC3\xA9'."},
    {"a = 1\rb = 2", "t.toml:1:7: This is not TOML 1.0: expected '\\n' after '\\r', saw 'b'."},
    {"a = '\xFF'", "t.toml:1:5: This is not TOML 1.0: Encountered invalid utf-8 sequence."},
    {"[}", "t.toml:1:2: This is not TOML 1.0: expected bare key starting character or string "
           "delimiter, saw '}'."},
    {"a = 1 # \x01", "t.toml:1:9: This is not TOML 1.0: control characters other than TAB (U+0009) "
                     "are explicitly prohibited in comments."},
    {"\"a\\u0000b\" = 1", "t.toml:1:1: A key with a NUL character has no meaning."},
};

static void
test_what_toml_allows_is_read(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(json_object) tree = parse(good[i].text, &error);

        g_assert_no_error(error);
        g_autoptr(json_object) expected = json_tokener_parse(good[i].json);
        g_assert_cmpstr(json_object_to_json_string_ext(tree, 0), ==,
                        json_object_to_json_string_ext(expected, 0));
    }
}

static void
test_what_it_does_not_allow_is_refused_where_it_stands(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(parse(bad[i].text, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_cmpstr(error->message, ==, bad[i].message);
    }
}

static void
assert_place(json_object *value, guint line, guint column, guint key_line, guint key_column)
{
    const MfOrigin *origin = mf_origin_get(value);

    g_assert_nonnull(origin);
    g_assert_cmpint(origin->kind, ==, MF_ORIGIN_FILE);
    g_assert_cmpstr(origin->name, ==, "t.toml");
    g_assert_cmpuint(origin->line, ==, line);
    g_assert_cmpuint(origin->column, ==, column);
    g_assert_cmpuint(origin->key_line, ==, key_line);
    g_assert_cmpuint(origin->key_column, ==, key_column);
}

static void
test_each_value_knows_where_it_and_its_key_stand(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_object) tree = parse("[[t]]\n"
                                        "\tname = \"\xC3\xA9\" # one code point\n"
                                        "x.\"\xC3\xA9\".y = [1,\n"
                                        "  { z = true }]\n"
                                        "[t.vm.mounts]\n"
                                        "[[t]]\n",
                                        &error);
    json_object *first, *x, *y, *last;

    g_assert_no_error(error);
    assert_place(tree, 1, 1, 0, 0);
    first = json_object_array_get_idx(json_object_object_get(tree, "t"), 0);
    assert_place(first, 1, 1, 0, 0);
    assert_place(json_object_object_get(first, "name"), 2, 9, 2, 2);
    x = json_object_object_get(first, "x");
    assert_place(x, 3, 1, 3, 1);
    y = json_object_object_get(json_object_object_get(x, "\xC3\xA9"), "y");
    assert_place(y, 3, 11, 3, 7);
    assert_place(json_object_array_get_idx(y, 0), 3, 12, 0, 0);
    last = json_object_array_get_idx(y, 1);
    assert_place(last, 4, 3, 0, 0);
    assert_place(json_object_object_get(last, "z"), 4, 9, 4, 5);
    assert_place(json_object_object_get(json_object_object_get(first, "vm"), "mounts"), 5, 1, 5, 7);
}

static char *
repeat(const char *piece, guint times)
{
    GString *text = g_string_new(NULL);

    while (times-- > 0)
        g_string_append(text, piece);
    return g_string_free(text, FALSE);
}

static void
assert_refused(const char *text, const char *message)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(parse(text, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==, message);
}

static void
assert_accepted(const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_object) tree = parse(text, &error);

    g_assert_no_error(error);
}

static void
test_text_of_the_largest_size_is_read_and_no_larger_one(void)
{
    g_autofree char *text = g_strnfill(MF_TOML_SIZE_MAX + 1, '\n');

    assert_refused(text, "t.toml:1:1: The text has 1048577 bytes, which is more than the 1048576 "
                         "that are read.");
    text[MF_TOML_SIZE_MAX] = '\0';
    assert_accepted(text);
}

static void
test_nesting_has_a_limit_in_every_form(void)
{
    g_autofree char *opening = repeat("[", MF_TOML_DEPTH_MAX - 2);
    g_autofree char *closing = repeat("]", MF_TOML_DEPTH_MAX - 2);
    g_autofree char *deepest = g_strdup_printf("k = %s1%s", opening, closing);
    g_autofree char *deeper = g_strdup_printf("k = [%s1%s]", opening, closing);
    g_autofree char *parts = repeat("a.", MF_TOML_DEPTH_MAX - 2);
    g_autofree char *longest = g_strdup_printf("%sa = 1", parts);
    g_autofree char *longer = g_strdup_printf("%sa.a = 1", parts);
    g_autofree char *far_longer = g_strdup_printf("x = 1\nk = [{%sa.a.a = 1}]", parts);
    g_autofree char *many = repeat("a.", MF_TOML_SIZE_MAX / 2 - 8);
    g_autofree char *huge = g_strdup_printf("[%sa]", many);

    assert_accepted(deepest);
    assert_refused(deeper, "t.toml:1:36: Tables and arrays are nested more than 32 deep.");
    assert_accepted(longest);
    assert_refused(longer, "t.toml:1:67: Tables and arrays are nested more than 32 deep.");
    assert_refused(far_longer, "t.toml:2:7: A key has more than 32 parts.");
    assert_refused(huge, "t.toml:1:2: A key has more than 32 parts.");
}

static void
test_dots_of_texts_and_comments_are_no_parts_of_keys(void)
{
    g_autofree char *dots = repeat(".", 2 * MF_TOML_DEPTH_MAX);
    g_autofree char *text = g_strdup_printf("# %s\n"
                                            "a = \"\\\"%s\"\n"
                                            "'b%s' = '%s'\n"
                                            "c = [ '''\n'%s''''', \"\"\"%s\\\"%s\"\"\" ]",
                                            dots, dots, dots, dots, dots, dots, dots);
    g_autofree char *parts = repeat(".a", MF_TOML_DEPTH_MAX);
    g_autofree char *hidden = g_strdup_printf("a = ['''x'''', {a%s = 1}]", parts);

    assert_accepted(text);
    assert_refused(hidden, "t.toml:1:17: A key has more than 32 parts.");
}

static void
test_setting_has_the_origin_of_who_made_it(void)
{
    const MfOrigin option = {MF_ORIGIN_OPTION, g_intern_string("--memory"), 0, 0, 0, 0};
    const struct {
        const char *text, *json;
    } cases[] = {
        {"vm.memory='2G'", "{\"vm\":{\"memory\":\"2G\"}}"},
        {"env = {A = 'x', B = 'y'}", "{\"env\":{\"A\":\"x\",\"B\":\"y\"}}"},
        {"tags = ['a',\n 'b']", "{\"tags\":[\"a\",\"b\"]}"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(json_object) tree = mf_toml_parse_setting(cases[i].text, &option, &error);

        g_assert_no_error(error);
        g_autoptr(json_object) expected = json_tokener_parse(cases[i].json);
        g_assert_true(json_object_equal(tree, expected));
        struct json_object_iterator at = json_object_iter_begin(tree);
        const MfOrigin *origin = mf_origin_get(json_object_iter_peek_value(&at));
        g_assert_cmpstr(origin->name, ==, "--memory");
        g_assert_cmpint(origin->kind, ==, MF_ORIGIN_OPTION);
    }
}

static void
test_setting_is_one_key_with_a_value(void)
{
    const MfOrigin option = {MF_ORIGIN_OPTION, g_intern_string("--set"), 0, 0, 0, 0};
    const struct {
        const char *text, *message;
    } cases[] = {
        {"", "--set: Expected one KEY=VALUE with a value of TOML."},
        {"a = 1\nb = 2", "--set: Expected one KEY=VALUE with a value of TOML."},
        {"a.b = 1\na.c = 2", "--set: Expected one KEY=VALUE with a value of TOML."},
        {"[a]", "--set: Expected one KEY=VALUE with a value of TOML."},
        {"a", "--set: This is not TOML 1.0: encountered end-of-file."},
        {"a = b", "--set: This is not TOML 1.0: 'b' is no value (a text is written in quotes)."},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(mf_toml_parse_setting(cases[i].text, &option, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_cmpstr(error->message, ==, cases[i].message);
    }
}

static void
test_a_message_has_none_of_the_file_s_control_characters(void)
{
    static const char text[] = "a = na\0";
    g_autoptr(GError) of_nul = NULL;
    g_autoptr(GError) of_escape = NULL;

    g_assert_null(mf_toml_parse(text, sizeof(text) - 1, "t.toml", &of_nul));
    g_assert_true(g_str_has_suffix(of_nul->message, "."));
    g_assert_null(mf_toml_parse("a = na\033[2J", 10, "t.toml", &of_escape));
    g_assert_null(strchr(of_escape->message, '\033'));
    g_assert_true(g_str_has_suffix(of_escape->message, "."));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/toml/what-toml-allows-is-read", test_what_toml_allows_is_read);
    g_test_add_func("/toml/what-it-does-not-allow-is-refused-where-it-stands",
                    test_what_it_does_not_allow_is_refused_where_it_stands);
    g_test_add_func("/toml/each-value-knows-where-it-and-its-key-stand",
                    test_each_value_knows_where_it_and_its_key_stand);
    g_test_add_func("/toml/text-of-the-largest-size-is-read-and-no-larger-one",
                    test_text_of_the_largest_size_is_read_and_no_larger_one);
    g_test_add_func("/toml/nesting-has-a-limit-in-every-form",
                    test_nesting_has_a_limit_in_every_form);
    g_test_add_func("/toml/dots-of-texts-and-comments-are-no-parts-of-keys",
                    test_dots_of_texts_and_comments_are_no_parts_of_keys);
    g_test_add_func("/toml/setting-has-the-origin-of-who-made-it",
                    test_setting_has_the_origin_of_who_made_it);
    g_test_add_func("/toml/setting-is-one-key-with-a-value", test_setting_is_one_key_with_a_value);
    g_test_add_func("/toml/a-message-has-none-of-the-file-s-control-characters",
                    test_a_message_has_none_of_the_file_s_control_characters);
    return g_test_run();
}

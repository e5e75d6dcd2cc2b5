/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/json.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

#define SIZE_MAX_TEST 4096

static json_object *
parse(const char *text)
{
    g_autoptr(GError) error = NULL;
    json_object *value = NULL;
    gboolean ok = mf_json_parse(text, strlen(text), SIZE_MAX_TEST, &value, &error);

    g_assert_no_error(error);
    g_assert_true(ok);
    return value;
}

/* A document of that many levels of values: arrays around a 0. */
static char *
nest(gsize levels)
{
    GString *text = g_string_new(NULL);

    for (gsize i = 1; i < levels; i++)
        g_string_append_c(text, '[');
    g_string_append_c(text, '0');
    for (gsize i = 1; i < levels; i++)
        g_string_append_c(text, ']');
    return g_string_free(text, FALSE);
}

static void
test_one_document_is_read_whatever_its_type(void)
{
    static const struct {
        const char *text;
        enum json_type type;
    } good[] = {
        {"{\"a\": [1, 2.5, \"x\", null, true]}", json_type_object},
        {" [] \r\n", json_type_array},
        {"\"\"", json_type_string},
        {"5", json_type_int},
        {"-5", json_type_int},
        {"1e5", json_type_double},
        {"false", json_type_boolean},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(json_object) value = parse(good[i].text);

        g_assert_cmpint(json_object_get_type(value), ==, good[i].type);
    }
}

static void
test_null_is_a_value_and_not_a_failure(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(json_object) untouched = json_object_new_int(7);
    json_object *value = untouched;

    g_assert_true(mf_json_parse("null", 4, SIZE_MAX_TEST, &value, &error));
    g_assert_no_error(error);
    g_assert_null(value);
}

static void
test_what_is_not_one_document_is_refused(void)
{
    static const struct {
        const char *text;
        gsize size;
    } bad[] = {
#define BAD(text) {text, sizeof(text) - 1}
        BAD(""),
        BAD(" "),
        BAD("{"),
        BAD("[1, 2"),
        BAD("{\"a\""),
        BAD("\"abc"),
        BAD("nul"),
        BAD("-"),
        BAD("{}x"),
        BAD("{}{}"),
        BAD("1 2"),
        BAD("{}\0"),
        BAD("{}\0{}"),
        BAD("\0{}"),
        BAD("[1,]"),
        BAD("{\"a\":1,}"),
        BAD("[1 2]"),
        BAD("{a:1}"),
        BAD("True"),
        BAD("01"),
        BAD("+5"),
        BAD("0x10"),
        BAD("/* c */ {}"),
        BAD("\"\\x\""),
        BAD("\"\xff\""),
        BAD("\"\xc0\x80\""),
        BAD("\"\xed\xa0\x80\""),
        BAD("{\"\xff\":1}"),
        BAD("\xef\xbb\xbf{}"),
#undef BAD
    };

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        json_object *value = NULL;

        if (mf_json_parse(bad[i].text, bad[i].size, SIZE_MAX_TEST, &value, &error))
            g_error("'%s' was accepted", bad[i].text);
        g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
        g_assert_null(value);
    }
}

static void
test_the_message_says_where_the_text_breaks(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) short_error = NULL;
    json_object *value;

    g_assert_false(mf_json_parse("[1, x]", 6, SIZE_MAX_TEST, &value, &error));
    g_assert_nonnull(strstr(error->message, "at byte 4."));
    g_assert_false(mf_json_parse("[1", 2, SIZE_MAX_TEST, &value, &short_error));
    g_assert_cmpstr(short_error->message, ==,
                    "The peer sent what is not JSON: it ends too early at byte 2.");
}

static void
test_a_document_is_capped_in_size(void)
{
    g_autoptr(GError) error = NULL;
    json_object *value = NULL;

    g_assert_true(mf_json_parse("[12]", 4, 4, &value, &error));
    json_object_put(g_steal_pointer(&value));
    g_assert_false(mf_json_parse("[123]", 5, 4, &value, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
    g_assert_cmpstr(error->message, ==,
                    "The peer sent a JSON document of 5 bytes; at most 4 are accepted.");
}

static void
test_a_document_is_capped_in_depth(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *deepest = nest(MF_JSON_DEPTH_MAX);
    g_autofree char *too_deep = nest(MF_JSON_DEPTH_MAX + 1);
    g_autoptr(json_object) value = parse(deepest);
    json_object *none = NULL;

    g_assert_nonnull(value);
    g_assert_false(mf_json_parse(too_deep, strlen(too_deep), SIZE_MAX_TEST, &none, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
    g_assert_null(none);
}

static void
test_the_last_of_two_equal_names_wins(void)
{
    g_autoptr(json_object) value = parse("{\"a\": 1, \"a\": 2}");
    MfJson top = mf_json_top(value, "the test");
    gint64 number = 0;

    g_assert_true(mf_json_get_int64(&top, "a", 0, 9, &number, NULL));
    g_assert_cmpint(number, ==, 2);
}

static void
test_members_of_the_right_type_are_read(void)
{
    g_autoptr(json_object) value = parse(
        "{\"flag\": true, \"int\": -9223372036854775808, \"uint\": 18446744073709551615,"
        " \"real\": 2.5, \"text\": \"gr\\u00fcn\", \"object\": {\"x\": 1}, \"array\": [4, 5]}");
    g_autoptr(GError) error = NULL;
    MfJson top = mf_json_top(value, "the test");
    MfJson inner;
    gboolean flag = FALSE;
    gint64 number = 0;
    guint64 unsigned_number = 0;
    double real = 0;
    const char *text = NULL;
    gsize length = 0;

    g_assert_true(mf_json_get_bool(&top, "flag", &flag, &error));
    g_assert_true(flag);
    g_assert_true(mf_json_get_int64(&top, "int", G_MININT64, G_MAXINT64, &number, &error));
    g_assert_cmpint(number, ==, G_MININT64);
    g_assert_true(mf_json_get_uint64(&top, "uint", 0, G_MAXUINT64, &unsigned_number, &error));
    g_assert_cmpuint(unsigned_number, ==, G_MAXUINT64);
    g_assert_true(mf_json_get_number(&top, "real", &real, &error));
    g_assert_cmpfloat(real, ==, 2.5);
    g_assert_true(mf_json_get_string(&top, "text", &text, &error));
    g_assert_cmpstr(text, ==, "gr\xc3\xbcn");
    g_assert_true(mf_json_get_object(&top, "object", &inner, &error));
    g_assert_true(mf_json_get_number(&inner, "x", &real, &error));
    g_assert_cmpfloat(real, ==, 1);
    g_assert_true(mf_json_get_array(&top, "array", &inner, &length, &error));
    g_assert_cmpuint(length, ==, 2);

    MfJson element = mf_json_element(&inner, 1);
    g_assert_true(mf_json_as_int64(&element, 5, 5, &number, &error));
    g_assert_cmpint(number, ==, 5);
    g_assert_no_error(error);
}

/* Every getter, on every type but its own. */
static void
test_nothing_is_coerced(void)
{
    enum { BOOL = 1, INT = 2, NUMBER = 4, STRING = 8, OBJECT = 16, ARRAY = 32 };
    static const struct {
        const char *text;
        int readable_as;
    } values[] = {
        {"null", 0},     {"true", BOOL},    {"1", INT | NUMBER},
        {"1.0", NUMBER}, {"\"1\"", STRING}, {"\"\"", STRING},
        {"{}", OBJECT},  {"[]", ARRAY},     {"\"true\"", STRING},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autoptr(json_object) value = parse(values[i].text);
        MfJson top = mf_json_top(value, "the test");
        gboolean flag = 77;
        gint64 number = 77;
        guint64 unsigned_number = 77;
        double real = 77;
        const char *text = "77";
        gsize length = 77;
        int readable_as = 0;

        readable_as |= mf_json_as_bool(&top, &flag, NULL) ? BOOL : 0;
        readable_as |= mf_json_as_int64(&top, 0, 9, &number, NULL) ? INT : 0;
        g_assert_cmpint(mf_json_as_uint64(&top, 0, 9, &unsigned_number, NULL), ==,
                        (readable_as & INT) != 0);
        readable_as |= mf_json_as_number(&top, &real, NULL) ? NUMBER : 0;
        readable_as |= mf_json_as_string(&top, &text, NULL) ? STRING : 0;
        readable_as |= mf_json_as_object(&top, NULL) ? OBJECT : 0;
        readable_as |= mf_json_as_array(&top, &length, NULL) ? ARRAY : 0;
        g_assert_cmpint(readable_as, ==, values[i].readable_as);
        g_assert_true((readable_as & BOOL) || flag == 77);
        g_assert_true((readable_as & INT) || (number == 77 && unsigned_number == 77));
        g_assert_true((readable_as & NUMBER) || real == 77);
        g_assert_true((readable_as & STRING) || strcmp(text, "77") == 0);
        g_assert_true((readable_as & ARRAY) || length == 77);
    }
}

static void
test_integers_are_held_to_their_range(void)
{
    static const struct {
        const char *text;
        gint64 min, max;
        gboolean fits;
    } cases[] = {
        {"5", 5, 9, TRUE},
        {"9", 5, 9, TRUE},
        {"4", 5, 9, FALSE},
        {"10", 5, 9, FALSE},
        {"-1", -1, 0, TRUE},
        {"-2", -1, 0, FALSE},
        {"9223372036854775807", 0, G_MAXINT64, TRUE},
        {"9223372036854775808", 0, G_MAXINT64, FALSE},
        {"99999999999999999999", 0, G_MAXINT64, FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(json_object) value = parse(cases[i].text);
        MfJson top = mf_json_top(value, "the test");
        gint64 number = 77;
        guint64 unsigned_number = 77;

        g_assert_cmpint(mf_json_as_int64(&top, cases[i].min, cases[i].max, &number, NULL), ==,
                        cases[i].fits);
        g_assert_true(cases[i].fits || number == 77);
        if (cases[i].min < 0)
            continue;
        g_assert_cmpint(mf_json_as_uint64(&top, cases[i].min, cases[i].max, &unsigned_number, NULL),
                        ==, cases[i].fits);
        g_assert_true(cases[i].fits || unsigned_number == 77);
    }
}

static void
test_a_negative_integer_is_not_unsigned(void)
{
    g_autoptr(json_object) value = parse("-1");
    g_autoptr(GError) error = NULL;
    MfJson top = mf_json_top(value, "the count");
    guint64 number;

    g_assert_false(mf_json_as_uint64(&top, 0, 10, &number, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
    g_assert_cmpstr(
        error->message, ==,
        "In place of the count came the number -1, but an integer from 0 to 10 is expected.");
}

static void
test_numbers_are_finite(void)
{
    static const char *const texts[] = {"NaN", "Infinity", "-Infinity", "1e999"};

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(json_object) value = parse(texts[i]);
        MfJson top = mf_json_top(value, "the test");
        double number;

        g_assert_false(mf_json_as_number(&top, &number, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
    }
}

static void
test_a_string_with_a_nul_is_refused(void)
{
    g_autoptr(json_object) value = parse("\"a\\u0000b\"");
    g_autoptr(GError) error = NULL;
    MfJson top = mf_json_top(value, "the test");
    const char *text;

    g_assert_false(mf_json_as_string(&top, &text, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
}

static void
test_a_message_names_the_way_to_the_member(void)
{
    g_autoptr(json_object) value =
        parse("{\"cpus\": [{\"id\": 0}, {\"id\": \"1\\n\", \"props\": {}}]}");
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) missing_error = NULL;
    MfJson top = mf_json_top(value, "the reply to 'query-cpus'");
    MfJson cpus, props;
    gsize length;
    gint64 id;

    g_assert_true(mf_json_get_array(&top, "cpus", &cpus, &length, NULL));
    MfJson cpu = mf_json_element(&cpus, 1);
    g_assert_false(mf_json_get_int64(&cpu, "id", 0, 9, &id, &error));
    g_assert_cmpstr(error->message, ==,
                    "In the reply to 'query-cpus', member 'cpus[1].id' is the string '1\\n', but "
                    "an integer from 0 to 9 is expected.");

    g_assert_true(mf_json_get_object(&cpu, "props", &props, NULL));
    g_assert_false(mf_json_get_int64(&props, "node", 0, 9, &id, &missing_error));
    g_assert_error(missing_error, MF_ERROR, MF_ERROR_PROTOCOL);
    g_assert_cmpstr(missing_error->message, ==,
                    "In the reply to 'query-cpus', member 'cpus[1].props.node' is missing.");
}

static void
test_a_member_of_what_is_no_object_is_refused(void)
{
    g_autoptr(json_object) value = parse("[]");
    g_autoptr(GError) error = NULL;
    MfJson top = mf_json_top(value, "the greeting");
    MfJson member;

    g_assert_false(mf_json_find(&top, "QMP", &member));
    g_assert_false(mf_json_get(&top, "QMP", &member, &error));
    g_assert_cmpstr(error->message, ==,
                    "In place of the greeting came an array, but an object is expected.");
}

static void
test_a_member_that_is_null_is_found(void)
{
    g_autoptr(json_object) value = parse("{\"a\": null}");
    MfJson top = mf_json_top(value, "the test");
    MfJson member;

    g_assert_true(mf_json_find(&top, "a", &member));
    g_assert_null(member.value);
    g_assert_false(mf_json_find(&top, "b", &member));
}

static void
test_a_message_shows_little_of_a_long_text(void)
{
    g_autofree char *filler = g_strnfill(1000, '7');
    g_autofree char *text = g_strdup_printf("[\"%s\", %s.0]", filler, filler);
    g_autoptr(json_object) value = parse(text);
    MfJson top = mf_json_top(value, "the test");

    for (gsize i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        MfJson element = mf_json_element(&top, i);
        gboolean flag;

        g_assert_false(mf_json_as_bool(&element, &flag, &error));
        g_assert_cmpuint(strlen(error->message), <, 150);
        g_assert_nonnull(strstr(error->message, "777..."));
    }
}

static void
test_bytes_that_are_no_utf8_become_text_and_null_stays_null(void)
{
    g_autoptr(json_object) text = mf_json_new_text("a\xff/b");

    g_assert_cmpstr(json_object_get_string(text), ==, "a\xef\xbf\xbd/b");
    g_assert_null(mf_json_new_text(NULL));
}

static void
test_a_number_is_written_short_and_one_that_is_not_finite_is_null(void)
{
    g_autoptr(json_object) number = mf_json_new_number(0.1);

    g_assert_cmpstr(json_object_to_json_string(number), ==, "0.1");
    g_assert_cmpfloat(json_object_get_double(number), ==, 0.1);
    g_assert_null(mf_json_new_number(NAN));
    g_assert_null(mf_json_new_number(-INFINITY));
}

static void
test_a_document_of_our_own_is_indented_and_ends_its_line(void)
{
    g_autoptr(json_object) document = json_object_new_object();

    json_object_object_add(document, "path", mf_json_new_text("/a"));
    g_autofree char *text = mf_json_to_text(document);

    g_assert_cmpstr(text, ==, "{\n  \"path\": \"/a\"\n}\n");
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        GTestFunc run;
    } tests[] = {
        {"one-document-is-read-whatever-its-type", test_one_document_is_read_whatever_its_type},
        {"null-is-a-value-and-not-a-failure", test_null_is_a_value_and_not_a_failure},
        {"what-is-not-one-document-is-refused", test_what_is_not_one_document_is_refused},
        {"the-message-says-where-the-text-breaks", test_the_message_says_where_the_text_breaks},
        {"a-document-is-capped-in-size", test_a_document_is_capped_in_size},
        {"a-document-is-capped-in-depth", test_a_document_is_capped_in_depth},
        {"the-last-of-two-equal-names-wins", test_the_last_of_two_equal_names_wins},
        {"members-of-the-right-type-are-read", test_members_of_the_right_type_are_read},
        {"nothing-is-coerced", test_nothing_is_coerced},
        {"integers-are-held-to-their-range", test_integers_are_held_to_their_range},
        {"a-negative-integer-is-not-unsigned", test_a_negative_integer_is_not_unsigned},
        {"numbers-are-finite", test_numbers_are_finite},
        {"a-string-with-a-nul-is-refused", test_a_string_with_a_nul_is_refused},
        {"a-message-names-the-way-to-the-member", test_a_message_names_the_way_to_the_member},
        {"a-member-of-what-is-no-object-is-refused", test_a_member_of_what_is_no_object_is_refused},
        {"a-member-that-is-null-is-found", test_a_member_that_is_null_is_found},
        {"a-message-shows-little-of-a-long-text", test_a_message_shows_little_of_a_long_text},
        {"bytes-that-are-no-utf8-become-text-and-null-stays-null",
         test_bytes_that_are_no_utf8_become_text_and_null_stays_null},
        {"a-number-is-written-short-and-one-that-is-not-finite-is-null",
         test_a_number_is_written_short_and_one_that_is_not_finite_is_null},
        {"a-document-of-our-own-is-indented-and-ends-its-line",
         test_a_document_of_our_own_is_indented_and_ends_its_line},
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/json/", tests[i].name, NULL);

        g_test_add_func(path, tests[i].run);
    }
    return g_test_run();
}

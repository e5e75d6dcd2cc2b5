/* SPDX-License-Identifier: Apache-2.0 */
#include <json.h>
#include <math.h>
#include <string.h>

#include "run/check.h"
#include "run/metric-json.h"
#include "run/metric.h"
#include "wire/json.h"

/*
 * Documents made by chance, and what becomes of them when bytes are changed, held against another
 * reader. The same ones each time; with MAYFLY_TEST_SOAK=1 in the environment more, and others each
 * time.
 */

#define DOCUMENTS      20000
#define DOCUMENTS_SOAK 100000

/* json-c keeps integers up to here exactly, and cuts larger ones. */
#define INTEGER_MAX 9e18

static guint
count_documents(void)
{
    return g_strcmp0(g_getenv("MAYFLY_TEST_SOAK"), "1") == 0 ? DOCUMENTS_SOAK : DOCUMENTS;
}

static GRand *
new_chance(void)
{
    gboolean soak = g_strcmp0(g_getenv("MAYFLY_TEST_SOAK"), "1") == 0;

    return g_rand_new_with_seed(soak ? (guint32)g_test_rand_int() : 1);
}

static void
make_number(GRand *chance, GString *to)
{
    switch (g_rand_int_range(chance, 0, 4)) {
    case 0:
        g_string_append_printf(to, "%d", g_rand_int_range(chance, -1000, 1000));
        break;
    case 1:
        g_string_append_printf(to, "%d.%03d", g_rand_int_range(chance, -9, 9),
                               g_rand_int_range(chance, 0, 999));
        break;
    case 2:
        g_string_append_printf(to, "%d.5e%+d", g_rand_int_range(chance, 1, 9),
                               g_rand_int_range(chance, -300, 300));
        break;
    default:
        g_string_append(to, g_rand_boolean(chance) ? "-0" : "0.0");
    }
}

static void
make_space(GRand *chance, GString *to)
{
    static const char *const spaces[] = {"", "", "", " ", "\n", "\t "};

    g_string_append(to, spaces[g_rand_int_range(chance, 0, G_N_ELEMENTS(spaces))]);
}

static void make_value(GRand *chance, GString *to, guint depth);

static void
make_container(GRand *chance, GString *to, guint depth)
{
    gboolean is_object = g_rand_boolean(chance);
    int count = g_rand_int_range(chance, 0, 5);

    g_string_append_c(to, is_object ? '{' : '[');
    for (int i = 0; i < count; i++) {
        make_space(chance, to);
        /* No name twice: json-c would keep the last only. */
        if (is_object)
            g_string_append_printf(to, "\"%c%d\":", g_rand_int_range(chance, 'a', 'z'), i);
        make_value(chance, to, depth + 1);
        g_string_append(to, i + 1 < count ? "," : "");
    }
    make_space(chance, to);
    g_string_append_c(to, is_object ? '}' : ']');
}

static void
make_value(GRand *chance, GString *to, guint depth)
{
    static const char *const others[] = {"true", "false", "null", "\"\"", "\"}],{[\"", "\"a b\""};
    int kind = g_rand_int_range(chance, 0, 10);

    make_space(chance, to);
    if (depth == 0 || (kind < 3 && depth < 6))
        make_container(chance, to, depth);
    else if (kind < 8)
        make_number(chance, to);
    else
        g_string_append(to, others[g_rand_int_range(chance, 0, G_N_ELEMENTS(others))]);
    make_space(chance, to);
}

static void
change(GRand *chance, GString *text)
{
    static const char bytes[] = "{}[]\",:\\/-+.0123456789eE tfnu\n\xff\x1f";
    int count = g_rand_int_range(chance, 1, 4);

    for (int i = 0; i < count && text->len > 0; i++) {
        gsize at = (gsize)g_rand_int_range(chance, 0, (gint32)text->len);
        char byte = bytes[g_rand_int_range(chance, 0, sizeof(bytes))];

        switch (g_rand_int_range(chance, 0, 4)) {
        case 0:
            text->str[at] = byte;
            break;
        case 1:
            g_string_erase(text, (gssize)at, 1);
            break;
        case 2:
            g_string_insert_c(text, (gssize)at, byte);
            break;
        default:
            g_string_truncate(text, at);
        }
    }
}

/* The numbers of json-c's tree, as mf_metric_json_read() is to find them. */
static void
walk(json_object *value, const char *path, GPtrArray *metrics)
{
    const char *dot = *path ? "." : "";

    if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach (value, name, member) {
            g_autofree char *way = g_strconcat(path, dot, name, NULL);

            walk(member, way, metrics);
        }
    } else if (json_object_is_type(value, json_type_array)) {
        for (gsize i = 0; i < json_object_array_length(value); i++) {
            g_autofree char *way = g_strdup_printf("%s%s%zu", path, dot, i);

            walk(json_object_array_get_idx(value, i), way, metrics);
        }
    } else if (json_object_is_type(value, json_type_int) ||
               json_object_is_type(value, json_type_double)) {
        g_ptr_array_add(metrics, mf_metric_new(path, json_object_get_double(value), 1));
    }
}

static guint
count_members(json_object *value)
{
    guint count = 0;

    if (json_object_is_type(value, json_type_object)) {
        json_object_object_foreach (value, name, member) {
            (void)name;
            count += 1 + count_members(member);
        }
    } else if (json_object_is_type(value, json_type_array)) {
        for (gsize i = 0; i < json_object_array_length(value); i++)
            count += count_members(json_object_array_get_idx(value, i));
    }
    return count;
}

/* Whether json-c has lost a member, since it keeps only the last of a name, or both readers may
 * spell a name otherwise. */
static gboolean
is_ambiguous(const GString *text, json_object *tree)
{
    gboolean in_string = FALSE;
    guint members = 0;

    for (gsize i = 0; i < text->len; i++) {
        if (text->str[i] == '\\' || (guchar)text->str[i] >= 0x7f)
            return TRUE;
        in_string ^= text->str[i] == '"';
        members += !in_string && text->str[i] == ':';
    }
    return members != count_members(tree);
}

static void
assert_same(const GString *text, const GPtrArray *found, json_object *tree)
{
    g_autoptr(GPtrArray) expected = mf_metrics_new();

    if (is_ambiguous(text, tree))
        return;
    /* A number alone has no name. */
    if (!json_object_is_type(tree, json_type_int) && !json_object_is_type(tree, json_type_double))
        walk(tree, "", expected);
    g_assert_cmpuint(found->len, ==, expected->len);
    for (guint i = 0; i < found->len; i++) {
        const MfMetric *one = found->pdata[i];
        const MfMetric *other = expected->pdata[i];

        g_assert_cmpstr(one->name, ==, other->name);
        if (fabs(one->value) < INTEGER_MAX)
            g_assert_cmpfloat(one->value, ==, other->value);
    }
}

/* What is taken for JSON, json-c takes too, and both find the same numbers. */
static gboolean
check_document(const GString *text)
{
    g_autoptr(GPtrArray) metrics = mf_metrics_new();
    g_autoptr(GError) error = NULL;
    gboolean truncated = FALSE;
    gboolean read = mf_metric_json_read(text->str, text->len, NULL, 1, metrics, &truncated, &error);

    g_assert_true(read == (error == NULL));
    if (!read) {
        g_assert_cmpuint(metrics->len, ==, 0);
        return FALSE;
    }
    g_assert_false(truncated);

    json_tokener *tokener = json_tokener_new_ex(1000);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    json_object *tree = json_tokener_parse_ex(tokener, text->str, (int)text->len);
    if (json_tokener_get_error(tokener) == json_tokener_continue)
        tree = json_tokener_parse_ex(tokener, "\n", 1);
    g_assert_cmpint(json_tokener_get_error(tokener), ==, json_tokener_success);
    assert_same(text, metrics, tree);
    json_object_put(tree);
    json_tokener_free(tokener);
    return TRUE;
}

/* Whatever a payload writes: what cannot be read is never a pass. */
static void
check_output(GRand *chance, const GString *text)
{
    gsize size = (gsize)g_rand_int_range(chance, 0, (gint32)text->len + 1);
    g_autoptr(GBytes) out = g_bytes_new(text->str, size);
    g_autoptr(GBytes) err = g_bytes_new(text->str + size, text->len - size);
    g_autofree char *problem = NULL;
    g_autoptr(GPtrArray) metrics = mf_metrics_from_output(out, err, &problem);
    MfCheckFacts facts = {.metrics = metrics, .problem = problem, .stderr_tail = err};
    g_autoptr(GPtrArray) details = mf_checks_judge(NULL, &facts);

    g_assert_cmpuint(details->len, ==, problem ? 1 : 0);
    if (problem)
        g_assert_true(g_utf8_validate(problem, -1, NULL) && g_str_has_suffix(problem, "."));
    for (guint i = 0; i < metrics->len; i++) {
        const MfMetric *metric = metrics->pdata[i];

        g_assert_true(isfinite(metric->value));
        g_assert_true(g_utf8_validate(metric->name, -1, NULL));
        g_assert_cmpint(metric->fd, ==, ((MfMetric *)metrics->pdata[0])->fd);
    }
}

static void
test_documents_are_read_as_another_reader_reads_them(void)
{
    g_autoptr(GRand) chance = new_chance();
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < count_documents(); i++) {
        g_string_truncate(text, 0);
        make_value(chance, text, 0);
        g_assert_true(check_document(text));
    }
}

static void
test_changed_documents_are_read_or_refused_as_a_whole(void)
{
    g_autoptr(GRand) chance = new_chance();
    g_autoptr(GString) text = g_string_new(NULL);
    guint refused = 0;

    for (guint i = 0; i < count_documents(); i++) {
        g_string_truncate(text, 0);
        make_value(chance, text, 0);
        change(chance, text);
        refused += !check_document(text);
        check_output(chance, text);
    }
    /* Both happen, or the changes would test nothing. */
    g_assert_cmpuint(refused, >, count_documents() / 10);
    g_assert_cmpuint(refused, <, count_documents() - count_documents() / 10);
}

static void
test_bytes_by_chance_are_survived(void)
{
    static const char bytes[] = "{}[]\"\\,:0-e.u\n x";
    g_autoptr(GRand) chance = new_chance();
    g_autoptr(GString) text = g_string_new(NULL);

    for (guint i = 0; i < count_documents(); i++) {
        int length = g_rand_int_range(chance, 0, 200);

        g_string_truncate(text, 0);
        for (int j = 0; j < length; j++)
            g_string_append_c(text, bytes[g_rand_int_range(chance, 0, sizeof(bytes))]);
        check_document(text);
        check_output(chance, text);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/metric-fuzz/documents-are-read-as-another-reader-reads-them",
                    test_documents_are_read_as_another_reader_reads_them);
    g_test_add_func("/metric-fuzz/changed-documents-are-read-or-refused-as-a-whole",
                    test_changed_documents_are_read_or_refused_as_a_whole);
    g_test_add_func("/metric-fuzz/bytes-by-chance-are-survived", test_bytes_by_chance_are_survived);
    return g_test_run();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/splitter.h"

#include <glib.h>
#include <string.h>

typedef struct mfg_splitter Splitter;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Splitter, mfg_splitter_clear)

/* What the input is cut into: values as they are, one line each, and "!" for what is none. */
static char *
split(const char *data, gsize size, gsize step)
{
    g_auto(Splitter) splitter = {0};
    g_autoptr(GString) found = g_string_new(NULL);
    gsize at = 0;

    while (at < size) {
        gsize end = MIN(size, at + step), taken;
        enum mfg_split result =
            mfg_splitter_feed(&splitter, (const guint8 *)data + at, end - at, &taken);

        at += taken;
        if (result == MFG_SPLIT_VALUE)
            g_string_append_printf(found, "%.*s\n", (int)splitter.length, splitter.text);
        else if (result == MFG_SPLIT_BROKEN)
            g_string_append(found, splitter.problem ? "!\n" : "?\n");
        else
            g_assert_cmpuint(at, ==, end);
    }
    return g_string_free(g_steal_pointer(&found), FALSE);
}

/* However the input is cut, the result is the same. */
static void
assert_split(const char *data, gsize size, const char *expected)
{
    for (gsize step = 1; step <= size; step++) {
        g_autofree char *found = split(data, size, step);

        g_assert_cmpstr(found, ==, expected);
    }
}

#define ASSERT_SPLIT(literal, expected) assert_split(literal, sizeof(literal) - 1, expected)

static void
test_values_are_cut_with_and_without_line_ends(void)
{
    ASSERT_SPLIT("{\"a\":1}\n{\"b\":[2,{}]}\r\n", "{\"a\":1}\n{\"b\":[2,{}]}\n");
    ASSERT_SPLIT("{}{}[]\"x\"", "{}\n{}\n[]\n\"x\"\n");
    ASSERT_SPLIT("  \t{\n\"a\"\n:\n1}", "{\n\"a\"\n:\n1}\n");
}

static void
test_words_end_where_something_else_begins(void)
{
    ASSERT_SPLIT("null 12\n-1.5e3{}", "null\n12\n-1.5e3\n{}\n");
    ASSERT_SPLIT("garbage{\"a\":1}", "garbage\n{\"a\":1}\n");
}

static void
test_brackets_and_quotes_within_strings_do_not_count(void)
{
    ASSERT_SPLIT("{\"}]\\\"\\\\\":\"{[\"}x ", "{\"}]\\\"\\\\\":\"{[\"}\nx\n");
}

static void
test_an_unfinished_value_waits(void)
{
    ASSERT_SPLIT("{\"a\":\n", "");
    ASSERT_SPLIT("[[[", "");
    ASSERT_SPLIT("tru", "");
}

static void
test_the_delimiter_drops_whatever_was_begun(void)
{
    ASSERT_SPLIT("{\"a\":\xff{}", "!\n{}\n");
    ASSERT_SPLIT("[\"x\xff{}", "!\n{}\n");
    ASSERT_SPLIT("\xff\xfe{}", "!\n!\n{}\n");
    ASSERT_SPLIT("nul\xff{}", "nul\n!\n{}\n");
}

static void
test_a_line_end_within_a_string_drops_the_value(void)
{
    ASSERT_SPLIT("{\"execute\":\"gue\n{}", "!\n{}\n");
    ASSERT_SPLIT("{\"a\\\n{}", "!\n{}\n");
}

static void
test_what_cannot_begin_a_value_is_reported(void)
{
    ASSERT_SPLIT("}],:\x01{}", "!\n!\n!\n!\n!\n{}\n");
    ASSERT_SPLIT("\0{}", "!\n{}\n");
}

static void
test_depth_is_allowed_to_its_cap_and_skipped_past_it(void)
{
    for (guint depth = MFG_SPLITTER_DEPTH_MAX; depth <= MFG_SPLITTER_DEPTH_MAX + 1; depth++) {
        g_autofree char *open = g_strnfill(depth, '['), *close = g_strnfill(depth, ']');
        g_autofree char *data = g_strconcat(open, close, "\n{}\n", NULL);
        g_autofree char *found = split(data, strlen(data), 1000);

        if (depth == MFG_SPLITTER_DEPTH_MAX)
            g_assert_cmpstr(found, ==, data);
        else
            g_assert_cmpstr(found, ==, "!\n{}\n");
    }
}

static void
test_length_is_allowed_to_its_cap_and_skipped_past_it(void)
{
    for (gsize length = MFG_SPLITTER_VALUE_MAX; length <= MFG_SPLITTER_VALUE_MAX + 1; length++) {
        g_autofree char *data = g_strnfill(length + 4, 'x');
        g_autofree char *found = NULL;

        data[0] = data[length - 1] = '"';
        memcpy(data + length, "\n{}\n", 4);
        found = split(data, length + 4, length + 4);
        if (length == MFG_SPLITTER_VALUE_MAX)
            g_assert_cmpuint(strlen(found), ==, length + 4);
        else
            g_assert_cmpstr(found, ==, "!\n{}\n");
    }
}

static void
test_memory_of_a_long_value_is_given_back(void)
{
    g_auto(Splitter) splitter = {0};
    g_autofree char *data = g_strnfill(1 << 20, 'x');
    gsize taken;

    data[0] = data[(1 << 20) - 1] = '"';
    g_assert_cmpint(mfg_splitter_feed(&splitter, (const guint8 *)data, 1 << 20, &taken), ==,
                    MFG_SPLIT_VALUE);
    mfg_splitter_feed(&splitter, (const guint8 *)"{", 1, &taken);
    g_assert_cmpuint(splitter.capacity, <=, 64 << 10);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, name) g_test_add_func("/guest-splitter/" path, test_##name)
    ADD("values", values_are_cut_with_and_without_line_ends);
    ADD("words", words_end_where_something_else_begins);
    ADD("strings", brackets_and_quotes_within_strings_do_not_count);
    ADD("unfinished", an_unfinished_value_waits);
    ADD("delimiter", the_delimiter_drops_whatever_was_begun);
    ADD("line-end", a_line_end_within_a_string_drops_the_value);
    ADD("no-value", what_cannot_begin_a_value_is_reported);
    ADD("caps/depth", depth_is_allowed_to_its_cap_and_skipped_past_it);
    ADD("caps/length", length_is_allowed_to_its_cap_and_skipped_past_it);
    ADD("caps/memory", memory_of_a_long_value_is_given_back);
#undef ADD
    return g_test_run();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/record.h"

#include <glib.h>
#include <string.h>

/* The fields of a record as "key|value;..." and, where it ends early, "!<offset>". */
static char *
describe(const char *data, size_t size)
{
    GString *text = g_string_new(NULL);
    const char *key, *value;
    size_t key_length, at = 0;

    while (mf_record_next(data, size, &at, &key, &key_length, &value))
        g_string_append_printf(text, "%.*s|%s;", (int)key_length, key, value);
    if (at != size)
        g_string_append_printf(text, "!%zu", at);
    return g_string_free(text, FALSE);
}

static void
test_fields_come_back_in_order_and_keys_may_repeat(void)
{
    struct mf_record record = {0};

    mf_record_add(&record, "arg", "a b");
    mf_record_add(&record, "env", "NAME=VALUE=more");
    mf_record_add(&record, "arg", "");
    mf_record_add(&record, "arg", "line\nline \xff\x01");

    g_autofree char *text = describe(record.data, record.size);
    g_assert_cmpstr(text, ==, "arg|a b;env|NAME=VALUE=more;arg|;arg|line\nline \xff\x01;");
    mf_record_clear(&record);
    g_assert_null(record.data);
    g_assert_cmpuint(record.size, ==, 0);
}

static void
test_a_cleared_record_can_be_filled_again(void)
{
    struct mf_record record = {0};

    mf_record_add(&record, "old", "1");
    mf_record_clear(&record);
    mf_record_add(&record, "new", "2");

    g_autofree char *text = describe(record.data, record.size);
    g_assert_cmpstr(text, ==, "new|2;");
    mf_record_clear(&record);
}

static void
test_a_value_of_any_length_is_kept(void)
{
    for (gsize length = 0; length < 2048; length += 13) {
        struct mf_record record = {0};
        g_autofree char *value = g_strnfill(length, 'v');
        const char *key, *ret_value;
        size_t key_length, at = 0;

        mf_record_add(&record, "k", "before");
        mf_record_add(&record, "key", value);
        g_assert_true(mf_record_next(record.data, record.size, &at, &key, &key_length, &ret_value));
        g_assert_true(mf_record_next(record.data, record.size, &at, &key, &key_length, &ret_value));
        g_assert_cmpstr(ret_value, ==, value);
        g_assert_cmpuint(at, ==, record.size);
        mf_record_clear(&record);
    }
}

static void
test_malformed_fields_end_the_walk_where_they_start(void)
{
    static const struct {
        const char *data;
        size_t size;
        const char *expected;
    } cases[] = {
        {"", 0, ""},
        {"\0", 1, "!0"},
        {"key", 3, "!0"},
        {"key=value", 9, "!0"},
        {"key\0", 4, "!0"},
        {"=value\0", 7, "!0"},
        {"=\0", 2, "!0"},
        {"a=1\0key\0b=2\0", 12, "a|1;!4"},
        {"a=1\0b=2", 7, "a|1;!4"},
        {"a=1\0\0", 5, "a|1;!4"},
        {"a=\0", 3, "a|;"},
        /* The '=' of a later field does not count for an earlier one. */
        {"key\0b=2\0", 8, "!0"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        /* A copy of exactly that size, so that a sanitizer sees a read beyond it. */
        g_autofree char *data = g_memdup2(cases[i].data, cases[i].size);
        g_autofree char *text = describe(data, cases[i].size);

        g_assert_cmpstr(text, ==, cases[i].expected);
    }
}

static void
test_random_bytes_never_leave_the_record(void)
{
    g_autoptr(GRand) random = g_rand_new_with_seed(20240229);

    for (guint round = 0; round < 20000; round++) {
        static const char alphabet[] = "ab==\0\0";
        size_t size = (size_t)g_rand_int_range(random, 1, 40), at = 0, key_length;
        g_autofree char *data = g_malloc(size);
        const char *key, *value;

        for (size_t i = 0; i < size; i++)
            data[i] = alphabet[g_rand_int_range(random, 0, 6)];
        while (mf_record_next(data, size, &at, &key, &key_length, &value)) {
            g_assert_cmpuint(key_length, >, 0);
            g_assert_null(memchr(key, '=', key_length));
            g_assert_true(key >= data && value > key + key_length);
            g_assert_true(value + strlen(value) + 1 == data + at);
        }
        g_assert_cmpuint(at, <=, size);
    }
}

static void
test_a_key_matches_only_its_whole_name(void)
{
    g_assert_true(mf_record_key_is("root-mode=x", 9, "root-mode"));
    g_assert_false(mf_record_key_is("root-mode=x", 9, "root"));
    g_assert_false(mf_record_key_is("root=x", 4, "root-mode"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/record/fields-come-back-in-order-and-keys-may-repeat",
                    test_fields_come_back_in_order_and_keys_may_repeat);
    g_test_add_func("/record/a-cleared-record-can-be-filled-again",
                    test_a_cleared_record_can_be_filled_again);
    g_test_add_func("/record/a-value-of-any-length-is-kept", test_a_value_of_any_length_is_kept);
    g_test_add_func("/record/malformed-fields-end-the-walk-where-they-start",
                    test_malformed_fields_end_the_walk_where_they_start);
    g_test_add_func("/record/random-bytes-never-leave-the-record",
                    test_random_bytes_never_leave_the_record);
    g_test_add_func("/record/a-key-matches-only-its-whole-name",
                    test_a_key_matches_only_its_whole_name);
    return g_test_run();
}

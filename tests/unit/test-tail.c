/* SPDX-License-Identifier: Apache-2.0 */
#include "run/tail.h"

#include <string.h>

static void
append(MfTail *tail, const char *text)
{
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

    mf_tail_append(tail, bytes);
}

static void
assert_kept(const MfTail *tail, const char *text)
{
    g_autoptr(GBytes) bytes = mf_tail_get(tail);
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);

    g_assert_cmpmem(data, size, text, strlen(text));
}

static void
test_all_is_kept_up_to_the_cap(void)
{
    g_autoptr(MfTail) tail = mf_tail_new(5);

    assert_kept(tail, "");
    append(tail, "");
    append(tail, "ab");
    append(tail, "cde");
    assert_kept(tail, "abcde");
}

static void
test_one_byte_past_the_cap_drops_the_first(void)
{
    g_autoptr(MfTail) tail = mf_tail_new(5);

    append(tail, "abcde");
    append(tail, "f");
    assert_kept(tail, "bcdef");
}

static void
test_a_chunk_longer_than_the_cap_leaves_its_end(void)
{
    g_autoptr(MfTail) tail = mf_tail_new(3);

    append(tail, "xy");
    append(tail, "abcdefgh");
    assert_kept(tail, "fgh");
}

static void
test_the_memory_is_bounded_however_the_stream_is_cut(void)
{
    const gsize steps[] = {1, 3, 7, 10, 16, 17, 64};

    for (gsize i = 0; i < G_N_ELEMENTS(steps); i++) {
        g_autoptr(MfTail) tail = mf_tail_new(16);
        g_autofree char *all = g_malloc(1001);

        for (int at = 0; at < 1000; at++)
            all[at] = (char)('a' + at % 23);
        all[1000] = '\0';
        for (gsize at = 0; at < 1000; at += steps[i]) {
            g_autofree char *piece = g_strndup(all + at, MIN(steps[i], 1000 - at));

            append(tail, piece);
            g_assert_cmpuint(tail->bytes->len, <=, 32);
        }
        assert_kept(tail, all + 1000 - 16);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/tail/all-is-kept-up-to-the-cap", test_all_is_kept_up_to_the_cap);
    g_test_add_func("/tail/one-byte-past-the-cap-drops-the-first",
                    test_one_byte_past_the_cap_drops_the_first);
    g_test_add_func("/tail/a-chunk-longer-than-the-cap-leaves-its-end",
                    test_a_chunk_longer_than_the_cap_leaves_its_end);
    g_test_add_func("/tail/the-memory-is-bounded-however-the-stream-is-cut",
                    test_the_memory_is_bounded_however_the_stream_is_cut);
    return g_test_run();
}

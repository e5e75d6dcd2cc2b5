/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/transcript.h"

#include <string.h>

#define KIB 1024

static void
feed(MfTranscript *transcript, const char *text)
{
    mf_transcript_feed(transcript, text, strlen(text));
}

static void
feed_many(MfTranscript *transcript, char byte, gsize count)
{
    g_autofree char *bytes = g_strnfill(count, byte);

    mf_transcript_feed(transcript, bytes, count);
}

static gsize
kept_size(const MfTranscript *transcript)
{
    gsize size;

    mf_transcript_get_kept(transcript, &size);
    return size;
}

static void
assert_text(const MfTranscript *transcript, const char *expected)
{
    g_autofree char *text = mf_transcript_get_text(transcript);

    g_assert_cmpstr(text, ==, expected);
}

static void
assert_found(const MfTranscript *transcript, const char *text, guint64 *cursor, const char *line)
{
    g_autofree char *found = NULL;

    g_assert_cmpint(mf_transcript_find_line(transcript, text, cursor, &found), ==,
                    MF_TRANSCRIPT_FOUND);
    g_assert_cmpstr(found, ==, line);
}

static void
assert_not_found(const MfTranscript *transcript, const char *text, guint64 *cursor,
                 MfTranscriptMatch expected)
{
    char *found = NULL;

    g_assert_cmpint(mf_transcript_find_line(transcript, text, cursor, &found), ==, expected);
    g_assert_null(found);
}

static void
test_s3_text_is_kept_as_valid_utf8_and_bad_bytes_count_as_their_replacement(void)
{
    g_autoptr(MfTranscript) transcript = mf_transcript_new(KIB);

    mf_transcript_feed(transcript, "a\xff\xc0z\0b", 6);
    assert_text(transcript, "a\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd"
                            "b");
    g_assert_cmpuint(kept_size(transcript), ==, 3 + 3 * 3);
}

static void
test_s3_the_cap_counts_the_replacements(void)
{
    g_autoptr(MfTranscript) transcript = mf_transcript_new(9);

    feed(transcript, "\xff\xff\xff");
    g_assert_cmpuint(mf_transcript_get_elided(transcript), ==, 0);
    feed(transcript, "\xff");
    g_assert_cmpuint(mf_transcript_get_elided(transcript), ==, 3);
}

static void
test_s4_what_is_cut_begins_at_a_character(void)
{
    g_autoptr(MfTranscript) transcript = mf_transcript_new(5);

    /* The cap falls within the first e acute: all of it goes. */
    feed(transcript, "x\xc3\xa9\xc3\xa9yz");
    assert_text(transcript, "\n[--- BUFFER OVERFLOW, 3 bytes elided ---]\n\xc3\xa9yz");
    g_assert_cmpuint(mf_transcript_get_elided(transcript), ==, 3);
}

static void
test_s5_one_sentinel_comes_first_and_is_beyond_the_cap(void)
{
    g_autoptr(MfTranscript) transcript = mf_transcript_new(KIB);
    const char *sentinel = "\n[--- BUFFER OVERFLOW, 19456 bytes elided ---]\n";

    for (int i = 0; i < 20; i++)
        feed_many(transcript, 'A', KIB);

    g_autofree char *text = mf_transcript_get_text(transcript);
    g_assert_true(g_str_has_prefix(text, sentinel));
    g_assert_null(strstr(text + 1, "\n[---"));
    g_assert_cmpuint(strlen(text), ==, KIB + strlen(sentinel));
}

static void
test_s6_exactly_the_cap_is_no_overflow_and_one_more_is(void)
{
    g_autoptr(MfTranscript) transcript = mf_transcript_new(KIB);

    feed_many(transcript, 'A', KIB);
    g_assert_cmpuint(mf_transcript_get_elided(transcript), ==, 0);
    g_assert_cmpuint(kept_size(transcript), ==, KIB);
    feed_many(transcript, 'A', 1);
    g_assert_cmpuint(mf_transcript_get_elided(transcript), ==, 1);
    g_assert_cmpuint(kept_size(transcript), ==, KIB);
}

static void
test_s7_the_oldest_line_that_contains_the_text_is_found_without_its_end(void)
{
    g_autoptr(MfTranscript) transcript = mf_transcript_new(KIB);
    guint64 cursor = 0;

    feed(transcript, "noise\nboot ok: shim reached grub\r\nshim reached grub again\n");
    assert_found(transcript, "shim reached grub", &cursor, "boot ok: shim reached grub");
}

static void
test_s8_with_one_cursor_landmarks_are_found_in_their_order_only(void)
{
    g_autoptr(MfTranscript) transcript = mf_transcript_new(KIB);
    guint64 cursor = 0;

    feed(transcript, "grub\nkernel\nshim\nkernel 2\n");
    assert_found(transcript, "shim", &cursor, "shim");
    assert_not_found(transcript, "grub", &cursor, MF_TRANSCRIPT_AWAITED);
    feed(transcript, "grub\n");
    assert_found(transcript, "grub", &cursor, "grub");
}

static void
test_s8_the_same_text_is_found_once_on_each_line(void)
{
    g_autoptr(MfTranscript) transcript = mf_transcript_new(KIB);
    guint64 cursor = 0;

    feed(transcript, "login: a login: b\nlogin: c\n");
    assert_found(transcript, "login:", &cursor, "login: a login: b");
    assert_found(transcript, "login:", &cursor, "login: c");
    assert_not_found(transcript, "login:", &cursor, MF_TRANSCRIPT_AWAITED);
}

static void
test_s9_what_came_before_the_end_is_found_after_it(void)
{
    g_autoptr(MfTranscript) transcript = mf_transcript_new(KIB);
    guint64 cursor = 0;

    feed(transcript, "early exit\n");
    mf_transcript_end(transcript);
    assert_found(transcript, "early", &cursor, "early exit");
}

static void
test_s10_a_text_that_has_ended_without_the_line_is_not_waited_for(void)
{
    g_autoptr(MfTranscript) transcript = mf_transcript_new(KIB);
    guint64 cursor = 0;

    feed(transcript, "early exit\n");
    assert_not_found(transcript, "absent", &cursor, MF_TRANSCRIPT_AWAITED);
    mf_transcript_end(transcript);
    assert_not_found(transcript, "absent", &cursor, MF_TRANSCRIPT_MISSED);
}

static void
test_s11_a_line_counts_when_it_is_complete_and_the_last_one_at_the_end(void)
{
    g_autoptr(MfTranscript) transcript = mf_transcript_new(KIB);
    guint64 cursor = 0;

    feed(transcript, "one\nlogin");
    assert_not_found(transcript, "log", &cursor, MF_TRANSCRIPT_AWAITED);
    feed(transcript, ": ");
    assert_not_found(transcript, "login: ", &cursor, MF_TRANSCRIPT_AWAITED);
    mf_transcript_end(transcript);
    assert_found(transcript, "login: ", &cursor, "login: ");
    assert_not_found(transcript, "login: ", &cursor, MF_TRANSCRIPT_MISSED);
}

static void
test_a_line_that_comes_in_two_parts_is_found_when_it_is_whole(void)
{
    g_autoptr(MfTranscript) transcript = mf_transcript_new(KIB);
    guint64 cursor = 0;

    feed(transcript, "shim rea");
    assert_not_found(transcript, "reached", &cursor, MF_TRANSCRIPT_AWAITED);
    feed(transcript, "ched grub\n");
    assert_found(transcript, "reached", &cursor, "shim reached grub");
}

static void
test_s12_nothing_follows_the_end(void)
{
    g_autoptr(MfTranscript) transcript = mf_transcript_new(KIB);

    feed(transcript, "all\n");
    mf_transcript_end(transcript);
    mf_transcript_end(transcript);
    g_assert_true(mf_transcript_has_ended(transcript));
    feed(transcript, "late\n");
    assert_text(transcript, "all\n");
}

static void
test_s13_the_text_is_a_copy_of_now(void)
{
    g_autoptr(MfTranscript) transcript = mf_transcript_new(KIB);

    feed(transcript, "one\n");
    g_autofree char *before = mf_transcript_get_text(transcript);
    feed(transcript, "two\n");
    g_assert_cmpstr(before, ==, "one\n");
    assert_text(transcript, "one\ntwo\n");
}

static void
test_s16_the_count_is_exact_for_one_part_and_for_two(void)
{
    g_autoptr(MfTranscript) one = mf_transcript_new(2 * KIB);
    g_autoptr(MfTranscript) two = mf_transcript_new(2 * KIB);

    feed_many(one, 'A', 8 * KIB);
    g_assert_cmpuint(mf_transcript_get_elided(one), ==, 6144);
    for (int i = 0; i < 2; i++)
        feed_many(two, 'A', 4 * KIB);
    g_assert_cmpuint(mf_transcript_get_elided(two), ==, 6144);
}

/* The cap, the sizes of the parts and the bytes are all such that parts end within characters. */
static void
test_s16_any_split_gives_the_same_text_and_count(void)
{
    static const char piece[] = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\xff\xe2\x82\n\xf0\x9f\x80";
    g_autoptr(GByteArray) all = g_byte_array_new();
    g_autoptr(MfTranscript) whole = mf_transcript_new(101);

    for (int i = 0; i < 64; i++)
        g_byte_array_append(all, (const guint8 *)piece, sizeof(piece) - 1);
    mf_transcript_feed(whole, all->data, all->len);
    mf_transcript_end(whole);

    g_autofree char *expected = mf_transcript_get_text(whole);
    for (guint step = 1; step < 300; step++) {
        g_autoptr(MfTranscript) parts = mf_transcript_new(101);

        for (guint at = 0; at < all->len; at += step)
            mf_transcript_feed(parts, all->data + at, MIN(step, all->len - at));
        mf_transcript_end(parts);
        assert_text(parts, expected);
        g_assert_cmpuint(mf_transcript_get_elided(parts), ==, mf_transcript_get_elided(whole));
    }
}

static void
test_s17_a_character_split_at_4096_is_one(void)
{
    g_autoptr(MfTranscript) transcript = mf_transcript_new(10 * KIB);

    feed_many(transcript, 'x', 4095);
    feed(transcript, "\xc3");
    g_assert_cmpuint(kept_size(transcript), ==, 4095);
    feed(transcript, "\xa9\n");

    gsize size;
    const char *kept = mf_transcript_get_kept(transcript, &size);
    g_assert_cmpuint(size, ==, 4098);
    g_assert_cmpmem(kept + 4095, 3, "\xc3\xa9\n", 3);
}

static void
test_s17_a_character_that_is_never_completed_is_told_as_bad(void)
{
    g_autoptr(MfTranscript) broken = mf_transcript_new(KIB);
    g_autoptr(MfTranscript) cut = mf_transcript_new(KIB);

    feed(broken, "\xe2\x82");
    feed(broken, "x");
    assert_text(broken, "\xef\xbf\xbd\xef\xbf\xbdx");
    feed(cut, "\xe2\x82");
    mf_transcript_end(cut);
    assert_text(cut, "\xef\xbf\xbd\xef\xbf\xbd");
}

static void
test_a_line_that_is_not_kept_any_more_is_not_found(void)
{
    g_autoptr(MfTranscript) transcript = mf_transcript_new(16);
    guint64 cursor = 0;

    feed(transcript, "first\n");
    feed_many(transcript, 'x', 64);
    feed(transcript, "\n");
    assert_not_found(transcript, "first", &cursor, MF_TRANSCRIPT_AWAITED);
    feed(transcript, "second\n");
    assert_found(transcript, "second", &cursor, "second");
}

static void
test_a_cursor_stays_where_it_is_while_old_text_goes(void)
{
    g_autoptr(MfTranscript) transcript = mf_transcript_new(64);
    guint64 cursor = 0;

    feed(transcript, "mark\n");
    assert_found(transcript, "mark", &cursor, "mark");
    for (int i = 0; i < 100; i++) {
        feed(transcript, "mark\n");
        assert_found(transcript, "mark", &cursor, "mark");
        assert_not_found(transcript, "mark", &cursor, MF_TRANSCRIPT_AWAITED);
    }
}

static void
test_the_tail_is_the_last_lines(void)
{
    g_autoptr(MfTranscript) transcript = mf_transcript_new(KIB);
    gsize size;
    const char *tail;

    tail = mf_transcript_get_tail(transcript, 0, 3, &size);
    g_assert_cmpmem(tail, size, "", 0);
    feed(transcript, "one\ntwo\nthree\n");
    tail = mf_transcript_get_tail(transcript, 0, 2, &size);
    g_assert_cmpmem(tail, size, "two\nthree", 9);
    feed(transcript, "\r\n \n");
    tail = mf_transcript_get_tail(transcript, 0, 1, &size);
    g_assert_cmpmem(tail, size, "three", 5);
    feed(transcript, "fo");
    tail = mf_transcript_get_tail(transcript, 0, 1, &size);
    g_assert_cmpmem(tail, size, "fo", 2);
    tail = mf_transcript_get_tail(transcript, 0, 100, &size);
    g_assert_cmpuint(size, ==, 20);
}

static void
test_the_tail_from_a_place_has_nothing_of_before(void)
{
    g_autoptr(MfTranscript) transcript = mf_transcript_new(16);
    gsize size;
    const char *tail;

    feed(transcript, "one\ntwo\n");
    guint64 place = mf_transcript_get_place(transcript);
    tail = mf_transcript_get_tail(transcript, place, 3, &size);
    g_assert_cmpmem(tail, size, "", 0);
    feed(transcript, "three\n");
    tail = mf_transcript_get_tail(transcript, place, 3, &size);
    g_assert_cmpmem(tail, size, "three", 5);
    /* The place itself is gone. */
    feed(transcript, "four\nfive\nsix\n");
    tail = mf_transcript_get_tail(transcript, place, 3, &size);
    g_assert_cmpmem(tail, size, "four\nfive\nsix", 13);
}

#define ADD(path_, function_) g_test_add_func("/transcript/" path_, function_)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("S-3/text-is-valid-and-bad-bytes-are-replaced",
        test_s3_text_is_kept_as_valid_utf8_and_bad_bytes_count_as_their_replacement);
    ADD("S-3/the-cap-counts-the-replacements", test_s3_the_cap_counts_the_replacements);
    ADD("S-4/what-is-cut-begins-at-a-character", test_s4_what_is_cut_begins_at_a_character);
    ADD("S-5/one-sentinel-first-and-beyond-the-cap",
        test_s5_one_sentinel_comes_first_and_is_beyond_the_cap);
    ADD("S-6/exactly-the-cap-is-no-overflow-one-more-is",
        test_s6_exactly_the_cap_is_no_overflow_and_one_more_is);
    ADD("S-7/the-oldest-line-is-found-without-its-end",
        test_s7_the_oldest_line_that_contains_the_text_is_found_without_its_end);
    ADD("S-8-T-4/landmarks-are-found-in-their-order",
        test_s8_with_one_cursor_landmarks_are_found_in_their_order_only);
    ADD("S-8/the-same-text-once-on-each-line", test_s8_the_same_text_is_found_once_on_each_line);
    ADD("S-9/what-came-before-the-end-is-found-after-it",
        test_s9_what_came_before_the_end_is_found_after_it);
    ADD("S-10/an-end-without-the-line-is-not-waited-for",
        test_s10_a_text_that_has_ended_without_the_line_is_not_waited_for);
    ADD("S-11/complete-lines-and-the-last-one-at-the-end",
        test_s11_a_line_counts_when_it_is_complete_and_the_last_one_at_the_end);
    ADD("S-11/a-line-in-two-parts", test_a_line_that_comes_in_two_parts_is_found_when_it_is_whole);
    ADD("S-12/nothing-follows-the-end", test_s12_nothing_follows_the_end);
    ADD("S-13/the-text-is-a-copy-of-now", test_s13_the_text_is_a_copy_of_now);
    ADD("S-16/the-count-is-exact-for-one-part-and-for-two",
        test_s16_the_count_is_exact_for_one_part_and_for_two);
    ADD("S-16/any-split-gives-the-same", test_s16_any_split_gives_the_same_text_and_count);
    ADD("S-17/a-character-split-at-4096", test_s17_a_character_split_at_4096_is_one);
    ADD("S-17/a-character-that-is-never-completed",
        test_s17_a_character_that_is_never_completed_is_told_as_bad);
    ADD("a-line-that-is-not-kept-is-not-found", test_a_line_that_is_not_kept_any_more_is_not_found);
    ADD("a-cursor-stays-while-old-text-goes", test_a_cursor_stays_where_it_is_while_old_text_goes);
    ADD("the-tail-is-the-last-lines", test_the_tail_is_the_last_lines);
    ADD("the-tail-from-a-place", test_the_tail_from_a_place_has_nothing_of_before);
    return g_test_run();
}

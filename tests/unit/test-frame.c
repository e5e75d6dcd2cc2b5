/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/frame.h"

#include <glib.h>
#include <string.h>

/* The vectors are W-1..W-13 of the protocol's description; the ready-made frames are byte for byte
 * what another implementation of the format writes. */

#define TYPE_EXIT MF_FRAME_TYPE('E', 'X', 'I', 'T')
#define TYPE_STIM MF_FRAME_TYPE('S', 'T', 'I', 'M')
#define TYPE_SCDX MF_FRAME_TYPE('S', 'C', 'D', 'X')
#define TYPE_LIFE MF_FRAME_TYPE('L', 'I', 'F', 'E')

#define SMALL_CAP 64

typedef struct mf_frame_assembler Assembler;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Assembler, mf_frame_assembler_clear)

static void
append_frame(GByteArray *bytes, guint32 type, const void *payload, gsize length)
{
    guint8 header[MF_FRAME_HEADER_SIZE];

    mf_frame_encode_header(header, type, payload, length);
    g_byte_array_append(bytes, header, sizeof(header));
    if (length > 0)
        g_byte_array_append(bytes, payload, (guint)length);
}

static void
append_text_frame(GByteArray *bytes, guint32 type, const char *payload)
{
    append_frame(bytes, type, payload, strlen(payload));
}

/* A header that announces 'length' bytes, with nothing behind it. */
static void
append_header(GByteArray *bytes, guint32 length)
{
    guint8 header[MF_FRAME_HEADER_SIZE];

    mf_frame_encode_header(header, TYPE_EXIT, NULL, 0);
    mf_frame_put_u32(header + 4, length);
    g_byte_array_append(bytes, header, sizeof(header));
}

static void
append_filler(GByteArray *bytes, gsize size)
{
    gsize at = bytes->len;

    g_byte_array_set_size(bytes, (guint)(at + size));
    memset(bytes->data + at, 'x', size);
}

static void
feed(Assembler *assembler, const GByteArray *bytes)
{
    g_assert_true(mf_frame_assembler_feed(assembler, bytes->data, bytes->len));
}

static void
assert_next(Assembler *assembler, guint32 type, const char *payload)
{
    struct mf_frame frame;

    g_assert_true(mf_frame_assembler_next(assembler, &frame));
    g_assert_cmphex(frame.type, ==, type);
    g_assert_true(frame.crc_ok);
    g_assert_true(frame.pad_ok);
    g_assert_cmpmem(frame.payload, frame.length, payload, strlen(payload));
}

static void
assert_no_more(Assembler *assembler, gsize pending)
{
    struct mf_frame frame;

    g_assert_false(mf_frame_assembler_next(assembler, &frame));
    g_assert_cmpuint(mf_frame_assembler_pending(assembler), ==, pending);
}

static void
test_checksum_is_the_ieee_one(void)
{
    g_assert_cmphex(mf_frame_crc32("123456789", 9), ==, 0xCBF43926);
    g_assert_cmphex(mf_frame_crc32("", 0), ==, 0);
    g_assert_cmphex(mf_frame_crc32(NULL, 0), ==, 0);
}

static void
test_integers_are_little_endian_and_need_no_alignment(void)
{
    guint8 bytes[8] = {0};

    mf_frame_put_u32(bytes + 1, 0x01020304);
    g_assert_cmpmem(bytes, 6, "\0\x04\x03\x02\x01\0", 6);
    g_assert_cmphex(mf_frame_get_u32(bytes + 1), ==, 0x01020304);
    mf_frame_put_u32(bytes + 1, 0xfffefdfc);
    g_assert_cmphex(mf_frame_get_u32(bytes + 1), ==, 0xfffefdfc);
    mf_frame_put_u16(bytes + 5, 0xa1b2);
    g_assert_cmpmem(bytes + 5, 3, "\xb2\xa1\0", 3);
    g_assert_cmphex(mf_frame_get_u16(bytes + 5), ==, 0xa1b2);
}

static const struct {
    const char *name;
    guint32 type;
    gsize length;
    guint8 payload[4];
    gsize size;
    guint8 bytes[20];
} ready_made[] = {
    {"EXIT 42", TYPE_EXIT, 4, {0x2a, 0, 0, 0}, 20, {0x54, 0x49, 0x58, 0x45, 4,    0, 0,
                                                    0,    0x46, 0x90, 0xcb, 0xee, 0, 0,
                                                    0,    0,    0x2a, 0,    0,    0}},
    {"EXCX 0", MF_FRAME_EXCX, 4, {0, 0, 0, 0}, 20, {0x58, 0x43, 0x58, 0x45, 4, 0, 0, 0, 0x1c, 0xdf,
                                                    0x44, 0x21, 0,    0,    0, 0, 0, 0, 0,    0}},
    {"SRDY",
     MF_FRAME_SRDY,
     0,
     {0},
     16,
     {0x59, 0x44, 0x52, 0x53, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
    {"SCDX -1", TYPE_SCDX, 4, {0xff, 0xff, 0xff, 0xff}, 20, {0x58, 0x44, 0x43, 0x53, 4,    0,   0,
                                                             0,    0xff, 0xff, 0xff, 0xff, 0,   0,
                                                             0,    0,    0xff, 0xff, 0xff, 0xff}},
    {"LIFE 1",
     TYPE_LIFE,
     1,
     {1},
     17,
     {0x45, 0x46, 0x49, 0x4c, 1, 0, 0, 0, 0x1b, 0xdf, 0x05, 0xa5, 0, 0, 0, 0, 1}},
};

static void
test_encoder_writes_the_ready_made_frames(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(ready_made); i++) {
        g_autoptr(GByteArray) bytes = g_byte_array_new();

        g_test_message("%s", ready_made[i].name);
        append_frame(bytes, ready_made[i].type, ready_made[i].payload, ready_made[i].length);
        g_assert_cmpmem(bytes->data, bytes->len, ready_made[i].bytes, ready_made[i].size);
    }
}

static void
test_ready_made_frames_are_read(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(ready_made); i++) {
        g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);
        struct mf_frame frame;

        g_test_message("%s", ready_made[i].name);
        g_assert_true(mf_frame_assembler_feed(&assembler, ready_made[i].bytes, ready_made[i].size));
        g_assert_true(mf_frame_assembler_next(&assembler, &frame));
        g_assert_cmphex(frame.type, ==, ready_made[i].type);
        g_assert_true(frame.crc_ok);
        g_assert_cmpmem(frame.payload, frame.length, ready_made[i].payload, ready_made[i].length);
        assert_no_more(&assembler, 0);
    }
}

static void
test_several_frames_of_one_feed_come_in_order(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    append_text_frame(bytes, TYPE_STIM, "first");
    append_text_frame(bytes, TYPE_EXIT, "second");
    append_text_frame(bytes, TYPE_STIM, "third");
    feed(&assembler, bytes);
    assert_next(&assembler, TYPE_STIM, "first");
    assert_next(&assembler, TYPE_EXIT, "second");
    assert_next(&assembler, TYPE_STIM, "third");
    assert_no_more(&assembler, 0);
}

static void
test_a_frame_split_in_its_payload_is_joined(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    append_text_frame(bytes, TYPE_EXIT, "payload-data");
    g_assert_true(mf_frame_assembler_feed(&assembler, bytes->data, 19));
    assert_no_more(&assembler, 19);
    g_assert_true(mf_frame_assembler_feed(&assembler, bytes->data + 19, bytes->len - 19));
    assert_next(&assembler, TYPE_EXIT, "payload-data");
    assert_no_more(&assembler, 0);
}

static void
test_a_frame_split_anywhere_is_joined(void)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    append_text_frame(bytes, TYPE_EXIT, "hello-world");
    append_text_frame(bytes, TYPE_STIM, "next");
    for (guint cut = 0; cut <= bytes->len; cut++) {
        g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);
        struct mf_frame frame;
        guint frames = 0;

        g_assert_true(mf_frame_assembler_feed(&assembler, bytes->data, cut));
        while (mf_frame_assembler_next(&assembler, &frame))
            frames += frame.crc_ok;
        g_assert_true(mf_frame_assembler_feed(&assembler, bytes->data + cut, bytes->len - cut));
        while (mf_frame_assembler_next(&assembler, &frame))
            frames += frame.crc_ok;
        g_assert_cmpuint(frames, ==, 2);
    }
}

static void
test_a_frame_fed_byte_by_byte_is_joined(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    append_text_frame(bytes, TYPE_EXIT, "hello-world");
    for (guint i = 0; i < bytes->len; i++) {
        assert_no_more(&assembler, i);
        g_assert_true(mf_frame_assembler_feed(&assembler, bytes->data + i, 1));
    }
    assert_next(&assembler, TYPE_EXIT, "hello-world");
    assert_no_more(&assembler, 0);
}

static void
test_less_than_a_header_waits(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);

    g_assert_true(mf_frame_assembler_feed(&assembler, "\xaa\xbb\xcc", 3));
    assert_no_more(&assembler, 3);
}

static void
test_feeding_nothing_changes_nothing(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);

    g_assert_true(mf_frame_assembler_feed(&assembler, NULL, 0));
    assert_no_more(&assembler, 0);
    g_assert_true(mf_frame_assembler_feed(&assembler, "abc", 3));
    g_assert_true(mf_frame_assembler_feed(&assembler, "", 0));
    assert_no_more(&assembler, 3);
}

static void
test_an_empty_payload_is_a_message(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    append_text_frame(bytes, TYPE_EXIT, "");
    feed(&assembler, bytes);
    assert_next(&assembler, TYPE_EXIT, "");
    assert_no_more(&assembler, 0);
}

static void
test_a_wrong_checksum_is_reported_and_the_walk_goes_on(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct mf_frame frame;

    append_text_frame(bytes, TYPE_EXIT, "damaged");
    bytes->data[MF_FRAME_HEADER_SIZE] ^= 1;
    append_text_frame(bytes, TYPE_STIM, "whole");
    feed(&assembler, bytes);
    g_assert_true(mf_frame_assembler_next(&assembler, &frame));
    g_assert_false(frame.crc_ok);
    g_assert_cmpuint(frame.length, ==, 7);
    assert_next(&assembler, TYPE_STIM, "whole");
    assert_no_more(&assembler, 0);
}

static void
test_an_empty_payload_has_checksum_zero_only(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct mf_frame frame;

    append_text_frame(bytes, MF_FRAME_SRDY, "");
    mf_frame_put_u32(bytes->data + 8, 0xFFFFFFFF);
    feed(&assembler, bytes);
    g_assert_true(mf_frame_assembler_next(&assembler, &frame));
    g_assert_false(frame.crc_ok);
}

static void
test_a_non_zero_pad_is_reported_and_harmless(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct mf_frame frame;

    append_text_frame(bytes, TYPE_EXIT, "padded");
    mf_frame_put_u32(bytes->data + 12, 7);
    feed(&assembler, bytes);
    g_assert_true(mf_frame_assembler_next(&assembler, &frame));
    g_assert_true(frame.crc_ok);
    g_assert_false(frame.pad_ok);
    g_assert_cmpmem(frame.payload, frame.length, "padded", 6);
}

static void
test_an_announced_length_takes_no_memory(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(MF_FRAME_PAYLOAD_MAX);
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    append_header(bytes, G_MAXUINT32);
    feed(&assembler, bytes);
    assert_no_more(&assembler, MF_FRAME_HEADER_SIZE);
    g_byte_array_set_size(bytes, 0);
    append_filler(bytes, 64 << 10);
    feed(&assembler, bytes);
    assert_no_more(&assembler, MF_FRAME_HEADER_SIZE + (64 << 10));
    g_assert_cmpuint(assembler.capacity, <, 1 << 20);
}

static void
test_a_good_frame_before_a_bogus_header_is_delivered(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    append_text_frame(bytes, TYPE_EXIT, "valid");
    append_header(bytes, G_MAXUINT32);
    g_byte_array_append(bytes, (const guint8 *)"residue-bytes", 13);
    feed(&assembler, bytes);
    assert_next(&assembler, TYPE_EXIT, "valid");
    assert_no_more(&assembler, 29);
}

static void
test_a_payload_of_the_cap_is_accepted(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);
    g_autoptr(GByteArray) payload = g_byte_array_new();
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct mf_frame frame;

    append_filler(payload, SMALL_CAP);
    append_frame(bytes, TYPE_EXIT, payload->data, payload->len);
    feed(&assembler, bytes);
    g_assert_true(mf_frame_assembler_next(&assembler, &frame));
    g_assert_true(frame.crc_ok);
    g_assert_cmpuint(frame.length, ==, SMALL_CAP);
    assert_no_more(&assembler, 0);
}

static void
test_a_payload_past_the_cap_clears_everything_received(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);
    g_autoptr(GByteArray) payload = g_byte_array_new();
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    append_filler(payload, SMALL_CAP + 1);
    append_frame(bytes, TYPE_EXIT, payload->data, payload->len);
    append_text_frame(bytes, TYPE_STIM, "residue");
    feed(&assembler, bytes);
    assert_no_more(&assembler, 0);

    g_byte_array_set_size(bytes, 0);
    append_text_frame(bytes, TYPE_STIM, "in step again");
    feed(&assembler, bytes);
    assert_next(&assembler, TYPE_STIM, "in step again");
}

static void
test_a_payload_past_the_cap_is_judged_when_it_is_all_there(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    append_header(bytes, SMALL_CAP + 1);
    append_filler(bytes, SMALL_CAP);
    feed(&assembler, bytes);
    assert_no_more(&assembler, MF_FRAME_HEADER_SIZE + SMALL_CAP);
    g_assert_true(mf_frame_assembler_feed(&assembler, "x", 1));
    assert_no_more(&assembler, 0);
}

static void
test_twice_the_cap_without_a_frame_is_kept(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    append_header(bytes, G_MAXUINT32);
    append_filler(bytes, 2 * SMALL_CAP - MF_FRAME_HEADER_SIZE);
    feed(&assembler, bytes);
    assert_no_more(&assembler, 2 * SMALL_CAP);
}

static void
test_more_than_twice_the_cap_without_a_frame_is_thrown_away(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    append_header(bytes, G_MAXUINT32);
    append_filler(bytes, 2 * SMALL_CAP - MF_FRAME_HEADER_SIZE + 1);
    feed(&assembler, bytes);
    assert_no_more(&assembler, 0);
}

static void
test_the_message_cap_bounds_memory_for_a_flood_without_frames(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(MF_FRAME_PAYLOAD_MAX);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct mf_frame frame;
    gsize most = 0;

    append_filler(bytes, 64 << 10); /* as a header: 0x78787878 bytes, nearly 2 GiB */
    for (gsize fed = 0; fed < 4u * MF_FRAME_PAYLOAD_MAX; fed += bytes->len) {
        feed(&assembler, bytes);
        most = MAX(most, assembler.capacity);
        g_assert_false(mf_frame_assembler_next(&assembler, &frame));
    }
    g_assert_cmpuint(most, >, 2u * MF_FRAME_PAYLOAD_MAX);
    g_assert_cmpuint(most, <=, 2u * MF_FRAME_PAYLOAD_MAX + bytes->len);
}

static void
test_memory_of_a_big_message_is_given_back(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(MF_FRAME_PAYLOAD_MAX);
    g_autoptr(GByteArray) payload = g_byte_array_new();
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct mf_frame frame;

    append_filler(payload, MF_FRAME_PAYLOAD_MAX);
    append_frame(bytes, TYPE_EXIT, payload->data, payload->len);
    feed(&assembler, bytes);
    g_assert_true(mf_frame_assembler_next(&assembler, &frame));
    g_assert_cmpuint(frame.length, ==, MF_FRAME_PAYLOAD_MAX);
    g_assert_true(frame.crc_ok);
    assert_no_more(&assembler, 0);
    g_assert_cmpuint(assembler.capacity, <=, 256 << 10);
}

static void
test_the_residual_can_complete_its_frame_elsewhere(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);
    g_auto(Assembler) last = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    g_autofree guint8 *residual = NULL;
    gsize size;

    append_text_frame(bytes, TYPE_STIM, "first");
    append_text_frame(bytes, TYPE_EXIT, "second");
    g_assert_true(mf_frame_assembler_feed(&assembler, bytes->data, bytes->len - 3));
    assert_next(&assembler, TYPE_STIM, "first");
    assert_no_more(&assembler, MF_FRAME_HEADER_SIZE + 3);
    residual = mf_frame_assembler_take_residual(&assembler, &size);
    g_assert_cmpuint(size, ==, MF_FRAME_HEADER_SIZE + 3);
    assert_no_more(&assembler, 0);

    g_assert_true(mf_frame_assembler_feed(&last, residual, size));
    g_assert_true(mf_frame_assembler_feed(&last, "ond", 3));
    assert_next(&last, TYPE_EXIT, "second");
}

static void
test_the_residual_of_an_empty_assembler_is_null(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(SMALL_CAP);
    gsize size = 7;

    g_assert_null(mf_frame_assembler_take_residual(&assembler, &size));
    g_assert_cmpuint(size, ==, 0);
}

static void
test_the_parser_walks_a_recording_past_wrong_checksums(void)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    struct mf_frame frame;
    gsize at = 0;

    append_text_frame(bytes, TYPE_EXIT, "damaged");
    bytes->data[8] ^= 0xff;
    append_text_frame(bytes, TYPE_STIM, "whole");
    g_assert_true(mf_frame_parse(bytes->data, bytes->len, SMALL_CAP, &at, &frame));
    g_assert_false(frame.crc_ok);
    g_assert_true(mf_frame_parse(bytes->data, bytes->len, SMALL_CAP, &at, &frame));
    g_assert_true(frame.crc_ok);
    g_assert_cmphex(frame.type, ==, TYPE_STIM);
    g_assert_cmpmem(frame.payload, frame.length, "whole", 5);
    g_assert_false(mf_frame_parse(bytes->data, bytes->len, SMALL_CAP, &at, &frame));
    g_assert_cmpuint(at, ==, bytes->len);
}

static void
test_the_parser_drops_a_torn_last_frame(void)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    append_text_frame(bytes, TYPE_STIM, "whole");
    gsize whole = bytes->len;
    append_text_frame(bytes, TYPE_EXIT, "torn");
    for (gsize size = whole; size < bytes->len; size++) {
        struct mf_frame frame;
        gsize at = 0;

        g_assert_true(mf_frame_parse(bytes->data, size, SMALL_CAP, &at, &frame));
        g_assert_false(mf_frame_parse(bytes->data, size, SMALL_CAP, &at, &frame));
        g_assert_cmpuint(at, ==, whole);
    }
}

static void
test_the_parser_accepts_the_cap_and_stops_one_past_it(void)
{
    for (gsize length = SMALL_CAP; length <= SMALL_CAP + 1; length++) {
        g_autoptr(GByteArray) payload = g_byte_array_new();
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        struct mf_frame frame;
        gsize at = 0;

        append_filler(payload, length);
        append_frame(bytes, TYPE_EXIT, payload->data, payload->len);
        append_text_frame(bytes, TYPE_STIM, "behind");
        if (length > SMALL_CAP) {
            g_assert_false(mf_frame_parse(bytes->data, bytes->len, SMALL_CAP, &at, &frame));
            g_assert_cmpuint(at, ==, 0);
            continue;
        }
        g_assert_true(mf_frame_parse(bytes->data, bytes->len, SMALL_CAP, &at, &frame));
        g_assert_true(mf_frame_parse(bytes->data, bytes->len, SMALL_CAP, &at, &frame));
        g_assert_cmpmem(frame.payload, frame.length, "behind", 6);
    }
}

/* xorshift64*: seeded and the same everywhere, so that a failure can be repeated. */
static guint32
random_u32(guint64 *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (guint32)((*state * 0x2545F4914F6CDD1DULL) >> 32);
}

#define FUZZ_CAP    256
#define FUZZ_FRAMES 1000000
#define FUZZ_SEED   0x6d6179666c79ULL

/* One frame, whole or hurt in one of the ways a hostile guest would try. */
static gsize
write_hurt_frame(guint8 *frame, guint64 *state)
{
    guint32 kind = random_u32(state) % 8;
    gsize length = random_u32(state) % (FUZZ_CAP + 8);
    gsize size = MF_FRAME_HEADER_SIZE + length;

    memset(frame + MF_FRAME_HEADER_SIZE, (int)random_u32(state), length);
    mf_frame_encode_header(frame, TYPE_STIM, frame + MF_FRAME_HEADER_SIZE, length);
    switch (kind) {
    case 0: /* a length that is a lie */
        mf_frame_put_u32(frame + 4, random_u32(state) >> (random_u32(state) % 32));
        break;
    case 1: /* a flipped bit */
        frame[random_u32(state) % size] ^= (guint8)(1u << random_u32(state) % 8);
        break;
    case 2: /* cut short */
        size = random_u32(state) % (size + 1);
        break;
    case 3: /* all noise */
        for (gsize i = 0; i < MF_FRAME_HEADER_SIZE; i++)
            frame[i] = (guint8)random_u32(state);
        break;
    default:
        break;
    }
    return size;
}

/* Takes the frames out, and holds each against what the assembler promises. */
static guint
drain_and_check(Assembler *assembler)
{
    struct mf_frame frame;
    guint good = 0;

    while (mf_frame_assembler_next(assembler, &frame)) {
        g_assert_cmpuint(frame.length, <=, assembler->cap);
        g_assert_true(frame.payload >= assembler->data + MF_FRAME_HEADER_SIZE);
        g_assert_true(frame.payload + frame.length <= assembler->data + assembler->end);
        g_assert_true(frame.crc_ok == (mf_frame_crc32(frame.payload, frame.length) ==
                                       mf_frame_get_u32(frame.payload - MF_FRAME_HEADER_SIZE + 8)));
        good += frame.crc_ok;
    }
    g_assert_cmpuint(mf_frame_assembler_pending(assembler), <=, 2 * assembler->cap);
    return good;
}

static void
test_a_million_hurt_frames_stay_within_bounds(void)
{
    g_auto(Assembler) assembler = MF_FRAME_ASSEMBLER_INIT(FUZZ_CAP);
    guint8 frame[MF_FRAME_HEADER_SIZE + FUZZ_CAP + 8];
    guint64 state = FUZZ_SEED;
    guint good = 0;

    for (guint i = 0; i < FUZZ_FRAMES; i++) {
        gsize size = write_hurt_frame(frame, &state);
        gsize cut = random_u32(&state) % (size + 1);

        g_assert_true(mf_frame_assembler_feed(&assembler, frame, cut));
        good += drain_and_check(&assembler);
        g_assert_true(mf_frame_assembler_feed(&assembler, frame + cut, size - cut));
        good += drain_and_check(&assembler);
        g_assert_cmpuint(assembler.capacity, <=, MAX(4096, 2 * FUZZ_CAP + sizeof(frame)));
    }
    /* The walk comes back into step: with half of the frames hurt, a good part of the others is
     * still delivered. */
    g_test_message("%u of %d frames arrived whole", good, FUZZ_FRAMES);
    g_assert_cmpuint(good, >, FUZZ_FRAMES / 10);
}

static void
test_random_recordings_never_lead_the_parser_outside(void)
{
    guint64 state = FUZZ_SEED;

    for (guint i = 0; i < 20000; i++) {
        gsize size = random_u32(&state) % 512, at = 0;
        g_autofree guint8 *data = g_malloc(size ? size : 1);
        struct mf_frame frame;

        for (gsize k = 0; k < size; k++)
            data[k] = random_u32(&state) % 4 ? 0 : (guint8)random_u32(&state);
        while (mf_frame_parse(data, size, FUZZ_CAP, &at, &frame)) {
            g_assert_cmpuint(frame.length, <=, FUZZ_CAP);
            g_assert_true(frame.payload + frame.length == data + at);
            g_assert_cmpuint(at, <=, size);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, name) g_test_add_func("/frame/" path, test_##name)
    ADD("checksum", checksum_is_the_ieee_one);
    ADD("integers", integers_are_little_endian_and_need_no_alignment);
    ADD("encode/ready-made", encoder_writes_the_ready_made_frames);
    ADD("assemble/ready-made", ready_made_frames_are_read);
    ADD("assemble/in-order", several_frames_of_one_feed_come_in_order);
    ADD("assemble/split-payload", a_frame_split_in_its_payload_is_joined);
    ADD("assemble/split-anywhere", a_frame_split_anywhere_is_joined);
    ADD("assemble/byte-by-byte", a_frame_fed_byte_by_byte_is_joined);
    ADD("assemble/short-header", less_than_a_header_waits);
    ADD("assemble/feed-nothing", feeding_nothing_changes_nothing);
    ADD("assemble/empty-payload", an_empty_payload_is_a_message);
    ADD("assemble/wrong-checksum", a_wrong_checksum_is_reported_and_the_walk_goes_on);
    ADD("assemble/empty-wrong-checksum", an_empty_payload_has_checksum_zero_only);
    ADD("assemble/pad", a_non_zero_pad_is_reported_and_harmless);
    ADD("caps/no-preallocation", an_announced_length_takes_no_memory);
    ADD("caps/good-before-bogus", a_good_frame_before_a_bogus_header_is_delivered);
    ADD("caps/at", a_payload_of_the_cap_is_accepted);
    ADD("caps/past", a_payload_past_the_cap_clears_everything_received);
    ADD("caps/judged-when-complete", a_payload_past_the_cap_is_judged_when_it_is_all_there);
    ADD("caps/residual-at", twice_the_cap_without_a_frame_is_kept);
    ADD("caps/residual-past", more_than_twice_the_cap_without_a_frame_is_thrown_away);
    ADD("caps/flood", the_message_cap_bounds_memory_for_a_flood_without_frames);
    ADD("caps/memory-given-back", memory_of_a_big_message_is_given_back);
    ADD("residual/completes", the_residual_can_complete_its_frame_elsewhere);
    ADD("residual/empty", the_residual_of_an_empty_assembler_is_null);
    ADD("parse/wrong-checksum", the_parser_walks_a_recording_past_wrong_checksums);
    ADD("parse/torn", the_parser_drops_a_torn_last_frame);
    ADD("parse/cap", the_parser_accepts_the_cap_and_stops_one_past_it);
    ADD("fuzz/assembler", a_million_hurt_frames_stay_within_bounds);
    ADD("fuzz/parser", random_recordings_never_lead_the_parser_outside);
#undef ADD
    return g_test_run();
}

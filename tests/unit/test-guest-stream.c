/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/stream.h"

#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
    struct mfg_loop loop;
    struct mfg_stream stream;
    int host;
    GString *trace; /* owned */
    bool done;
} Fixture;

static void
on_frame(void *data, const struct mf_frame *frame)
{
    Fixture *f = data;

    g_string_append_printf(f->trace, "%.*s;", (int)frame->length, (const char *)frame->payload);
    f->done = true;
}

static void
on_room(void *data)
{
    Fixture *f = data;

    g_string_append(f->trace, "room;");
    f->done = true;
}

static void
on_lost(void *data)
{
    Fixture *f = data;

    g_string_append(f->trace, "lost;");
    f->done = true;
}

static void
set_up(Fixture *f, gconstpointer data)
{
    static const struct mfg_stream_events events = {
        .frame = on_frame, .room = on_room, .lost = on_lost};
    int fds[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    f->host = fds[0];
    f->trace = g_string_new(NULL);
    g_assert_true(mfg_loop_init(&f->loop));
    g_assert_true(mfg_stream_open(&f->stream, &f->loop, fds[1], MFG_CHANNEL_SOCKET, &events, f));
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    mfg_stream_close(&f->stream);
    mfg_loop_clear(&f->loop);
    if (f->host >= 0)
        close(f->host);
    g_string_free(f->trace, TRUE);
}

static void
send_frame(Fixture *f, const char *payload, bool damaged)
{
    guint8 frame[64];

    mf_frame_encode_header(frame, MF_FRAME_SINP, payload, strlen(payload));
    memcpy(frame + MF_FRAME_HEADER_SIZE, payload, strlen(payload));
    frame[8] ^= damaged;
    g_assert_cmpint(write(f->host, frame, MF_FRAME_HEADER_SIZE + strlen(payload)), >, 0);
}

static void
test_frames_with_a_right_checksum_are_delivered(Fixture *f, gconstpointer data)
{
    send_frame(f, "damaged", true);
    send_frame(f, "one", false);
    send_frame(f, "two", false);
    mfg_loop_run(&f->loop, &f->done);
    g_assert_cmpstr(f->trace->str, ==, "one;two;");
}

/* Fills the queue and the socket with bulk. Returns how many payload bytes. */
static gsize
fill(Fixture *f)
{
    gsize size = 0;
    guint8 *payload;

    while ((payload = mfg_stream_reserve(&f->stream))) {
        memset(payload, 'x', MF_FRAME_CHUNK_MAX);
        mfg_stream_commit(&f->stream, MF_FRAME_SOUT, MF_FRAME_CHUNK_MAX);
        size += MF_FRAME_CHUNK_MAX;
    }
    return size;
}

static void
on_turn_over(void *data)
{
    Fixture *f = data;

    f->done = true;
}

/* Lets the stream write what the socket takes. */
static void
run_a_turn(Fixture *f)
{
    struct mfg_timer timer = {0};

    f->done = false;
    mfg_timer_start(&timer, &f->loop, 0, on_turn_over, f);
    mfg_loop_run(&f->loop, &f->done);
    mfg_timer_stop(&timer);
}

/* Reads 'size' bytes of what the stream sends. */
static GByteArray *
read_all(Fixture *f, gsize size)
{
    GByteArray *bytes = g_byte_array_new();
    guint8 buffer[8192];

    while (bytes->len < size) {
        ssize_t n = recv(f->host, buffer, sizeof(buffer), MSG_DONTWAIT);

        if (n > 0)
            g_byte_array_append(bytes, buffer, (guint)n);
        else
            run_a_turn(f);
    }
    return bytes;
}

static void
test_bulk_stops_at_the_bound_and_other_frames_still_fit(Fixture *f, gconstpointer data)
{
    fill(f);
    g_assert_cmpuint(mfg_stream_queued(&f->stream), <=,
                     MFG_STREAM_QUEUE_MAX - MFG_STREAM_QUEUE_RESERVE);
    gsize before = mfg_stream_queued(&f->stream);
    mfg_stream_send(&f->stream, MF_FRAME_EXCX, "\0\0\0", 4);
    g_assert_cmpuint(mfg_stream_queued(&f->stream), ==, before + MF_FRAME_HEADER_SIZE + 4);
}

static void
test_frames_past_the_whole_queue_are_left_out(Fixture *f, gconstpointer data)
{
    fill(f);
    for (guint i = 0; i < MFG_STREAM_QUEUE_MAX / MF_FRAME_HEADER_SIZE; i++)
        mfg_stream_send(&f->stream, MF_FRAME_SRDY, NULL, 0);
    g_assert_cmpuint(mfg_stream_queued(&f->stream), <=, MFG_STREAM_QUEUE_MAX);
    g_assert_cmpuint(mfg_stream_queued(&f->stream), >, MFG_STREAM_QUEUE_MAX - MF_FRAME_HEADER_SIZE);
}

static void
test_a_host_that_reads_again_makes_room_and_gets_all_in_order(Fixture *f, gconstpointer data)
{
    gsize size = fill(f), frames = size / MF_FRAME_CHUNK_MAX, at = 0;
    struct mf_frame frame;
    gsize whole = size + frames * MF_FRAME_HEADER_SIZE + MF_FRAME_HEADER_SIZE + 4;

    mfg_stream_send(&f->stream, MF_FRAME_EXCX, "\1\0\0", 4);
    g_autoptr(GByteArray) bytes = read_all(f, whole);
    g_assert_cmpuint(bytes->len, ==, whole);
    for (gsize i = 0; i < frames; i++) {
        g_assert_true(mf_frame_parse(bytes->data, bytes->len, MF_FRAME_CHUNK_MAX, &at, &frame));
        g_assert_true(frame.crc_ok);
        g_assert_cmphex(frame.type, ==, MF_FRAME_SOUT);
    }
    g_assert_true(mf_frame_parse(bytes->data, bytes->len, MF_FRAME_CHUNK_MAX, &at, &frame));
    g_assert_cmphex(frame.type, ==, MF_FRAME_EXCX);
    g_assert_nonnull(strstr(f->trace->str, "room;"));
    g_assert_nonnull(mfg_stream_reserve(&f->stream));
}

static void
test_a_host_that_is_gone_ends_the_stream_once(Fixture *f, gconstpointer data)
{
    close(f->host);
    f->host = -1;
    mfg_loop_run(&f->loop, &f->done);
    g_assert_cmpstr(f->trace->str, ==, "lost;");
    g_assert_false(mfg_stream_is_open(&f->stream));
    g_assert_null(mfg_stream_reserve(&f->stream));
    mfg_stream_send(&f->stream, MF_FRAME_SRDY, NULL, 0);
    mfg_stream_close(&f->stream);
    g_assert_cmpstr(f->trace->str, ==, "lost;");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, name)                                                                            \
    g_test_add("/guest-stream/" path, Fixture, NULL, set_up, test_##name, tear_down)
    ADD("frames", frames_with_a_right_checksum_are_delivered);
    ADD("queue/bulk", bulk_stops_at_the_bound_and_other_frames_still_fit);
    ADD("queue/full", frames_past_the_whole_queue_are_left_out);
    ADD("queue/room", a_host_that_reads_again_makes_room_and_gets_all_in_order);
    ADD("lost", a_host_that_is_gone_ends_the_stream_once);
#undef ADD
    return g_test_run();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/raw-output.h"

#include <fcntl.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/guest-protocol.h"

#define INDEX 0x01020304u

typedef struct {
    struct mfg_loop loop;
    struct mfg_stream stream;
    struct mfg_raw_output output;
    int host, writer;
    bool filled;
    struct mfg_timer timer;
    bool turned;
    struct mf_frame_assembler input;
    guint64 received;
    guint ends;
} Fixture;

static void
on_filled(void *data)
{
    Fixture *f = data;

    f->filled = true;
}

static void
on_room(void *data)
{
}

static void
set_up(Fixture *f, gconstpointer data)
{
    static const struct mfg_stream_events events = {.room = on_room};
    int sockets[2], ends[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), ==, 0);
    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    f->host = sockets[0];
    f->writer = ends[1];
    g_assert_cmpint(fcntl(f->writer, F_SETFL, O_NONBLOCK), ==, 0);
    g_assert_cmpint(fcntl(f->host, F_SETFL, O_NONBLOCK), ==, 0);
    f->input = MF_FRAME_ASSEMBLER_INIT(MF_FRAME_CHUNK_MAX);
    g_assert_true(mfg_loop_init(&f->loop));
    g_assert_true(
        mfg_stream_open(&f->stream, &f->loop, sockets[1], MFG_CHANNEL_SOCKET, &events, f));
    mfg_raw_output_open(&f->output, &f->loop, &f->stream, ends[0], INDEX, 2, on_filled, f);
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    mfg_raw_output_clear(&f->output);
    mfg_stream_close(&f->stream);
    mfg_loop_clear(&f->loop);
    mf_frame_assembler_clear(&f->input);
    close(f->host);
    if (f->writer >= 0)
        close(f->writer);
}

/* Writes so much, with the output reading whenever the pipe is full. */
static void
produce(Fixture *f, gsize size)
{
    static const guint8 block[64 << 10] = {'x'};

    while (size > 0) {
        ssize_t n = write(f->writer, block, MIN(size, sizeof(block)));

        if (n > 0)
            size -= (gsize)n;
        f->filled = n > 0;
        mfg_loop_run(&f->loop, &f->filled);
    }
}

static void
end_writing(Fixture *f)
{
    close(f->writer);
    f->writer = -1;
    while (f->output.fd >= 0) {
        f->filled = false;
        mfg_loop_run(&f->loop, &f->filled);
    }
}

/* Takes all frames that are there, and looks at each. */
static void
receive(Fixture *f)
{
    guint8 buffer[64 << 10];
    struct mf_frame frame;
    ssize_t n;

    while ((n = read(f->host, buffer, sizeof(buffer))) > 0) {
        g_assert_true(mf_frame_assembler_feed(&f->input, buffer, (gsize)n));
        while (mf_frame_assembler_next(&f->input, &frame)) {
            g_assert_cmpuint(frame.type, ==, MF_FRAME_RAWO);
            g_assert_true(frame.crc_ok);
            g_assert_cmpuint(frame.length, <=, MF_FRAME_CHUNK_MAX);
            g_assert_cmpuint(f->ends, ==, 0);
            g_assert_cmpmem(frame.payload, MF_PAYLOAD_RAW_HEADER, "\4\3\2\1\2\0\0\0", 8);
            f->received += frame.length - MF_PAYLOAD_RAW_HEADER;
            f->ends += frame.length == MF_PAYLOAD_RAW_HEADER;
        }
    }
}

static void
on_turned(void *data)
{
    Fixture *f = data;

    f->turned = true;
}

/* What waits in the stream's queue goes, as far as the host has read. */
static void
turn(Fixture *f)
{
    f->turned = false;
    mfg_timer_start(&f->timer, &f->loop, 0, on_turned, f);
    mfg_loop_run(&f->loop, &f->turned);
}

static void
deliver(Fixture *f)
{
    while (f->ends == 0) {
        mfg_raw_output_send(&f->output);
        turn(f);
        receive(f);
    }
}

static void
test_past_the_cap_bytes_are_counted_and_thrown_away(Fixture *f, gconstpointer data)
{
    gsize size = MF_PAYLOAD_KEEP_MAX + GPOINTER_TO_SIZE(data);

    produce(f, size);
    end_writing(f);
    deliver(f);
    g_assert_cmpuint(f->output.bytes, ==, size);
    g_assert_cmpuint(f->output.kept, ==, MF_PAYLOAD_KEEP_MAX);
    g_assert_cmpuint(f->received, ==, MF_PAYLOAD_KEEP_MAX);
    g_assert_cmpuint(f->ends, ==, 1);
}

static void
test_nothing_is_sent_while_there_is_nothing_and_the_end_once(Fixture *f, gconstpointer data)
{
    g_assert_false(mfg_raw_output_send(&f->output));
    produce(f, 3);
    f->filled = false;
    mfg_loop_run(&f->loop, &f->filled);
    g_assert_true(mfg_raw_output_send(&f->output));
    g_assert_false(mfg_raw_output_send(&f->output));
    end_writing(f);
    g_assert_true(mfg_raw_output_send(&f->output));
    g_assert_true(f->output.ended);
    g_assert_false(mfg_raw_output_send(&f->output));
    receive(f);
    g_assert_cmpuint(f->received, ==, 3);
    g_assert_cmpuint(f->ends, ==, 1);
}

static void
test_without_a_host_that_reads_what_is_kept_waits(Fixture *f, gconstpointer data)
{
    produce(f, 4 << 20);
    while (mfg_raw_output_send(&f->output))
        ;
    g_assert_cmpuint(mfg_backlog_size(&f->output.backlog), >, 2 << 20);
    end_writing(f);
    g_assert_false(f->output.ended);
    deliver(f);
    g_assert_cmpuint(f->received, ==, 4 << 20);
}

static void
test_one_that_is_finished_has_what_was_there_and_closes_the_pipe(Fixture *f, gconstpointer data)
{
    g_assert_cmpint(write(f->writer, "last", 4), ==, 4);
    mfg_raw_output_finish(&f->output);
    g_assert_cmpint(f->output.fd, ==, -1);
    g_assert_cmpuint(f->output.bytes, ==, 4);
    deliver(f);
    g_assert_cmpuint(f->received, ==, 4);
    g_assert_cmpuint(f->ends, ==, 1);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(path, data, name)                                                                      \
    g_test_add("/guest-raw-output/" path, Fixture, data, set_up, test_##name, tear_down)
    ADD("P-22-at-cap", NULL, past_the_cap_bytes_are_counted_and_thrown_away);
    ADD("P-22-one-past-cap", GSIZE_TO_POINTER(1), past_the_cap_bytes_are_counted_and_thrown_away);
    ADD("T-2-far-past-cap", GSIZE_TO_POINTER(5000000),
        past_the_cap_bytes_are_counted_and_thrown_away);
    ADD("end", NULL, nothing_is_sent_while_there_is_nothing_and_the_end_once);
    ADD("slow-host", NULL, without_a_host_that_reads_what_is_kept_waits);
    ADD("finish", NULL, one_that_is_finished_has_what_was_there_and_closes_the_pipe);
#undef ADD
    return g_test_run();
}

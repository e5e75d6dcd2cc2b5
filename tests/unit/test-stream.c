/* SPDX-License-Identifier: Apache-2.0 */
#include "run/stream.h"

#include <string.h>

#include "base/error.h"
#include "run/snapshot-request.h"
#include "stream-peer.h"

#define TYPE_DEADBEEF 0xDEADBEEF

typedef struct {
    StreamPeer *guest;
    MfStream *stream;
    GString *emitted; /* "signal:arguments " */
} Fixture;

static void
on_ready(Fixture *fixture)
{
    g_assert_true(mf_stream_is_ready(fixture->stream));
    g_string_append(fixture->emitted, "ready ");
}

static void
on_configured(Fixture *fixture, const char *reason, const char *boot_id)
{
    g_string_append_printf(fixture->emitted, "configured:%s%s ", reason ? reason : "all",
                           boot_id ? boot_id : "");
}

static void
on_output(Fixture *fixture, int fd, GBytes *chunk)
{
    g_string_append_printf(fixture->emitted, "output:%d:%.*s ", fd,
                           (int)MIN(g_bytes_get_size(chunk), 16),
                           (const char *)g_bytes_get_data(chunk, NULL));
}

static void
on_acked(Fixture *fixture, guint bytes)
{
    g_string_append_printf(fixture->emitted, "acked:%u ", bytes);
}

static void
on_exited(Fixture *fixture, int number)
{
    g_string_append_printf(fixture->emitted, "exited:%d ", number);
}

static void
on_kernel_log(Fixture *fixture, GBytes *text)
{
    g_string_append_printf(fixture->emitted, "log:%.*s ", (int)g_bytes_get_size(text),
                           (const char *)g_bytes_get_data(text, NULL));
}

static void
on_closed(Fixture *fixture, GError *reason)
{
    g_assert_error(reason, MF_ERROR, MF_ERROR_LOST);
    g_string_append(fixture->emitted, "closed ");
}

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    fixture->guest = stream_peer_new(&fixture->stream);
    fixture->emitted = g_string_new(NULL);
    g_object_connect(fixture->stream, "swapped-signal::ready", on_ready, fixture,
                     "swapped-signal::configured", on_configured, fixture, "swapped-signal::output",
                     on_output, fixture, "swapped-signal::acked", on_acked, fixture,
                     "swapped-signal::exited", on_exited, fixture, "swapped-signal::kernel-log",
                     on_kernel_log, fixture, "swapped-signal::closed", on_closed, fixture, NULL);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    g_assert_finalize_object(fixture->stream);
    stream_peer_free(fixture->guest);
    g_string_free(fixture->emitted, TRUE);
}

static void
assert_emitted(Fixture *fixture, const char *expected)
{
    stream_peer_settle();
    g_assert_cmpstr(fixture->emitted->str, ==, expected);
    g_string_truncate(fixture->emitted, 0);
}

static void
assert_heard(Fixture *fixture, const char *expected)
{
    stream_peer_settle();
    g_assert_cmpstr(fixture->guest->heard->str, ==, expected);
    g_string_truncate(fixture->guest->heard, 0);
}

static void
configure(Fixture *fixture)
{
    g_autoptr(GBytes) record = g_bytes_new_static("conf", 4);

    mf_stream_send_conf(fixture->stream, record);
}

static void
test_a_whole_life(Fixture *fixture, gconstpointer unused)
{
    StreamPeer *guest = fixture->guest;

    g_assert_false(mf_stream_is_ready(fixture->stream));
    stream_peer_say_text(guest, MF_FRAME_DMSG, "boot");
    stream_peer_say_text(guest, MF_FRAME_SRDY, "");
    assert_emitted(fixture, "log:boot ready ");
    configure(fixture);
    assert_heard(fixture, "CONF:636f6e66 ");
    stream_peer_say(guest, MF_FRAME_CONR, "", 1);
    assert_emitted(fixture, "configured:all ");

    mf_stream_expect_command(fixture->stream);
    stream_peer_say_text(guest, MF_FRAME_SOUT, "out");
    stream_peer_say_text(guest, MF_FRAME_SERR, "err");
    stream_peer_say_u32(guest, MF_FRAME_SINA, 12);
    stream_peer_say_text(guest, MF_FRAME_SOUT, "");
    stream_peer_say_u32(guest, MF_FRAME_EXCX, 3);
    stream_peer_say_text(guest, MF_FRAME_SERR, "late");
    stream_peer_say_text(guest, MF_FRAME_SERR, "");
    assert_emitted(fixture, "output:1:out output:2:err acked:12 output:1: exited:3 output:2:late "
                            "output:2: ");
    stream_peer_hang_up(guest);
    assert_emitted(fixture, "closed ");
}

static void
test_frames_cut_at_every_byte(Fixture *fixture, gconstpointer unused)
{
    StreamPeer *guest = fixture->guest;

    mf_stream_expect_command(fixture->stream);
    stream_peer_say_text(guest, MF_FRAME_SOUT, "piece");
    stream_peer_say_u32(guest, MF_FRAME_EXCX, (guint32)-15);
    g_autoptr(GBytes) all = g_bytes_new(guest->saying->data, guest->saying->len);
    g_byte_array_set_size(guest->saying, 0);
    for (gsize i = 0; i < g_bytes_get_size(all); i++) {
        stream_peer_say_bytes(guest, (const guint8 *)g_bytes_get_data(all, NULL) + i, 1);
        stream_peer_settle();
    }
    assert_emitted(fixture, "output:1:piece exited:-15 ");
}

static void
test_a_wrong_checksum_is_no_frame(Fixture *fixture, gconstpointer unused)
{
    static const guint32 types[] = {MF_FRAME_SRDY, MF_FRAME_CONR, MF_FRAME_SOUT, MF_FRAME_SERR,
                                    MF_FRAME_SINA, MF_FRAME_EXCX, MF_FRAME_DMSG};

    configure(fixture);
    mf_stream_expect_command(fixture->stream);
    for (gsize i = 0; i < G_N_ELEMENTS(types); i++) {
        gsize size = types[i] == MF_FRAME_SRDY ? 0 : 4;

        stream_peer_say(fixture->guest, types[i], "\0\0\0", size);
        stream_peer_tear(fixture->guest, size);
    }
    assert_emitted(fixture, "");
    g_assert_false(mf_stream_is_ready(fixture->stream));
    stream_peer_say_u32(fixture->guest, MF_FRAME_EXCX, 4);
    assert_emitted(fixture, "exited:4 ");
}

static void
test_forged_frames_have_no_effect(Fixture *fixture, gconstpointer unused)
{
    static const guint32 forged[] = {MF_FRAME_CONF, MF_FRAME_SINP, MF_FRAME_SINE, MF_FRAME_SOCL,
                                     MF_FRAME_WINS, MF_FRAME_SIGN, MF_FRAME_CKIL, MF_FRAME_SNRP,
                                     MF_FRAME_EXIT, MF_FRAME_SCDX, MF_FRAME_KADR, TYPE_DEADBEEF};
    StreamPeer *guest = fixture->guest;

    /* Before a command: neither output nor its end, and no answer that nobody asked for. */
    stream_peer_say_text(guest, MF_FRAME_SOUT, "early");
    stream_peer_say_u32(guest, MF_FRAME_EXCX, 0);
    stream_peer_say_u32(guest, MF_FRAME_SINA, 1);
    stream_peer_say(guest, MF_FRAME_CONR, "", 1);
    stream_peer_say_text(guest, MF_FRAME_SRDY, "payload");
    assert_emitted(fixture, "");

    configure(fixture);
    mf_stream_expect_command(fixture->stream);
    assert_heard(fixture, "CONF:636f6e66 ");
    for (gsize i = 0; i < G_N_ELEMENTS(forged); i++) {
        stream_peer_say_u32(guest, forged[i], 0);
        stream_peer_say_text(guest, forged[i], "");
    }
    assert_emitted(fixture, "");
    assert_heard(fixture, "");
}

static void
test_what_happens_once(Fixture *fixture, gconstpointer unused)
{
    StreamPeer *guest = fixture->guest;

    configure(fixture);
    mf_stream_expect_command(fixture->stream);
    for (int i = 0; i < 2; i++) {
        stream_peer_say_text(guest, MF_FRAME_SRDY, "");
        stream_peer_say_text(guest, MF_FRAME_CONR, "\1it is full.");
        stream_peer_say_u32(guest, MF_FRAME_EXCX, (guint32)(1 + i));
        stream_peer_say_text(guest, MF_FRAME_SOUT, "");
    }
    assert_emitted(fixture, "ready configured:it is full. exited:1 output:1: ");
}

static void
test_chunks_beyond_the_cap_are_dropped(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *chunk = g_strnfill(MF_FRAME_CHUNK_MAX + 1, 'x');

    mf_stream_expect_command(fixture->stream);
    stream_peer_say(fixture->guest, MF_FRAME_SOUT, chunk, MF_FRAME_CHUNK_MAX + 1);
    stream_peer_say(fixture->guest, MF_FRAME_SERR, chunk, MF_FRAME_CHUNK_MAX + 1);
    stream_peer_say(fixture->guest, MF_FRAME_DMSG, chunk, MF_FRAME_CHUNK_MAX + 1);
    stream_peer_say(fixture->guest, MF_FRAME_SOUT, chunk, MF_FRAME_CHUNK_MAX);
    assert_emitted(fixture, "output:1:xxxxxxxxxxxxxxxx ");
}

static void
test_nothing_is_read_while_reading_is_off(Fixture *fixture, gconstpointer unused)
{
    mf_stream_set_reading(fixture->stream, FALSE);
    stream_peer_say_text(fixture->guest, MF_FRAME_SRDY, "");
    assert_emitted(fixture, "");
    mf_stream_set_reading(fixture->stream, TRUE);
    assert_emitted(fixture, "ready ");
}

static void
test_what_the_host_says(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GBytes) chunk = g_bytes_new_static("typed", 5);

    mf_stream_send_stdin(fixture->stream, chunk);
    mf_stream_send_stdin_end(fixture->stream);
    mf_stream_send_reader_gone(fixture->stream, 2);
    mf_stream_send_signal(fixture->stream, 15);
    mf_stream_send_kill(fixture->stream, 1000);
    mf_stream_send_window_size(fixture->stream, 24, 300);
    assert_heard(fixture, "SINE: SOCL:02 SIGN:0f000000 CKIL:e8030000 WINS:18002c01 ");
    g_assert_cmpmem(fixture->guest->stdin_got->data, fixture->guest->stdin_got->len, "typed", 5);
}

static void
ask_for_snapshot(StreamPeer *guest, guint32 id)
{
    guint8 payload[MF_SNAPSHOT_MESSAGE_SIZE] = {0};

    mf_frame_put_u32(payload, id);
    mf_frame_put_u32(payload + 4, MF_SNAPSHOT_MEMORY);
    stream_peer_say(guest, MF_FRAME_SNRQ, payload, sizeof(payload));
}

static void
test_a_request_for_a_snapshot_is_refused_at_once(Fixture *fixture, gconstpointer unused)
{
    ask_for_snapshot(fixture->guest, 0x11223344);
    stream_peer_settle();
    g_assert_true(g_str_has_prefix(fixture->guest->heard->str, "SNRP:4433221102000000"));
    assert_emitted(fixture, "");
}

static void
test_answers_that_nobody_reads_do_not_pile_up(Fixture *fixture, gconstpointer unused)
{
    const guint asked = 20000;
    guint answered = 0;

    stream_peer_set_reading(fixture->guest, FALSE);
    for (guint i = 1; i <= asked; i++)
        ask_for_snapshot(fixture->guest, i);
    stream_peer_say_text(fixture->guest, MF_FRAME_SRDY, "");
    assert_emitted(fixture, "ready ");
    stream_peer_set_reading(fixture->guest, TRUE);
    stream_peer_settle();
    for (const char *at = fixture->guest->heard->str; (at = strstr(at, "SNRP:")); at++)
        answered++;
    g_assert_cmpuint(answered, >, 0);
    g_assert_cmpuint(answered, <, asked / 2);
}

#define ADD(name, function) g_test_add("/stream/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("a-whole-life", test_a_whole_life);
    ADD("frames-cut-at-every-byte-are-whole-again", test_frames_cut_at_every_byte);
    ADD("a-wrong-checksum-is-no-frame", test_a_wrong_checksum_is_no_frame);
    ADD("forged-frames-have-no-effect", test_forged_frames_have_no_effect);
    ADD("what-happens-once-happens-once", test_what_happens_once);
    ADD("chunks-beyond-64-kib-are-dropped", test_chunks_beyond_the_cap_are_dropped);
    ADD("nothing-is-read-while-reading-is-off", test_nothing_is_read_while_reading_is_off);
    ADD("what-the-host-says-is-framed", test_what_the_host_says);
    ADD("a-request-for-a-snapshot-is-refused-at-once",
        test_a_request_for_a_snapshot_is_refused_at_once);
    ADD("answers-that-nobody-reads-do-not-pile-up", test_answers_that_nobody_reads_do_not_pile_up);
    return g_test_run();
}

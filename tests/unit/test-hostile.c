/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "run/dispatch.h"
#include "run/stream.h"
#include "wire/frame.h"

/* A guest that means harm, seeded and so the same each time: good frames, mutated ones and noise,
 * in pieces of any size, through the assembler and the dispatcher, and through MfStream with
 * somebody at every signal. With sanitizers it shows what must not happen; without, it still holds
 * the sinks to what each rule allows. */

#define SEED       20260706
#define FRAMES     1500000
#define PIECE_MAX  MF_TRANSPORT_RECEIVED_MAX
#define LENGTH_MAX 300

/* What the assembler may hold: twice its cap and one feed. The cap is smaller than the real one, so
 * that its end is reached often. */
#define SMALL_CAP 4096

/* A transport without a descriptor: the test emits what is "received", and counts what is sent. */
#define TEST_TYPE_TRANSPORT (test_transport_get_type())
G_DECLARE_FINAL_TYPE(TestTransport, test_transport, TEST, TRANSPORT, GObject)

struct _TestTransport {
    GObject parent;
    gsize queued, queued_max;
};

static void
test_transport_send(MfTransport *transport, GBytes *bytes)
{
    TestTransport *self = TEST_TRANSPORT(transport);

    self->queued += g_bytes_get_size(bytes);
    self->queued_max = MAX(self->queued_max, self->queued);
}

static gsize
test_transport_get_queued(MfTransport *transport)
{
    return TEST_TRANSPORT(transport)->queued;
}

static void
test_transport_iface_init(MfTransportInterface *iface)
{
    iface->send = test_transport_send;
    iface->get_queued = test_transport_get_queued;
}

G_DEFINE_FINAL_TYPE_WITH_CODE(TestTransport, test_transport, G_TYPE_OBJECT,
                              G_IMPLEMENT_INTERFACE(MF_TYPE_TRANSPORT, test_transport_iface_init))

static void
test_transport_class_init(TestTransportClass *class)
{
}

static void
test_transport_init(TestTransport *self)
{
}

static const guint32 types[] = {
    MF_FRAME_SRDY, MF_FRAME_SOUT, MF_FRAME_SERR, MF_FRAME_EXCX, MF_FRAME_DMSG, MF_FRAME_SINA,
    MF_FRAME_CONR, MF_FRAME_CONF, MF_FRAME_SINP, MF_FRAME_SINE, MF_FRAME_SOCL, MF_FRAME_WINS,
    MF_FRAME_SIGN, MF_FRAME_CKIL, MF_FRAME_SCST, MF_FRAME_SCPP, MF_FRAME_SCRR, MF_FRAME_SCEN,
    MF_FRAME_SCDX, MF_FRAME_SCLG, MF_FRAME_STIM, MF_FRAME_EXIT, MF_FRAME_TEST, MF_FRAME_PMET,
    MF_FRAME_RAWO, MF_FRAME_PRAW, MF_FRAME_LIFE, MF_FRAME_CRSH, MF_FRAME_PROB, MF_FRAME_KADR,
    MF_FRAME_SNRQ, MF_FRAME_SNRP, MF_FRAME_KORP, MF_FRAME_SOHE, 0xDEADBEEF,
};

static guint32
random_below(GRand *rand, guint32 end)
{
    return (guint32)g_rand_int_range(rand, 0, (gint32)end);
}

/* Lengths that mean something to some rule, and others. */
static gsize
choose_length(GRand *rand)
{
    static const gsize lengths[] = {0, 1, 4, 7, 8, 24, 71, 72, 73};

    if (random_below(rand, 4) > 0)
        return lengths[random_below(rand, G_N_ELEMENTS(lengths))];
    return random_below(rand, 500) == 0 ? MF_FRAME_CHUNK_MAX + random_below(rand, 3) - 1
                                        : random_below(rand, LENGTH_MAX);
}

static void
append_frame(GByteArray *bytes, GRand *rand)
{
    gsize length = choose_length(rand), at = bytes->len;
    guint32 type = types[random_below(rand, G_N_ELEMENTS(types))];
    guint8 *frame;

    g_byte_array_set_size(bytes, (guint)(at + MF_FRAME_HEADER_SIZE + length));
    frame = bytes->data + at;
    /* Mostly small numbers: statuses, kinds, counts. */
    for (gsize i = 0; i < length; i++)
        frame[MF_FRAME_HEADER_SIZE + i] =
            i % 4 == 0 ? (guint8)g_rand_int(rand) : (random_below(rand, 8) == 0 ? 0xff : 0);
    mf_frame_encode_header(frame, type, frame + MF_FRAME_HEADER_SIZE, length);

    switch (random_below(rand, 12)) {
    case 0: /* one bit of the type, the checksum, the padding or the payload */
        at = random_below(rand, (guint32)(MF_FRAME_HEADER_SIZE + length));
        frame[at / 4 == 1 ? 0 : at] ^= (guint8)(1 << random_below(rand, 8));
        break;
    case 1:
        mf_frame_put_u32(frame + 8, g_rand_int(rand));
        break;
    case 2:
        mf_frame_put_u32(frame + 12, g_rand_int(rand));
        break;
    default:
        break;
    }
}

/* What brings the stream out of step, for the rest of that guest perhaps: some bytes of nothing. */
static void
append_noise(GByteArray *bytes, GRand *rand)
{
    for (guint i = random_below(rand, 40); i > 0; i--) {
        guint8 byte = (guint8)g_rand_int(rand);

        g_byte_array_append(bytes, &byte, 1);
    }
}

/* Once in a while a header that announces what will not come, up to all that a u32 can say. */
static void
append_bogus_header(GByteArray *bytes, GRand *rand)
{
    guint8 header[MF_FRAME_HEADER_SIZE];
    guint32 length = g_rand_int(rand);

    mf_frame_encode_header(header, types[random_below(rand, G_N_ELEMENTS(types))], NULL, 0);
    mf_frame_put_u32(header + 4, length >> random_below(rand, 32));
    g_byte_array_append(bytes, header, sizeof(header));
}

static GByteArray *
make_batch(GRand *rand, guint frames)
{
    GByteArray *bytes = g_byte_array_new();

    for (guint i = 0; i < frames; i++) {
        append_frame(bytes, rand);
        if (random_below(rand, 1000) == 0)
            append_bogus_header(bytes, rand);
        if (random_below(rand, 1000) == 0)
            append_noise(bytes, rand);
    }
    return bytes;
}

static gsize
choose_piece(GRand *rand, gsize left)
{
    gsize size = 1 + random_below(rand, PIECE_MAX);

    return MIN(size, left);
}

typedef struct {
    guint ready, configured, exited, ends[3];
    guint64 frames, good, entries, outputs, acks, logs, requests, payload_outputs, payload_ends;
} Counts;

/* How many payloads the host has started; the indexes of most frames are no more than a byte. */
#define PAYLOADS 200

static void
count_entry(const struct mf_frame *frame, gpointer data)
{
    Counts *counts = data;

    counts->entries++;
    g_assert_true(frame->crc_ok || frame->type != MF_FRAME_SCDX);
}

static void
count_ready(gpointer data)
{
    ((Counts *)data)->ready++;
}

static void
count_configured(const char *reason, const char *boot_id, gpointer data)
{
    ((Counts *)data)->configured++;
    g_assert_true(!reason || (*reason && g_utf8_validate(reason, -1, NULL)));
    g_assert_true(!reason || strlen(reason) <= MF_DISPATCH_REASON_MAX);
    g_assert_true(!boot_id || (!reason && g_uuid_string_is_valid(boot_id)));
}

static void
count_output(int fd, const guint8 *bytes, gsize size, gpointer data)
{
    Counts *counts = data;

    g_assert_true(fd == 1 || fd == 2);
    g_assert_cmpuint(size, <=, MF_FRAME_CHUNK_MAX);
    g_assert_cmpuint(counts->ends[fd], ==, 0);
    counts->outputs++;
    counts->ends[fd] += size == 0;
}

static void
count_acked(guint32 bytes, gpointer data)
{
    ((Counts *)data)->acks++;
}

static void
count_exited(int number, gpointer data)
{
    ((Counts *)data)->exited++;
    g_assert_cmpint(number, >=, -64);
    g_assert_cmpint(number, <=, 255);
}

static void
count_log(const guint8 *text, gsize size, gpointer data)
{
    ((Counts *)data)->logs++;
    g_assert_cmpuint(size, <=, MF_FRAME_CHUNK_MAX);
}

static void
count_request(const MfSnapshotRequest *request, gpointer data)
{
    ((Counts *)data)->requests++;
    g_assert_true(request->id && request->kind && g_utf8_validate(request->tag, -1, NULL));
}

static void
count_payload_output(guint32 index, int fd, const guint8 *bytes, gsize size, gpointer data)
{
    ((Counts *)data)->payload_outputs++;
    g_assert_cmpuint(index, <, PAYLOADS);
    g_assert_true(fd == 1 || fd == 2);
    g_assert_cmpuint(size, <, MF_FRAME_CHUNK_MAX);
}

static void
count_payload_end(guint32 index, const guint8 *json, gsize size, gpointer data)
{
    ((Counts *)data)->payload_ends++;
    g_assert_cmpuint(index, <, PAYLOADS);
    g_assert_cmpuint(size, <, MF_FRAME_CHUNK_MAX);
}

static const MfDispatchSinks sinks = {
    .entry = count_entry,
    .ready = count_ready,
    .configured = count_configured,
    .output = count_output,
    .acked = count_acked,
    .exited = count_exited,
    .kernel_log = count_log,
    .payload_output = count_payload_output,
    .payload_ended = count_payload_end,
    .requested = count_request,
};

static void
play_pieces(struct mf_frame_assembler *assembler, MfDispatch *dispatch, const GByteArray *bytes,
            GRand *rand, Counts *counts)
{
    struct mf_frame frame;

    for (gsize at = 0, size; at < bytes->len; at += size) {
        size = choose_piece(rand, bytes->len - at);
        g_assert_true(mf_frame_assembler_feed(assembler, bytes->data + at, size));
        g_assert_cmpuint(assembler->capacity, <=, 2 * assembler->cap + PIECE_MAX);
        while (mf_frame_assembler_next(assembler, &frame)) {
            g_assert_cmpuint(frame.length, <=, assembler->cap);
            counts->frames++;
            counts->good += frame.crc_ok;
            mf_dispatch_frame(dispatch, &frame, g_rand_int(rand));
        }
        g_assert_cmpuint(mf_frame_assembler_pending(assembler), <=, 2 * assembler->cap);
    }
}

/* Each batch is a guest of its own; the next one must not suffer from it. */
static void
test_dispatch_survives(void)
{
    const guint batch = 200;
    g_autoptr(GRand) rand = g_rand_new_with_seed(SEED);
    Counts total = {0};

    for (guint i = 0; i < FRAMES / batch; i++) {
        struct mf_frame_assembler assembler =
            MF_FRAME_ASSEMBLER_INIT(i % 2 ? MF_FRAME_PAYLOAD_MAX : SMALL_CAP);
        Counts counts = {0};
        MfDispatch dispatch = {
            .sinks = &sinks, .data = &counts, .budget_ns = i % 3 ? G_MAXUINT64 - i : 0};
        g_autoptr(GByteArray) bytes = make_batch(rand, batch);

        dispatch.conf_awaited = i % 5 > 0;
        dispatch.command_expected = i % 7 > 0;
        dispatch.n_payloads = i % 2 ? PAYLOADS : 0;
        play_pieces(&assembler, &dispatch, bytes, rand, &counts);
        g_assert_cmpuint(counts.ready, ==, dispatch.ready);
        g_assert_cmpuint(counts.exited, ==, dispatch.exited);
        g_assert_cmpuint(counts.configured, ==, i % 5 > 0 && !dispatch.conf_awaited);
        if (!dispatch.command_expected)
            g_assert_cmpuint(counts.outputs + counts.acks + counts.exited, ==, 0);
        if (dispatch.n_payloads == 0)
            g_assert_cmpuint(counts.payload_outputs + counts.payload_ends, ==, 0);
        g_assert_cmpuint(counts.entries, <=, counts.frames);
        total.payload_outputs += counts.payload_outputs;
        total.payload_ends += counts.payload_ends;
        total.frames += counts.frames;
        total.good += counts.good;
        total.exited += counts.exited;
        total.requests += counts.requests;
        mf_frame_assembler_clear(&assembler);
    }
    /* The noise was not so loud that nothing was tried. */
    g_assert_cmpuint(total.frames, >=, 1000000);
    g_assert_cmpuint(total.good, >, total.frames / 2);
    g_assert_cmpuint(total.exited, >, 0);
    g_assert_cmpuint(total.requests, >, 0);
    g_assert_cmpuint(total.payload_outputs, >, 0);
    g_assert_cmpuint(total.payload_ends, >, 0);
    g_test_message("%" G_GUINT64_FORMAT " frames, %" G_GUINT64_FORMAT " of them good", total.frames,
                   total.good);
}

static void
emit_ready(Counts *counts)
{
    count_ready(counts);
}

static void
emit_configured(Counts *counts, const char *reason, const char *boot_id)
{
    count_configured(reason, boot_id, counts);
}

static void
emit_output(Counts *counts, int fd, GBytes *chunk)
{
    count_output(fd, NULL, g_bytes_get_size(chunk), counts);
}

static void
emit_acked(Counts *counts, guint bytes)
{
    count_acked(bytes, counts);
}

static void
emit_exited(Counts *counts, int number)
{
    count_exited(number, counts);
}

static void
emit_kernel_log(Counts *counts, GBytes *text)
{
    count_log(NULL, g_bytes_get_size(text), counts);
}

static void
receive_pieces(TestTransport *transport, const GByteArray *bytes, GRand *rand)
{
    for (gsize at = 0, size; at < bytes->len; at += size) {
        size = choose_piece(rand, bytes->len - at);
        g_autoptr(GBytes) piece = g_bytes_new(bytes->data + at, size);

        g_signal_emit_by_name(transport, "received", piece);
    }
}

static void
test_stream_survives(void)
{
    const guint batch = 200;
    g_autoptr(GRand) rand = g_rand_new_with_seed(SEED + 1);
    g_autoptr(GBytes) record = g_bytes_new_static("x", 1);
    guint64 acted = 0;

    for (guint i = 0; i < FRAMES / batch; i++) {
        g_autoptr(TestTransport) transport = g_object_new(TEST_TYPE_TRANSPORT, NULL);
        MfStream *stream = mf_stream_new(MF_TRANSPORT(transport));
        g_autoptr(GByteArray) bytes = make_batch(rand, batch);
        Counts counts = {0};

        g_object_connect(stream, "swapped-signal::ready", emit_ready, &counts,
                         "swapped-signal::configured", emit_configured, &counts,
                         "swapped-signal::output", emit_output, &counts, "swapped-signal::acked",
                         emit_acked, &counts, "swapped-signal::exited", emit_exited, &counts,
                         "swapped-signal::kernel-log", emit_kernel_log, &counts, NULL);
        mf_stream_send_conf(stream, record);
        if (i % 3 > 0)
            mf_stream_expect_command(stream);
        receive_pieces(transport, bytes, rand);
        g_assert_cmpuint(counts.ready, <=, 1);
        g_assert_cmpuint(counts.configured, <=, 1);
        g_assert_cmpuint(counts.exited, <=, i % 3 > 0);
        g_assert_cmpint(mf_stream_is_ready(stream), ==, counts.ready > 0);
        g_assert_cmpuint(transport->queued_max, <, 2 * MF_FRAME_CHUNK_MAX);
        acted += counts.ready + counts.exited + counts.outputs + counts.logs;
        g_assert_finalize_object(stream);
    }
    g_assert_cmpuint(acted, >, FRAMES / batch);
}

static void
drop_message(const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    /* A line for each bad frame is for people who debug one guest. */
    g_log_set_handler("mayfly", G_LOG_LEVEL_DEBUG, drop_message, NULL);
    g_test_add_func("/hostile/a-million-frames-keep-the-dispatcher-to-its-rules",
                    test_dispatch_survives);
    g_test_add_func("/hostile/a-million-frames-keep-the-stream-to-its-rules", test_stream_survives);
    return g_test_run();
}

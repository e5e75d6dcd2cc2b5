/* SPDX-License-Identifier: Apache-2.0 */
#include "run/dispatch.h"

/*
 * The guest's bytes into the assembler and the dispatcher, for libFuzzer. The first byte says how
 * they are cut into pieces and what the host awaits; the rest is the stream. Without libFuzzer it
 * is a program that plays the files in its arguments, which AFL can use too (fuzz-main.c).
 */
int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

#define CAP 1024

static void
check_output(int fd, const guint8 *bytes, gsize size, gpointer data)
{
    g_assert(size <= MF_FRAME_CHUNK_MAX && (fd == 1 || fd == 2));
}

static void
check_once(gpointer data)
{
    g_assert(++*(guint *)data == 1);
}

static void
check_reason(const char *reason, gpointer data)
{
    g_assert(!reason || g_utf8_validate(reason, -1, NULL));
}

static void
check_request(const MfSnapshotRequest *request, gpointer data)
{
    g_assert(request->id && request->kind && g_utf8_validate(request->tag, -1, NULL));
}

int
LLVMFuzzerTestOneInput(const guint8 *data, gsize size)
{
    static const MfDispatchSinks sinks = {
        .ready = check_once,
        .configured = check_reason,
        .output = check_output,
        .requested = check_request,
    };
    struct mf_frame_assembler assembler = MF_FRAME_ASSEMBLER_INIT(CAP);
    guint ready = 0;
    MfDispatch dispatch = {.sinks = &sinks, .data = &ready};
    struct mf_frame frame;

    if (size == 0)
        return 0;
    gsize piece = 1 + (data[0] & 0x3f);
    dispatch.conf_awaited = (data[0] & 0x40) != 0;
    dispatch.command_expected = (data[0] & 0x80) != 0;
    dispatch.budget_ns = size;
    for (gsize at = 1; at < size; at += piece) {
        if (!mf_frame_assembler_feed(&assembler, data + at, MIN(piece, size - at)))
            break;
        g_assert(assembler.capacity <= 2 * CAP + piece);
        while (mf_frame_assembler_next(&assembler, &frame)) {
            mf_dispatch_frame(&dispatch, &frame, at);
            /* For half of the inputs, one command follows the other. */
            if (dispatch.exited && piece % 2)
                mf_dispatch_expect_command(&dispatch);
        }
    }
    mf_frame_assembler_clear(&assembler);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mayfly's host side of a command's output, and nothing else: frames that come on descriptor 0, a
 * socket as QEMU's, go through the real transport, stream and output to descriptor 1. At their end
 * it writes to descriptor 2 how many bytes of output there were, and how many microseconds it took.
 */
#include <stdio.h>
#include <unistd.h>

#include "run/output.h"
#include "run/stream.h"
#include "wire/fd-transport.h"

typedef struct {
    GMainLoop *loop;
    MfOutput *output;
    gsize bytes;
    gint64 ended_us;
} Sink;

static void
on_output(MfStream *stream, int fd, GBytes *chunk, gpointer data)
{
    Sink *self = data;

    mf_output_write(self->output, chunk);
    self->bytes += g_bytes_get_size(chunk);
}

static void
on_closed(MfStream *stream, GError *reason, gpointer data)
{
    Sink *self = data;

    self->ended_us = g_get_monotonic_time();
    g_main_loop_quit(self->loop);
}

int
main(void)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(MfOutput) output = mf_output_new(STDOUT_FILENO);
    g_autoptr(MfTransport) transport = mf_fd_transport_new(dup(STDIN_FILENO), "the feeder");
    g_autoptr(MfStream) stream = mf_stream_new(transport);
    Sink sink = {.loop = loop, .output = output};

    g_signal_connect(stream, "output", G_CALLBACK(on_output), &sink);
    g_signal_connect(stream, "closed", G_CALLBACK(on_closed), &sink);
    mf_stream_expect_command(stream);

    gint64 started_us = g_get_monotonic_time();
    g_main_loop_run(loop);

    if (mf_output_get_queued(output) > 0)
        return 1; /* descriptor 1 was to be /dev/null, which takes everything at once */
    fprintf(stderr, "%" G_GSIZE_FORMAT " %" G_GINT64_FORMAT "\n", sink.bytes,
            sink.ended_us - started_us);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "stream-peer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "wire/fd-transport.h"

static gboolean
on_writable(int fd, GIOCondition condition, gpointer data)
{
    StreamPeer *self = data;
    ssize_t n = send(fd, self->saying->data + self->said, stream_peer_get_unsent(self),
                     MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n < 0 && errno == EAGAIN)
        return G_SOURCE_CONTINUE;
    /* A host that has closed hears no more. */
    self->said += n < 0 ? stream_peer_get_unsent(self) : (gsize)n;
    if (stream_peer_get_unsent(self) > 0)
        return G_SOURCE_CONTINUE;
    g_byte_array_set_size(self->saying, 0);
    self->said = 0;
    self->write_source = 0;
    return G_SOURCE_REMOVE;
}

static void
note(StreamPeer *self, const struct mf_frame *frame)
{
    g_assert_true(frame->crc_ok && frame->pad_ok);
    if (frame->type == MF_FRAME_SINP) {
        g_assert_cmpuint(frame->length, >, 0);
        g_assert_cmpuint(frame->length, <=, MF_FRAME_CHUNK_MAX);
        g_byte_array_append(self->stdin_got, frame->payload, (guint)frame->length);
        return;
    }
    for (int shift = 24; shift >= 0; shift -= 8)
        g_string_append_c(self->heard, (char)(frame->type >> shift));
    g_string_append_c(self->heard, ':');
    for (gsize i = 0; i < frame->length; i++)
        g_string_append_printf(self->heard, "%02x", frame->payload[i]);
    g_string_append_c(self->heard, ' ');
}

static gboolean
on_readable(int fd, GIOCondition condition, gpointer data)
{
    StreamPeer *self = data;
    guint8 chunk[4096];
    ssize_t n = recv(fd, chunk, sizeof(chunk), MSG_DONTWAIT);
    struct mf_frame frame;

    if (n <= 0) {
        self->read_source = 0;
        return G_SOURCE_REMOVE;
    }
    g_assert_true(mf_frame_assembler_feed(&self->input, chunk, (gsize)n));
    while (mf_frame_assembler_next(&self->input, &frame))
        note(self, &frame);
    return G_SOURCE_CONTINUE;
}

StreamPeer *
stream_peer_new(MfStream **ret_stream)
{
    StreamPeer *self = g_new0(StreamPeer, 1);
    int host;

    g_assert_true(mf_fd_socketpair(&self->fd, &host, NULL));
    g_autoptr(MfTransport) transport = mf_fd_transport_new(host, "the scripted guest");
    *ret_stream = mf_stream_new(transport);
    self->input = MF_FRAME_ASSEMBLER_INIT(MF_FRAME_PAYLOAD_MAX);
    self->saying = g_byte_array_new();
    self->heard = g_string_new(NULL);
    self->stdin_got = g_byte_array_new();
    stream_peer_set_reading(self, TRUE);
    return self;
}

void
stream_peer_free(StreamPeer *self)
{
    stream_peer_hang_up(self);
    mf_frame_assembler_clear(&self->input);
    g_byte_array_unref(self->saying);
    g_string_free(self->heard, TRUE);
    g_byte_array_unref(self->stdin_got);
    g_free(self);
}

void
stream_peer_say_bytes(StreamPeer *self, gconstpointer bytes, gsize size)
{
    g_byte_array_append(self->saying, bytes, (guint)size);
    if (!self->write_source && self->fd >= 0)
        self->write_source = g_unix_fd_add(self->fd, G_IO_OUT, on_writable, self);
}

void
stream_peer_say(StreamPeer *self, guint32 type, gconstpointer payload, gsize size)
{
    guint8 header[MF_FRAME_HEADER_SIZE];

    mf_frame_encode_header(header, type, payload, size);
    stream_peer_say_bytes(self, header, sizeof(header));
    if (size > 0)
        stream_peer_say_bytes(self, payload, size);
}

void
stream_peer_say_text(StreamPeer *self, guint32 type, const char *text)
{
    stream_peer_say(self, type, text, strlen(text));
}

void
stream_peer_say_u32(StreamPeer *self, guint32 type, guint32 value)
{
    guint8 payload[4];

    mf_frame_put_u32(payload, value);
    stream_peer_say(self, type, payload, sizeof(payload));
}

void
stream_peer_tear(StreamPeer *self, gsize payload_size)
{
    self->saying->data[self->saying->len - payload_size - MF_FRAME_HEADER_SIZE + 8] ^= 0xff;
}

void
stream_peer_set_reading(StreamPeer *self, gboolean reading)
{
    g_clear_handle_id(&self->read_source, g_source_remove);
    if (reading)
        self->read_source = g_unix_fd_add(self->fd, G_IO_IN, on_readable, self);
}

gsize
stream_peer_get_unsent(const StreamPeer *self)
{
    return self->saying->len - self->said;
}

void
stream_peer_hang_up(StreamPeer *self)
{
    g_clear_handle_id(&self->read_source, g_source_remove);
    g_clear_handle_id(&self->write_source, g_source_remove);
    mf_fd_clear(&self->fd);
}

void
stream_peer_settle(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

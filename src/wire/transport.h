/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/*
 * Bytes to and from a peer, whatever carries them (a socket; libvirt's stream; a test's memory).
 * The protocol layers above know this interface and never a descriptor.
 */
#define MF_TYPE_TRANSPORT (mf_transport_get_type())
G_DECLARE_INTERFACE(MfTransport, mf_transport, MF, TRANSPORT, GObject)

struct _MfTransportInterface {
    GTypeInterface parent;
    void (*send)(MfTransport *self, GBytes *bytes);
    gsize (*get_queued)(MfTransport *self);
    void (*set_reading)(MfTransport *self, gboolean reading);
    void (*close)(MfTransport *self);
    void (*send_end)(MfTransport *self);
    /* Optional: only a socket of the local machine can do it. */
    gboolean (*send_with_fd)(MfTransport *self, GBytes *bytes, int fd, GError **error);
};

/* The most that one "received" carries. */
#define MF_TRANSPORT_RECEIVED_MAX (64u << 10)

/* Queues 'bytes' and returns at once; nothing is lost or reordered, a failure ends in "closed". */
void mf_transport_send(MfTransport *self, GBytes *bytes);

/* As send, and passes 'fd' (duplicated; the caller keeps its own) with the first of 'bytes', which
 * must not be empty. FALSE, with nothing queued: MF_ERROR_PROTOCOL when this transport cannot carry
 * a descriptor, MF_ERROR_HOST when there is none left. On a closed transport it does nothing. */
gboolean mf_transport_send_with_fd(MfTransport *self, GBytes *bytes, int fd, GError **error);

/* Tells the peer, behind everything queued, that nothing more will be sent: it reads an end of file
 * while its own bytes still arrive. */
void mf_transport_send_end(MfTransport *self);

/* Bytes queued and not yet taken by the peer's socket: what a sender bounds itself by. Signal
 * "drained" (no arguments): the queue has become empty. */
gsize mf_transport_get_queued(MfTransport *self);

/* Whether bytes are read (TRUE at first); FALSE puts back-pressure on the peer. A hang-up comes
 * after the bytes that were sent before it, so it is not noticed while nothing is read. */
void mf_transport_set_reading(MfTransport *self, gboolean reading);

/* Stops both directions. Nothing is emitted any more. Called twice, it does nothing. */
void mf_transport_close(MfTransport *self);

/* Signals:
 *   "received" (GBytes *bytes)        as they come, at most MF_TRANSPORT_RECEIVED_MAX a time
 *   "drained"  ()                     see above
 *   "closed"   (GError *reason)       once; the peer hung up, or an error; nothing follows
 * Nothing is emitted from inside mf_transport_send() or before the main loop runs. */

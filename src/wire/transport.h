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
};

/* Queues 'bytes' and returns at once; nothing is lost or reordered, a failure ends in "closed". */
void mf_transport_send(MfTransport *self, GBytes *bytes);

/* Bytes queued and not yet taken by the peer's socket: what a sender bounds itself by. Signal
 * "drained" (no arguments): the queue has become empty. */
gsize mf_transport_get_queued(MfTransport *self);

/* Whether bytes are read (TRUE at first); FALSE puts back-pressure on the peer. */
void mf_transport_set_reading(MfTransport *self, gboolean reading);

/* Stops both directions. Nothing is emitted any more. Called twice, it does nothing. */
void mf_transport_close(MfTransport *self);

/* Signals:
 *   "received" (GBytes *bytes)        as they come, at most 64 KiB at a time
 *   "drained"  ()                     see above
 *   "closed"   (GError *reason)       once; the peer hung up, or an error; nothing follows
 * Nothing is emitted from inside mf_transport_send() or before the main loop runs. */

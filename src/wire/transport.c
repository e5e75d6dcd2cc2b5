/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/transport.h"

#include "base/error.h"

G_DEFINE_INTERFACE(MfTransport, mf_transport, G_TYPE_OBJECT)

static void
mf_transport_default_init(MfTransportInterface *interface)
{
    g_signal_new("received", MF_TYPE_TRANSPORT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                 1, G_TYPE_BYTES);
    g_signal_new("drained", MF_TYPE_TRANSPORT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                 0);
    g_signal_new("closed", MF_TYPE_TRANSPORT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                 1, G_TYPE_ERROR);
}

void
mf_transport_send(MfTransport *self, GBytes *bytes)
{
    MF_TRANSPORT_GET_IFACE(self)->send(self, bytes);
}

gboolean
mf_transport_send_with_fd(MfTransport *self, GBytes *bytes, int fd, GError **error)
{
    MfTransportInterface *interface = MF_TRANSPORT_GET_IFACE(self);

    g_return_val_if_fail(g_bytes_get_size(bytes) > 0, FALSE);
    if (interface->send_with_fd)
        return interface->send_with_fd(self, bytes, fd, error);
    g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL,
                "A file descriptor cannot be passed over a connection of the kind %s.",
                G_OBJECT_TYPE_NAME(self));
    return FALSE;
}

void
mf_transport_send_end(MfTransport *self)
{
    MF_TRANSPORT_GET_IFACE(self)->send_end(self);
}

gsize
mf_transport_get_queued(MfTransport *self)
{
    return MF_TRANSPORT_GET_IFACE(self)->get_queued(self);
}

void
mf_transport_set_reading(MfTransport *self, gboolean reading)
{
    MF_TRANSPORT_GET_IFACE(self)->set_reading(self, reading);
}

void
mf_transport_close(MfTransport *self)
{
    MF_TRANSPORT_GET_IFACE(self)->close(self);
}

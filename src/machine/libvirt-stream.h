/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/libvirt-link.h"
#include "wire/transport.h"

/*
 * A transport over a stream of libvirt's, such as the one of a domain's console. It lives on the
 * default main context, as libvirt's events do. After mf_transport_send_end() nothing comes from it
 * either: a stream of libvirt's has no half that could be closed by itself.
 */
#define MF_TYPE_LIBVIRT_STREAM (mf_libvirt_stream_get_type())
G_DECLARE_FINAL_TYPE(MfLibvirtStream, mf_libvirt_stream, MF, LIBVIRT_STREAM, GObject)

/* One that has no stream yet: what is sent waits. 'peer' names the other side in messages. */
MfLibvirtStream *mf_libvirt_stream_new(const char *peer);

/* Goes on with 'stream', which is open and non-blocking, and is taken. 'link' is the connection
 * that it belongs to, and is referenced. MF_ERROR_LAUNCH. */
gboolean mf_libvirt_stream_attach(MfLibvirtStream *self, MfLibvirtLink *link, virStreamPtr stream,
                                  GError **error);

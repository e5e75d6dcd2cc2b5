/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The guest's network. */
typedef enum {
    MF_NET_NONE, /* the guest has its loopback only */
    MF_NET_USER, /* QEMU's user-mode stack: outwards only, but for forwarded ports */
} MfNet;

/* A TCP or UDP port of the host's loopback that leads to one of the guest. */
typedef struct {
    gboolean udp;
    guint16 host_port;
    guint16 guest_port;
} MfForward;

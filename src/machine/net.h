/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/argv.h"

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

gboolean mf_net_parse(const char *text, MfNet *ret_net, GError **error);

/* Reads a --forward value, "tcp|udp:HOST_PORT:GUEST_PORT". MF_ERROR_CONFIG. */
gboolean mf_forward_parse(const char *text, MfForward *ret_forward, GError **error);

/* Whether 'forwards' (of MfForward) can be: with a network, and no port of the host twice.
 * MF_ERROR_CONFIG. */
gboolean mf_net_check(MfNet net, const GArray *forwards, GError **error);

/* The addresses of the user-mode network, as MF_CONF_NET has them. */
#define MF_NET_USER_ADDRESSES "10.0.2.15/24,10.0.2.2,10.0.2.3"

/* 'virtio' is how such devices are attached (platform.h). */
void mf_net_add_to_argv(MfNet net, const GArray *forwards, const char *virtio, MfArgv *argv);

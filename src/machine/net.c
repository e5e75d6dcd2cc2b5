/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/net.h"

#include "base/error.h"
#include "base/parse.h"

static const char *const names[] = {"none", "user", NULL};

gboolean
mf_net_parse(const char *text, MfNet *ret_net, GError **error)
{
    guint index;

    if (!mf_parse_choice(text, "a network", names, &index, error))
        return FALSE;
    *ret_net = (MfNet)index;
    return TRUE;
}

gboolean
mf_forward_parse(const char *text, MfForward *ret_forward, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ":", -1);
    guint64 host_port, guest_port;
    gboolean udp = parts[0] && g_str_equal(parts[0], "udp");

    if (g_strv_length(parts) != 3 || (!udp && !g_str_equal(parts[0], "tcp"))) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is not a forwarded port: expected tcp:HOST_PORT:GUEST_PORT, or udp:...",
                    text);
        return FALSE;
    }
    if (!mf_parse_uint(parts[1], "port of the host", 1, G_MAXUINT16, &host_port, error) ||
        !mf_parse_uint(parts[2], "port of the guest", 1, G_MAXUINT16, &guest_port, error))
        return FALSE;
    *ret_forward = (MfForward){udp, (guint16)host_port, (guint16)guest_port};
    return TRUE;
}

gboolean
mf_net_check(MfNet net, const GArray *forwards, GError **error)
{
    if (net == MF_NET_NONE && forwards->len > 0) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "A port is forwarded, but the guest has no network: set it to 'user'.");
        return FALSE;
    }
    for (guint i = 0; i < forwards->len; i++) {
        const MfForward *one = &g_array_index(forwards, MfForward, i);

        for (guint j = 0; j < i; j++) {
            const MfForward *other = &g_array_index(forwards, MfForward, j);

            if (one->udp != other->udp || one->host_port != other->host_port)
                continue;
            g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                        "The host's %s port %u is forwarded twice.", one->udp ? "UDP" : "TCP",
                        one->host_port);
            return FALSE;
        }
    }
    return TRUE;
}

void
mf_net_add_to_argv(MfNet net, const GArray *forwards, const char *virtio, MfArgv *argv)
{
    GString *netdev;

    if (net == MF_NET_NONE)
        return;
    /* Without IPv6, which the guest would prefer, and which many hosts cannot pass on. */
    netdev = g_string_new("user,id=net,ipv6=off");
    for (guint i = 0; i < forwards->len; i++) {
        const MfForward *forward = &g_array_index(forwards, MfForward, i);

        g_string_append_printf(netdev, ",hostfwd=%s:127.0.0.1:%u-:%u", forward->udp ? "udp" : "tcp",
                               forward->host_port, forward->guest_port);
    }
    mf_argv_add_many(argv, "-netdev", netdev->str, NULL);
    mf_argv_add(argv, "-device");
    /* Nobody boots from it: no option ROM, which only PCI has, and which would cost the firmware
     * time. */
    mf_argv_addf(argv, "virtio-net-%s,netdev=net%s", virtio,
                 g_str_equal(virtio, "pci") ? ",romfile=" : "");
    g_string_free(netdev, TRUE);
}

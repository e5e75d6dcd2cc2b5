/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/net.h"

#include "base/error.h"

static void
test_networks_are_read_by_name(void)
{
    g_autoptr(GError) error = NULL;
    MfNet net = MF_NET_NONE;

    g_assert_true(mf_net_parse("user", &net, NULL));
    g_assert_cmpint(net, ==, MF_NET_USER);
    g_assert_false(mf_net_parse("tap", &net, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpint(net, ==, MF_NET_USER);
}

static void
test_forwarded_ports_are_read_as_documented(void)
{
    MfForward forward;

    g_assert_true(mf_forward_parse("tcp:2222:22", &forward, NULL));
    g_assert_false(forward.udp);
    g_assert_cmpuint(forward.host_port, ==, 2222);
    g_assert_cmpuint(forward.guest_port, ==, 22);
    g_assert_true(mf_forward_parse("udp:65535:1", &forward, NULL));
    g_assert_true(forward.udp);
    g_assert_cmpuint(forward.host_port, ==, 65535);
}

static void
test_bad_forwarded_ports_are_refused(void)
{
    static const char *const bad[] = {
        "",         "tcp",      "tcp:1",   "tcp:1:2:3",   "sctp:1:2",
        ":1:2",     "tcp:0:2",  "tcp:1:0", "tcp:65536:1", "tcp:1:65536",
        "tcp:-1:1", "tcp: 1:1", "tcp::22", "TCP:1:2",     "tcp:a:b"};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;
        MfForward forward;

        g_assert_false(mf_forward_parse(bad[i], &forward, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    }
}

static void
test_forwarded_ports_need_a_network_and_differ(void)
{
    const MfForward forwards[] = {{FALSE, 80, 80}, {TRUE, 80, 80}, {FALSE, 80, 81}};
    g_autoptr(GArray) array = g_array_new(FALSE, FALSE, sizeof(MfForward));
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_net_check(MF_NET_NONE, array, NULL));
    g_array_append_vals(array, forwards, 2);
    g_assert_true(mf_net_check(MF_NET_USER, array, NULL));
    g_assert_false(mf_net_check(MF_NET_NONE, array, NULL));
    g_array_append_vals(array, forwards + 2, 1);
    g_assert_false(mf_net_check(MF_NET_USER, array, &error));
    g_assert_cmpstr(error->message, ==, "The host's TCP port 80 is forwarded twice.");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/net/networks-are-read-by-name", test_networks_are_read_by_name);
    g_test_add_func("/net/forwarded-ports-are-read-as-documented",
                    test_forwarded_ports_are_read_as_documented);
    g_test_add_func("/net/bad-forwarded-ports-are-refused", test_bad_forwarded_ports_are_refused);
    g_test_add_func("/net/forwarded-ports-need-a-network-and-differ",
                    test_forwarded_ports_need_a_network_and_differ);
    return g_test_run();
}

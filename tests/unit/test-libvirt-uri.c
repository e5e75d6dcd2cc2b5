/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/libvirt-uri.h"

#include <string.h>

#include "base/error.h"
#include "spec-fixture.h"

#define REMOTE "qemu+ssh://far.example/system"

static void
test_a_uri_with_a_host_is_remote(void)
{
    static const struct {
        const char *uri;
        gboolean remote;
    } cases[] = {
        {"qemu:///session", FALSE},
        {"qemu:///system", FALSE},
        {"qemu+unix:///session?socket=/run/a/libvirt-sock", FALSE},
        {"qemu+unix://far.example/system", FALSE},
        {"test:///default", FALSE},
        {"no URI at all", FALSE},
        {REMOTE, TRUE},
        {"qemu+ssh://root@far.example:2222/system", TRUE},
        {"qemu+tls://far.example/system", TRUE},
        {"qemu+tcp://127.0.0.1/system", TRUE},
        {"qemu://[fe80::1]/system", TRUE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(mf_libvirt_uri_is_remote(cases[i].uri), ==, cases[i].remote);
}

static void
test_an_empty_uri_is_none(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_libvirt_uri_check("qemu:///session", NULL));
    g_assert_false(mf_libvirt_uri_check("", &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
}

static void
test_who_does_not_answer_is_named_by_daemon_and_package(void)
{
    static const char *const silent[] = {
        REMOTE, "qemu:///embed", "qemu+unix:///session?socket=/a", "test:///default", "no URI", "",
    };

    g_assert_nonnull(strstr(mf_libvirt_uri_advise("qemu:///session"), "package libvirt-daemon "));
    g_assert_nonnull(strstr(mf_libvirt_uri_advise("qemu:///system"), "systemctl start libvirtd"));
    g_assert_nonnull(strstr(mf_libvirt_uri_advise("qemu+unix:///system"), "virtqemud"));
    for (gsize i = 0; i < G_N_ELEMENTS(silent); i++)
        g_assert_null(mf_libvirt_uri_advise(silent[i]));
}

static MfSpec *
make_spec(const char *uri)
{
    MfSpec *spec = spec_fixture_new("q35");

    spec->connect = g_strdup(uri);
    return spec;
}

static void
assert_refused(const MfSpec *spec, const char *const *shared, const char *part)
{
    g_autoptr(GError) error = NULL;

    g_assert_false(mf_libvirt_check_spec(spec, shared, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, part));
}

static void
test_a_local_connection_takes_any_directory(void)
{
    g_autoptr(MfSpec) spec = make_spec("qemu:///session");
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_libvirt_check_spec(spec, NULL, &error));
    g_assert_no_error(error);
}

static void
test_a_remote_connection_refuses_the_hosts_root(void)
{
    g_autoptr(MfSpec) spec = make_spec(REMOTE);

    assert_refused(spec, NULL, "The directory '/' is on this host, and '" REMOTE "'");
    assert_refused(spec, NULL, "--shared-path");
}

static void
test_a_remote_connection_takes_what_is_declared_shared(void)
{
    static const char *const all[] = {"/", NULL};
    static const char *const both[] = {"/src/", "/cache", NULL};
    static const char *const no_kernel[] = {"/src", NULL};
    static const char *const no_initrd[] = {"/src", "/cache/images", NULL};
    static const char *const namesakes[] = {"/srcs", "/cache", NULL};
    g_autoptr(MfSpec) spec = make_spec(REMOTE);

    g_assert_true(mf_libvirt_check_spec(spec, all, NULL));
    assert_refused(spec, both, "The directory '/'");
    g_ptr_array_remove_index(spec->shares, 0);
    g_assert_true(mf_libvirt_check_spec(spec, both, NULL));
    assert_refused(spec, namesakes, "The directory '/src'");
    assert_refused(spec, no_kernel, "The kernel '/cache/images/vmlinux'");
    assert_refused(spec, no_initrd, "The initramfs '/cache/initramfs/a'");
    g_ptr_array_add(spec->disks, mf_disk_new("/images/a.qcow2", "qcow2", FALSE));
    assert_refused(spec, both, "The disk '/images/a.qcow2'");
}

static void
test_what_would_be_made_on_another_host_is_refused(void)
{
    static const char *const all[] = {"/", NULL};
    const MfForward forward = {FALSE, 2222, 22};
    g_autoptr(MfSpec) far = make_spec(REMOTE);
    g_autoptr(MfSpec) near = make_spec("qemu:///session");

    near->qmp_socket = g_strdup("/run/qmp");
    far->qmp_socket = g_strdup("/run/qmp");
    assert_refused(far, all, "(--qmp-socket)");
    near->net = far->net = MF_NET_USER;
    g_array_append_val(near->forwards, forward);
    g_array_append_val(far->forwards, forward);
    assert_refused(far, all, "(--forward)");
    assert_refused(far, all, "'" REMOTE "'");
    g_assert_true(mf_libvirt_check_spec(near, NULL, NULL));
}

static void
test_what_libvirt_cannot_start_is_refused(void)
{
    g_autoptr(MfSpec) spec = make_spec("qemu:///session");

    spec->debug_exit = TRUE;
    assert_refused(spec, NULL, "--success-exit-code");
    spec->held = TRUE;
    assert_refused(spec, NULL, "--on-crash");
    g_ptr_array_add(spec->numa, mf_numa_node_new(spec->memory, NULL));
    g_ptr_array_add(spec->numa, mf_numa_node_new(0, NULL));
    assert_refused(spec, NULL, "a NUMA node without memory");
    spec->share_type = MF_SHARE_VIRTIOFS;
    assert_refused(spec, NULL, "virtiofs");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/libvirt-uri/a-uri-with-a-host-is-remote", test_a_uri_with_a_host_is_remote);
    g_test_add_func("/libvirt-uri/a-local-connection-takes-any-directory",
                    test_a_local_connection_takes_any_directory);
    g_test_add_func("/libvirt-uri/a-remote-connection-refuses-the-hosts-root",
                    test_a_remote_connection_refuses_the_hosts_root);
    g_test_add_func("/libvirt-uri/a-remote-connection-takes-what-is-declared-shared",
                    test_a_remote_connection_takes_what_is_declared_shared);
    g_test_add_func("/libvirt-uri/what-would-be-made-on-another-host-is-refused",
                    test_what_would_be_made_on_another_host_is_refused);
    g_test_add_func("/libvirt-uri/what-libvirt-cannot-start-is-refused",
                    test_what_libvirt_cannot_start_is_refused);
    g_test_add_func("/libvirt-uri/an-empty-uri-is-none", test_an_empty_uri_is_none);
    g_test_add_func("/libvirt-uri/who-does-not-answer-is-named-by-daemon-and-package",
                    test_who_does_not_answer_is_named_by_daemon_and_package);
    return g_test_run();
}

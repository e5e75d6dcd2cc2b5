/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/libvirt-domain.h"

#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "golden.h"
#include "spec-fixture.h"

#define VALIDATOR "virt-xml-validate"

static void
assert_golden(const MfSpec *spec, const char *name)
{
    g_autofree char *xml = mf_libvirt_domain_to_xml(spec, "mayfly-1");

    golden_assert(name, xml);
}

static void
test_the_default_domain(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("q35");

    assert_golden(spec, "domain-default.xml");
}

static void
test_a_domain_under_kvm_with_the_users_arguments(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("q35,smm=off");
    const char *const arguments[] = {"-device", "edu", NULL};

    spec->accel = MF_ACCEL_KVM;
    g_free(spec->cpu);
    spec->cpu = g_strdup("host");
    g_clear_pointer(&spec->qemu, g_free);
    spec->extra_args = g_strdupv((char **)arguments);
    assert_golden(spec, "domain-kvm-extra.xml");
}

static void
test_hostile_paths_stay_text(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("q35");

    g_free(spec->kernel);
    spec->kernel = g_strdup("/my <kernel> & 'others'/vm\"linux{{name}}");
    g_ptr_array_add(spec->shares,
                    mf_share_new("mount0", "mayfly.mount0", "/a'/><source dir='/", "/x", FALSE));
    spec->qmp_socket = g_strdup("/tmp/a,b/<qmp>");
    assert_golden(spec, "domain-hostile-paths.xml");
}

static void
test_script_init_adds_its_ports(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("q35");

    spec->script_ports = TRUE;
    g_clear_pointer(&spec->initrd, g_free);
    assert_golden(spec, "domain-script.xml");
}

static void
test_an_image_with_firmware_of_its_own_and_a_network(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("q35");
    const MfForward forward = {FALSE, 2222, 22};

    g_clear_pointer(&spec->kernel, g_free);
    g_clear_pointer(&spec->initrd, g_free);
    g_clear_pointer(&spec->append, g_free);
    g_ptr_array_add(spec->disks, mf_disk_new("/images/a.qcow2", "qcow2", FALSE));
    spec->net = MF_NET_USER;
    g_array_append_val(spec->forwards, forward);
    spec->firmware = g_new0(MfFirmware, 1);
    spec->firmware->code = g_strdup("/usr/share/OVMF/OVMF_CODE.fd");
    spec->firmware->vars = g_strdup("/tmp/run/vars.fd");
    spec->firmware->format = spec->firmware->own_format = "raw";
    spec->firmware->smm = TRUE;
    assert_golden(spec, "domain-image.xml");
}

static void
test_other_architectures(void)
{
    g_autoptr(MfSpec) arm = spec_fixture_new("virt,gic-version=3");
    g_autoptr(MfSpec) mainframe = spec_fixture_new("s390-ccw-virtio");

    arm->arch = MF_ARCH_AARCH64;
    assert_golden(arm, "domain-aarch64.xml");
    mainframe->arch = MF_ARCH_S390X;
    assert_golden(mainframe, "domain-s390x.xml");
}

static void
test_numa_nodes_have_the_cpus_that_qemu_would_give_them(void)
{
    g_autoptr(MfSpec) given = spec_fixture_new("q35");
    g_autoptr(MfSpec) spread = spec_fixture_new("q35");

    given->cpus = 4;
    g_ptr_array_add(given->numa, mf_numa_node_new(MF_GIB / 2, "0-2"));
    g_ptr_array_add(given->numa, mf_numa_node_new(MF_GIB / 4, NULL));
    g_ptr_array_add(given->numa, mf_numa_node_new(MF_GIB / 4, "3"));
    assert_golden(given, "domain-numa.xml");
    spread->cpus = 5;
    g_ptr_array_add(spread->numa, mf_numa_node_new(MF_GIB / 2, NULL));
    g_ptr_array_add(spread->numa, mf_numa_node_new(MF_GIB / 2, NULL));
    assert_golden(spread, "domain-numa-spread.xml");
}

static void
test_a_tpm_has_the_interface_that_the_machine_has(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("q35");
    g_autoptr(MfSpec) old = spec_fixture_new("q35");

    spec->tpm = MF_TPM_2_0;
    assert_golden(spec, "domain-tpm-2.0.xml");
    old->tpm = MF_TPM_1_2;
    assert_golden(old, "domain-tpm-1.2.xml");
}

/* QEMU makes those first, and gives them the lowest slots that nobody has yet. */
static void
test_devices_that_are_arguments_find_their_slots_free(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("q35");
    g_autoptr(GRegex) slot = g_regex_new("<address type='pci'[^>]* slot='(\\d+)'", 0, 0, NULL);
    const guint n_arguments = 20;
    g_autoptr(GMatchInfo) match = NULL;
    guint count = 0;

    for (guint i = 1; i < n_arguments; i++)
        g_ptr_array_add(spec->disks, mf_disk_new("/images/a.raw", "raw", FALSE));
    spec->net = MF_NET_USER;

    g_autofree char *xml = mf_libvirt_domain_to_xml(spec, "mayfly-1");
    for (g_regex_match(slot, xml, 0, &match); g_match_info_matches(match);
         g_match_info_next(match, NULL)) {
        g_autofree char *number = g_match_info_fetch(match, 1);

        count++;
        g_assert_cmpint(atoi(number), >, n_arguments);
        g_assert_cmpint(atoi(number), <, 31);
    }
    g_assert_cmpuint(count, ==, 3);
}

/* All of the above, which the tests before this one have compared with what is made. */
static void
test_libvirts_own_schema_accepts_them_all(void)
{
    const char *place = g_getenv("MAYFLY_GOLDEN_DIR");
    g_autoptr(GDir) directory = g_dir_open(place, 0, NULL);
    g_autofree char *validator = g_find_program_in_path(VALIDATOR);
    const char *name;
    guint count = 0;

    if (!validator) {
        g_test_skip("no " VALIDATOR);
        return;
    }
    while ((name = g_dir_read_name(directory))) {
        g_autofree char *path = g_build_filename(place, name, NULL);
        const char *const argv[] = {validator, path, "domain", NULL};
        g_autofree char *words = NULL;
        int status;

        if (!g_str_has_prefix(name, "domain-"))
            continue;
        count++;
        g_assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL,
                                   NULL, NULL, &words, &status, NULL));
        if (!g_spawn_check_wait_status(status, NULL))
            g_error("%s: %s", name, words);
    }
    g_assert_cmpuint(count, ==, 11);
}

static void
test_no_two_domains_have_one_name(void)
{
    g_autofree char *one = mf_libvirt_domain_make_name();
    g_autofree char *other = mf_libvirt_domain_make_name();

    g_assert_true(g_str_has_prefix(one, "mayfly-"));
    g_assert_cmpstr(one, !=, other);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/libvirt-domain/the-default-domain", test_the_default_domain);
    g_test_add_func("/libvirt-domain/a-domain-under-kvm-with-the-users-arguments",
                    test_a_domain_under_kvm_with_the_users_arguments);
    g_test_add_func("/libvirt-domain/hostile-paths-stay-text", test_hostile_paths_stay_text);
    g_test_add_func("/libvirt-domain/script-init-adds-its-ports", test_script_init_adds_its_ports);
    g_test_add_func("/libvirt-domain/an-image-with-firmware-of-its-own-and-a-network",
                    test_an_image_with_firmware_of_its_own_and_a_network);
    g_test_add_func("/libvirt-domain/other-architectures", test_other_architectures);
    g_test_add_func("/libvirt-domain/numa-nodes-have-the-cpus-that-qemu-would-give-them",
                    test_numa_nodes_have_the_cpus_that_qemu_would_give_them);
    g_test_add_func("/libvirt-domain/a-tpm-has-the-interface-that-the-machine-has",
                    test_a_tpm_has_the_interface_that_the_machine_has);
    g_test_add_func("/libvirt-domain/devices-that-are-arguments-find-their-slots-free",
                    test_devices_that_are_arguments_find_their_slots_free);
    g_test_add_func("/libvirt-domain/libvirts-own-schema-accepts-them-all",
                    test_libvirts_own_schema_accepts_them_all);
    g_test_add_func("/libvirt-domain/no-two-domains-have-one-name",
                    test_no_two_domains_have_one_name);
    return g_test_run();
}

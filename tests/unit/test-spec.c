/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/spec.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/parse.h"
#include "golden.h"
#include "machine/platform.h"
#include "spec-fixture.h"

static void
assert_golden(const MfSpec *spec, const char *name)
{
    g_autoptr(MfArgv) argv = mf_spec_to_argv(spec);
    g_autofree char *lines = mf_argv_to_lines(argv);
    g_autofree char *text = g_strconcat(lines, "\n", NULL);

    golden_assert(name, text);
}

static void
test_the_default_machine(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("pc");

    assert_golden(spec, "spec-default.args");
}

static void
test_paths_with_commas_and_spaces_stay_one_value(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("pc");

    g_free(spec->kernel);
    spec->kernel = g_strdup("/my kernels, old/vm,linux");
    g_ptr_array_add(spec->shares,
                    mf_share_new("mount0", "mayfly.mount0", "/a dir, with=all", "/x,y z", FALSE));
    spec->qmp_socket = g_strdup("/tmp/a,b/qmp");
    assert_golden(spec, "spec-hostile-paths.args");
}

static void
test_a_machine_whose_crash_is_kept_stays_and_has_a_screen(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("pc");

    spec->held = spec->screen = TRUE;
    assert_golden(spec, "spec-held.args");
}

static void
test_script_init_adds_its_ports(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("pc");

    spec->script_ports = TRUE;
    assert_golden(spec, "spec-script.args");
}

static void
test_a_machine_to_be_saved_has_its_memory_in_a_file(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("pc");
    const MfBacking backing = {FALSE, 20, 21, -1};

    spec->backing = &backing;
    assert_golden(spec, "spec-saved.args");
}

static void
test_a_restored_machine_waits_for_its_state(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("pc");
    const MfBacking backing = {TRUE, 20, 21, -1};

    spec->backing = &backing;
    assert_golden(spec, "spec-restored.args");
}

/* The image is only read by both; what the saved one writes to is only read by the restored one. */
static void
test_an_image_of_a_saved_machine_is_below_two_overlays(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("pc");
    const MfBacking saved = {FALSE, 20, 21, 22}, restored = {TRUE, 20, 21, 22};

    g_clear_pointer(&spec->kernel, g_free);
    g_clear_pointer(&spec->initrd, g_free);
    g_clear_pointer(&spec->append, g_free);
    g_ptr_array_add(spec->disks, mf_disk_new("/images/a,b", "raw", FALSE));
    spec->backing = &saved;
    assert_golden(spec, "spec-image-saved.args");
    spec->backing = &restored;
    assert_golden(spec, "spec-image-restored.args");
}

static void
test_kvm_without_initrd_and_with_extra_arguments(void)
{
    const char *extra[] = {"-gdb", "tcp::1234", NULL};
    g_autoptr(MfSpec) spec = spec_fixture_new("pc");

    spec->accel = MF_ACCEL_KVM;
    g_clear_pointer(&spec->initrd, g_free);
    spec->extra_args = g_strdupv((char **)extra);
    assert_golden(spec, "spec-kvm-extra.args");
}

static void
test_virtiofs_shares_memory_and_takes_connections(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("pc");

    spec->share_type = MF_SHARE_VIRTIOFS;
    spec->virtiofsd = g_strdup("/usr/libexec/virtiofsd");
    assert_golden(spec, "spec-virtiofs.args");
}

static MfSpec *
make_spec_of(MfArch arch)
{
    const MfPlatform *platform = mf_platform_get(arch);
    MfSpec *spec = spec_fixture_new("pc");

    spec->arch = arch;
    g_free(spec->qemu);
    spec->qemu = g_strconcat("/usr/bin/qemu-system-", mf_arch_name(arch), NULL);
    g_free(spec->machine);
    spec->machine = g_strdup(mf_platform_machine(arch, MF_ACCEL_TCG));
    g_free(spec->cpu);
    spec->cpu = g_strdup(mf_platform_cpu(arch, MF_ACCEL_TCG));
    g_free(spec->append);
    spec->append =
        g_strconcat("console=", platform->console, " quiet", platform->kernel_args, NULL);
    return spec;
}

static void
test_each_architecture_has_its_machine_console_and_transport(void)
{
    for (MfArch arch = 0; arch < MF_N_ARCHS; arch++) {
        g_autoptr(MfSpec) spec = make_spec_of(arch);
        g_autofree char *name = g_strdup_printf("spec-%s.args", mf_arch_name(arch));

        assert_golden(spec, name);
    }
}

static void
test_every_virtio_device_is_on_ccw_on_s390x(void)
{
    g_autoptr(MfSpec) spec = make_spec_of(MF_ARCH_S390X);

    spec->script_ports = TRUE;
    spec->share_type = MF_SHARE_VIRTIOFS;
    spec->virtiofsd = g_strdup("/usr/libexec/virtiofsd");
    spec->net = MF_NET_USER;
    g_ptr_array_add(spec->disks, mf_disk_new("/images/data", "qcow2", TRUE));
    assert_golden(spec, "spec-s390x-all.args");
}

static void
test_a_restored_machine_of_another_architecture_is_given_its_kernel(void)
{
    g_autoptr(MfSpec) spec = make_spec_of(MF_ARCH_AARCH64);
    const MfBacking backing = {TRUE, 20, 21, -1};

    spec->backing = &backing;
    assert_golden(spec, "spec-aarch64-restored.args");
}

static void
test_kvm_brings_the_hosts_cpu_and_interrupt_controller(void)
{
    for (MfArch arch = 0; arch < MF_N_ARCHS; arch++)
        g_assert_cmpstr(mf_platform_cpu(arch, MF_ACCEL_KVM), ==, "host");
    g_assert_null(mf_platform_ioeventfd(MF_ACCEL_KVM));
    g_assert_cmpstr(mf_platform_machine(MF_ARCH_AARCH64, MF_ACCEL_KVM), ==,
                    "virt,gic-version=host");
    g_assert_cmpstr(mf_platform_machine(MF_ARCH_X86_64, MF_ACCEL_KVM), ==, "q35");
}

static void
test_disks_are_overlaid_unless_they_are_writable(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("pc");

    g_ptr_array_add(spec->disks, mf_disk_new("/images/a,b.img", "raw", FALSE));
    g_ptr_array_add(spec->disks, mf_disk_new("/images/data", "qcow2", TRUE));
    assert_golden(spec, "spec-disks.args");
}

static MfSpec *
make_image_spec(void)
{
    MfSpec *spec = spec_fixture_new("pc");

    g_clear_pointer(&spec->kernel, g_free);
    g_clear_pointer(&spec->initrd, g_free);
    g_clear_pointer(&spec->append, g_free);
    spec->script_ports = TRUE;
    g_ptr_array_add(spec->disks, mf_disk_new("/images/system.img", "raw", FALSE));
    g_ptr_array_add(spec->disks, mf_disk_new("/images/data", "qcow2", FALSE));
    return spec;
}

static void
test_without_a_kernel_the_first_disk_boots(void)
{
    g_autoptr(MfSpec) spec = make_image_spec();

    assert_golden(spec, "spec-image.args");
}

static void
test_uefi_firmware_keeps_its_variables_for_this_run(void)
{
    g_autoptr(MfSpec) spec = make_image_spec();

    spec->firmware = g_new0(MfFirmware, 1);
    spec->firmware->code = g_strdup("/firmware/code.fd");
    spec->firmware->vars = g_strdup("/firmware/va,rs.fd");
    spec->firmware->format = spec->firmware->own_format = "raw";
    assert_golden(spec, "spec-image-uefi.args");
}

static void
test_firmware_of_ones_own_takes_the_bios_place(void)
{
    g_autoptr(MfSpec) spec = make_image_spec();

    spec->bios = g_strdup("/firmware/a,b.bin");
    assert_golden(spec, "spec-image-bios.args");
}

static void
test_a_disc_is_in_the_drive_that_the_machine_has(void)
{
    for (MfArch arch = 0; arch < MF_N_ARCHS; arch++) {
        g_autoptr(MfSpec) spec = make_spec_of(arch);
        g_autofree char *name = g_strdup_printf("spec-disc-%s.args", mf_arch_name(arch));

        g_clear_pointer(&spec->kernel, g_free);
        g_ptr_array_add(spec->disks, mf_disk_new_optical("/images/a,b.iso"));
        g_ptr_array_add(spec->disks, mf_disk_new("/images/data", "raw", FALSE));
        assert_golden(spec, name);
    }
}

/* Where in the command line the first argument is that is 'head', or starts with it. */
static guint
find_argument(const MfArgv *argv, const char *head)
{
    const char *const *words = mf_argv_get(argv);

    for (guint i = 0; words[i]; i++)
        if (g_str_has_prefix(words[i], head))
            return i;
    g_error("'%s' is not on the command line", head);
}

static MfSpec *
make_full_spec(void)
{
    static const char *const extra[] = {"-m", "2G", "-name", "a b,c", NULL};
    MfSpec *spec = spec_fixture_new("pc");

    spec->net = MF_NET_USER;
    spec->debug_exit = TRUE;
    spec->firmware = g_new0(MfFirmware, 1);
    spec->firmware->code = g_strdup("/firmware/code.fd");
    spec->firmware->vars = g_strdup("/run/vars.fd");
    spec->firmware->format = spec->firmware->own_format = "raw";
    spec->extra_args = g_strdupv((char **)extra);
    g_ptr_array_add(spec->disks, mf_disk_new("/images/system.img", "raw", FALSE));
    return spec;
}

static void
test_q_1_arguments_are_in_layers_and_the_users_own_are_last(void)
{
    static const char *const order[] = {
        "-nodefaults",      "-machine", "-accel",        "-cpu",    "-smp",    "1024M",
        "if=pflash,unit=0", "-kernel",  "socket,id=qmp", "-mon",    "-serial", "pvpanic",
        "isa-debug-exit",   "-fsdev",   "virtio-blk",    "-netdev", "-name",
    };
    g_autoptr(MfSpec) spec = make_full_spec();
    g_autoptr(MfArgv) argv = mf_spec_to_argv(spec);
    const char *const *words = mf_argv_get(argv);
    guint length = g_strv_length((char **)words);

    for (gsize i = 1; i < G_N_ELEMENTS(order); i++)
        g_assert_cmpuint(find_argument(argv, order[i - 1]), <, find_argument(argv, order[i]));
    for (guint i = 0; spec->extra_args[i]; i++)
        g_assert_cmpstr(words[length - 4 + i], ==, spec->extra_args[i]);
}

static void
test_q_1_kvm_is_an_accelerator_and_never_forced(void)
{
    for (MfAccel accel = MF_ACCEL_KVM; accel <= MF_ACCEL_TCG; accel++) {
        g_autoptr(MfSpec) spec = make_full_spec();
        g_autoptr(MfArgv) argv = NULL;
        const char *const *words;

        spec->accel = accel;
        argv = mf_spec_to_argv(spec);
        words = mf_argv_get(argv);
        g_assert_false(g_strv_contains(words, "-enable-kvm"));
        g_assert_cmpstr(words[find_argument(argv, "-accel") + 1], ==, mf_accel_name(accel));
    }
}

static void
test_q_2_no_monitor_shares_the_guests_serial_port(void)
{
    g_autoptr(MfSpec) spec = make_full_spec();
    g_autoptr(MfArgv) argv = mf_spec_to_argv(spec);
    const char *const *words = mf_argv_get(argv);

    g_assert_cmpstr(words[find_argument(argv, "-serial") + 1], ==, "chardev:console");
    g_assert_cmpstr(words[find_argument(argv, "-mon") + 1], ==, "chardev=qmp,mode=control");
    g_assert_cmpstr(words[find_argument(argv, "-display") + 1], ==, "none");
    g_assert_false(g_strv_contains(words, "-monitor"));
}

static void
test_q_4_the_device_of_exit_codes_is_there_only_when_asked_for(void)
{
    g_autoptr(MfSpec) spec = make_full_spec();
    g_autoptr(MfArgv) with = mf_spec_to_argv(spec);

    find_argument(with, "isa-debug-exit,iobase=0xf4,iosize=0x4");
    spec->debug_exit = FALSE;

    g_autoptr(MfArgv) without = mf_spec_to_argv(spec);
    g_autofree char *lines = mf_argv_to_lines(without);

    g_assert_null(strstr(lines, "debug-exit"));
}

static void
test_a_machine_that_waits_does_so_from_its_start(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("pc");

    for (int paused = FALSE; paused <= TRUE; paused++) {
        g_autoptr(MfArgv) argv = NULL;

        spec->paused = paused;
        argv = mf_spec_to_argv(spec);
        g_assert_cmpint(g_strv_contains(mf_argv_get(argv), "-S"), ==, paused);
    }
}

static void
test_a_network_and_its_forwarded_ports(void)
{
    const MfForward forwards[] = {{FALSE, 2222, 22}, {TRUE, 5353, 53}};
    g_autoptr(MfSpec) spec = spec_fixture_new("pc");

    spec->net = MF_NET_USER;
    g_array_append_vals(spec->forwards, forwards, G_N_ELEMENTS(forwards));
    assert_golden(spec, "spec-net.args");
}

static void
test_what_a_machine_says_of_itself(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("pc");

    spec->smbios = mf_smbios_new();
    spec->smbios->values[MF_SMBIOS_BIOS_VENDOR] = g_strdup("Bios & Söhne");
    spec->smbios->values[MF_SMBIOS_PRODUCT_NAME] = g_strdup("Standard PC (Q35 + ICH9, 2009)");
    spec->smbios->values[MF_SMBIOS_CHASSIS_SERIAL] = g_strdup("\"it's\"");
    assert_golden(spec, "spec-smbios.args");
}

static void
test_each_tpm_is_reached_in_the_way_of_its_machine(void)
{
    static const struct {
        MfTpm tpm;
        MfArch arch;
        const char *golden;
    } cases[] = {
        {MF_TPM_2_0, MF_ARCH_X86_64, "spec-tpm-2.0.args"},
        {MF_TPM_1_2, MF_ARCH_X86_64, "spec-tpm-1.2.args"},
        {MF_TPM_2_0, MF_ARCH_AARCH64, "spec-tpm-aarch64.args"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(MfSpec) spec = spec_fixture_new("pc");

        spec->tpm = cases[i].tpm;
        spec->arch = cases[i].arch;
        assert_golden(spec, cases[i].golden);
    }
}

static void
add_nodes(MfSpec *spec)
{
    g_ptr_array_add(spec->numa, mf_numa_node_new(512 * MF_MIB, "0"));
    g_ptr_array_add(spec->numa, mf_numa_node_new(512 * MF_MIB, NULL));
    g_ptr_array_add(spec->numa, mf_numa_node_new(0, "1-1"));
}

static void
test_each_numa_node_has_its_memory_and_cpus(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("pc");

    add_nodes(spec);
    assert_golden(spec, "spec-numa.args");
}

static void
test_the_memory_of_numa_nodes_is_shared_with_virtiofs(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("pc");

    add_nodes(spec);
    spec->share_type = MF_SHARE_VIRTIOFS;
    assert_golden(spec, "spec-numa-virtiofs.args");
}

static void
test_share_types_are_read_by_name(void)
{
    MfShareType type = MF_SHARE_AUTO;
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_share_type_parse("virtiofs", &type, NULL));
    g_assert_cmpint(type, ==, MF_SHARE_VIRTIOFS);
    g_assert_true(mf_share_type_parse("9p", &type, NULL));
    g_assert_cmpint(type, ==, MF_SHARE_9P);
    g_assert_false(mf_share_type_parse("nfs", &type, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpint(type, ==, MF_SHARE_9P);
}

static void
test_mounts_are_read_as_documented(void)
{
    static const struct {
        const char *text, *host, *guest;
        gboolean writable;
    } good[] = {
        {"/tmp", "/tmp", "/tmp", FALSE},
        {"ro:/tmp", "/tmp", "/tmp", FALSE},
        {"rw:/tmp:/data", "/tmp", "/data", TRUE},
        {"/tmp:/a b,c", "/tmp", "/a b,c", FALSE},
        {"/tmp/../tmp:/x/../y/", "/tmp", "/y", FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(MfShare) share = mf_share_parse(good[i].text, 3, &error);

        g_assert_no_error(error);
        g_assert_cmpstr(share->host_path, ==, good[i].host);
        g_assert_cmpstr(share->guest_path, ==, good[i].guest);
        g_assert_cmpint(share->writable, ==, good[i].writable);
        g_assert_cmpstr(share->tag, ==, "mayfly.mount3");
    }
}

static void
test_a_colon_in_a_host_path_is_escaped(void)
{
    g_autofree char *directory = g_dir_make_tmp("a:b-XXXXXX", NULL);
    g_auto(GStrv) parts = g_strsplit(directory, ":", -1);
    g_autofree char *escaped = g_strjoinv("\\:", parts);
    g_autofree char *text = g_strconcat(escaped, ":/guest", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(MfShare) share = mf_share_parse(text, 0, &error);

    rmdir(directory);
    g_assert_no_error(error);
    g_assert_cmpstr(share->host_path, ==, directory);
}

static void
test_bad_mounts_are_refused(void)
{
    static const char *const bad[] = {
        "", "rw:", ":/guest", "/tmp:guest", "/no/such/directory", "/etc/passwd", "/tmp:/", "/tmp:"};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autoptr(GError) error = NULL;

        g_assert_null(mf_share_parse(bad[i], 0, &error));
        g_assert_nonnull(error);
        g_assert_nonnull(strstr(error->message, bad[i]));
    }
}

static void
test_a_command_line_that_the_kernel_would_cut_is_refused(void)
{
    static const gsize sizes[] = {[MF_ARCH_X86_64] = 2048,
                                  [MF_ARCH_AARCH64] = 2048,
                                  [MF_ARCH_RISCV64] = 1024,
                                  [MF_ARCH_S390X] = 4096};

    for (MfArch arch = 0; arch < MF_N_ARCHS; arch++) {
        g_autofree char *most = g_strnfill(sizes[arch] - 1, 'x');
        g_autofree char *more = g_strnfill(sizes[arch], 'x');
        g_autofree char *limit = g_strdup_printf(" takes %zu.", sizes[arch] - 1);
        g_autoptr(GError) error = NULL;

        g_assert_true(mf_platform_check_command_line(arch, most, NULL));
        g_assert_false(mf_platform_check_command_line(arch, more, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_nonnull(strstr(error->message, limit));
    }
}

static void
add_share_tests(void)
{
    g_test_add_func("/share/share-types-are-read-by-name", test_share_types_are_read_by_name);
    g_test_add_func("/share/mounts-are-read-as-documented", test_mounts_are_read_as_documented);
    g_test_add_func("/share/a-colon-in-a-host-path-is-escaped",
                    test_a_colon_in_a_host_path_is_escaped);
    g_test_add_func("/share/bad-mounts-are-refused", test_bad_mounts_are_refused);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add_share_tests();
    g_test_add_func("/spec/the-default-machine", test_the_default_machine);
    g_test_add_func("/spec/paths-with-commas-and-spaces-stay-one-value",
                    test_paths_with_commas_and_spaces_stay_one_value);
    g_test_add_func("/spec/a-machine-whose-crash-is-kept-stays-and-has-a-screen",
                    test_a_machine_whose_crash_is_kept_stays_and_has_a_screen);
    g_test_add_func("/spec/script-init-adds-its-ports", test_script_init_adds_its_ports);
    g_test_add_func("/spec/a-machine-to-be-saved-has-its-memory-in-a-file",
                    test_a_machine_to_be_saved_has_its_memory_in_a_file);
    g_test_add_func("/spec/a-restored-machine-waits-for-its-state",
                    test_a_restored_machine_waits_for_its_state);
    g_test_add_func("/spec/an-image-of-a-saved-machine-is-below-two-overlays",
                    test_an_image_of_a_saved_machine_is_below_two_overlays);
    g_test_add_func("/spec/kvm-without-initrd-and-with-extra-arguments",
                    test_kvm_without_initrd_and_with_extra_arguments);
    g_test_add_func("/spec/virtiofs-shares-memory-and-takes-connections",
                    test_virtiofs_shares_memory_and_takes_connections);
    g_test_add_func("/spec/disks-are-overlaid-unless-they-are-writable",
                    test_disks_are_overlaid_unless_they_are_writable);
    g_test_add_func("/spec/without-a-kernel-the-first-disk-boots",
                    test_without_a_kernel_the_first_disk_boots);
    g_test_add_func("/spec/uefi-firmware-keeps-its-variables-for-this-run",
                    test_uefi_firmware_keeps_its_variables_for_this_run);
    g_test_add_func("/spec/firmware-of-ones-own-takes-the-bios-place",
                    test_firmware_of_ones_own_takes_the_bios_place);
    g_test_add_func("/spec/a-disc-is-in-the-drive-that-the-machine-has",
                    test_a_disc_is_in_the_drive_that_the_machine_has);
    g_test_add_func("/spec/q-1-arguments-are-in-layers-and-the-users-own-are-last",
                    test_q_1_arguments_are_in_layers_and_the_users_own_are_last);
    g_test_add_func("/spec/q-1-kvm-is-an-accelerator-and-never-forced",
                    test_q_1_kvm_is_an_accelerator_and_never_forced);
    g_test_add_func("/spec/q-2-no-monitor-shares-the-guests-serial-port",
                    test_q_2_no_monitor_shares_the_guests_serial_port);
    g_test_add_func("/spec/q-4-the-device-of-exit-codes-is-there-only-when-asked-for",
                    test_q_4_the_device_of_exit_codes_is_there_only_when_asked_for);
    g_test_add_func("/spec/a-machine-that-waits-does-so-from-its-start",
                    test_a_machine_that_waits_does_so_from_its_start);
    g_test_add_func("/spec/a-network-and-its-forwarded-ports",
                    test_a_network_and_its_forwarded_ports);
    g_test_add_func("/spec/what-a-machine-says-of-itself", test_what_a_machine_says_of_itself);
    g_test_add_func("/spec/each-tpm-is-reached-in-the-way-of-its-machine",
                    test_each_tpm_is_reached_in_the_way_of_its_machine);
    g_test_add_func("/spec/each-numa-node-has-its-memory-and-cpus",
                    test_each_numa_node_has_its_memory_and_cpus);
    g_test_add_func("/spec/the-memory-of-numa-nodes-is-shared-with-virtiofs",
                    test_the_memory_of_numa_nodes_is_shared_with_virtiofs);
    g_test_add_func("/spec/each-architecture-has-its-machine-console-and-transport",
                    test_each_architecture_has_its_machine_console_and_transport);
    g_test_add_func("/spec/every-virtio-device-is-on-ccw-on-s390x",
                    test_every_virtio_device_is_on_ccw_on_s390x);
    g_test_add_func("/spec/a-restored-machine-of-another-architecture-is-given-its-kernel",
                    test_a_restored_machine_of_another_architecture_is_given_its_kernel);
    g_test_add_func("/spec/kvm-brings-the-hosts-cpu-and-interrupt-controller",
                    test_kvm_brings_the_hosts_cpu_and_interrupt_controller);
    g_test_add_func("/spec/a-command-line-that-the-kernel-would-cut-is-refused",
                    test_a_command_line_that_the_kernel_would_cut_is_refused);
    return g_test_run();
}

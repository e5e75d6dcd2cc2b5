/* SPDX-License-Identifier: Apache-2.0 */
#include "warm/key.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/parse.h"
#include "spec-fixture.h"
#include "warm/transfer.h"

static MfWarmFacts
make_facts(void)
{
    return (MfWarmFacts){
        .guest = (char *)"guest",
        .qemu = (char *)"1-2-3",
        .kernel = (char *)"4-5-6",
        .initramfs = (char *)"7-8-9",
        .disk = (char *)"none",
        .firmware = (char *)"none",
        .host_cpu = (char *)"cpu",
        .host_kernel = (char *)"any",
    };
}

static char *
key_of(const MfSpec *spec, const MfWarmFacts *facts)
{
    g_autoptr(MfWarmKey) key = mf_warm_key_new(spec, facts);

    return g_strdup(key->id);
}

typedef void (*Change)(MfSpec *spec, MfWarmFacts *facts);

static void
replace(char **text, const char *with)
{
    g_free(*text);
    *text = g_strdup(with);
}

static void
change_machine(MfSpec *spec, MfWarmFacts *facts)
{
    replace(&spec->machine, "pc");
}

static void
change_accel(MfSpec *spec, MfWarmFacts *facts)
{
    spec->accel = MF_ACCEL_KVM;
}

static void
change_cpu(MfSpec *spec, MfWarmFacts *facts)
{
    replace(&spec->cpu, "qemu64");
}

static void
change_cpus(MfSpec *spec, MfWarmFacts *facts)
{
    spec->cpus = 3;
}

static void
change_memory(MfSpec *spec, MfWarmFacts *facts)
{
    spec->memory = 2 * MF_GIB;
}

static void
change_append(MfSpec *spec, MfWarmFacts *facts)
{
    replace(&spec->append, "console=ttyS0");
}

static void
add_share(MfSpec *spec, MfWarmFacts *facts)
{
    g_ptr_array_add(spec->shares, mf_share_new("mount0", "mayfly.mount0", "/", "/x", FALSE));
}

static void
swap_shares(MfSpec *spec, MfWarmFacts *facts)
{
    gpointer first = spec->shares->pdata[0];

    spec->shares->pdata[0] = spec->shares->pdata[1];
    spec->shares->pdata[1] = first;
}

static void
change_tag(MfSpec *spec, MfWarmFacts *facts)
{
    replace(&((MfShare *)spec->shares->pdata[1])->tag, "mayfly.other");
}

static void
add_script_ports(MfSpec *spec, MfWarmFacts *facts)
{
    spec->script_ports = TRUE;
}

static void
change_guest(MfSpec *spec, MfWarmFacts *facts)
{
    facts->guest = (char *)"another build";
}

static void
change_qemu(MfSpec *spec, MfWarmFacts *facts)
{
    facts->qemu = (char *)"1-2-4";
}

static void
change_kernel(MfSpec *spec, MfWarmFacts *facts)
{
    facts->kernel = (char *)"4-5-7";
}

static void
change_initramfs(MfSpec *spec, MfWarmFacts *facts)
{
    facts->initramfs = (char *)"7-8-0";
}

static void
change_disk(MfSpec *spec, MfWarmFacts *facts)
{
    facts->disk = (char *)"1-1-1 2-2-2";
}

static void
change_firmware(MfSpec *spec, MfWarmFacts *facts)
{
    facts->firmware = (char *)"3-3-3 4-4-4";
}

static void
change_host_cpu(MfSpec *spec, MfWarmFacts *facts)
{
    facts->host_cpu = (char *)"another";
}

static void
change_host_kernel(MfSpec *spec, MfWarmFacts *facts)
{
    facts->host_kernel = (char *)"6.2";
}

static void
set_smbios(MfSpec *spec, MfWarmFacts *facts)
{
    spec->smbios = mf_smbios_new();
    spec->smbios->values[MF_SMBIOS_BIOS_DATE] = g_strdup("/a,/b=/c:/d");
}

static void
test_each_part_alone_changes_the_key(void)
{
    static const Change changes[] = {
        change_machine,     change_accel, change_cpu,    change_cpus,      change_memory,
        change_append,      add_share,    swap_shares,   change_tag,       add_script_ports,
        change_guest,       change_qemu,  change_kernel, change_initramfs, change_host_cpu,
        change_host_kernel, set_smbios,   change_disk,   change_firmware,
    };
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(changes); i++) {
        g_autoptr(MfSpec) spec = spec_fixture_new("q35");
        MfWarmFacts facts = make_facts();

        if (i == 0)
            g_hash_table_add(seen, key_of(spec, &facts));
        changes[i](spec, &facts);
        g_test_message("change %zu", i);
        g_assert_true(g_hash_table_add(seen, key_of(spec, &facts)));
    }
}

static void
test_what_is_the_runs_alone_is_not_in_the_key(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("q35");
    g_autoptr(MfSpec) other = spec_fixture_new("q35");
    MfWarmFacts facts = make_facts();
    MfBacking backing = {TRUE, 5, 6, 7};
    MfShare *share = other->shares->pdata[1];

    replace(&((MfShare *)other->shares->pdata[0])->host_path, "/another/root");
    replace(&share->host_path, "/elsewhere");
    replace(&share->guest_path, "/there");
    share->writable = FALSE;
    other->qmp_socket = g_strdup("/run/qmp");
    other->backing = &backing;

    g_autofree char *first = key_of(spec, &facts);
    g_autofree char *second = key_of(other, &facts);
    g_assert_cmpstr(first, ==, second);
}

/* A machine that boots an image by UEFI, as a run has it whose variables are in 'directory'. */
static MfSpec *
make_image_spec(const char *image, const char *directory)
{
    MfSpec *spec = spec_fixture_new("q35");

    g_clear_pointer(&spec->kernel, g_free);
    g_clear_pointer(&spec->initrd, g_free);
    g_clear_pointer(&spec->append, g_free);
    g_ptr_array_add(spec->disks, mf_disk_new(image, "raw", FALSE));
    spec->firmware = g_new0(MfFirmware, 1);
    spec->firmware->code = g_strdup("/firmware/code");
    spec->firmware->vars = g_build_filename(directory, "vars", NULL);
    spec->firmware->original_vars = g_strdup("/firmware/vars");
    spec->firmware->format = spec->firmware->own_format = "raw";
    return spec;
}

static void
test_an_image_is_known_by_its_files_and_not_by_their_paths(void)
{
    g_autoptr(MfSpec) spec = make_image_spec("/images/a", "/tmp/1");
    g_autoptr(MfSpec) other = make_image_spec("/images/b", "/tmp/2");
    MfWarmFacts facts = make_facts();
    MfDisk *disk = other->disks->pdata[0];

    g_assert_null(mf_warm_why_not(spec));
    g_autofree char *first = key_of(spec, &facts);
    g_autofree char *second = key_of(other, &facts);
    g_assert_cmpstr(first, ==, second);
    facts.disk = (char *)"1-1-1";
    g_autofree char *third = key_of(spec, &facts);
    g_assert_cmpstr(first, !=, third);

    replace(&disk->format, "qcow2");
    g_autofree char *fourth = key_of(other, &facts);
    g_assert_cmpstr(third, !=, fourth);
}

static void
test_a_disc_is_known_by_its_file_and_by_its_drive(void)
{
    g_autoptr(MfSpec) disk = make_image_spec("/images/a", "/tmp/1");
    g_autoptr(MfSpec) disc = make_image_spec("/images/a", "/tmp/1");
    MfWarmFacts facts = make_facts();

    g_ptr_array_set_size(disc->disks, 0);
    g_ptr_array_add(disc->disks, mf_disk_new_optical("/images/a"));
    g_assert_null(mf_warm_why_not(disc));
    g_autofree char *first = key_of(disk, &facts);
    g_autofree char *second = key_of(disc, &facts);
    g_assert_cmpstr(first, !=, second);
    facts.disk = (char *)"1-1-1";
    g_autofree char *third = key_of(disc, &facts);
    g_assert_cmpstr(second, !=, third);
}

static void
make_writable(MfSpec *spec)
{
    ((MfDisk *)spec->disks->pdata[0])->writable = TRUE;
}

static void
make_fleeting(MfSpec *spec)
{
    ((MfDisk *)spec->disks->pdata[0])->fleeting = TRUE;
}

static void
add_disk(MfSpec *spec)
{
    g_ptr_array_add(spec->disks, mf_disk_new("/images/other", "raw", FALSE));
}

static void
make_secure(MfSpec *spec)
{
    spec->firmware->secure = TRUE;
}

static void
make_paused(MfSpec *spec)
{
    spec->paused = TRUE;
}

static void
share_by_virtiofs(MfSpec *spec)
{
    spec->share_type = MF_SHARE_VIRTIOFS;
}

static void
add_tpm(MfSpec *spec)
{
    spec->tpm = MF_TPM_2_0;
}

static void
test_an_image_that_cannot_be_saved_is_known(void)
{
    static const struct {
        void (*change)(MfSpec *spec);
        const char *reason;
    } cases[] = {
        {make_writable, "written to"},
        {make_fleeting, "anew for each run"},
        {add_disk, "on a disk"},
        {make_secure, "Secure Boot"},
        {make_paused, "nothing of mayfly's"},
        {share_by_virtiofs, "virtiofs"},
        {add_tpm, "TPM"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(MfSpec) spec = make_image_spec("/images/a", "/tmp/1");

        g_assert_null(mf_warm_why_not(spec));
        cases[i].change(spec);
        g_test_message("%s", cases[i].reason);
        g_assert_nonnull(mf_warm_why_not(spec));
        g_assert_nonnull(strstr(mf_warm_why_not(spec), cases[i].reason));
    }
}

static void
test_the_text_is_one_part_a_line_without_paths(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("q35");
    MfWarmFacts facts = make_facts();
    g_autoptr(MfWarmKey) key = mf_warm_key_new(spec, &facts);
    g_autofree char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, key->text, -1);

    g_assert_cmpstr(key->id, ==, sum);
    g_assert_true(g_str_has_prefix(key->text, "format 3\nguest guest\nqemu 1-2-3\nkernel 4-5-6\n"
                                              "initramfs 7-8-9\ndisk none\nfirmware none\n"
                                              "host-cpu cpu\nhost-kernel any\n"
                                              "machine "));
    g_assert_nonnull(strstr(key->text, "mount_tag=mayfly.share"));
    g_assert_nonnull(strstr(key->text, "console=ttyS0 quiet"));
    g_assert_null(strstr(key->text, "/cache/"));
    g_assert_null(strstr(key->text, "/src"));
}

static void
test_a_machine_that_cannot_be_saved_is_known(void)
{
    const char *extra[] = {"-device", "x", NULL};
    g_autoptr(MfSpec) spec = spec_fixture_new("q35");

    g_assert_null(mf_warm_why_not(spec));
    spec->extra_args = g_strdupv((char **)extra);
    g_assert_nonnull(mf_warm_why_not(spec));
    g_clear_pointer(&spec->extra_args, g_strfreev);
    g_clear_pointer(&spec->initrd, g_free);
    g_assert_nonnull(mf_warm_why_not(spec));
    spec->initrd = g_strdup("/cache/initramfs/a");
    spec->share_type = MF_SHARE_VIRTIOFS;
    g_assert_nonnull(mf_warm_why_not(spec));
    g_autoptr(MfSpec) uefi = make_image_spec("/images/a", "/tmp/1");
    uefi->kernel = g_strdup("/cache/images/vmlinux");
    uefi->initrd = g_strdup("/cache/initramfs/a");
    uefi->append = g_strdup("quiet");
    g_ptr_array_set_size(uefi->disks, 0);
    g_assert_nonnull(mf_warm_why_not(uefi));
    spec->share_type = MF_SHARE_9P;
    g_assert_null(mf_warm_why_not(spec));
    spec->net = MF_NET_USER;
    g_assert_nonnull(mf_warm_why_not(spec));
    spec->net = MF_NET_NONE;
    g_ptr_array_add(spec->numa, mf_numa_node_new(spec->memory, NULL));
    g_assert_nonnull(mf_warm_why_not(spec));
    g_ptr_array_set_size(spec->numa, 0);
    spec->tpm = MF_TPM_2_0;
    g_assert_nonnull(mf_warm_why_not(spec));
    spec->tpm = MF_TPM_NONE;
    g_assert_null(mf_warm_why_not(spec));
    g_ptr_array_add(spec->disks, mf_disk_new("/disk", "raw", FALSE));
    g_assert_nonnull(mf_warm_why_not(spec));
}

/* Whatever the spec learns of: a file that the key does not know by its content is no part of it.
 */
static void
test_a_machine_with_a_file_that_the_key_does_not_know_is_not_saved(void)
{
    static const char *const machines[] = {"q35,firmware=/boot/fw", "/q35", "q35,x=a:/b", "q35,/b"};
    g_autoptr(MfSpec) spec = spec_fixture_new("q35");
    g_autofree char *machine = g_strdup(spec->machine);

    replace(&spec->append, "init=/bin/sh root=/dev/vda");
    g_assert_null(mf_warm_why_not(spec));
    for (gsize i = 0; i < G_N_ELEMENTS(machines); i++) {
        replace(&spec->machine, machines[i]);
        g_test_message("%s", machines[i]);
        g_assert_nonnull(mf_warm_why_not(spec));
    }
    replace(&spec->machine, machine);
    replace(&spec->cpu, "max,x=/y");
    g_assert_nonnull(mf_warm_why_not(spec));
}

static void
test_a_machine_that_says_something_of_itself_is_saved(void)
{
    g_autoptr(MfSpec) spec = spec_fixture_new("q35");

    set_smbios(spec, NULL);
    g_assert_null(mf_warm_why_not(spec));
}

static void
test_the_cpu_is_known_by_what_lasts(void)
{
    const char *cpu = "processor\t: 0\nvendor_id\t: X\nmodel\t\t: 6\ncpu MHz\t\t: 2000.1\n"
                      "flags\t\t: a b\n\nprocessor\t: 1\nvendor_id\t: X\n";
    const char *warmer = "processor\t: 0\nvendor_id\t: X\nmodel\t\t: 6\ncpu MHz\t\t: 3100.9\n"
                         "flags\t\t: a b\n\nprocessor\t: 1\n";
    const char *other = "processor\t: 0\nvendor_id\t: X\nmodel\t\t: 6\nflags\t\t: a b c\n\n";
    g_autofree char *first = mf_warm_describe_cpu(cpu);
    g_autofree char *second = mf_warm_describe_cpu(warmer);
    g_autofree char *third = mf_warm_describe_cpu(other);

    g_assert_cmpstr(first, ==, second);
    g_assert_cmpstr(first, !=, third);
}

static void
test_facts_follow_the_files(void)
{
    g_autofree char *path = NULL;
    g_autoptr(MfSpec) spec = spec_fixture_new("q35");
    g_auto(MfWarmFacts) before = {0}, after = {0};
    g_autoptr(GError) error = NULL;
    int fd = g_file_open_tmp("mayfly-test-XXXXXX", &path, &error);

    g_assert_no_error(error);
    g_close(fd, NULL);
    replace(&spec->qemu, path);
    replace(&spec->kernel, path);
    replace(&spec->initrd, path);
    g_assert_true(mf_warm_facts_gather(spec, &before, &error));
    g_assert_true(g_file_set_contents(path, "rebuilt", -1, &error));
    g_assert_true(mf_warm_facts_gather(spec, &after, &error));
    g_assert_cmpstr(before.kernel, !=, after.kernel);
    g_assert_cmpstr(before.initramfs, !=, after.initramfs);
    g_assert_cmpstr(before.qemu, !=, after.qemu);
    g_assert_cmpstr(before.host_cpu, ==, after.host_cpu);

    g_assert_cmpint(g_remove(path), ==, 0);
    g_auto(MfWarmFacts) gone = {0};
    g_assert_false(mf_warm_facts_gather(spec, &gone, &error));
    g_assert_nonnull(strstr(error->message, path));
}

static void
test_facts_of_an_image_follow_its_files_and_its_firmwares(void)
{
    g_autofree char *path = NULL;
    g_autoptr(MfSpec) spec = NULL;
    g_auto(MfWarmFacts) facts = {0};
    g_autoptr(GError) error = NULL;
    int fd = g_file_open_tmp("mayfly-test-XXXXXX", &path, &error);

    g_assert_no_error(error);
    g_close(fd, NULL);
    spec = make_image_spec(path, "/tmp/absent");
    replace(&spec->qemu, path);
    replace(&spec->firmware->code, path);
    replace(&spec->firmware->original_vars, path);
    g_assert_true(mf_warm_facts_gather(spec, &facts, &error));
    g_assert_cmpstr(facts.kernel, ==, "none");
    g_assert_cmpstr(facts.initramfs, ==, "none");
    g_assert_cmpstr(facts.disk, ==, facts.qemu);
    g_autofree char *both = g_strdup_printf("%s %s", facts.qemu, facts.qemu);
    g_assert_cmpstr(facts.firmware, ==, both);

    g_auto(MfWarmFacts) gone = {0};
    replace(&spec->firmware->original_vars, "/absent/vars");
    g_assert_false(mf_warm_facts_gather(spec, &gone, &error));
    g_assert_nonnull(strstr(error->message, "/absent/vars"));
    g_clear_pointer(&spec->firmware, mf_firmware_free);
    spec->bios = g_strdup(path);
    g_auto(MfWarmFacts) other = {0};
    g_assert_true(mf_warm_facts_gather(spec, &other, NULL));
    g_assert_cmpstr(other.firmware, ==, facts.qemu);
    g_assert_cmpint(g_remove(path), ==, 0);
}

static void
test_state_goes_by_the_means_of_qemus_version(void)
{
    static const struct {
        guint major, minor;
        gboolean saving;
        const char *uri;
    } cases[] = {
        {7, 2, TRUE, "fd:state"},
        {7, 2, FALSE, "fd:11"},
        {8, 1, FALSE, "fd:11"},
        {8, 2, TRUE, "file:/proc/self/fd/11"},
        {8, 2, FALSE, "file:/proc/self/fd/11"},
        {10, 0, TRUE, "file:/proc/self/fd/11"},
    };

    g_assert_cmpint(MF_STATE_FD, ==, 11);
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *uri =
            mf_warm_transfer_uri(cases[i].major, cases[i].minor, cases[i].saving);

        g_assert_cmpstr(uri, ==, cases[i].uri);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/warm-key/each-part-alone-changes-the-key",
                    test_each_part_alone_changes_the_key);
    g_test_add_func("/warm-key/what-is-the-runs-alone-is-not-in-the-key",
                    test_what_is_the_runs_alone_is_not_in_the_key);
    g_test_add_func("/warm-key/an-image-is-known-by-its-files-and-not-by-their-paths",
                    test_an_image_is_known_by_its_files_and_not_by_their_paths);
    g_test_add_func("/warm-key/a-disc-is-known-by-its-file-and-by-its-drive",
                    test_a_disc_is_known_by_its_file_and_by_its_drive);
    g_test_add_func("/warm-key/an-image-that-cannot-be-saved-is-known",
                    test_an_image_that_cannot_be_saved_is_known);
    g_test_add_func("/warm-key/facts-of-an-image-follow-its-files-and-its-firmwares",
                    test_facts_of_an_image_follow_its_files_and_its_firmwares);
    g_test_add_func("/warm-key/the-text-is-one-part-a-line-without-paths",
                    test_the_text_is_one_part_a_line_without_paths);
    g_test_add_func("/warm-key/a-machine-that-cannot-be-saved-is-known",
                    test_a_machine_that_cannot_be_saved_is_known);
    g_test_add_func("/warm-key/a-machine-with-a-file-that-the-key-does-not-know-is-not-saved",
                    test_a_machine_with_a_file_that_the_key_does_not_know_is_not_saved);
    g_test_add_func("/warm-key/a-machine-that-says-something-of-itself-is-saved",
                    test_a_machine_that_says_something_of_itself_is_saved);
    g_test_add_func("/warm-key/the-cpu-is-known-by-what-lasts",
                    test_the_cpu_is_known_by_what_lasts);
    g_test_add_func("/warm-key/facts-follow-the-files", test_facts_follow_the_files);
    g_test_add_func("/warm-key/state-goes-by-the-means-of-qemus-version",
                    test_state_goes_by_the_means_of_qemus_version);
    return g_test_run();
}

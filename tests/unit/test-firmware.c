/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/firmware.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/tempdir.h"
#include "golden.h"
#include "machine/spec.h"

#define FLASH_4M 540672
#define FLASH_2M 131072

typedef struct {
    char *root; /* stands for this host's "/" */
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->root = mf_tempdir_make(NULL);
    g_assert_nonnull(fixture->root);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    mf_tempdir_remove(fixture->root);
    g_free(fixture->root);
}

/* A file whose flash has that many bytes: as it is, or in a qcow2's header. */
static void
install_flash(const Fixture *fixture, const char *path, guint32 size)
{
    g_autofree char *file = g_strconcat(fixture->root, path, NULL);
    g_autofree char *directory = g_path_get_dirname(file);
    gboolean is_qcow2 = g_str_has_suffix(path, ".qcow2");
    g_autofree char *content = g_malloc0(size);
    guint32 big = GUINT32_TO_BE(size);

    g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
    g_snprintf(content, size, "flash %s", path);
    if (is_qcow2) {
        memcpy(content, "QFI\xfb\0\0\0\3", 8);
        memcpy(content + 28, &big, sizeof(big));
    }
    g_assert_true(g_file_set_contents(file, content, is_qcow2 ? 100 : size, NULL));
}

static void
install(const Fixture *fixture, const char *path)
{
    install_flash(fixture, path, 100);
}

static void
install_all(const Fixture *fixture, const char *directory, const char *files)
{
    g_auto(GStrv) names = g_strsplit(files, " ", -1);

    for (char **name = names; *name; name++) {
        g_autofree char *path = g_strconcat(directory, *name, NULL);

        install(fixture, path);
    }
}

static MfFirmware *
find(const Fixture *fixture, MfArch arch, MfSecureBoot mode, GError **error)
{
    return mf_firmware_find(fixture->root, arch, mode, NULL, error);
}

static void
assert_found(const Fixture *fixture, MfArch arch, const char *code, const char *vars)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MfFirmware) firmware = find(fixture, arch, MF_SECURE_BOOT_OFF, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(firmware->code + strlen(fixture->root), ==, code);
    g_assert_cmpstr(firmware->vars + strlen(fixture->root), ==, vars);
}

/* What of QEMU's command line is about the firmware; without the fixture's root. */
static char *
describe_argv(const Fixture *fixture, MfFirmware *firmware)
{
    g_autoptr(MfSpec) spec = mf_spec_new();
    GString *text = g_string_new(NULL);

    spec->arch = MF_ARCH_X86_64;
    spec->qemu = g_strdup("qemu");
    spec->machine = g_strdup("q35");
    spec->cpu = g_strdup("max");
    spec->cpus = 1;
    spec->firmware = firmware;

    g_autoptr(MfArgv) argv = mf_spec_to_argv(spec);
    g_autofree char *all = mf_argv_to_lines(argv);
    g_auto(GStrv) lines = g_strsplit(all, "\n", -1);
    for (char **line = lines; *line; line++)
        if (strstr(*line, "-machine ") || strstr(*line, "-global ") || strstr(*line, "if=pflash"))
            g_string_append_printf(text, "%s\n", g_strchomp(*line));
    g_string_replace(text, fixture->root, "", 0);
    return g_string_free(text, FALSE);
}

/* Compares with the golden file what the firmware of each mode comes to, or that there is none. */
static void
assert_layout(const Fixture *fixture, const char *golden)
{
    g_autoptr(GString) text = g_string_new(NULL);

    for (MfSecureBoot mode = 0; mode <= MF_SECURE_BOOT_MS; mode++) {
        g_autoptr(GError) error = NULL;
        MfFirmware *firmware = find(fixture, MF_ARCH_X86_64, mode, &error);
        g_autofree char *lines =
            firmware ? describe_argv(fixture, firmware) : g_strdup_printf("%s\n", error->message);

        g_string_append_printf(text, "%s:\n%s", mf_secure_boot_name(mode), lines);
    }
    golden_assert(golden, text->str);
}

static void
test_debians_4m_files_are_paired(Fixture *fixture, gconstpointer data)
{
    install_all(fixture, "/usr/share/OVMF/",
                "OVMF_CODE_4M.fd OVMF_VARS_4M.fd OVMF_CODE_4M.secboot.fd OVMF_VARS_4M.ms.fd");
    /* Its package has the others, too. */
    install_all(fixture, "/usr/share/OVMF/",
                "OVMF_CODE.fd OVMF_VARS.fd OVMF_CODE.secboot.fd OVMF_VARS.ms.fd");
    assert_layout(fixture, "firmware-debian-4m.args");
}

static void
test_debians_2m_files_are_paired(Fixture *fixture, gconstpointer data)
{
    install_all(fixture, "/usr/share/OVMF/",
                "OVMF_CODE.fd OVMF_VARS.fd OVMF_CODE.secboot.fd OVMF_VARS.ms.fd");
    assert_layout(fixture, "firmware-debian-2m.args");
}

static void
test_fedoras_files_are_paired_and_are_qcow2(Fixture *fixture, gconstpointer data)
{
    install_all(fixture, "/usr/share/edk2/ovmf/",
                "OVMF_CODE_4M.qcow2 OVMF_VARS_4M.qcow2 OVMF_CODE_4M.secboot.qcow2 "
                "OVMF_VARS_4M.secboot.qcow2 OVMF_CODE.fd OVMF_VARS.fd OVMF_CODE.secboot.fd "
                "OVMF_VARS.secboot.fd");
    /* It has links at Debian's place, but of the smaller ones only. */
    install_all(fixture, "/usr/share/OVMF/",
                "OVMF_CODE.fd OVMF_VARS.fd OVMF_CODE.secboot.fd OVMF_VARS.secboot.fd");
    assert_layout(fixture, "firmware-fedora.args");
}

static void
test_fedoras_2m_files_are_paired(Fixture *fixture, gconstpointer data)
{
    install_all(fixture, "/usr/share/edk2/ovmf/",
                "OVMF_CODE.fd OVMF_VARS.fd OVMF_CODE.secboot.fd OVMF_VARS.secboot.fd");
    assert_layout(fixture, "firmware-fedora-2m.args");
}

static void
test_archs_files_are_paired_and_have_no_keys(Fixture *fixture, gconstpointer data)
{
    install_all(fixture, "/usr/share/edk2/x64/",
                "OVMF_CODE.4m.fd OVMF_VARS.4m.fd OVMF_CODE.secboot.4m.fd");
    assert_layout(fixture, "firmware-arch.args");
}

static void
test_opensuses_files_are_paired(Fixture *fixture, gconstpointer data)
{
    install_all(fixture, "/usr/share/qemu/",
                "ovmf-x86_64-4m-code.bin ovmf-x86_64-4m-vars.bin ovmf-x86_64-smm-code.bin "
                "ovmf-x86_64-smm-vars.bin ovmf-x86_64-smm-ms-code.bin "
                "ovmf-x86_64-smm-ms-vars.bin");
    assert_layout(fixture, "firmware-opensuse.args");
}

static void
test_a_host_without_firmware_names_the_package(Fixture *fixture, gconstpointer data)
{
    assert_layout(fixture, "firmware-none.args");
}

static void
test_enrolled_variables_without_their_code_are_no_pair(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    install_all(fixture, "/usr/share/OVMF/",
                "OVMF_CODE_4M.fd OVMF_VARS_4M.fd OVMF_VARS_4M.ms.fd OVMF_CODE.secboot.fd");
    g_assert_null(find(fixture, MF_ARCH_X86_64, MF_SECURE_BOOT_MS, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, "Debian: ovmf"));
}

static void
install_all_sizes(const Fixture *fixture)
{
    install(fixture, "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd");
    install_flash(fixture, "/usr/share/OVMF/OVMF_VARS_4M.fd", FLASH_4M);
    install(fixture, "/usr/share/OVMF/OVMF_CODE.secboot.fd");
    install_flash(fixture, "/usr/share/OVMF/OVMF_VARS.fd", FLASH_2M);
}

static void
assert_custom(const Fixture *fixture, const char *own, const char *code, const char *own_format)
{
    g_autofree char *path = g_strconcat(fixture->root, own, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(MfFirmware) firmware =
        mf_firmware_find(fixture->root, MF_ARCH_X86_64, MF_SECURE_BOOT_CUSTOM, path, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(firmware->code + strlen(fixture->root), ==, code);
    g_assert_cmpstr(firmware->vars, ==, path);
    g_assert_cmpstr(firmware->own_format, ==, own_format);
    g_assert_true(firmware->smm);
}

static void
test_variables_of_ones_own_get_the_code_that_they_fit(Fixture *fixture, gconstpointer data)
{
    install_all_sizes(fixture);
    install_flash(fixture, "/own/4m.fd", FLASH_4M);
    install_flash(fixture, "/own/2m.fd", FLASH_2M);
    install_flash(fixture, "/own/4m.qcow2", FLASH_4M);
    assert_custom(fixture, "/own/4m.fd", "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "raw");
    assert_custom(fixture, "/own/2m.fd", "/usr/share/OVMF/OVMF_CODE.secboot.fd", "raw");
    assert_custom(fixture, "/own/4m.qcow2", "/usr/share/OVMF/OVMF_CODE_4M.secboot.fd", "qcow2");
}

static void
test_variables_that_fit_no_code_are_refused(Fixture *fixture, gconstpointer data)
{
    static const struct {
        const char *own, *words;
        MfErrorCode code;
        gboolean installed;
    } cases[] = {
        {"/own/odd.fd", "'*/own/odd.fd' are 77 bytes, and no firmware on this host has as many*",
         MF_ERROR_CONFIG, TRUE},
        {"/own/absent.fd", "'*/own/absent.fd', cannot be read: No such file or directory",
         MF_ERROR_CONFIG, TRUE},
        {"/own/odd.fd", "*with Secure Boot was not found: install it (Debian: ovmf*", MF_ERROR_HOST,
         FALSE},
    };

    install_flash(fixture, "/own/odd.fd", 77);
    for (gsize i = G_N_ELEMENTS(cases); i-- > 0;) {
        g_autofree char *path = g_strconcat(fixture->root, cases[i].own, NULL);
        g_autofree char *pattern = g_strconcat("*", cases[i].words, NULL);
        g_autoptr(GError) error = NULL;

        if (cases[i].installed)
            install_all_sizes(fixture);
        g_assert_null(
            mf_firmware_find(fixture->root, MF_ARCH_X86_64, MF_SECURE_BOOT_CUSTOM, path, &error));
        g_assert_error(error, MF_ERROR, (int)cases[i].code);
        if (!g_pattern_match_simple(pattern, error->message))
            g_error("'%s' does not match '%s'", error->message, pattern);
    }
}

static void
test_an_architecture_without_secure_boot_is_refused(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    install(fixture, "/usr/share/qemu-efi-riscv64/RISCV_VIRT_CODE.fd");
    install(fixture, "/usr/share/qemu-efi-riscv64/RISCV_VIRT_VARS.fd");
    g_assert_null(find(fixture, MF_ARCH_RISCV64, MF_SECURE_BOOT_MS, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "riscv64"));
}

static void
test_secure_boot_on_arm_needs_no_system_management(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfFirmware) firmware = NULL;

    install_all(fixture, "/usr/share/AAVMF/", "AAVMF_CODE.ms.fd AAVMF_VARS.ms.fd");
    firmware = find(fixture, MF_ARCH_AARCH64, MF_SECURE_BOOT_MS, NULL);
    g_assert_nonnull(firmware);
    g_assert_false(firmware->smm);
}

static void
test_each_mode_has_its_name(void)
{
    g_autoptr(GError) error = NULL;

    for (MfSecureBoot mode = 0; mode < MF_N_SECURE_BOOTS; mode++) {
        MfSecureBoot parsed = MF_N_SECURE_BOOTS;

        g_assert_true(mf_secure_boot_parse(mf_secure_boot_name(mode), &parsed, NULL));
        g_assert_cmpint(parsed, ==, mode);
    }

    MfSecureBoot untouched = MF_SECURE_BOOT_MS;
    g_assert_false(mf_secure_boot_parse("on", &untouched, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpint(untouched, ==, MF_SECURE_BOOT_MS);
}

static void
test_each_distributions_places_are_known(Fixture *fixture, gconstpointer data)
{
    /* In the opposite order of preference, so that each new one is found. */
    static const struct {
        const char *code, *vars;
    } places[] = {
        {"/usr/share/qemu/edk2-x86_64-code.fd", "/usr/share/qemu/edk2-i386-vars.fd"},
        {"/usr/share/edk2-ovmf/x64/OVMF_CODE.fd", "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd"},
        {"/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"},
        {"/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"},
        {"/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"},
        {"/usr/share/edk2/ovmf/OVMF_CODE_4M.qcow2", "/usr/share/edk2/ovmf/OVMF_VARS_4M.qcow2"},
        {"/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        install(fixture, places[i].code);
        install(fixture, places[i].vars);
        assert_found(fixture, MF_ARCH_X86_64, places[i].code, places[i].vars);
    }
}

static void
test_code_without_its_variables_is_passed_over(Fixture *fixture, gconstpointer data)
{
    install(fixture, "/usr/share/OVMF/OVMF_CODE_4M.fd");
    install(fixture, "/usr/share/OVMF/OVMF_CODE.fd");
    install(fixture, "/usr/share/OVMF/OVMF_VARS.fd");
    assert_found(fixture, MF_ARCH_X86_64, "/usr/share/OVMF/OVMF_CODE.fd",
                 "/usr/share/OVMF/OVMF_VARS.fd");
}

static void
test_the_firmware_is_the_architectures(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    install(fixture, "/usr/share/AAVMF/AAVMF_CODE.fd");
    install(fixture, "/usr/share/AAVMF/AAVMF_VARS.fd");
    assert_found(fixture, MF_ARCH_AARCH64, "/usr/share/AAVMF/AAVMF_CODE.fd",
                 "/usr/share/AAVMF/AAVMF_VARS.fd");
    g_assert_null(find(fixture, MF_ARCH_X86_64, MF_SECURE_BOOT_OFF, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, "Debian: ovmf"));
}

/* A firmware to copy from, and the private directory of a run. */
static MfFirmware *
make_copyable(Fixture *fixture, char **ret_directory)
{
    install(fixture, "/usr/share/OVMF/OVMF_CODE_4M.fd");
    install_flash(fixture, "/usr/share/OVMF/OVMF_VARS_4M.fd", FLASH_4M);
    *ret_directory = g_build_filename(fixture->root, "run", NULL);
    g_assert_cmpint(g_mkdir_with_parents(*ret_directory, 0700), ==, 0);
    return find(fixture, MF_ARCH_X86_64, MF_SECURE_BOOT_OFF, NULL);
}

static void
test_the_variables_are_copied_for_each_run(Fixture *fixture, gconstpointer data)
{
    g_autofree char *directory = NULL;
    g_autoptr(MfFirmware) firmware = make_copyable(fixture, &directory);
    g_autofree char *original = g_strdup(firmware->vars);
    g_autofree char *before = NULL, *after = NULL;
    gsize size_before, size_after;
    g_autoptr(GError) error = NULL;
    struct stat status;

    g_assert_true(mf_firmware_copy_vars(firmware, directory, &error));
    g_assert_no_error(error);
    g_assert_true(g_str_has_prefix(firmware->vars, directory));
    g_assert_cmpint(stat(firmware->vars, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0600);
    g_assert_true(g_file_get_contents(original, &before, &size_before, NULL));
    g_assert_true(g_file_get_contents(firmware->vars, &after, &size_after, NULL));
    g_assert_cmpmem(before, size_before, after, size_after);
    g_assert_cmpint(size_after, ==, FLASH_4M);
}

static void
test_variables_that_were_written_to_are_copied_anew(Fixture *fixture, gconstpointer data)
{
    g_autofree char *directory = NULL;
    g_autoptr(MfFirmware) firmware = make_copyable(fixture, &directory);
    g_autofree char *original = g_strdup(firmware->vars);
    g_autofree char *before = NULL, *after = NULL;
    gsize size_before, size_after;
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_firmware_copy_vars(firmware, directory, &error));
    g_assert_cmpstr(firmware->original_vars, ==, original);
    g_assert_true(g_file_set_contents(firmware->vars, "written by a machine", -1, NULL));
    g_assert_true(mf_firmware_renew_vars(firmware, &error));
    g_assert_no_error(error);
    g_assert_true(g_file_get_contents(original, &before, &size_before, NULL));
    g_assert_true(g_file_get_contents(firmware->vars, &after, &size_after, NULL));
    g_assert_cmpmem(before, size_before, after, size_after);

    g_assert_cmpint(unlink(firmware->vars), ==, 0);
    g_assert_false(mf_firmware_renew_vars(firmware, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
}

static void
test_a_link_in_the_runs_directory_is_not_followed(Fixture *fixture, gconstpointer data)
{
    g_autofree char *directory = NULL;
    g_autoptr(MfFirmware) firmware = make_copyable(fixture, &directory);
    g_autofree char *victim = g_build_filename(fixture->root, "victim", NULL);
    g_autofree char *link_path = g_build_filename(directory, "OVMF_VARS.fd", NULL);
    g_autofree char *content = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(g_file_set_contents(victim, "mine", -1, NULL));
    g_assert_cmpint(symlink(victim, link_path), ==, 0);
    g_assert_false(mf_firmware_copy_vars(firmware, directory, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_true(g_file_get_contents(victim, &content, NULL, NULL));
    g_assert_cmpstr(content, ==, "mine");
}

static void
test_a_link_in_place_of_the_runs_directory_is_not_followed(Fixture *fixture, gconstpointer data)
{
    g_autofree char *directory = NULL;
    g_autoptr(MfFirmware) firmware = make_copyable(fixture, &directory);
    g_autofree char *alias = g_build_filename(fixture->root, "alias", NULL);
    g_autofree char *escaped = g_build_filename(directory, "OVMF_VARS.fd", NULL);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(symlink(directory, alias), ==, 0);
    g_assert_false(mf_firmware_copy_vars(firmware, alias, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_false(g_file_test(escaped, G_FILE_TEST_EXISTS));
}

static void
test_variables_that_are_no_file_are_refused(Fixture *fixture, gconstpointer data)
{
    g_autofree char *directory = NULL;
    g_autoptr(MfFirmware) firmware = make_copyable(fixture, &directory);
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(unlink(firmware->vars), ==, 0);
    g_assert_cmpint(mkfifo(firmware->vars, 0600), ==, 0);
    g_assert_false(mf_firmware_copy_vars(firmware, directory, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, "is not a regular file"));
}

#define ADD(path, function)                                                                        \
    g_test_add("/firmware/" path, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/firmware/each-mode-has-its-name", test_each_mode_has_its_name);
    ADD("debians-4m-files-are-paired", test_debians_4m_files_are_paired);
    ADD("debians-2m-files-are-paired", test_debians_2m_files_are_paired);
    ADD("fedoras-files-are-paired-and-are-qcow2", test_fedoras_files_are_paired_and_are_qcow2);
    ADD("fedoras-2m-files-are-paired", test_fedoras_2m_files_are_paired);
    ADD("archs-files-are-paired-and-have-no-keys", test_archs_files_are_paired_and_have_no_keys);
    ADD("opensuses-files-are-paired", test_opensuses_files_are_paired);
    ADD("q-10-a-host-without-firmware-names-the-package",
        test_a_host_without_firmware_names_the_package);
    ADD("enrolled-variables-without-their-code-are-no-pair",
        test_enrolled_variables_without_their_code_are_no_pair);
    ADD("variables-of-ones-own-get-the-code-that-they-fit",
        test_variables_of_ones_own_get_the_code_that_they_fit);
    ADD("variables-that-fit-no-code-are-refused", test_variables_that_fit_no_code_are_refused);
    ADD("an-architecture-without-secure-boot-is-refused",
        test_an_architecture_without_secure_boot_is_refused);
    ADD("secure-boot-on-arm-needs-no-system-management",
        test_secure_boot_on_arm_needs_no_system_management);
    ADD("each-distributions-places-are-known", test_each_distributions_places_are_known);
    ADD("code-without-its-variables-is-passed-over",
        test_code_without_its_variables_is_passed_over);
    ADD("the-firmware-is-the-architectures", test_the_firmware_is_the_architectures);
    ADD("the-variables-are-copied-for-each-run", test_the_variables_are_copied_for_each_run);
    ADD("variables-that-were-written-to-are-copied-anew",
        test_variables_that_were_written_to_are_copied_anew);
    ADD("a-link-in-the-runs-directory-is-not-followed",
        test_a_link_in_the_runs_directory_is_not_followed);
    ADD("a-link-in-place-of-the-runs-directory-is-not-followed",
        test_a_link_in_place_of_the_runs_directory_is_not_followed);
    ADD("variables-that-are-no-file-are-refused", test_variables_that_are_no_file_are_refused);
    return g_test_run();
}

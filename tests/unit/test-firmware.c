/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/firmware.h"

#include <string.h>

#include "base/error.h"
#include "base/tempdir.h"

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

static void
install(const Fixture *fixture, const char *path)
{
    g_autofree char *file = g_strconcat(fixture->root, path, NULL);
    g_autofree char *directory = g_path_get_dirname(file);

    g_assert_cmpint(g_mkdir_with_parents(directory, 0755), ==, 0);
    g_assert_true(g_file_set_contents(file, "x", 1, NULL));
}

static void
assert_found(const Fixture *fixture, MfArch arch, const char *code, const char *vars)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MfFirmware) firmware = mf_firmware_find(fixture->root, arch, &error);

    g_assert_no_error(error);
    g_assert_cmpstr(firmware->code + strlen(fixture->root), ==, code);
    g_assert_cmpstr(firmware->vars + strlen(fixture->root), ==, vars);
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
    g_assert_null(mf_firmware_find(fixture->root, MF_ARCH_X86_64, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, "Debian: ovmf"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add("/firmware/each-distributions-places-are-known", Fixture, NULL, set_up,
               test_each_distributions_places_are_known, tear_down);
    g_test_add("/firmware/code-without-its-variables-is-passed-over", Fixture, NULL, set_up,
               test_code_without_its_variables_is_passed_over, tear_down);
    g_test_add("/firmware/the-firmware-is-the-architectures", Fixture, NULL, set_up,
               test_the_firmware_is_the_architectures, tear_down);
    return g_test_run();
}

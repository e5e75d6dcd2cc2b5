/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/distro.h"

#include <glib/gstdio.h>

#include "base/tempdir.h"

static void
test_a_distribution_is_known_by_its_id_or_by_what_it_descends_from(void)
{
    static const struct {
        const char *text;
        MfDistro distro;
    } cases[] = {
        {"PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n", MF_DISTRO_DEBIAN},
        {"ID=ubuntu\nID_LIKE=debian\n", MF_DISTRO_DEBIAN},
        {"ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", MF_DISTRO_DEBIAN},
        {"ID=fedora", MF_DISTRO_FEDORA},
        {"ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", MF_DISTRO_FEDORA},
        {"ID='manjaro'\nID_LIKE=arch\n", MF_DISTRO_ARCH},
        {"ID=\"opensuse-tumbleweed\"\nID_LIKE=\"opensuse suse\"\n", MF_DISTRO_SUSE},
        {"ID=opensuse-leap\n", MF_DISTRO_SUSE},
        {"ID=nixos\n", MF_DISTRO_UNKNOWN},
        {"VERSION_ID=12\nBUILD_ID=debian\n", MF_DISTRO_UNKNOWN},
        {"ID=\"debian\n", MF_DISTRO_UNKNOWN},
        {"ID=\n", MF_DISTRO_UNKNOWN},
        {"", MF_DISTRO_UNKNOWN},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpint(mf_distro_parse(cases[i].text), ==, cases[i].distro);
}

static void
test_the_file_in_etc_is_read_before_the_one_in_usr(void)
{
    g_autofree char *root = mf_tempdir_make(NULL);
    g_autofree char *etc = g_build_filename(root, "etc", NULL);
    g_autofree char *lib = g_build_filename(root, "usr", "lib", NULL);
    g_autofree char *first = g_build_filename(etc, "os-release", NULL);
    g_autofree char *second = g_build_filename(lib, "os-release", NULL);

    g_assert_cmpint(mf_distro_detect(root), ==, MF_DISTRO_UNKNOWN);
    g_assert_cmpint(g_mkdir_with_parents(lib, 0755), ==, 0);
    g_assert_true(g_file_set_contents(second, "ID=arch\n", -1, NULL));
    g_assert_cmpint(mf_distro_detect(root), ==, MF_DISTRO_ARCH);
    g_assert_cmpint(g_mkdir(etc, 0755), ==, 0);
    g_assert_true(g_file_set_contents(first, "ID=fedora\n", -1, NULL));
    g_assert_cmpint(mf_distro_detect(root), ==, MF_DISTRO_FEDORA);
    mf_tempdir_remove(root);
}

static void
test_the_hint_is_the_distributions_own_command(void)
{
    static const struct {
        MfDistro distro;
        MfPart part;
        MfArch arch;
        const char *hint;
    } cases[] = {
        {MF_DISTRO_DEBIAN, MF_PART_QEMU, MF_ARCH_X86_64, "apt install qemu-system-x86"},
        {MF_DISTRO_DEBIAN, MF_PART_UEFI, MF_ARCH_X86_64, "apt install ovmf"},
        {MF_DISTRO_FEDORA, MF_PART_QEMU, MF_ARCH_AARCH64, "dnf install qemu-system-aarch64"},
        {MF_DISTRO_ARCH, MF_PART_SWTPM, MF_ARCH_X86_64, "pacman -S swtpm"},
        {MF_DISTRO_SUSE, MF_PART_UEFI, MF_ARCH_X86_64, "zypper install qemu-ovmf-x86_64"},
        {MF_DISTRO_SUSE, MF_PART_UEFI, MF_ARCH_S390X, NULL},
        {MF_DISTRO_UNKNOWN, MF_PART_UEFI, MF_ARCH_S390X, NULL},
        {MF_DISTRO_UNKNOWN, MF_PART_QEMU, MF_ARCH_X86_64,
         "install qemu-system-x86 (Debian), qemu-system-x86 (Fedora), qemu-system-x86 (Arch), "
         "qemu-x86 (openSUSE)"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *hint =
            mf_distro_install_hint(cases[i].distro, cases[i].part, cases[i].arch);

        g_assert_cmpstr(hint, ==, cases[i].hint);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/distro/a distribution is known by its id or by what it descends from",
                    test_a_distribution_is_known_by_its_id_or_by_what_it_descends_from);
    g_test_add_func("/distro/the file in etc is read before the one in usr",
                    test_the_file_in_etc_is_read_before_the_one_in_usr);
    g_test_add_func("/distro/the hint is the distribution's own command",
                    test_the_hint_is_the_distributions_own_command);
    return g_test_run();
}

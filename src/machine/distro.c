/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/distro.h"

#include <string.h>

#include "base/fd.h"

#define OS_RELEASE_MAX (64 * 1024)

/* In the order in which packages are listed for a distribution that is not known. */
static const struct {
    const char *name, *title, *installer;
    const char *ids[6]; /* of os-release */
} distros[] = {
    [MF_DISTRO_DEBIAN] = {"debian", "Debian", "apt install", {"debian", "ubuntu"}},
    [MF_DISTRO_FEDORA] = {"fedora", "Fedora", "dnf install", {"fedora", "rhel", "centos"}},
    [MF_DISTRO_ARCH] = {"arch", "Arch", "pacman -S", {"arch"}},
    [MF_DISTRO_SUSE] = {"opensuse", "openSUSE", "zypper install", {"opensuse", "suse", "sles"}},
};
G_STATIC_ASSERT(G_N_ELEMENTS(distros) == MF_N_DISTROS);

static const char *const qemu_packages[MF_N_ARCHS][MF_N_DISTROS] = {
    [MF_ARCH_X86_64] = {NULL, "qemu-system-x86", "qemu-system-x86", "qemu-system-x86", "qemu-x86"},
    [MF_ARCH_AARCH64] = {NULL, "qemu-system-arm", "qemu-system-aarch64", "qemu-system-aarch64",
                         "qemu-arm"},
    [MF_ARCH_RISCV64] = {NULL, "qemu-system-misc", "qemu-system-riscv", "qemu-system-riscv",
                         "qemu-extra"},
    [MF_ARCH_S390X] = {NULL, "qemu-system-misc", "qemu-system-s390x", "qemu-system-s390x",
                       "qemu-s390x"},
};

static const char *const uefi_packages[MF_N_ARCHS][MF_N_DISTROS] = {
    [MF_ARCH_X86_64] = {NULL, "ovmf", "edk2-ovmf", "edk2-ovmf", "qemu-ovmf-x86_64"},
    [MF_ARCH_AARCH64] = {NULL, "qemu-efi-aarch64", "edk2-aarch64", "edk2-aarch64",
                         "qemu-uefi-aarch64"},
    [MF_ARCH_RISCV64] = {NULL, "qemu-efi-riscv64", "edk2-riscv64", "edk2-riscv64", NULL},
};

static const char *const virtiofsd_packages[MF_N_DISTROS] = {NULL, "virtiofsd", "virtiofsd",
                                                             "virtiofsd", "virtiofsd"};
static const char *const swtpm_packages[MF_N_DISTROS] = {NULL, "swtpm", "swtpm", "swtpm", "swtpm"};

const char *
mf_distro_name(MfDistro distro)
{
    return distros[distro].name;
}

static MfDistro
find_id(const char *id)
{
    for (MfDistro distro = MF_DISTRO_UNKNOWN + 1; distro < MF_N_DISTROS; distro++)
        if (g_strv_contains(distros[distro].ids, id))
            return distro;
    /* "opensuse-leap", "opensuse-tumbleweed". */
    return g_str_has_prefix(id, "opensuse-") ? MF_DISTRO_SUSE : MF_DISTRO_UNKNOWN;
}

/* The value of 'key', without its quotes. Owned by the caller; NULL when it is not there. */
static char *
get_value(char *const *lines, const char *key)
{
    gsize length = strlen(key);

    for (; *lines; lines++) {
        g_auto(GStrv) words = NULL;

        if (strncmp(*lines, key, length) != 0 || (*lines)[length] != '=')
            continue;
        /* The file is in the shell's language: g_shell_parse_argv() knows its quotes. */
        if (!g_shell_parse_argv(*lines + length + 1, NULL, &words, NULL))
            return NULL;
        return g_strdup(words[0]);
    }
    return NULL;
}

MfDistro
mf_distro_parse(const char *os_release)
{
    g_auto(GStrv) lines = g_strsplit(os_release, "\n", 0);
    g_autofree char *id = get_value(lines, "ID");
    g_autofree char *like = get_value(lines, "ID_LIKE");
    g_auto(GStrv) ancestors = g_strsplit(like ? like : "", " ", 0);
    MfDistro distro = id ? find_id(id) : MF_DISTRO_UNKNOWN;

    for (char **ancestor = ancestors; *ancestor && distro == MF_DISTRO_UNKNOWN; ancestor++)
        distro = find_id(*ancestor);
    return distro;
}

MfDistro
mf_distro_detect(const char *root)
{
    static const char *const names[] = {"etc/os-release", "usr/lib/os-release"};

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(root, names[i], NULL);
        g_autoptr(GBytes) bytes = mf_file_read(path, OS_RELEASE_MAX, NULL);
        gsize size;
        const char *data = bytes ? g_bytes_get_data(bytes, &size) : NULL;

        if (data) {
            g_autofree char *text = g_strndup(data, size);

            return mf_distro_parse(text);
        }
    }
    return MF_DISTRO_UNKNOWN;
}

/* The packages that have a part, by the distribution. */
static const char *const *
get_packages(MfPart part, MfArch arch)
{
    switch (part) {
    case MF_PART_QEMU:
        return qemu_packages[arch];
    case MF_PART_UEFI:
        return uefi_packages[arch];
    case MF_PART_VIRTIOFSD:
        return virtiofsd_packages;
    case MF_PART_SWTPM:
        break;
    }
    return swtpm_packages;
}

char *
mf_distro_install_hint(MfDistro distro, MfPart part, MfArch arch)
{
    const char *const *packages = get_packages(part, arch);
    GString *text;

    if (distro != MF_DISTRO_UNKNOWN)
        return packages[distro]
                   ? g_strdup_printf("%s %s", distros[distro].installer, packages[distro])
                   : NULL;

    text = g_string_new(NULL);
    for (MfDistro each = MF_DISTRO_UNKNOWN + 1; each < MF_N_DISTROS; each++)
        if (packages[each])
            g_string_append_printf(text, "%s%s (%s)", text->len > 0 ? ", " : "install ",
                                   packages[each], distros[each].title);
    return g_string_free(text, text->len == 0);
}

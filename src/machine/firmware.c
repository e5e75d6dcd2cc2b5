/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/firmware.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/copy.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/parse.h"
#include "machine/qcow2.h"

/* ARM's variables are 64 MiB, most of it holes. */
#define VARS_MAX  (G_GUINT64_CONSTANT(64) << 20)
#define VARS_NAME "OVMF_VARS.fd"

static const char *const names[] = {"off", "setup", "ms", "custom", NULL};
G_STATIC_ASSERT(G_N_ELEMENTS(names) == MF_N_SECURE_BOOTS + 1);

typedef struct {
    const char *code, *vars;
} Pair;

/* The files of one package, by what they are for; NULL where it has none. */
typedef struct {
    MfArch arch;
    const char *directory;
    const char *format;
    Pair pairs[MF_SECURE_BOOT_MS + 1];
} Layout;

static const Layout layouts[] = {
    /* Debian and Ubuntu, then Fedora and its kin: 4 MiB. */
    {MF_ARCH_X86_64,
     "/usr/share/OVMF/",
     "raw",
     {{"OVMF_CODE_4M.fd", "OVMF_VARS_4M.fd"},
      {"OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.fd"},
      {"OVMF_CODE_4M.secboot.fd", "OVMF_VARS_4M.ms.fd"}}},
    {MF_ARCH_X86_64,
     "/usr/share/edk2/ovmf/",
     "qcow2",
     {{"OVMF_CODE_4M.qcow2", "OVMF_VARS_4M.qcow2"},
      {"OVMF_CODE_4M.secboot.qcow2", "OVMF_VARS_4M.qcow2"},
      {"OVMF_CODE_4M.secboot.qcow2", "OVMF_VARS_4M.secboot.qcow2"}}},
    /* The same, 2 MiB. */
    {MF_ARCH_X86_64,
     "/usr/share/OVMF/",
     "raw",
     {{"OVMF_CODE.fd", "OVMF_VARS.fd"},
      {"OVMF_CODE.secboot.fd", "OVMF_VARS.fd"},
      {"OVMF_CODE.secboot.fd", "OVMF_VARS.ms.fd"}}},
    {MF_ARCH_X86_64,
     "/usr/share/edk2/ovmf/",
     "raw",
     {{"OVMF_CODE.fd", "OVMF_VARS.fd"},
      {"OVMF_CODE.secboot.fd", "OVMF_VARS.fd"},
      {"OVMF_CODE.secboot.fd", "OVMF_VARS.secboot.fd"}}},
    /* Arch, which enrolls nobody's keys. */
    {MF_ARCH_X86_64,
     "/usr/share/edk2/x64/",
     "raw",
     {{"OVMF_CODE.4m.fd", "OVMF_VARS.4m.fd"}, {"OVMF_CODE.secboot.4m.fd", "OVMF_VARS.4m.fd"}}},
    {MF_ARCH_X86_64,
     "/usr/share/edk2-ovmf/x64/",
     "raw",
     {{"OVMF_CODE.fd", "OVMF_VARS.fd"}, {"OVMF_CODE.secboot.fd", "OVMF_VARS.fd"}}},
    /* openSUSE. */
    {MF_ARCH_X86_64,
     "/usr/share/qemu/",
     "raw",
     {{"ovmf-x86_64-4m-code.bin", "ovmf-x86_64-4m-vars.bin"},
      {"ovmf-x86_64-smm-code.bin", "ovmf-x86_64-smm-vars.bin"},
      {"ovmf-x86_64-smm-ms-code.bin", "ovmf-x86_64-smm-ms-vars.bin"}}},
    /* QEMU's own. */
    {MF_ARCH_X86_64,
     "/usr/share/qemu/",
     "raw",
     {{"edk2-x86_64-code.fd", "edk2-i386-vars.fd"},
      {"edk2-x86_64-secure-code.fd", "edk2-i386-vars.fd"}}},
    {MF_ARCH_AARCH64,
     "/usr/share/AAVMF/",
     "raw",
     {{"AAVMF_CODE.fd", "AAVMF_VARS.fd"},
      {"AAVMF_CODE.ms.fd", "AAVMF_VARS.fd"},
      {"AAVMF_CODE.ms.fd", "AAVMF_VARS.ms.fd"}}},
    {MF_ARCH_AARCH64,
     "/usr/share/edk2/aarch64/",
     "raw",
     {{"QEMU_EFI-pflash.raw", "vars-template-pflash.raw"}}},
    {MF_ARCH_AARCH64, "/usr/share/edk2/aarch64/", "raw", {{"QEMU_CODE.fd", "QEMU_VARS.fd"}}},
    {MF_ARCH_AARCH64, "/usr/share/qemu/", "raw", {{"edk2-aarch64-code.fd", "edk2-arm-vars.fd"}}},
    {MF_ARCH_RISCV64,
     "/usr/share/qemu-efi-riscv64/",
     "raw",
     {{"RISCV_VIRT_CODE.fd", "RISCV_VIRT_VARS.fd"}}},
    {MF_ARCH_RISCV64, "/usr/share/qemu/", "raw", {{"edk2-riscv-code.fd", "edk2-riscv-vars.fd"}}},
};

static const char *const packages[] = {
    [MF_ARCH_X86_64] = "install it (Debian: ovmf; Fedora and Arch: edk2-ovmf; openSUSE: "
                       "qemu-ovmf-x86_64)",
    [MF_ARCH_AARCH64] = "install it (Debian: qemu-efi-aarch64; Fedora and Arch: edk2-aarch64)",
    [MF_ARCH_RISCV64] = "install it (Debian: qemu-efi-riscv64)",
    [MF_ARCH_S390X] = "that architecture has none",
};

const char *
mf_secure_boot_name(MfSecureBoot mode)
{
    return names[mode];
}

gboolean
mf_secure_boot_parse(const char *text, MfSecureBoot *ret_mode, GError **error)
{
    guint index;

    if (!mf_parse_choice(text, "a mode of Secure Boot", names, &index, error))
        return FALSE;
    *ret_mode = (MfSecureBoot)index;
    return TRUE;
}

/* How large the flash is that the file holds, in bytes, and the file's format; -1 with errno. */
static gint64
read_flash_size(const char *path, const char **ret_format)
{
    mf_autofd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    g_auto(MfQcow2Head) head = {0};
    gboolean is_qcow2;
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0 || !mf_qcow2_read_head(fd, &is_qcow2, &head))
        return -1;
    *ret_format = is_qcow2 ? "qcow2" : "raw";
    return is_qcow2 ? (gint64)head.size : status.st_size;
}

/* The layout's firmware for a mode that is not custom; NULL when it is not there as a whole. */
static MfFirmware *
take_pair(const char *prefix, const Layout *layout, MfSecureBoot mode)
{
    const Pair *pair = &layout->pairs[mode];
    g_autoptr(MfFirmware) self = g_new0(MfFirmware, 1);

    if (!pair->code)
        return NULL;
    self->code = g_strconcat(prefix, layout->directory, pair->code, NULL);
    self->vars = g_strconcat(prefix, layout->directory, pair->vars, NULL);
    self->format = self->own_format = layout->format;
    self->secure = mode != MF_SECURE_BOOT_OFF;
    self->smm = self->secure && layout->arch == MF_ARCH_X86_64;
    if (access(self->code, R_OK) < 0 || access(self->vars, R_OK) < 0)
        return NULL;
    return g_steal_pointer(&self);
}

static MfFirmware *
find_pair(const char *prefix, MfArch arch, MfSecureBoot mode)
{
    for (gsize i = 0; i < G_N_ELEMENTS(layouts); i++) {
        MfFirmware *self = layouts[i].arch == arch ? take_pair(prefix, &layouts[i], mode) : NULL;

        if (self)
            return self;
    }
    return NULL;
}

static gboolean
has_secure_boot(MfArch arch)
{
    for (gsize i = 0; i < G_N_ELEMENTS(layouts); i++)
        if (layouts[i].arch == arch && layouts[i].pairs[MF_SECURE_BOOT_SETUP].code)
            return TRUE;
    return FALSE;
}

static void
set_missing(GError **error, MfArch arch, MfSecureBoot mode)
{
    if (mode == MF_SECURE_BOOT_OFF)
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "UEFI firmware for %s was not found: %s, or name a file of it with --bios.",
                    mf_arch_name(arch), packages[arch]);
    else if (mode == MF_SECURE_BOOT_MS)
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "UEFI firmware for %s with Microsoft's keys enrolled was not found: %s. A "
                    "package without them, as Arch's, does for Secure Boot 'setup', and with "
                    "variables of your own for 'custom'.",
                    mf_arch_name(arch), packages[arch]);
    else
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "UEFI firmware for %s with Secure Boot was not found: %s.", mf_arch_name(arch),
                    packages[arch]);
}

/* The first build with Secure Boot whose variables are as large as those in 'vars'. */
static MfFirmware *
find_custom(const char *prefix, MfArch arch, const char *vars, GError **error)
{
    const char *format, *own_format = NULL;
    gint64 size = read_flash_size(vars, &own_format);
    gboolean found = FALSE;

    if (size < 0) {
        mf_error_set_errno(error, MF_ERROR_CONFIG, errno,
                           "The variables of the firmware, '%s', cannot be read", vars);
        return NULL;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(layouts); i++) {
        g_autoptr(MfFirmware) self =
            layouts[i].arch == arch ? take_pair(prefix, &layouts[i], MF_SECURE_BOOT_SETUP) : NULL;

        if (!self)
            continue;
        found = TRUE;
        if (read_flash_size(self->vars, &format) != size)
            continue;
        g_free(self->vars);
        self->vars = g_canonicalize_filename(vars, NULL);
        self->own_format = own_format;
        return g_steal_pointer(&self);
    }
    if (!found)
        set_missing(error, arch, MF_SECURE_BOOT_CUSTOM);
    else
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The variables in '%s' are %" G_GINT64_FORMAT " bytes, and no firmware on this "
                    "host has as many: start from a copy of those that came with it.",
                    vars, size);
    return NULL;
}

MfFirmware *
mf_firmware_find(const char *prefix, MfArch arch, MfSecureBoot mode, const char *vars,
                 GError **error)
{
    MfFirmware *self;

    if (mode != MF_SECURE_BOOT_OFF && !has_secure_boot(arch)) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "No firmware with Secure Boot is known for %s: leave it off.",
                    mf_arch_name(arch));
        return NULL;
    }
    if (mode == MF_SECURE_BOOT_CUSTOM)
        return find_custom(prefix, arch, vars, error);
    self = find_pair(prefix, arch, mode);
    if (!self)
        set_missing(error, arch, mode);
    return self;
}

static gboolean
copy_vars(const char *from, int fd, const char *to, GError **error)
{
    guint64 size = 0;

    if (!mf_copy_file(from, fd, 0, VARS_MAX, &size, error))
        return FALSE;
    if (ftruncate(fd, (off_t)size) == 0)
        return TRUE;
    mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be written", to);
    return FALSE;
}

gboolean
mf_firmware_copy_vars(MfFirmware *self, const char *directory, GError **error)
{
    g_autofree char *path = NULL;
    mf_autofd fd = mf_create_private_file(directory, VARS_NAME, &path, error);

    if (fd < 0 || !copy_vars(self->vars, fd, path, error))
        return FALSE;
    self->original_vars = g_steal_pointer(&self->vars);
    self->vars = g_steal_pointer(&path);
    return TRUE;
}

gboolean
mf_firmware_renew_vars(const MfFirmware *self, GError **error)
{
    mf_autofd fd = open(self->vars, O_RDWR | O_TRUNC | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0)
        return copy_vars(self->original_vars, fd, self->vars, error);
    mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be written", self->vars);
    return FALSE;
}

void
mf_firmware_free(MfFirmware *self)
{
    if (!self)
        return;
    g_free(self->code);
    g_free(self->vars);
    g_free(self->original_vars);
    g_free(self);
}

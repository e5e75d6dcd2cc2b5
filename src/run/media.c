/* SPDX-License-Identifier: Apache-2.0 */
#include "run/media.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "machine/fat-image.h"
#include "machine/peek.h"
#include "machine/platform.h"

#define FAT_NAME "fat.img"

/* The header of a kernel that boots by Multiboot, version 1, is here and aligned to 4 bytes. */
#define MULTIBOOT_MAGIC  0x1badb002u
#define MULTIBOOT_SEARCH 8192
#define MULTIBOOT_SIZE   12

gboolean
mf_media_needs_directory(const MfTarget *target)
{
    return (target->uefi && !target->bios) || (target->image && target->medium == MF_MEDIUM_FAT);
}

/* Owned by the caller. */
static MfDisk *
make_disk(const MfTarget *target, const char *directory, GError **error)
{
    g_autofree char *copy = NULL;
    MfDisk *disk;

    switch (target->medium) {
    case MF_MEDIUM_DISK:
        break;
    case MF_MEDIUM_DISC:
        return mf_disk_new_optical(target->image);
    case MF_MEDIUM_FAT:
        if (!mf_fat_image_make(target->image, directory, FAT_NAME, &copy, error))
            return NULL;
        disk = mf_disk_new(copy, "raw", FALSE);
        disk->fleeting = TRUE;
        return disk;
    }
    return mf_disk_new(target->image, NULL, target->image_writable);
}

gboolean
mf_media_add(const MfTarget *target, const char *directory, MfSpec *spec, GError **error)
{
    MfDisk *disk;

    if (!target->image)
        return TRUE;
    disk = make_disk(target, directory, error);
    if (!disk)
        return FALSE;
    g_ptr_array_insert(spec->disks, 0, disk);
    return TRUE;
}

static gboolean
check_bios_can_boot(const MfTarget *target, const MfSpec *spec, GError **error)
{
    if (target->arch != MF_ARCH_X86_64 || !target->image)
        return TRUE;
    if (target->medium == MF_MEDIUM_FAT) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The directory '%s' has nothing that a BIOS could boot: that takes code in a "
                    "boot sector. A directory for UEFI boots with --uefi.",
                    target->image);
        return FALSE;
    }
    if (target->medium == MF_MEDIUM_DISC || !mf_disk_lacks_boot_code(spec->disks->pdata[0]))
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "The image '%s' has nothing that a BIOS could boot: there is no code in its first "
                "sector. An image for UEFI boots with --uefi.",
                target->image);
    return FALSE;
}

/* Of PCs, QEMU has the system management mode that firmware can rely on in q35 only. */
static gboolean
check_smm(const MfSpec *spec, GError **error)
{
    if (!spec->firmware->smm || g_str_equal(spec->machine, "q35") ||
        g_str_has_prefix(spec->machine, "q35,") || g_str_has_prefix(spec->machine, "pc-q35-"))
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "The machine '%s' cannot have Secure Boot, whose firmware needs a q35: leave the "
                "machine type out, or take a q35.",
                spec->machine);
    return FALSE;
}

gboolean
mf_media_add_firmware(const MfTarget *target, const char *directory, MfSpec *spec, GError **error)
{
    if (target->bios) {
        if (access(target->bios, R_OK) == 0) {
            spec->bios = g_canonicalize_filename(target->bios, NULL);
            return TRUE;
        }
        mf_error_set_errno(error, MF_ERROR_CONFIG, errno, "The firmware '%s' cannot be read",
                           target->bios);
        return FALSE;
    }
    /* Without UEFI or firmware of the user's own, the machine has its BIOS. */
    if (!target->uefi)
        return check_bios_can_boot(target, spec, error);
    spec->firmware =
        mf_firmware_find("", target->arch, target->secure_boot, target->secure_boot_vars, error);
    return spec->firmware && check_smm(spec, error) &&
           mf_firmware_copy_vars(spec->firmware, directory, error);
}

static gboolean
check_uefi_can_boot(const MfTarget *target, MfKernel *kernel, GError **error)
{
    const char *other = target->tpm == MF_TPM_NONE ? "UEFI" : "a TPM, which takes UEFI";

    if (mf_kernel_get_format(kernel) != MF_KERNEL_ELF)
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "The kernel '%s' is a vmlinux, which UEFI firmware cannot start: take its bzImage, "
                "or boot it without %s.",
                mf_kernel_get_path(kernel), other);
    return FALSE;
}

gboolean
mf_media_set_kernel(const MfTarget *target, MfKernel *kernel, MfSpec *spec, GError **error)
{
    if (target->uefi && !check_uefi_can_boot(target, kernel, error))
        return FALSE;
    /* UEFI starts the image itself, as a program of its own. */
    spec->kernel = mf_kernel_prepare_image(kernel, target->kaslr || target->uefi, error);
    return spec->kernel != NULL;
}

/* Whether it is an ELF file that asks for Multiboot. */
static gboolean
is_multiboot(const char *path)
{
    mf_autofd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    guint8 head[MULTIBOOT_SEARCH];
    gssize size = fd < 0 ? -1 : mf_peek_read(fd, head, sizeof(head), 0);

    if (size < MULTIBOOT_SIZE || memcmp(head, "\177ELF", 4) != 0)
        return FALSE;
    for (gssize at = 0; at + MULTIBOOT_SIZE <= size; at += 4) {
        guint32 flags = mf_peek_le32(head + at + 4), checksum = mf_peek_le32(head + at + 8);

        if (mf_peek_le32(head + at) == MULTIBOOT_MAGIC &&
            (guint32)(MULTIBOOT_MAGIC + flags + checksum) == 0)
            return TRUE;
    }
    return FALSE;
}

/* A Linux that boots by itself says all that it has to say: nobody else does. */
static char *
make_linux_args(const MfTarget *target)
{
    const MfPlatform *platform = mf_platform_get(target->arch);
    const char *own = target->kernel_args ? target->kernel_args : "";

    return g_strdup_printf("console=%s panic=-1%s%s%s", platform->console, platform->kernel_args,
                           *own ? " " : "", own);
}

static gboolean
set_linux(const MfTarget *target, const char *path, MfSpec *spec, GError **error)
{
    g_autoptr(MfKernel) kernel = mf_kernel_open(path, error);

    if (!kernel || !mf_kernel_check_arch(kernel, target->arch, error))
        return FALSE;
    spec->append = make_linux_args(target);
    return mf_platform_check_command_line(target->arch, spec->append, error) &&
           mf_media_set_kernel(target, kernel, spec, error);
}

gboolean
mf_media_set_bare_kernel(const MfTarget *target, const char *path, MfSpec *spec, GError **error)
{
    if (target->kernel_args && !mf_target_check_kernel_args(target->kernel_args, error))
        return FALSE;
    if (target->initramfs && access(target->initramfs, R_OK) < 0) {
        mf_error_set_errno(error, MF_ERROR_CONFIG, errno, "The initramfs '%s' cannot be read",
                           target->initramfs);
        return FALSE;
    }
    spec->initrd = g_strdup(target->initramfs);
    if (target->arch != MF_ARCH_X86_64 || target->uefi || !is_multiboot(path))
        return set_linux(target, path, spec, error);
    spec->kernel = g_canonicalize_filename(path, NULL);
    spec->append = g_strdup(target->kernel_args ? target->kernel_args : "");
    return TRUE;
}

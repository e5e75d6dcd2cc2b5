/* SPDX-License-Identifier: Apache-2.0 */
#include "run/media.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "machine/fat-image.h"

#define FAT_NAME "fat.img"

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

    switch (target->medium) {
    case MF_MEDIUM_DISK:
        break;
    case MF_MEDIUM_DISC:
        return mf_disk_new_optical(target->image);
    case MF_MEDIUM_FAT:
        if (!mf_fat_image_make(target->image, directory, FAT_NAME, &copy, error))
            return NULL;
        return mf_disk_new(copy, "raw", FALSE);
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/file-kind.h"

#include <string.h>

typedef struct {
    gsize offset;
    const char *magic;
    gsize magic_size;
    const char *description;
} FileKind;

/* The first match counts, so containers come before what they may contain. */
static const FileKind kinds[] = {
    {0, "!<arch>\ndebian-binary", 21,
     "a Debian package; 'mayfly kernel add' takes the kernel out of it"},
    {0, "!<arch>\n", 8, "an archive of object files"},
    {0, "\xed\xab\xee\xdb", 4, "an RPM package; 'mayfly kernel add' takes the kernel out of it"},
    {0, "070701", 6, "an initramfs (a cpio archive)"},
    {0, "070702", 6, "an initramfs (a cpio archive)"},
    {0, "QFI\xfb", 4, "a qcow2 disk image"},
    {0, "KDMV", 4, "a VMDK disk image"},
    {0, "conectix", 8, "a VHD disk image"},
    {0, "vhdxfile", 8, "a VHDX disk image"},
    {0x8001, "CD001", 5, "an ISO 9660 disc image"},
    {512, "EFI PART", 8, "a disk image with a GPT partition table"},
    {257, "ustar", 5, "a tar archive"},
    {0, "PK\x03\x04", 4, "a zip archive"},
    {0, "#!", 2, "a script"},
    {0, "\x27\x05\x19\x56", 4, "a U-Boot image; the Image or vmlinux it was made from will do"},
    {0, "\xd0\x0d\xfe\xed", 4, "a flattened device tree or FIT image"},
    {0, "\x1f\x8b", 2, "a gzip file without a kernel image in it; unpack it first"},
    {0,
     "\xfd"
     "7zXZ",
     5, "an xz file; unpack it first"},
    {0, "\x28\xb5\x2f\xfd", 4, "a zstd file; unpack it first"},
    {0, "\x02\x21\x4c\x18", 4, "an lz4 file; unpack it first"},
    {0, "\x04\x22\x4d\x18", 4, "an lz4 file; unpack it first"},
    {0, "BZh", 3, "a bzip2 file; unpack it first"},
    {0, "MZ", 2, "an EFI or Windows program, perhaps a unified kernel image"},
    {510, "\x55\xaa", 2, "a disk image with a boot sector"},
};

const char *
mf_file_kind_describe(const guint8 *head, gsize size)
{
    for (gsize i = 0; i < G_N_ELEMENTS(kinds); i++) {
        const FileKind *kind = &kinds[i];

        if (size >= kind->offset + kind->magic_size &&
            memcmp(head + kind->offset, kind->magic, kind->magic_size) == 0)
            return kind->description;
    }
    return g_utf8_validate((const char *)head, (gssize)MIN(size, 64), NULL) ? "text" : NULL;
}

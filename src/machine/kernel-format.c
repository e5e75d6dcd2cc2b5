/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel-format.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "machine/compression.h"
#include "machine/elf-file.h"
#include "machine/file-kind.h"
#include "machine/packed.h"
#include "machine/peek.h"

/* As much as the farthest signature needs (s390x: "S390EP" at 64 KiB + 8). */
#define HEAD_SIZE (72 * 1024)

/* The x86 boot protocol (Documentation/x86/boot.rst). */
#define X86_SETUP_SECTS    0x1f1
#define X86_SYSSIZE        0x1f4
#define X86_BOOT_FLAG      0x1fe
#define X86_HDRS           0x202
#define X86_VERSION        0x206
#define X86_KERNEL_VERSION 0x20e
#define X86_XLOADFLAGS     0x236
#define X86_PAYLOAD_OFFSET 0x248
#define X86_PAYLOAD_LENGTH 0x24c
#define X86_HEADER_END     0x250
#define X86_SECTOR         512

#define X86_VERSION_PAYLOAD    0x208 /* the first with payload_offset */
#define X86_VERSION_XLOADFLAGS 0x20c
#define X86_XLF_KERNEL_64      1

#define PAYLOAD_TRAILER 4 /* the uncompressed size behind the stream */

/* arm64 and RISC-V Image (Documentation/arm64/booting.rst, riscv/boot-image-header.rst). */
#define IMAGE_HEADER_SIZE   64
#define IMAGE_RISCV_MAGIC   48
#define IMAGE_MAGIC         56
#define ZBOOT_MAGIC         4
#define ZBOOT_OFFSET        8
#define ZBOOT_SIZE          12
#define S390_MAGIC          0x10008
#define PE_OFFSET           60
#define PE_SECTIONS_MAX     96
#define PE_SECTION_SIZE     40
#define PE_FILE_HEADER_SIZE 24

typedef struct {
    int fd;
    guint64 size; /* of the file */
    const char *path;
    const guint8 *head;
    gsize head_size;
} Image;

static gboolean
set_truncated(const Image *image, guint64 announced, GError **error)
{
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "Kernel '%s' is truncated: its headers announce at least %" G_GUINT64_FORMAT
                " bytes and it has %" G_GUINT64_FORMAT ".",
                image->path, announced, image->size);
    return FALSE;
}

static gboolean
has_magic(const Image *image, gsize offset, const char *magic, gsize size)
{
    return image->head_size >= offset + size && memcmp(image->head + offset, magic, size) == 0;
}

/* The release is the first word of a longer text: "6.1.0-56-amd64 (builder@host) #1 SMP ...". */
static char *
read_x86_release(const Image *image)
{
    gsize at = (gsize)mf_peek_le16(image->head + X86_KERNEL_VERSION) + X86_SECTOR;

    if (at == X86_SECTOR || at >= image->head_size)
        return NULL;
    return mf_kernel_release_read(image->head + at, image->head_size - at);
}

/* Where the compressed kernel lies and how it is compressed. No payload is no error: such an image
 * (boot protocol before 2.08, or an unknown compression) is booted as it is. */
static gboolean
read_x86_payload(const Image *image, guint64 code, MfKernelFacts *facts, GError **error)
{
    guint64 offset = code + mf_peek_le32(image->head + X86_PAYLOAD_OFFSET);
    guint64 length = mf_peek_le32(image->head + X86_PAYLOAD_LENGTH);
    guint8 magic[MF_COMPRESSION_MAGIC_MAX];
    guint8 trailer[PAYLOAD_TRAILER];

    if (length < sizeof(magic) + sizeof(trailer))
        return TRUE;
    if (offset + length > image->size)
        return set_truncated(image, offset + length, error);
    if (mf_peek_read(image->fd, magic, sizeof(magic), offset) != (gssize)sizeof(magic) ||
        mf_peek_read(image->fd, trailer, sizeof(trailer), offset + length - sizeof(trailer)) !=
            (gssize)sizeof(trailer)) {
        g_set_error(error, MF_ERROR, MF_ERROR_HOST, "Kernel '%s' cannot be read.", image->path);
        return FALSE;
    }

    facts->compression = mf_compression_detect(magic, sizeof(magic));
    if (!facts->compression)
        return TRUE;
    facts->announced_size = mf_peek_le32(trailer);
    if (facts->announced_size == 0 || facts->announced_size > MF_KERNEL_UNPACKED_MAX) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "Kernel '%s' is damaged: its payload claims to unpack to %" G_GUINT64_FORMAT
                    " bytes.",
                    image->path, facts->announced_size);
        return FALSE;
    }
    facts->payload_offset = offset;
    /* gzip ends with the size by itself; behind the others the kernel's build appends it. */
    facts->payload_length =
        g_str_equal(facts->compression, "gzip") ? length : length - PAYLOAD_TRAILER;
    return TRUE;
}

static gboolean
probe_bzimage(const Image *image, MfKernelFacts *facts, GError **error)
{
    if (image->head_size < X86_HEADER_END)
        return set_truncated(image, X86_HEADER_END, error);

    guint16 version = mf_peek_le16(image->head + X86_VERSION);
    guint setup_sectors = image->head[X86_SETUP_SECTS] ? image->head[X86_SETUP_SECTS] : 4;
    guint64 code = (guint64)(setup_sectors + 1) * X86_SECTOR;
    guint64 code_size = (guint64)mf_peek_le32(image->head + X86_SYSSIZE) * 16;

    facts->format = MF_KERNEL_BZIMAGE;
    facts->arch = MF_ARCH_X86_64;
    if (version >= X86_VERSION_XLOADFLAGS &&
        !(mf_peek_le16(image->head + X86_XLOADFLAGS) & X86_XLF_KERNEL_64)) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "Kernel '%s' is a 32-bit x86 kernel; mayfly needs a 64-bit one.", image->path);
        return FALSE;
    }
    /* The size is in units of 16 bytes, rounded up. */
    if (code + code_size > image->size + 15)
        return set_truncated(image, code + code_size, error);
    facts->release = read_x86_release(image);
    return version < X86_VERSION_PAYLOAD || read_x86_payload(image, code, facts, error);
}

static const struct {
    guint16 machine;
    MfArch arch;
} elf_machines[] = {
    {EM_X86_64, MF_ARCH_X86_64},
    {EM_AARCH64, MF_ARCH_AARCH64},
    {EM_RISCV, MF_ARCH_RISCV64},
    {EM_S390, MF_ARCH_S390X},
};

static gboolean
set_not_a_kernel(const Image *image, const char *looks_like, GError **error)
{
    if (looks_like)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is not a kernel image: it looks like %s.", image->path, looks_like);
    else
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is not a kernel image: it has none of the signatures of a bzImage, a "
                    "vmlinux or an arm64, RISC-V or s390x Image.",
                    image->path);
    return FALSE;
}

/* What an ELF file is if it is not a kernel; NULL for a kernel. A kernel has no interpreter, and
 * runs in the upper half of the address space (except on s390x, where it has one of its own). */
static const char *
elf_stranger(const MfElfFile *elf)
{
    gboolean high = elf->machine == EM_S390;

    if (elf->type == ET_REL)
        return "a kernel module or object file";
    if (elf->type == ET_CORE)
        return "a core dump";
    for (guint i = 0; i < elf->n_segments; i++) {
        if (elf->segments[i].type == PT_INTERP)
            return "a program";
        if (elf->segments[i].type == PT_LOAD && elf->segments[i].vaddr >> 63)
            high = TRUE;
    }
    return high ? NULL : "a program";
}

static gboolean
probe_elf(const Image *image, MfKernelFacts *facts, GError **error)
{
    MfElfFile elf;

    switch (mf_elf_file_read(image->fd, image->size, &elf)) {
    case MF_ELF_FILE_OK:
        break;
    case MF_ELF_FILE_TRUNCATED:
        return set_truncated(image, elf.extent, error);
    case MF_ELF_FILE_DAMAGED:
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "Kernel '%s' is damaged: its ELF headers contradict themselves.", image->path);
        return FALSE;
    case MF_ELF_FILE_FOREIGN:
        return set_not_a_kernel(image, "a 32-bit ELF file; mayfly needs a 64-bit kernel", error);
    }

    const char *stranger = elf_stranger(&elf);
    if (stranger)
        return set_not_a_kernel(image, stranger, error);
    for (gsize i = 0; i < G_N_ELEMENTS(elf_machines); i++) {
        if (elf_machines[i].machine == elf.machine) {
            facts->format = MF_KERNEL_ELF;
            facts->arch = elf_machines[i].arch;
            return TRUE;
        }
    }
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "Kernel '%s' is for an architecture that mayfly does not know (ELF machine %u).",
                image->path, elf.machine);
    return FALSE;
}

/* An image with an EFI stub has a PE section table, which tells how long the file has to be. */
static guint64
pe_extent(const Image *image)
{
    guint64 extent = 0;

    if (!has_magic(image, 0, "MZ", 2) || image->head_size < IMAGE_HEADER_SIZE)
        return 0;

    gsize at = mf_peek_le32(image->head + PE_OFFSET);
    if (at > image->head_size || image->head_size - at < PE_FILE_HEADER_SIZE ||
        memcmp(image->head + at, "PE\0\0", 4) != 0)
        return 0;

    guint n_sections = MIN(mf_peek_le16(image->head + at + 6), PE_SECTIONS_MAX);
    at += PE_FILE_HEADER_SIZE + mf_peek_le16(image->head + at + 20);
    for (guint i = 0; i < n_sections && at + PE_SECTION_SIZE <= image->head_size; i++) {
        guint64 end =
            (guint64)mf_peek_le32(image->head + at + 16) + mf_peek_le32(image->head + at + 20);

        extent = MAX(extent, end);
        at += PE_SECTION_SIZE;
    }
    return extent;
}

/* The uncompressed Image of arm64 or RISC-V, from its 64-byte header. */
static gboolean
match_raw_image(const guint8 *head, gsize size, MfKernelFacts *facts)
{
    if (size < IMAGE_HEADER_SIZE)
        return FALSE;
    if (memcmp(head + IMAGE_MAGIC, "ARM\x64", 4) == 0) {
        facts->format = MF_KERNEL_ARM64_IMAGE;
        facts->arch = MF_ARCH_AARCH64;
        return TRUE;
    }
    if (memcmp(head + IMAGE_RISCV_MAGIC, "RISCV\0\0\0", 8) == 0 ||
        memcmp(head + IMAGE_MAGIC, "RSC\x05", 4) == 0) {
        facts->format = MF_KERNEL_RISCV_IMAGE;
        facts->arch = MF_ARCH_RISCV64;
        return TRUE;
    }
    return FALSE;
}

/* An Image inside of a compressed stream; FALSE without an error when it is something else. */
static gboolean
match_wrapped_image(const Image *image, const char *compression, guint64 offset, guint64 length,
                    MfKernelFacts *facts)
{
    MfPacked payload = {image->fd, offset, length, compression};
    guint8 head[IMAGE_HEADER_SIZE];
    gsize n = mf_packed_peek(&payload, head, sizeof(head));

    if (!match_raw_image(head, n, facts))
        return FALSE;
    facts->compression = compression;
    facts->payload_offset = offset;
    facts->payload_length = length;
    return TRUE;
}

/* EFI's self-decompressing Image; its header has the place of the compressed Image. */
static gboolean
probe_zboot(const Image *image, MfKernelFacts *facts, GError **error)
{
    guint64 offset = mf_peek_le32(image->head + ZBOOT_OFFSET);
    guint64 length = mf_peek_le32(image->head + ZBOOT_SIZE);
    guint8 magic[MF_COMPRESSION_MAGIC_MAX];

    if (offset + length > image->size)
        return set_truncated(image, offset + length, error);

    gssize n = mf_peek_read(image->fd, magic, MIN(sizeof(magic), length), offset);
    const char *compression = mf_compression_detect(magic, (gsize)MAX(n, 0));
    if (!compression || !mf_packed_is_supported(compression)) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "Kernel '%s' is an EFI zboot image compressed in a way that mayfly cannot "
                    "unpack; use the Image it was made from.",
                    image->path);
        return FALSE;
    }
    if (match_wrapped_image(image, compression, offset, length, facts))
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "Kernel '%s' is an EFI zboot image whose payload is damaged or not an arm64 or "
                "RISC-V Image.",
                image->path);
    return FALSE;
}

static gboolean
probe_image(const Image *image, MfKernelFacts *facts, GError **error)
{
    guint64 extent = pe_extent(image);

    if (extent > image->size)
        return set_truncated(image, extent, error);
    if (has_magic(image, X86_BOOT_FLAG, "\x55\xaa", 2) && has_magic(image, X86_HDRS, "HdrS", 4))
        return probe_bzimage(image, facts, error);
    if (has_magic(image, 0, ELFMAG, SELFMAG))
        return probe_elf(image, facts, error);
    if (has_magic(image, 0, "MZ", 2) && has_magic(image, ZBOOT_MAGIC, "zimg", 4) &&
        image->head_size >= IMAGE_HEADER_SIZE)
        return probe_zboot(image, facts, error);
    if (match_raw_image(image->head, image->head_size, facts))
        return TRUE;
    if (has_magic(image, S390_MAGIC, "S390EP", 6)) {
        facts->format = MF_KERNEL_S390_IMAGE;
        facts->arch = MF_ARCH_S390X;
        return TRUE;
    }
    if (has_magic(image, 0, "\x1f\x8b", 2) &&
        match_wrapped_image(image, "gzip", 0, image->size, facts))
        return TRUE;
    return set_not_a_kernel(image, mf_file_kind_describe(image->head, image->head_size), error);
}

gboolean
mf_kernel_format_probe(int fd, guint64 size, const char *path, MfKernelFacts *ret_facts,
                       GError **error)
{
    g_autofree guint8 *head = g_malloc(HEAD_SIZE);
    gssize n = mf_peek_read(fd, head, HEAD_SIZE, 0);

    if (n < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "Kernel '%s' cannot be read", path);
        return FALSE;
    }

    Image image = {fd, size, path, head, (gsize)n};
    g_auto(MfKernelFacts) facts = {0};
    if (!probe_image(&image, &facts, error))
        return FALSE;
    *ret_facts = facts;
    facts.release = NULL; /* now the caller's */
    return TRUE;
}

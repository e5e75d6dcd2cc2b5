/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/elf-file.h"

#include <string.h>

#include "machine/peek.h"

static guint16
value16(const MfElfFile *self, guint16 raw)
{
    return self->big_endian ? GUINT16_FROM_BE(raw) : GUINT16_FROM_LE(raw);
}

static guint32
value32(const MfElfFile *self, guint32 raw)
{
    return self->big_endian ? GUINT32_FROM_BE(raw) : GUINT32_FROM_LE(raw);
}

static guint64
value64(const MfElfFile *self, guint64 raw)
{
    return self->big_endian ? GUINT64_FROM_BE(raw) : GUINT64_FROM_LE(raw);
}

/* Makes the file at least as long as this range's end; FALSE when the end is beyond counting. */
static gboolean
extend(MfElfFile *self, guint64 offset, guint64 size)
{
    guint64 end;

    if (!g_uint64_checked_add(&end, offset, size))
        return FALSE;
    self->extent = MAX(self->extent, end);
    return TRUE;
}

static gboolean
read_segment(MfElfFile *self, int fd, guint64 offset)
{
    MfElfSegment *segment = &self->segments[self->n_segments];
    Elf64_Phdr raw;

    if (mf_peek_read(fd, &raw, sizeof(raw), offset) != (gssize)sizeof(raw))
        return FALSE;
    segment->type = value32(self, raw.p_type);
    segment->offset = value64(self, raw.p_offset);
    segment->size = value64(self, raw.p_filesz);
    segment->vaddr = value64(self, raw.p_vaddr);
    self->n_segments++;
    return extend(self, segment->offset, segment->size);
}

MfElfFileResult
mf_elf_file_read(int fd, guint64 size, MfElfFile *ret_elf)
{
    MfElfFile elf = {.extent = sizeof(Elf64_Ehdr)};
    Elf64_Ehdr raw;
    gssize n = mf_peek_read(fd, &raw, sizeof(raw), 0);

    if (n < EI_NIDENT || memcmp(raw.e_ident, ELFMAG, SELFMAG) != 0 ||
        raw.e_ident[EI_CLASS] != ELFCLASS64)
        return MF_ELF_FILE_FOREIGN;
    ret_elf->extent = elf.extent;
    if (n < (gssize)sizeof(raw))
        return MF_ELF_FILE_TRUNCATED;

    elf.big_endian = raw.e_ident[EI_DATA] == ELFDATA2MSB;
    elf.type = value16(&elf, raw.e_type);
    elf.machine = value16(&elf, raw.e_machine);

    guint64 table = value64(&elf, raw.e_phoff);
    guint n_segments = value16(&elf, raw.e_phnum);
    guint64 sections_size = (guint64)value16(&elf, raw.e_shnum) * value16(&elf, raw.e_shentsize);

    if (n_segments > MF_ELF_FILE_SEGMENTS_MAX ||
        (n_segments > 0 && value16(&elf, raw.e_phentsize) != sizeof(Elf64_Phdr)) ||
        !extend(&elf, table, n_segments * sizeof(Elf64_Phdr)) ||
        !extend(&elf, value64(&elf, raw.e_shoff), sections_size))
        return MF_ELF_FILE_DAMAGED;
    ret_elf->extent = elf.extent;
    if (elf.extent > size)
        return MF_ELF_FILE_TRUNCATED;

    for (guint i = 0; i < n_segments; i++) {
        if (!read_segment(&elf, fd, table + i * sizeof(Elf64_Phdr)))
            return MF_ELF_FILE_DAMAGED;
    }
    *ret_elf = elf;
    return elf.extent > size ? MF_ELF_FILE_TRUNCATED : MF_ELF_FILE_OK;
}

/* Notes are padded to four bytes; in the note segments of kernels nothing else occurs. */
static gboolean
find_note(const MfElfFile *self, const guint8 *notes, gsize size, const char *owner, guint32 type)
{
    gsize owner_size = strlen(owner) + 1;

    for (gsize at = 0; size - at >= sizeof(Elf64_Nhdr);) {
        Elf64_Nhdr raw;

        memcpy(&raw, notes + at, sizeof(raw));
        at += sizeof(raw);

        guint32 name_size = value32(self, raw.n_namesz);
        guint64 padded_name = ((guint64)name_size + 3) & ~G_GUINT64_CONSTANT(3);
        guint64 padded_desc = ((guint64)value32(self, raw.n_descsz) + 3) & ~G_GUINT64_CONSTANT(3);

        if (padded_name + padded_desc > size - at)
            return FALSE;
        if (value32(self, raw.n_type) == type && name_size == owner_size &&
            memcmp(notes + at, owner, owner_size) == 0)
            return TRUE;
        at += padded_name + padded_desc;
    }
    return FALSE;
}

gboolean
mf_elf_file_has_note(const MfElfFile *self, int fd, const char *owner, guint32 type)
{
    g_autofree guint8 *notes = g_malloc(MF_ELF_FILE_NOTES_MAX);

    for (guint i = 0; i < self->n_segments; i++) {
        const MfElfSegment *segment = &self->segments[i];

        if (segment->type != PT_NOTE)
            continue;

        gsize wanted = (gsize)MIN(segment->size, MF_ELF_FILE_NOTES_MAX);
        gssize n = mf_peek_read(fd, notes, wanted, segment->offset);
        if (n > 0 && find_note(self, notes, (gsize)n, owner, type))
            return TRUE;
    }
    return FALSE;
}

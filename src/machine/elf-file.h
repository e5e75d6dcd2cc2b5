/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <elf.h>
#include <glib.h>

/*
 * The headers of a 64-bit ELF file of either byte order: as much as it takes to tell a kernel from
 * a program, to find a note, and to see that the file is whole.
 */

#define MF_ELF_FILE_SEGMENTS_MAX 64          /* a vmlinux has about five */
#define MF_ELF_FILE_NOTES_MAX    (64 * 1024) /* bytes of notes that are looked at per segment */

typedef struct {
    guint32 type; /* PT_LOAD, PT_NOTE, ... */
    guint64 offset;
    guint64 size; /* in the file */
    guint64 vaddr;
} MfElfSegment;

typedef struct {
    guint16 type;    /* ET_EXEC, ... */
    guint16 machine; /* EM_X86_64, ... */
    gboolean big_endian;
    guint64 extent; /* the size of the file as the headers have it, at least */
    guint n_segments;
    MfElfSegment segments[MF_ELF_FILE_SEGMENTS_MAX];
} MfElfFile;

typedef enum {
    MF_ELF_FILE_OK,
    MF_ELF_FILE_FOREIGN, /* no ELF file, or not a 64-bit one */
    MF_ELF_FILE_DAMAGED, /* the headers contradict themselves */
    MF_ELF_FILE_TRUNCATED,
} MfElfFileResult;

/* Reads the headers of the file of 'size' bytes. On MF_ELF_FILE_TRUNCATED 'extent' is filled in as
 * far as it is known; other members only on MF_ELF_FILE_OK. */
MfElfFileResult mf_elf_file_read(int fd, guint64 size, MfElfFile *ret_elf);

/* Whether a note segment has a note of this owner and type. */
gboolean mf_elf_file_has_note(const MfElfFile *self, int fd, const char *owner, guint32 type);

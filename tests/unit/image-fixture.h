/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Small kernel images for the tests: the headers and the payload of real ones, with a few KiB of
 * noise for code. Everything returned is owned by the caller.
 */

#define FIXTURE_RELEASE "6.6.6-fixture"

typedef struct {
    guint16 machine;    /* 0 for x86-64 */
    gboolean pvh;       /* with the Xen note */
    gboolean no_banner; /* without "Linux version ..." */
    const char *config; /* an IKCONFIG of this text; NULL for none */
    gsize padding;      /* noise in front of the banner and the configuration */
} FixtureKernel;

/* An ELF vmlinux. */
GBytes *fixture_vmlinux(const FixtureKernel *kernel);

/* 'bytes' compressed: "xz", "gzip", "zstd", "bzip2", "lzma", or "lz4" in the legacy format. */
GBytes *fixture_compress(GBytes *bytes, const char *compression);

/* A bzImage with that kernel, compressed, as its payload. */
GBytes *fixture_bzimage(GBytes *vmlinux, const char *compression);

/* A raw arm64 or RISC-V Image (with a banner), and an EFI zboot image around one. */
GBytes *fixture_arm64_image(void);
GBytes *fixture_riscv_image(void);
GBytes *fixture_zboot(GBytes *image, const char *compression);

/* A kernel module that is nothing but what it says about itself: "depends=...", "softdep=...";
 * NULL-terminated. */
GBytes *fixture_module(const char *info, ...) G_GNUC_NULL_TERMINATED;

/* Writes 'bytes' to DIRECTORY/NAME, making the directories on the way; returns that path. */
char *fixture_write(const char *directory, const char *name, GBytes *bytes);
char *fixture_write_text(const char *directory, const char *name, const char *text);

/* The bytes up to 'size', and a copy that may be changed. */
GBytes *fixture_truncate(GBytes *bytes, gsize size);
GByteArray *fixture_copy(GBytes *bytes);

/* A temporary directory with the cache in it (MAYFLY_CACHE_DIR); removed by the second. */
char *fixture_begin(void);
void fixture_end(char *directory);

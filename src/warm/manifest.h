/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What a saved machine's files have to be. The small ones are known by size and SHA-256. The memory
 * and the overlay of its disk are known by their files' identity (mf_cache_file_id), which any
 * write to them changes: a checksum would cost more than all the rest of a restore. That holds as
 * long as the host runs; after a crash of the host the files may lack what was never written back,
 * so a machine is trusted only in the boot of the host that it was saved in.
 */
typedef struct {
    guint64 size;
    char *sha256; /* owned; lower-case hexadecimal */
} MfWarmSum;

typedef struct {
    char *key;          /* owned; the id of the key */
    char *label;        /* owned; what it was saved for, for people */
    char *host_boot;    /* owned; the host's boot id */
    char *qemu_version; /* owned; "7.2.22" */
    char *ram;          /* owned; the file's identity */
    char *overlay;      /* owned; the file's identity; "" for none */
    MfWarmSum state, console, stream;
} MfWarmManifest;

void mf_warm_manifest_free(MfWarmManifest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfWarmManifest, mf_warm_manifest_free)

/* The size and checksum of 'bytes'; into 'ret_sum', whose owner frees it. */
void mf_warm_sum_make(MfWarmSum *ret_sum, GBytes *bytes);
gboolean mf_warm_sum_matches(const MfWarmSum *self, GBytes *bytes);

/* The manifest in a machine's directory. MF_ERROR_HOST, MF_ERROR_PROTOCOL. */
MfWarmManifest *mf_warm_manifest_read(const char *directory, GError **error);
gboolean mf_warm_manifest_write(const MfWarmManifest *self, const char *directory, GError **error);

/* Of this host, now; "" where there is no such thing. Owned by the caller. */
char *mf_warm_host_boot(void);

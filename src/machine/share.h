/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/argv.h"

/* A directory of the host that the guest can mount by a tag. */
typedef struct {
    char *id;         /* owned; QEMU's name for it */
    char *tag;        /* owned; the guest mounts by it */
    char *host_path;  /* owned; absolute */
    char *guest_path; /* owned; absolute; NULL for the root and other special shares */
    gboolean writable;
} MfShare;

/* Paths are copied; 'host_path' is made absolute against the current directory. */
MfShare *mf_share_new(const char *id, const char *tag, const char *host_path,
                      const char *guest_path, gboolean writable);
void mf_share_free(MfShare *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfShare, mf_share_free)

/*
 * Reads a --mount value, "[ro|rw:]HOST[:GUEST]": read-only unless "rw:"; the guest path is
 * absolute and defaults to the host path made absolute. A colon inside a host path is written
 * "\:". 'index' makes id and tag unique. MF_ERROR_CONFIG when the host directory is missing or the
 * text is not of that form.
 */
MfShare *mf_share_parse(const char *text, guint index, GError **error);

void mf_share_add_to_argv(const MfShare *self, MfArgv *argv);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "warm/key.h"

/* A saved machine, opened and checked: what happens to its names from now on does not matter. */
typedef struct {
    int ram_fd;         /* owned */
    int state_fd;       /* owned */
    int overlay_fd;     /* owned; -1 for none */
    GBytes *console;    /* owned */
    GBytes *stream;     /* owned; may be empty */
    char *qemu_version; /* owned; of the QEMU that saved it */
} MfWarmEntry;

/* Looks for the machine of a key, with 'memory' bytes. *ret_entry (owned by the caller) is NULL
 * when there is none. FALSE when there is one that cannot be trusted, with MF_ERROR_HOST and the
 * reason as the end of a sentence; it is removed. */
gboolean
mf_warm_entry_open(const MfWarmKey *key, guint64 memory, MfWarmEntry **ret_entry, GError **error);
void mf_warm_entry_free(MfWarmEntry *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfWarmEntry, mf_warm_entry_free)

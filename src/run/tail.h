/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The last bytes of a stream: at most 'cap' of them, in at most twice the memory. */
typedef struct {
    GByteArray *bytes; /* owned */
    gsize cap;
} MfTail;

MfTail *mf_tail_new(gsize cap);
void mf_tail_free(MfTail *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfTail, mf_tail_free)

void mf_tail_append(MfTail *self, GBytes *bytes);

/* A copy of what is kept. Owned by the caller. */
GBytes *mf_tail_get(const MfTail *self);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "suite/case.h"

/*
 * In what order cases start: that of the file, but a case whose machine another one is booting
 * right now waits behind those with other machines. So the first of each machine boot side by side,
 * and the others find theirs saved (warm/), instead of holding a job while they wait for that.
 */
typedef struct _MfQueue MfQueue;

/* 'cases' (of MfCase) is borrowed. */
MfQueue *mf_queue_new(const GPtrArray *cases);
void mf_queue_free(MfQueue *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfQueue, mf_queue_free)

/* The index of the case to be started now, which then is booting; -1 when none is left. */
int mf_queue_take(MfQueue *self);

/* A case that was taken has its machine up, or has ended. May be called more than once. */
void mf_queue_note_booted(MfQueue *self, guint index);

/* Nothing is left from here on. Returns how many were. */
guint mf_queue_clear(MfQueue *self);

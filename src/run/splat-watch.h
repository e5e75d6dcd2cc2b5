/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/console.h"
#include "run/target.h"

/*
 * Looks for splats in both of a guest's voices. The kernel's log is complete, but ends when the
 * guest does; on the serial port are only its most urgent lines, and the last ones. What is in both
 * is one splat.
 */
typedef struct _MfSplatWatch MfSplatWatch;

/* By the target's rules for splats: MF_ERROR_CONFIG when a file of its patterns is missing or
 * broken. */
MfSplatWatch *mf_splat_watch_new(const MfTarget *target, GError **error);
void mf_splat_watch_free(MfSplatWatch *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfSplatWatch, mf_splat_watch_free)

void mf_splat_watch_feed(MfSplatWatch *self, MfConsoleSource source, const char *line);

/* Whether anything so far fails the run. What is being said counts as complete. */
gboolean mf_splat_watch_has_failure(MfSplatWatch *self);

/* After the last line: puts what was found into the result, in the log's order, then what only the
 * serial port had, and judges it by the rules (see mf_splat_policy_apply()). */
void mf_splat_watch_conclude(MfSplatWatch *self, MfResult *result);

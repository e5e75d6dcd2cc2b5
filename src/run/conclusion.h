/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/hooks.h"
#include "run/target.h"

/*
 * What is done in the guest after the command, however that ended.
 */
#define MF_TYPE_CONCLUSION (mf_conclusion_get_type())
G_DECLARE_FINAL_TYPE(MfConclusion, mf_conclusion, MF, CONCLUSION, GObject)

/* Whether there is anything to do at all. */
gboolean mf_conclusion_is_needed(const MfTarget *target);

/* 'target' is borrowed for the object's life. 'make' as for mf_hooks_new(). */
MfConclusion *mf_conclusion_new(const MfTarget *target, MfHooksMake make, gpointer data);

/* Fails as mf_hooks_run_async(). */
void mf_conclusion_run_async(MfConclusion *self, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
gboolean mf_conclusion_run_finish(MfConclusion *self, GAsyncResult *result, GError **error);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/hooks.h"
#include "run/target.h"
#include "wire/qga.h"

/*
 * What is done in the guest after the command, however that ended: the teardown, then the artifacts
 * are copied out.
 */
#define MF_TYPE_CONCLUSION (mf_conclusion_get_type())
G_DECLARE_FINAL_TYPE(MfConclusion, mf_conclusion, MF, CONCLUSION, GObject)

/* Whether there is anything to do at all. */
gboolean mf_conclusion_is_needed(const MfTarget *target);

/* 'workdir' is the command's directory in the guest. Both are borrowed for the object's life, 'qga'
 * is referenced. 'make' as for mf_hooks_new(). */
MfConclusion *mf_conclusion_new(const MfTarget *target, const char *workdir, MfQga *qga,
                                MfHooksMake make, gpointer data);

/* A teardown that fails does not keep the artifacts from being copied, unless the guest is lost.
 * Fails with the code of the first failure, and all of them in its message. */
void mf_conclusion_run_async(MfConclusion *self, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
gboolean mf_conclusion_run_finish(MfConclusion *self, GAsyncResult *result, GError **error);

/* Adds to 'to' (of char *) what is worth telling without being a failure, when it is done: see
 * mf_artifacts_copy_finish(). */
void mf_conclusion_add_notes(const MfConclusion *self, GPtrArray *to);

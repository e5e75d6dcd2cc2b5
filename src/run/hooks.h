/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/exec.h"

/*
 * The shell texts of a target's setup, or of its teardown, run in the guest one after the other.
 * After one that fails, setup stops; teardown goes on to the next.
 */
#define MF_TYPE_HOOKS (mf_hooks_get_type())
G_DECLARE_FINAL_TYPE(MfHooks, mf_hooks, MF, HOOKS, GObject)

typedef enum { MF_HOOK_SETUP, MF_HOOK_TEARDOWN, MF_N_HOOKS } MfHookKind;

const char *mf_hook_kind_name(MfHookKind kind); /* "setup", "teardown" */

/* Makes what runs the text of that index. Owned by the caller. */
typedef MfExec *(*MfHooksMake)(MfHookKind kind, guint index, gpointer data);

/* 'texts' is borrowed for the object's life; NULL is none. Each has 'limit_ms' to end; 0 is no
 * limit. */
MfHooks *
mf_hooks_new(MfHookKind kind, char **texts, gint64 limit_ms, MfHooksMake make, gpointer data);

/* MF_ERROR_GUEST names each text that failed and how; MF_ERROR_TIMEOUT the same, when the first of
 * them took too long; else whatever mf_exec_run_async() fails with. */
void mf_hooks_run_async(MfHooks *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                        gpointer user_data);
gboolean mf_hooks_run_finish(MfHooks *self, GAsyncResult *result, GError **error);

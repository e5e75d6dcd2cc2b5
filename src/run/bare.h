/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/machine.h"
#include "run/console-watch.h"
#include "run/result.h"
#include "run/stdio.h"
#include "run/target.h"

/*
 * A boot without an agent: nothing of mayfly's is in the guest, and nothing is run in it. What its
 * console says, and how its machine ends, is what there is to judge.
 */
#define MF_TYPE_BARE (mf_bare_get_type())
G_DECLARE_FINAL_TYPE(MfBare, mf_bare, MF, BARE, GObject)

typedef struct {
    MfVerdict verdict;
    int status; /* with EXITED: 0 for a pass */
    gboolean passed;
    char *message; /* owned; NULL for a pass */
} MfBareEnd;

void mf_bare_end_clear(MfBareEnd *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MfBareEnd, mf_bare_end_clear)

/* 'target' and 'stdio' are borrowed for the object's life, the others are referenced. The machine
 * has been launched, and waits (MfSpec's 'paused'). */
MfBare *
mf_bare_new(const MfTarget *target, MfMachine *machine, MfConsoleWatch *watch, MfStdio *stdio);

/* Lets the machine go. Completes when the guest is through with what is asked of it, when its
 * machine has ended and all that it said was heard, or when the target's time is over. That a rule
 * fails it is for who watches the rules. MF_ERROR_CANCELLED, and what QEMU has to say. */
void mf_bare_run_async(MfBare *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                       gpointer user_data);
gboolean mf_bare_run_finish(MfBare *self, GAsyncResult *result, MfBareEnd *ret_end, GError **error);

/* The verdict on a QEMU that ended with this wait status where a guest is to end it with the exit
 * status 'success' (machine/debug-exit.h). 'complaint' is what QEMU itself says of it, as a
 * sentence, or NULL; 'awaited' as below. *ret_end is owned by the caller. A pure function. */
void mf_bare_judge_code(guint success, int wait_status, const char *complaint, const char *awaited,
                        MfBareEnd *ret_end);

/* The verdict on a guest that ended by itself in this way; 'awaited' is what it did not say, NULL
 * when it has said all. *ret_end is owned by the caller. A pure function. */
void mf_bare_judge_end(MfMachineEnd end, const char *awaited, MfBareEnd *ret_end);

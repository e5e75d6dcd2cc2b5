/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/machine.h"

/* What is kept of a guest that crashed or hung, beside its console: flags of MfTarget.on_crash. */
typedef enum {
    MF_ON_CRASH_DUMP = 1 << 0,       /* its memory, for crash(8) or gdb */
    MF_ON_CRASH_SCREENSHOT = 1 << 1, /* its screen; it is given one for that */
} MfOnCrash;

/* Words such as "dump,screenshot". MF_ERROR_CONFIG. */
gboolean mf_on_crash_parse(const char *text, guint *ret_flags, GError **error);

/* The files, in the directory that is named: the dump has an ending of run/memory-dump.h. */
#define MF_CRASH_DUMP       "crash"
#define MF_CRASH_SCREENSHOT "crash.png"

/* Writes what is 'wanted' of a machine that is still there, whether it runs or not. Takes at most
 * two minutes; what was not done until 'cancellable' is cancelled is left. */
void mf_crash_evidence_gather_async(MfMachine *machine, guint wanted, const char *directory,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data);

/* A sentence for each file, or why there is none. Of char *, owned by the caller. */
GPtrArray *mf_crash_evidence_gather_finish(MfMachine *machine, GAsyncResult *result);

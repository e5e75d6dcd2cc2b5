/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "run/stdio.h"
#include "run/stream.h"
#include "run/tail.h"
#include "run/target.h"
#include "wire/qga.h"

/*
 * The payloads of a target, from its first step to the end of the last one, as often as the target
 * repeats its steps. What they write is the run's output, as it comes.
 *
 * A payload that fails does not stop the steps. When they are over, what still runs is killed: with
 * the default steps that is how one in the background ends; with a target's own steps it is a
 * payload that nobody has collected, which fails.
 */
#define MF_TYPE_PAYLOAD_RUN (mf_payload_run_get_type())
G_DECLARE_FINAL_TYPE(MfPayloadRun, mf_payload_run, MF, PAYLOAD_RUN, GObject)

/* 'workdir' is the target's directory in the guest. 'target' and 'stdio' are borrowed for the
 * object's life. */
MfPayloadRun *mf_payload_run_new(const MfTarget *target, const char *workdir, MfQga *qga,
                                 MfStream *stream, MfStdio *stdio);

/* The last of what the payloads write to 'fd' goes to 'tail' too, borrowed for the object's life.
 * Before it starts. */
void mf_payload_run_keep(MfPayloadRun *self, int fd, MfTail *tail);

/* Takes the steps. Completes when nothing of the payloads runs any more and their output was handed
 * to the caller's readers. *ret_timed_out: the target's timeout has killed what ran. Fails with
 * MF_ERROR_PROTOCOL, LOST (also of a guest that does not answer), TIMEOUT (of one that does not
 * kill), HOST (output that could not be written), CANCELLED. */
void mf_payload_run_start_async(MfPayloadRun *self, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
gboolean mf_payload_run_start_finish(MfPayloadRun *self, GAsyncResult *result,
                                     gboolean *ret_timed_out, GError **error);

/* Bytes for 'fd' (1, 2) of the caller, as if a payload had written them; nothing once the steps are
 * over. */
void mf_payload_run_write_output(MfPayloadRun *self, int fd, GBytes *bytes);

/* Ends the steps as if the target's timeout had passed just now. */
void mf_payload_run_expire(MfPayloadRun *self);

/* How the payloads that were started ended (of MfPayloadResult), in the order in which they did;
 * those that did not last, with what was received of them. At any time, once; owned by the caller.
 */
GPtrArray *mf_payload_run_take_results(MfPayloadRun *self);

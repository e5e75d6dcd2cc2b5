/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/payload-result.h"
#include "run/payload.h"

/*
 * A payload that was started: what the guest tells of it, until it is judged. The guest is hostile:
 * what it tells is kept only up to what it may send, and held against what it says at the end.
 */
typedef struct _MfInvocation MfInvocation;

/* 'payload' is borrowed for the object's life. 'checks' are those that it is judged by, of borrowed
 * MfCheck; referenced. */
MfInvocation *
mf_invocation_new(const MfPayload *payload, GPtrArray *checks, guint index, guint repetition);
void mf_invocation_free(MfInvocation *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfInvocation, mf_invocation_free)

/* Takes a chunk of stream 'fd' (1 or 2); an empty one is its end. FALSE: it does not count, because
 * the stream had ended, or would have more than MF_PAYLOAD_KEEP_MAX bytes. */
gboolean mf_invocation_take_output(MfInvocation *self, int fd, GBytes *chunk);

/* Takes the guest's report of the end. MF_ERROR_PROTOCOL when it is malformed, is not the first,
 * contradicts the outputs, or comes before their ends, but for one that could not be started. */
gboolean mf_invocation_take_end(MfInvocation *self, GBytes *json, GError **error);

/* Its time is over by our clock: when the guest tells that it was killed, it was for that. */
void mf_invocation_expire(MfInvocation *self);

/* Judges what is known of it, which may be that it has not ended. Of one that was killed at our
 * word, how it ended is judged only by checks of just that, and by none of one that was killed for
 * its time. Once; owned by the caller. */
MfPayloadResult *mf_invocation_conclude(MfInvocation *self);

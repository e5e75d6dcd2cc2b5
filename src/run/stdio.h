/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/input.h"
#include "run/output.h"

/* Where a command's standard streams come from and go to on the host. A member that is NULL does
 * not exist for the command either. */
typedef struct {
    MfInput *input;      /* owned */
    MfOutput *output[3]; /* owned; indexes 1 and 2, which may be the same */
    int input_fd;        /* owned; what 'input' reads when it is not the caller's; or -1 */
} MfStdio;

/* The caller's own descriptors 0, 1 and 2, those that 'open' says. */
MfStdio *mf_stdio_new(const gboolean open[3]);

/* Nothing of the caller's: there is nothing to read, and who wants what is written listens to the
 * outputs, which are sinks. MF_ERROR_HOST. */
MfStdio *mf_stdio_new_capture(GError **error);

/* The same outputs, and the file 'path' to read. MF_ERROR_CONFIG. */
MfStdio *mf_stdio_new_reading(const MfStdio *other, const char *path, GError **error);

/* For what runs beside the command: nothing to read, and all that it writes goes to the standard
 * error, which leaves the standard output to the command alone. */
MfStdio *mf_stdio_new_beside(const MfStdio *other);

void mf_stdio_free(MfStdio *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfStdio, mf_stdio_free)

/* Which of 0, 1, 2 exist. */
void mf_stdio_get_open(const MfStdio *self, gboolean ret_open[3]);

/* Bytes that wait for the caller's readers. */
gsize mf_stdio_get_queued(const MfStdio *self);

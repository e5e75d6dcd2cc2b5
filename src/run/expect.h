/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "run/result.h"
#include "run/tail.h"

/* What a command has to do to pass, where it is not simply to exit with 0. */
typedef struct {
    gboolean has_status; /* else 0 is expected, unless a signal is */
    int status;
    int signal_number;  /* 0: none */
    char *stdout_match; /* owned; a GRegex that has to match somewhere, or NULL */
    char *stderr_match; /* owned; or NULL */
} MfExpect;

/* How much of each stream is kept for the matches: the last bytes. */
#define MF_EXPECT_KEEP (16u << 20)

MfExpect *mf_expect_new(void);
void mf_expect_free(MfExpect *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfExpect, mf_expect_free)

/* Whether the patterns are regular expressions. MF_ERROR_CONFIG with the position in the pattern.
 */
gboolean mf_expect_check_patterns(const MfExpect *self, GError **error);

/* Where to keep the end of stream 'fd' for the matches; NULL when it is not matched. A NULL 'self'
 * matches nothing. Owned by the caller. */
MfTail *mf_expect_keep(const MfExpect *self, int fd);

/* Judges a command that ended by itself (MF_VERDICT_EXITED or SIGNALLED); 'kept' are the streams
 * by number, NULL where there is none. Returns the sentences of what was not as expected, owned by
 * the caller, or NULL when all was. A NULL 'self' expects status 0, and reads no stream.
 *
 * '^' and '$' match at every line. Streams that are no UTF-8 are matched byte by byte. */
char *mf_expect_judge(const MfExpect *self, const MfResult *result, GBytes *const kept[3]);

/* The same of the streams alone. */
char *mf_expect_judge_output(const MfExpect *self, GBytes *const kept[3]);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* As many failures as an exit status can tell of, apart from what other statuses mean. */
#define MF_TEST_FAILURES_MAX 100

/* The exit status for 'outcomes' (of MfOutcomeReport, or NULL for a case that was never started):
 * of one case its own, of several how many did not pass. 'cancel_signal' is the one that ended the
 * run, if any did. With 'skip_missing' it shows when every case was skipped. */
int mf_test_exit_status(const GPtrArray *outcomes, gboolean skip_missing, int cancel_signal);

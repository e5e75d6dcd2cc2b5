/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "suite/event.h"

/*
 * What a case's own directory has of the reports, for those whose directory is kept: result.json,
 * and a picture of where the time went.
 */
typedef struct _MfReportRunDir MfReportRunDir;

MfReportRunDir *mf_report_run_dir_new(void);
void mf_report_run_dir_free(MfReportRunDir *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfReportRunDir, mf_report_run_dir_free)

/* An MfEventFunc; 'self' is an MfReportRunDir. */
void mf_report_run_dir_feed(const MfEvent *event, gpointer self);

/* The end. MF_ERROR_HOST with the first thing that could not be written. */
gboolean mf_report_run_dir_close(MfReportRunDir *self, GError **error);

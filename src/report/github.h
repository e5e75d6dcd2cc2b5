/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report/output-policy.h"
#include "report/sink.h"
#include "suite/event.h"

/*
 * A suite in the log of a GitHub Actions job: a line for each case, a folded group and an
 * annotation for each that did not pass, and a table in the job's summary. What a guest wrote is
 * shown while workflow commands are stopped, so that it cannot give any.
 */
typedef struct _MfReportGithub MfReportGithub;

typedef struct {
    MfOutputPolicy policy;
    MfSink *log;           /* borrowed for the object's life */
    MfSink *summary;       /* likewise; or NULL */
    const char *workspace; /* the directory to which annotations are relative; or NULL */
    const char *token;     /* nobody can guess it: who knows it can resume commands */
} MfReportGithubOptions;

MfReportGithub *mf_report_github_new(const MfReportGithubOptions *options);
void mf_report_github_free(MfReportGithub *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfReportGithub, mf_report_github_free)

/* An MfEventFunc; 'self' is an MfReportGithub. */
void mf_report_github_feed(const MfEvent *event, gpointer self);

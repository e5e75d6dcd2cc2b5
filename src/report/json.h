/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <json.h>

#include "report/host.h"
#include "report/sink.h"
#include "suite/event.h"
#include "suite/result-file.h"

/*
 * A suite's result for programs: one JSON document, as data/mayfly-result.schema.json describes it.
 */
typedef struct _MfReportJson MfReportJson;

/* Increased when something that was there is gone or means something else. */
#define MF_REPORT_JSON_VERSION MF_RESULT_FILE_VERSION

/* Both are borrowed for the object's life; the document is written with the suite's end. */
MfReportJson *mf_report_json_new(MfSink *sink, const MfReportHost *host);
void mf_report_json_free(MfReportJson *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfReportJson, mf_report_json_free)

/* An MfEventFunc; 'self' is an MfReportJson. */
void mf_report_json_feed(const MfEvent *event, gpointer self);

/* The document of a suite that began at 'wall_time_us' (since 1970), by its
 * MF_EVENT_SUITE_FINISHED. Owned by the caller. */
json_object *
mf_report_json_suite(const MfReportHost *report_host, gint64 wall_time_us, const MfEvent *finished);

/* One case, a document of its own (result.json) or an element of the suite's. 'outcome' is NULL for
 * one that was never started. Owned by the caller. */
json_object *mf_report_json_case(const MfCase *kase, const MfOutcomeReport *outcome);

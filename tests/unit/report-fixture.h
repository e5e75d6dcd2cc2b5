/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report/host.h"
#include "suite/event.h"

/*
 * A recorded suite with one case for each way to end, with output that writers have to escape, and
 * one that was not started any more. Every report of it has to tell the same.
 */
typedef struct {
    GPtrArray *cases;    /* owned; of MfCase */
    GPtrArray *outcomes; /* owned; of MfOutcomeReport or NULL */
    GArray *events;      /* owned; of MfEvent */
    GPtrArray *bytes;    /* owned; of GBytes, which the events borrow */
    MfReportHost *host;  /* owned; the same everywhere */
} ReportFixture;

/* What the case "floods" writes; its tail is MF_OUTCOME_TAIL. */
#define REPORT_FIXTURE_FLOOD (1u << 20)

/* 'flood' adds the case that writes so much. */
ReportFixture *report_fixture_new(gboolean flood);
void report_fixture_free(ReportFixture *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ReportFixture, report_fixture_free)

/* Feeds all events to a reader. */
void report_fixture_play(const ReportFixture *self, MfEventFunc func, gpointer user_data);

/* An empty file that has no name, for a sink; and all that was written to it, as text. Owned by the
 * caller. */
int report_fixture_open(void);
char *report_fixture_read(int fd);

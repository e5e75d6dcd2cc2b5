/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/console.h"
#include "run/result.h"
#include "run/stream.h"
#include "run/target.h"
#include "wire/qmp.h"

/*
 * What programs in the guest tell of their scenario, and what they ask for: the watchdog that it
 * moves, its metrics and its log, and snapshots. The guest is hostile: nothing of it but the
 * watchdog can end a run, and what it adds to one is bounded.
 */
#define MF_TYPE_SCENARIO (mf_scenario_get_type())
G_DECLARE_FINAL_TYPE(MfScenario, mf_scenario, MF, SCENARIO, GObject)

/* Metrics with names of their own; a name that comes again has the later value. */
#define MF_SCENARIO_METRICS_MAX 1000

/* 'target' is borrowed for the object's life; the others are referenced. The stream's watchdog is
 * the target's from now on. */
MfScenario *
mf_scenario_new(const MfTarget *target, MfQmp *qmp, MfConsole *console, MfStream *stream);

/* The command has ended, and its scenario with it: the watchdog stands still, and no snapshot is
 * taken any more. */
void mf_scenario_end(MfScenario *self);

/* The metrics, judged by the target's checks where its command has ended by itself, and notes on
 * the snapshots and on what was left out. */
void mf_scenario_conclude(MfScenario *self, MfResult *result);

/* Signals:
 *   "overdue" (const char *message)   the watchdog has passed; whole sentence; at most once
 *   "log"     (GBytes *text)          as it came */

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/console.h"
#include "run/snapshot-request.h"
#include "wire/qmp.h"

/*
 * The snapshots that a guest asks for: taken one after the other, as many as it is allowed, into
 * files that are named by their number and never by the guest. Each request has one answer.
 */
#define MF_TYPE_SNAPSHOTS (mf_snapshots_get_type())
G_DECLARE_FINAL_TYPE(MfSnapshots, mf_snapshots, MF, SNAPSHOTS, GObject)

/* Requests that may wait; others are refused at once. */
#define MF_SNAPSHOTS_QUEUE_MAX 8

/* The files, in this directory of the one that is named: a dump's ending is one of
 * run/memory-dump.h. */
#define MF_SNAPSHOTS_DIR   "snapshots"
#define MF_SNAPSHOTS_NAME  "snapshot-%u"
#define MF_SNAPSHOTS_STATE ".state"

/* At most 'allowed' files, below 'directory', which is made if need be; NULL: none. The machine's
 * two are referenced. */
MfSnapshots *mf_snapshots_new(MfQmp *qmp, MfConsole *console, const char *directory, guint allowed);

/* 'request' is copied. "answered" follows, maybe at once. */
void mf_snapshots_take(MfSnapshots *self, const MfSnapshotRequest *request);

/* Whether the guest stands still for one. */
gboolean mf_snapshots_is_dumping(MfSnapshots *self);

/* Gives up what is not done, without answers; later requests are refused. */
void mf_snapshots_stop(MfSnapshots *self);

/* Adds a sentence for each file, and on how many were not taken for want of allowance. */
void mf_snapshots_add_notes(MfSnapshots *self, GPtrArray *notes);

/* Signals:
 *   "answered" (guint id, guint status, const char *reason)   MF_SNAPSHOT_OK, _FAILED; the reason
 *                                                             fits into an answer
 *   "dumping"  ()   mf_snapshots_is_dumping() has changed */

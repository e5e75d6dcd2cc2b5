/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "wire/transport.h"

/*
 * The host's end of the frames on MF_PORT_STREAM. The guest is hostile: a frame has the effect its
 * rule gives it, at most once where it means "once", and none when its checksum is wrong.
 */
#define MF_TYPE_STREAM (mf_stream_get_type())
G_DECLARE_FINAL_TYPE(MfStream, mf_stream, MF, STREAM, GObject)

/* 'transport' is referenced. */
MfStream *mf_stream_new(MfTransport *transport);

/* Whether the ready frame has come. */
gboolean mf_stream_is_ready(MfStream *self);

/* Takes what has come of a frame that is not complete; NULL when there is nothing. A saved machine
 * sends the rest of it after it was restored. Owned by the caller. */
GBytes *mf_stream_take_residual(MfStream *self);

/* Goes on where the stream of a saved machine ended: with the ready frame received, and 'residual'
 * (may be NULL) of the next one. */
void mf_stream_resume(MfStream *self, GBytes *residual);

/* Hands the CONF record over; "configured" follows. */
void mf_stream_send_conf(MfStream *self, GBytes *record);

/* From here on output and an exit are expected, each time anew; what came before is ignored, and
 * what the command before has left open. */
void mf_stream_expect_command(MfStream *self);

void mf_stream_send_stdin(MfStream *self, GBytes *chunk);
void mf_stream_send_stdin_end(MfStream *self);
void mf_stream_send_reader_gone(MfStream *self, int fd);
void mf_stream_send_signal(MfStream *self, int signal_number);
void mf_stream_send_kill(MfStream *self, guint32 grace_ms);
void mf_stream_send_window_size(MfStream *self, guint16 rows, guint16 columns);

/* Starts a payload by its record (wire/guest-protocol.h), with the next index: from 0 on. */
void mf_stream_start_payload(MfStream *self, GBytes *record);
void mf_stream_signal_payload(MfStream *self, guint32 index, int signal_number);
void mf_stream_kill_payload(MfStream *self, guint32 index);

/* How long a scenario may take: see MfDispatch. 0, as at first, is for ever. */
void mf_stream_set_watchdog(MfStream *self, gint64 budget_ms);

/* Until the watchdog passes, in milliseconds, rounded up; -1 while it stands still. */
gint64 mf_stream_get_time_left(MfStream *self);

/* The guest stood still for that long, by no doing of its own. */
void mf_stream_give_time(MfStream *self, gint64 us);

/* See mf_dispatch_explain_overdue(). */
char *mf_stream_explain_overdue(MfStream *self);

/* Answers "snapshot-requested", by MF_SNAPSHOT_OK or _FAILED. A guest that does not read what it is
 * sent gets none. */
void mf_stream_send_answer(MfStream *self, guint32 id, guint32 status, const char *reason);

/* FALSE stops the guest's writers until TRUE. */
void mf_stream_set_reading(MfStream *self, gboolean reading);

/* Signals:
 *   "ready"      ()
 *   "configured" (const char *reason, const char *boot_id)   see MfDispatchSinks
 *   "output"     (int fd, GBytes *chunk)    1 or 2; an empty chunk is that stream's end
 *   "output-held" ()                        an output has to end while others hold it open
 *   "acked"      (guint bytes)              standard input the command has consumed
 *   "exited"     (int status)               0..255, or -signal; once a command
 *   "kernel-log" (GBytes *text)
 *   "payload-output" (guint index, int fd, GBytes *chunk)   as "output", of a started payload
 *   "payload-ended"  (guint index, GBytes *json)            what the guest says of its end
 *   "scenario-moved"     ()                 the watchdog may have
 *   "scenario-metric"    (GBytes *json)
 *   "scenario-log"       (GBytes *text)
 *   "snapshot-requested" (const MfSnapshotRequest *request)   refused when nobody listens
 *   "closed"     (GError *reason) */

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "wire/qmp.h"
#include "wire/transport.h"

/*
 * Notices that nothing is heard of a guest any more: no word on its console, no answer of its
 * agent, which is asked once a second while a command or payloads run, no output. A machine that
 * somebody has stopped through QEMU (a debugger, say) does not count, nor the time in which mayfly
 * itself was stopped.
 */
#define MF_TYPE_HANG_WATCH (mf_hang_watch_get_type())
G_DECLARE_FINAL_TYPE(MfHangWatch, mf_hang_watch, MF, HANG_WATCH, GObject)

/* Between two questions to an agent is up to a second: a silence has to be clearly longer. */
#define MF_HANG_TIMEOUT_MIN_MS 3000

MfHangWatch *mf_hang_watch_new(gint64 timeout_ms);

/* Whatever comes from there is a sign of life. */
void mf_hang_watch_hear(MfHangWatch *self, MfTransport *channel);

/* Whether the machine can run is told there. */
void mf_hang_watch_heed(MfHangWatch *self, MfQmp *qmp);

/* From now on. */
void mf_hang_watch_start(MfHangWatch *self);
void mf_hang_watch_stop(MfHangWatch *self);

/* Signal "hung" (): nothing was heard for that long. It has stopped watching then. */

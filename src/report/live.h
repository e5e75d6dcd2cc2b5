/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "suite/event.h"

/*
 * What commands write, as whole lines that can be told apart: "NAME | line" where several targets
 * may run. Neither the console nor anything that a terminal would obey is among it.
 */
typedef struct _MfLive MfLive;

/* What comes without a newline is held back up to here, then it is shown as a line. */
#define MF_LIVE_HELD_MAX 4096

MfLive *mf_live_new(void);
void mf_live_free(MfLive *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfLive, mf_live_free)

/* Appends the lines that 'event' completes. */
void mf_live_feed(MfLive *self, const MfEvent *event, GString *to);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "wire/qga.h"

/*
 * Asks the guest's agent now and then whether it is there, while nothing else is asked of it: a
 * guest that is silent and well can be told from one that does not run.
 */
#define MF_AGENT_PULSE_MS        1000  /* where the answers are signs of life for MfHangWatch */
#define MF_AGENT_PULSE_SELDOM_MS 30000 /* where only a guest that is lost has to be noticed */

#define MF_TYPE_AGENT_PULSE (mf_agent_pulse_get_type())
G_DECLARE_FINAL_TYPE(MfAgentPulse, mf_agent_pulse, MF, AGENT_PULSE, GObject)

/* Asks when 'interval_ms' have passed since the start, and since each answer. 'qga' is referenced.
 */
MfAgentPulse *mf_agent_pulse_new(MfQga *qga, guint interval_ms);

/* From now on; and until then, for good. */
void mf_agent_pulse_start(MfAgentPulse *self);
void mf_agent_pulse_stop(MfAgentPulse *self);

/* Signal "lost" (GError *reason): MF_ERROR_LOST when there was no answer in time, else why there
 * can be none. At most once; it has stopped then. */

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "wire/qga.h"

/*
 * Asks the guest's agent once a second whether it is there, while nothing else is asked of it: a
 * guest that is silent and well can be told from one that does not run.
 */
#define MF_TYPE_AGENT_PULSE (mf_agent_pulse_get_type())
G_DECLARE_FINAL_TYPE(MfAgentPulse, mf_agent_pulse, MF, AGENT_PULSE, GObject)

/* 'qga' is referenced. */
MfAgentPulse *mf_agent_pulse_new(MfQga *qga);

/* From now on; and until then, for good. */
void mf_agent_pulse_start(MfAgentPulse *self);
void mf_agent_pulse_stop(MfAgentPulse *self);

/* Signal "lost" (GError *reason): MF_ERROR_LOST when there was no answer in time, else why there
 * can be none. At most once; it has stopped then. */

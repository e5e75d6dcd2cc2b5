/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/exec.h"

/*
 * One command that a guest's agent runs by itself, with nothing of mayfly's in the guest: its input
 * is there when it starts, and its output comes when it has ended.
 */
#define MF_TYPE_AGENT_EXEC (mf_agent_exec_get_type())
G_DECLARE_FINAL_TYPE(MfAgentExec, mf_agent_exec, MF, AGENT_EXEC, GObject)

/* The agent's protocol has the input in one message, which libvirt limits to 4 MiB. */
#define MF_AGENT_EXEC_INPUT_MAX (2u << 20)

/* What came of it. */
typedef struct {
    MfExit ended;
    GBytes *output[3];     /* owned; 1 and 2 */
    gboolean truncated[3]; /* there was more than the agent keeps */
} MfAgentOutcome;

void mf_agent_outcome_clear(MfAgentOutcome *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MfAgentOutcome, mf_agent_outcome_clear)

/* 'argv' (copied) is a program, looked up by the agent, and its arguments; 'input' (referenced) is
 * its standard input, or NULL for an empty one. 'qga' is referenced. */
MfAgentExec *mf_agent_exec_new(MfQga *qga, const char *const *argv, GBytes *input);

/* Completes when the command has ended. MF_ERROR_REMOTE when the agent refuses to start it;
 * MF_ERROR_PROTOCOL, TIMEOUT, LOST, ... After mf_agent_exec_kill(), MF_ERROR_CANCELLED, unless the
 * command had ended by itself. Once. */
void mf_agent_exec_run_async(MfAgentExec *self, GAsyncReadyCallback callback, gpointer user_data);
gboolean mf_agent_exec_run_finish(MfAgentExec *self, GAsyncResult *result,
                                  MfAgentOutcome *ret_outcome, GError **error);

/* Waits for the command no longer, and has the agent send it the signal, as far as that can: the
 * run completes when it has answered. */
void mf_agent_exec_kill(MfAgentExec *self, int signal_number);

/* Whether the agent's refusal means that there is no such program. */
gboolean mf_agent_exec_is_not_found(const GError *error);

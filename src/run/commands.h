/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/machine.h"
#include "run/exec.h"
#include "run/hooks.h"
#include "run/image.h"
#include "run/payload-run.h"
#include "run/plan.h"
#include "run/result.h"
#include "run/stream.h"
#include "run/target.h"

/*
 * Makes what runs the commands of a target in its guest, each in the way in which that guest can
 * run it: the command itself, on the caller's streams, and those of setup and teardown, beside
 * them.
 */
typedef struct _MfCommands MfCommands;

/* Both are borrowed for the object's life. Opens the command's input, where that is a file:
 * MF_ERROR_CONFIG. */
MfCommands *mf_commands_new(const MfTarget *target, MfStdio *stdio, GError **error);
void mf_commands_free(MfCommands *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfCommands, mf_commands_free)

/* Which of descriptors 0, 1, 2 the command is to have. */
void mf_commands_get_open(const MfCommands *self, gboolean ret_open[3]);

/* The guest in which they run; before anything is made. 'plan' is borrowed for the object's life,
 * the others are referenced; 'means' counts only for an image. */
void mf_commands_set_guest(MfCommands *self, const MfPlan *plan, MfMachine *machine,
                           MfStream *stream, MfImageMeans means);

/* The target's command. Made once; owned by the caller. */
MfExec *mf_commands_make(MfCommands *self);

/* What runs the target's payloads, in place of a command. Made once; owned by the caller. */
MfPayloadRun *mf_commands_make_payloads(MfCommands *self);

/* A text of setup or teardown: MfHooksMake. 'data' is the MfCommands. */
MfExec *mf_commands_make_hook(MfHookKind kind, guint index, gpointer data);

/* Puts how the command ended by itself into 'result', and whether that is a pass. Returns what was
 * not as expected, owned by the caller; NULL when all was, or the status alone says it. */
char *mf_commands_judge(const MfCommands *self, const MfExit *ended, MfResult *result);

/* The same of payloads, whose results 'result' has. */
char *mf_commands_judge_payloads(const MfCommands *self, MfResult *result);

/* Writes a piece of a scenario's log to the standard error while no command runs that would see to
 * it that a reader who does not take it stops the guest: what there is no room for is left out. */
void mf_commands_write_log(MfCommands *self, GBytes *text);

/* When nothing of the command comes any more, however it ended: adds its sub-tests to 'result'.
 * Called once. */
void mf_commands_conclude(MfCommands *self, MfResult *result);

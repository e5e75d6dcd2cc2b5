/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/machine.h"
#include "run/exec.h"
#include "run/stdio.h"

/*
 * A command run by the guest's own agent through the rendered command script, its standard streams
 * as raw ports. Without those ports the agent's capture is what there is: the output comes at the
 * end, and 16 MiB of it at most.
 */
#define MF_TYPE_EXEC_SCRIPT (mf_exec_script_get_type())
G_DECLARE_FINAL_TYPE(MfExecScript, mf_exec_script, MF, EXEC_SCRIPT, MfExec)

/* 'words' are what the guest's sh(1) is given: the command script's path in the guest, or "-c" and
 * its text. They are copied; 'machine' is referenced, 'stdio' borrowed for the object's life. */
MfExec *mf_exec_script_new(MfMachine *machine, MfStdio *stdio, const char *const *words);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/target.h"

/* Another verb that takes the options of "mayfly run" and needs no command. */
typedef struct {
    const char *program; /* "mayfly warm build" */
    const char *summary; /* a sentence */
} MfRunOptionsUse;

/* What the command line of "mayfly run" says beyond the target itself. */
typedef struct {
    MfTarget *target; /* owned */
    gboolean print_qemu, console;
    const MfRunOptionsUse *use; /* borrowed; set before parsing; NULL: it is "mayfly run" */
    char *timeline;             /* owned; where a picture of the run's time goes; or NULL */
    char *run_dir;              /* owned; what is kept of the run goes there; or NULL */
    gboolean keep;              /* the same, in a new directory */
    char *console_log;          /* owned; where all of the console goes; or NULL */
    int verbosity;
} MfRunOptions;

/* Reads 'argv' (the verb first). MF_ERROR_CONFIG; --help prints and exits. */
gboolean mf_run_options_parse(MfRunOptions *self, int argc, char **argv, GError **error);

/* Describes a verb that takes these options (cli/syntax.h). 'summary' is NULL for that of "mayfly
 * run". */
void mf_run_options_describe(GPtrArray *verbs, const char *name, const char *operands,
                             const char *summary);
void mf_run_options_clear(MfRunOptions *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MfRunOptions, mf_run_options_clear)

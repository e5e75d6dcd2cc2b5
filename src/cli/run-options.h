/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "cli/subverbs.h"
#include "run/target.h"

/* What the command line of "mayfly run" says beyond the target itself. */
typedef struct {
    MfTarget *target; /* owned */
    gboolean print_qemu, console;
    const MfSubverb *verb; /* static; set before parsing: another verb, which has these options and
                            * needs no command; NULL: it is "mayfly run" */
    char *timeline;        /* owned; where a picture of the run's time goes; or NULL */
    char *run_dir;         /* owned; what is kept of the run goes there; or NULL */
    gboolean keep;         /* the same, in a new directory */
    char **reports;        /* owned; KIND=FILE; or NULL */
    char *console_log;     /* owned; where all of the console goes; or NULL */
    int verbosity;
} MfRunOptions;

/* Reads 'argv' (the verb first). MF_ERROR_CONFIG; --help prints and exits. */
gboolean mf_run_options_parse(MfRunOptions *self, int argc, char **argv, GError **error);

/* Describes 'verb', as above, or "mayfly run" (cli/syntax.h). */
void mf_run_options_describe(GPtrArray *verbs, const MfSubverb *verb);
void mf_run_options_clear(MfRunOptions *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MfRunOptions, mf_run_options_clear)

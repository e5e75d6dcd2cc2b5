/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report/output-policy.h"
#include "suite/select.h"

/* What the command line of "mayfly test" says. */
typedef struct {
    char *config;    /* owned; or NULL: it is looked for */
    char *profile;   /* owned; or NULL */
    char *filter;    /* owned; or NULL */
    char *run_dir;   /* owned; or NULL */
    char **tags;     /* owned; or NULL */
    char **reports;  /* owned; or NULL */
    char **personas; /* owned; or NULL */
    GPtrArray *set;  /* owned; of char *: what MfConfigSources.set wants, with its NULL */
    guint jobs;      /* 0: as many as this host carries */
    guint shard, shards;
    char *durations; /* owned; a result file; or NULL */
    MfOutputPolicy output;
    gboolean grid, dry_run; /* personas and scenarios */
    gboolean failed, list, list_json, list_github, fail_fast, keep, skip_missing;
    gboolean nothing_is_fine; /* when no target matches */
    gboolean plain;           /* nothing moves on the screen */
    int verbosity;
} MfTestOptions;

/* Reads 'argv' (the verb first). MF_ERROR_CONFIG; --help prints and exits. */
gboolean mf_test_options_parse(MfTestOptions *self, int argc, char **argv, GError **error);

/* Describes the verb (cli/syntax.h). */
void mf_test_options_describe(GPtrArray *verbs);
void mf_test_options_clear(MfTestOptions *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MfTestOptions, mf_test_options_clear)

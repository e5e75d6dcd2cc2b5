/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "suite/case.h"

/*
 * The targets of a config file, with everything that has a say in them, lowest first: defaults,
 * the file, its profile, MAYFLY_* variables, options of the command line.
 */
typedef struct _MfConfig MfConfig;

typedef struct {
    const char *path;       /* --config; NULL: mayfly.toml, else vmtest.toml, from the current
                             * directory upwards to the repository's root */
    const char *profile;    /* --profile; or NULL */
    char **environment;     /* NAME=VALUE; those named MAYFLY_<KEY> are read */
    const char *const *set; /* NULL-terminated pairs: the option as the user wrote it ("--memory"),
                             * and "key=value" with a TOML value; or NULL */
    gboolean grid;          /* only scenarios, on personas: suite/grid.h */
    const char *const *personas; /* with that: which ones, NULL-terminated; or NULL */
} MfConfigSources;

/* MF_ERROR_CONFIG, one sentence that begins with "file:line:column: " where there is a place. */
MfConfig *mf_config_load(const MfConfigSources *sources, GError **error);
void mf_config_free(MfConfig *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfConfig, mf_config_free)

/* The file, absolute. Borrowed. */
const char *mf_config_get_path(const MfConfig *self);

/* The targets: the matrix expanded, variables replaced, every default filled in; each an object
 * whose values have their MfOrigin. Of json_object, borrowed. */
const GPtrArray *mf_config_get_targets(const MfConfig *self);

/* Why a target of a grid, by its index, is not to be run: a sentence; NULL: it is. Borrowed. */
const char *mf_config_get_skip_reason(const MfConfig *self, guint index);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "qapi/config-types.h"
#include "suite/case.h"

/*
 * From a target as it is written to a case as it is run.
 */
typedef struct {
    const char *file;      /* borrowed; the config file, absolute */
    char **environment;    /* borrowed; NAME=VALUE: what a command can get of it */
    gboolean skip_missing; /* a kernel, image or QEMU that is missing is a reason to skip */
} MfCaseBuildOptions;

/* Reads the targets that mf_config_get_targets() gives, whose values know where they come from, and
 * builds a case of each; the directory of the file is what the guest has at MF_GUEST_SHARE. An
 * array of MfCase, owned by the caller. MF_ERROR_CONFIG, with the place: as
 * mf_config_read_target(). */
GPtrArray *
mf_case_build_all(const GPtrArray *targets, const MfCaseBuildOptions *options, GError **error);

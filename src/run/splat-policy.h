/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "run/result.h"

/* What a splat means for the run that had it. */
typedef enum {
    MF_SPLAT_RULE_DEFAULT, /* by its kind: see mf_splat_policy_judge() */
    MF_SPLAT_RULE_FAIL,
    MF_SPLAT_RULE_WARN,
    MF_SPLAT_RULE_IGNORE,
} MfSplatRule;

gboolean mf_splat_rule_parse(const char *text, MfSplatRule *ret_rule, GError **error);

/*
 * A rule for all kinds, and files of patterns that go before it: one extended regular expression
 * (regex(7)) a line, looked for in the title; lines that begin with '#', and empty ones, are
 * comments. What a deny pattern fits fails the run, else what an allow pattern fits is ignored.
 */
typedef struct _MfSplatPolicy MfSplatPolicy;

/* 'allow' and 'deny' are paths, or NULL. A file that cannot be read, or has a broken pattern, is an
 * error, never an empty list: MF_ERROR_CONFIG with "file:line: " where there is a line. */
MfSplatPolicy *
mf_splat_policy_new(MfSplatRule rule, const char *allow, const char *deny, GError **error);
void mf_splat_policy_free(MfSplatPolicy *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfSplatPolicy, mf_splat_policy_free)

/* FAIL, WARN or IGNORE. By default a kernel that says that it is broken fails the run; a warning, a
 * process that was killed for want of memory, or one that takes its time, is only told. A NULL
 * 'self' has no patterns. */
MfSplatRule mf_splat_policy_judge(const MfSplatPolicy *self, const MfSplat *splat);

/* Puts what was found into the result of the run that had it, and judges that: a run is no pass if
 * its kernel is broken, whatever the command did. 'splats' is taken. */
void mf_splat_policy_apply(const MfSplatPolicy *self, GPtrArray *splats, MfResult *result);

#define MF_SPLAT_PATTERN_FILE_MAX (1u << 20)

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What a payload has to come to, an exit code and values of its metrics; or the metrics of a
 * scenario.
 */
typedef enum {
    MF_CHECK_EXIT_CODE,
    MF_CHECK_MIN,
    MF_CHECK_MAX,
    MF_CHECK_RANGE, /* both ends included */
    MF_CHECK_EXISTS,
} MfCheckKind;

typedef struct {
    MfCheckKind kind;
    char *metric; /* owned; NULL for an exit code */
    double low;   /* of MIN and RANGE */
    double high;  /* of MAX and RANGE */
    int code;     /* of EXIT_CODE */
} MfCheck;

MfCheck *mf_check_new_exit_code(int code);
MfCheck *mf_check_new_exists(const char *metric);

/* Fail with MF_ERROR_CONFIG on a bound that is NaN, which nothing could satisfy, and on a range
 * with low > high. */
MfCheck *mf_check_new_min(const char *metric, double low, GError **error);
MfCheck *mf_check_new_max(const char *metric, double high, GError **error);
MfCheck *mf_check_new_range(const char *metric, double low, double high, GError **error);

void mf_check_free(MfCheck *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfCheck, mf_check_free)

/* How a payload ended, for its checks. */
typedef struct {
    int exit_code;
    int signal_number;        /* that killed it, which the exit code stands for; 0: it exited */
    const GPtrArray *metrics; /* of MfMetric; or NULL */
    const char *problem;      /* what of its output could not be read, a sentence; or NULL */
    GBytes *stderr_tail;      /* or NULL */
} MfCheckFacts;

#define MF_CHECK_STDERR_MAX 1024 /* bytes of stderr in a detail */

/*
 * Judges a payload by its checks ('checks' may be NULL). What failed, a sentence each (the first
 * may be followed by lines of stderr), of char *, owned by the caller; none: it passed.
 *
 * Exit codes come first: the first check of one that does not hold is the only failure. A payload
 * without such a check has to exit with 0. Then a problem of the output fails, whatever is checked,
 * and every check of a metric is judged. One of a name that several metrics have must hold for each
 * of them, and NaN satisfies nothing but MF_CHECK_EXISTS.
 */
GPtrArray *mf_checks_judge(const GPtrArray *checks, const MfCheckFacts *facts);

/* Judges the metrics of a scenario (of MfMetric; or NULL) in the same way. */
GPtrArray *mf_checks_judge_scenario(const GPtrArray *checks, const GPtrArray *metrics);

/* The last bytes of a text, at most 'max' and whole characters, with "..." before them where some
 * are missing. Owned by the caller. */
char *mf_check_tail(const char *text, gsize max);

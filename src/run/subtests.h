/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The tests that a target consists of itself, as it tells of them: by TAP or KTAP, or by lines such
 * as "[PASS] name". Each counts for the target: one that fails fails it, whatever its status.
 *
 * The guest is hostile: names and messages are bounded, valid UTF-8 without control characters, and
 * beyond MF_SUBTESTS_MAX tests, or MF_SUBTESTS_BYTES_MAX bytes of them, the rest is only counted.
 */
typedef enum {
    MF_SUBTEST_PASS,
    MF_SUBTEST_FAIL,
    MF_SUBTEST_SKIP,
    MF_SUBTEST_TODO, /* known not to work: no failure, however it ended */
    MF_N_SUBTEST_STATUSES,
} MfSubtestStatus;

const char *mf_subtest_status_name(MfSubtestStatus status); /* "pass", "fail", "skip", "todo" */

typedef struct {
    char *name; /* owned; one line; that of a nested one begins with those it is nested in */
    MfSubtestStatus status;
    char *message; /* owned; lines; or NULL */
} MfSubtest;

typedef struct {
    GPtrArray *tests;                    /* owned; of MfSubtest, in their order */
    guint counts[MF_N_SUBTEST_STATUSES]; /* of all, also of those that are not in 'tests' */
    GPtrArray *problems; /* owned; of char *: sentences, what is wrong with the telling itself */
    gsize bytes;         /* of the texts of 'tests' */
} MfSubtests;

#define MF_SUBTEST_SEPARATOR    "/"
#define MF_SUBTEST_NAME_MAX     512  /* bytes */
#define MF_SUBTEST_MESSAGE_MAX  4096 /* bytes */
#define MF_SUBTESTS_MAX         10000
#define MF_SUBTESTS_BYTES_MAX   (4u << 20)
#define MF_SUBTESTS_PROBLEM_MAX 16

MfSubtests *mf_subtests_new(void);
void mf_subtests_free(MfSubtests *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfSubtests, mf_subtests_free)

/* The texts are copied, as far as they are allowed to be; 'message' may be NULL. */
void
mf_subtests_add(MfSubtests *self, MfSubtestStatus status, const char *name, const char *message);

/* Adds a sentence to the problems. */
void mf_subtests_complain(MfSubtests *self, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Adds all of 'from', which were nested in 'name' (NULL: in nothing that has one), and empties it.
 */
void mf_subtests_merge(MfSubtests *self, MfSubtests *from, const char *name);

/* Makes every failure one that was expected. */
void mf_subtests_excuse(MfSubtests *self);

/* All of them. */
guint mf_subtests_get_total(const MfSubtests *self);

/* Why they fail their target, in sentences; NULL when they do not. Owned by the caller. */
char *mf_subtests_explain(const MfSubtests *self);

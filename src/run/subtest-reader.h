/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "run/subtests.h"

/* How a target tells of its sub-tests. */
typedef enum {
    MF_SUBTEST_FORMAT_NONE,
    MF_SUBTEST_FORMAT_TAP,
    MF_SUBTEST_FORMAT_KTAP,
    MF_SUBTEST_FORMAT_LINES, /* a line a test, by patterns */
} MfSubtestFormat;

gboolean mf_subtest_format_parse(const char *text, MfSubtestFormat *ret_format, GError **error);

/*
 * Reads sub-tests out of what somebody says: MfKtap for TAP and KTAP; for LINES a line tells of a
 * test when it matches a pattern, the first of 'pass' being tried first. The pattern's first group
 * is the test's name; without one, that is what matches.
 */
typedef struct _MfSubtestReader MfSubtestReader;

/* The longest line that is read; the rest of a longer one is left out. */
#define MF_SUBTEST_LINE_MAX (64u << 10)

/* 'pass' and 'fail' are for LINES only; NULL for the usual ones: "[PASS] name", also OK and PASSED,
 * and "[FAIL] name", also FAILED and ERROR. 'to' is borrowed for the
 * object's life. MF_ERROR_CONFIG for a broken pattern, with the position in it. */
MfSubtestReader *mf_subtest_reader_new(MfSubtestFormat format, const char *const *pass,
                                       const char *const *fail, MfSubtests *to, GError **error);
void mf_subtest_reader_free(MfSubtestReader *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfSubtestReader, mf_subtest_reader_free)

/* A complete line, plain text, without its end. */
void mf_subtest_reader_feed_line(MfSubtestReader *self, const char *line);

/* Bytes as they come, which are made lines of. */
void mf_subtest_reader_feed(MfSubtestReader *self, const void *data, gsize size);

/* Nothing more comes: what follows the last newline is a line too. Called once. */
void mf_subtest_reader_finish(MfSubtestReader *self);

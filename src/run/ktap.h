/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "run/subtests.h"

/*
 * Reads the Test Anything Protocol, line by line, whatever else is said between its lines.
 *
 * TAP is that of versions 12 to 14: the plan may come last, but it has to come; numbers may be
 * missing, but not be out of order; the diagnosis of a test follows it.
 *
 * KTAP is what the kernel's tests write, KUnit's to the kernel's log, with its time in front, and
 * kselftest's to its standard output, where what a test writes comes behind "# ". A test has a
 * number; the diagnosis precedes it; the plan may be missing.
 *
 * In both, tests that are nested in another come indented before it. That one then only counts by
 * itself when it fails although none in it did. Sources: testanything.org (TAP 12, 13, 14);
 * Documentation/dev-tools/ktap.rst of Linux, and what its tests write in fact.
 */
typedef enum { MF_KTAP_DIALECT_TAP, MF_KTAP_DIALECT_KTAP } MfKtapDialect;

typedef struct _MfKtap MfKtap;

/* Nesting deeper than this is not read. */
#define MF_KTAP_DEPTH_MAX 16

/* Tests go to 'to', borrowed for the object's life, as soon as one that is not nested ends. */
MfKtap *mf_ktap_new(MfKtapDialect dialect, MfSubtests *to);
void mf_ktap_free(MfKtap *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfKtap, mf_ktap_free)

/* A complete line, valid UTF-8, without its end. */
void mf_ktap_feed(MfKtap *self, const char *line);

/* No more lines: what is still open is missing. Called once. */
void mf_ktap_finish(MfKtap *self);

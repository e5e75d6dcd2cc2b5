/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/console.h"
#include "run/console-rules.h"
#include "run/target.h"
#include "wire/transport.h"

/*
 * A target's rules over the console of its guest: keeps their time, types their answers on the
 * serial port, and reads the sub-tests that are told of there.
 */
#define MF_TYPE_CONSOLE_WATCH (mf_console_watch_get_type())
G_DECLARE_FINAL_TYPE(MfConsoleWatch, mf_console_watch, MF, CONSOLE_WATCH, GObject)

/* Answers that the guest has not read. Beyond this no more are typed. */
#define MF_CONSOLE_TYPED_MAX (64u << 10)

/* The time of the first landmark begins now. 'target' is borrowed for the object's life, and so is
 * 'subtests', where they go. MF_ERROR_CONFIG for a broken pattern. */
MfConsoleWatch *mf_console_watch_new(const MfTarget *target, MfSubtests *subtests, GError **error);

/* Answers what is said on this serial port, which is referenced, in place of the last one. */
void mf_console_watch_attach(MfConsoleWatch *self, MfTransport *serial);

/* A line of the console, as its signal has it. */
void mf_console_watch_feed(MfConsoleWatch *self, MfConsoleSource source, const char *line);

/* Whether there are sub-tests to be told of. */
gboolean mf_console_watch_reads_subtests(const MfConsoleWatch *self);

/* Nothing more is said. Called once. */
void mf_console_watch_finish(MfConsoleWatch *self);

/* Borrowed. */
const MfConsoleRules *mf_console_watch_get_rules(const MfConsoleWatch *self);

/* Signal "decided" (): the rules' state has changed. */

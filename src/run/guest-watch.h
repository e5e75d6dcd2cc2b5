/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "run/boot.h"
#include "run/console-watch.h"
#include "run/result.h"
#include "run/target.h"

/*
 * Watches a guest from its start to its end: what its console says, what its kernel complains of,
 * whether it panics, and how its machine ends. What is the end of the run, it says once. (How the
 * machine of a bare target ends is judged by MfBare.)
 */
#define MF_TYPE_GUEST_WATCH (mf_guest_watch_get_type())
G_DECLARE_FINAL_TYPE(MfGuestWatch, mf_guest_watch, MF, GUEST_WATCH, GObject)

/* By the rules of 'target', which is borrowed for the object's life. MF_ERROR_CONFIG when one of
 * its files of patterns is missing or broken. */
MfGuestWatch *mf_guest_watch_new(const MfTarget *target, GError **error);

/* Goes on with the machine that 'boot' has now, in place of its last one. */
void mf_guest_watch_follow(MfGuestWatch *self, MfBoot *boot);

/* The rules that the console is held to. Borrowed. */
MfConsoleWatch *mf_guest_watch_get_console(MfGuestWatch *self);

/* What the run is doing, for the messages. */
void mf_guest_watch_set_phase(MfGuestWatch *self, MfPhase phase);

/* The guest is ready: from now on it hangs when nothing is heard of it for the target's time. It is
 * asked by an NMI where its processors are, and "over" follows. Once. */
void mf_guest_watch_expect_life(MfGuestWatch *self);

/* Whether the guest has hung, or its kernel panicked or said what fails the run. While there is a
 * machine; the guest is expected to say nothing more. */
gboolean mf_guest_watch_has_crashed(MfGuestWatch *self);

/* A channel to the guest hung up, which says nothing: QEMU is ending, and its end, which follows,
 * tells why. If none does, 'error' is the end. */
void mf_guest_watch_await_end(MfGuestWatch *self, const GError *error);

/* Keeps the console's last lines of now as evidence, unless there are some already. */
void mf_guest_watch_keep_tail(MfGuestWatch *self);

/* The verdict has been found: there is no "over" from here on. */
void mf_guest_watch_close(MfGuestWatch *self);

/* After the machine's end: lets go of it, and puts what was seen into the result. What was not said
 * on the console, the sub-tests (also those that are there already), and the complaints of the
 * guest's kernel (see mf_splat_policy_apply()) may change its verdict. */
void mf_guest_watch_conclude(MfGuestWatch *self, MfResult *result);

/* Signals:
 *   "console" (GBytes *bytes)                        the console and the kernel log, live
 *   "over"    (guint verdict, const char *message)   MfVerdict; at most once */

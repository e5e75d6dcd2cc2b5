/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "machine/machine.h"
#include "run/image.h"
#include "run/plan.h"
#include "run/stream.h"
#include "run/target.h"

/*
 * Gets a guest from the ready point to where commands can be run in it: the run's CONF record takes
 * effect, the init script's agent answers, or an image's own system is set up.
 */
#define MF_TYPE_GUEST_SETUP (mf_guest_setup_get_type())
G_DECLARE_FINAL_TYPE(MfGuestSetup, mf_guest_setup, MF, GUEST_SETUP, GObject)

/* 'target' and 'plan' are borrowed for the object's life, the others are referenced. */
MfGuestSetup *mf_guest_setup_new(const MfTarget *target, const MfPlan *plan, MfMachine *machine,
                                 MfStream *stream);

/* Waits as long as it takes. *ret_means is of an image's system. MF_ERROR_GUEST when the guest says
 * that it cannot; LOST, CANCELLED, ... */
void mf_guest_setup_run_async(MfGuestSetup *self, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
gboolean mf_guest_setup_run_finish(MfGuestSetup *self, GAsyncResult *result,
                                   MfImageMeans *ret_means, GError **error);

/* Of the guest's kernel, once it is set up: a UUID, which no other boot and no other copy of a
 * saved machine has. NULL where nobody has told: mayfly-guest does it as init. Borrowed. */
const char *mf_guest_setup_get_boot_id(MfGuestSetup *self);

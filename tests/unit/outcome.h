/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "wire/json.h"

/* What became of an asynchronous call on an MfQmp or MfQga: pass it as user data, with one of the
 * callbacks below. A second return aborts the test. */
typedef struct {
    guint returns;
    json_object *value; /* owned */
    GError *error;      /* owned */
} Outcome;

void outcome_clear(Outcome *self);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, outcome_clear)

/* For execute; and for open and sync. */
void outcome_executed(GObject *source, GAsyncResult *result, gpointer outcome);
void outcome_ready(GObject *source, GAsyncResult *result, gpointer outcome);

/* Runs the main loop until the call has returned. */
void outcome_await(Outcome *self);

/* The call has returned, with success and this value as JSON; or with an error. */
void outcome_assert_value(const Outcome *self, const char *json);
void outcome_assert_error(const Outcome *self, int code, const char *message);

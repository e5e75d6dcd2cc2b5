/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A terminal, as far as reports use one: text, newline, carriage return, cursor up, erasing from
 * the cursor on, wrapping on and off, and colours. Anything else fails the test, and so does a line
 * that ends coloured, and a write that leaves wrapping off.
 */
typedef struct _Screen Screen;

Screen *screen_new(guint rows, guint columns);
void screen_free(Screen *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Screen, screen_free)

void screen_write(Screen *self, const char *text, gsize size);

/* As most terminals do it: lines that are too long become several, those that were become one
 * again, and the cursor stays at its character. */
void screen_resize(Screen *self, guint rows, guint columns);

/* All lines, those that have scrolled away too, as they were before they were broken. Owned by the
 * caller. */
char *screen_get_text(const Screen *self);

/* The widest line so far. */
guint screen_get_widest(const Screen *self);

/* Whether there were any colours. */
gboolean screen_was_coloured(const Screen *self);

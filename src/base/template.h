/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Text with holes: {{name}} is replaced by the value of 'name', {{{{ is a literal {{. One pass
 * from left to right: values are never expanded again. Names are letters, digits, '_' and '-'.
 */

/* Renders 'text' with 'values' (name -> value, both strings). An unknown name, or a hole that is
 * not closed, is MF_ERROR_CONFIG with the line number; 'origin' names the text in the message.
 * Owned by the caller. */
char *mf_template_render(const char *text, const char *origin, GHashTable *values, GError **error);

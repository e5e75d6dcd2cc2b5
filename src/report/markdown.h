/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Appends a text that a guest may have written to Markdown: in one line, fit for a table's cell,
 * with nothing in it that Markdown, or the HTML in it, would take for its own. */
void mf_markdown_append(GString *to, const char *text);

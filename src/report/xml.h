/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Appends 'text' as it may stand between tags or within a quoted attribute. What XML 1.0 cannot
 * say at all, and what a terminal would obey, is left out as by mf_text_clean(). */
void mf_xml_append_escaped(GString *to, const char *text);

/* ' name="value"', escaped. */
void mf_xml_append_attribute(GString *to, const char *name, const char *value);

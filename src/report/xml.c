/* SPDX-License-Identifier: Apache-2.0 */
#include "report/xml.h"

#include <string.h>

#include "report/text.h"

void
mf_xml_append_escaped(GString *to, const char *text)
{
    g_autofree char *clean = mf_text_clean(text, strlen(text));
    g_autofree char *escaped = g_markup_escape_text(clean, -1);

    g_string_append(to, escaped);
}

/* A newline or tab that is written as itself in an attribute is read as a space. */
void
mf_xml_append_attribute(GString *to, const char *name, const char *value)
{
    g_autoptr(GString) escaped = g_string_new(NULL);

    mf_xml_append_escaped(escaped, value);
    g_string_replace(escaped, "\n", "&#10;", 0);
    g_string_replace(escaped, "\t", "&#9;", 0);
    g_string_append_printf(to, " %s=\"%s\"", name, escaped->str);
}

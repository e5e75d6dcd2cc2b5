/* SPDX-License-Identifier: Apache-2.0 */
#include "report/markdown.h"

#include <string.h>

#include "report/text.h"

void
mf_markdown_append(GString *to, const char *text)
{
    g_autofree char *line = mf_text_clean_line(text);

    for (const char *at = line; *at; at++) {
        /* What looks like an address is made a link. */
        if (strchr("&<>|`*_[]\\~#!$@", *at) || g_str_has_prefix(at, "://"))
            g_string_append_printf(to, "&#%u;", (guint)*at);
        else
            g_string_append_c(to, *at);
    }
}

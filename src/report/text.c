/* SPDX-License-Identifier: Apache-2.0 */
#include "report/text.h"

#include <string.h>

#include "base/plain-text.h"

char *
mf_text_clean(const void *data, gsize size)
{
    return mf_plain_text(data, size);
}

char *
mf_text_clean_line(const char *text)
{
    return g_strdelimit(mf_text_clean(text, strlen(text)), "\n\t", ' ');
}

const char *
mf_text_last_lines(const char *text, guint lines)
{
    const char *start = text + strlen(text);

    if (start > text && start[-1] == '\n')
        start--;
    while (start > text && (start[-1] != '\n' || lines > 1)) {
        start--;
        if (*start == '\n')
            lines--;
    }
    return start;
}

void
mf_text_append_indented(GString *to, const char *prefix, const char *text)
{
    while (*text) {
        gsize length = strcspn(text, "\n");

        g_string_append(to, prefix);
        g_string_append_len(to, text, (gssize)length);
        g_string_append_c(to, '\n');
        text += length;
        text += *text == '\n';
    }
}

char *
mf_text_count(guint64 count, const char *noun)
{
    return g_strdup_printf("%" G_GUINT64_FORMAT " %s%s", count, noun, count == 1 ? "" : "s");
}

char *
mf_text_time(gint64 wall_time_us)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(wall_time_us / G_USEC_PER_SEC);
    g_autofree char *seconds = g_date_time_format(time, "%Y-%m-%dT%H:%M:%S");

    return g_strdup_printf("%s.%03dZ", seconds, (int)(wall_time_us % G_USEC_PER_SEC / 1000));
}

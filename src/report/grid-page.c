/* SPDX-License-Identifier: Apache-2.0 */
#include "base/parse.h"
#include "report/grid-table.h"
#include "report/xml.h"

/* Nothing is loaded and nothing runs, whatever a text manages to smuggle in. */
static const char head[] =
    "<!DOCTYPE html>\n"
    "<html lang=\"en\">\n"
    "<head>\n"
    "<meta charset=\"utf-8\">\n"
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
    "'unsafe-inline'\">\n"
    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
    "<title>Personas and scenarios</title>\n"
    "<style>\n"
    ":root { color-scheme: light dark; font-family: system-ui, sans-serif; }\n"
    "body { margin: 2rem; }\n"
    "table { border-collapse: collapse; }\n"
    "th, td { border: 1px solid #8888; padding: 0.4rem 0.7rem; text-align: left; }\n"
    "td small { opacity: 0.75; }\n"
    ".PASS { background: #2a8a3a40; }\n"
    ".FAIL { background: #d0303060; }\n"
    ".ERROR { background: #c060d060; }\n"
    ".SKIP { background: #88888830; }\n"
    "dt { font-weight: 600; margin-top: 0.8rem; }\n"
    "</style>\n"
    "</head>\n";

/* <bdi>: a text that is written from right to left, or says so, does not turn its neighbours. */
static void
append_text(GString *page, const char *text)
{
    g_string_append(page, "<bdi>");
    mf_xml_append_escaped(page, text);
    g_string_append(page, "</bdi>");
}

static void
append_cell(GString *page, const MfGridCell *cell)
{
    g_autofree char *duration = cell ? mf_format_duration(cell->duration_ms) : NULL;
    const char *result = cell ? mf_grid_result_name(cell->result) : NULL;

    if (!cell) {
        g_string_append(page, "<td></td>");
        return;
    }
    g_string_append_printf(page, "<td class=\"%s\"", result);
    if (cell->reason)
        mf_xml_append_attribute(page, "title", cell->reason);
    g_string_append_printf(page, "><b>%s</b> <small>%s</small></td>", result, duration);
}

static void
append_table(const MfGridTable *self, GString *page)
{
    g_string_append(page, "<table>\n<thead><tr><th scope=\"col\">Persona</th>");
    for (guint s = 0; s < self->scenarios->len; s++) {
        g_string_append(page, "<th scope=\"col\">");
        append_text(page, self->scenarios->pdata[s]);
        g_string_append(page, "</th>");
    }
    g_string_append(page, "</tr></thead>\n<tbody>\n");
    for (guint p = 0; p < self->personas->len; p++) {
        g_string_append(page, "<tr><th scope=\"row\">");
        append_text(page, self->personas->pdata[p]);
        g_string_append(page, "</th>");
        for (guint s = 0; s < self->scenarios->len; s++)
            append_cell(page, mf_grid_table_get(self, p, s));
        g_string_append(page, "</tr>\n");
    }
    g_string_append(page, "</tbody>\n</table>\n");
}

static void
append_details(const MfGridTable *self, GString *page)
{
    gboolean begun = FALSE;

    for (guint i = 0; i < self->cells->len; i++) {
        const MfGridCell *cell = self->cells->pdata[i];

        if (!cell->reason)
            continue;
        g_string_append(page, begun ? "" : "<h2>Cell details</h2>\n<dl>\n");
        begun = TRUE;
        g_string_append(page, "<dt>");
        append_text(page, cell->scenario);
        g_string_append(page, " on ");
        append_text(page, cell->persona);
        g_string_append_printf(page, ": %s</dt><dd>", mf_grid_result_name(cell->result));
        append_text(page, cell->reason);
        g_string_append(page, "</dd>\n");
    }
    g_string_append(page, begun ? "</dl>\n" : "");
}

char *
mf_grid_table_to_page(const MfGridTable *self, const char *version)
{
    GString *page = g_string_new(head);

    g_string_append_printf(
        page,
        "<body>\n<h1>Personas and scenarios</h1>\n"
        "<p>%u passed, %u failed, %u could not be judged, %u skipped.</p>\n",
        mf_grid_table_count(self, MF_GRID_PASS), mf_grid_table_count(self, MF_GRID_FAIL),
        mf_grid_table_count(self, MF_GRID_ERROR), mf_grid_table_count(self, MF_GRID_SKIP));
    append_table(self, page);
    append_details(self, page);
    g_string_append(page, "<footer><p>mayfly ");
    mf_xml_append_escaped(page, version);
    g_string_append(page, "</p></footer>\n</body>\n</html>\n");
    return g_string_free(page, FALSE);
}

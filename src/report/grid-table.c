/* SPDX-License-Identifier: Apache-2.0 */
#include "report/grid-table.h"

#include "base/parse.h"
#include "report/markdown.h"
#include "report/text.h"
#include "report/width.h"
#include "wire/json.h"

#define JSON_VERSION 1
#define NO_PERSONA   "-"

/* Between the columns of a text. */
#define GAP 2

static const char *const result_names[] = {"PASS", "FAIL", "SKIP", "ERROR"};

const char *
mf_grid_result_name(MfGridResult result)
{
    return result_names[result];
}

static void
cell_free(gpointer data)
{
    MfGridCell *cell = data;

    g_free(cell->reason);
    g_free(cell);
}

/* The one of 'names' that is 'name', which is added where it is not there yet. Borrowed. */
static const char *
intern(GPtrArray *names, const char *name)
{
    g_autofree char *line = mf_text_clean_line(name);

    for (guint i = 0; i < names->len; i++)
        if (g_str_equal(names->pdata[i], line))
            return names->pdata[i];
    g_ptr_array_add(names, g_steal_pointer(&line));
    return names->pdata[names->len - 1];
}

static void
judge(MfGridCell *cell, const MfOutcomeReport *outcome, const char *interrupted)
{
    static const MfGridResult results[] = {
        [MF_OUTCOME_PASS] = MF_GRID_PASS,
        [MF_OUTCOME_FAIL] = MF_GRID_FAIL,
        [MF_OUTCOME_ERROR] = MF_GRID_ERROR,
        [MF_OUTCOME_SKIP] = MF_GRID_SKIP,
    };

    if (!outcome) {
        cell->result = MF_GRID_ERROR;
        cell->reason = g_strdup_printf("It was not run.%s%s", interrupted ? " " : "",
                                       interrupted ? interrupted : "");
        return;
    }
    cell->result = results[outcome->outcome];
    cell->reason = outcome->reason ? mf_text_clean_line(outcome->reason) : NULL;
    cell->duration_ms = outcome->duration_us / 1000;
}

MfGridTable *
mf_grid_table_new(const MfEvent *finished)
{
    MfGridTable *self = g_new0(MfGridTable, 1);

    self->personas = g_ptr_array_new_with_free_func(g_free);
    self->scenarios = g_ptr_array_new_with_free_func(g_free);
    self->cells = g_ptr_array_new_with_free_func(cell_free);
    for (guint i = 0; i < finished->cases->len; i++) {
        const MfCase *the_case = finished->cases->pdata[i];
        g_autofree char *scenario = mf_case_make_scenario(the_case->name, the_case->persona);
        MfGridCell *cell = g_new0(MfGridCell, 1);

        cell->persona = intern(self->personas, the_case->persona ? the_case->persona : NO_PERSONA);
        cell->scenario = intern(self->scenarios, scenario);
        judge(cell, finished->outcomes->pdata[i], finished->interrupted);
        g_ptr_array_add(self->cells, cell);
    }
    return self;
}

void
mf_grid_table_free(MfGridTable *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->personas);
    g_ptr_array_unref(self->scenarios);
    g_ptr_array_unref(self->cells);
    g_free(self);
}

const MfGridCell *
mf_grid_table_get(const MfGridTable *self, guint persona, guint scenario)
{
    for (guint i = 0; i < self->cells->len; i++) {
        const MfGridCell *cell = self->cells->pdata[i];

        if (cell->persona == self->personas->pdata[persona] &&
            cell->scenario == self->scenarios->pdata[scenario])
            return cell;
    }
    return NULL;
}

guint
mf_grid_table_count(const MfGridTable *self, MfGridResult result)
{
    guint count = 0;

    for (guint i = 0; i < self->cells->len; i++)
        count += ((const MfGridCell *)self->cells->pdata[i])->result == result;
    return count;
}

/*
 * For a terminal
 */

/* "PASS 1.2s"; "" where there is no cell. Owned by the caller. */
static char *
describe_cell(const MfGridCell *cell)
{
    g_autofree char *duration = cell ? mf_format_duration(cell->duration_ms) : NULL;

    return cell ? g_strdup_printf("%s %s", mf_grid_result_name(cell->result), duration)
                : g_strdup("");
}

static void
append_padded(GString *text, const char *cell, guint width)
{
    g_string_append(text, cell);
    for (guint i = mf_width_of(cell); i < width; i++)
        g_string_append_c(text, ' ');
}

/* The columns' headings: the scenarios' names, or where 'numbered' their numbers. */
static GPtrArray *
list_headings(const MfGridTable *self, gboolean numbered)
{
    GPtrArray *headings = g_ptr_array_new_with_free_func(g_free);

    for (guint s = 0; s < self->scenarios->len; s++)
        g_ptr_array_add(headings, numbered ? g_strdup_printf("[%u]", s + 1)
                                           : g_strdup(self->scenarios->pdata[s]));
    return headings;
}

static guint
measure_column(const MfGridTable *self, const GPtrArray *headings, guint scenario)
{
    guint width = mf_width_of(headings->pdata[scenario]);

    for (guint p = 0; p < self->personas->len; p++) {
        g_autofree char *cell = describe_cell(mf_grid_table_get(self, p, scenario));

        width = MAX(width, mf_width_of(cell));
    }
    return width;
}

static void
append_row(GString *text, const char *head, guint head_width, const GPtrArray *cells,
           const guint *widths)
{
    append_padded(text, head, head_width);
    for (guint i = 0; i < cells->len; i++)
        append_padded(text, cells->pdata[i], widths[i]);
    while (text->len > 0 && text->str[text->len - 1] == ' ')
        g_string_truncate(text, text->len - 1);
    g_string_append_c(text, '\n');
}

/* Returns how wide it is. */
static guint
append_rows(const MfGridTable *self, GString *text, gboolean numbered)
{
    g_autoptr(GPtrArray) headings = list_headings(self, numbered);
    g_autofree guint *widths = g_new0(guint, self->scenarios->len + 1);
    guint head = mf_width_of("PERSONA"), total;

    for (guint p = 0; p < self->personas->len; p++)
        head = MAX(head, mf_width_of(self->personas->pdata[p]));
    head += GAP;
    total = head;
    for (guint s = 0; s < self->scenarios->len; s++) {
        widths[s] = measure_column(self, headings, s) + GAP;
        total += widths[s];
    }
    append_row(text, "PERSONA", head, headings, widths);
    for (guint p = 0; p < self->personas->len; p++) {
        g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);

        for (guint s = 0; s < self->scenarios->len; s++)
            g_ptr_array_add(cells, describe_cell(mf_grid_table_get(self, p, s)));
        append_row(text, self->personas->pdata[p], head, cells, widths);
    }
    return total - GAP;
}

static void
append_reasons(const MfGridTable *self, GString *text)
{
    for (guint i = 0; i < self->cells->len; i++) {
        const MfGridCell *cell = self->cells->pdata[i];

        if (cell->reason)
            g_string_append_printf(text, "%s  %s on %s: %s\n", mf_grid_result_name(cell->result),
                                   cell->scenario, cell->persona, cell->reason);
    }
}

char *
mf_grid_table_to_text(const MfGridTable *self, guint columns)
{
    GString *text = g_string_new(NULL);
    gsize reasons;

    /* Numbers stand for names that make it too wide. */
    if (append_rows(self, text, FALSE) > columns && columns > 0) {
        g_string_truncate(text, 0);
        append_rows(self, text, TRUE);
        g_string_append_c(text, '\n');
        for (guint s = 0; s < self->scenarios->len; s++)
            g_string_append_printf(text, "[%u]  %s\n", s + 1,
                                   (const char *)self->scenarios->pdata[s]);
    }
    reasons = text->len;
    append_reasons(self, text);
    if (text->len > reasons)
        g_string_insert_c(text, (gssize)reasons, '\n');
    return g_string_free(text, FALSE);
}

/*
 * For programs
 */

char *
mf_grid_table_to_json(const MfGridTable *self, const char *version)
{
    g_autoptr(json_object) document = json_object_new_object();
    json_object *cells = json_object_new_array();

    json_object_object_add(document, "schema_version", json_object_new_int(JSON_VERSION));
    json_object_object_add(document, "tool", json_object_new_string("mayfly"));
    json_object_object_add(document, "tool_version", json_object_new_string(version));
    json_object_object_add(document, "cells", cells);
    for (guint i = 0; i < self->cells->len; i++) {
        const MfGridCell *cell = self->cells->pdata[i];
        json_object *object = json_object_new_object();

        json_object_object_add(object, "persona_id", mf_json_new_text(cell->persona));
        json_object_object_add(object, "scenario_name", mf_json_new_text(cell->scenario));
        json_object_object_add(object, "result",
                               json_object_new_string(mf_grid_result_name(cell->result)));
        json_object_object_add(object, "reason", mf_json_new_text(cell->reason));
        json_object_object_add(object, "duration_ms", json_object_new_int64(cell->duration_ms));
        json_object_array_add(cells, object);
    }
    return mf_json_to_text(document);
}

/*
 * Markdown
 */

static void
append_markdown_rows(const MfGridTable *self, GString *text)
{
    g_string_append(text, "| Persona |");
    for (guint s = 0; s < self->scenarios->len; s++) {
        g_string_append_c(text, ' ');
        mf_markdown_append(text, self->scenarios->pdata[s]);
        g_string_append(text, " |");
    }
    g_string_append(text, "\n|---|");
    for (guint s = 0; s < self->scenarios->len; s++)
        g_string_append(text, "---|");
    g_string_append_c(text, '\n');
    for (guint p = 0; p < self->personas->len; p++) {
        g_string_append(text, "| ");
        mf_markdown_append(text, self->personas->pdata[p]);
        g_string_append(text, " |");
        for (guint s = 0; s < self->scenarios->len; s++) {
            g_autofree char *cell = describe_cell(mf_grid_table_get(self, p, s));

            g_string_append_printf(text, " %s |", cell);
        }
        g_string_append_c(text, '\n');
    }
}

char *
mf_grid_table_to_markdown(const MfGridTable *self)
{
    GString *text = g_string_new("# Grid\n\n");
    gboolean begun = FALSE;

    append_markdown_rows(self, text);
    for (guint i = 0; i < self->cells->len; i++) {
        const MfGridCell *cell = self->cells->pdata[i];

        if (!cell->reason)
            continue;
        g_string_append(text, begun ? "" : "\n## Cell details\n\n");
        begun = TRUE;
        g_string_append(text, "- ");
        mf_markdown_append(text, cell->scenario);
        g_string_append(text, " on ");
        mf_markdown_append(text, cell->persona);
        g_string_append_printf(text, ", %s: ", mf_grid_result_name(cell->result));
        mf_markdown_append(text, cell->reason);
        g_string_append_c(text, '\n');
    }
    return g_string_free(text, FALSE);
}

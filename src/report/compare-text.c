/* SPDX-License-Identifier: Apache-2.0 */
#include "report/compare-text.h"

#include <math.h>

#include "report/markdown.h"
#include "report/text.h"
#include "report/width.h"
#include "wire/json.h"

static const char *const headings[] = {"Target", "Metric", "Old", "New", "Change", "Verdict"};

#define N_COLUMNS G_N_ELEMENTS(headings)
#define GAP       "  "

/* A row of the table, of what is told: texts, owned. */
typedef struct {
    char *cells[N_COLUMNS];
} Row;

static void
row_clear(gpointer data)
{
    Row *row = data;

    for (gsize i = 0; i < N_COLUMNS; i++)
        g_free(row->cells[i]);
}

/* What is told, and what is counted. */
typedef struct {
    GArray *rows; /* owned; of Row */
    guint counts[MF_N_CHANGES];
    guint left_out;
} Table;

static void
table_clear(Table *self)
{
    g_array_unref(self->rows);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Table, table_clear)

/* "1000 +- 12 s", and "(2 of 3)" where repetitions have no value; the row's unit is for a side that
 * has none. */
static char *
describe_side(const MfSeries *series, const char *unit)
{
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *values = NULL;

    if (!series)
        return g_strdup("-");
    values = mf_series_describe(series, series->unit ? series->unit : unit);
    g_string_append(text, values);
    if (series->values->len < series->runs)
        g_string_append_printf(text, " (%u of %u)", series->values->len, series->runs);
    return mf_text_clean_line(text->str);
}

static char *
describe_ratio(double ratio)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    if (isnan(ratio))
        return g_strdup("");
    g_ascii_formatd(text, sizeof(text), "%+.1f", 100 * ratio);
    /* What rounds to nothing has no direction. */
    gboolean nothing = g_str_equal(text + 1, "0.0");
    return g_strdup_printf("%s %%", nothing ? text + 1 : text);
}

static void
add_row(Table *self, const MfChange *change)
{
    const MfSeries *any = change->after ? change->after : change->before;
    g_autofree char *label = mf_series_label(any);
    Row row = {{
        mf_text_clean_line(change->target),
        mf_text_clean_line(label),
        describe_side(change->before, change->unit),
        describe_side(change->after, change->unit),
        describe_ratio(change->ratio),
        g_strdup(mf_change_name(change->kind)),
    }};

    g_array_append_val(self->rows, row);
}

static Table
make_table(const MfComparison *comparison, gboolean all)
{
    const GArray *changes = mf_comparison_get_changes(comparison);
    Table table = {.rows = g_array_new(FALSE, FALSE, sizeof(Row))};
    gboolean named = FALSE;

    g_array_set_clear_func(table.rows, row_clear);
    for (guint i = 0; i < changes->len; i++)
        named |= mf_change_is_named(&g_array_index(changes, MfChange, i));
    for (guint i = 0; i < changes->len; i++) {
        const MfChange *change = &g_array_index(changes, MfChange, i);

        if (named && !all && !mf_change_is_named(change)) {
            table.left_out++;
            continue;
        }
        table.counts[change->kind]++;
        add_row(&table, change);
    }
    return table;
}

/* "3 metrics: 1 better, 2 same. 7 more have neither unit nor polarity (--all shows them)." */
static void
append_counts(GString *to, const Table *table)
{
    g_autofree char *metrics = mf_text_count(table->rows->len, "metric");
    gboolean begun = FALSE;

    g_string_append(to, metrics);
    for (MfChangeKind kind = 0; kind < MF_N_CHANGES; kind++) {
        if (table->counts[kind] == 0)
            continue;
        g_string_append_printf(to, "%s%u %s", begun ? ", " : ": ", table->counts[kind],
                               mf_change_name(kind));
        begun = TRUE;
    }
    g_string_append_c(to, '.');
    if (table->left_out > 0)
        g_string_append_printf(to, " %u more %s neither unit nor polarity (--all shows %s).",
                               table->left_out, table->left_out == 1 ? "has" : "have",
                               table->left_out == 1 ? "it" : "them");
    g_string_append_c(to, '\n');
}

/* What is to be known of a target beside its metrics, a sentence. Owned by the caller. */
static char *
describe_target(const MfTargetChange *change)
{
    g_autofree char *name = mf_text_clean_line(change->name);

    if (!change->after)
        return g_strdup_printf("Only the old result has the target '%s'.", name);
    if (!change->before)
        return g_strdup_printf("Only the new result has the target '%s'.", name);
    return g_strdup_printf("The target '%s' was '%s' and is '%s'.", name, change->before,
                           change->after);
}

/* Sentences ahead of the table, of char *. Owned by the caller. */
static GPtrArray *
list_remarks(const MfComparison *comparison)
{
    static const char *const sides[] = {"old", "new"};
    const GArray *targets = mf_comparison_get_targets(comparison);
    GPtrArray *remarks = g_ptr_array_new_with_free_func(g_free);

    for (guint side = 0; side < G_N_ELEMENTS(sides); side++) {
        const char *interrupted = mf_comparison_get_interrupted(comparison, side == 1);
        g_autofree char *clean = interrupted ? mf_text_clean_line(interrupted) : NULL;

        if (clean)
            g_ptr_array_add(remarks,
                            g_strdup_printf("The %s result is not whole: %s", sides[side], clean));
    }
    for (guint i = 0; i < targets->len; i++)
        g_ptr_array_add(remarks, describe_target(&g_array_index(targets, MfTargetChange, i)));
    return remarks;
}

/* The numbers to the right of their columns. */
static gboolean
is_number(gsize column)
{
    return column >= 2 && column <= 4;
}

static void
append_text_row(GString *to, const char *const *cells, const guint *widths)
{
    for (gsize i = 0; i < N_COLUMNS; i++) {
        guint space = widths[i] - mf_width_of(cells[i]);

        g_string_append(to, i > 0 ? GAP : "");
        if (is_number(i))
            g_string_append_printf(to, "%*s", (int)space, "");
        g_string_append(to, cells[i]);
        if (!is_number(i) && i + 1 < N_COLUMNS)
            g_string_append_printf(to, "%*s", (int)space, "");
    }
    g_string_append_c(to, '\n');
}

static void
append_text_table(GString *to, const GArray *rows)
{
    guint widths[N_COLUMNS];

    for (gsize i = 0; i < N_COLUMNS; i++) {
        widths[i] = mf_width_of(headings[i]);
        for (guint j = 0; j < rows->len; j++)
            widths[i] = MAX(widths[i], mf_width_of(g_array_index(rows, Row, j).cells[i]));
    }
    append_text_row(to, headings, widths);
    for (guint j = 0; j < rows->len; j++)
        append_text_row(to, (const char *const *)g_array_index(rows, Row, j).cells, widths);
}

char *
mf_comparison_to_text(const MfComparison *self, gboolean all)
{
    g_auto(Table) table = make_table(self, all);
    g_autoptr(GPtrArray) remarks = list_remarks(self);
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < remarks->len; i++)
        g_string_append_printf(text, "%s\n", (const char *)remarks->pdata[i]);
    if (table.rows->len > 0)
        append_text_table(text, table.rows);
    append_counts(text, &table);
    return g_string_free(text, FALSE);
}

static void
append_markdown_row(GString *to, const Row *row)
{
    g_string_append_c(to, '|');
    for (gsize i = 0; i < N_COLUMNS; i++) {
        g_string_append_c(to, ' ');
        mf_markdown_append(to, row->cells[i]);
        g_string_append(to, " |");
    }
    g_string_append_c(to, '\n');
}

char *
mf_comparison_to_markdown(const MfComparison *self, gboolean all)
{
    g_auto(Table) table = make_table(self, all);
    g_autoptr(GPtrArray) remarks = list_remarks(self);
    GString *text = g_string_new("### Comparison\n\n");

    append_counts(text, &table);
    g_string_append_c(text, '\n');
    for (guint i = 0; i < remarks->len; i++) {
        g_string_append(text, "- ");
        mf_markdown_append(text, remarks->pdata[i]);
        g_string_append(text, i + 1 < remarks->len ? "\n" : "\n\n");
    }
    if (table.rows->len == 0)
        return g_string_free(text, FALSE);
    for (gsize i = 0; i < N_COLUMNS; i++)
        g_string_append_printf(text, "| %s ", headings[i]);
    g_string_append(text, "|\n|");
    for (gsize i = 0; i < N_COLUMNS; i++)
        g_string_append(text, is_number(i) ? "---:|" : "---|");
    g_string_append_c(text, '\n');
    for (guint i = 0; i < table.rows->len; i++)
        append_markdown_row(text, &g_array_index(table.rows, Row, i));
    return g_string_free(text, FALSE);
}

/*
 * JSON
 */

/* Takes 'value'; NULL is null. */
static void
add(json_object *object, const char *name, json_object *value)
{
    json_object_object_add(object, name, value);
}

static json_object *
side_to_json(const MfSeries *series)
{
    json_object *object, *values;

    if (!series)
        return NULL;
    object = json_object_new_object();
    add(object, "median", mf_json_new_number(mf_series_median(series)));
    add(object, "spread", mf_json_new_number(mf_series_spread(series)));
    add(object, "repetitions", json_object_new_int64(series->runs));
    add(object, "values", values = json_object_new_array());
    for (guint i = 0; i < series->values->len; i++)
        json_object_array_add(values, mf_json_new_number(g_array_index(series->values, double, i)));
    return object;
}

static json_object *
change_to_json(const MfChange *change)
{
    const MfSeries *any = change->after ? change->after : change->before;
    gboolean known = change->polarity != MF_POLARITY_UNKNOWN;
    json_object *object = json_object_new_object();

    add(object, "target", mf_json_new_text(change->target));
    add(object, "payload", *any->payload ? mf_json_new_text(any->payload) : NULL);
    add(object, "name", mf_json_new_text(any->name));
    add(object, "unit", mf_json_new_text(change->unit));
    add(object, "polarity", known ? mf_json_new_text(mf_polarity_name(change->polarity)) : NULL);
    add(object, "verdict", mf_json_new_text(mf_change_name(change->kind)));
    add(object, "change", mf_json_new_number(change->ratio));
    add(object, "noise", mf_json_new_number(change->noise));
    add(object, "old", side_to_json(change->before));
    add(object, "new", side_to_json(change->after));
    return object;
}

static json_object *
target_to_json(const MfTargetChange *change)
{
    json_object *object = json_object_new_object();

    add(object, "name", mf_json_new_text(change->name));
    add(object, "old", mf_json_new_text(change->before));
    add(object, "new", mf_json_new_text(change->after));
    add(object, "worse", json_object_new_boolean(change->worse));
    return object;
}

json_object *
mf_comparison_to_json(const MfComparison *self)
{
    const GArray *changes = mf_comparison_get_changes(self);
    const GArray *targets = mf_comparison_get_targets(self);
    json_object *object = json_object_new_object();
    json_object *metrics = json_object_new_array();
    json_object *others = json_object_new_array();

    for (guint i = 0; i < changes->len; i++)
        json_object_array_add(metrics, change_to_json(&g_array_index(changes, MfChange, i)));
    for (guint i = 0; i < targets->len; i++)
        json_object_array_add(others, target_to_json(&g_array_index(targets, MfTargetChange, i)));
    add(object, "schema_version", json_object_new_int(MF_COMPARISON_JSON_VERSION));
    add(object, "kind", mf_json_new_text("comparison"));
    add(object, "worse", json_object_new_boolean(mf_comparison_is_worse(self)));
    add(object, "old_interrupted", mf_json_new_text(mf_comparison_get_interrupted(self, FALSE)));
    add(object, "new_interrupted", mf_json_new_text(mf_comparison_get_interrupted(self, TRUE)));
    add(object, "targets", others);
    add(object, "metrics", metrics);
    return object;
}

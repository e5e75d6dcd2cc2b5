/* SPDX-License-Identifier: Apache-2.0 */
#include "report/grid-table.h"

#include <json.h>
#include <string.h>

#include "golden.h"
#include "report/grid.h"

#define HOSTILE "<script>alert(1)</script> | `x` \xe2\x80\xae\"'&"

/* A suite that has ended. */
typedef struct {
    GPtrArray *cases;    /* owned; of MfCase */
    GPtrArray *outcomes; /* owned; of MfOutcomeReport or NULL */
} Suite;

static void
suite_init(Suite *self)
{
    self->cases = g_ptr_array_new_with_free_func((GDestroyNotify)mf_case_free);
    self->outcomes = g_ptr_array_new_with_free_func((GDestroyNotify)mf_outcome_report_free);
}

static void
suite_clear(Suite *self)
{
    g_ptr_array_unref(self->cases);
    g_ptr_array_unref(self->outcomes);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Suite, suite_clear)

/* 'outcome' is -1 for a case that was not run. */
static void
add_case(Suite *self, const char *scenario, const char *persona, int outcome, const char *reason,
         gint64 duration_ms)
{
    MfCase *the_case = g_new0(MfCase, 1);
    MfOutcomeReport *report = outcome < 0 ? NULL : g_new0(MfOutcomeReport, 1);

    the_case->name =
        persona ? g_strdup_printf("%s [persona=%s]", scenario, persona) : g_strdup(scenario);
    the_case->persona = g_strdup(persona);
    if (report) {
        report->outcome = (MfOutcome)outcome;
        report->reason = g_strdup(reason);
        report->duration_us = duration_ms * 1000;
    }
    g_ptr_array_add(self->cases, the_case);
    g_ptr_array_add(self->outcomes, report);
}

static MfGridTable *
make_table(const Suite *self)
{
    const MfEvent finished = {
        .kind = MF_EVENT_SUITE_FINISHED,
        .cases = self->cases,
        .outcomes = self->outcomes,
        .interrupted = "Ended by signal 2 (Interrupt).",
    };

    return mf_grid_table_new(&finished);
}

/* Every result, a cell that is missing, and texts that would break each form. */
static void
fill(Suite *self)
{
    suite_init(self);
    add_case(self, "boot", "qemu-pc", MF_OUTCOME_PASS, NULL, 1234);
    add_case(self, "boot", "laptop", MF_OUTCOME_FAIL, "It exited with status 1.", 61000);
    add_case(self, HOSTILE, "qemu-pc", MF_OUTCOME_ERROR, "QEMU\nended: " HOSTILE, 5);
    add_case(self, HOSTILE, "laptop", MF_OUTCOME_SKIP, "A TPM needs swtpm.", 0);
    add_case(self, "late", "laptop", -1, NULL, 0);
}

static void
test_each_case_is_a_cell_of_its_scenario_and_its_persona(void)
{
    g_auto(Suite) suite = {0};
    g_autoptr(MfGridTable) table = NULL;

    fill(&suite);
    table = make_table(&suite);
    g_assert_cmpuint(table->personas->len, ==, 2);
    g_assert_cmpuint(table->scenarios->len, ==, 3);
    g_assert_cmpstr(table->personas->pdata[0], ==, "qemu-pc");
    g_assert_cmpstr(table->scenarios->pdata[0], ==, "boot");
    g_assert_cmpint(mf_grid_table_get(table, 0, 0)->result, ==, MF_GRID_PASS);
    g_assert_cmpint(mf_grid_table_get(table, 0, 0)->duration_ms, ==, 1234);
    g_assert_null(mf_grid_table_get(table, 0, 0)->reason);
    g_assert_cmpint(mf_grid_table_get(table, 1, 0)->result, ==, MF_GRID_FAIL);
    g_assert_cmpint(mf_grid_table_get(table, 0, 1)->result, ==, MF_GRID_ERROR);
    g_assert_cmpint(mf_grid_table_get(table, 1, 1)->result, ==, MF_GRID_SKIP);
    g_assert_null(mf_grid_table_get(table, 0, 2));
    for (MfGridResult result = MF_GRID_PASS; result < MF_GRID_ERROR; result++)
        g_assert_cmpuint(mf_grid_table_count(table, result), ==, 1);
}

static void
test_what_was_not_reached_is_no_pass(void)
{
    g_auto(Suite) suite = {0};
    g_autoptr(MfGridTable) table = NULL;

    fill(&suite);
    table = make_table(&suite);
    g_assert_cmpint(mf_grid_table_get(table, 1, 2)->result, ==, MF_GRID_ERROR);
    g_assert_cmpstr(mf_grid_table_get(table, 1, 2)->reason, ==,
                    "It was not run. Ended by signal 2 (Interrupt).");
}

static void
test_a_case_without_a_persona_has_a_row(void)
{
    g_auto(Suite) suite = {0};
    g_autoptr(MfGridTable) table = NULL;

    suite_init(&suite);
    add_case(&suite, "boot [x=1]", NULL, MF_OUTCOME_PASS, NULL, 1);
    table = make_table(&suite);
    g_assert_cmpstr(table->personas->pdata[0], ==, "-");
    g_assert_cmpstr(table->scenarios->pdata[0], ==, "boot [x=1]");
}

static void
test_every_form_is_told_completely(void)
{
    g_auto(Suite) suite = {0};
    g_autoptr(MfGridTable) table = NULL;

    fill(&suite);
    table = make_table(&suite);
    g_autofree char *wide = mf_grid_table_to_text(table, 0);
    g_autofree char *narrow = mf_grid_table_to_text(table, 40);
    g_autofree char *json = mf_grid_table_to_json(table, "1.2.3");
    g_autofree char *markdown = mf_grid_table_to_markdown(table);
    g_autofree char *page = mf_grid_table_to_page(table, "1.2.3");

    golden_assert("report-grid.txt", wide);
    golden_assert("report-grid-narrow.txt", narrow);
    golden_assert("report-grid.json", json);
    golden_assert("report-grid.md", markdown);
    golden_assert("report-grid.html", page);
}

static void
test_a_text_that_fits_has_names_and_no_line_is_wider(void)
{
    g_auto(Suite) suite = {0};
    g_autoptr(MfGridTable) table = NULL;

    suite_init(&suite);
    add_case(&suite, "a", "x", MF_OUTCOME_PASS, NULL, 1);
    add_case(&suite, "b", "x", MF_OUTCOME_PASS, NULL, 1);
    table = make_table(&suite);
    /* Eight of PERSONA and two for each gap; two cells of eight. */
    g_autofree char *fits = mf_grid_table_to_text(table, 27);
    g_autofree char *does_not = mf_grid_table_to_text(table, 26);
    g_assert_cmpstr(fits, ==, "PERSONA  a         b\nx        PASS 1ms  PASS 1ms\n");
    g_assert_true(g_str_has_prefix(does_not, "PERSONA  [1]       [2]\n"));
    g_assert_nonnull(strstr(does_not, "\n[2]  b\n"));
}

static void
test_the_page_has_no_markup_of_anybody_else_and_loads_nothing(void)
{
    static const char *const never[] = {"<script", "src=",   "href=",  "url(",
                                        "http:",   "https:", "@import"};
    g_auto(Suite) suite = {0};
    g_autoptr(MfGridTable) table = NULL;

    fill(&suite);
    table = make_table(&suite);
    g_autofree char *page = mf_grid_table_to_page(table, "1.2.3");
    for (gsize i = 0; i < G_N_ELEMENTS(never); i++)
        g_assert_null(strstr(page, never[i]));
    g_assert_nonnull(strstr(page, "default-src 'none'"));
    g_assert_nonnull(strstr(page, "&lt;script&gt;alert(1)"));
}

static void
test_the_json_has_the_members_that_were_promised(void)
{
    static const char *const members[] = {"persona_id", "scenario_name", "result", "reason",
                                          "duration_ms"};
    g_auto(Suite) suite = {0};
    g_autoptr(MfGridTable) table = NULL;

    fill(&suite);
    table = make_table(&suite);
    g_autofree char *text = mf_grid_table_to_json(table, "1.2.3");
    json_object *document = json_tokener_parse(text);
    json_object *cells = json_object_object_get(document, "cells");

    g_assert_cmpint(json_object_get_int(json_object_object_get(document, "schema_version")), ==, 1);
    g_assert_cmpstr(json_object_get_string(json_object_object_get(document, "tool")), ==, "mayfly");
    g_assert_cmpuint(json_object_array_length(cells), ==, suite.cases->len);
    for (size_t i = 0; i < json_object_array_length(cells); i++)
        for (gsize m = 0; m < G_N_ELEMENTS(members); m++)
            g_assert_true(
                json_object_object_get_ex(json_object_array_get_idx(cells, i), members[m], NULL));
    json_object_put(document);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/report-grid/each-case-is-a-cell-of-its-scenario-and-its-persona",
                    test_each_case_is_a_cell_of_its_scenario_and_its_persona);
    g_test_add_func("/report-grid/what-was-not-reached-is-no-pass",
                    test_what_was_not_reached_is_no_pass);
    g_test_add_func("/report-grid/a-case-without-a-persona-has-a-row",
                    test_a_case_without_a_persona_has_a_row);
    g_test_add_func("/report-grid/every-form-is-told-completely",
                    test_every_form_is_told_completely);
    g_test_add_func("/report-grid/a-text-that-fits-has-names-and-no-line-is-wider",
                    test_a_text_that_fits_has_names_and_no_line_is_wider);
    g_test_add_func("/report-grid/the-page-has-no-markup-of-anybody-else-and-loads-nothing",
                    test_the_page_has_no_markup_of_anybody_else_and_loads_nothing);
    g_test_add_func("/report-grid/the-json-has-the-members-that-were-promised",
                    test_the_json_has_the_members_that_were_promised);
    return g_test_run();
}

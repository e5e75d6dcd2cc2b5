/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "suite/event.h"

/*
 * What came of each scenario on each persona: the end of a suite, as a table. Every text in it may
 * be a user's, or a guest's.
 */
typedef enum {
    MF_GRID_PASS,
    MF_GRID_FAIL,
    MF_GRID_SKIP,
    MF_GRID_ERROR, /* nothing is known of it, also since it was not reached any more */
} MfGridResult;

const char *mf_grid_result_name(MfGridResult result); /* "PASS", ... */

typedef struct {
    const char *persona;  /* borrowed from the table */
    const char *scenario; /* likewise */
    MfGridResult result;
    char *reason; /* owned; whole sentences: why it is no pass; NULL for a pass */
    gint64 duration_ms;
} MfGridCell;

typedef struct {
    GPtrArray *personas;  /* owned; of char *: the rows, in the order of the cases */
    GPtrArray *scenarios; /* owned; of char *: the columns, likewise */
    GPtrArray *cells;     /* owned; of MfGridCell, in the order of the cases */
} MfGridTable;

/* Of MF_EVENT_SUITE_FINISHED. A case without a persona is in the row "-". */
MfGridTable *mf_grid_table_new(const MfEvent *finished);
void mf_grid_table_free(MfGridTable *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfGridTable, mf_grid_table_free)

/* The cell of a row and a column, or NULL. Borrowed. */
const MfGridCell *mf_grid_table_get(const MfGridTable *self, guint persona, guint scenario);

/* How many cells have that result. */
guint mf_grid_table_count(const MfGridTable *self, MfGridResult result);

/* All of it, as texts with a final newline, owned by the caller: for a terminal of so many
 * 'columns' (0: any); as JSON, {"schema_version": 1, "tool", "tool_version", "cells":
 * [{"persona_id", "scenario_name", "result", "reason", "duration_ms"}]}; as Markdown; and as one
 * HTML page that needs nothing else (grid-page.c). */
char *mf_grid_table_to_text(const MfGridTable *self, guint columns);
char *mf_grid_table_to_json(const MfGridTable *self, const char *version);
char *mf_grid_table_to_markdown(const MfGridTable *self);
char *mf_grid_table_to_page(const MfGridTable *self, const char *version);

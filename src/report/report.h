/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "report/output-policy.h"
#include "suite/event.h"

/*
 * All reports of a suite: what --report asks for, what a person sees, and what the cases' own
 * directories get. Each reads the same events and nothing else.
 */
typedef struct _MfReport MfReport;

/* How a person is told. */
typedef enum {
    MF_SCREEN_PLAIN,
    MF_SCREEN_TTY,
    MF_SCREEN_TTY_COLOURED,
    MF_SCREEN_GITHUB,
} MfScreen;

/* By an environment (NAME=VALUE): GITHUB_ACTIONS, TERM and NO_COLOR. */
MfScreen mf_screen_choose(gboolean is_terminal, char **environment);

MfReport *mf_report_new(void);
void mf_report_free(MfReport *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfReport, mf_report_free)

/* Adds what "--report SPEC" says: KIND=FILE, where KIND is json, junit, tap, metrics, or
 * one of the forms of a grid, grid-json, grid-markdown and grid-html, and FILE may be "-" for the
 * standard output, once. MF_ERROR_CONFIG, or MF_ERROR_HOST when it is clear already that the file
 * cannot be written. */
gboolean mf_report_add(MfReport *self, const char *spec, GError **error);

/* Whether one of them goes to the standard output, which then is for nothing else. */
gboolean mf_report_takes_stdout(const MfReport *self);

/* Adds what a person sees, on 'fd' (borrowed for the object's life). For GITHUB the environment's
 * GITHUB_STEP_SUMMARY and GITHUB_WORKSPACE are honoured. */
void mf_report_add_screen(MfReport *self, MfScreen screen, int fd, MfOutputPolicy policy,
                          char **environment);

/* Adds the table of a grid, behind everything else that a person sees on 'fd' (likewise). */
void mf_report_add_grid(MfReport *self, int fd);

/* Adds result.json in the directory of each case that has one. */
void mf_report_add_run_dirs(MfReport *self);

/* An MfEventFunc; 'self' is an MfReport. */
void mf_report_feed(const MfEvent *event, gpointer self);

/* The screen has another size. */
void mf_report_set_size(MfReport *self, guint rows, guint columns);

/* The end, after MF_EVENT_SUITE_FINISHED. Fails when a report could not be written, with a sentence
 * for each: MF_ERROR_HOST. */
gboolean mf_report_close(MfReport *self, GError **error);

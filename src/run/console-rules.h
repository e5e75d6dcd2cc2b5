/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "run/subtest-reader.h"

/*
 * What a target asks of its console. Several rules are one after the other: the landmarks of the
 * second follow those of the first.
 *
 * Patterns are regular expressions that match anywhere. Those of a rule are for complete lines, but
 * for 'respond': a prompt has no newline behind it.
 */
typedef struct {
    char **expect;      /* owned; patterns of landmarks, in their order; or NULL */
    gint64 timeout_ms;  /* for each of them, after the one before it or the start; 0: none */
    char **fail_on;     /* owned; patterns of what must not be said; or NULL */
    GPtrArray *respond; /* owned; of MfConsoleAnswer */
    MfSubtestFormat subtests;
    char **pass, **fail; /* owned; patterns for MF_SUBTEST_FORMAT_LINES; NULL: the usual ones */
} MfConsoleRule;

/* What is typed when something is said. */
typedef struct {
    char *pattern; /* owned */
    char *send;    /* owned */
    guint times;   /* at most; 0: as often as it comes */
} MfConsoleAnswer;

#define MF_CONSOLE_RULE_DEFAULT_TIMEOUT_MS 120000

MfConsoleRule *mf_console_rule_new(void);
void mf_console_rule_free(MfConsoleRule *self);
void
mf_console_rule_add_answer(MfConsoleRule *self, const char *pattern, const char *send, guint times);

/*
 * The rules at work: a function of what is said and when. It does no I/O and reads no clock.
 *
 * A landmark is looked for behind the one before it, were that in the same line; what was said
 * before anybody waited for it counts. The first decision stands.
 */
typedef struct _MfConsoleRules MfConsoleRules;

typedef enum {
    MF_CONSOLE_OPEN,   /* landmarks are awaited, or there are none */
    MF_CONSOLE_MET,    /* all of them were seen; what fails may still come */
    MF_CONSOLE_FAILED, /* what must not be said was said */
    MF_CONSOLE_LATE,   /* a landmark did not come in its time */
    MF_CONSOLE_BROKEN, /* a pattern could not be matched: it takes too many tries */
} MfConsoleState;

/* How far back a pattern of 'respond' may begin: its buffer is between this and twice as much. */
#define MF_CONSOLE_PROMPT_MAX 4096

/* 'rules' is of MfConsoleRule, borrowed for the object's life. Times are monotonic microseconds;
 * 'now' is when the first landmark's begins. MF_ERROR_CONFIG for a broken pattern, with the
 * position in it. */
MfConsoleRules *mf_console_rules_new(const GPtrArray *rules, gint64 now, GError **error);
void mf_console_rules_free(MfConsoleRules *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfConsoleRules, mf_console_rules_free)

/* A complete line, plain, without its end. */
void mf_console_rules_feed_line(MfConsoleRules *self, const char *line, gint64 now);

/* Only for what must not be said: a line that another voice of the guest says too. */
void mf_console_rules_feed_echo(MfConsoleRules *self, const char *line);

/* What is said as it comes, whatever the pieces. Returns what is to be typed, or NULL; owned by the
 * caller. Of two patterns that match the one that matches earlier is answered, then the one that
 * was declared first; what follows its match is looked at again. */
GBytes *mf_console_rules_answer(MfConsoleRules *self, const void *data, gsize size);

/* When mf_console_rules_check_time() has to be called; -1: not for now. */
gint64 mf_console_rules_get_deadline(const MfConsoleRules *self);
void mf_console_rules_check_time(MfConsoleRules *self, gint64 now);

MfConsoleState mf_console_rules_get_state(const MfConsoleRules *self);

/* "'login:' (landmark 2 of 3)", the one that is awaited; NULL when there is none. Owned by the
 * caller. */
char *mf_console_rules_describe_awaited(const MfConsoleRules *self);

/* The sentence for FAILED, LATE and BROKEN; NULL for the others. Owned by the caller. */
char *mf_console_rules_explain(const MfConsoleRules *self);

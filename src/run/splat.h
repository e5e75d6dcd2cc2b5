/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What a kernel says when something is wrong with it, found in its log: a panic, an oops, a
 * warning, the report of a sanitizer, and so on, each with the lines that belong to it.
 */
typedef enum {
    MF_SPLAT_PANIC,
    MF_SPLAT_OOPS,
    MF_SPLAT_BUG,
    MF_SPLAT_KASAN,
    MF_SPLAT_KFENCE,
    MF_SPLAT_KCSAN,
    MF_SPLAT_UBSAN,
    MF_SPLAT_LOCKDEP,
    MF_SPLAT_HARD_LOCKUP,
    MF_SPLAT_SOFT_LOCKUP,
    MF_SPLAT_RCU_STALL,
    MF_SPLAT_HUNG_TASK,
    MF_SPLAT_WARNING,
    MF_SPLAT_OOM,
    MF_N_SPLATS,
} MfSplatKind;

const char *mf_splat_kind_name(MfSplatKind kind); /* "panic", "oops", "hung-task", ... */

typedef struct {
    MfSplatKind kind;
    char *title;       /* owned; the line that names it, without time and prefix */
    char *report;      /* owned; its lines, as they were said; at most MF_SPLAT_REPORT_MAX bytes */
    char *fingerprint; /* owned; 16 hexadecimal digits, the same for the same fault wherever and
                        * whenever it happens: addresses, offsets and numbers do not count */
    guint count;       /* how often it was seen */
    gboolean fails;    /* the run, by its target's rules */
} MfSplat;

void mf_splat_free(MfSplat *self);

/* Longer reports are cut; more different ones are counted with the last. */
#define MF_SPLAT_LINES_MAX  200
#define MF_SPLAT_REPORT_MAX (64u << 10)
#define MF_SPLATS_MAX       64

/* Reads one log, line by line. */
typedef struct _MfSplatScanner MfSplatScanner;

MfSplatScanner *mf_splat_scanner_new(void);
void mf_splat_scanner_free(MfSplatScanner *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfSplatScanner, mf_splat_scanner_free)

/* A complete line, plain UTF-8, with or without the kernel's "[   12.345678] ". Returns the kind of
 * what begins with it, or -1. */
int mf_splat_scanner_feed(MfSplatScanner *self, const char *line);

/* No more lines: a report that was being read is complete. */
void mf_splat_scanner_finish(MfSplatScanner *self);

/* In the order of their first appearance; reports that are complete. Of MfSplat, borrowed. */
const GPtrArray *mf_splat_scanner_get_splats(MfSplatScanner *self);

/* The same, owned by the caller: the scanner has none from then on. */
GPtrArray *mf_splat_scanner_take_splats(MfSplatScanner *self);

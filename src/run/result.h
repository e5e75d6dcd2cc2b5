/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "machine/host.h"
#include "run/splat.h"
#include "run/subtests.h"

/* How a run ended. Whether that is a success, 'passed' says: EXITED with status 0, or what the
 * target expects in its place. */
typedef enum {
    MF_VERDICT_EXITED,    /* the command ended: 'status' */
    MF_VERDICT_SIGNALLED, /* the command was killed: 'signal_number' */
    MF_VERDICT_TIMEOUT,   /* a deadline passed: 'phase' says which */
    MF_VERDICT_CRASHED,   /* the guest's kernel panicked, or said that it is broken */
    MF_VERDICT_FAILED,    /* the VM or the host failed: 'message' */
    MF_VERDICT_CONFIG,    /* what was asked for cannot be: 'message' */
    MF_VERDICT_CANCELLED, /* by the caller */
} MfVerdict;

const char *mf_verdict_name(MfVerdict verdict); /* "exited", "signalled", ... */

/* What a run comes to that fails with an MF_ERROR. */
MfVerdict mf_verdict_from_error(const GError *error);

/* The steps of a run, in order. */
typedef enum {
    MF_PHASE_RESOLVE,  /* target + host -> plan */
    MF_PHASE_WAIT,     /* for another run, which saves the machine that this one can restore */
    MF_PHASE_LAUNCH,   /* QEMU started, QMP open */
    MF_PHASE_BOOT,     /* until the guest is at the ready point */
    MF_PHASE_SETUP,    /* root and shares mounted, clock and entropy set; the setup commands */
    MF_PHASE_EXECUTE,  /* the command */
    MF_PHASE_CONCLUDE, /* the teardown commands; the artifacts copied out */
    MF_PHASE_STOP,     /* quit and reap */
    MF_N_PHASES,
} MfPhase;

const char *mf_phase_name(MfPhase phase);

typedef enum { MF_MARK_HOST, MF_MARK_GUEST } MfMarkSide;

const char *mf_mark_side_name(MfMarkSide side); /* "host", "guest" */

/* Something that is known about a run's time beyond its phases. */
typedef struct {
    const char *name; /* static; at most MF_MARK_NAME_MAX characters */
    MfMarkSide side;
    gint64 start_us, end_us; /* since the run's start; the same for what takes no time */
} MfMark;

#define MF_MARK_NAME_MAX 24

typedef struct {
    MfVerdict verdict;
    int status;
    int signal_number;
    gboolean passed;      /* all was as the target expects; never but with EXITED or SIGNALLED */
    MfPhase phase;        /* where it was decided */
    MfAccel accel;        /* what the machine ran on, or was to; MF_ACCEL_AUTO: not decided */
    char *boot_id;        /* owned; of the guest's kernel, as mf_guest_setup_get_boot_id() */
    gboolean output_held; /* the command left something behind that held its output open */
    char *message;        /* owned; whole sentences: what went wrong; NULL for a pass, and when the
                           * command of a target that says nothing of its end simply ended */
    char *console_tail;   /* owned; the console's last lines where they are evidence, or NULL */
    GPtrArray *splats;    /* owned; of MfSplat: what the guest's kernel complained of, in order, but
                           * for what the target ignores */
    MfSubtests *subtests; /* owned; that it told of; NULL: it was not asked to */
    GPtrArray *payloads;  /* owned; of MfPayloadResult, in the order in which they ended, those that
                           * did not last; NULL: a target without payloads */
    GPtrArray *metrics;   /* owned; of MfMetric: a scenario's; or NULL */
    GPtrArray *notes;     /* owned; of char *: sentences worth telling that are no failure */
    gint64 phase_us[MF_N_PHASES]; /* how long each took, microseconds */
    GArray *marks;                /* owned; of MfMark */
} MfResult;

MfResult *mf_result_new(void);
void mf_result_free(MfResult *self);
void mf_result_add_mark(MfResult *self, MfMarkSide side, const char *name, gint64 start_us,
                        gint64 end_us);

/* Adds 'sentences' to the message; nothing when NULL. */
void mf_result_add_message(MfResult *self, const char *sentences);

/* Adds sub-tests to those of the result, and empties 'from'. */
void mf_result_add_subtests(MfResult *self, MfSubtests *from);

/* When all of them are there: no pass where one of them is a failure. */
void mf_result_judge_subtests(MfResult *self);

/* What went wrong in 'phase', after the command: no pass, but what is known of a command that was
 * none stays. */
void mf_result_note_failure(MfResult *self, MfPhase phase, const GError *error);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfResult, mf_result_free)

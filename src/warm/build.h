/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "warm/key.h"

/*
 * A machine that is being saved: its files in a private directory, under the machine's lock. It
 * becomes a saved machine by mf_warm_build_commit(), or nothing.
 */
typedef struct MfWarmBuild MfWarmBuild;

/* What goes beside the memory and the devices' state. All borrowed. */
typedef struct {
    GBytes *console;
    GBytes *stream; /* the beginning of a frame; NULL for none */
    const char *qemu_version;
    const char *label; /* what it is saved for, for people */
} MfWarmExtras;

/* How large what a machine has is, in bytes. */
typedef struct {
    guint64 memory;
    guint64 disk; /* that is to have an overlay; 0 for none */
} MfWarmSizes;

/* Of the machine of 'spec'. MF_ERROR_HOST as mf_disk_files_find(). */
gboolean mf_warm_sizes_measure(const MfSpec *spec, MfWarmSizes *ret_sizes, GError **error);

/* Begins to save the machine of a key. NULL with *ret_busy when somebody else is at it, or with
 * MF_ERROR_HOST. */
MfWarmBuild *mf_warm_build_begin(const MfWarmKey *key, const MfWarmSizes *sizes, gboolean *ret_busy,
                                 GError **error);

/* The files for QEMU, all borrowed; -1 for an overlay that there is not. */
int mf_warm_build_get_ram_fd(MfWarmBuild *self);
int mf_warm_build_get_state_fd(MfWarmBuild *self);
int mf_warm_build_get_overlay_fd(MfWarmBuild *self);

/* Publishes the machine, which no QEMU may have open any more, and removes others if the cache has
 * become too large. MF_ERROR_HOST. */
gboolean mf_warm_build_commit(MfWarmBuild *self, const MfWarmExtras *extras, GError **error);

/* Ends it: removes what was not published, and unlocks. */
void mf_warm_build_free(MfWarmBuild *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfWarmBuild, mf_warm_build_free)

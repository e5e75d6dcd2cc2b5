/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/spec.h"
#include "run/hooks.h"
#include "run/target.h"

/* A text of setup or teardown, in each of the ways in which a guest can run it. */
typedef struct {
    GBytes *record; /* owned; the command record, for mayfly-guest */
    /* Owned; the command script, where there is no mayfly-guest: with the shares mounted, and
     * without them. NULL where there always is. */
    char *script, *script_alone;
} MfPlanHook;

/*
 * A target resolved against this host: the machine to start and what the guest is told. Making it
 * reads the kernel's (cached) facts and builds what is missing in the cache.
 */
typedef struct {
    MfSpec *spec; /* owned */
    MfInit init;
    gboolean initramfs; /* mayfly-guest boots the machine; else the script is found by the kernel */
    GBytes *command;    /* owned; the command record */
    char *workdir;      /* owned; the command's directory in the guest */
    GPtrArray *hooks[MF_N_HOOKS]; /* owned; of MfPlanHook */
    GPtrArray *setup;   /* owned; of char *: the CONF record's fields that do not depend on the
                         * moment, key and value in turn */
    char *scripts_dir;  /* owned; private directory with init.sh and command.sh, or for an image
                         * with mayfly-guest, removed with the plan; NULL with init = agent */
    char *media_dir;    /* owned; private directory with what only this run's machine boots from,
                         * and writes to, removed with the plan; NULL where there is no such thing */
    char *image_script; /* owned; for a shell in the image's own system, before the command; NULL
                         * where a kernel is booted */
    /* Owned; the command script for such a system where mayfly-guest cannot run: with the shares
     * mounted, and without them. */
    char *image_command, *image_command_alone;
    GString *script_mounts; /* owned; what the init script mounts */
    char *script_modules;   /* owned; as MF_CONF_MODULES, or NULL */
    char *label;            /* owned; what of the machine people tell it by; NULL for one that boots
                             * with nothing of mayfly's in it */
    char *accel_note;       /* owned; what speaks against KVM, or NULL */
} MfPlan;

/* MF_ERROR_CONFIG, MF_ERROR_HOST. 'stdio_open' tells which of descriptors 0, 1, 2 the command is to
 * have. */
MfPlan *mf_plan_new(const MfTarget *target, const gboolean stdio_open[3], GError **error);
void mf_plan_free(MfPlan *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfPlan, mf_plan_free)

/* The CONF record for now: the fixed fields, the wall clock and fresh entropy. */
GBytes *mf_plan_make_conf(const MfPlan *self);

/* The kernel command line of a boot with or without initramfs, the target's own arguments last.
 * 'clock' are those that choose its clock, with a space before each; "" for none. Owned by the
 * caller; a pure function. */
char *mf_plan_kernel_args(const MfTarget *target, MfShareType type, const char *clock,
                          gboolean initramfs);

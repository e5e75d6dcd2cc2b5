/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/arch.h"

/* What the firmware asks of what it boots. */
typedef enum {
    MF_SECURE_BOOT_OFF,    /* firmware that boots everything */
    MF_SECURE_BOOT_SETUP,  /* it could refuse, but has no keys yet: everything boots, and may enroll
                            * some */
    MF_SECURE_BOOT_MS,     /* it boots what Microsoft's keys have signed */
    MF_SECURE_BOOT_CUSTOM, /* it boots what the keys in the variables of one's own have signed */
    MF_N_SECURE_BOOTS,
} MfSecureBoot;

const char *mf_secure_boot_name(MfSecureBoot mode); /* "off", "setup", "ms", "custom" */
gboolean mf_secure_boot_parse(const char *text, MfSecureBoot *ret_mode, GError **error);

/* UEFI firmware: its code, and the variables that belong to it. */
typedef struct {
    char *code;             /* owned; path; only read */
    char *vars;             /* owned; path; the firmware writes to it */
    char *original_vars;    /* owned; path of what that is a copy of; NULL before it is one */
    const char *format;     /* static; of the code: "raw" or "qcow2" */
    const char *own_format; /* static; of the variables */
    gboolean secure;        /* it can refuse to boot something */
    gboolean smm; /* it guards its variables by the system management mode, which the machine has
                   * to have, and refuses to start without */
} MfFirmware;

/*
 * Looks below 'prefix' ("" for this host) in the places of Debian, Fedora, Arch, openSUSE and QEMU
 * itself, the larger builds first: newer firmware does not fit into the others. Code and variables
 * are always of one build. 'vars' is the file of variables that MF_SECURE_BOOT_CUSTOM starts from,
 * and NULL with the others; the code is then of a build whose variables are as large.
 *
 * MF_ERROR_HOST with the package to install; MF_ERROR_CONFIG when 'vars' cannot be read, or the
 * architecture has no Secure Boot.
 */
MfFirmware *mf_firmware_find(const char *prefix, MfArch arch, MfSecureBoot mode, const char *vars,
                             GError **error);

/* Puts a copy of the variables into 'directory', which is private to the run, and goes on with
 * that: the file of the distribution, or of the user, is never written to. Nothing that is in the
 * directory already is followed or replaced. MF_ERROR_HOST, MF_ERROR_CONFIG. */
gboolean mf_firmware_copy_vars(MfFirmware *self, const char *directory, GError **error);

/* Makes that copy anew, for a machine that starts in place of one that has written to it.
 * MF_ERROR_HOST, MF_ERROR_CONFIG. */
gboolean mf_firmware_renew_vars(const MfFirmware *self, GError **error);

void mf_firmware_free(MfFirmware *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfFirmware, mf_firmware_free)

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "machine/arch.h"

/* What this host offers: an accelerator that works, and QEMU. */

typedef enum {
    MF_ACCEL_AUTO, /* KVM where it works, else TCG */
    MF_ACCEL_KVM,
    MF_ACCEL_TCG,
} MfAccel;

const char *mf_accel_name(MfAccel accel);
gboolean mf_accel_parse(const char *text, MfAccel *ret_accel, GError **error);

/* What decides whether KVM is usable. Gathered by mf_host_probe_kvm(), judged by a pure function.
 */
typedef struct {
    MfArch host_arch;
    int open_errno;  /* of opening /dev/kvm for reading and writing; 0 when it opened */
    int api_version; /* of KVM_GET_API_VERSION; 12 is the only one there is */
    gboolean cpu_has_virtualization; /* x86: vmx or svm among the CPU's flags; TRUE elsewhere */
} MfKvmFacts;

void mf_host_probe_kvm(MfKvmFacts *ret_facts);

/* Returns NULL when a guest of 'guest_arch' can use KVM, else the reason why not, as the end of a
 * sentence. Borrowed or static. */
char *mf_host_why_no_kvm(const MfKvmFacts *facts, MfArch guest_arch);

/* Resolves MF_ACCEL_AUTO; *ret_reason (owned, may be NULL) is what speaks against KVM where that
 * was not asked for, or was but may yet work. KVM that was asked for and cannot be tried is
 * MF_ERROR_HOST. */
gboolean mf_host_choose_accel(MfAccel wanted, MfArch guest_arch, MfAccel *ret_accel,
                              char **ret_reason, GError **error);

/* Whether that comes to KVM; else *ret_reason (owned, may be NULL) is why not. */
gboolean mf_host_uses_kvm(MfAccel wanted, MfArch guest_arch, char **ret_reason);

/* The same, of facts already gathered: a pure function. */
gboolean mf_host_judge_accel(MfAccel wanted, const MfKvmFacts *facts, MfArch guest_arch,
                             MfAccel *ret_accel, char **ret_reason, GError **error);

/* Finds QEMU for an architecture: 'requested' (a path or a name in PATH) or the usual places.
 * Owned by the caller. MF_ERROR_HOST with the package to install. */
char *mf_host_find_qemu(const char *requested, MfArch arch, GError **error);

/* The oldest QEMU whose options and protocol mayfly relies on. */
#define MF_QEMU_MIN_MAJOR 7
#define MF_QEMU_MIN_MINOR 2

/* CPUs this process may run on. */
guint mf_host_count_cpus(void);

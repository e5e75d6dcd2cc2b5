/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "machine/doctor.h"

/*
 * Looks around on this host for what the doctor judges: QEMU (all at once, for they are asked for
 * their versions), KVM, kernels, virtiofsd, firmware, swtpm and the cache directory. What is known
 * higher up (memory, saved machines) is left to the caller. No VM is started, and nothing is made
 * but what the cache keeps; a kernel is examined only while that does not take long.
 *
 * 'root' is where os-release, /boot and the firmware are looked for: "/" but in tests. Programs are
 * looked for in PATH.
 */
void
mf_doctor_facts_gather_async(const char *root, GAsyncReadyCallback callback, gpointer user_data);

/* Owned by the caller. It never fails: what cannot be found out is a fact, too. */
MfDoctorFacts *mf_doctor_facts_gather_finish(GAsyncResult *result);

/* Whether what 'qemu -device help' prints has a device for 9p. */
gboolean mf_doctor_has_9p(const char *output);

/* The version in what 'qemu --version' prints: "7.2.17". Owned by the caller; NULL when there is
 * none. */
char *mf_doctor_parse_version(const char *output);

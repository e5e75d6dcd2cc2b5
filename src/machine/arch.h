/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

typedef enum {
    MF_ARCH_X86_64,
    MF_ARCH_AARCH64,
    MF_ARCH_RISCV64,
    MF_ARCH_S390X,
    MF_N_ARCHS,
} MfArch;

/* QEMU's and uname's name: "x86_64", "aarch64", ... */
const char *mf_arch_name(MfArch arch);

/* What distributions' packages and container images call it: "amd64", "arm64", ... */
const char *mf_arch_package_name(MfArch arch);

/* Accepts those names and the usual others ("amd64", "x86-64", "arm64"). MF_ERROR_CONFIG. */
gboolean mf_arch_parse(const char *text, MfArch *ret_arch, GError **error);

/* The architecture this program was built for. */
MfArch mf_arch_native(void);

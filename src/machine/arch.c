/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/arch.h"

#include "base/error.h"

static const struct {
    const char *name;
    const char *others[2]; /* that of packages first, where it is another */
} archs[] = {
    [MF_ARCH_X86_64] = {"x86_64", {"amd64", "x86-64"}},
    [MF_ARCH_AARCH64] = {"aarch64", {"arm64"}},
    [MF_ARCH_RISCV64] = {"riscv64", {NULL}},
    [MF_ARCH_S390X] = {"s390x", {NULL}},
};
G_STATIC_ASSERT(G_N_ELEMENTS(archs) == MF_N_ARCHS);

const char *
mf_arch_name(MfArch arch)
{
    return archs[arch].name;
}

const char *
mf_arch_package_name(MfArch arch)
{
    return archs[arch].others[0] ? archs[arch].others[0] : archs[arch].name;
}

gboolean
mf_arch_parse(const char *text, MfArch *ret_arch, GError **error)
{
    for (MfArch arch = 0; arch < MF_N_ARCHS; arch++) {
        if (g_str_equal(text, archs[arch].name) || g_strcmp0(text, archs[arch].others[0]) == 0 ||
            g_strcmp0(text, archs[arch].others[1]) == 0) {
            *ret_arch = arch;
            return TRUE;
        }
    }
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "'%s' is not an architecture: expected x86_64, aarch64, riscv64 or s390x.", text);
    return FALSE;
}

MfArch
mf_arch_native(void)
{
#if defined(__x86_64__)
    return MF_ARCH_X86_64;
#elif defined(__aarch64__)
    return MF_ARCH_AARCH64;
#elif defined(__riscv)
    return MF_ARCH_RISCV64;
#elif defined(__s390x__)
    return MF_ARCH_S390X;
#else
#error "mayfly does not know this architecture"
#endif
}

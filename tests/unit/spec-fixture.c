/* SPDX-License-Identifier: Apache-2.0 */
#include "spec-fixture.h"

#include "base/parse.h"

MfSpec *
spec_fixture_new(const char *machine)
{
    MfSpec *spec = mf_spec_new();

    spec->arch = MF_ARCH_X86_64;
    spec->accel = MF_ACCEL_TCG;
    spec->qemu = g_strdup("/usr/bin/qemu-system-x86_64");
    spec->machine = g_strdup(machine);
    spec->cpu = g_strdup("max");
    spec->cpus = 2;
    spec->memory = MF_GIB;
    spec->kernel = g_strdup("/cache/images/vmlinux");
    spec->initrd = g_strdup("/cache/initramfs/a");
    spec->append = g_strdup("console=ttyS0 quiet");
    g_ptr_array_add(spec->shares, mf_share_new("root", "mayfly.root", "/", NULL, FALSE));
    g_ptr_array_add(spec->shares,
                    mf_share_new("share", "mayfly.share", "/src", "/mnt/mayfly", TRUE));
    return spec;
}

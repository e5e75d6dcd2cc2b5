/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/platform.h"

#include <string.h>

#include "base/error.h"

static const MfPlatform platforms[] = {
    /* reboot=t: the reset that needs neither a keyboard controller nor ACPI. no_timer_check: on a
     * busy host too few ticks arrive while the kernel counts them, and it panics for want of a
     * timer. */
    [MF_ARCH_X86_64] = {"ttyS0", " reboot=t no_timer_check", " tsc=reliable tsc_early_khz=", "pci",
                        "pvpanic", "vmgenid,guid=auto", TRUE, "VGA",
                        " unknown_nmi_panic panic_print=64", 2048},
    [MF_ARCH_AARCH64] = {"ttyAMA0", "", "", "pci", "pvpanic-pci", NULL, FALSE, "virtio-gpu-pci", "",
                         2048},
    [MF_ARCH_RISCV64] = {"ttyS0", "", "", "pci", "pvpanic-pci", NULL, FALSE, "virtio-gpu-pci", "",
                         1024},
    [MF_ARCH_S390X] = {"ttysclp0", "", "", "ccw", NULL, NULL, FALSE, "virtio-gpu-ccw", "", 4096},
};
G_STATIC_ASSERT(G_N_ELEMENTS(platforms) == MF_N_ARCHS);

const MfPlatform *
mf_platform_get(MfArch arch)
{
    return &platforms[arch];
}

gboolean
mf_platform_check_command_line(MfArch arch, const char *line, GError **error)
{
    gsize most = platforms[arch].command_line_max - 1;

    if (strlen(line) <= most)
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "The kernel's command line is too long: it has %" G_GSIZE_FORMAT
                " characters with what mayfly adds, and a kernel for %s takes %" G_GSIZE_FORMAT
                ". Give fewer kernel arguments.",
                strlen(line), mf_arch_name(arch), most);
    return FALSE;
}

const char *
mf_platform_machine(MfArch arch, MfAccel accel)
{
    /* q35: on pc each virtio device costs hundreds of milliseconds of ACPI interrupt routing under
     * software emulation. */
    static const char *const types[] = {
        [MF_ARCH_X86_64] = "q35",
        [MF_ARCH_AARCH64] = "virt,gic-version=3",
        [MF_ARCH_RISCV64] = "virt",
        [MF_ARCH_S390X] = "s390-ccw-virtio",
    };

    /* KVM has the interrupt controller that the host has. */
    if (arch == MF_ARCH_AARCH64 && accel == MF_ACCEL_KVM)
        return "virt,gic-version=host";
    return types[arch];
}

const char *
mf_platform_cpu(MfArch arch, MfAccel accel)
{
    /* What user space built for newer CPUs needs. But QEMU emulates a repeated string instruction
     * step by step: who does not know it as fast takes eight bytes a step instead of one, or a
     * loop. Of ARM's pointer authentication, which every function of such user space calls, the
     * architected cipher is slow to emulate. QEMU 7.2 knows no "max" for RISC-V. */
    static const char *const emulated[] = {
        [MF_ARCH_X86_64] = "max,erms=off,fsrm=off",
        [MF_ARCH_AARCH64] = "max,pauth-impdef=on",
        [MF_ARCH_RISCV64] = "rv64",
        [MF_ARCH_S390X] = "max",
    };

    return accel == MF_ACCEL_KVM ? "host" : emulated[arch];
}

const char *
mf_platform_ioeventfd(MfAccel accel)
{
    /* KVM signals the eventfd while the guest goes on. An emulated CPU is in QEMU already: it would
     * hand the request to another thread, which waits for the lock that the first one holds. */
    return accel == MF_ACCEL_TCG ? "off" : NULL;
}

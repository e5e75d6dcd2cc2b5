/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/firmware.h"

#include <unistd.h>

#include "base/error.h"

/* The larger builds first: newer firmware does not fit into the others. None with Secure Boot,
 * which an image without signatures would not pass. */
static const struct {
    MfArch arch;
    const char *code, *vars;
} places[] = {
    {MF_ARCH_X86_64, "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"},
    {MF_ARCH_X86_64, "/usr/share/OVMF/OVMF_CODE.fd", "/usr/share/OVMF/OVMF_VARS.fd"},
    {MF_ARCH_X86_64, "/usr/share/edk2/ovmf/OVMF_CODE.fd", "/usr/share/edk2/ovmf/OVMF_VARS.fd"},
    {MF_ARCH_X86_64, "/usr/share/edk2/x64/OVMF_CODE.4m.fd", "/usr/share/edk2/x64/OVMF_VARS.4m.fd"},
    {MF_ARCH_X86_64, "/usr/share/edk2-ovmf/x64/OVMF_CODE.fd",
     "/usr/share/edk2-ovmf/x64/OVMF_VARS.fd"},
    {MF_ARCH_X86_64, "/usr/share/qemu/ovmf-x86_64-4m-code.bin",
     "/usr/share/qemu/ovmf-x86_64-4m-vars.bin"},
    {MF_ARCH_X86_64, "/usr/share/qemu/edk2-x86_64-code.fd", "/usr/share/qemu/edk2-i386-vars.fd"},
    {MF_ARCH_AARCH64, "/usr/share/AAVMF/AAVMF_CODE.fd", "/usr/share/AAVMF/AAVMF_VARS.fd"},
    {MF_ARCH_AARCH64, "/usr/share/edk2/aarch64/QEMU_EFI-pflash.raw",
     "/usr/share/edk2/aarch64/vars-template-pflash.raw"},
    {MF_ARCH_AARCH64, "/usr/share/edk2/aarch64/QEMU_CODE.fd",
     "/usr/share/edk2/aarch64/QEMU_VARS.fd"},
    {MF_ARCH_AARCH64, "/usr/share/qemu/edk2-aarch64-code.fd", "/usr/share/qemu/edk2-arm-vars.fd"},
    {MF_ARCH_RISCV64, "/usr/share/qemu-efi-riscv64/RISCV_VIRT_CODE.fd",
     "/usr/share/qemu-efi-riscv64/RISCV_VIRT_VARS.fd"},
    {MF_ARCH_RISCV64, "/usr/share/qemu/edk2-riscv-code.fd", "/usr/share/qemu/edk2-riscv-vars.fd"},
};

static const char *const packages[] = {
    [MF_ARCH_X86_64] = "install it (Debian: ovmf; Fedora and Arch: edk2-ovmf)",
    [MF_ARCH_AARCH64] = "install it (Debian: qemu-efi-aarch64; Fedora and Arch: edk2-aarch64)",
    [MF_ARCH_RISCV64] = "install it (Debian: qemu-efi-riscv64)",
    [MF_ARCH_S390X] = "that architecture has none",
};

MfFirmware *
mf_firmware_find(const char *prefix, MfArch arch, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(places); i++) {
        g_autofree char *code = g_strconcat(prefix, places[i].code, NULL);
        g_autofree char *vars = g_strconcat(prefix, places[i].vars, NULL);

        if (places[i].arch != arch || access(code, R_OK) < 0 || access(vars, R_OK) < 0)
            continue;

        MfFirmware *self = g_new0(MfFirmware, 1);
        self->code = g_steal_pointer(&code);
        self->vars = g_steal_pointer(&vars);
        return self;
    }
    g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                "UEFI firmware for %s was not found: %s, or name a file of it with --bios.",
                mf_arch_name(arch), packages[arch]);
    return NULL;
}

void
mf_firmware_free(MfFirmware *self)
{
    if (!self)
        return;
    g_free(self->code);
    g_free(self->vars);
    g_free(self);
}

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "machine/arch.h"
#include "machine/module-index.h"

/*
 * A kernel image on the host: what it is, and what is needed to boot it. Opening one reads a few
 * KiB; facts that cost more (payload, notes, modules) are worked out once and cached under the
 * image's mf_cache_file_id(), so that the second run pays for a stat and one small read.
 */
typedef struct MfKernel MfKernel;

typedef enum {
    MF_KERNEL_BZIMAGE,     /* x86 setup header, compressed payload */
    MF_KERNEL_ELF,         /* vmlinux */
    MF_KERNEL_ARM64_IMAGE, /* "ARM\x64" at 56; may be wrapped by gzip or an EFI zboot PE */
    MF_KERNEL_RISCV_IMAGE, /* "RISCV" / "RSC\x05"; wrapped likewise */
    MF_KERNEL_S390_IMAGE,  /* "S390EP" */
} MfKernelFormat;

/* The features a run may need of the kernel; see mf_kernel_check(). */
typedef enum {
    MF_KERNEL_NEEDS_9P = 1 << 0,
    MF_KERNEL_NEEDS_VIRTIOFS = 1 << 1,
    MF_KERNEL_NEEDS_OVERLAY = 1 << 2,
    MF_KERNEL_NEEDS_BUILTIN = 1 << 3, /* no initramfs: a module will not do */
    MF_KERNEL_NEEDS_DISKS = 1 << 4,
    MF_KERNEL_NEEDS_NET = 1 << 5,
    MF_KERNEL_NEEDS_NUMA = 1 << 6,
    MF_KERNEL_NEEDS_TPM_CRB = 1 << 7,
    MF_KERNEL_NEEDS_TPM_TIS = 1 << 8,
} MfKernelNeeds;

/* MF_ERROR_CONFIG with one sentence: missing, unreadable, a directory, not a kernel, truncated. */
MfKernel *mf_kernel_open(const char *path, GError **error);
void mf_kernel_free(MfKernel *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfKernel, mf_kernel_free)

const char *mf_kernel_get_path(MfKernel *self); /* absolute */
MfKernelFormat mf_kernel_get_format(MfKernel *self);
MfArch mf_kernel_get_arch(MfKernel *self);

/* Fails with MF_ERROR_CONFIG when the kernel is not for 'arch'. */
gboolean mf_kernel_check_arch(MfKernel *self, MfArch arch, GError **error);

/* "6.1.0-56-amd64", NULL when the image does not say. Borrowed. */
const char *mf_kernel_get_release(MfKernel *self);

/* "xz", "lz4", "zstd", "gzip", ...; NULL for none. */
const char *mf_kernel_get_compression(MfKernel *self);

/* Whether the kernel can be entered through PVH (its vmlinux has XEN_ELFNOTE_PHYS32_ENTRY). The
 * first call unpacks a compressed kernel into the cache; FALSE when that fails. */
gboolean mf_kernel_has_pvh(MfKernel *self);

/* The file to hand to QEMU's -kernel: for a bzImage with PVH its decompressed vmlinux in the cache
 * (made now if need be), unless 'keep_image' (KASLR wanted); for a wrapped arm64 or RISC-V Image
 * what is in it, always; else the image itself. Owned by the caller. MF_ERROR_HOST (no space, no
 * cache), MF_ERROR_CONFIG (payload damaged, or a vmlinux that QEMU cannot boot). */
char *mf_kernel_prepare_image(MfKernel *self, gboolean keep_image, GError **error);

/* The directory with this kernel's installed modules, as the guest is to see it at /lib/modules:
 * the image's own, ../lib/modules/<release> beside the image (an unpacked package, which has no
 * modules.dep before depmod has run), or /lib/modules/<release>. Borrowed, NULL when none. */
const char *mf_kernel_get_modules_dir(MfKernel *self);

/* The top of the build tree that the image lies in. Borrowed, NULL when it lies elsewhere. */
const char *mf_kernel_get_build_tree(MfKernel *self);

/* The modules to load at boot: the build tree's where it has some (those installed may be of an
 * earlier build), else those of the modules directory. The first is its directory, without reading
 * anything in it. Borrowed, NULL when there are none. */
const char *mf_kernel_get_module_source(MfKernel *self);
const MfModuleIndex *mf_kernel_get_module_index(MfKernel *self);

/* Names what is made from this content of this image in the cache (kernel-store.h). Borrowed. */
const char *mf_kernel_get_store_id(MfKernel *self);

/* Whether a kernel option is built in ('y', also for a value), a module ('m') or off ('n'); '?'
 * when no configuration was found (config-<release> beside the image or in /boot, 'config' in the
 * modules directory, IKCONFIG in the image, the build tree's .config, and for the options that
 * mayfly asks for the list of modules). 'option' without CONFIG_. */
char mf_kernel_get_option(MfKernel *self, const char *option);

/* Fails with MF_ERROR_CONFIG and the sentence of STYLE's last example when something in 'needs'
 * is known to be missing: names every missing option, whether a module would do, and what to do. */
gboolean mf_kernel_check(MfKernel *self, MfKernelNeeds needs, GError **error);

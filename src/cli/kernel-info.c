/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/kernel-info.h"

#include "wire/json.h"

#define OPTIONS_MAX 5

/* Options that mayfly has a use for, by what they are for. */
static const struct {
    const char *purpose;
    const char *options[OPTIONS_MAX + 1];
} groups[] = {
    {"9p root", {"NET_9P", "NET_9P_VIRTIO", "9P_FS"}},
    {"virtiofs root", {"FUSE_FS", "VIRTIO_FS"}},
    {"overlay root", {"OVERLAY_FS"}},
    {"devices", {"VIRTIO", "VIRTIO_PCI", "VIRTIO_CONSOLE"}},
    {"file systems", {"DEVTMPFS", "TMPFS", "PROC_FS", "SYSFS", "UNIX98_PTYS"}},
    {"initramfs", {"BLK_DEV_INITRD"}},
    {"control groups", {"CGROUPS"}},
    {"machine", {"PVPANIC", "VMGENID"}},
};

/* What only one architecture has. */
static const char *const arch_options[MF_N_ARCHS][3] = {
    [MF_ARCH_X86_64] = {"SERIAL_8250_CONSOLE", "PVH"},
    [MF_ARCH_AARCH64] = {"SERIAL_AMBA_PL011_CONSOLE"},
    [MF_ARCH_RISCV64] = {"SERIAL_8250_CONSOLE"},
    [MF_ARCH_S390X] = {"SCLP_CONSOLE"},
};

static const char *const formats[] = {
    [MF_KERNEL_BZIMAGE] = "bzImage",         [MF_KERNEL_ELF] = "vmlinux (ELF)",
    [MF_KERNEL_ARM64_IMAGE] = "arm64 Image", [MF_KERNEL_RISCV_IMAGE] = "riscv Image",
    [MF_KERNEL_S390_IMAGE] = "s390 image",
};

static const char *
state_name(char state)
{
    switch (state) {
    case 'y':
        return "built-in";
    case 'm':
        return "module";
    case 'n':
        return "missing";
    default:
        return "unknown";
    }
}

/* The root the kernel can be run with; *ret_sentence says so, or why there is none. */
static const char *
judge(MfKernel *kernel, char **ret_sentence)
{
    g_autoptr(GError) no_9p = NULL;
    const char *overlay = mf_kernel_check(kernel, MF_KERNEL_NEEDS_OVERLAY, NULL)
                              ? ""
                              : " It has no overlay for the guest's writes: use '--root-mode ro' "
                                "or 'rw'.";

    if (mf_kernel_get_option(kernel, "9P_FS") == '?') {
        *ret_sentence = g_strdup("No configuration was found, so it cannot be told whether mayfly "
                                 "can run this kernel: try it.");
        return "unknown";
    }
    if (mf_kernel_check(kernel, MF_KERNEL_NEEDS_9P, &no_9p)) {
        *ret_sentence = g_strdup_printf("This kernel can be run with a 9p root.%s", overlay);
        return "9p";
    }
    if (mf_kernel_check(kernel, MF_KERNEL_NEEDS_VIRTIOFS, NULL)) {
        *ret_sentence = g_strdup_printf("This kernel can be run with a virtiofs root only, which "
                                        "needs virtiofsd on the host.%s",
                                        overlay);
        return "virtiofs";
    }
    *ret_sentence = g_strdup_printf("This kernel cannot be run: %s", no_9p->message);
    return "none";
}

static void
add_row(GString *text, const char *title, const char *value)
{
    g_string_append_printf(text, "%-15s %s\n", title, value ? value : "none");
}

static void
add_options(GString *text, MfKernel *kernel, const char *purpose, const char *const *options)
{
    g_autoptr(GString) states = g_string_new(NULL);

    for (; *options; options++)
        g_string_append_printf(states, "%s%s %s", states->len ? ", " : "", *options,
                               state_name(mf_kernel_get_option(kernel, *options)));
    add_row(text, purpose, states->str);
}

char *
mf_kernel_info_text(MfKernel *kernel)
{
    GString *text = g_string_new(NULL);
    const char *release = mf_kernel_get_release(kernel);
    const char *modules = mf_kernel_get_modules_dir(kernel);
    g_autofree char *path = g_filename_display_name(mf_kernel_get_path(kernel));
    g_autofree char *verdict = NULL;

    add_row(text, "image", path);
    add_row(text, "format", formats[mf_kernel_get_format(kernel)]);
    add_row(text, "release", release ? release : "not said");
    add_row(text, "architecture", mf_arch_name(mf_kernel_get_arch(kernel)));
    add_row(text, "compression", mf_kernel_get_compression(kernel));
    add_row(text, "PVH entry", mf_kernel_has_pvh(kernel) ? "yes" : "no");
    add_row(text, "modules", modules);
    g_string_append_c(text, '\n');
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++)
        add_options(text, kernel, groups[i].purpose, groups[i].options);
    add_options(text, kernel, mf_arch_name(mf_kernel_get_arch(kernel)),
                arch_options[mf_kernel_get_arch(kernel)]);

    judge(kernel, &verdict);
    g_string_append_printf(text, "\n%s\n", verdict);
    return g_string_free(text, FALSE);
}

static void
add_json_options(json_object *object, MfKernel *kernel, const char *const *options)
{
    for (; *options; options++)
        json_object_object_add(
            object, *options,
            json_object_new_string(state_name(mf_kernel_get_option(kernel, *options))));
}

json_object *
mf_kernel_info_json(MfKernel *kernel)
{
    json_object *info = json_object_new_object();
    json_object *options = json_object_new_object();
    g_autofree char *path = g_filename_display_name(mf_kernel_get_path(kernel));
    g_autofree char *verdict = NULL;
    const char *root = judge(kernel, &verdict);

    json_object_object_add(info, "path", json_object_new_string(path));
    json_object_object_add(info, "format",
                           json_object_new_string(formats[mf_kernel_get_format(kernel)]));
    json_object_object_add(info, "release", mf_json_new_text(mf_kernel_get_release(kernel)));
    json_object_object_add(info, "arch",
                           json_object_new_string(mf_arch_name(mf_kernel_get_arch(kernel))));
    json_object_object_add(info, "compression",
                           mf_json_new_text(mf_kernel_get_compression(kernel)));
    json_object_object_add(info, "pvh", json_object_new_boolean(mf_kernel_has_pvh(kernel)));
    json_object_object_add(info, "modules", mf_json_new_text(mf_kernel_get_modules_dir(kernel)));
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++)
        add_json_options(options, kernel, groups[i].options);
    add_json_options(options, kernel, arch_options[mf_kernel_get_arch(kernel)]);
    json_object_object_add(info, "options", options);
    json_object_object_add(info, "root", json_object_new_string(root));
    json_object_object_add(info, "verdict", json_object_new_string(verdict));
    return info;
}

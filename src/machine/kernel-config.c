/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel-config.h"

#include <string.h>

#include "base/fd.h"

struct MfKernelConfig {
    GBytes *text; /* owned */
};

static const struct {
    const char *option;
    const char *module;
} modules[] = {
    {"9P_FS", "9p"},
    {"FUSE_FS", "fuse"},
    {"NET_9P", "9pnet"},
    {"NET_9P_VIRTIO", "9pnet_virtio"},
    {"OVERLAY_FS", "overlay"},
    {"PVPANIC_MMIO", "pvpanic_mmio"},
    {"VIRTIO", "virtio"},
    {"VIRTIO_CONSOLE", "virtio_console"},
    {"VIRTIO_FS", "virtiofs"},
    {"VIRTIO_PCI", "virtio_pci"},
    {"TCG_CRB", "tpm_crb"},
    {"TCG_TIS", "tpm_tis"},
    {"TCG_TPM", "tpm"},
    {"VMGENID", "vmgenid"},
    {"VIRTIO_BLK", "virtio_blk"},
    {"VIRTIO_NET", "virtio_net"},
};

/* The value behind "CONFIG_<option>=" at the start of a line; NULL when there is none. */
static const char *
find_value(const char *text, gsize size, const char *option)
{
    g_autofree char *key = g_strdup_printf("\nCONFIG_%s=", option);
    gsize length = strlen(key);

    if (size >= length && memcmp(text, key + 1, length - 1) == 0)
        return text + length - 1;

    const char *line = memmem(text, size, key, length);
    return line && line + length < text + size ? line + length : NULL;
}

MfKernelConfig *
mf_kernel_config_load(const char *path)
{
    g_autoptr(GBytes) text = mf_file_read(path, MF_KERNEL_CONFIG_MAX, NULL);

    if (!text || g_bytes_get_size(text) == 0 ||
        !memmem(g_bytes_get_data(text, NULL), g_bytes_get_size(text), "CONFIG_", 7))
        return NULL;

    MfKernelConfig *self = g_new0(MfKernelConfig, 1);
    self->text = g_steal_pointer(&text);
    return self;
}

void
mf_kernel_config_free(MfKernelConfig *self)
{
    if (!self)
        return;
    g_bytes_unref(self->text);
    g_free(self);
}

char
mf_kernel_config_get(const MfKernelConfig *self, const char *option)
{
    gsize size;
    const char *text = g_bytes_get_data(self->text, &size);
    const char *value = find_value(text, size, option);

    if (!value || *value == 'n')
        return 'n';
    return *value == 'm' ? 'm' : 'y';
}

const char *
mf_kernel_config_module(const char *option)
{
    for (gsize i = 0; i < G_N_ELEMENTS(modules); i++) {
        if (g_str_equal(modules[i].option, option))
            return modules[i].module;
    }
    return NULL;
}

char
mf_kernel_config_guess(const MfModuleIndex *index, const char *option)
{
    const char *module = mf_kernel_config_module(option);

    if (!module || !mf_module_index_knows_builtins(index))
        return '?';
    if (mf_module_index_is_builtin(index, module))
        return 'y';

    g_autofree char *file = mf_module_index_find(index, module);
    return file ? 'm' : 'n';
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/machine-options.h"

#include "base/error.h"
#include "base/parse.h"

GOptionEntry *
mf_machine_options_make_entries(MfMachineOptions *self)
{
    const GOptionEntry entries[] = {
        {"image", 0, 0, G_OPTION_ARG_FILENAME, &self->image,
         "Boot this raw or qcow2 image, which starts qemu-ga by itself; its writes are thrown away",
         "FILE"},
        {"image-writable", 0, 0, G_OPTION_ARG_NONE, &self->image_writable, "Write to the image",
         NULL},
        {"uefi", 0, 0, G_OPTION_ARG_NONE, &self->uefi, "Boot the image by UEFI, not by a BIOS",
         NULL},
        {"bios", 0, 0, G_OPTION_ARG_FILENAME, &self->bios, "Boot the image by this firmware",
         "FILE"},
        {"disk", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &self->disks,
         "A raw or qcow2 image as a further disk; writes are thrown away unless ',writable'",
         "FILE[,writable]"},
        {"net", 0, 0, G_OPTION_ARG_STRING, &self->net,
         "Network of the guest: its loopback only (default), or outwards through this host",
         "none|user"},
        {"forward", 0, 0, G_OPTION_ARG_STRING_ARRAY, &self->forwards,
         "Let a port of this host's loopback lead to one of the guest; implies --net user",
         "tcp|udp:PORT:GUEST_PORT"},
        {"numa", 0, 0, G_OPTION_ARG_STRING_ARRAY, &self->numa,
         "A NUMA node of the guest, with its memory and CPUs; once for each",
         "SIZE[,cpus=FIRST-LAST]"},
        {"machine", 0, 0, G_OPTION_ARG_STRING, &self->machine,
         "QEMU's machine type (default: q35, or what the architecture has)", "TYPE"},
        {"cpu", 0, 0, G_OPTION_ARG_STRING, &self->cpu,
         "QEMU's CPU model (default: host, or max in software emulation)", "MODEL"},
        {NULL},
    };

    return g_memdup2(entries, sizeof(entries));
}

static gboolean
read_disks(const MfMachineOptions *self, MfTarget *target, GError **error)
{
    for (char **text = self->disks; text && *text; text++) {
        MfDisk *disk = mf_disk_parse(*text, error);

        if (!disk)
            return FALSE;
        g_ptr_array_add(target->disks, disk);
    }
    return TRUE;
}

static gboolean
read_net(const MfMachineOptions *self, MfTarget *target, GError **error)
{
    for (char **text = self->forwards; text && *text; text++) {
        MfForward forward;

        if (!mf_forward_parse(*text, &forward, error))
            return FALSE;
        g_array_append_val(target->forwards, forward);
        target->net = MF_NET_USER;
    }
    return (!self->net || mf_net_parse(self->net, &target->net, error)) &&
           mf_net_check(target->net, target->forwards, error);
}

static gboolean
read_numa(const MfMachineOptions *self, MfTarget *target, gboolean memory_given, GError **error)
{
    for (char **text = self->numa; text && *text; text++) {
        MfNumaNode *node = mf_numa_node_parse(*text, error);

        if (!node)
            return FALSE;
        g_ptr_array_add(target->numa, node);
    }
    if (!mf_numa_check(target->numa, target->cpus, error))
        return FALSE;

    guint64 sum = mf_numa_get_memory(target->numa);
    if (target->numa->len == 0 || (!memory_given && sum >= MF_TARGET_MIN_MEMORY)) {
        target->memory = target->numa->len == 0 ? target->memory : sum;
        return TRUE;
    }
    if (sum == target->memory)
        return TRUE;

    g_autofree char *nodes = mf_format_size(sum);
    g_autofree char *memory = mf_format_size(memory_given ? target->memory : MF_TARGET_MIN_MEMORY);
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                memory_given ? "The NUMA nodes have %s together, and --memory says %s: leave that "
                               "out, or make them agree."
                             : "The NUMA nodes have %s together, which is too little memory: a "
                               "guest needs at least %s.",
                nodes, memory);
    return FALSE;
}

static gboolean
take_image(MfMachineOptions *self, MfTarget *target, GError **error)
{
    const char *stray = self->image_writable ? "image-writable"
                        : self->uefi         ? "uefi"
                        : self->bios         ? "bios"
                                             : NULL;

    if (!self->image && stray) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "--%s is about an image: name that with --image.", stray);
        return FALSE;
    }
    if (!self->image)
        return TRUE;
    if (!*self->image) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "The image's name is empty.");
        return FALSE;
    }
    mf_target_set_image(target, self->image);
    target->image_writable = self->image_writable;
    target->uefi = self->uefi;
    target->bios = g_steal_pointer(&self->bios);
    return TRUE;
}

gboolean
mf_machine_options_apply(MfMachineOptions *self, MfTarget *target, gboolean memory_given,
                         GError **error)
{
    target->machine = g_steal_pointer(&self->machine);
    target->cpu = g_steal_pointer(&self->cpu);
    return take_image(self, target, error) && read_disks(self, target, error) &&
           read_net(self, target, error) && read_numa(self, target, memory_given, error);
}

void
mf_machine_options_clear(MfMachineOptions *self)
{
    g_free(self->image);
    g_free(self->bios);
    g_free(self->machine);
    g_free(self->cpu);
    g_free(self->net);
    g_strfreev(self->numa);
    g_strfreev(self->disks);
    g_strfreev(self->forwards);
}

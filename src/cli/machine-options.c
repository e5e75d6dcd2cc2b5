/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/machine-options.h"

#include "base/error.h"
#include "base/parse.h"
#include "suite/config-file.h"
#include "suite/persona-store.h"

GOptionEntry *
mf_machine_options_make_entries(MfMachineOptions *self)
{
    const GOptionEntry entries[] = {
        {"image", 0, 0, G_OPTION_ARG_FILENAME, &self->image,
         "Boot this raw or qcow2 image, which starts qemu-ga by itself; its writes are thrown away",
         "FILE"},
        {"iso", 0, 0, G_OPTION_ARG_FILENAME, &self->iso,
         "Boot this image of an optical disc (ISO 9660), from a drive", "FILE"},
        {"fat", 0, 0, G_OPTION_ARG_FILENAME, &self->fat,
         "Boot a copy of this directory, as a disk with a FAT file system; needs --uefi", "DIR"},
        {"image-writable", 0, 0, G_OPTION_ARG_NONE, &self->image_writable, "Write to the image",
         NULL},
        {"uefi", 0, 0, G_OPTION_ARG_NONE, &self->uefi, "Boot by UEFI, not by a BIOS", NULL},
        {"secure-boot", 0, 0, G_OPTION_ARG_STRING, &self->secure_boot,
         "Whose signatures the UEFI firmware asks for: nobody's (default), nobody's yet, "
         "Microsoft's, or those of the keys in --secure-boot-vars",
         "off|setup|ms|custom"},
        {"secure-boot-vars", 0, 0, G_OPTION_ARG_FILENAME, &self->secure_boot_vars,
         "The firmware's variables to start from, with keys of your own", "FILE"},
        {"bios", 0, 0, G_OPTION_ARG_FILENAME, &self->bios, "Boot by this firmware", "FILE"},
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
        {"persona", 0, 0, G_OPTION_ARG_STRING, &self->persona,
         "Be like a computer of 'mayfly persona list'; other options go before what that says",
         "ID"},
        {"tpm", 0, 0, G_OPTION_ARG_STRING, &self->tpm,
         "TPM of the machine, through swtpm (default: none)", "none|1.2|2.0"},
        {"smbios", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &self->smbios,
         "What the machine says of itself; FIELD is a file's name in /sys/class/dmi/id",
         "FIELD=TEXT"},
        {NULL},
    };

    return g_memdup2(entries, sizeof(entries));
}

/* Takes what is given, in place of what a persona says. */
static void
replace(char **place, char **given)
{
    if (!*given)
        return;
    g_free(*place);
    *place = g_steal_pointer(given);
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
read_smbios(const MfMachineOptions *self, MfTarget *target, GError **error)
{
    for (char **text = self->smbios; text && *text; text++) {
        if (!target->smbios)
            target->smbios = mf_smbios_new();
        if (!mf_smbios_parse(target->smbios, *text, error))
            return FALSE;
    }
    return TRUE;
}

typedef struct {
    const char *option, *path;
    MfMedium medium;
} Medium;

/* What is given to boot; fills 'media', of three, in. */
static void
list_media(const MfMachineOptions *self, Medium media[3])
{
    media[0] = (Medium){"image", self->image, MF_MEDIUM_DISK};
    media[1] = (Medium){"iso", self->iso, MF_MEDIUM_DISC};
    media[2] = (Medium){"fat", self->fat, MF_MEDIUM_FAT};
}

const char *
mf_machine_options_get_medium(const MfMachineOptions *self)
{
    Medium media[3];

    list_media(self, media);
    for (gsize i = 0; i < G_N_ELEMENTS(media); i++)
        if (media[i].path)
            return media[i].option;
    return NULL;
}

static gboolean
take_medium(const MfMachineOptions *self, MfTarget *target, GError **error)
{
    const char *first = mf_machine_options_get_medium(self);
    Medium media[3];

    list_media(self, media);
    for (gsize i = 0; i < G_N_ELEMENTS(media); i++) {
        if (!media[i].path)
            continue;
        if (!*media[i].path) {
            g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                        "The medium's name is empty: --%s takes a path.", media[i].option);
            return FALSE;
        }
        if (!g_str_equal(media[i].option, first)) {
            g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                        "--%s and --%s are both given, but only one of them can be booted.", first,
                        media[i].option);
            return FALSE;
        }
        mf_target_set_image(target, media[i].path, media[i].medium);
    }
    if (self->image_writable && !self->image) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "--image-writable is about an image: name that with --image.");
        return FALSE;
    }
    target->image_writable = self->image_writable;
    return TRUE;
}

static gboolean
read_secure_boot(MfMachineOptions *self, MfTarget *target, GError **error)
{
    gboolean custom;

    if (self->secure_boot && !mf_secure_boot_parse(self->secure_boot, &target->secure_boot, error))
        return FALSE;
    custom = target->secure_boot == MF_SECURE_BOOT_CUSTOM;
    /* A persona's file of keys is of no use to another mode. */
    if (!custom)
        g_clear_pointer(&target->secure_boot_vars, g_free);
    replace(&target->secure_boot_vars, &self->secure_boot_vars);
    if (target->secure_boot != MF_SECURE_BOOT_OFF && (!target->uefi || self->bios))
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "--secure-boot %s is about the UEFI firmware that mayfly finds: add --uefi, "
                    "without --bios.",
                    mf_secure_boot_name(target->secure_boot));
    else if (custom && !target->secure_boot_vars)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "--secure-boot custom needs the variables that have the keys: name their file "
                    "with --secure-boot-vars.");
    else if (!custom && target->secure_boot_vars)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "--secure-boot-vars is for --secure-boot custom only.");
    else
        return TRUE;
    return FALSE;
}

static gboolean
take_boot(MfMachineOptions *self, MfTarget *target, GError **error)
{
    target->uefi = target->uefi || self->uefi;
    if (!take_medium(self, target, error) || !read_secure_boot(self, target, error))
        return FALSE;
    target->bios = g_steal_pointer(&self->bios);
    return TRUE;
}

gboolean
mf_machine_options_apply_persona(const MfMachineOptions *self, const char *arch, MfTarget *target,
                                 GError **error)
{
    g_autofree char *here = g_get_current_dir();
    g_autofree char *file = self->persona ? mf_config_file_find(here, NULL) : NULL;
    g_autofree char *directory = file ? g_path_get_dirname(file) : NULL;
    g_autoptr(MfPersona) persona = NULL;
    const char *own;

    if (!self->persona)
        return TRUE;
    persona = mf_persona_store_find(directory, self->persona, NULL, error);
    if (!persona)
        return FALSE;
    own = persona->config->hardware->has_arch
              ? mf_config_arch_to_string(persona->config->hardware->arch)
              : NULL;
    if (arch && own && !g_str_equal(arch, own)) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The persona '%s' is a computer of %s, and --arch says %s.", self->persona, own,
                    arch);
        return FALSE;
    }
    mf_persona_apply(persona, target, mf_machine_options_get_medium(self) != NULL);
    return TRUE;
}

gboolean
mf_machine_options_apply(MfMachineOptions *self, MfTarget *target, gboolean memory_given,
                         GError **error)
{
    replace(&target->machine, &self->machine);
    replace(&target->cpu, &self->cpu);
    return take_boot(self, target, error) && read_disks(self, target, error) &&
           read_net(self, target, error) && read_numa(self, target, memory_given, error) &&
           read_smbios(self, target, error) &&
           (!self->tpm || mf_tpm_parse(self->tpm, &target->tpm, error));
}

void
mf_machine_options_clear(MfMachineOptions *self)
{
    g_free(self->image);
    g_free(self->iso);
    g_free(self->fat);
    g_free(self->bios);
    g_free(self->secure_boot);
    g_free(self->secure_boot_vars);
    g_free(self->machine);
    g_free(self->cpu);
    g_free(self->net);
    g_free(self->tpm);
    g_free(self->persona);
    g_strfreev(self->numa);
    g_strfreev(self->disks);
    g_strfreev(self->forwards);
    g_strfreev(self->smbios);
}

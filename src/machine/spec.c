/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/spec.h"

#include "base/parse.h"
#include "machine/debug-exit.h"
#include "machine/platform.h"
#include "wire/guest-protocol.h"

/* QEMU's name for memory that is not its own alone. */
#define MEMORY_ID "memory"

typedef struct {
    const char *id;
    const char *description;
    const char *port; /* virtio-serial port name; NULL for QMP and the console */
    gboolean script_only;
} ChannelInfo;

static const ChannelInfo channels[] = {
    [MF_CHANNEL_QMP] = {"qmp", "QEMU's monitor", NULL, FALSE},
    [MF_CHANNEL_CONSOLE] = {"console", "the guest's console", NULL, FALSE},
    [MF_CHANNEL_AGENT] = {"agent", "the guest's agent", MF_PORT_AGENT, FALSE},
    [MF_CHANNEL_STREAM] = {"stream", "the guest's stream", MF_PORT_STREAM, FALSE},
    [MF_CHANNEL_STDIN] = {"stdin", "the command's input", MF_PORT_STDIN, TRUE},
    [MF_CHANNEL_STDOUT] = {"stdout", "the command's output", MF_PORT_STDOUT, TRUE},
    [MF_CHANNEL_STDERR] = {"stderr", "the command's error output", MF_PORT_STDERR, TRUE},
};
G_STATIC_ASSERT(G_N_ELEMENTS(channels) == MF_N_CHANNELS);

MfSpec *
mf_spec_new(void)
{
    MfSpec *self = g_new0(MfSpec, 1);

    self->share_type = MF_SHARE_9P;
    self->shares = g_ptr_array_new_with_free_func((GDestroyNotify)mf_share_free);
    self->numa = g_ptr_array_new_with_free_func((GDestroyNotify)mf_numa_node_free);
    self->disks = g_ptr_array_new_with_free_func((GDestroyNotify)mf_disk_free);
    self->forwards = g_array_new(FALSE, FALSE, sizeof(MfForward));
    return self;
}

void
mf_spec_free(MfSpec *self)
{
    if (!self)
        return;
    g_free(self->connect);
    g_free(self->qemu);
    g_free(self->machine);
    g_free(self->cpu);
    g_free(self->kernel);
    g_free(self->initrd);
    g_free(self->append);
    g_ptr_array_unref(self->numa);
    g_ptr_array_unref(self->shares);
    g_free(self->virtiofsd);
    mf_firmware_free(self->firmware);
    g_free(self->bios);
    mf_smbios_free(self->smbios);
    g_free(self->swtpm);
    g_ptr_array_unref(self->disks);
    g_array_unref(self->forwards);
    g_free(self->qmp_socket);
    g_strfreev(self->extra_args);
    g_free(self);
}

const char *
mf_channel_describe(MfChannel channel)
{
    return channels[channel].description;
}

const char *
mf_channel_get_port(MfChannel channel)
{
    return channels[channel].port;
}

gboolean
mf_spec_has_channel(const MfSpec *self, MfChannel channel)
{
    return !channels[channel].script_only || self->script_ports;
}

static void
add_memory(const MfSpec *self, MfArgv *argv)
{
    g_autofree char *memory = g_strdup_printf("%" G_GUINT64_FORMAT "M", self->memory / MF_MIB);

    mf_argv_add_many(argv, "-m", memory, NULL);
    /* A virtiofs daemon reads and writes the guest's memory itself. */
    mf_numa_add_to_argv(self->numa, self->share_type == MF_SHARE_VIRTIOFS, argv);
    if (self->share_type == MF_SHARE_VIRTIOFS && self->numa->len == 0)
        mf_argv_add_option(argv, "-object", "memory-backend-memfd", "id", MEMORY_ID, "size", memory,
                           "share", "on", NULL);
    if (!self->backing)
        return;

    /* By descriptor: the file that was checked is the one that is used, whatever happens to its
     * name.
     */
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", MF_RAM_FD);
    mf_argv_add_option(argv, "-object", "memory-backend-file", "id", MEMORY_ID, "size", memory,
                       "mem-path", path, "share", self->backing->restored ? "off" : "on", NULL);
    if (self->backing->restored)
        mf_argv_add_many(argv, "-incoming", "defer", NULL);
}

/* Of a PC, whose BIOS says nothing on the serial port unless it is told that there is nothing
 * else. */
static gboolean
has_silent_bios(const MfSpec *self)
{
    return self->arch == MF_ARCH_X86_64 && !self->kernel;
}

static void
add_machine(const MfSpec *self, MfArgv *argv)
{
    gboolean own_memory =
        (!self->backing && self->share_type != MF_SHARE_VIRTIOFS) || self->numa->len > 0;

    /* Nothing but what is listed here exists in the machine. */
    mf_argv_add_many(argv, "-nodefaults", "-no-user-config", "-display", "none", NULL);
    mf_argv_add_option(argv, "-sandbox", "on", "obsolete", "deny", "elevateprivileges", "deny",
                       "spawn", "deny", "resourcecontrol", "deny", NULL);
    mf_argv_add(argv, "-machine");
    mf_argv_addf(argv, "%s%s%s%s", self->machine, own_memory ? "" : ",memory-backend=" MEMORY_ID,
                 has_silent_bios(self) ? ",graphics=off" : "",
                 self->firmware && self->firmware->smm ? ",smm=on" : "");
    mf_argv_add_many(argv, "-accel", mf_accel_name(self->accel), NULL);
    mf_argv_add_many(argv, "-cpu", self->cpu, NULL);
    mf_argv_add(argv, "-smp");
    /* CPUs of one socket share a cache, and the kernel warns when they are of different nodes. */
    if (self->numa->len > 0)
        mf_argv_addf(argv, "%u,sockets=%u", self->cpus, self->cpus);
    else
        mf_argv_addf(argv, "%u", self->cpus);
    add_memory(self, argv);
    /* A reset ends QEMU; a panic is reported by event, and ends it through the kernel's reset. */
    mf_argv_add_many(argv, "-no-reboot", "-action",
                     self->held ? "panic=none,shutdown=pause" : "panic=none", NULL);
    if (self->paused)
        mf_argv_add(argv, "-S");
}

static void
add_public_qmp(const MfSpec *self, MfArgv *argv)
{
    if (!self->qmp_socket)
        return;
    mf_argv_add_option(argv, "-chardev", "socket", "id", "qmp-public", "path", self->qmp_socket,
                       "server", "on", "wait", "off", NULL);
    mf_argv_add_many(argv, "-mon", "chardev=qmp-public,mode=control", NULL);
}

static void
add_channels(const MfSpec *self, MfArgv *argv)
{
    for (MfChannel channel = 0; channel < MF_N_CHANNELS; channel++) {
        if (channel == MF_CHANNEL_CONSOLE || !mf_spec_has_channel(self, channel))
            continue;

        g_autofree char *fd = g_strdup_printf("%d", MF_CHANNEL_FIRST_FD + (int)channel);
        mf_argv_add_option(argv, "-chardev", "socket", "id", channels[channel].id, "fd", fd, NULL);
    }

    mf_argv_add_many(argv, "-mon", "chardev=qmp,mode=control", NULL);
    mf_serial_port_add_to_argv(&MF_CONSOLE_FDS, channels[MF_CHANNEL_CONSOLE].id, argv);
    mf_argv_add_many(argv, "-serial", "chardev:console", NULL);

    g_autofree char *serial =
        g_strconcat("virtio-serial-", mf_platform_get(self->arch)->virtio, NULL);
    mf_argv_add_option(argv, "-device", serial, "id", "serial", "ioeventfd",
                       mf_platform_ioeventfd(self->accel), NULL);
    for (MfChannel channel = 0; channel < MF_N_CHANNELS; channel++) {
        if (!channels[channel].port || !mf_spec_has_channel(self, channel))
            continue;
        mf_argv_add_option(argv, "-device", "virtserialport", "bus", "serial.0", "chardev",
                           channels[channel].id, "name", channels[channel].port, NULL);
    }
    add_public_qmp(self, argv);
}

static void
add_shares(const MfSpec *self, MfArgv *argv)
{
    const char *virtio = mf_platform_get(self->arch)->virtio;

    for (guint i = 0; i < self->shares->len; i++) {
        const MfShare *share = g_ptr_array_index(self->shares, i);

        if (self->share_type == MF_SHARE_VIRTIOFS)
            mf_share_add_virtiofs_to_argv(share, virtio, MF_SHARE_FIRST_FD + (int)i, argv);
        else
            mf_share_add_9p_to_argv(share, virtio, mf_platform_ioeventfd(self->accel), argv);
    }
}

static void
add_kernel(const MfSpec *self, MfArgv *argv)
{
    /* What has booted is in the memory already: reading it once more only costs time. */
    if (!self->kernel || (self->backing && self->backing->restored && self->arch == MF_ARCH_X86_64))
        return;
    mf_argv_add_many(argv, "-kernel", self->kernel, NULL);
    if (self->initrd)
        mf_argv_add_many(argv, "-initrd", self->initrd, NULL);
    mf_argv_add_many(argv, "-append", self->append, NULL);
}

static void
add_firmware(const MfSpec *self, MfArgv *argv)
{
    const MfFirmware *firmware = self->firmware;

    if (self->bios)
        mf_argv_add_many(argv, "-bios", self->bios, NULL);
    if (!firmware)
        return;
    /* Only the system management mode writes to the variables. Firmware of 64 bits that uses it
     * stops where the machine could sleep, which it could not wake up from. */
    if (firmware->smm)
        mf_argv_add_many(argv, "-global", "driver=cfi.pflash01,property=secure,value=on", "-global",
                         "ICH9-LPC.disable_s3=1", NULL);
    mf_argv_add_option(argv, "-drive", "if=pflash,unit=0", "format", firmware->format, "readonly",
                       "on", "file", firmware->code, NULL);
    mf_argv_add_option(argv, "-drive", "if=pflash,unit=1", "format", firmware->own_format, "file",
                       firmware->vars, NULL);
}

static void
add_disks(const MfSpec *self, MfArgv *argv)
{
    const MfPlatform *platform = mf_platform_get(self->arch);
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d", MF_OVERLAY_FD);
    const MfDiskOverlay overlay = {path, self->backing && self->backing->restored};
    gboolean overlaid = self->backing && self->backing->overlay_fd >= 0;

    for (guint i = 0; i < self->disks->len; i++)
        mf_disk_add_to_argv(g_ptr_array_index(self->disks, i), platform, i, !self->kernel && i == 0,
                            overlaid && i == 0 ? &overlay : NULL, argv);
}

void
mf_spec_add_rest_to_argv(const MfSpec *self, MfArgv *argv)
{
    add_firmware(self, argv);
    if (self->smbios)
        mf_smbios_add_to_argv(self->smbios, argv);
    add_public_qmp(self, argv);
    add_disks(self, argv);
    mf_net_add_to_argv(self->net, self->forwards, mf_platform_get(self->arch)->virtio, argv);
    mf_argv_add_strv(argv, (const char *const *)self->extra_args);
}

MfArgv *
mf_spec_to_argv(const MfSpec *self)
{
    const MfPlatform *platform = mf_platform_get(self->arch);
    MfArgv *argv = mf_argv_new(self->qemu);

    add_machine(self, argv);
    add_firmware(self, argv);
    if (self->smbios)
        mf_smbios_add_to_argv(self->smbios, argv);
    add_kernel(self, argv);
    add_channels(self, argv);
    if (platform->panic_device)
        mf_argv_add_many(argv, "-device", platform->panic_device, NULL);
    if (self->screen)
        mf_argv_add_many(argv, "-device", platform->screen_device, NULL);
    if (platform->identity_device)
        mf_argv_add_many(argv, "-device", platform->identity_device, NULL);
    if (self->debug_exit)
        mf_debug_exit_add_to_argv(argv);
    mf_tpm_add_to_argv(self->tpm, self->arch, MF_TPM_FD, argv);
    add_shares(self, argv);
    add_disks(self, argv);
    mf_net_add_to_argv(self->net, self->forwards, platform->virtio, argv);
    mf_argv_add_strv(argv, (const char *const *)self->extra_args);
    return argv;
}

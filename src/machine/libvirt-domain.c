/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/libvirt-domain.h"

#include <string.h>

#include "base/template.h"
#include "machine/libvirt-templates.h"
#include "machine/platform.h"

#define TEMPLATE "/mayfly/libvirt/domain.xml.in"

/* Slots are given out from here downwards; the one above it is a PC's own. QEMU makes what it is
 * told of by arguments before what libvirt tells it of, and looks for slots from below. */
#define LAST_SLOT 30

/* Fills holes; 'slot' is the next device's. */
typedef struct {
    const MfSpec *spec; /* borrowed */
    GHashTable *values; /* owned */
    guint slot;
} Domain;

static void
set(Domain *self, const char *name, char *value)
{
    g_hash_table_insert(self->values, (gpointer)name, value);
}

static void
set_text(Domain *self, const char *name, const char *text)
{
    set(self, name, g_markup_escape_text(text, -1));
}

static void G_GNUC_PRINTF(2, 3) add(GString *xml, const char *format, ...)
{
    va_list arguments;
    g_autofree char *text = NULL;

    va_start(arguments, format);
    text = g_markup_vprintf_escaped(format, arguments);
    va_end(arguments);
    g_string_append(xml, text);
}

/* Owned by the caller; "" for a machine without PCI. */
static char *
take_address(Domain *self)
{
    if (!g_str_equal(mf_platform_get(self->spec->arch)->virtio, "pci"))
        return g_strdup("");
    return g_strdup_printf("<address type='pci' domain='0' bus='0' slot='%u' function='0'/>",
                           self->slot--);
}

static void
set_boot(Domain *self)
{
    const MfSpec *spec = self->spec;
    GString *xml = g_string_new(NULL);

    if (spec->kernel)
        add(xml, "\n    <kernel>%s</kernel>", spec->kernel);
    if (spec->kernel && spec->initrd)
        add(xml, "\n    <initrd>%s</initrd>", spec->initrd);
    if (spec->kernel)
        add(xml, "\n    <cmdline>%s</cmdline>", spec->append);
    if (spec->bios)
        add(xml, "\n    <loader type='rom'>%s</loader>", spec->bios);
    set(self, "boot", g_string_free(xml, FALSE));
}

static void
set_ports(Domain *self)
{
    GString *xml = g_string_new(NULL);

    for (MfChannel channel = 0; channel < MF_N_CHANNELS; channel++)
        if (mf_channel_get_port(channel) && mf_spec_has_channel(self->spec, channel))
            add(xml, "\n    <channel type='unix'><target type='virtio' name='%s'/></channel>",
                mf_channel_get_port(channel));
    set(self, "ports", g_string_free(xml, FALSE));
}

/* The CPUs of node 'index': its own, or where no node has any of its own, every so-manieth, as QEMU
 * spreads them; libvirt would give all of them to the first. Owned by the caller; NULL for a node
 * without CPUs. */
static char *
list_node_cpus(const MfSpec *spec, guint index)
{
    GString *list = g_string_new(NULL);

    for (guint i = 0; i < spec->numa->len; i++) {
        const MfNumaNode *node = g_ptr_array_index(spec->numa, i);

        if (!node->cpus)
            continue;
        g_string_free(list, TRUE);
        return g_strdup(((const MfNumaNode *)g_ptr_array_index(spec->numa, index))->cpus);
    }
    for (guint cpu = index; cpu < spec->cpus; cpu += spec->numa->len)
        g_string_append_printf(list, "%s%u", list->len ? "," : "", cpu);
    return g_string_free(list, list->len == 0);
}

static void
set_numa(Domain *self)
{
    const GPtrArray *nodes = self->spec->numa;
    GString *xml = g_string_new(NULL);

    for (guint i = 0; i < nodes->len; i++) {
        const MfNumaNode *node = g_ptr_array_index(nodes, i);
        g_autofree char *cpus = list_node_cpus(self->spec, i);

        add(xml, "\n      <cell id='%u' memory='%" G_GUINT64_FORMAT "' unit='b'", i, node->memory);
        if (cpus)
            add(xml, " cpus='%s'", cpus);
        g_string_append(xml, "/>");
    }
    if (nodes->len > 0) {
        g_string_prepend(xml, "\n    <numa>");
        g_string_append(xml, "\n    </numa>");
    }
    set(self, "numa", g_string_free(xml, FALSE));
}

/* libvirt starts the swtpm itself, and throws its state away with the domain. */
static void
set_tpm(Domain *self)
{
    const MfSpec *spec = self->spec;
    GString *xml = g_string_new(NULL);

    if (spec->tpm != MF_TPM_NONE)
        add(xml, "\n    <tpm model='%s'><backend type='emulator' version='%s'/></tpm>",
            mf_tpm_is_crb(spec->tpm, spec->arch) ? "tpm-crb" : "tpm-tis", mf_tpm_name(spec->tpm));
    set(self, "tpm", g_string_free(xml, FALSE));
}

/* squash: as with a QEMU of mayfly's own, whose user need not be allowed to give files away. */
static void
set_shares(Domain *self)
{
    GString *xml = g_string_new(NULL);

    for (guint i = 0; i < self->spec->shares->len; i++) {
        const MfShare *share = g_ptr_array_index(self->spec->shares, i);
        g_autofree char *address = take_address(self);

        g_string_append(xml, "\n    <filesystem type='mount' accessmode='squash' "
                             "multidevs='remap'>");
        add(xml, "<source dir='%s'/><target dir='%s'/>", share->host_path, share->tag);
        g_string_append_printf(xml, "%s%s</filesystem>", share->writable ? "" : "<readonly/>",
                               address);
    }
    set(self, "shares", g_string_free(xml, FALSE));
}

/* What comes with the machine's type ("virt,gic-version=3"), and what mayfly adds to it. */
static void
add_machine_options(const MfSpec *spec, MfArgv *argv)
{
    const char *comma = strchr(spec->machine, ',');

    if (comma)
        mf_argv_add_many(argv, "-machine", comma + 1, NULL);
    if (spec->arch == MF_ARCH_X86_64 && !spec->kernel)
        mf_argv_add_many(argv, "-machine", "graphics=off", NULL);
    if (spec->firmware && spec->firmware->smm)
        mf_argv_add_many(argv, "-machine", "smm=on", NULL);
}

static gboolean
is_known_cpu(const char *cpu)
{
    return g_str_equal(cpu, "host") || g_str_equal(cpu, "max");
}

/* QEMU lets the last of two settings win, so these win over what libvirt makes of the rest. */
static void
set_arguments(Domain *self)
{
    const MfSpec *spec = self->spec;
    g_autoptr(MfArgv) argv = mf_argv_new("qemu");
    const char *panic_device = mf_platform_get(spec->arch)->panic_device;
    GString *xml = g_string_new(NULL);

    mf_argv_add_many(argv, "-action", "panic=none", NULL);
    add_machine_options(spec, argv);
    if (!is_known_cpu(spec->cpu))
        mf_argv_add_many(argv, "-cpu", spec->cpu, NULL);
    if (spec->arch != MF_ARCH_X86_64 && panic_device)
        mf_argv_add_many(argv, "-device", panic_device, NULL);
    mf_spec_add_rest_to_argv(spec, argv);
    for (const char *const *word = mf_argv_get(argv) + 1; *word; word++)
        add(xml, "\n    <qemu:arg value='%s'/>", *word);
    set(self, "arguments", g_string_free(xml, FALSE));
}

static void
set_cpu(Domain *self)
{
    const char *cpu = self->spec->cpu;
    const char *mode = g_str_equal(cpu, "host")  ? " mode='host-passthrough'"
                       : g_str_equal(cpu, "max") ? " mode='maximum'"
                                                 : "";

    /* CPUs of one socket share a cache, and the kernel warns when they are of different nodes. */
    gboolean has_nodes = self->spec->numa->len > 0;

    set(self, "cpu-mode", g_strdup(mode));
    set(self, "cpus", g_strdup_printf("%u", self->spec->cpus));
    set(self, "sockets", g_strdup_printf("%u", has_nodes ? self->spec->cpus : 1));
    set(self, "cores", g_strdup_printf("%u", has_nodes ? 1 : self->spec->cpus));
}

static void
set_machine(Domain *self)
{
    const MfSpec *spec = self->spec;
    g_autofree char *type = g_strndup(spec->machine, strcspn(spec->machine, ","));
    gboolean is_pc = spec->arch == MF_ARCH_X86_64;

    set_text(self, "type", spec->accel == MF_ACCEL_KVM ? "kvm" : "qemu");
    set_text(self, "machine", type);
    set_text(self, "arch", mf_arch_name(spec->arch));
    set(self, "memory", g_strdup_printf("%" G_GUINT64_FORMAT, spec->memory));
    set(self, "features", g_strdup(is_pc ? "<acpi/><apic/>" : ""));
    set(self, "panic", g_strdup(is_pc ? "\n    <panic model='isa'/>" : ""));
    set(self, "emulator",
        spec->qemu ? g_markup_printf_escaped("\n    <emulator>%s</emulator>", spec->qemu)
                   : g_strdup(""));
    set(self, "serial-address", take_address(self));
}

char *
mf_libvirt_domain_to_xml(const MfSpec *spec, const char *name)
{
    g_autoptr(GHashTable) values = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    g_autoptr(GBytes) text = g_resource_lookup_data(mf_libvirt_templates_get_resource(), TEMPLATE,
                                                    G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    Domain domain = {spec, values, LAST_SLOT};

    set_text(&domain, "name", name);
    set_machine(&domain);
    set_cpu(&domain);
    set_numa(&domain);
    set_tpm(&domain);
    set_boot(&domain);
    set_ports(&domain);
    set_shares(&domain);
    set_arguments(&domain);
    return mf_template_render(g_bytes_get_data(text, NULL), "domain.xml.in", values, NULL);
}

char *
mf_libvirt_domain_make_name(void)
{
    g_autofree char *uuid = g_uuid_string_random();

    return g_strdup_printf("mayfly-%.8s", uuid);
}

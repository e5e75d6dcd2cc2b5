/* SPDX-License-Identifier: Apache-2.0 */
#include "warm/key.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/cache.h"
#include "base/error.h"
#include "base/fd.h"
#include "machine/disk-files.h"
#include "machine/initramfs.h"

#define FORMAT_VERSION "3"

#define NO_FILE "none"

/* On a large host the whole of /proc/cpuinfo is megabytes; the first CPU's part is at its head. */
#define CPUINFO_HEAD 16384

void
mf_warm_facts_clear(MfWarmFacts *self)
{
    g_clear_pointer(&self->guest, g_free);
    g_clear_pointer(&self->qemu, g_free);
    g_clear_pointer(&self->kernel, g_free);
    g_clear_pointer(&self->initramfs, g_free);
    g_clear_pointer(&self->disk, g_free);
    g_clear_pointer(&self->firmware, g_free);
    g_clear_pointer(&self->host_cpu, g_free);
    g_clear_pointer(&self->host_kernel, g_free);
}

/* Whether the first disk is what boots. */
static gboolean
has_image(const MfSpec *spec)
{
    return !spec->kernel && spec->disks->len > 0;
}

/* The command line with a placeholder for whatever may differ between the machine that was saved
 * and the one that is restored. */
static MfArgv *
mask_machine(const MfSpec *spec)
{
    MfSpec plain = *spec;
    g_autofree MfShare *masked = g_new0(MfShare, spec->shares->len);
    g_autoptr(GPtrArray) shares = g_ptr_array_new();
    g_autoptr(GPtrArray) disks = g_ptr_array_new();
    MfFirmware firmware;
    MfDisk image;

    for (guint i = 0; i < spec->shares->len; i++) {
        const MfShare *share = g_ptr_array_index(spec->shares, i);

        masked[i] = (MfShare){share->id, share->tag, (char *)"DIRECTORY", NULL, FALSE};
        g_ptr_array_add(shares, &masked[i]);
    }
    plain.qemu = (char *)"QEMU";
    plain.kernel = spec->kernel ? (char *)"KERNEL" : NULL;
    plain.initrd = spec->initrd ? (char *)"INITRAMFS" : NULL;
    plain.shares = shares;
    if (has_image(spec)) {
        image = *(const MfDisk *)spec->disks->pdata[0];
        image.path = (char *)"IMAGE";
        g_ptr_array_extend(disks, spec->disks, NULL, NULL);
        disks->pdata[0] = &image;
        plain.disks = disks;
    }
    if (spec->firmware) {
        firmware = *spec->firmware;
        firmware.code = (char *)"FIRMWARE";
        firmware.vars = (char *)"VARIABLES";
        plain.firmware = &firmware;
    }
    plain.bios = spec->bios ? (char *)"FIRMWARE" : NULL;
    plain.qmp_socket = NULL;
    plain.virtiofsd = NULL;
    plain.backing = NULL;
    return mf_spec_to_argv(&plain);
}

/* What QEMU inherits from mayfly, which is new with each run. */
#define HANDED "/proc/self/fd/"

/* Whether a word of the masked command line has a path in it, at its beginning or as a value. */
static gboolean
names_file(const char *word)
{
    for (const char *slash = strchr(word, '/'); slash; slash = strchr(slash + 1, '/'))
        if ((slash == word || slash[-1] == '=' || slash[-1] == ',' || slash[-1] == ':') &&
            !g_str_has_prefix(slash, HANDED))
            return TRUE;
    return FALSE;
}

/* Whether the machine has a file of the host in it that has no placeholder: its path would be in
 * the key, but not what it contains. The kernel's command line means paths of the guest, and what
 * the machine says of itself is text. */
static gboolean
has_unknown_files(const MfSpec *spec)
{
    static const char *const of_texts[] = {"-append", "-smbios", NULL};
    g_autoptr(MfArgv) argv = mask_machine(spec);
    const char *const *words = mf_argv_get(argv);

    for (gsize i = 1; words[i]; i++)
        if (!g_strv_contains(of_texts, words[i - 1]) && names_file(words[i]))
            return TRUE;
    return FALSE;
}

/* Of what the machine boots, and finds on its disks. */
static const char *
why_not_boot(const MfSpec *spec)
{
    const MfDisk *image = has_image(spec) ? spec->disks->pdata[0] : NULL;

    if (spec->paused)
        return "what boots with nothing of mayfly's in it says of no point that it is ready at";
    if (!image && !spec->initrd)
        return "without an initramfs the guest mounts its root before it can be saved";
    if (spec->disks->len > (image ? 1 : 0))
        return "what is on a disk can be another thing at the next run";
    if (!image && (spec->firmware || spec->bios))
        return "it is made of files that can be other ones at the next run";
    if (image && image->writable)
        return "the image is to be written to";
    if (image && image->fleeting)
        return "what it boots is made anew for each run";
    if (spec->firmware && spec->firmware->secure)
        return "Secure Boot is there to check each boot";
    return NULL;
}

const char *
mf_warm_why_not(const MfSpec *spec)
{
    const char *why_not;

    if (spec->connect)
        return "a machine of libvirt's has its memory in no file of ours";
    if (spec->tpm != MF_TPM_NONE)
        return "the state of a TPM is in swtpm, which begins anew with each run";
    why_not = why_not_boot(spec);
    if (why_not)
        return why_not;
    if (spec->net != MF_NET_NONE)
        return "the connections of a network cannot be saved";
    if (spec->numa->len > 0)
        return "the memory of NUMA nodes is not in one file";
    if (spec->extra_args && spec->extra_args[0])
        return "arguments for QEMU of one's own may add what cannot be saved";
    if (spec->share_type != MF_SHARE_9P)
        return "the state of a virtiofs share is in its daemon, which cannot be saved";
    if (has_unknown_files(spec))
        return "it is made of files that can be other ones at the next run";
    return NULL;
}

/* NO_FILE for a path of NULL. */
static char *
identify(const char *path, GError **error)
{
    struct stat status;

    if (!path)
        return g_strdup(NO_FILE);
    if (stat(path, &status) == 0)
        return mf_cache_file_id(&status);
    mf_error_set_errno(error, MF_ERROR_HOST, errno, "'%s' cannot be looked at", path);
    return NULL;
}

char *
mf_warm_describe_cpu(const char *cpuinfo)
{
    /* x86's names, ARM's, RISC-V's and s390's. */
    static const char *const lasting[] = {
        "vendor_id",   "cpu family",      "model",        "model name",
        "stepping",    "microcode",       "flags",        "vmx flags",
        "bugs",        "CPU implementer", "Features",     "CPU architecture",
        "CPU variant", "CPU part",        "CPU revision", "isa",
        "mmu",         "uarch",           "features",     NULL,
    };
    g_auto(GStrv) lines = g_strsplit(cpuinfo, "\n", -1);
    g_autoptr(GString) text = g_string_new(NULL);

    for (char **line = lines; *line && !(text->len > 0 && **line == '\0'); line++) {
        g_auto(GStrv) pair = g_strsplit(*line, ":", 2);

        if (pair[0] && g_strv_contains(lasting, g_strchomp(pair[0])))
            g_string_append_printf(text, "%s\n", *line);
    }
    return mf_cache_key(text->str, NULL);
}

static char *
describe_host_cpu(void)
{
    mf_autofd fd = open("/proc/cpuinfo", O_RDONLY | O_CLOEXEC);
    g_autofree char *head = g_malloc0(CPUINFO_HEAD + 1);

    if (fd >= 0 && read(fd, head, CPUINFO_HEAD) < 0)
        head[0] = '\0';
    return mf_warm_describe_cpu(head);
}

static char *
identify_disk(const MfSpec *spec, GError **error)
{
    g_auto(MfDiskFiles) files = {0};

    if (!has_image(spec))
        return g_strdup(NO_FILE);
    if (!mf_disk_files_find(spec->disks->pdata[0], &files, error))
        return NULL;
    return g_steal_pointer(&files.identity);
}

static char *
identify_firmware(const MfSpec *spec, GError **error)
{
    g_autofree char *code = NULL;
    g_autofree char *vars = NULL;

    if (!spec->firmware)
        return identify(spec->bios, error);
    code = identify(spec->firmware->code, error);
    vars = code ? identify(spec->firmware->original_vars, error) : NULL;
    return vars ? g_strdup_printf("%s %s", code, vars) : NULL;
}

static gboolean
identify_files(const MfSpec *spec, MfWarmFacts *facts, GError **error)
{
    facts->qemu = identify(spec->qemu, error);
    if (facts->qemu)
        facts->kernel = identify(spec->kernel, error);
    if (facts->kernel)
        facts->initramfs = identify(spec->initrd, error);
    if (facts->initramfs)
        facts->disk = identify_disk(spec, error);
    if (facts->disk)
        facts->firmware = identify_firmware(spec, error);
    return facts->firmware != NULL;
}

gboolean
mf_warm_facts_gather(const MfSpec *spec, MfWarmFacts *ret_facts, GError **error)
{
    g_autoptr(GBytes) guest = mf_initramfs_guest_hash(spec->arch, NULL);
    g_auto(MfWarmFacts) facts = {0};
    struct utsname host;

    if (!identify_files(spec, &facts, error))
        return FALSE;

    facts.guest = guest ? g_strndup(g_bytes_get_data(guest, NULL), g_bytes_get_size(guest))
                        : g_strdup(NO_FILE);
    g_strchomp(facts.guest);
    facts.host_cpu = describe_host_cpu();
    uname(&host);
    facts.host_kernel = spec->accel == MF_ACCEL_KVM
                            ? g_strdup_printf("%s %s", host.release, host.version)
                            : g_strdup("any");
    *ret_facts = facts;
    memset(&facts, 0, sizeof(facts));
    return TRUE;
}

MfWarmKey *
mf_warm_key_new(const MfSpec *spec, const MfWarmFacts *facts)
{
    MfWarmKey *self = g_new0(MfWarmKey, 1);
    g_autoptr(MfArgv) argv = mask_machine(spec);
    g_autofree char *machine = mf_argv_to_lines(argv);

    self->text =
        g_strdup_printf("format " FORMAT_VERSION "\n"
                        "guest %s\n"
                        "qemu %s\n"
                        "kernel %s\n"
                        "initramfs %s\n"
                        "disk %s\n"
                        "firmware %s\n"
                        "host-cpu %s\n"
                        "host-kernel %s\n"
                        "machine %s\n",
                        facts->guest, facts->qemu, facts->kernel, facts->initramfs, facts->disk,
                        facts->firmware, facts->host_cpu, facts->host_kernel, machine);
    self->id = g_compute_checksum_for_string(G_CHECKSUM_SHA256, self->text, -1);
    return self;
}

MfWarmKey *
mf_warm_key_find(const MfSpec *spec, GError **error)
{
    g_auto(MfWarmFacts) facts = {0};

    return mf_warm_facts_gather(spec, &facts, error) ? mf_warm_key_new(spec, &facts) : NULL;
}

void
mf_warm_key_free(MfWarmKey *self)
{
    if (!self)
        return;
    g_free(self->text);
    g_free(self->id);
    g_free(self);
}

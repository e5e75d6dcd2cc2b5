/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/doctor-facts.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/cache.h"
#include "base/error.h"
#include "machine/catalog.h"
#include "machine/firmware.h"
#include "machine/http.h"
#include "machine/initramfs.h"
#include "machine/kernel.h"
#include "machine/lazy-archive.h"
#include "machine/libvirt.h"
#include "machine/tool.h"
#include "machine/tpm.h"
#include "machine/virtiofsd.h"

/* A kernel that was never looked through is unpacked for it: of those, only as many as there is
 * time for. */
#define KERNELS_TIME_US (300 * 1000)

/* A QEMU that has not said its version by then hangs. */
#define QEMU_TIMEOUT_S 5

typedef struct {
    MfDoctorFacts *facts; /* owned */
    guint pending;        /* questions without an answer yet; and one, until all were asked */
    GCancellable *asking; /* owned; of these */
    guint timeout_id;
} Gathering;

/* Something that one QEMU is asked. */
typedef struct {
    GTask *task; /* owned */
    MfArch arch;
} Question;

static void
gathering_free(gpointer data)
{
    Gathering *self = data;

    if (self->timeout_id)
        g_source_remove(self->timeout_id);
    mf_doctor_facts_free(self->facts);
    g_object_unref(self->asking);
    g_free(self);
}

char *
mf_doctor_parse_version(const char *output)
{
    static const char prefix[] = "QEMU emulator version ";
    const char *start = strstr(output, prefix);

    if (!start)
        return NULL;
    start += sizeof(prefix) - 1;

    gsize length = strspn(start, "0123456789.");
    return length > 0 ? g_strndup(start, length) : NULL;
}

gboolean
mf_doctor_has_9p(const char *output)
{
    return strstr(output, "name \"virtio-9p-") != NULL;
}

static void
examine_kernel(MfDoctorKernel *self, const char *image)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MfKernel) kernel = mf_kernel_open(image, &error);

    if (kernel && !mf_kernel_check(kernel, MF_KERNEL_NEEDS_9P | MF_KERNEL_NEEDS_OVERLAY, &error))
        self->needs_daemon =
            mf_kernel_check(kernel, MF_KERNEL_NEEDS_VIRTIOFS | MF_KERNEL_NEEDS_OVERLAY, NULL);
    if (error && !self->needs_daemon)
        self->problem = g_strdup(error->message);
}

/* 'name' is what '-k' takes for this image. */
static void
add_kernel(MfDoctorFacts *facts, const char *name, const char *image, gint64 deadline)
{
    MfDoctorKernel *kernel = mf_doctor_kernel_new(name);

    kernel->unexamined = g_get_monotonic_time() > deadline;
    if (!kernel->unexamined)
        examine_kernel(kernel, image);
    g_ptr_array_add(facts->kernels, kernel);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strverscmp(*(const char *const *)b, *(const char *const *)a);
}

/* The images in the host's /boot, the newest first. */
static GPtrArray *
list_boot(const char *root)
{
    g_autofree char *path = g_build_filename(root, "boot", NULL);
    g_autoptr(GDir) directory = g_dir_open(path, 0, NULL);
    GPtrArray *images = g_ptr_array_new_with_free_func(g_free);
    const char *name;

    while (directory && (name = g_dir_read_name(directory)))
        if (g_str_has_prefix(name, "vmlinuz-"))
            g_ptr_array_add(images, g_build_filename(path, name, NULL));
    g_ptr_array_sort(images, compare_names);
    return images;
}

/* 'name' is its name in the catalog, or NULL for one that is not there. */
static void
take_default(MfDoctorFacts *facts, const char *name, const char *image)
{
    facts->default_kernel = mf_doctor_kernel_new(name ? name : image);
    examine_kernel(facts->default_kernel, image);
}

/* The name of the entry with this image. Borrowed; NULL when there is none. */
static const char *
find_name(const GPtrArray *entries, const char *image)
{
    for (guint i = 0; entries && i < entries->len; i++) {
        const MfCatalogEntry *entry = entries->pdata[i];

        if (g_str_equal(entry->image, image))
            return entry->name;
    }
    return NULL;
}

static void
find_kernels(MfDoctorFacts *facts, const char *root)
{
    gint64 deadline = g_get_monotonic_time() + KERNELS_TIME_US;
    g_autoptr(GError) error = NULL;
    g_autofree char *image = mf_catalog_default_kernel(facts->arch, &error);
    g_autoptr(GPtrArray) boot = list_boot(root);
    g_autoptr(GPtrArray) entries = mf_catalog_list(NULL);

    if (image)
        take_default(facts, find_name(entries, image), image);
    else
        facts->no_default = g_strdup(error->message);
    for (guint i = 0; entries && i < entries->len; i++) {
        const MfCatalogEntry *entry = entries->pdata[i];

        if (entry->arch == facts->arch && g_strcmp0(entry->image, image) != 0)
            add_kernel(facts, entry->name, entry->image, deadline);
    }
    for (guint i = 0; i < boot->len; i++)
        if (g_strcmp0(boot->pdata[i], image) != 0)
            add_kernel(facts, boot->pdata[i], boot->pdata[i], deadline);
}

static void
find_guests(MfDoctorFacts *facts)
{
    for (MfArch arch = 0; arch < MF_N_ARCHS; arch++) {
        g_autofree char *name = g_strconcat(MF_INITRAMFS_GUEST_RESOURCE, mf_arch_name(arch), NULL);

        facts->guests[arch] =
            g_resources_get_info(name, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL, NULL, NULL);
    }
}

static void
find_parts(MfDoctorFacts *facts, const char *root)
{
    g_autofree char *prefix = g_str_equal(root, "/") ? g_strdup("") : g_strdup(root);
    g_autoptr(MfFirmware) firmware =
        mf_firmware_find(prefix, facts->arch, MF_SECURE_BOOT_OFF, NULL, NULL);
    g_autoptr(GError) unsecured = NULL;
    g_autoptr(MfFirmware) secured =
        mf_firmware_find(prefix, facts->arch, MF_SECURE_BOOT_MS, NULL, &unsecured);
    g_autoptr(GError) no_swtpm = NULL;
    g_autoptr(GError) error = NULL;

    if (firmware)
        facts->uefi = g_strdup(firmware->code);
    /* An architecture that has no Secure Boot is no fault of the host's. */
    facts->has_secure_boot = !g_error_matches(unsecured, MF_ERROR, MF_ERROR_CONFIG);
    if (secured)
        facts->secure_boot = g_strdup(secured->code);
    facts->virtiofsd = mf_virtiofsd_find(&error);
    if (error)
        facts->no_virtiofsd = g_strdup(error->message);
    facts->swtpm = mf_tpm_find(&no_swtpm);
    if (no_swtpm)
        facts->no_swtpm = g_strdup(no_swtpm->message);
}

/* Those that are loaded when they are first needed, and of which the link says nothing. */
static void
find_libraries(MfDoctorFacts *facts)
{
    g_autoptr(GError) no_archive = NULL;
    g_autoptr(GError) no_curl = NULL;
    g_autoptr(MfHttp) http = mf_http_new(&no_curl);

    if (!mf_lazy_archive_load(&no_archive))
        facts->no_libarchive = g_strdup(no_archive->message);
    if (!http)
        facts->no_libcurl = g_strdup(no_curl->message);
}

static void
find_libvirt(MfDoctorFacts *facts)
{
    static const char *const daemons[] = {"libvirtd", "virtqemud"};
    g_autoptr(GError) error = NULL;

    facts->has_libvirt = mf_libvirt_is_built_in();
    if (facts->has_libvirt && !mf_libvirt_load(&error))
        facts->no_libvirt = g_strdup(error->message);
    for (gsize i = 0; i < G_N_ELEMENTS(daemons) && !facts->libvirt_daemon; i++)
        facts->libvirt_daemon = mf_tool_find(daemons[i]);
}

static void
find_cache(MfDoctorFacts *facts)
{
    g_autoptr(GError) error = NULL;
    struct statvfs room;

    facts->cache = mf_cache_dir(NULL, &error);
    if (!facts->cache)
        facts->no_cache = g_strdup(error->message);
    else if (access(facts->cache, W_OK | X_OK) < 0)
        facts->no_cache = g_strdup_printf("Nothing can be written to the cache directory '%s': %s.",
                                          facts->cache, g_strerror(errno));
    else if (statvfs(facts->cache, &room) == 0)
        facts->cache_free = (guint64)room.f_bavail * room.f_frsize;
}

/* After the last QEMU's answer, and once before the first. */
static void
count_down(GTask *task)
{
    Gathering *self = g_task_get_task_data(task);

    if (--self->pending == 0)
        g_task_return_pointer(task, g_steal_pointer(&self->facts),
                              (GDestroyNotify)mf_doctor_facts_free);
}

static void
on_version(GObject *source, GAsyncResult *result, gpointer data)
{
    Question *question = data;
    g_autoptr(GTask) task = question->task;
    Gathering *self = g_task_get_task_data(task);
    MfDoctorQemu *qemu = &self->facts->qemus[question->arch];
    g_autoptr(GError) error = NULL;
    g_autofree char *output = mf_tool_run_finish(result, &error);

    if (output)
        qemu->version = mf_doctor_parse_version(output);
    if (g_error_matches(error, MF_ERROR, MF_ERROR_CANCELLED))
        qemu->complaint =
            g_strdup_printf("'%s --version' did not end within %d s.", qemu->path, QEMU_TIMEOUT_S);
    else if (error)
        qemu->complaint = g_strdup(error->message);
    else if (!qemu->version)
        qemu->complaint =
            g_strdup_printf("'%s --version' does not answer as QEMU does.", qemu->path);
    g_free(question);
    count_down(task);
}

/* Of one that does not answer this, nothing is said. */
static void
on_devices(GObject *source, GAsyncResult *result, gpointer data)
{
    Question *question = data;
    g_autoptr(GTask) task = question->task;
    Gathering *self = g_task_get_task_data(task);
    g_autofree char *output = mf_tool_run_finish(result, NULL);

    self->facts->no_9p = output && !mf_doctor_has_9p(output);
    g_free(question);
    count_down(task);
}

/* 'words' is NULL-terminated. */
static void
ask(GTask *task, MfArch arch, const char *const *words, GAsyncReadyCallback on_answer)
{
    Gathering *self = g_task_get_task_data(task);
    const char *path = self->facts->qemus[arch].path;
    g_autoptr(MfArgv) argv = mf_argv_new(path);
    Question *question = g_new0(Question, 1);

    for (; *words; words++)
        mf_argv_add(argv, *words);
    question->task = g_object_ref(task);
    question->arch = arch;
    self->pending++;
    mf_tool_run_async(path, argv, NULL, NULL, self->asking, on_answer, question);
}

static void
ask_qemu(GTask *task, MfArch arch)
{
    static const char *const version[] = {"--version", NULL};
    static const char *const devices[] = {"-device", "help", NULL};
    MfDoctorFacts *facts = ((Gathering *)g_task_get_task_data(task))->facts;

    facts->qemus[arch].path = mf_host_find_qemu(NULL, arch, NULL);
    if (!facts->qemus[arch].path)
        return;
    ask(task, arch, version, on_version);
    if (arch == facts->arch)
        ask(task, arch, devices, on_devices);
}

static gboolean
on_timeout(gpointer data)
{
    Gathering *self = data;

    self->timeout_id = 0;
    g_cancellable_cancel(self->asking);
    return G_SOURCE_REMOVE;
}

void
mf_doctor_facts_gather_async(const char *root, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    Gathering *self = g_new0(Gathering, 1);

    g_task_set_source_tag(task, mf_doctor_facts_gather_async);
    g_task_set_task_data(task, self, gathering_free);
    self->facts = mf_doctor_facts_new();
    self->asking = g_cancellable_new();
    self->pending = 1;
    for (MfArch arch = 0; arch < MF_N_ARCHS; arch++)
        ask_qemu(task, arch);
    self->timeout_id = g_timeout_add_seconds(QEMU_TIMEOUT_S, on_timeout, self);

    /* While they start. */
    self->facts->distro = mf_distro_detect(root);
    mf_host_probe_kvm(&self->facts->kvm);
    find_guests(self->facts);
    find_parts(self->facts, root);
    find_cache(self->facts);
    find_kernels(self->facts, root);
    find_libraries(self->facts);
    find_libvirt(self->facts);
    count_down(task);
}

MfDoctorFacts *
mf_doctor_facts_gather_finish(GAsyncResult *result)
{
    return g_task_propagate_pointer(G_TASK(result), NULL);
}

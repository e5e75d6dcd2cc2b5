/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/apt.h"

#include <string.h>

#include "base/error.h"
#include "machine/arch.h"
#include "machine/tool.h"

#define IMAGE_PREFIX "linux-image-"

/* A meta package may name another; more in a row is a circle. */
#define HOPS_MAX 4

/* So many kernels are named when the wanted one is not there. */
#define OFFERED_MAX 12

/* How a distribution ends the names of its kernels. */
typedef struct {
    const char *id;          /* as in os-release */
    const char *generic;     /* NULL: by the architecture */
    gboolean flavour_before; /* "cloud-amd64", where the other has "lowlatency" */
} Distribution;

static const Distribution distributions[] = {
    {"debian", NULL, TRUE},
    {"ubuntu", "generic", FALSE},
};

static const char *
get_generic(const Distribution *self)
{
    return self->generic ? self->generic : mf_arch_package_name(mf_arch_native());
}

typedef struct {
    const Distribution *distribution;
    char *wanted;          /* owned; what follows the slash, NULL for nothing */
    char *package;         /* owned; the one being looked up */
    GPtrArray *companions; /* owned; packages that hold modules */
    guint hops;
    gboolean listed; /* 'package' came from apt's list */
} Resolution;

typedef struct {
    char *directory; /* owned */
    guint n_packages;
    MfAptProgressFunc progress;
    gpointer progress_data;
} Download;

void
mf_apt_kernel_free(MfAptKernel *self)
{
    if (!self)
        return;
    g_free(self->distribution);
    g_free(self->release);
    g_free(self->version);
    g_strfreev(self->packages);
    g_free(self);
}

static void
resolution_free(Resolution *self)
{
    g_ptr_array_unref(self->companions);
    g_free(self->wanted);
    g_free(self->package);
    g_free(self);
}

static void
download_free(Download *self)
{
    g_free(self->directory);
    g_free(self);
}

/* apt's messages in one language: its errors are searched for what they mean. */
static MfArgv *
apt_argv(const char *program, const char *directory)
{
    MfArgv *argv = mf_argv_new("env");

    if (directory)
        mf_argv_add_many(argv, "-C", directory, NULL);
    mf_argv_add_many(argv, "LC_ALL=C", program, NULL);
    return argv;
}

/* What apt says of a failure is in its lines with "E:"; the others warn of what did not matter. */
static char *
errors_of(const char *message)
{
    g_auto(GStrv) lines = g_strsplit(message, "\n", -1);
    g_autoptr(GString) errors = g_string_new(NULL);

    for (char **line = lines; *line; line++) {
        char *mark = strstr(*line, "E: ");

        if (mark)
            g_string_append_printf(errors, "%s%s", errors->len ? "; " : "", g_strchomp(mark + 3));
    }
    return errors->len ? g_string_free(g_steal_pointer(&errors), FALSE) : NULL;
}

/* A failure of apt in its own words, with what to do about the usual one. */
static GError *
explain(GError *failure, const char *doing)
{
    g_autoptr(GError) owned = failure;
    g_autofree char *errors = errors_of(owned->message);
    gboolean outdated = errors && strstr(errors, "404");

    if (owned->domain != MF_ERROR || owned->code != MF_ERROR_REMOTE)
        return g_steal_pointer(&owned);
    return g_error_new(MF_ERROR, MF_ERROR_REMOTE, "apt could not %s: %s.%s", doing,
                       errors ? errors : owned->message,
                       outdated ? " The package index is out of date: run 'apt-get update' as root "
                                  "and try again."
                                : "");
}

/* The value of a field of the first stanza of apt-cache's answer; NULL when it is not there.
 * Owned by the caller. */
static char *
stanza_field(const char *text, const char *name)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    for (char **line = lines; *line && **line; line++) {
        gsize length = strlen(name);

        if (strncmp(*line, name, length) == 0 && (*line)[length] == ':')
            return g_strdup(g_strstrip(*line + length + 1));
    }
    return NULL;
}

/* The names in a Depends field, the first of alternatives, without versions. */
static char **
dependency_names(const char *depends)
{
    char **names = g_strsplit(depends ? depends : "", ",", -1);

    for (char **name = names; *name; name++) {
        g_strstrip(*name);
        (*name)[strcspn(*name, " (|:")] = '\0';
    }
    return names;
}

static const char *
release_of(const char *package)
{
    return package + strlen(IMAGE_PREFIX);
}

/* Keeps what a stanza says of companions, and returns the image's package that a meta package
 * stands for, NULL for a package that is an image itself. Owned by the caller. */
static char *
follow_dependencies(Resolution *self, const char *stanza)
{
    static const char *const companions[] = {"linux-modules-", "linux-binary-"};
    g_autofree char *depends = stanza_field(stanza, "Depends");
    g_auto(GStrv) names = dependency_names(depends);
    char *image = NULL;

    for (char **name = names; *name; name++) {
        if (!image && g_str_has_prefix(*name, IMAGE_PREFIX))
            image = g_strdup(*name);
        for (gsize i = 0; i < G_N_ELEMENTS(companions); i++)
            if (g_str_has_prefix(*name, companions[i]) &&
                !g_ptr_array_find_with_equal_func(self->companions, *name, g_str_equal, NULL))
                g_ptr_array_add(self->companions, g_strdup(*name));
    }
    return image;
}

static MfAptKernel *
conclude(Resolution *self, char *version)
{
    MfAptKernel *kernel = g_new0(MfAptKernel, 1);
    g_autoptr(GStrvBuilder) packages = g_strv_builder_new();

    g_strv_builder_add(packages, self->package);
    for (guint i = 0; i < self->companions->len; i++)
        g_strv_builder_add(packages, self->companions->pdata[i]);
    kernel->packages = g_strv_builder_end(packages);
    kernel->distribution = g_strdup(self->distribution->id);
    kernel->release = g_strdup(release_of(self->package));
    kernel->version = version;
    return kernel;
}

static void look_up(GTask *task);
static void list_kernels(GTask *task);

static void
on_shown(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    Resolution *self = g_task_get_task_data(task);
    GError *error = NULL;
    g_autofree char *stanza = mf_tool_run_finish(result, &error);
    g_autofree char *version = stanza ? stanza_field(stanza, "Version") : NULL;

    /* apt-cache fails for a name it does not know; what it does know is in its list. */
    if (!version && !self->listed &&
        (!error || g_error_matches(error, MF_ERROR, MF_ERROR_REMOTE))) {
        g_clear_error(&error);
        list_kernels(g_steal_pointer(&task));
        return;
    }
    if (!version) {
        if (!error)
            error = g_error_new(MF_ERROR, MF_ERROR_REMOTE, "apt lists '%s' but cannot show it.",
                                self->package);
        g_task_return_error(task, explain(error, "look up the kernel"));
        return;
    }

    g_autofree char *image = follow_dependencies(self, stanza);
    if (image && ++self->hops > HOPS_MAX) {
        g_task_return_new_error(task, MF_ERROR, MF_ERROR_REMOTE,
                                "apt has no kernel for 'linux-image-%s': '%s' and others name each "
                                "other.",
                                self->wanted ? self->wanted : get_generic(self->distribution),
                                image);
        return;
    }
    if (image) {
        g_free(self->package);
        self->package = g_steal_pointer(&image);
        look_up(g_steal_pointer(&task));
        return;
    }
    g_task_return_pointer(task, conclude(self, g_steal_pointer(&version)),
                          (GDestroyNotify)mf_apt_kernel_free);
}

/* Both take the task. */
static void
look_up(GTask *task)
{
    Resolution *self = g_task_get_task_data(task);
    g_autoptr(MfArgv) argv = apt_argv("apt-cache", NULL);

    mf_argv_add_many(argv, "--no-all-versions", "show", self->package, NULL);
    mf_tool_run_async("apt-cache", argv, NULL, NULL, g_task_get_cancellable(task), on_shown, task);
}

/* "6.1.0-56" of "6.1.0-56-amd64": what is before the generic ending. NULL for other flavours, whose
 * names go on with a letter after a dash, and for the meta packages of a series, such as
 * "6.12-amd64". Owned by the caller. */
static char *
generic_version(const Distribution *distribution, const char *release)
{
    g_autofree char *ending = g_strconcat("-", get_generic(distribution), NULL);

    if (!g_ascii_isdigit(*release) || !g_str_has_suffix(release, ending))
        return NULL;

    g_autofree char *version = g_strndup(release, strlen(release) - strlen(ending));
    for (const char *dash = strchr(version, '-'); dash; dash = strchr(dash + 1, '-'))
        if (!g_ascii_isdigit(dash[1]))
            return NULL;

    const char *dot = strchr(version, '.');
    return dot && strchr(dot + 1, '.') ? g_steal_pointer(&version) : NULL;
}

/* Whether 'version' is 'start', or goes on from there with another number. */
static gboolean
starts_with(const char *version, const char *start)
{
    return g_str_has_prefix(version, start) && !g_ascii_isalnum(version[strlen(start)]);
}

static int
compare_newest_first(gconstpointer a, gconstpointer b)
{
    return strverscmp(*(const char *const *)b, *(const char *const *)a);
}

/* The releases of the distribution's generic kernels in the list of apt-cache, newest first. */
static GPtrArray *
generic_releases(const Distribution *distribution, const char *list)
{
    GPtrArray *releases = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) lines = g_strsplit(list, "\n", -1);

    for (char **line = lines; *line; line++) {
        (*line)[strcspn(*line, " ")] = '\0';
        if (!g_str_has_prefix(*line, IMAGE_PREFIX))
            continue;

        g_autofree char *version = generic_version(distribution, release_of(*line));
        if (version)
            g_ptr_array_add(releases, g_strdup(release_of(*line)));
    }
    g_ptr_array_sort(releases, compare_newest_first);
    return releases;
}

static GError *
no_such_kernel(Resolution *self, GPtrArray *releases)
{
    g_autoptr(GString) offered = g_string_new(NULL);

    if (releases->len == 0)
        return g_error_new(MF_ERROR, MF_ERROR_HOST,
                           "apt's package index has no kernel: run 'apt-get update' as root and "
                           "try again.");
    for (guint i = 0; i < MIN(releases->len, OFFERED_MAX); i++)
        g_string_append_printf(offered, "%s%s", i ? ", " : "", (char *)releases->pdata[i]);
    return g_error_new(MF_ERROR, MF_ERROR_CONFIG,
                       "apt knows no kernel '%s%s%s': it has %s%s ('apt-get update' may bring "
                       "newer ones).",
                       self->distribution->id, self->wanted ? "/" : "",
                       self->wanted ? self->wanted : "", offered->str,
                       releases->len > OFFERED_MAX ? " and older ones" : "");
}

static void
on_listed(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    Resolution *self = g_task_get_task_data(task);
    GError *error = NULL;
    g_autofree char *list = mf_tool_run_finish(result, &error);

    if (!list) {
        g_task_return_error(task, explain(error, "list the kernels"));
        return;
    }
    g_autoptr(GPtrArray) releases = generic_releases(self->distribution, list);
    for (guint i = 0; self->wanted && i < releases->len; i++) {
        if (!starts_with(releases->pdata[i], self->wanted))
            continue;
        g_free(self->package);
        self->package = g_strconcat(IMAGE_PREFIX, releases->pdata[i], NULL);
        self->listed = TRUE;
        look_up(g_steal_pointer(&task));
        return;
    }
    g_task_return_error(task, no_such_kernel(self, releases));
}

static void
list_kernels(GTask *task)
{
    g_autoptr(MfArgv) argv = apt_argv("apt-cache", NULL);

    mf_argv_add_many(argv, "--names-only", "search", "^" IMAGE_PREFIX, NULL);
    mf_tool_run_async("apt-cache", argv, NULL, NULL, g_task_get_cancellable(task), on_listed, task);
}

static const Distribution *
find_distribution(const char *id)
{
    for (gsize i = 0; id && i < G_N_ELEMENTS(distributions); i++)
        if (g_str_equal(distributions[i].id, id))
            return &distributions[i];
    return NULL;
}

/* apt fetches this host's distribution only. */
static gboolean
check_host(const Distribution *distribution, GError **error)
{
    g_autofree char *id = g_get_os_info(G_OS_INFO_KEY_ID);
    const Distribution *host = find_distribution(id);
    g_autofree char *client = g_find_program_in_path("apt-get");

    if (!client) {
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "This host has no apt-get, with which '%s' kernels are fetched: download the "
                    "kernel's packages with this distribution's client, and add the files with "
                    "'mayfly kernel add'.",
                    distribution->id);
        return FALSE;
    }
    if (host && host != distribution) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "apt on this host fetches the kernels of '%s', not of '%s': use 'mayfly kernel "
                    "pull %s'.",
                    host->id, distribution->id, host->id);
        return FALSE;
    }
    return TRUE;
}

static gboolean
parse_what(Resolution *self, const char *what, GError **error)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  ".+~_-";
    g_auto(GStrv) parts = g_strsplit(what, "/", 2);
    const char *wanted = parts[0] ? parts[1] : NULL;

    self->distribution = find_distribution(parts[0]);
    if (!self->distribution ||
        (wanted && (!g_ascii_isalnum(*wanted) || wanted[strspn(wanted, allowed)]))) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' names no kernel to fetch: expected debian or ubuntu, alone or with a "
                    "flavour or release (debian, debian/cloud, debian/6.1), or "
                    "ubuntu-mainline/vX.Y, or oci://REGISTRY/NAME:TAG.",
                    what);
        return FALSE;
    }
    self->wanted = g_strdup(wanted);

    g_autofree char *flavour = NULL;
    if (!wanted)
        wanted = get_generic(self->distribution);
    else if (g_ascii_isalpha(*wanted) && self->distribution->flavour_before)
        wanted = flavour = g_strconcat(wanted, "-", get_generic(self->distribution), NULL);
    self->package = g_strconcat(IMAGE_PREFIX, wanted, NULL);
    return TRUE;
}

void
mf_apt_resolve_async(const char *what, GCancellable *cancellable, GAsyncReadyCallback callback,
                     gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user_data);
    Resolution *self = g_new0(Resolution, 1);
    GError *error = NULL;

    self->companions = g_ptr_array_new_with_free_func(g_free);
    g_task_set_check_cancellable(task, FALSE); /* the tool says it, in our words */
    g_task_set_task_data(task, self, (GDestroyNotify)resolution_free);
    if (!parse_what(self, what, &error) || !check_host(self->distribution, &error)) {
        g_task_return_error(task, error);
        return;
    }
    look_up(g_steal_pointer(&task));
}

MfAptKernel *
mf_apt_resolve_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

/* "dlstatus:1:12.34:Retrieving file 1 of 1": the third is the percentage of the whole. */
static void
on_status(const char *line, gpointer data)
{
    Download *self = data;
    g_auto(GStrv) fields = g_strsplit(line, ":", 4);

    if (self->progress && g_strv_length(fields) == 4 && g_str_equal(fields[0], "dlstatus"))
        self->progress(CLAMP(g_ascii_strtod(fields[2], NULL) / 100, 0, 1), self->progress_data);
}

static void
on_downloaded(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(GTask) task = data;
    Download *self = g_task_get_task_data(task);
    GError *error = NULL;
    g_autofree char *output = mf_tool_run_finish(result, &error);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) directory = output ? g_dir_open(self->directory, 0, NULL) : NULL;
    const char *name;

    if (!output) {
        g_task_return_error(task, explain(error, "fetch the kernel"));
        return;
    }
    while (directory && (name = g_dir_read_name(directory)))
        if (g_str_has_suffix(name, ".deb"))
            g_ptr_array_add(files, g_build_filename(self->directory, name, NULL));
    if (files->len != self->n_packages) {
        g_task_return_new_error(task, MF_ERROR, MF_ERROR_REMOTE,
                                "apt-get reported success but left %u packages where %u were "
                                "asked for.",
                                files->len, self->n_packages);
        return;
    }
    g_task_return_pointer(task, g_steal_pointer(&files), (GDestroyNotify)g_ptr_array_unref);
}

void
mf_apt_download_async(const MfAptKernel *kernel, const char *directory, MfAptProgressFunc progress,
                      gpointer progress_data, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, cancellable, callback, user_data);
    g_autoptr(MfArgv) argv = apt_argv("apt-get", directory);
    Download *self = g_new0(Download, 1);

    self->directory = g_strdup(directory);
    self->n_packages = g_strv_length(kernel->packages);
    self->progress = progress;
    self->progress_data = progress_data;
    g_task_set_check_cancellable(task, FALSE);
    g_task_set_task_data(task, self, (GDestroyNotify)download_free);

    mf_argv_add_many(argv, "-q", "-o", NULL);
    mf_argv_addf(argv, "APT::Status-Fd=%d", MF_TOOL_STATUS_FD);
    mf_argv_add(argv, "download");
    mf_argv_addf(argv, "%s=%s", kernel->packages[0], kernel->version);
    mf_argv_add_strv(argv, (const char *const *)kernel->packages + 1);
    mf_tool_run_async("apt-get", argv, on_status, self, cancellable, on_downloaded,
                      g_steal_pointer(&task));
}

GPtrArray *
mf_apt_download_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_pointer(G_TASK(result), error);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "run/target.h"

#include <unistd.h>

#include <string.h>

#include "base/error.h"
#include "base/parse.h"

/* Of Linux, and of a label in RFC 1123. */
#define HOSTNAME_MAX       64
#define HOSTNAME_LABEL_MAX 63

static const char *const root_modes[] = {"overlay", "ro", "rw", NULL};
static const char *const inits[] = {"agent", "script", NULL};
static const char *const caches[] = {"default", "none", "mmap", "loose", "fscache", NULL};

const char *
mf_root_mode_name(MfRootMode mode)
{
    return root_modes[mode];
}

gboolean
mf_root_mode_parse(const char *text, MfRootMode *ret_mode, GError **error)
{
    guint index;

    if (!mf_parse_choice(text, "a root mode", root_modes, &index, error))
        return FALSE;
    *ret_mode = (MfRootMode)index;
    return TRUE;
}

const char *
mf_init_name(MfInit init)
{
    return inits[init];
}

gboolean
mf_init_parse(const char *text, MfInit *ret_init, GError **error)
{
    guint index;

    if (!mf_parse_choice(text, "an init", inits, &index, error))
        return FALSE;
    *ret_init = (MfInit)index;
    return TRUE;
}

static gboolean
is_label(const char *text)
{
    gsize length = strlen(text);

    return length > 0 && length <= HOSTNAME_LABEL_MAX && text[0] != '-' &&
           text[length - 1] != '-' &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

gboolean
mf_kernel_args_have(const char *kernel_args, const char *word)
{
    g_auto(GStrv) words = g_strsplit_set(kernel_args ? kernel_args : "", " \t\n", 0);

    return g_strv_contains((const char *const *)words, word);
}

gboolean
mf_target_check_hostname(const char *name, GError **error)
{
    g_auto(GStrv) labels = g_strsplit(name, ".", -1);
    gboolean good = *name && strlen(name) <= HOSTNAME_MAX;

    for (char **label = labels; *label; label++)
        good = good && is_label(*label);
    if (!good)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is not a host name: expected at most 64 lowercase letters, digits, "
                    "hyphens and dots, with no hyphen or dot at an end or beside a dot.",
                    name);
    return good;
}

gboolean
mf_target_check_user(const char *user, GError **error)
{
    const char *colon = strchr(user, ':');
    gboolean good = *user && colon != user && !(colon && (!colon[1] || strchr(colon + 1, ':')));

    for (const char *c = user; *c; c++)
        good = good && !g_ascii_isspace(*c) && !g_ascii_iscntrl(*c);
    if (good)
        return TRUE;

    g_autofree char *shown = g_strescape(user, NULL);
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "'%s' is not a user: expected USER or USER:GROUP, names or numbers.", shown);
    return FALSE;
}

gboolean
mf_target_check_kernel_args(const char *arguments, GError **error)
{
    for (const char *c = arguments; *c; c++) {
        if (!g_ascii_iscntrl(*c) || *c == '\t')
            continue;

        g_autofree char *shown = g_strescape(arguments, NULL);
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The kernel arguments '%s' are not one line: the kernel's command line has no "
                    "line breaks and no other control characters.",
                    shown);
        return FALSE;
    }
    return TRUE;
}

const char *
mf_9p_cache_name(Mf9pCache cache)
{
    return caches[cache];
}

gboolean
mf_9p_cache_parse(const char *text, Mf9pCache *ret_cache, GError **error)
{
    guint index;

    if (!mf_parse_choice(text, "a 9p cache mode", caches, &index, error))
        return FALSE;
    *ret_cache = (Mf9pCache)index;
    return TRUE;
}

void
mf_target_set_image(MfTarget *self, const char *image, MfMedium medium)
{
    static const char *const plain[] = {
        "HOME=/root",
        "LOGNAME=root",
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:"
        "/run/current-system/sw/bin", /* of NixOS */
        "USER=root",
        NULL,
    };
    const char *term = g_environ_getenv(self->env, "TERM");
    char **env = g_strdupv((char **)plain);

    if (term)
        env = g_environ_setenv(env, "TERM", term, TRUE);
    g_strfreev(self->env);
    self->env = env;
    g_free(self->image);
    self->image = g_canonicalize_filename(image, NULL);
    self->medium = medium;
}

void
mf_target_settle(MfTarget *self)
{
    gboolean has_initramfs = self->bare ? self->initramfs != NULL : !self->no_initramfs;

    if (self->tpm != MF_TPM_NONE && self->arch == MF_ARCH_X86_64 && !self->image && has_initramfs)
        self->uefi = TRUE;
}

MfTarget *
mf_target_new(void)
{
    MfTarget *self = g_new0(MfTarget, 1);

    self->root = g_strdup("/");
    self->arch = mf_arch_native();
    self->cpus = MF_TARGET_DEFAULT_CPUS;
    self->memory = MF_TARGET_DEFAULT_MEMORY;
    self->mounts = g_ptr_array_new_with_free_func((GDestroyNotify)mf_share_free);
    self->numa = g_ptr_array_new_with_free_func((GDestroyNotify)mf_numa_node_free);
    self->disks = g_ptr_array_new_with_free_func((GDestroyNotify)mf_disk_free);
    self->console = g_ptr_array_new_with_free_func((GDestroyNotify)mf_console_rule_free);
    self->checks = g_ptr_array_new();
    self->payloads = g_ptr_array_new_with_free_func((GDestroyNotify)mf_payload_free);
    self->steps = g_ptr_array_new_with_free_func((GDestroyNotify)mf_step_free);
    self->repeat = 1;
    self->forwards = g_array_new(FALSE, FALSE, sizeof(MfForward));
    /* Where GLib would say "/" for a directory that is gone, there is none. */
    g_autofree char *here = getcwd(NULL, 0);
    self->share = here ? g_get_current_dir() : NULL;
    self->env = g_get_environ();
    self->hostname = g_strdup(MF_TARGET_DEFAULT_HOSTNAME);
    self->rows = MF_TARGET_DEFAULT_ROWS;
    self->columns = MF_TARGET_DEFAULT_COLUMNS;
    self->boot_timeout_ms = MF_TARGET_DEFAULT_BOOT_TIMEOUT_MS;
    return self;
}

void
mf_target_free(MfTarget *self)
{
    if (!self)
        return;
    g_free(self->kernel);
    g_free(self->root);
    g_free(self->init_template);
    g_free(self->qemu);
    g_strfreev(self->qemu_args);
    g_free(self->qmp_socket);
    g_free(self->connect);
    g_strfreev(self->shared_paths);
    g_free(self->kernel_args);
    g_ptr_array_unref(self->mounts);
    g_free(self->share);
    g_strfreev(self->argv);
    g_free(self->shell);
    g_strfreev(self->env);
    g_free(self->workdir);
    g_free(self->user);
    g_free(self->hostname);
    g_ptr_array_unref(self->payloads);
    g_ptr_array_unref(self->steps);
    g_free(self->initramfs);
    g_free(self->image);
    g_free(self->bios);
    g_free(self->secure_boot_vars);
    mf_smbios_free(self->smbios);
    g_free(self->machine);
    g_free(self->cpu);
    g_ptr_array_unref(self->numa);
    g_ptr_array_unref(self->disks);
    g_array_unref(self->forwards);
    g_free(self->stdin_path);
    g_strfreev(self->setup);
    g_strfreev(self->teardown);
    mf_expect_free(self->expect);
    g_ptr_array_unref(self->checks);
    g_ptr_array_unref(self->console);
    g_strfreev(self->artifacts);
    g_free(self->artifacts_dir);
    g_free(self->crash_dir);
    g_free(self->splat_allow);
    g_free(self->splat_deny);
    g_free(self);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "run/plan-commands.h"

#include "base/fd.h"
#include "base/tempdir.h"
#include "machine/initramfs.h"
#include "run/command-record.h"
#include "run/scripts.h"
#include "wire/guest-protocol.h"

static void
free_hook(MfPlanHook *hook)
{
    g_clear_pointer(&hook->record, g_bytes_unref);
    g_free(hook->script);
    g_free(hook->script_alone);
    g_free(hook);
}

/* The command's directory in an image's system that can mount no shares. */
static const char *
choose_workdir_alone(const MfTarget *target)
{
    return target->workdir ? target->workdir : "/";
}

static gboolean
render_hook(const MfPlan *self, MfPlanHook *hook, const MfTarget *target, const char *text,
            GError **error)
{
    MfScriptsPlaces places = {.workdir = self->workdir, .modules = "", .mounts = ""};

    hook->script = mf_scripts_render_hook(target, &places, text, error);
    if (!hook->script || !target->image)
        return hook->script != NULL;
    places.workdir = choose_workdir_alone(target);
    hook->script_alone = mf_scripts_render_hook(target, &places, text, error);
    return hook->script_alone != NULL;
}

static gboolean
plan_hooks(MfPlan *self, MfHookKind kind, const MfTarget *target, char **texts, gboolean has_output,
           GError **error)
{
    self->hooks[kind] = g_ptr_array_new_with_free_func((GDestroyNotify)free_hook);
    for (; texts && *texts; texts++) {
        MfPlanHook *hook = g_new0(MfPlanHook, 1);

        g_ptr_array_add(self->hooks[kind], hook);
        hook->record = mf_command_record_new_hook(target, self->workdir, *texts, has_output);
        if (!self->initramfs && !render_hook(self, hook, target, *texts, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
mf_plan_add_commands(MfPlan *self, const MfTarget *target, const gboolean stdio_open[3],
                     GError **error)
{
    /* All that the hooks write goes to the standard error. */
    gboolean has_output = stdio_open[2];

    self->command = mf_command_record_new(target, self->workdir, stdio_open);
    return plan_hooks(self, MF_HOOK_SETUP, target, target->setup, has_output, error) &&
           plan_hooks(self, MF_HOOK_TEARDOWN, target, target->teardown, has_output, error);
}

gboolean
mf_plan_add_scripts(MfPlan *self, const MfTarget *target, GError **error)
{
    const MfScriptsPlaces places = {
        .workdir = self->workdir,
        .modules = self->script_modules ? self->script_modules : "",
        .share_type = self->spec->share_type,
        .mounts = self->script_mounts->str,
    };

    self->scripts_dir = mf_scripts_render(target, &places, error);
    if (!self->scripts_dir)
        return FALSE;
    g_ptr_array_add(self->spec->shares,
                    mf_share_new("run", MF_TAG_RUN, self->scripts_dir, NULL, FALSE));
    return TRUE;
}

/* The directory from which the image's system runs mayfly-guest. It is empty for an architecture
 * that mayfly-guest was not built for. */
static gboolean
make_tools(MfPlan *self, GError **error)
{
    g_autoptr(GBytes) guest = mf_initramfs_guest(self->spec->arch, NULL);
    g_autofree char *path = NULL;

    self->scripts_dir = mf_tempdir_make(error);
    if (!self->scripts_dir)
        return FALSE;
    path = g_build_filename(self->scripts_dir, "mayfly-guest", NULL);
    g_ptr_array_add(self->spec->shares,
                    mf_share_new("run", MF_TAG_RUN, self->scripts_dir, NULL, FALSE));
    return !guest || mf_file_replace(path, g_bytes_get_data(guest, NULL), g_bytes_get_size(guest),
                                     0755, error);
}

static gboolean
render_image_scripts(MfPlan *self, const MfTarget *target, GError **error)
{
    MfScriptsPlaces places = {
        .workdir = self->workdir,
        .modules = "",
        .share_type = self->spec->share_type,
        .mounts = self->script_mounts->str,
    };

    self->image_script = mf_scripts_render_image(&places, error);
    if (!self->image_script)
        return FALSE;
    self->image_command = mf_scripts_render_command(target, &places, error);
    places.workdir = choose_workdir_alone(target);
    self->image_command_alone =
        self->image_command ? mf_scripts_render_command(target, &places, error) : NULL;
    return self->image_command_alone != NULL;
}

gboolean
mf_plan_add_image_scripts(MfPlan *self, const MfTarget *target, GError **error)
{
    return make_tools(self, error) && render_image_scripts(self, target, error);
}

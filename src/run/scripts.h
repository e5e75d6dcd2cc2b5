/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "run/target.h"

/*
 * The shell scripts of a run with init = "script", rendered from templates/guest/ (or the user's
 * own init template) into a private directory that the guest sees at MF_GUEST_SCRIPTS.
 */
typedef struct {
    const char *workdir;    /* borrowed; of the command, in the guest */
    const char *modules;    /* borrowed; as MF_CONF_MODULES, "" for none */
    MfShareType share_type; /* of all shares; never AUTO */
    const char *mounts;     /* borrowed; "share ..." lines, from mf_scripts_mount_line() */
} MfScriptsPlaces;

/* Makes the directory with init.sh and command.sh in it; the caller
 * removes it with mf_tempdir_remove(). Owned by the caller. MF_ERROR_CONFIG for the user's
 * template, MF_ERROR_HOST.
 */
char *mf_scripts_render(const MfTarget *target, const MfScriptsPlaces *places, GError **error);

/* The texts of what sets an image's own system up, of what does that before it is saved, and of its
 * command script. Owned by the caller. */
char *mf_scripts_render_image(const MfScriptsPlaces *places, GError **error);
char *mf_scripts_render_image_save(GError **error);
char *
mf_scripts_render_command(const MfTarget *target, const MfScriptsPlaces *places, GError **error);

/* The same for one text of the target's setup or teardown. */
char *mf_scripts_render_hook(const MfTarget *target, const MfScriptsPlaces *places,
                             const char *text, GError **error);

/* One line for the scripts that mount, in the order of mounting. Owned by the caller. */
char *
mf_scripts_mount_line(MfShareType type, const char *tag, const char *guest_path, gboolean writable);

/* What the kernel is told at the end of its command line when there is no initramfs to start the
 * init script: a shell that mounts the scripts and becomes it. Static. */
const char *mf_scripts_get_bootstrap(MfShareType type);

/* SPDX-License-Identifier: Apache-2.0 */
#include "run/scripts.h"

#include <gio/gio.h>
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/shell.h"
#include "base/tempdir.h"
#include "base/template.h"
#include "wire/guest-protocol.h"

#define INIT_TEMPLATE    "/mayfly/guest/init.sh.in"
#define COMMAND_TEMPLATE "/mayfly/guest/command.sh.in"
#define IMAGE_TEMPLATE   "/mayfly/guest/image.sh.in"
#define SAVE_TEMPLATE    "/mayfly/guest/image-save.sh.in"
#define TEMPLATE_MAX     (1u << 20)

/* No double quote in here: the kernel would end the argument at it. */
#define BOOTSTRAP(how)                                                                             \
    "init=/bin/sh -- -c \"mount -t tmpfs -o mode=755 tmpfs /run && mkdir -p " MF_GUEST_SCRIPTS     \
    " && mount -t " how " " MF_TAG_RUN " " MF_GUEST_SCRIPTS                                        \
    " && exec /bin/sh " MF_GUEST_INIT_SCRIPT "\""

const char *
mf_scripts_get_bootstrap(MfShareType type)
{
    return type == MF_SHARE_VIRTIOFS
               ? BOOTSTRAP("virtiofs -o ro")
               : BOOTSTRAP("9p -o trans=virtio,version=9p2000.L,msize=512000,ro");
}

char *
mf_scripts_mount_line(MfShareType type, const char *tag, const char *guest_path, gboolean writable)
{
    g_autofree char *quoted = mf_shell_quote(guest_path);

    return g_strdup_printf("share %s %s %s %s\n", mf_share_type_name(type), writable ? "rw" : "ro",
                           tag, quoted);
}

/* 'value' is taken. */
static void
set(GHashTable *values, const char *name, char *value)
{
    g_hash_table_insert(values, (gpointer)name, value);
}

/* Whether a POSIX shell can export a variable of that name. */
static gboolean
is_exportable(const char *variable)
{
    const char *equals = strchr(variable, '=');

    if (!equals || equals == variable || g_ascii_isdigit(*variable))
        return FALSE;
    for (; variable < equals; variable++)
        if (!g_ascii_isalnum(*variable) && *variable != '_')
            return FALSE;
    return TRUE;
}

static char *
make_exports(char **env)
{
    GString *lines = g_string_new(NULL);

    for (; env && *env; env++) {
        const char *equals = strchr(*env, '=');

        if (!is_exportable(*env))
            continue;
        g_autofree char *value = mf_shell_quote(equals + 1);
        g_string_append_printf(lines, "export %.*s=%s\n", (int)(equals - *env), *env, value);
    }
    return g_string_free(lines, FALSE);
}

static char *
quote_all(char **words)
{
    return words ? mf_shell_quote_strv((const char *const *)words) : g_strdup("");
}

static GHashTable *
make_values(const MfTarget *target, const MfScriptsPlaces *places)
{
    GHashTable *values = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);
    const char *path = g_environ_getenv(target->env, "PATH");

    set(values, "path", mf_shell_quote(path ? path : ""));
    set(values, "agent_port", mf_shell_quote(MF_PORT_AGENT));
    set(values, "interactive", g_strdup("no"));
    set(values, "root_mode", g_strdup(mf_root_mode_name(target->root_mode)));
    set(values, "share_type", g_strdup(mf_share_type_name(places->share_type)));
    set(values, "hostname", mf_shell_quote(target->hostname));
    set(values, "modules", mf_shell_quote(places->modules));
    set(values, "mounts", g_strdup(places->mounts));
    set(values, "stdin_port", mf_shell_quote(MF_PORT_STDIN));
    set(values, "stdout_port", mf_shell_quote(MF_PORT_STDOUT));
    set(values, "stderr_port", mf_shell_quote(MF_PORT_STDERR));
    set(values, "workdir", mf_shell_quote(places->workdir));
    set(values, "environment", quote_all(target->env));
    set(values, "exports", make_exports(target->env));
    set(values, "argv", quote_all(target->argv));
    set(values, "text", mf_shell_quote(target->shell ? target->shell : ""));
    return values;
}

static gboolean
render_one(const char *text, const char *origin, GHashTable *values, const char *directory,
           const char *name, GError **error)
{
    g_autofree char *script = mf_template_render(text, origin, values, error);
    g_autofree char *path = g_build_filename(directory, name, NULL);

    return script && mf_file_replace(path, script, strlen(script), 0755, error);
}

static char *
read_resource(const char *path)
{
    g_autoptr(GBytes) bytes = g_resources_lookup_data(path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);

    g_assert(bytes);
    return g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes));
}

static char *
read_init_template(const MfTarget *target, GError **error)
{
    if (!target->init_template)
        return read_resource(INIT_TEMPLATE);

    g_autoptr(GBytes) bytes = mf_file_read(target->init_template, TEMPLATE_MAX, error);
    if (!bytes)
        g_prefix_error(error, "The init template cannot be used: ");
    return bytes ? g_strndup(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes)) : NULL;
}

char *
mf_scripts_render_image(const MfScriptsPlaces *places, GError **error)
{
    g_autofree char *template = read_resource(IMAGE_TEMPLATE);
    g_autoptr(GHashTable) values = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);

    set(values, "share_type", g_strdup(mf_share_type_name(places->share_type)));
    set(values, "tools_tag", mf_shell_quote(MF_TAG_RUN));
    set(values, "tools", mf_shell_quote(MF_GUEST_TOOLS));
    set(values, "mounts", g_strdup(places->mounts));
    return mf_template_render(template, "image.sh.in", values, error);
}

char *
mf_scripts_render_image_save(GError **error)
{
    g_autofree char *template = read_resource(SAVE_TEMPLATE);
    g_autoptr(GHashTable) values = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);

    set(values, "tools", mf_shell_quote(MF_GUEST_TOOLS));
    return mf_template_render(template, "image-save.sh.in", values, error);
}

char *
mf_scripts_render_command(const MfTarget *target, const MfScriptsPlaces *places, GError **error)
{
    g_autofree char *template = read_resource(COMMAND_TEMPLATE);
    g_autoptr(GHashTable) values = make_values(target, places);

    return mf_template_render(template, "command.sh.in", values, error);
}

/* A port of no name is never found: then the stream stays the agent's, which is no input. */
char *
mf_scripts_render_hook(const MfTarget *target, const MfScriptsPlaces *places, const char *text,
                       GError **error)
{
    g_autofree char *template = read_resource(COMMAND_TEMPLATE);
    g_autoptr(GHashTable) values = make_values(target, places);

    set(values, "stdin_port", mf_shell_quote(""));
    set(values, "argv", g_strdup(""));
    set(values, "text", mf_shell_quote(text));
    return mf_template_render(template, "command.sh.in", values, error);
}

char *
mf_scripts_render(const MfTarget *target, const MfScriptsPlaces *places, GError **error)
{
    g_autofree char *init = read_init_template(target, error);
    if (!init)
        return NULL;

    g_autofree char *directory = mf_tempdir_make(error);
    if (!directory)
        return NULL;

    g_autofree char *command = read_resource(COMMAND_TEMPLATE);
    g_autoptr(GHashTable) values = make_values(target, places);
    const char *origin = target->init_template ? target->init_template : "init.sh.in";
    if (!render_one(init, origin, values, directory, "init.sh", error) ||
        !render_one(command, "command.sh.in", values, directory, "command.sh", error)) {
        mf_tempdir_remove(directory);
        return NULL;
    }
    return g_steal_pointer(&directory);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/config-file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fd.h"
#include "suite/config-read.h"
#include "suite/toml.h"
#include "wire/json.h"

#define VMTEST_NAME   "vmtest.toml"
#define VMTEST_MEMORY "4G"

static const char *const names[] = {"mayfly.toml", VMTEST_NAME};

/* The config file in that very directory, or NULL. */
static char *
find_here(const char *directory)
{
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(directory, names[i], NULL);

        /* Also one that cannot be read: to go on to another would hide why it is not used. */
        if (g_file_test(path, G_FILE_TEST_EXISTS) || g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            return g_steal_pointer(&path);
    }
    return NULL;
}

/* The nearest directory from 'directory' upwards that has a '.git', or NULL. */
static char *
find_repository(const char *directory)
{
    g_autofree char *at = g_strdup(directory);

    for (;;) {
        g_autofree char *git = g_build_filename(at, ".git", NULL);
        char *parent = g_path_get_dirname(at);

        if (g_file_test(git, G_FILE_TEST_EXISTS)) {
            g_free(parent);
            return g_steal_pointer(&at);
        }
        if (g_str_equal(parent, at)) {
            g_free(parent);
            return NULL;
        }
        g_free(at);
        at = parent;
    }
}

static gboolean
is_within(const char *path, const char *directory)
{
    gsize length = strlen(directory);

    return strncmp(path, directory, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* The last directory that is looked into. */
static char *
find_last(const char *directory)
{
    g_autofree char *repository = find_repository(directory);
    g_autofree char *home = g_canonicalize_filename(g_get_home_dir(), "/");

    if (repository)
        return g_steal_pointer(&repository);
    return g_strdup(is_within(directory, home) ? home : directory);
}

char *
mf_config_file_find(const char *directory, GError **error)
{
    g_autofree char *last = find_last(directory);
    g_autofree char *at = g_strdup(directory);

    for (;;) {
        char *found = find_here(at);

        if (found)
            return found;
        if (g_str_equal(at, last))
            break;

        char *parent = g_path_get_dirname(at);
        g_free(at);
        at = parent;
    }
    if (g_str_equal(directory, last))
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "There is no mayfly.toml and no vmtest.toml in '%s': write one, or name "
                    "another with --config.",
                    directory);
    else
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "There is no mayfly.toml and no vmtest.toml in '%s', nor above it up to '%s': "
                    "write one, or name another with --config.",
                    directory, last);
    return NULL;
}

static gboolean
check_kind(const char *path, GError **error)
{
    struct stat status;

    if (stat(path, &status) < 0 && g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The config file '%s' is a symbolic link that leads nowhere.", path);
        return FALSE;
    }
    if (stat(path, &status) < 0) {
        mf_error_set_errno(error, MF_ERROR_CONFIG, errno, "The config file '%s' cannot be read",
                           path);
        return FALSE;
    }
    if (S_ISREG(status.st_mode))
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                S_ISDIR(status.st_mode)
                    ? "'%s' is a directory: expected a config file, such as the mayfly.toml in it."
                    : "'%s' is not a file that a config could be read from.",
                path);
    return FALSE;
}

/* The file's name in messages. */
static char *
shorten(const char *path)
{
    g_autofree char *here = g_get_current_dir();

    return g_strdup(is_within(path, here) ? path + strlen(here) + 1 : path);
}

/* What vmtest makes of a target that does not say how much memory it needs, or that has a root
 * beside an image: it pays no attention to that. */
static void
adapt_to_vmtest(json_object *tree)
{
    static const MfOrigin origin = {.kind = MF_ORIGIN_DEFAULT};
    json_object *targets = json_object_object_get(tree, "target");

    for (gsize i = 0; targets && i < json_object_array_length(targets); i++) {
        json_object *target = json_object_array_get_idx(targets, i), *vm;

        if (!json_object_is_type(target, json_type_object))
            continue;
        if (json_object_object_get_ex(target, "image", NULL))
            json_object_object_del(target, "rootfs");
        if (!json_object_object_get_ex(target, "vm", &vm)) {
            vm = json_object_new_object();
            mf_origin_set(vm, &origin);
            json_object_object_add(target, "vm", vm);
        }
        if (json_object_is_type(vm, json_type_object) &&
            !json_object_object_get_ex(vm, "memory", NULL)) {
            json_object *memory = json_object_new_string(VMTEST_MEMORY);

            mf_origin_set(memory, &origin);
            json_object_object_add(vm, "memory", memory);
        }
    }
}

MfConfigFile *
mf_config_file_load(const char *path, GError **error)
{
    g_autoptr(MfConfigFile) self = g_new0(MfConfigFile, 1);
    g_autoptr(GError) cause = NULL;

    self->path = g_canonicalize_filename(path, NULL);
    self->directory = g_path_get_dirname(self->path);
    if (!check_kind(path, error))
        return NULL;

    g_autofree char *name = shorten(self->path);
    g_autofree char *base_name = g_path_get_basename(self->path);
    g_autoptr(GBytes) bytes = mf_file_read(self->path, MF_TOML_SIZE_MAX, &cause);
    if (!bytes) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "The config file cannot be used: %s",
                    cause->message);
        return NULL;
    }

    gsize size;
    const char *text = g_bytes_get_data(bytes, &size);
    self->tree = mf_toml_parse(text, size, name, error);
    if (!self->tree || !mf_config_check_document(self->tree, error))
        return NULL;
    if (g_str_equal(base_name, VMTEST_NAME))
        adapt_to_vmtest(self->tree);
    return g_steal_pointer(&self);
}

void
mf_config_file_free(MfConfigFile *self)
{
    if (!self)
        return;
    g_free(self->path);
    g_free(self->directory);
    json_object_put(self->tree);
    g_free(self);
}

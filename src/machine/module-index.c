/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/module-index.h"

#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/parse.h"

#define LIST_SIZE_MAX (16 * MF_MIB) /* a distribution's modules.dep is under 1 MiB */

struct MfModuleIndex {
    char *directory;         /* owned */
    GHashTable *files;       /* owned: name -> path as listed */
    GHashTable *builtins;    /* owned: set of names */
    gboolean knows_builtins; /* modules.builtin was there */
};

/* "kernel/net/9p/9pnet-virtio.ko.xz" is the module 9pnet_virtio. */
static char *
module_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    char *name = g_strndup(base, strcspn(base, "."));

    return g_strdelimit(name, "-", '_');
}

static gboolean
exists_in(const char *directory, const char *name)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);

    return access(path, R_OK) == 0;
}

gboolean
mf_module_index_exists(const char *directory)
{
    return exists_in(directory, "modules.dep") || exists_in(directory, "modules.order") ||
           exists_in(directory, "modules.builtin");
}

char *
mf_module_index_source(const char *directory)
{
    const char *name = exists_in(directory, "modules.dep") ? "modules.dep" : "modules.order";

    return g_build_filename(directory, name, NULL);
}

/* The lines of a list, without what follows a colon (in modules.dep: the dependencies). A list that
 * is not there is empty. */
static char **
read_list(const char *path, GError **error)
{
    if (access(path, F_OK) < 0)
        return g_new0(char *, 1);

    g_autoptr(GBytes) bytes = mf_file_read(path, LIST_SIZE_MAX, error);
    if (!bytes)
        return NULL;

    g_autofree char *text = g_strndup(g_bytes_get_size(bytes) ? g_bytes_get_data(bytes, NULL) : "",
                                      g_bytes_get_size(bytes));
    char **lines = g_strsplit(text, "\n", -1);
    for (gsize i = 0; lines[i]; i++)
        lines[i][strcspn(lines[i], ":")] = '\0';
    return lines;
}

static gboolean
read_files(MfModuleIndex *self, GError **error)
{
    g_autofree char *path = mf_module_index_source(self->directory);
    g_auto(GStrv) lines = read_list(path, error);

    for (gsize i = 0; lines && lines[i]; i++) {
        if (*lines[i])
            g_hash_table_insert(self->files, module_name(lines[i]), g_strdup(lines[i]));
    }
    return lines != NULL;
}

static gboolean
read_builtins(MfModuleIndex *self, GError **error)
{
    g_autofree char *path = g_build_filename(self->directory, "modules.builtin", NULL);
    g_auto(GStrv) lines = read_list(path, error);

    for (gsize i = 0; lines && lines[i]; i++) {
        if (*lines[i])
            g_hash_table_add(self->builtins, module_name(lines[i]));
    }
    self->knows_builtins = lines && lines[0];
    return lines != NULL;
}

MfModuleIndex *
mf_module_index_load(const char *directory, GError **error)
{
    g_autoptr(MfModuleIndex) self = g_new0(MfModuleIndex, 1);

    self->directory = g_strdup(directory);
    self->files = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    self->builtins = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!read_files(self, error) || !read_builtins(self, error))
        return NULL;
    return g_steal_pointer(&self);
}

void
mf_module_index_free(MfModuleIndex *self)
{
    if (!self)
        return;
    g_clear_pointer(&self->builtins, g_hash_table_unref);
    g_clear_pointer(&self->files, g_hash_table_unref);
    g_free(self->directory);
    g_free(self);
}

const char *
mf_module_index_get_directory(const MfModuleIndex *self)
{
    return self->directory;
}

gboolean
mf_module_index_knows_builtins(const MfModuleIndex *self)
{
    return self->knows_builtins;
}

gboolean
mf_module_index_is_builtin(const MfModuleIndex *self, const char *name)
{
    g_autofree char *key = module_name(name);

    return g_hash_table_contains(self->builtins, key);
}

/* A list may have the name from before a compression, or of the object that a build linked the
 * module from ("fs/9p/9p.o"). */
static char *
find_file(const char *directory, const char *listed)
{
    static const char *const suffixes[] = {".ko", ".ko.xz", ".ko.zst", ".ko.gz"};
    const char *slash = strrchr(listed, '/');
    gsize stem = (gsize)((slash ? slash : listed) - listed);

    stem += strcspn(listed + stem, ".");
    for (gsize i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *path =
            g_strdup_printf("%s/%.*s%s", directory, (int)stem, listed, suffixes[i]);

        if (access(path, F_OK) == 0)
            return g_steal_pointer(&path);
    }
    return NULL;
}

char *
mf_module_index_find(const MfModuleIndex *self, const char *name)
{
    g_autofree char *key = module_name(name);
    const char *listed = g_hash_table_lookup(self->files, key);

    if (!listed)
        return NULL;

    char *path = find_file(self->directory, listed);
    /* Build trees of kernels before 5.7 list what would be installed: "kernel/" and the path. */
    if (!path && g_str_has_prefix(listed, "kernel/"))
        path = find_file(self->directory, listed + strlen("kernel/"));
    return path;
}

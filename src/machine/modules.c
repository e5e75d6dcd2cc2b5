/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/modules.h"

#include <fcntl.h>
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/tempdir.h"
#include "machine/compression.h"
#include "machine/lazy-kmod.h"
#include "machine/packed.h"
#include "machine/peek.h"

typedef struct kmod_ctx KmodContext;
typedef struct kmod_module KmodModule;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KmodContext, kmod_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(KmodModule, kmod_module_unref)

typedef struct {
    const MfModuleIndex *index;
    KmodContext *kmod;
    GHashTable *visited; /* owned: set of names, as they are spelt in files */
    GPtrArray *files;    /* owned: the result so far */
} Resolver;

/* What a module says it needs: names, as lists. */
typedef struct {
    GPtrArray *before;      /* owned: must be loaded before it */
    GPtrArray *soft_before; /* owned: better loaded before it */
    GPtrArray *soft_after;  /* owned: better loaded after it */
} Needs;

static gboolean visit(Resolver *self, const char *name, gboolean required, GError **error);

static void
needs_clear(Needs *self)
{
    g_clear_pointer(&self->before, g_ptr_array_unref);
    g_clear_pointer(&self->soft_before, g_ptr_array_unref);
    g_clear_pointer(&self->soft_after, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Needs, needs_clear)

static void
ignore_log(void *data, int priority, const char *file, int line, const char *function,
           const char *format, va_list args)
{
}

/* "depends=9pnet,fscache,netfs" */
static void
add_depends(Needs *needs, const char *value)
{
    g_auto(GStrv) names = g_strsplit(value, ",", -1);

    for (gsize i = 0; names[i]; i++) {
        if (*names[i])
            g_ptr_array_add(needs->before, g_strdup(names[i]));
    }
}

/* "softdep=pre: a b post: c" */
static void
add_softdep(Needs *needs, const char *value)
{
    g_auto(GStrv) words = g_strsplit(value, " ", -1);
    GPtrArray *target = NULL;

    for (gsize i = 0; words[i]; i++) {
        if (g_str_equal(words[i], "pre:"))
            target = needs->soft_before;
        else if (g_str_equal(words[i], "post:"))
            target = needs->soft_after;
        else if (target && *words[i])
            g_ptr_array_add(target, g_strdup(words[i]));
    }
}

/* Returns 0 or a negative errno, as libkmod does. */
static int
read_info(KmodContext *kmod, const char *path, Needs *needs)
{
    g_autoptr(KmodModule) module = NULL;
    struct kmod_list *info = NULL, *item;
    int result = kmod_module_new_from_path(kmod, path, &module);

    if (result >= 0)
        result = kmod_module_get_info(module, &info);
    if (result < 0)
        return result;
    kmod_list_foreach(item, info)
    {
        const char *key = kmod_module_info_get_key(item);
        const char *value = kmod_module_info_get_value(item);

        if (g_str_equal(key, "depends"))
            add_depends(needs, value);
        else if (g_str_equal(key, "softdep"))
            add_softdep(needs, value);
    }
    kmod_module_info_free_list(info);
    return 0;
}

/* Reads a module that is compressed in a way this libkmod was built without: from a copy that is
 * not compressed. */
static int
read_unpacked_info(KmodContext *kmod, const char *path, Needs *needs)
{
    g_autoptr(GBytes) content = mf_modules_read(path, NULL);
    g_autofree char *directory = content ? mf_tempdir_make(NULL) : NULL;

    if (!directory)
        return -ENOEXEC;

    g_autofree char *copy = g_build_filename(directory, "module.ko", NULL);
    int result = -ENOEXEC;
    if (mf_file_replace(copy, g_bytes_get_data(content, NULL), g_bytes_get_size(content), 0600,
                        NULL))
        result = read_info(kmod, copy, needs);
    mf_tempdir_remove(directory);
    return result;
}

static gboolean
read_needs(Resolver *self, const char *path, Needs *ret_needs, GError **error)
{
    g_auto(Needs)
        needs = {g_ptr_array_new_with_free_func(g_free), g_ptr_array_new_with_free_func(g_free),
                 g_ptr_array_new_with_free_func(g_free)};
    int result = read_info(self->kmod, path, &needs);

    if (result < 0 && !g_str_has_suffix(path, ".ko"))
        result = read_unpacked_info(self->kmod, path, &needs);
    if (result < 0) {
        mf_error_set_errno(error, MF_ERROR_CONFIG, -result, "The kernel module '%s' cannot be read",
                           path);
        return FALSE;
    }
    *ret_needs = needs;
    needs = (Needs){NULL};
    return TRUE;
}

static gboolean
visit_all(Resolver *self, const GPtrArray *names, gboolean required, GError **error)
{
    for (guint i = 0; i < names->len; i++) {
        if (!visit(self, g_ptr_array_index(names, i), required, error))
            return FALSE;
    }
    return TRUE;
}

static gboolean
visit_file(Resolver *self, const char *path, GError **error)
{
    g_auto(Needs) needs = {NULL};

    if (!read_needs(self, path, &needs, error) ||
        !visit_all(self, needs.soft_before, FALSE, error) ||
        !visit_all(self, needs.before, TRUE, error))
        return FALSE;
    g_ptr_array_add(self->files, g_strdup(path));
    return visit_all(self, needs.soft_after, FALSE, error);
}

/* A name counts as visited from the start, so that a circle of soft dependencies ends. */
static gboolean
visit(Resolver *self, const char *name, gboolean required, GError **error)
{
    g_autofree char *key = g_strdelimit(g_strdup(name), "-", '_');

    if (mf_module_index_is_builtin(self->index, key) ||
        !g_hash_table_add(self->visited, g_strdup(key)))
        return TRUE;

    g_autofree char *path = mf_module_index_find(self->index, key);
    if (path)
        return visit_file(self, path, error);
    if (!required)
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "The kernel module '%s' is neither built in nor in '%s'.", name,
                mf_module_index_get_directory(self->index));
    return FALSE;
}

GPtrArray *
mf_modules_resolve(const MfModuleIndex *index, const char *const *names, GError **error)
{
    const char *no_config = NULL;

    if (!mf_lazy_kmod_load(error))
        return NULL;

    g_autoptr(KmodContext) kmod = kmod_new(mf_module_index_get_directory(index), &no_config);
    g_autoptr(GHashTable) visited = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    Resolver resolver = {index, kmod, visited, files};

    if (!kmod) {
        g_set_error(error, MF_ERROR, MF_ERROR_HOST, "libkmod cannot be started for '%s'.",
                    mf_module_index_get_directory(index));
        return NULL;
    }
    kmod_set_log_fn(kmod, ignore_log, NULL);
    for (gsize i = 0; names[i]; i++) {
        if (!visit(&resolver, names[i], TRUE, error))
            return NULL;
    }
    return g_steal_pointer(&files);
}

GBytes *
mf_modules_read(const char *path, GError **error)
{
    mf_autofd fd = open(path, O_RDONLY | O_CLOEXEC);
    guint8 magic[MF_COMPRESSION_MAGIC_MAX];
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "The kernel module '%s' cannot be read",
                           path);
        return NULL;
    }

    gssize n = mf_peek_read(fd, magic, sizeof(magic), 0);
    const char *compression = mf_compression_detect(magic, (gsize)MAX(n, 0));
    if (!compression)
        return mf_file_read(path, MF_MODULE_SIZE_MAX, error);

    MfPacked payload = {fd, 0, (guint64)status.st_size, compression};
    g_autoptr(GError) cause = NULL;
    GBytes *content = mf_packed_read(&payload, MF_MODULE_SIZE_MAX, &cause);
    if (!content) {
        MfErrorCode code = (MfErrorCode)cause->code;

        mf_error_take_foreign(error, code, g_steal_pointer(&cause),
                              "The kernel module '%s' cannot be read", path);
    }
    return content;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/kernel-pattern.h"

#include <fnmatch.h>
#include <glob.h>
#include <string.h>

#include "suite/origin.h"
#include "suite/variables.h"
#include "wire/json.h"

#define PATTERN_CHARACTERS "*?["

static int
compare_versions(gconstpointer a, gconstpointer b)
{
    const char *const *left = a, *const *right = b;

    return strverscmp(*left, *right);
}

/* A pattern that matches 'path' only. Owned by the caller. */
static char *
escape_path(const char *path)
{
    GString *escaped = g_string_new(NULL);

    for (; *path; path++) {
        if (strchr(PATTERN_CHARACTERS "\\", *path))
            g_string_append_c(escaped, '\\');
        g_string_append_c(escaped, *path);
    }
    return g_string_free(escaped, FALSE);
}

/* "./boot//x" as "boot/x": a combination is called the same however its kernel is written. What
 * "x/.." is depends on links, so it stays. Owned by the caller. */
static char *
simplify(const char *path)
{
    g_auto(GStrv) steps = g_strsplit(path, "/", 0);
    g_autoptr(GString) simple = g_string_new(*path == '/' ? "/" : "");
    const char *separator = "";

    for (char **step = steps; *step; step++) {
        if (**step == '\0' || g_str_equal(*step, "."))
            continue;
        g_string_append_printf(simple, "%s%s", separator, *step);
        separator = "/";
    }
    return g_strdup(simple->len > 0 ? simple->str : path);
}

/* The files that match, by the path they have from 'directory'. Of char *, owned by the caller. */
static GPtrArray *
find_files(const char *pattern, const char *directory)
{
    GPtrArray *files = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *prefix = escape_path(directory);
    g_autofree char *simple = simplify(pattern);
    g_autofree char *whole =
        g_path_is_absolute(simple) ? g_strdup(simple) : g_build_filename(prefix, simple, NULL);
    size_t skipped = g_path_is_absolute(simple) ? 0 : strlen(directory);
    glob_t found = {0};

    if (glob(whole, GLOB_NOSORT, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++) {
            const char *path = found.gl_pathv[i], *name = path + skipped;

            while (skipped && *name == '/')
                name++;
            if (g_file_test(path, G_FILE_TEST_IS_REGULAR) && g_utf8_validate(name, -1, NULL))
                g_ptr_array_add(files, g_strdup(name));
        }
    }
    globfree(&found);
    return files;
}

/* The catalog's names that match, as above; NULL with an error. */
static GPtrArray *
find_names(const char *pattern, const MfMatrixSources *sources, GError **error)
{
    g_auto(GStrv) names = sources->list_kernels(sources->data, error);
    GPtrArray *matching = names ? g_ptr_array_new_with_free_func(g_free) : NULL;

    for (char **name = names; name && *name; name++)
        if (fnmatch(pattern, *name, FNM_PATHNAME) == 0)
            g_ptr_array_add(matching, g_strdup(*name));
    return matching;
}

static gboolean
is_file(const char *path, const char *directory)
{
    g_autofree char *whole = g_canonicalize_filename(path, directory);

    return g_file_test(whole, G_FILE_TEST_EXISTS);
}

/* 'plain' is no text with variables. */
static void
add_copy(GPtrArray *kernels, const char *plain, json_object *original)
{
    g_autofree char *text = mf_variables_escape(plain);
    json_object *copy = json_object_new_string(text);
    const MfOrigin *origin = mf_origin_get(original);

    if (origin)
        mf_origin_set(copy, origin);
    g_ptr_array_add(kernels, copy);
}

GPtrArray *
mf_kernel_pattern_expand(json_object *kernel, const MfMatrixSources *sources, GError **error)
{
    const char *text = json_object_get_string(kernel);
    g_autofree char *pattern = mf_variables_unescape(text);
    g_autoptr(GPtrArray) kernels = g_ptr_array_new_with_free_func((GDestroyNotify)mf_json_unref);
    g_autoptr(GPtrArray) found = NULL;

    if (pattern && is_file(pattern, sources->directory)) {
        g_autofree char *simple = simplify(pattern);

        add_copy(kernels, simple, kernel);
        return g_steal_pointer(&kernels);
    }
    if (!strpbrk(text, PATTERN_CHARACTERS)) {
        g_ptr_array_add(kernels, json_object_get(kernel));
        return g_steal_pointer(&kernels);
    }
    if (!pattern) {
        mf_origin_set_error(error, mf_origin_get(kernel),
                            "The kernel pattern '%s' has a variable that each combination has its "
                            "own value of: write the kernels one by one.",
                            text);
        return NULL;
    }
    found = find_files(pattern, sources->directory);
    if (found->len == 0) {
        g_ptr_array_unref(found);
        found = find_names(pattern, sources, error);
        if (!found)
            return NULL;
    }
    if (found->len == 0) {
        mf_origin_set_error(error, mf_origin_get(kernel),
                            "The kernel pattern '%s' matches no file in '%s', and no kernel that "
                            "'mayfly kernel list' shows.",
                            pattern, sources->directory);
        return NULL;
    }
    g_ptr_array_sort(found, compare_versions);
    for (guint i = 0; i < found->len; i++)
        add_copy(kernels, found->pdata[i], kernel);
    return g_steal_pointer(&kernels);
}

gboolean
mf_kernel_pattern_match(const char *pattern, const char *kernel)
{
    g_autofree char *plain_pattern = mf_variables_unescape(pattern);
    g_autofree char *plain_kernel = mf_variables_unescape(kernel);

    if (g_str_equal(pattern, kernel))
        return TRUE;
    if (!plain_pattern || !plain_kernel)
        return FALSE;

    g_autofree char *simple_pattern = simplify(plain_pattern);
    g_autofree char *simple_kernel = simplify(plain_kernel);
    return fnmatch(simple_pattern, simple_kernel, FNM_PATHNAME) == 0;
}

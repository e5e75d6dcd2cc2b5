/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/mainline-list.h"

#include <string.h>

#define SUM_LENGTH 64

static void
file_free(MfMainlineFile *self)
{
    g_free(self->name);
    g_free(self->path);
    g_free(self->sha256);
    g_free(self);
}

void
mf_mainline_list_free(MfMainlineList *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->files);
    g_free(self->version);
    g_free(self);
}

/* "linux-modules-6.6.0-060600-generic_6.6.0-060600.2023_amd64.deb" for the beginning
 * "linux-modules-"; without a digit there it is of another kind. */
static gboolean
is_package(const char *name, const char *beginning, const char *arch)
{
    g_autofree char *ending = g_strdup_printf("_%s.deb", arch);

    return g_str_has_prefix(name, beginning) && g_ascii_isdigit(name[strlen(beginning)]) &&
           strstr(name, "-generic_") && g_str_has_suffix(name, ending);
}

static gboolean
is_plain_path(const char *path)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "-._+~/";

    return strspn(path, safe) == strlen(path) && *path != '/' && !strstr(path, "..");
}

/* The file of that kind in the list; NULL when there is none. Owned by the caller. */
static MfMainlineFile *
find_file(char **lines, const char *beginning, const char *arch)
{
    for (; *lines; lines++) {
        gsize length = strspn(*lines, "0123456789abcdef");
        const char *path = *lines + length + strspn(*lines + length, " *");
        g_autofree char *name = g_path_get_basename(path);
        MfMainlineFile *file;

        if (length != SUM_LENGTH || !is_plain_path(path) || !is_package(name, beginning, arch))
            continue;
        file = g_new0(MfMainlineFile, 1);
        file->name = g_steal_pointer(&name);
        file->path = g_strdup(path);
        file->sha256 = g_strndup(*lines, SUM_LENGTH);
        return file;
    }
    return NULL;
}

MfMainlineList *
mf_mainline_list_parse(const char *text, const char *arch)
{
    g_autoptr(MfMainlineList) self = g_new0(MfMainlineList, 1);
    g_auto(GStrv) lines = g_strsplit_set(text, "\r\n", -1);
    MfMainlineFile *image = find_file(lines, "linux-image-unsigned-", arch);
    MfMainlineFile *modules = find_file(lines, "linux-modules-", arch);

    self->files = g_ptr_array_new_with_free_func((GDestroyNotify)file_free);
    if (!image)
        image = find_file(lines, "linux-image-", arch);
    if (image)
        g_ptr_array_add(self->files, image);
    if (modules)
        g_ptr_array_add(self->files, modules);
    if (!image)
        return NULL;

    const char *version = strchr(image->name, '_') + 1;
    self->version = g_strndup(version, strcspn(version, "_"));
    return g_steal_pointer(&self);
}

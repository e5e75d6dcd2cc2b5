/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/initramfs-writer.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "machine/lazy-archive.h"
#include "machine/modules.h"
#include "wire/guest-protocol.h"

#define MODULES_DIR "modules"

typedef struct archive ArchiveWriter;
typedef struct archive_entry ArchiveEntry;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ArchiveWriter, archive_write_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ArchiveEntry, archive_entry_free)

static gboolean
set_write_error(ArchiveWriter *writer, GError **error)
{
    int code = archive_errno(writer);

    mf_error_set_errno(error, MF_ERROR_HOST, code > 0 ? code : EIO, "Writing the initramfs failed");
    return FALSE;
}

/* Times and owners stay 0. */
static ArchiveEntry *
new_entry(const char *path, mode_t mode)
{
    ArchiveEntry *entry = archive_entry_new();

    archive_entry_set_pathname(entry, path);
    archive_entry_set_mode(entry, mode);
    archive_entry_set_mtime(entry, 0, 0);
    archive_entry_set_nlink(entry, S_ISDIR(mode) ? 2 : 1);
    archive_entry_set_size(entry, 0);
    return entry;
}

static gboolean
write_directory(ArchiveWriter *writer, const char *path, GError **error)
{
    g_autoptr(ArchiveEntry) entry = new_entry(path, S_IFDIR | 0755);

    return archive_write_header(writer, entry) == ARCHIVE_OK || set_write_error(writer, error);
}

static gboolean
write_device(ArchiveWriter *writer, const char *path, mode_t mode, guint major_number,
             guint minor_number, GError **error)
{
    g_autoptr(ArchiveEntry) entry = new_entry(path, S_IFCHR | mode);

    archive_entry_set_rdevmajor(entry, major_number);
    archive_entry_set_rdevminor(entry, minor_number);
    return archive_write_header(writer, entry) == ARCHIVE_OK || set_write_error(writer, error);
}

static gboolean
write_file(ArchiveWriter *writer, const char *path, mode_t mode, const void *data, gsize size,
           GError **error)
{
    g_autoptr(ArchiveEntry) entry = new_entry(path, S_IFREG | mode);

    archive_entry_set_size(entry, (la_int64_t)size);
    if (archive_write_header(writer, entry) != ARCHIVE_OK ||
        archive_write_data(writer, data, size) != (la_ssize_t)size)
        return set_write_error(writer, error);
    return TRUE;
}

static gboolean
write_tree(ArchiveWriter *writer, GError **error)
{
    static const char *const directories[] = {"dev",  "etc", "lib", MODULES_DIR,
                                              "proc", "run", "sys"};

    for (gsize i = 0; i < G_N_ELEMENTS(directories); i++) {
        if (!write_directory(writer, directories[i], error))
            return FALSE;
    }
    return write_device(writer, "dev/console", 0600, 5, 1, error) &&
           write_device(writer, "dev/null", 0666, 1, 3, error);
}

/* The number keeps names apart and shows the order to whoever looks into the archive. */
static char *
name_in_archive(guint index, const char *file)
{
    g_autofree char *base = g_path_get_basename(file);

    base[strcspn(base, ".")] = '\0';
    return g_strdup_printf(MODULES_DIR "/%02u-%s.ko", index, base);
}

static gboolean
write_modules(ArchiveWriter *writer, const GPtrArray *modules, GError **error)
{
    g_autoptr(GString) list = g_string_new(NULL);

    for (guint i = 0; i < modules->len; i++) {
        const char *file = g_ptr_array_index(modules, i);
        g_autofree char *name = name_in_archive(i, file);
        g_autoptr(GBytes) content = mf_modules_read(file, error);

        if (!content || !write_file(writer, name, 0644, g_bytes_get_data(content, NULL),
                                    g_bytes_get_size(content), error))
            return FALSE;
        g_string_append_printf(list, "/%s\n", name);
    }
    /* The path without its leading slash, as in every archive. */
    return write_file(writer, MF_INITRAMFS_MODULES + 1, 0644, list->str, list->len, error);
}

gboolean
mf_initramfs_write(int fd, GBytes *guest, const GPtrArray *modules, GError **error)
{
    if (!mf_lazy_archive_load(error))
        return FALSE;

    g_autoptr(ArchiveWriter) writer = archive_write_new();
    if (!writer || archive_write_set_format_cpio_newc(writer) != ARCHIVE_OK ||
        archive_write_set_bytes_in_last_block(writer, 1) != ARCHIVE_OK ||
        archive_write_open_fd(writer, fd) != ARCHIVE_OK) {
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "libarchive cannot write an initramfs (a newc archive).");
        return FALSE;
    }
    if (!write_tree(writer, error) ||
        !write_file(writer, "init", 0755, g_bytes_get_data(guest, NULL), g_bytes_get_size(guest),
                    error) ||
        !write_modules(writer, modules, error))
        return FALSE;
    return archive_write_close(writer) == ARCHIVE_OK || set_write_error(writer, error);
}

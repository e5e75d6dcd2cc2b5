/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/package.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/parse.h"
#include "machine/kernel-layout.h"
#include "machine/lazy-archive.h"

#define READ_BLOCK   65536
#define CONTROL_MAX  65536
#define NAME_MAX_LEN 1024

/* One step writes at most this much of one file, or passes this many entries. */
#define STEP_BYTES   (1U << 20)
#define STEP_ENTRIES 64

/* How a layer says that something of the layers below it is gone: OCI image specification. */
#define WHITEOUT_PREFIX ".wh."
#define WHITEOUT_OPAQUE ".wh..wh..opq"

static const char deb_magic[] = "!<arch>\n";
static const char rpm_magic[] = "\xed\xab\xee\xdb";

struct MfPackage {
    char *path;  /* owned */
    char *shown; /* owned; what messages call it: "package '/x/linux.deb'" */
    guint64 size;
    MfPackageLimits limits;
    guint64 bytes, entries; /* met so far */
    char *version;          /* owned */

    /* A .deb is an ar archive whose members control.tar.* and data.tar.* are read through 'tar';
     * an .rpm is one cpio archive behind a header that libarchive skips. */
    gboolean is_deb;
    struct archive *file; /* owned */
    struct archive *tar;  /* owned; NULL between the members of a .deb */
    gboolean in_control;  /* 'tar' is the control member */
    gboolean seen_data;

    /* A layer of a container image is a tar archive; NULL for packages. */
    GPtrArray *whiteouts; /* owned; of strings */
    GHashTable *ways_out; /* owned; the symbolic links that lead out, taken or not */

    int root_fd;      /* the directory unpacked into */
    int directory_fd; /* the one the last file went to */
    char *directory;  /* owned; its name below the root */
    int output_fd;    /* the file being written, -1 between files */
    char *output;     /* owned; its name in the package */
};

gboolean
mf_package_recognise(const char *path)
{
    char magic[sizeof(deb_magic) - 1];
    mf_autofd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, magic, sizeof(magic));

    return n == sizeof(magic) && (memcmp(magic, deb_magic, sizeof(deb_magic) - 1) == 0 ||
                                  memcmp(magic, rpm_magic, sizeof(rpm_magic) - 1) == 0);
}

static gboolean
refuse(MfPackage *self, GError **error, const char *name, const char *why)
{
    g_autofree char *shown = g_utf8_make_valid(name, -1);

    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "The %s is refused: its entry '%s' %s, which no kernel package needs.", self->shown,
                shown, why);
    return FALSE;
}

static gboolean
damaged(MfPackage *self, GError **error, struct archive *archive)
{
    const char *why = archive_error_string(archive);

    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "The %s cannot be unpacked: %s. Fetch it again, or check that it is a whole %s.",
                self->shown, why ? why : "it is damaged",
                self->whiteouts ? "tar archive" : ".deb or .rpm");
    return FALSE;
}

/* Only filters that libarchive has a library for: for others it would run programs. */
static struct archive *
reader_new(gboolean compressed)
{
    struct archive *reader = archive_read_new();

    if (compressed) {
        archive_read_support_filter_gzip(reader);
        archive_read_support_filter_bzip2(reader);
        archive_read_support_filter_xz(reader);
        archive_read_support_filter_lzma(reader);
        archive_read_support_filter_zstd(reader);
    }
    return reader;
}

static gboolean
open_file(MfPackage *self, GError **error)
{
    mf_autofd fd = open(self->path, O_RDONLY | O_CLOEXEC);
    char magic[sizeof(deb_magic) - 1] = "";
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0 || read(fd, magic, sizeof(magic)) < 0) {
        mf_error_set_errno(error, MF_ERROR_CONFIG, errno, "The %s cannot be read", self->shown);
        return FALSE;
    }
    self->size = (guint64)status.st_size;
    self->is_deb = !self->whiteouts && memcmp(magic, deb_magic, sizeof(magic)) == 0;
    self->file = reader_new(!self->is_deb);
    if (self->whiteouts) {
        archive_read_support_format_tar(self->file);
    } else if (self->is_deb) {
        archive_read_support_format_ar(self->file);
    } else {
        archive_read_support_filter_rpm(self->file);
        archive_read_support_format_cpio(self->file);
    }
    if (archive_read_open_filename(self->file, self->path, READ_BLOCK) != ARCHIVE_OK)
        return damaged(self, error, self->file);
    return TRUE;
}

/* Opens the directory, and sets what every archive has. */
static MfPackage *
package_new(const char *path, char *shown, const char *directory, const MfPackageLimits *limits,
            GError **error)
{
    g_autoptr(MfPackage) self = g_new0(MfPackage, 1);

    self->path = g_strdup(path);
    self->shown = shown;
    self->limits = limits ? *limits
                          : (MfPackageLimits){.bytes = MF_PACKAGE_BYTES_MAX,
                                              .entries = MF_PACKAGE_ENTRIES_MAX};
    self->directory_fd = self->output_fd = -1;
    self->root_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (self->root_fd < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "The directory '%s' cannot be opened",
                           directory);
        return NULL;
    }
    return g_steal_pointer(&self);
}

MfPackage *
mf_package_open(const char *path, const char *directory, const MfPackageLimits *limits,
                GError **error)
{
    char *shown = g_strdup_printf("package '%s'", path);
    g_autoptr(MfPackage) self = package_new(path, shown, directory, limits, error);

    if (!self)
        return NULL;
    if (!mf_package_recognise(path)) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is not a package: expected a readable .deb or .rpm file.", path);
        return NULL;
    }
    if (!mf_lazy_archive_load(error) || !open_file(self, error))
        return NULL;
    return g_steal_pointer(&self);
}

MfPackage *
mf_package_open_layer(const char *path, const char *shown, const char *directory,
                      const MfPackageLimits *limits, GError **error)
{
    g_autoptr(MfPackage) self = package_new(path, g_strdup(shown), directory, limits, error);

    if (!self)
        return NULL;
    self->whiteouts = g_ptr_array_new_with_free_func(g_free);
    self->ways_out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    if (!mf_lazy_archive_load(error) || !open_file(self, error))
        return NULL;
    return g_steal_pointer(&self);
}

void
mf_package_free(MfPackage *self)
{
    if (!self)
        return;
    g_clear_pointer(&self->tar, archive_read_free);
    g_clear_pointer(&self->file, archive_read_free);
    mf_fd_clear(&self->output_fd);
    mf_fd_clear(&self->directory_fd);
    mf_fd_clear(&self->root_fd);
    g_free(self->output);
    g_free(self->directory);
    g_clear_pointer(&self->whiteouts, g_ptr_array_unref);
    g_clear_pointer(&self->ways_out, g_hash_table_unref);
    g_free(self->version);
    g_free(self->shown);
    g_free(self->path);
    g_free(self);
}

double
mf_package_get_fraction(MfPackage *self)
{
    guint64 done = (guint64)MAX(archive_filter_bytes(self->file, -1), 0);

    return self->size ? MIN((double)done / (double)self->size, 1.0) : 0.0;
}

const char *
mf_package_get_version(MfPackage *self)
{
    return self->version;
}

const GPtrArray *
mf_package_get_whiteouts(MfPackage *self)
{
    return self->whiteouts;
}

void
mf_package_get_met(MfPackage *self, MfPackageLimits *ret_met)
{
    *ret_met = (MfPackageLimits){.bytes = self->bytes, .entries = self->entries};
}

/* 'name' without "./" and doubled slashes; NULL when it is absolute or has "..". */
static char *
clean_name(const char *name)
{
    g_auto(GStrv) parts = g_strsplit(name, "/", -1);
    GString *clean;

    if (*name == '/')
        return NULL;
    for (char **part = parts; *part; part++)
        if (g_str_equal(*part, ".."))
            return NULL;

    clean = g_string_new(NULL);
    for (char **part = parts; *part; part++)
        if (**part && !g_str_equal(*part, "."))
            g_string_append_printf(clean, "%s%s", clean->len ? "/" : "", *part);
    return g_string_free(clean, FALSE);
}

/* Where the entry with this clean name goes, below the root; NULL when it is not wanted. Owned by
 * the caller. */
static char *
destination_of(MfPackage *self, const char *clean)
{
    return self->whiteouts ? mf_kernel_layout_of_image(clean) : mf_kernel_layout_of_package(clean);
}

/* Makes self->directory_fd the directory of 'destination'. Nothing in the tree is a symbolic link,
 * and none is followed: the tree is ours alone. */
static gboolean
enter_directory(MfPackage *self, const char *destination, GError **error)
{
    g_autofree char *directory = g_path_get_dirname(destination);

    if (self->directory_fd >= 0 && g_str_equal(directory, self->directory))
        return TRUE;

    g_auto(GStrv) parts = g_strsplit(directory, "/", -1);
    mf_autofd at = fcntl(self->root_fd, F_DUPFD_CLOEXEC, 0);
    for (char **part = parts; at >= 0 && *part; part++) {
        if (mkdirat(at, *part, 0755) < 0 && errno != EEXIST)
            break;
        int next = openat(at, *part, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        mf_fd_clear(&at);
        at = next;
        if (at >= 0 && !part[1]) {
            mf_fd_clear(&self->directory_fd);
            self->directory_fd = mf_fd_steal(&at);
            g_free(self->directory);
            self->directory = g_steal_pointer(&directory);
            return TRUE;
        }
    }
    mf_error_set_errno(error, MF_ERROR_HOST, errno,
                       "The directory '%s' of the %s cannot be made in the cache", directory,
                       self->shown);
    return FALSE;
}

static gboolean
open_output(MfPackage *self, const char *name, const char *destination, int flags, GError **error)
{
    const char *base = strrchr(destination, '/') + 1;

    self->output_fd =
        openat(self->directory_fd, base, O_WRONLY | O_NOFOLLOW | O_CLOEXEC | flags, 0644);
    if (self->output_fd < 0 && errno == EEXIST)
        return refuse(self, error, name, "comes twice");
    if (self->output_fd < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno,
                           "'%s' of the %s cannot be written to the cache", destination,
                           self->shown);
        return FALSE;
    }
    g_free(self->output);
    self->output = g_strdup(name);
    return TRUE;
}

/* A hard link to a file unpacked before. In a cpio archive the content may come with the link. */
static gboolean
make_hard_link(MfPackage *self, struct archive_entry *entry, const char *name,
               const char *destination, GError **error)
{
    g_autofree char *clean = clean_name(archive_entry_hardlink(entry));
    g_autofree char *target = clean ? destination_of(self, clean) : NULL;

    if (!target)
        return refuse(self, error, name, "is a hard link to a file outside of the kernel's");
    if (linkat(self->root_fd, target, self->directory_fd, strrchr(destination, '/') + 1, 0) < 0)
        return refuse(self, error, name, "is a hard link to a file that did not come before it");
    if (archive_entry_size(entry) > 0)
        return open_output(self, name, destination, O_TRUNC, error);
    return TRUE;
}

/* Whether a symbolic link at 'destination' with this target leads out of the package. */
static gboolean
leads_out(const char *destination, const char *target)
{
    g_auto(GStrv) from = g_strsplit(destination, "/", -1);
    g_auto(GStrv) to = g_strsplit(target, "/", -1);
    int depth = (int)g_strv_length(from) - 1;

    if (*target == '/')
        return TRUE;
    for (char **part = to; *part && depth >= 0; part++) {
        if (g_str_equal(*part, ".."))
            depth--;
        else if (**part && !g_str_equal(*part, "."))
            depth++;
    }
    return depth < 0;
}

/* lib/modules/RELEASE/build and source point to headers that are not here. */
static gboolean
is_headers_link(const char *destination)
{
    g_auto(GStrv) parts = g_strsplit(destination, "/", -1);

    return g_strv_length(parts) == 4 &&
           (g_str_equal(parts[3], "build") || g_str_equal(parts[3], "source"));
}

/* Starts on a wanted entry; when it has content, the following steps write it. */
static gboolean
take_entry(MfPackage *self, struct archive_entry *entry, const char *name, const char *destination,
           GError **error)
{
    if (archive_entry_hardlink(entry))
        return enter_directory(self, destination, error) &&
               make_hard_link(self, entry, name, destination, error);

    switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
        return enter_directory(self, destination, error) &&
               open_output(self, name, destination, O_CREAT | O_EXCL, error);
    case AE_IFDIR:
        return TRUE;
    case AE_IFLNK:
        if (!is_headers_link(destination) && leads_out(destination, archive_entry_symlink(entry)))
            return refuse(self, error, name, "is a symbolic link that leads out of it");
        return TRUE;
    default:
        return refuse(self, error, name, "is a device node, a pipe or a socket");
    }
}

static gboolean
count_entry(MfPackage *self, struct archive_entry *entry, GError **error)
{
    guint64 size = (guint64)MAX(archive_entry_size(entry), 0);

    self->entries++;
    if (self->entries > self->limits.entries) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The %s is refused: it has more than %" G_GUINT64_FORMAT
                    " entries, which no kernel package has.",
                    self->shown, self->limits.entries);
        return FALSE;
    }
    if (!g_uint64_checked_add(&self->bytes, self->bytes, size) ||
        self->bytes > self->limits.bytes) {
        g_autofree char *limit = mf_format_size(self->limits.bytes);

        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The %s is refused: it unpacks to more than %s, which no kernel package does.",
                    self->shown, limit);
        return FALSE;
    }
    return TRUE;
}

/* Remembers "Version:" of the control file that is the current entry. */
static gboolean
read_control(MfPackage *self, GError **error)
{
    g_autofree char *text = g_malloc(CONTROL_MAX + 1);
    la_ssize_t n = archive_read_data(self->tar, text, CONTROL_MAX);

    if (n < 0)
        return damaged(self, error, self->tar);
    text[n] = '\0';

    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line && !self->version; line++)
        if (g_str_has_prefix(*line, "Version:"))
            self->version = g_strdup(g_strstrip(*line + strlen("Version:")));
    return TRUE;
}

/* Whether 'clean' is below one of the symbolic links that lead out of the layer. */
static gboolean
goes_through_a_way_out(MfPackage *self, const char *clean)
{
    for (const char *slash = strchr(clean, '/'); slash; slash = strchr(slash + 1, '/')) {
        g_autofree char *above = g_strndup(clean, (gsize)(slash - clean));

        if (g_hash_table_contains(self->ways_out, above))
            return TRUE;
    }
    return FALSE;
}

/* An image is a whole root, most of it not a kernel's and not taken. What nobody has a reason to
 * make is refused in all of it. */
static gboolean
check_layer_entry(MfPackage *self, struct archive_entry *entry, const char *name, const char *clean,
                  GError **error)
{
    unsigned type = archive_entry_filetype(entry);
    const char *hardlink = archive_entry_hardlink(entry);
    const char *symlink = archive_entry_symlink(entry);

    if (type == AE_IFBLK || type == AE_IFCHR)
        return refuse(self, error, name, "is a device node");
    if (goes_through_a_way_out(self, clean))
        return refuse(self, error, name, "is below a symbolic link that leads out of it");
    if (hardlink) {
        g_autofree char *target = clean_name(hardlink);

        return target ? TRUE : refuse(self, error, name, "is a hard link that leads out of it");
    }
    if (symlink && leads_out(clean, symlink))
        g_hash_table_add(self->ways_out, g_strdup(clean));
    return TRUE;
}

static const char *
base_of(const char *clean)
{
    const char *slash = strrchr(clean, '/');

    return slash ? slash + 1 : clean;
}

static gboolean
is_whiteout(const char *clean)
{
    return g_str_has_prefix(base_of(clean), WHITEOUT_PREFIX);
}

/* Notes what an entry "DIRECTORY/.wh.NAME" removes: that name, or with the opaque mark all that is
 * in the directory. */
static gboolean
add_whiteout(MfPackage *self, const char *name, const char *clean, GError **error)
{
    const char *base = base_of(clean);
    const char *removed = base + strlen(WHITEOUT_PREFIX);
    g_autofree char *directory = g_strndup(clean, (gsize)(base - clean));
    g_autofree char *path = NULL;

    if (g_str_equal(base, WHITEOUT_OPAQUE)) {
        path = g_strndup(directory, MAX(strlen(directory), 1) - 1);
    } else {
        if (!*removed || g_str_equal(removed, ".") || g_str_equal(removed, ".."))
            return refuse(self, error, name, "removes nothing that has a name");
        path = g_strconcat(directory, removed, NULL);
    }

    char *place = mf_kernel_layout_of_removed(path);
    if (place)
        g_ptr_array_add(self->whiteouts, place);
    return TRUE;
}

static gboolean
handle_entry(MfPackage *self, struct archive_entry *entry, GError **error)
{
    const char *name = archive_entry_pathname(entry);

    if (!count_entry(self, entry, error))
        return FALSE;
    if (!name || strlen(name) > NAME_MAX_LEN)
        return refuse(self, error, name ? name : "?", "has no usable name");

    g_autofree char *clean = clean_name(name);
    if (!clean)
        return refuse(self, error, name, "would be written outside of its directory");
    if (self->in_control)
        return g_str_equal(clean, "control") ? read_control(self, error) : TRUE;

    if (self->whiteouts && !check_layer_entry(self, entry, name, clean, error))
        return FALSE;
    if (self->whiteouts && is_whiteout(clean))
        return add_whiteout(self, name, clean, error);

    g_autofree char *destination = destination_of(self, clean);
    return destination ? take_entry(self, entry, name, destination, error) : TRUE;
}

/* Feeds the current member of the .deb to the tar reader. */
static la_ssize_t
read_member(struct archive *tar, void *data, const void **ret_block)
{
    MfPackage *self = data;
    size_t size = 0;
    la_int64_t offset;
    int outcome = archive_read_data_block(self->file, ret_block, &size, &offset);

    if (outcome == ARCHIVE_EOF)
        return 0;
    if (outcome < ARCHIVE_WARN) {
        const char *why = archive_error_string(self->file);

        archive_set_error(tar, EIO, "%s", why ? why : "a member is damaged");
        return -1;
    }
    return (la_ssize_t)size;
}

/* Goes on to the next member of a .deb. *ret_done at its end. */
static gboolean
next_member(MfPackage *self, gboolean *ret_done, GError **error)
{
    struct archive_entry *entry;
    int outcome = archive_read_next_header(self->file, &entry);

    if (outcome == ARCHIVE_EOF && self->seen_data) {
        *ret_done = TRUE;
        return TRUE;
    }
    if (outcome == ARCHIVE_EOF) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The package '%s' cannot be unpacked: it has no data.tar, so it is cut short "
                    "or no Debian package.",
                    self->path);
        return FALSE;
    }
    if (outcome < ARCHIVE_WARN)
        return damaged(self, error, self->file);

    const char *name = archive_entry_pathname(entry);
    gboolean is_data = name && g_str_has_prefix(name, "data.tar");
    self->in_control = name && g_str_has_prefix(name, "control.tar");
    self->seen_data = self->seen_data || is_data;
    if (!is_data && !self->in_control)
        return TRUE;

    self->tar = reader_new(TRUE);
    archive_read_support_format_tar(self->tar);
    if (archive_read_open(self->tar, self, NULL, read_member, NULL) != ARCHIVE_OK)
        return damaged(self, error, self->tar);
    return TRUE;
}

/* Goes on to the next entry of the tar or cpio archive. */
static gboolean
next_entry(MfPackage *self, gboolean *ret_done, GError **error)
{
    struct archive *files = self->is_deb ? self->tar : self->file;
    struct archive_entry *entry;
    int outcome = archive_read_next_header(files, &entry);

    if (outcome == ARCHIVE_EOF) {
        g_clear_pointer(&self->tar, archive_read_free);
        *ret_done = !self->is_deb;
        return TRUE;
    }
    if (outcome < ARCHIVE_WARN)
        return damaged(self, error, files);
    return handle_entry(self, entry, error);
}

/* Copies a piece of the current entry's content. */
static gboolean
write_some(MfPackage *self, GError **error)
{
    struct archive *files = self->is_deb ? self->tar : self->file;
    g_autofree char *block = g_malloc(READ_BLOCK);

    for (gsize written = 0; written < STEP_BYTES; written += READ_BLOCK) {
        la_ssize_t n = archive_read_data(files, block, READ_BLOCK);
        g_autoptr(GError) write_error = NULL;

        if (n < 0)
            return damaged(self, error, files);
        if (n == 0) {
            mf_fd_clear(&self->output_fd);
            return TRUE;
        }
        if (!mf_fd_write_all(self->output_fd, block, (size_t)n, &write_error)) {
            mf_error_take_foreign(error, MF_ERROR_HOST, g_steal_pointer(&write_error),
                                  "'%s' of the %s cannot be written to the cache", self->output,
                                  self->shown);
            return FALSE;
        }
    }
    return TRUE;
}

gboolean
mf_package_step(MfPackage *self, gboolean *ret_done, GError **error)
{
    gboolean done = FALSE;

    for (guint i = 0; !done && i < STEP_ENTRIES; i++) {
        if (self->output_fd >= 0) {
            *ret_done = FALSE;
            return write_some(self, error);
        }
        if (self->is_deb && !self->tar ? !next_member(self, &done, error)
                                       : !next_entry(self, &done, error))
            return FALSE;
    }
    *ret_done = done;
    return TRUE;
}

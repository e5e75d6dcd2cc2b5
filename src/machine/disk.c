/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

#define WRITABLE_SUFFIX ",writable"

/* A master boot record: code, four partitions, and a signature. */
#define SECTOR_SIZE      512
#define BOOT_CODE_SIZE   440
#define SIGNATURE_OFFSET 510

/* How images begin that are neither qcow2 nor, without a doubt, raw. */
static const struct {
    const char *magic;
    gsize size;
    const char *name;
} foreign_formats[] = {
    {"KDMV", 4, "VMDK"},
    {"# Disk Descriptor", 17, "VMDK"},
    {"vhdxfile", 8, "VHDX"},
    {"conectix", 8, "VHD"},
    {"<<< ", 4, "VDI"},
    {"\x28\xb5\x2f\xfd", 4, "a zstd archive"},
    {"\xfd"
     "7zXZ",
     5, "an xz archive"},
    {"\x1f\x8b\x08", 3, "a gzip archive"},
};

MfDisk *
mf_disk_new(const char *path, const char *format, gboolean writable)
{
    MfDisk *self = g_new0(MfDisk, 1);

    self->path = g_canonicalize_filename(path, NULL);
    self->format = g_strdup(format);
    self->writable = writable;
    return self;
}

MfDisk *
mf_disk_new_optical(const char *path)
{
    MfDisk *self = mf_disk_new(path, "raw", FALSE);

    self->optical = TRUE;
    return self;
}

MfDisk *
mf_disk_copy(const MfDisk *self)
{
    MfDisk *copy = mf_disk_new(self->path, self->format, self->writable);

    copy->optical = self->optical;
    copy->fleeting = self->fleeting;
    return copy;
}

void
mf_disk_free(MfDisk *self)
{
    if (!self)
        return;
    g_free(self->path);
    g_free(self->format);
    g_free(self);
}

MfDisk *
mf_disk_parse(const char *text, GError **error)
{
    gboolean writable = g_str_has_suffix(text, WRITABLE_SUFFIX);
    gsize length = strlen(text) - (writable ? strlen(WRITABLE_SUFFIX) : 0);
    g_autofree char *path = g_strndup(text, length);

    if (*path)
        return mf_disk_new(path, NULL, writable);
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "'%s' is not a disk: expected IMAGE_FILE[" WRITABLE_SUFFIX "].", text);
    return NULL;
}

/* The image's first sector, as much of it as there is; -1 with errno. */
static ssize_t
read_head(const char *path, guint8 head[SECTOR_SIZE])
{
    mf_autofd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;

    if (fd < 0 || fstat(fd, &status) < 0)
        return -1;
    if (!S_ISREG(status.st_mode) && !S_ISBLK(status.st_mode)) {
        errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL;
        return -1;
    }
    return read(fd, head, SECTOR_SIZE);
}

static gboolean
detect_format(MfDisk *self, const guint8 *head, gsize size, GError **error)
{
    for (gsize i = 0; i < G_N_ELEMENTS(foreign_formats); i++) {
        if (size < foreign_formats[i].size ||
            memcmp(head, foreign_formats[i].magic, foreign_formats[i].size) != 0)
            continue;
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The image '%s' is %s, and mayfly takes raw and qcow2 images: unpack it, or "
                    "convert it with 'qemu-img convert -O qcow2'.",
                    self->path, foreign_formats[i].name);
        return FALSE;
    }
    self->format = g_strdup(size >= 4 && memcmp(head, "QFI\xfb", 4) == 0 ? "qcow2" : "raw");
    return TRUE;
}

gboolean
mf_disk_resolve(MfDisk *self, GError **error)
{
    guint8 head[SECTOR_SIZE];
    ssize_t size = read_head(self->path, head);

    if (size < 0 || (self->writable && access(self->path, W_OK) < 0)) {
        mf_error_set_errno(error, MF_ERROR_CONFIG, errno, "The image '%s' cannot be %s", self->path,
                           size < 0 ? "read" : "written to");
        return FALSE;
    }
    if (size == 0) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "The image '%s' is empty.", self->path);
        return FALSE;
    }
    return self->format || detect_format(self, head, (gsize)size, error);
}

gboolean
mf_disk_lacks_boot_code(const MfDisk *self)
{
    static const guint8 none[BOOT_CODE_SIZE];
    guint8 head[SECTOR_SIZE];

    return g_strcmp0(self->format, "raw") == 0 && read_head(self->path, head) == SECTOR_SIZE &&
           head[SIGNATURE_OFFSET] == 0x55 && head[SIGNATURE_OFFSET + 1] == 0xaa &&
           memcmp(head, none, sizeof(none)) == 0;
}

/* In the drive that the machine has, or else in one of a SCSI adapter of its own. */
static void
add_optical(const MfDisk *self, const MfPlatform *platform, const char *id, const char *bootindex,
            MfArgv *argv)
{
    g_autofree char *adapter = g_strconcat("virtio-scsi-", platform->virtio, NULL);
    g_autofree char *bus = g_strconcat(id, "-adapter.0", NULL);
    g_autofree char *adapter_id = g_strconcat(id, "-adapter", NULL);

    mf_argv_add_option(argv, "-drive", "if=none,media=cdrom,readonly=on", "id", id, "file",
                       self->path, "format", self->format, NULL);
    if (platform->has_ide) {
        mf_argv_add_option(argv, "-device", "ide-cd", "drive", id, "bootindex", bootindex, NULL);
        return;
    }
    mf_argv_add_option(argv, "-device", adapter, "id", adapter_id, NULL);
    mf_argv_add_option(argv, "-device", "scsi-cd", "bus", bus, "drive", id, "bootindex", bootindex,
                       NULL);
}

/* Both images by name: where the overlay is does not depend on where it was made. */
static void
add_overlaid(const MfDisk *self, const MfDiskOverlay *overlay, const char *id, MfArgv *argv)
{
    mf_argv_add_option(argv, "-drive", "if=none", "id", id, "file", overlay->path, "format",
                       "qcow2", "backing.driver", self->format, "backing.file.driver", "file",
                       "backing.file.filename", self->path, "snapshot",
                       overlay->frozen ? "on" : "off", NULL);
}

void
mf_disk_add_to_argv(const MfDisk *self, const MfPlatform *platform, guint index, gboolean boots,
                    const MfDiskOverlay *overlay, MfArgv *argv)
{
    g_autofree char *id = g_strdup_printf("disk%u", index);
    g_autofree char *device = g_strconcat("virtio-blk-", platform->virtio, NULL);
    const char *bootindex = boots ? "1" : NULL;

    if (self->optical) {
        add_optical(self, platform, id, bootindex, argv);
        return;
    }
    /* A snapshot is a temporary file of QEMU's that has no name as soon as it is open. */
    if (overlay)
        add_overlaid(self, overlay, id, argv);
    else
        mf_argv_add_option(argv, "-drive", "if=none", "id", id, "file", self->path, "format",
                           self->format, "snapshot", self->writable ? "off" : "on", NULL);
    mf_argv_add_option(argv, "-device", device, "drive", id, "serial", id, "bootindex", bootindex,
                       NULL);
}

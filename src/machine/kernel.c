/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cache.h"
#include "base/error.h"
#include "base/fd.h"
#include "machine/kernel-config.h"
#include "machine/kernel-facts.h"
#include "machine/kernel-format.h"
#include "machine/kernel-place.h"
#include "machine/kernel-store.h"
#include "machine/kernel-unpack.h"

struct MfKernel {
    char *path;      /* owned */
    char *real_path; /* owned: without symbolic links */
    char *id;        /* owned: mf_kernel_store_id() */
    MfKernelFacts facts;
    gboolean scan_failed; /* once is enough: callers that cannot report would try again and again */

    gboolean places_known; /* the next two were looked for */
    char *modules_dir;     /* owned; NULL when there is none */
    char *build_tree;      /* owned; NULL when there is none */
    gboolean index_tried;
    MfModuleIndex *index; /* owned; NULL when there is none */
    gboolean config_tried;
    MfKernelConfig *config; /* owned; NULL when there is none */
};

static gboolean
set_open_error(const char *path, int code_errno, GError **error)
{
    switch (code_errno) {
    case ENOENT:
    case ENOTDIR:
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "Kernel '%s' does not exist ('mayfly kernel list' shows those that were "
                    "pulled).",
                    path);
        break;
    case EACCES:
    case EPERM:
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "Kernel '%s' cannot be read: permission denied. Make it readable for this "
                    "user, or use a copy that is.",
                    path);
        break;
    default:
        mf_error_set_errno(error, MF_ERROR_CONFIG, code_errno, "Kernel '%s' cannot be opened",
                           path);
    }
    return FALSE;
}

/* Points from a build tree to the image in it. */
static gboolean
set_directory_error(const char *path, GError **error)
{
    g_autofree char *image = mf_kernel_place_image_of_tree(path);

    if (image)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "Kernel '%s' is a directory; the image in it is '%s'.", path, image);
    else
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "Kernel '%s' is a directory; name the bzImage, vmlinux or Image itself.", path);
    return FALSE;
}

/* O_NONBLOCK: a FIFO must not make this wait for a writer. */
static int
open_image(const char *path, struct stat *ret_status, GError **error)
{
    mf_autofd fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 || fstat(fd, ret_status) < 0) {
        set_open_error(path, errno, error);
        return -1;
    }
    if (S_ISDIR(ret_status->st_mode)) {
        set_directory_error(path, error);
        return -1;
    }
    if (!S_ISREG(ret_status->st_mode)) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "Kernel '%s' is not a regular file.", path);
        return -1;
    }
    if (ret_status->st_size == 0) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "Kernel '%s' is empty.", path);
        return -1;
    }
    return mf_fd_steal(&fd);
}

/* What is stored about a kernel saves time and nothing else, so a cache that cannot be written is
 * reported by the calls that need it, not here. */
static void
save_facts(MfKernel *self)
{
    g_autofree char *path = mf_kernel_store_path(MF_KERNEL_STORE_FACTS, self->id, ".json", NULL);

    if (path && mf_kernel_facts_save(&self->facts, path, NULL))
        mf_kernel_store_prune(self->id);
}

static gboolean
load_facts(MfKernel *self)
{
    g_autofree char *path = mf_kernel_store_path(MF_KERNEL_STORE_FACTS, self->id, ".json", NULL);

    return path && mf_kernel_facts_load(path, &self->facts);
}

MfKernel *
mf_kernel_open(const char *path, GError **error)
{
    g_autoptr(MfKernel) self = g_new0(MfKernel, 1);
    struct stat status;

    self->path = g_canonicalize_filename(path, NULL);
    mf_autofd fd = open_image(self->path, &status, error);
    if (fd < 0)
        return NULL;

    self->real_path = realpath(self->path, NULL);
    if (!self->real_path)
        self->real_path = g_strdup(self->path);
    self->id = mf_kernel_store_id(self->real_path, &status);
    if (load_facts(self))
        return g_steal_pointer(&self);

    if (!mf_kernel_format_probe(fd, (guint64)status.st_size, self->path, &self->facts, error))
        return NULL;
    save_facts(self);
    return g_steal_pointer(&self);
}

void
mf_kernel_free(MfKernel *self)
{
    if (!self)
        return;
    mf_kernel_config_free(self->config);
    mf_module_index_free(self->index);
    g_free(self->build_tree);
    g_free(self->modules_dir);
    mf_kernel_facts_clear(&self->facts);
    g_free(self->id);
    g_free(self->real_path);
    g_free(self->path);
    g_free(self);
}

/* Works out the facts that need the whole kernel. The image may have been replaced since it was
 * opened: what is then in the file must not be stored as what was opened. */
static gboolean
scan(MfKernel *self, GError **error)
{
    struct stat status;
    mf_autofd fd = open_image(self->path, &status, error);

    if (fd < 0)
        return FALSE;

    g_autofree char *id = mf_kernel_store_id(self->real_path, &status);
    if (!g_str_equal(id, self->id)) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "Kernel '%s' was replaced while mayfly was reading it; run it again.",
                    self->path);
        return FALSE;
    }
    if (!mf_kernel_unpack(fd, (guint64)status.st_size, self->path, self->id, &self->facts, error))
        return FALSE;
    save_facts(self);
    return TRUE;
}

static gboolean
ensure_scanned(MfKernel *self)
{
    if (!self->facts.scanned && !self->scan_failed)
        self->scan_failed = !scan(self, NULL);
    return self->facts.scanned;
}

const char *
mf_kernel_get_path(MfKernel *self)
{
    return self->path;
}

MfKernelFormat
mf_kernel_get_format(MfKernel *self)
{
    return self->facts.format;
}

MfArch
mf_kernel_get_arch(MfKernel *self)
{
    return self->facts.arch;
}

gboolean
mf_kernel_check_arch(MfKernel *self, MfArch arch, GError **error)
{
    if (self->facts.arch == arch)
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "Kernel '%s' is for %s and the machine is %s. Use a kernel for %s, or ask for the "
                "other machine with '--arch %s'.",
                self->path, mf_arch_name(self->facts.arch), mf_arch_name(arch), mf_arch_name(arch),
                mf_arch_name(self->facts.arch));
    return FALSE;
}

const char *
mf_kernel_get_compression(MfKernel *self)
{
    return self->facts.compression;
}

const char *
mf_kernel_get_release(MfKernel *self)
{
    if (!self->facts.release)
        ensure_scanned(self);
    return self->facts.release;
}

gboolean
mf_kernel_has_pvh(MfKernel *self)
{
    return ensure_scanned(self) && self->facts.pvh;
}

static gboolean
is_whole(const char *path, guint64 size)
{
    struct stat status;

    return stat(path, &status) == 0 && S_ISREG(status.st_mode) && (guint64)status.st_size == size;
}

/* The unpacked kernel in the cache, made again when somebody removed it. */
static char *
prepare_unpacked(MfKernel *self, GError **error)
{
    g_autofree char *path =
        mf_kernel_store_path(MF_KERNEL_STORE_IMAGES, self->id, MF_KERNEL_SUFFIX_IMAGE, error);

    if (!path)
        return NULL;
    if (!is_whole(path, self->facts.unpacked_size) && !scan(self, error))
        return NULL;
    return g_steal_pointer(&path);
}

/* Whether QEMU knows how to enter it: of a vmlinux that depends on the architecture. */
static gboolean
check_entry(MfKernel *self, GError **error)
{
    if (self->facts.format != MF_KERNEL_ELF)
        return TRUE;
    switch (self->facts.arch) {
    case MF_ARCH_AARCH64:
    case MF_ARCH_RISCV64:
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "QEMU cannot boot kernel '%s': it takes no vmlinux of %s. Use the Image of the "
                    "same build.",
                    self->path, mf_arch_name(self->facts.arch));
        return FALSE;
    case MF_ARCH_X86_64:
        if (self->facts.pvh)
            return TRUE;
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "QEMU cannot boot kernel '%s': an x86 vmlinux needs a PVH entry (CONFIG_PVH), "
                    "and this one has none. Use the bzImage of the same build.",
                    self->path);
        return FALSE;
    default:
        return TRUE;
    }
}

char *
mf_kernel_prepare_image(MfKernel *self, gboolean keep_image, GError **error)
{
    if (keep_image && self->facts.format == MF_KERNEL_BZIMAGE)
        return g_strdup(self->path);
    if (!self->facts.scanned && !scan(self, error))
        return NULL;
    if (!check_entry(self, error))
        return NULL;
    if (self->facts.unpacked_size == 0)
        return g_strdup(self->path);
    return prepare_unpacked(self, error);
}

static void
ensure_places(MfKernel *self)
{
    if (self->places_known)
        return;
    self->places_known = TRUE;

    const char *release = mf_kernel_get_release(self);
    self->modules_dir = mf_kernel_place_modules_dir(self->real_path, release);
    self->build_tree = mf_kernel_place_build_tree(self->real_path, release);
}

const char *
mf_kernel_get_modules_dir(MfKernel *self)
{
    ensure_places(self);
    return self->modules_dir;
}

const char *
mf_kernel_get_build_tree(MfKernel *self)
{
    ensure_places(self);
    return self->build_tree;
}

const char *
mf_kernel_get_module_source(MfKernel *self)
{
    ensure_places(self);
    if (self->build_tree && mf_module_index_exists(self->build_tree))
        return self->build_tree;
    return self->modules_dir;
}

const MfModuleIndex *
mf_kernel_get_module_index(MfKernel *self)
{
    const char *source = mf_kernel_get_module_source(self);

    if (source && !self->index_tried)
        self->index = mf_module_index_load(source, NULL);
    self->index_tried = TRUE;
    return self->index;
}

const char *
mf_kernel_get_store_id(MfKernel *self)
{
    return self->id;
}

/* The configuration that is in the image itself, once it was looked through. */
static MfKernelConfig *
load_own_config(MfKernel *self)
{
    g_autofree char *path = NULL;

    if (self->facts.has_config)
        path =
            mf_kernel_store_path(MF_KERNEL_STORE_IMAGES, self->id, MF_KERNEL_SUFFIX_CONFIG, NULL);
    return path ? mf_kernel_config_load(path) : NULL;
}

/* What costs nothing comes first: config-<release> says the same as IKCONFIG. A build tree's
 * .config comes last, for it may have been changed since the image was built. */
static MfKernelConfig *
find_config(MfKernel *self)
{
    MfKernelConfig *config = load_own_config(self);
    g_autofree char *path = mf_kernel_place_config(self->real_path, mf_kernel_get_release(self),
                                                   mf_kernel_get_modules_dir(self));

    if (!config && path)
        config = mf_kernel_config_load(path);
    if (!config && ensure_scanned(self))
        config = load_own_config(self);
    if (!config && self->build_tree) {
        g_autofree char *tree_config = g_build_filename(self->build_tree, ".config", NULL);

        config = mf_kernel_config_load(tree_config);
    }
    return config;
}

char
mf_kernel_get_option(MfKernel *self, const char *option)
{
    if (!self->config_tried)
        self->config = find_config(self);
    self->config_tried = TRUE;
    if (self->config)
        return mf_kernel_config_get(self->config, option);

    const MfModuleIndex *index = mf_kernel_get_module_index(self);
    return index ? mf_kernel_config_guess(index, option) : '?';
}

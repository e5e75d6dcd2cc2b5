/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Writes an initramfs (newc, not compressed) to 'fd': 'guest' as /init, the directories that it
 * mounts on, /dev/console and /dev/null, the files 'modules' (paths, in load order) decompressed,
 * and the list of them at MF_INITRAMFS_MODULES. The same input gives the same bytes: no times, no
 * owners, a fixed order. MF_ERROR_HOST, or an error of mf_modules_read().
 */
gboolean mf_initramfs_write(int fd, GBytes *guest, const GPtrArray *modules, GError **error);

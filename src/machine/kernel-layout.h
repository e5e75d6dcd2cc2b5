/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * Which files of a package or of a container image are a kernel's, and where they go in a catalog
 * entry. 'name' is a path in the archive, relative and without "." or "..". The place is relative,
 * too, and NULL for a file that is not a kernel's. Owned by the caller.
 */

/* A distribution's package:
 *
 *   boot/vmlinuz-*  boot/vmlinux-*  boot/config-*
 *   lib/modules/...  (also from below usr/; System.map files are left out)
 */
char *mf_kernel_layout_of_package(const char *name);

/* A container image, which has the same files and these besides, each also below
 * data/kernels/NAME/:
 *
 *   boot/vmlinuz  boot/vmlinux  boot/bzImage  boot/kernel  boot/config
 *   vmlinuz...  vmlinux...  bzImage  kernel  config...  (at the top)
 */
char *mf_kernel_layout_of_image(const char *name);

/* Where what is at or below 'name', a directory or a file of a container image, went to: for
 * removing it. NULL when nothing of a kernel is there. */
char *mf_kernel_layout_of_removed(const char *name);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * What lies around a kernel image. 'image' is its absolute path, without symbolic links; 'release'
 * is the kernel's, or NULL where it is not known. Results are owned by the caller, NULL when there
 * is nothing.
 */

/* The installed module tree: the image's own directory, lib/modules/RELEASE or
 * usr/lib/modules/RELEASE beside or above it (an unpacked package), or the host's. */
char *mf_kernel_place_modules_dir(const char *image, const char *release);

/* The top of the build tree that the image was built in and still lies in. */
char *mf_kernel_place_build_tree(const char *image, const char *release);

/* The image in the build tree 'tree', which need not be one. */
char *mf_kernel_place_image_of_tree(const char *tree);

/* The configuration of exactly this release: config-RELEASE beside the image, in ../boot or in
 * /boot, or 'config' in 'modules_dir' (NULL for none). */
char *mf_kernel_place_config(const char *image, const char *release, const char *modules_dir);

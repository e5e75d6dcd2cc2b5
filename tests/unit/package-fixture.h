/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* Packages that the tests write themselves, well-formed but for what an item makes of them. */

typedef struct {
    const char *name;
    unsigned type;       /* libarchive's AE_IF...; 0 for a regular file */
    const char *content; /* text; NULL for none */
    const char *symlink, *hardlink;
    GBytes *bytes; /* content that is not text */
} FixtureItem;

/* The control file of every .deb, and the version it says. */
#define FIXTURE_PACKAGE_VERSION "6.1.0-1~test"
#define FIXTURE_CONTROL         "Package: linux-image-test\nVersion: " FIXTURE_PACKAGE_VERSION "\n"

/* Writes a .deb with 'items' (up to a NULL name) in a member 'data_name' that is packed with
 * libarchive's 'filter'. */
void
fixture_write_deb(const char *path, int filter, const char *data_name, const FixtureItem *items);

/* The same as an .rpm: its lead, an empty header, and a cpio archive. */
void fixture_write_rpm(const char *path, const FixtureItem *items);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "base/error.h"
#include "machine/catalog.h"

/* A catalog in a temporary cache, with scripts that answer for depmod and apt. */
typedef struct {
    char *directory; /* with the cache in it; $FAKE for the scripts */
    char *kernels;   /* the catalog */
    char *package;   /* where a test writes its package */
    char *path_before;
    GBytes *image; /* a bzImage of FIXTURE_RELEASE */
    GMainLoop *loop;
    GCancellable *cancellable;
    guint cancel_at;       /* the call of progress, from 1, that cancels; 0 for none */
    guint told;            /* how often progress was called */
    MfCatalogEntry *entry; /* what the last add or pull gave, */
    GError *error;         /* or why it failed */
} CatalogFixture;

void catalog_set_up(CatalogFixture *fixture, gconstpointer data);
void catalog_tear_down(CatalogFixture *fixture, gconstpointer data);

/* Run to the end; the outcome is in 'entry' or 'error'. A pull finds its package in 'package', and
 * apt says that it has this version. */
void catalog_add(CatalogFixture *fixture, const char *path, const char *name);
void catalog_add_all(CatalogFixture *fixture, const char *const *paths, const char *name);
void catalog_pull(CatalogFixture *fixture, const char *version);
guint catalog_count_downloads(CatalogFixture *fixture);

/* The usual package: an image, its configuration, and one module without an index. */
void catalog_write_package(CatalogFixture *fixture);

/* The content of a file below the catalog; NULL for a file that is not there. */
void catalog_assert_file(CatalogFixture *fixture, const char *name, const char *expected);

/* How many directories the catalog has, hidden ones included. */
guint catalog_count_directories(CatalogFixture *fixture);

/* That the last add or pull failed so, and left nothing behind. */
void catalog_assert_refused(CatalogFixture *fixture, MfErrorCode code, const char *part);

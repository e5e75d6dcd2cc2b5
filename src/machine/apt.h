/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

/*
 * Kernel packages of Debian and Ubuntu, found and fetched by the distribution's own client: it
 * knows the mirrors, and it checks the signatures. No step needs root, and nothing is installed.
 */
typedef struct {
    char *distribution; /* "debian" */
    char *release;      /* "6.1.0-56-amd64" */
    char *version;      /* of the image's package: "6.1.192-2" */
    char **packages;    /* what to fetch: the image, and packages its modules are split into */
} MfAptKernel;

void mf_apt_kernel_free(MfAptKernel *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfAptKernel, mf_apt_kernel_free)

/* Finds out which packages 'what' means: DISTRIBUTION[/FLAVOUR or /RELEASE or /START-OF-RELEASE].
 */
void mf_apt_resolve_async(const char *what, GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data);

/* Owned by the caller. MF_ERROR_CONFIG (no such distribution; no such kernel, with what there is),
 * MF_ERROR_HOST (no apt on this host; an empty package index), MF_ERROR_REMOTE (apt failed),
 * MF_ERROR_CANCELLED. */
MfAptKernel *mf_apt_resolve_finish(GAsyncResult *result, GError **error);

/* 'fraction' is from 0 to 1. */
typedef void (*MfAptProgressFunc)(double fraction, gpointer user_data);

/* Downloads the packages of 'kernel' into 'directory', which exists and has nothing else in it. */
void
mf_apt_download_async(const MfAptKernel *kernel, const char *directory, MfAptProgressFunc progress,
                      gpointer progress_data, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data);

/* The paths of the .deb files, as many as packages; of strings, owned by the caller.
 * MF_ERROR_HOST, MF_ERROR_REMOTE (with apt's own errors), MF_ERROR_CANCELLED. */
GPtrArray *mf_apt_download_finish(GAsyncResult *result, GError **error);

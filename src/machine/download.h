/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/http.h"

/*
 * A file of a server whose SHA-256 is known beforehand, fetched into the cache's section
 * "downloads". A transfer that breaks goes on from where it was, also in another process: what
 * was fetched is kept under its sum. What it then is decides the sum, not the server.
 */
typedef struct MfDownload MfDownload;

/* 'sha256' is in lower-case hexadecimal; 'size' in bytes, 0 when it is not known, and then at most
 * 'max'; 'shown' is what messages call it: "layer sha256:12ab of 'oci://...'". MF_ERROR_HOST, also
 * when another process is fetching it. */
MfDownload *
mf_download_new(const char *sha256, guint64 size, guint64 max, const char *shown, GError **error);

/* Removes the file, unless it is to be kept. */
void mf_download_free(MfDownload *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfDownload, mf_download_free)

/* Leaves what is there for a later download of the same. */
void mf_download_keep(MfDownload *self);

/* The path of the file. Borrowed. */
const char *mf_download_get_path(MfDownload *self);

/* Called with the bytes that are there. */
typedef void (*MfDownloadProgressFunc)(guint64 received, gpointer user_data);

/* Fetches 'url' (see MfHttpRequest for 'authorization'). One that failed can be run again. */
void
mf_download_run_async(MfDownload *self, MfHttp *http, const char *url, const char *authorization,
                      MfDownloadProgressFunc progress, gpointer progress_data,
                      GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);

/* Whether the whole file is there, as it should be. MF_ERROR_PROTOCOL (another sum, another size),
 * MF_ERROR_LOST and MF_ERROR_REMOTE (see mf_http_get_finish(); a status that is no success),
 * MF_ERROR_HOST, MF_ERROR_CANCELLED. *ret_status is the server's last, also on failure; 0 for none.
 */
gboolean mf_download_run_finish(GAsyncResult *result, guint *ret_status, GError **error);

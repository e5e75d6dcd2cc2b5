/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/download.h"
#include "machine/oci-manifest.h"
#include "machine/oci-reference.h"

/*
 * A registry, asked for one image by the OCI distribution specification. Where it wants a token,
 * one is fetched from where its challenge says: with the user's credentials (oci-credentials.h)
 * where there are some, or else the one for anybody. Where it wants credentials it is sent them.
 */
typedef struct MfOciRegistry MfOciRegistry;

/* 'shown' is what messages call the image. MF_ERROR_HOST when there is no libcurl. */
MfOciRegistry *
mf_oci_registry_new(const MfOciReference *reference, const char *shown, GError **error);
void mf_oci_registry_free(MfOciRegistry *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfOciRegistry, mf_oci_registry_free)

/* Asks for the document of that tag or sum; where 'wanted' is a sum, it is what the document has.
 */
void mf_oci_registry_get_manifest_async(MfOciRegistry *self, const char *wanted,
                                        GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data);

/* The document, owned by the caller. MF_ERROR_CONFIG (no such image), MF_ERROR_REMOTE,
 * MF_ERROR_LOST, MF_ERROR_PROTOCOL, MF_ERROR_CANCELLED. */
GBytes *mf_oci_registry_get_manifest_finish(GAsyncResult *result, GError **error);

/* Runs a download of the blob 'digest'; see mf_download_run_async(). */
void mf_oci_registry_download_async(MfOciRegistry *self, MfDownload *download, const char *digest,
                                    MfDownloadProgressFunc progress, gpointer progress_data,
                                    GCancellable *cancellable, GAsyncReadyCallback callback,
                                    gpointer user_data);
gboolean mf_oci_registry_download_finish(GAsyncResult *result, GError **error);

/* The URL to ask for a token by the challenge 'header' (a value of WWW-Authenticate) of a server at
 * 'base'; NULL when it is no Bearer challenge, or one that would have the token sent over http by
 * a server that is reached by https. Owned by the caller. */
char *mf_oci_challenge_url(const char *header, const char *base);

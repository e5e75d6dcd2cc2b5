/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "machine/arch.h"

/*
 * What a registry says of an image: an index of the images for several platforms, or the layers of
 * one. The documents are of OCI's or of Docker's types, which have the same members, and come from
 * a server: each has a cap, and sums are of a form that can be a file name.
 */

/* A document is at most so long. */
#define MF_OCI_MANIFEST_MAX (4U << 20)

/* So many layers, and so many bytes of all of them, compressed. */
#define MF_OCI_LAYERS_MAX       128
#define MF_OCI_LAYERS_BYTES_MAX (G_GUINT64_CONSTANT(4) << 30)

/* The media types to ask for. */
#define MF_OCI_MANIFEST_TYPES                                                                      \
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "        \
    "application/vnd.docker.distribution.manifest.list.v2+json, "                                  \
    "application/vnd.docker.distribution.manifest.v2+json"

typedef struct {
    char *digest; /* "sha256:..." */
    guint64 size; /* in bytes, compressed */
} MfOciLayer;

/* Either the image to ask for next, or the layers. */
typedef struct {
    char *image;       /* "sha256:..."; NULL when this has the layers */
    GPtrArray *layers; /* of MfOciLayer, the lowest first; NULL when this is an index */
} MfOciManifest;

void mf_oci_manifest_free(MfOciManifest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfOciManifest, mf_oci_manifest_free)

/* Reads a document; of an index, the image for Linux on 'arch' counts. 'shown' names the image in
 * messages. MF_ERROR_PROTOCOL (not such a document; a cap), MF_ERROR_CONFIG (no image for 'arch',
 * with those that there are; no layers that can be unpacked). Owned by the caller. */
MfOciManifest *
mf_oci_manifest_parse(GBytes *document, MfArch arch, const char *shown, GError **error);

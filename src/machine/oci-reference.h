/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The name of an image in a registry: oci://REGISTRY[:PORT]/NAME[:TAG][@sha256:SUM]. It is reached
 * by https; by http on this host, and where the name starts with oci+http:// instead.
 */
typedef struct {
    char *base;       /* "https://registry.example:5000" */
    char *repository; /* "kernels/ci" */
    char *tag;        /* "6.6"; "latest" when neither is given, NULL when only a sum is */
    char *digest;     /* "sha256:..."; NULL when none is given */
} MfOciReference;

/* Whether 'text' means to be one. */
gboolean mf_oci_reference_recognise(const char *text);

/* MF_ERROR_CONFIG. Owned by the caller. */
MfOciReference *mf_oci_reference_parse(const char *text, GError **error);
void mf_oci_reference_free(MfOciReference *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfOciReference, mf_oci_reference_free)

/* The name of a catalog entry for it: the last part of the repository's name, and the tag or the
 * start of the sum, such as "ci/6.6". Owned by the caller. */
char *mf_oci_reference_entry_name(const MfOciReference *self);

/* Whether 'text' is "sha256:" and 64 digits in lower-case hexadecimal: the one algorithm that
 * registries use, and that mayfly checks. */
gboolean mf_oci_digest_is_valid(const char *text);

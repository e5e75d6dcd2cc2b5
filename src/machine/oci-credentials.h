/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The user's credentials for a registry, from the file that tools for containers keep: the one that
 * REGISTRY_AUTH_FILE names, else config.json in $DOCKER_CONFIG or ~/.docker. Only what is in its
 * "auths" is used; no program that keeps credentials (credHelpers, credsStore) is asked. No message
 * has anything of what is in the file but names of registries.
 */

#define MF_OCI_CREDENTIALS_ENV "REGISTRY_AUTH_FILE"

/* The file is at most so long. */
#define MF_OCI_CREDENTIALS_MAX (1U << 20)

/* "USER:PASSWORD" has at most so many bytes. */
#define MF_OCI_CREDENTIALS_SECRET_MAX 8192

/* Whose file it is. Owned by the caller. */
char *mf_oci_credentials_get_path(void);

/* The value of an Authorization header for 'repository' ("kernels/ci") of 'registry'
 * ("registry.example:5000"), owned by the caller; NULL when the file has none, or, unless
 * REGISTRY_AUTH_FILE names it, is not there. The longest name that fits counts: of the repository,
 * of what it is in, of the registry. MF_ERROR_CONFIG when the file cannot be read or understood. */
gboolean mf_oci_credentials_find(const char *registry, const char *repository,
                                 char **ret_authorization, GError **error);

/* The same of a file's text; FALSE when that is no such file, or its entry is none. A pure
 * function. */
gboolean mf_oci_credentials_parse(const char *text, gsize size, const char *registry,
                                  const char *repository, char **ret_authorization);

/* Whether a secret may be sent to 'url': by https, or to this host. */
gboolean mf_oci_credentials_may_go_to(const char *url);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The list of sums that lies beside the packages of Ubuntu's builds of Linus' kernels: lines of a
 * sum and a file name. Those of SHA-256 count.
 */
typedef struct {
    char *name;   /* "linux-image-unsigned-...deb": no directory */
    char *path;   /* as the list has it, below the list's own directory */
    char *sha256; /* in lower-case hexadecimal */
} MfMainlineFile;

typedef struct {
    GPtrArray *files; /* of MfMainlineFile: the image first, then its modules */
    char *version;    /* of the image's package */
} MfMainlineList;

/* The generic kernel for Debian's architecture 'arch' ("amd64") in the list 'text'. Owned by the
 * caller; NULL when there is none. */
MfMainlineList *mf_mainline_list_parse(const char *text, const char *arch);
void mf_mainline_list_free(MfMainlineList *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfMainlineList, mf_mainline_list_free)

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* One function of a shared library, and where its address goes: an offset into the caller's table.
 */
typedef struct {
    const char *name;
    gsize offset;
} MfLazySymbol;

/* Loads the shared library 'file_name' for the rest of the program's life and fills 'table'.
 * MF_ERROR_HOST, with 'package' as the one to install, when it is missing or lacks a function. */
gboolean
mf_lazy_library_load(const char *file_name, const char *package, const MfLazySymbol *symbols,
                     gsize n_symbols, gpointer table, GError **error);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/module-index.h"

/*
 * The files of the modules 'names' (NULL-terminated) and of all that they need, in an order in
 * which they can be loaded: a module comes after those it depends on. Built-in ones are left out.
 * Soft dependencies are taken along where there are any. Through libkmod, by what the modules say
 * about themselves. Owned by the caller; elements are paths.
 *
 * MF_ERROR_CONFIG when a module is missing or its file is no module, MF_ERROR_HOST when libkmod
 * cannot work.
 */
GPtrArray *mf_modules_resolve(const MfModuleIndex *index, const char *const *names, GError **error);

#define MF_MODULE_SIZE_MAX (64 * 1024 * 1024)

/* The content of a module's file, decompressed. MF_ERROR_CONFIG, MF_ERROR_HOST. */
GBytes *mf_modules_read(const char *path, GError **error);

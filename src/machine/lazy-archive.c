/* SPDX-License-Identifier: Apache-2.0 */
#define MF_LAZY_LIBRARY_TABLE
#include "machine/lazy-archive.h"

#include "machine/lazy-library.h"

MfLazyArchive mf_lazy_archive;

gboolean
mf_lazy_archive_load(GError **error)
{
    static const MfLazySymbol symbols[] = {
#define SYMBOL(name) {#name, G_STRUCT_OFFSET(MfLazyArchive, name)},
        MF_LAZY_ARCHIVE_FUNCTIONS(SYMBOL)
#undef SYMBOL
    };
    static gboolean loaded;

    if (!loaded)
        loaded = mf_lazy_library_load("libarchive.so.13", "libarchive13", symbols,
                                      G_N_ELEMENTS(symbols), &mf_lazy_archive, error);
    return loaded;
}

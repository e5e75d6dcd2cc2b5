/* SPDX-License-Identifier: Apache-2.0 */
#define MF_LAZY_LIBRARY_TABLE
#include "machine/lazy-kmod.h"

#include "machine/lazy-library.h"

MfLazyKmod mf_lazy_kmod;

gboolean
mf_lazy_kmod_load(GError **error)
{
    static const MfLazySymbol symbols[] = {
#define SYMBOL(name) {#name, G_STRUCT_OFFSET(MfLazyKmod, name)},
        MF_LAZY_KMOD_FUNCTIONS(SYMBOL)
#undef SYMBOL
    };
    static gboolean loaded;

    if (!loaded)
        loaded = mf_lazy_library_load("libkmod.so.2", "libkmod2", symbols, G_N_ELEMENTS(symbols),
                                      &mf_lazy_kmod, error);
    return loaded;
}

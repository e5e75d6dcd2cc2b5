/* SPDX-License-Identifier: Apache-2.0 */
#define MF_LAZY_LIBRARY_TABLE
#include "machine/lazy-curl.h"

#include "machine/lazy-library.h"

MfLazyCurl mf_lazy_curl;

gboolean
mf_lazy_curl_load(GError **error)
{
    static const MfLazySymbol symbols[] = {
#define SYMBOL(name) {#name, G_STRUCT_OFFSET(MfLazyCurl, name)},
        MF_LAZY_CURL_FUNCTIONS(SYMBOL)
#undef SYMBOL
    };
    static gboolean loaded;

    if (!loaded) {
        loaded = mf_lazy_library_load("libcurl.so.4", "libcurl4", symbols, G_N_ELEMENTS(symbols),
                                      &mf_lazy_curl, error);
        if (loaded)
            mf_lazy_curl.curl_global_init(CURL_GLOBAL_DEFAULT);
    }
    return loaded;
}

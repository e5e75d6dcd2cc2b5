/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/lazy-library.h"

#include <dlfcn.h>

#include "base/error.h"

gboolean
mf_lazy_library_load(const char *file_name, const char *package, const MfLazySymbol *symbols,
                     gsize n_symbols, gpointer table, GError **error)
{
    void *library = dlopen(file_name, RTLD_LAZY | RTLD_LOCAL);

    if (!library) {
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "The library '%s' cannot be loaded (%s): install it (Debian: %s).", file_name,
                    dlerror(), package);
        return FALSE;
    }
    for (gsize i = 0; i < n_symbols; i++) {
        void *address = dlsym(library, symbols[i].name);

        if (!address) {
            g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                        "The library '%s' has no '%s': it is too old.", file_name, symbols[i].name);
            dlclose(library);
            return FALSE;
        }
        *(void **)((char *)table + symbols[i].offset) = address;
    }
    return TRUE;
}

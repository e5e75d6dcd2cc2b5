/* SPDX-License-Identifier: Apache-2.0 */
#define MF_LAZY_LIBRARY_TABLE
#include "machine/lazy-libvirt.h"

#include "machine/lazy-library.h"

MfLazyLibvirt mf_lazy_libvirt;

/* It would be on the standard error, and the caller gets it anyway. */
static void
say_nothing(void *data, virErrorPtr error)
{
}

static gboolean
load(GError **error)
{
#define SYMBOL(name) {#name, G_STRUCT_OFFSET(MfLazyLibvirt, name)},
    static const MfLazySymbol symbols[] = {MF_LAZY_LIBVIRT_FUNCTIONS(SYMBOL)};
    static const MfLazySymbol qemu_symbols[] = {MF_LAZY_LIBVIRT_QEMU_FUNCTIONS(SYMBOL)};
    static const MfLazySymbol glib_symbols[] = {MF_LAZY_LIBVIRT_GLIB_FUNCTIONS(SYMBOL)};
#undef SYMBOL

    return mf_lazy_library_load("libvirt.so.0", "libvirt0", symbols, G_N_ELEMENTS(symbols),
                                &mf_lazy_libvirt, error) &&
           mf_lazy_library_load("libvirt-qemu.so.0", "libvirt0", qemu_symbols,
                                G_N_ELEMENTS(qemu_symbols), &mf_lazy_libvirt, error) &&
           mf_lazy_library_load("libvirt-glib-1.0.so.0", "libvirt-glib-1.0-0", glib_symbols,
                                G_N_ELEMENTS(glib_symbols), &mf_lazy_libvirt, error);
}

gboolean
mf_lazy_libvirt_load(GError **error)
{
    static gboolean loaded;

    if (loaded)
        return TRUE;
    if (!load(error))
        return FALSE;
    mf_lazy_libvirt.gvir_event_register();
    mf_lazy_libvirt.virSetErrorFunc(NULL, say_nothing);
    loaded = TRUE;
    return TRUE;
}

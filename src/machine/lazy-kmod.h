/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <libkmod.h>

/*
 * libkmod, loaded when it is first needed, as libarchive is (see lazy-archive.h).
 *
 * Include this instead of the library's headers, and call mf_lazy_kmod_load() before the first
 * call.
 */
#define MF_LAZY_KMOD_FUNCTIONS(X)                                                                  \
    X(kmod_list_next)                                                                              \
    X(kmod_module_get_info)                                                                        \
    X(kmod_module_info_free_list)                                                                  \
    X(kmod_module_info_get_key)                                                                    \
    X(kmod_module_info_get_value)                                                                  \
    X(kmod_module_new_from_path)                                                                   \
    X(kmod_module_unref)                                                                           \
    X(kmod_new)                                                                                    \
    X(kmod_set_log_fn)                                                                             \
    X(kmod_unref)

typedef struct {
#define MEMBER(name) __typeof__(name) *name;
    MF_LAZY_KMOD_FUNCTIONS(MEMBER)
#undef MEMBER
} MfLazyKmod;

extern MfLazyKmod mf_lazy_kmod;

/* Loads the library, once. MF_ERROR_HOST when this host does not have it. */
gboolean mf_lazy_kmod_load(GError **error);

/* The table's own file needs the names as they are. */
#ifndef MF_LAZY_LIBRARY_TABLE
#define kmod_list_next             mf_lazy_kmod.kmod_list_next
#define kmod_module_get_info       mf_lazy_kmod.kmod_module_get_info
#define kmod_module_info_free_list mf_lazy_kmod.kmod_module_info_free_list
#define kmod_module_info_get_key   mf_lazy_kmod.kmod_module_info_get_key
#define kmod_module_info_get_value mf_lazy_kmod.kmod_module_info_get_value
#define kmod_module_new_from_path  mf_lazy_kmod.kmod_module_new_from_path
#define kmod_module_unref          mf_lazy_kmod.kmod_module_unref
#define kmod_new                   mf_lazy_kmod.kmod_new
#define kmod_set_log_fn            mf_lazy_kmod.kmod_set_log_fn
#define kmod_unref                 mf_lazy_kmod.kmod_unref
#endif

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The library's macros around its variadic functions would get in the way of the table's. */
#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#undef curl_easy_getinfo
#undef curl_easy_setopt
#undef curl_multi_setopt

/*
 * libcurl, loaded when it is first needed, as libarchive is (see lazy-archive.h): no run fetches
 * anything.
 *
 * Include this instead of the library's headers, and call mf_lazy_curl_load() before the first
 * call.
 */
#define MF_LAZY_CURL_FUNCTIONS(X)                                                                  \
    X(curl_easy_cleanup)                                                                           \
    X(curl_easy_getinfo)                                                                           \
    X(curl_easy_init)                                                                              \
    X(curl_easy_setopt)                                                                            \
    X(curl_easy_strerror)                                                                          \
    X(curl_global_init)                                                                            \
    X(curl_multi_add_handle)                                                                       \
    X(curl_multi_assign)                                                                           \
    X(curl_multi_cleanup)                                                                          \
    X(curl_multi_info_read)                                                                        \
    X(curl_multi_init)                                                                             \
    X(curl_multi_remove_handle)                                                                    \
    X(curl_multi_setopt)                                                                           \
    X(curl_multi_socket_action)                                                                    \
    X(curl_slist_append)                                                                           \
    X(curl_slist_free_all)

typedef struct {
#define MEMBER(name) __typeof__(name) *name;
    MF_LAZY_CURL_FUNCTIONS(MEMBER)
#undef MEMBER
} MfLazyCurl;

extern MfLazyCurl mf_lazy_curl;

/* Loads the library, once. MF_ERROR_HOST when this host does not have it. */
gboolean mf_lazy_curl_load(GError **error);

/* The table's own file needs the names as they are. */
#ifndef MF_LAZY_LIBRARY_TABLE
#define curl_easy_cleanup        mf_lazy_curl.curl_easy_cleanup
#define curl_easy_getinfo        mf_lazy_curl.curl_easy_getinfo
#define curl_easy_init           mf_lazy_curl.curl_easy_init
#define curl_easy_setopt         mf_lazy_curl.curl_easy_setopt
#define curl_easy_strerror       mf_lazy_curl.curl_easy_strerror
#define curl_global_init         mf_lazy_curl.curl_global_init
#define curl_multi_add_handle    mf_lazy_curl.curl_multi_add_handle
#define curl_multi_assign        mf_lazy_curl.curl_multi_assign
#define curl_multi_cleanup       mf_lazy_curl.curl_multi_cleanup
#define curl_multi_info_read     mf_lazy_curl.curl_multi_info_read
#define curl_multi_init          mf_lazy_curl.curl_multi_init
#define curl_multi_remove_handle mf_lazy_curl.curl_multi_remove_handle
#define curl_multi_setopt        mf_lazy_curl.curl_multi_setopt
#define curl_multi_socket_action mf_lazy_curl.curl_multi_socket_action
#define curl_slist_append        mf_lazy_curl.curl_slist_append
#define curl_slist_free_all      mf_lazy_curl.curl_slist_free_all
#endif

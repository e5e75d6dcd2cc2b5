/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <glib.h>

/*
 * libarchive, loaded when it is first needed: with what it depends on, its start costs several
 * milliseconds and megabytes, and a run whose kernel is in the cache needs none of it.
 *
 * Include this instead of the library's headers, and call mf_lazy_archive_load() before the first
 * call.
 */
#define MF_LAZY_ARCHIVE_FUNCTIONS(X)                                                               \
    X(archive_entry_filetype)                                                                      \
    X(archive_entry_free)                                                                          \
    X(archive_entry_hardlink)                                                                      \
    X(archive_entry_new)                                                                           \
    X(archive_entry_pathname)                                                                      \
    X(archive_entry_set_mode)                                                                      \
    X(archive_entry_set_mtime)                                                                     \
    X(archive_entry_set_nlink)                                                                     \
    X(archive_entry_set_pathname)                                                                  \
    X(archive_entry_set_rdevmajor)                                                                 \
    X(archive_entry_set_rdevminor)                                                                 \
    X(archive_entry_set_size)                                                                      \
    X(archive_entry_size)                                                                          \
    X(archive_entry_symlink)                                                                       \
    X(archive_errno)                                                                               \
    X(archive_error_string)                                                                        \
    X(archive_filter_bytes)                                                                        \
    X(archive_filter_code)                                                                         \
    X(archive_read_data)                                                                           \
    X(archive_read_data_block)                                                                     \
    X(archive_read_free)                                                                           \
    X(archive_read_new)                                                                            \
    X(archive_read_next_header)                                                                    \
    X(archive_read_open)                                                                           \
    X(archive_read_open_filename)                                                                  \
    X(archive_read_support_filter_bzip2)                                                           \
    X(archive_read_support_filter_gzip)                                                            \
    X(archive_read_support_filter_lz4)                                                             \
    X(archive_read_support_filter_lzma)                                                            \
    X(archive_read_support_filter_lzop)                                                            \
    X(archive_read_support_filter_rpm)                                                             \
    X(archive_read_support_filter_xz)                                                              \
    X(archive_read_support_filter_zstd)                                                            \
    X(archive_read_support_format_ar)                                                              \
    X(archive_read_support_format_cpio)                                                            \
    X(archive_read_support_format_raw)                                                             \
    X(archive_read_support_format_tar)                                                             \
    X(archive_set_error)                                                                           \
    X(archive_write_close)                                                                         \
    X(archive_write_data)                                                                          \
    X(archive_write_free)                                                                          \
    X(archive_write_header)                                                                        \
    X(archive_write_new)                                                                           \
    X(archive_write_open_fd)                                                                       \
    X(archive_write_set_bytes_in_last_block)                                                       \
    X(archive_write_set_format_cpio_newc)

typedef struct {
#define MEMBER(name) __typeof__(name) *name;
    MF_LAZY_ARCHIVE_FUNCTIONS(MEMBER)
#undef MEMBER
} MfLazyArchive;

extern MfLazyArchive mf_lazy_archive;

/* Loads the library, once. MF_ERROR_HOST when this host does not have it. */
gboolean mf_lazy_archive_load(GError **error);

/* The table's own file needs the names as they are. */
#ifndef MF_LAZY_LIBRARY_TABLE
#define archive_entry_filetype                mf_lazy_archive.archive_entry_filetype
#define archive_entry_free                    mf_lazy_archive.archive_entry_free
#define archive_entry_hardlink                mf_lazy_archive.archive_entry_hardlink
#define archive_entry_new                     mf_lazy_archive.archive_entry_new
#define archive_entry_pathname                mf_lazy_archive.archive_entry_pathname
#define archive_entry_set_mode                mf_lazy_archive.archive_entry_set_mode
#define archive_entry_set_mtime               mf_lazy_archive.archive_entry_set_mtime
#define archive_entry_set_nlink               mf_lazy_archive.archive_entry_set_nlink
#define archive_entry_set_pathname            mf_lazy_archive.archive_entry_set_pathname
#define archive_entry_set_rdevmajor           mf_lazy_archive.archive_entry_set_rdevmajor
#define archive_entry_set_rdevminor           mf_lazy_archive.archive_entry_set_rdevminor
#define archive_entry_set_size                mf_lazy_archive.archive_entry_set_size
#define archive_entry_size                    mf_lazy_archive.archive_entry_size
#define archive_entry_symlink                 mf_lazy_archive.archive_entry_symlink
#define archive_errno                         mf_lazy_archive.archive_errno
#define archive_error_string                  mf_lazy_archive.archive_error_string
#define archive_filter_bytes                  mf_lazy_archive.archive_filter_bytes
#define archive_filter_code                   mf_lazy_archive.archive_filter_code
#define archive_read_data                     mf_lazy_archive.archive_read_data
#define archive_read_data_block               mf_lazy_archive.archive_read_data_block
#define archive_read_free                     mf_lazy_archive.archive_read_free
#define archive_read_new                      mf_lazy_archive.archive_read_new
#define archive_read_next_header              mf_lazy_archive.archive_read_next_header
#define archive_read_open                     mf_lazy_archive.archive_read_open
#define archive_read_open_filename            mf_lazy_archive.archive_read_open_filename
#define archive_read_support_filter_bzip2     mf_lazy_archive.archive_read_support_filter_bzip2
#define archive_read_support_filter_gzip      mf_lazy_archive.archive_read_support_filter_gzip
#define archive_read_support_filter_lz4       mf_lazy_archive.archive_read_support_filter_lz4
#define archive_read_support_filter_lzma      mf_lazy_archive.archive_read_support_filter_lzma
#define archive_read_support_filter_lzop      mf_lazy_archive.archive_read_support_filter_lzop
#define archive_read_support_filter_rpm       mf_lazy_archive.archive_read_support_filter_rpm
#define archive_read_support_filter_xz        mf_lazy_archive.archive_read_support_filter_xz
#define archive_read_support_filter_zstd      mf_lazy_archive.archive_read_support_filter_zstd
#define archive_read_support_format_ar        mf_lazy_archive.archive_read_support_format_ar
#define archive_read_support_format_cpio      mf_lazy_archive.archive_read_support_format_cpio
#define archive_read_support_format_raw       mf_lazy_archive.archive_read_support_format_raw
#define archive_read_support_format_tar       mf_lazy_archive.archive_read_support_format_tar
#define archive_set_error                     mf_lazy_archive.archive_set_error
#define archive_write_close                   mf_lazy_archive.archive_write_close
#define archive_write_data                    mf_lazy_archive.archive_write_data
#define archive_write_free                    mf_lazy_archive.archive_write_free
#define archive_write_header                  mf_lazy_archive.archive_write_header
#define archive_write_new                     mf_lazy_archive.archive_write_new
#define archive_write_open_fd                 mf_lazy_archive.archive_write_open_fd
#define archive_write_set_bytes_in_last_block mf_lazy_archive.archive_write_set_bytes_in_last_block
#define archive_write_set_format_cpio_newc    mf_lazy_archive.archive_write_set_format_cpio_newc
#endif

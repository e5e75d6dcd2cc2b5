/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "wire/qmp.h"

/*
 * A dump of a guest's memory into a file, for crash(8) or gdb: kdump, or ELF where QEMU cannot
 * write that. A guest that runs stands still meanwhile.
 */

/* The endings of the file's name. */
#define MF_MEMORY_DUMP_KDUMP ".kdump"
#define MF_MEMORY_DUMP_ELF   ".elf"

/* Writes it to 'path' and one of the endings, in a directory that is made if need be. Takes at most
 * two minutes. On failure there is no file: MF_ERROR_HOST, MF_ERROR_REMOTE, MF_ERROR_TIMEOUT,
 * MF_ERROR_CANCELLED, ... */
void mf_memory_dump_async(MfQmp *qmp, const char *path, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data);

/* The file's path, and what is in it ("kdump, 20M on the disk"), both owned by the caller. */
gboolean mf_memory_dump_finish(MfQmp *qmp, GAsyncResult *result, char **ret_path,
                               char **ret_description, GError **error);

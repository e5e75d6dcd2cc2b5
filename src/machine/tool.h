/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "base/argv.h"

/*
 * A program of the host's that is run to its end for what it prints: a package client, depmod.
 */

/* More standard output than this (bytes) from a tool is an error, not memory. */
#define MF_TOOL_OUTPUT_MAX (4U << 20)

/* A line of the tool's status descriptor, without its newline. */
typedef void (*MfToolStatusFunc)(const char *line, gpointer user_data);

/* The descriptor under which a tool finds its status pipe when it is given a status function. */
#define MF_TOOL_STATUS_FD 3

/*
 * Starts 'argv'. 'on_status' (NULL for none) is called for each line that the tool writes to
 * MF_TOOL_STATUS_FD, until the completion. Cancelling sends TERM, then KILL, and completes when the
 * tool is gone. 'name' is what messages call the tool (argv may start with env(1)).
 */
void mf_tool_run_async(const char *name, const MfArgv *argv, MfToolStatusFunc on_status,
                       gpointer status_data, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data);

/* What the tool wrote to its standard output, owned by the caller; its bytes are the tool's own.
 * MF_ERROR_HOST (cannot be started), MF_ERROR_REMOTE (a status other than 0, or a signal; with the
 * end of its standard error), MF_ERROR_PROTOCOL (too much output), MF_ERROR_CANCELLED. */
char *mf_tool_run_finish(GAsyncResult *result, GError **error);

/* The path of a program of the administrator's, which ordinary users often do not have in PATH:
 * PATH, then /usr/sbin and /sbin. NULL when there is none. Owned by the caller. */
char *mf_tool_find(const char *program);

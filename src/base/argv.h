/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A command line under construction. Errors made while it is built (a NUL or an empty program)
 * cannot occur by construction; values with commas are escaped for QEMU by
 * mf_argv_add_option().
 */
typedef struct MfArgv MfArgv;

MfArgv *mf_argv_new(const char *program);
void mf_argv_free(MfArgv *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfArgv, mf_argv_free)

/* Appends one argument, or a NULL-terminated list of them, verbatim. */
void mf_argv_add(MfArgv *self, const char *argument);
void mf_argv_add_many(MfArgv *self, ...) G_GNUC_NULL_TERMINATED;
void mf_argv_addf(MfArgv *self, const char *format, ...) G_GNUC_PRINTF(2, 3);
void mf_argv_add_strv(MfArgv *self, const char *const *arguments);

/*
 * Appends an option of QEMU's ("-device"), and its value: 'head' (NULL for none), then "name=value"
 * pairs up to a NULL name, all joined by commas; commas in values are doubled as QEMU wants them. A
 * pair whose value is NULL is left out, so an optional property is written as a conditional
 * expression. The list ends with a single NULL in the place of a name.
 */
void
mf_argv_add_option(MfArgv *self, const char *option, const char *head, ...) G_GNUC_NULL_TERMINATED;

/* NULL-terminated, owned by 'self', valid until the next call that adds. */
const char *const *mf_argv_get(const MfArgv *self);
const char *mf_argv_get_program(const MfArgv *self);

/* Shell-quoted, one option with its values per line: for people, logs and golden files. Owned by
 * the caller. */
char *mf_argv_to_lines(const MfArgv *self);

/* 'value' with every comma doubled. Owned by the caller. */
char *mf_argv_escape_value(const char *value);

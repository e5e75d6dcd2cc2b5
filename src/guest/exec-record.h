/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The command record of wire/guest-protocol.h, read and checked.
 */
#define MFG_EXEC_RECORD_MAX (16u << 20)

enum mfg_exec_stream { MFG_EXEC_STREAM, MFG_EXEC_NULL, MFG_EXEC_CLOSED };

struct mfg_exec_record {
    char *data;          /* owned copy; the strings below are in it */
    char **argv, **envp; /* owned, NULL-terminated; argv is empty when one of these is set: */
    const char *shell;   /* or NULL */
    const char *login;   /* or NULL */
    const char *path;    /* the command's PATH, or NULL */
    const char *workdir; /* or NULL */
    const char *user;    /* or NULL */
    bool tty;
    uint16_t rows, columns;
    enum mfg_exec_stream streams[3];
};

/* Returns false with one sentence in 'reason'. */
bool mfg_exec_record_parse(const char *data, size_t size, struct mfg_exec_record *ret_record,
                           char *reason, size_t reason_size);

/* The same for a record that has other fields as well: field(data, key, length, value) is asked
 * about those that a command does not have, and returns false for a bad one. What it keeps of
 * 'value' lives as long as the record. */
bool mfg_exec_record_parse_with(const char *data, size_t size,
                                bool (*field)(void *field_data, const char *key, size_t length,
                                              const char *value),
                                void *field_data, struct mfg_exec_record *ret_record, char *reason,
                                size_t reason_size);
void mfg_exec_record_clear(struct mfg_exec_record *record);

/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/exec-record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/guest-protocol.h"
#include "wire/record.h"

static bool
read_stream(const char *value, bool may_be_null, enum mfg_exec_stream *ret_stream)
{
    if (strcmp(value, "stream") == 0)
        *ret_stream = MFG_EXEC_STREAM;
    else if (strcmp(value, "closed") == 0)
        *ret_stream = MFG_EXEC_CLOSED;
    else if (may_be_null && strcmp(value, "null") == 0)
        *ret_stream = MFG_EXEC_NULL;
    else
        return false;
    return true;
}

static bool
read_tty(const char *value, struct mfg_exec_record *record)
{
    unsigned int rows, columns;
    int end = 0;

    if (strspn(value, "0123456789x") != strlen(value) ||
        sscanf(value, "%5ux%5u%n", &rows, &columns, &end) != 2 || value[end] || rows > UINT16_MAX ||
        columns > UINT16_MAX)
        return false;
    record->tty = true;
    record->rows = (uint16_t)rows;
    record->columns = (uint16_t)columns;
    return true;
}

/* The arrays have room for every field, and are filled by position. */
struct filling {
    char **next_arg, **next_env;
    bool (*other)(void *data, const char *key, size_t length, const char *value); /* or NULL */
    void *data;
};

static bool
read_field(struct mfg_exec_record *record, struct filling *filling, const char *key, size_t length,
           const char *value)
{
    if (mf_record_key_is(key, length, MF_EXEC_ARG)) {
        *filling->next_arg++ = (char *)value;
    } else if (mf_record_key_is(key, length, MF_EXEC_ENV)) {
        if (strncmp(value, "PATH=", 5) == 0)
            record->path = value + 5;
        *filling->next_env++ = (char *)value;
    } else if (mf_record_key_is(key, length, MF_EXEC_SHELL)) {
        record->shell = value;
    } else if (mf_record_key_is(key, length, MF_EXEC_LOGIN)) {
        record->login = value;
    } else if (mf_record_key_is(key, length, MF_EXEC_WORKDIR)) {
        record->workdir = value;
    } else if (mf_record_key_is(key, length, MF_EXEC_USER)) {
        record->user = value;
    } else if (mf_record_key_is(key, length, MF_EXEC_TTY)) {
        return read_tty(value, record);
    } else if (mf_record_key_is(key, length, MF_EXEC_STDIN)) {
        return read_stream(value, true, &record->streams[0]);
    } else if (mf_record_key_is(key, length, MF_EXEC_STDOUT)) {
        return read_stream(value, false, &record->streams[1]);
    } else if (mf_record_key_is(key, length, MF_EXEC_STDERR)) {
        return read_stream(value, false, &record->streams[2]);
    } else {
        return filling->other && filling->other(filling->data, key, length, value);
    }
    return true;
}

/* How many NULs, so at most how many fields. */
static size_t
count_fields(const char *data, size_t size)
{
    size_t n = 0;

    for (size_t i = 0; i < size; i++)
        n += data[i] == '\0';
    return n;
}

static bool
allocate(struct mfg_exec_record *record, const char *data, size_t size)
{
    size_t n = count_fields(data, size);

    *record = (struct mfg_exec_record){
        .data = malloc(size),
        .argv = calloc(n + 1, sizeof(char *)),
        .envp = calloc(n + 1, sizeof(char *)),
    };
    if (!record->data || !record->argv || !record->envp)
        return false;
    memcpy(record->data, data, size);
    return true;
}

static bool
read_fields(struct mfg_exec_record *record, size_t size, struct filling filling, char *reason,
            size_t reason_size)
{
    const char *key, *value;
    size_t at = 0, length;

    filling.next_arg = record->argv;
    filling.next_env = record->envp;
    while (mf_record_next(record->data, size, &at, &key, &length, &value)) {
        if (!read_field(record, &filling, key, length, value)) {
            snprintf(reason, reason_size, "the command record has a bad field '%.100s'", key);
            return false;
        }
    }
    if (at != size) {
        snprintf(reason, reason_size, "the command record is cut short");
        return false;
    }
    if (!!record->argv[0] + !!record->shell + !!record->login != 1) {
        snprintf(reason, reason_size,
                 "the command record must have one of arguments, shell text and a login shell");
        return false;
    }
    return true;
}

bool
mfg_exec_record_parse(const char *data, size_t size, struct mfg_exec_record *ret_record,
                      char *reason, size_t reason_size)
{
    return mfg_exec_record_parse_with(data, size, NULL, NULL, ret_record, reason, reason_size);
}

bool
mfg_exec_record_parse_with(const char *data, size_t size,
                           bool (*field)(void *field_data, const char *key, size_t length,
                                         const char *value),
                           void *field_data, struct mfg_exec_record *ret_record, char *reason,
                           size_t reason_size)
{
    struct filling filling = {.other = field, .data = field_data};
    struct mfg_exec_record record = {0};
    bool good = false;

    if (size == 0 || size > MFG_EXEC_RECORD_MAX)
        snprintf(reason, reason_size,
                 "the command record has %zu bytes, which is not within 1 and %u", size,
                 MFG_EXEC_RECORD_MAX);
    else if (!allocate(&record, data, size))
        snprintf(reason, reason_size, "there is no memory for the command record");
    else
        good = read_fields(&record, size, filling, reason, reason_size);
    if (!good) {
        mfg_exec_record_clear(&record);
        return false;
    }
    *ret_record = record;
    return true;
}

void
mfg_exec_record_clear(struct mfg_exec_record *record)
{
    free(record->data);
    free(record->argv);
    free(record->envp);
    *record = (struct mfg_exec_record){0};
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/record.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Room for 'more' bytes. There is no program left to run without memory: both sides end here as
 * GLib would. */
static void
reserve(struct mf_record *record, size_t more)
{
    size_t capacity = record->capacity ? record->capacity : 256;

    if (more > SIZE_MAX / 2 - record->size)
        abort();
    while (capacity < record->size + more)
        capacity *= 2;
    if (capacity == record->capacity)
        return;

    char *data = realloc(record->data, capacity);
    if (!data)
        abort();
    record->data = data;
    record->capacity = capacity;
}

static void
append(struct mf_record *record, const char *bytes, size_t size)
{
    memcpy(record->data + record->size, bytes, size);
    record->size += size;
}

void
mf_record_add(struct mf_record *record, const char *key, const char *value)
{
    size_t key_length = strlen(key), value_length = strlen(value);

    reserve(record, key_length + value_length + 2);
    append(record, key, key_length);
    append(record, "=", 1);
    append(record, value, value_length + 1);
}

void
mf_record_clear(struct mf_record *record)
{
    free(record->data);
    *record = (struct mf_record){0};
}

bool
mf_record_next(const char *data, size_t size, size_t *at, const char **ret_key,
               size_t *ret_key_length, const char **ret_value)
{
    if (*at >= size)
        return false;

    const char *field = data + *at;
    const char *end = memchr(field, '\0', size - *at);
    const char *equals = end ? memchr(field, '=', (size_t)(end - field)) : NULL;

    if (!equals || equals == field)
        return false;
    *ret_key = field;
    *ret_key_length = (size_t)(equals - field);
    *ret_value = equals + 1;
    *at += (size_t)(end - field) + 1;
    return true;
}

bool
mf_record_key_is(const char *key, size_t key_length, const char *name)
{
    return strlen(name) == key_length && memcmp(key, name, key_length) == 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * A record: "key=value" fields, each ended by a NUL, in order, keys repeatable. Values are any
 * bytes but NUL, so file names, arguments and environment pass exactly. No GLib here: guest and
 * host share this file. The keys in use are in wire/guest-protocol.h.
 */
struct mf_record {
    char *data; /* owned, malloc */
    size_t size, capacity;
};

/* 'key' is not empty and has no '='. Aborts when there is no memory, as GLib does. */
void mf_record_add(struct mf_record *record, const char *key, const char *value);

/* Frees what the record holds; it is empty and usable again. */
void mf_record_clear(struct mf_record *record);

/* Steps through a record: *at is 0 at first. Returns false at the end or at a malformed field
 * (no key, no '=', no final NUL); *at == size tells the two apart, and at a malformed field *at
 * stays. *ret_key is not NUL-terminated: *ret_key_length bytes. *ret_value is NUL-terminated. Both
 * borrowed from 'data'. */
bool mf_record_next(const char *data, size_t size, size_t *at, const char **ret_key,
                    size_t *ret_key_length, const char **ret_value);

/* Whether a key that mf_record_next() returned is 'name'. */
bool mf_record_key_is(const char *key, size_t key_length, const char *name);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json.h>

/*
 * Where a value of the config comes from. It hangs on the json_object itself (its userdata), so
 * that it stays with the value while layers are merged, copied by reference and expanded.
 */
typedef enum {
    MF_ORIGIN_DEFAULT,
    MF_ORIGIN_PERSONA,     /* 'name' is the file's path, or name where it is in mayfly itself */
    MF_ORIGIN_FILE,        /* 'name' is the file's path */
    MF_ORIGIN_PROFILE,     /* of that file */
    MF_ORIGIN_MATRIX,      /* of that file */
    MF_ORIGIN_ENVIRONMENT, /* 'name' is the variable */
    MF_ORIGIN_OPTION,      /* 'name' is the option, with its hyphens */
} MfOriginKind;

typedef struct {
    MfOriginKind kind;
    const char *name;           /* interned (g_intern_string) */
    guint line, column;         /* of the value in the file, from 1; 0: none */
    guint key_line, key_column; /* of its key; 0 for an array's element */
} MfOrigin;

/* Copies 'origin' onto 'value' (not NULL), in place of what was there. */
void mf_origin_set(json_object *value, const MfOrigin *origin);

/* NULL when it has none. Borrowed from 'value'. */
const MfOrigin *mf_origin_get(json_object *value);

/* "mayfly.toml:3:9", "MAYFLY_KERNEL" or "--memory": the beginning of a message. Owned by the
 * caller. A NULL origin is "the default". */
char *mf_origin_describe(const MfOrigin *origin);

/* Sets *error to MF_ERROR_CONFIG: where 'origin' is, ": ", and the formatted sentence, which stands
 * alone when 'origin' is NULL or a default. */
void mf_origin_set_error(GError **error, const MfOrigin *origin, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* A deep copy that keeps the origins. Owned by the caller. */
json_object *mf_origin_copy_tree(json_object *value);

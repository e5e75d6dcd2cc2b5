/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json.h>

#include "wire/json.h"

/*
 * C types that know their JSON. A descriptor says what a value looks like on both sides; the
 * descriptors themselves are generated from the schemas in qapi/.
 *
 *   kind        in C                                   in JSON
 *   BOOL        gboolean                               true or false
 *   INT64       gint64                                 an integer in its range
 *   UINT64      guint64                                an integer in its range
 *   NUMBER      double                                 a finite number
 *   STRING      char *, owned                          a string without NUL
 *   ANY         json_object *, owned; NULL is null     anything
 *   ENUM        an enum, MF_JSON_UNKNOWN for a name    a string
 *               that the schema does not have
 *   STRUCT      a pointer, owned                       an object; other members are ignored
 *   ALTERNATE   a pointer, owned, to a struct whose    what the branch is
 *               first member, an int, numbers the
 *               branch, and whose others share space
 *
 * An array is a GStrv of strings, a GPtrArray of what is a pointer, a GArray of what is not. An
 * optional member that is absent is NULL; where there is no NULL, a gboolean says so.
 */
typedef struct _MfJsonType MfJsonType;
typedef struct _MfJsonMember MfJsonMember;

typedef enum {
    MF_JSON_BOOL,
    MF_JSON_INT64,
    MF_JSON_UINT64,
    MF_JSON_NUMBER,
    MF_JSON_STRING,
    MF_JSON_ANY,
    MF_JSON_ENUM,
    MF_JSON_STRUCT,
    MF_JSON_ALTERNATE,
} MfJsonKind;

/* How the config file has a text that C has otherwise, or that is not any text. Its reader turns
 * them into what 'kind' says; nothing here looks at them. */
typedef enum {
    MF_JSON_FORMAT_NONE,
    MF_JSON_FORMAT_WORD,     /* a text that is not empty */
    MF_JSON_FORMAT_PATH,     /* of the host, in C absolute */
    MF_JSON_FORMAT_REGEX,    /* for GRegex */
    MF_JSON_FORMAT_BYTES,    /* "512M"; a number is MiB */
    MF_JSON_FORMAT_DURATION, /* "1m30s"; a number is seconds; in C milliseconds */
    MF_JSON_FORMAT_SIGNAL,   /* "SIGSEGV", "SEGV" or 11 */
} MfJsonFormat;

/* The form of a member. */
typedef enum {
    MF_JSON_SINGLE = 0,
    MF_JSON_OPTIONAL = 1,
    MF_JSON_ARRAY = 2,
    MF_JSON_OPTIONAL_ARRAY = MF_JSON_OPTIONAL | MF_JSON_ARRAY,
} MfJsonForm;

struct _MfJsonMember {
    const char *name; /* of an alternate's branch: for people only */
    const MfJsonType *type;
    MfJsonForm form;
    gsize offset;      /* in the C struct */
    gsize flag_offset; /* of the gboolean that says that an optional without NULL is there */

    /* Of a member of the config file, for its reader: */
    const char *fallback; /* what it is when the file does not say, as JSON; or NULL */
    gint64 min, max;      /* of an integer; both 0: all there are */
    const char *key;      /* an array that the file has as a table: which of the element's members
                           * is the key; or NULL */
    const char *value;    /* then: which is the value; NULL: that has the other members */
};

struct _MfJsonType {
    MfJsonKind kind;
    gsize size;                  /* STRUCT, ALTERNATE: of the C struct */
    const MfJsonMember *members; /* STRUCT; ALTERNATE: the branches */
    gsize n_members;
    const char *const *values; /* ENUM: the names by value; NULL at MF_JSON_UNKNOWN */
    gsize n_values;
    GDestroyNotify free_func; /* STRUCT, ALTERNATE */
    MfJsonFormat format;
};

#define MF_JSON_UNKNOWN 0

extern const MfJsonType mf_json_type_bool;
extern const MfJsonType mf_json_type_int64;
extern const MfJsonType mf_json_type_uint64;
extern const MfJsonType mf_json_type_number;
extern const MfJsonType mf_json_type_string;
extern const MfJsonType mf_json_type_any;
extern const MfJsonType mf_json_type_word;
extern const MfJsonType mf_json_type_path;
extern const MfJsonType mf_json_type_regex;
extern const MfJsonType mf_json_type_bytes;
extern const MfJsonType mf_json_type_duration;
extern const MfJsonType mf_json_type_signal;

/* Reads a value in a member's form into '*ret_place', a variable of its C type (see above), or for
 * an array of the array's. Nothing is written on failure: MF_ERROR_PROTOCOL with the way to what
 * is wrong. */
gboolean mf_json_type_read(const MfJsonType *type, MfJsonForm form, const MfJson *json,
                           gpointer ret_place, GError **error);

/* The object, or other JSON, of the STRUCT or ALTERNATE at 'self'. Strings must be UTF-8, what is
 * not optional must be there (but a NULL array is an empty one). Owned by the caller. */
json_object *mf_json_type_build(const MfJsonType *type, gconstpointer self);

/* Frees the STRUCT or ALTERNATE at 'self' and what it owns. NULL and half-read ones are fine. */
void mf_json_type_free(const MfJsonType *type, gpointer self);

/* The name of an ENUM's value, "unknown" for MF_JSON_UNKNOWN and what is out of range; and back,
 * MF_JSON_UNKNOWN for any other name, or NULL. */
const char *mf_json_type_name_value(const MfJsonType *type, guint value);
guint mf_json_type_find_value(const MfJsonType *type, const char *name);

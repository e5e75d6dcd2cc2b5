/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>
#include <json.h>

/*
 * JSON from a peer, checked: json-c alone turns "5" into 5, true into 1 and nonsense into 0.
 *
 * An MfJson is a value together with the way to it, so that a message can name the member that is
 * wrong. It lives on the reader's stack and borrows everything: keep the parent, and the
 * json_object below it, for as long as it is used.
 *
 * All fail with MF_ERROR_PROTOCOL, and write their result only on success.
 */
typedef struct _MfJson MfJson;

struct _MfJson {
    json_object *value;   /* NULL is JSON's null */
    const MfJson *parent; /* NULL at the top */
    const char *name;     /* of the member; at the top, what is being read */
    gsize index;          /* of the element, when name is NULL */
};

static inline void
mf_json_unref(json_object *value)
{
    json_object_put(value);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(json_object, mf_json_unref)

/* Levels of values: [[5]] has three. QEMU's deepest reply has six. */
#define MF_JSON_DEPTH_MAX 64

/* Reads one document of at most 'size_max' bytes: strict syntax, UTF-8, nothing after it but white
 * space. *ret_value is owned by the caller, and NULL for null. Of two members with one name the
 * last wins, and integers beyond 64 bits saturate: json-c does not tell. */
gboolean mf_json_parse(const char *text, gsize size, gsize size_max, json_object **ret_value,
                       GError **error);

/* The top of a document; 'what' names it within a sentence ("the reply to 'query-status'"). */
MfJson mf_json_top(json_object *value, const char *what);

/* A member of an object: find answers FALSE when there is none (or no object), get fails. */
gboolean mf_json_find(const MfJson *object, const char *name, MfJson *ret_member);
gboolean mf_json_get(const MfJson *object, const char *name, MfJson *ret_member, GError **error);

/* Element 'index' of an array, which must have it: see mf_json_as_array(). */
MfJson mf_json_element(const MfJson *array, gsize index);

/* The value itself, which must be of that type; nothing is converted, but an integer is also a
 * number. *ret_text is borrowed, and free of NUL characters. A number is finite. */
gboolean mf_json_as_bool(const MfJson *json, gboolean *ret_flag, GError **error);
gboolean
mf_json_as_int64(const MfJson *json, gint64 min, gint64 max, gint64 *ret_number, GError **error);
gboolean mf_json_as_uint64(const MfJson *json, guint64 min, guint64 max, guint64 *ret_number,
                           GError **error);
gboolean mf_json_as_number(const MfJson *json, double *ret_number, GError **error);
gboolean mf_json_as_string(const MfJson *json, const char **ret_text, GError **error);
gboolean mf_json_as_object(const MfJson *json, GError **error);
gboolean mf_json_as_array(const MfJson *json, gsize *ret_length, GError **error);

/* A member that must be there and of that type. */
gboolean
mf_json_get_bool(const MfJson *object, const char *name, gboolean *ret_flag, GError **error);
gboolean mf_json_get_int64(const MfJson *object, const char *name, gint64 min, gint64 max,
                           gint64 *ret_number, GError **error);
gboolean mf_json_get_uint64(const MfJson *object, const char *name, guint64 min, guint64 max,
                            guint64 *ret_number, GError **error);
gboolean
mf_json_get_number(const MfJson *object, const char *name, double *ret_number, GError **error);
gboolean
mf_json_get_string(const MfJson *object, const char *name, const char **ret_text, GError **error);
gboolean
mf_json_get_object(const MfJson *object, const char *name, MfJson *ret_object, GError **error);
gboolean mf_json_get_array(const MfJson *object, const char *name, MfJson *ret_array,
                           gsize *ret_length, GError **error);

/* Sets *error to "In the reply to 'x', member 'a.b' is <found>, but <expected> is expected.", and
 * returns FALSE. For readers of types that this file does not know. */
gboolean mf_json_refuse(const MfJson *json, const char *expected, GError **error);

/*
 * JSON of our own, which needs no checks.
 */

/* A text as a value, owned by the caller; NULL, which is JSON's null, for NULL. Paths and what a
 * guest says may be anything: what is no UTF-8 becomes U+FFFD. */
json_object *mf_json_new_text(const char *text);

/* A number as a value, as mf_format_number() writes it; NULL, which is JSON's null, for one that is
 * not finite. Owned by the caller. */
json_object *mf_json_new_number(double number);

/* The document as a file has it and programs print it: indented, with a final newline. Owned by the
 * caller. */
char *mf_json_to_text(json_object *document);

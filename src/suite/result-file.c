/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/result-file.h"

#include "base/error.h"
#include "base/fd.h"
#include "wire/json.h"

static gboolean
is_suite(const MfJson *top)
{
    const char *kind = NULL;

    return mf_json_get_string(top, "kind", &kind, NULL) && g_str_equal(kind, "suite");
}

gboolean
mf_result_file_load(const char *path, json_object **ret_document, GError **error)
{
    g_autoptr(GBytes) bytes = mf_file_read(path, MF_RESULT_FILE_MAX, error);
    g_autoptr(json_object) document = NULL;
    gint64 version = 0;
    gsize size = 0;
    const char *text = bytes ? g_bytes_get_data(bytes, &size) : NULL;

    if (!bytes)
        return FALSE;
    if (!mf_json_parse(text ? text : "", size, MF_RESULT_FILE_MAX, &document, NULL)) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is not a result of a suite, as 'mayfly test --report json=FILE' writes "
                    "it: it is not whole, or not JSON.",
                    path);
        return FALSE;
    }

    MfJson top = mf_json_top(document, "the result");
    if (!is_suite(&top)) {
        *ret_document = NULL;
        return TRUE;
    }
    if (!mf_json_get_int64(&top, "schema_version", 1, G_MAXINT, &version, NULL) ||
        version != MF_RESULT_FILE_VERSION) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is a result of version %" G_GINT64_FORMAT ", and this mayfly reads %d.",
                    path, version, MF_RESULT_FILE_VERSION);
        return FALSE;
    }
    *ret_document = g_steal_pointer(&document);
    return TRUE;
}

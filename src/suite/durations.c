/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/durations.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "suite/case.h"
#include "suite/result-file.h"
#include "wire/json.h"

struct MfDurations {
    GHashTable *by_id; /* owned; of gint64 * by char *, both owned: microseconds */
    gint64 median;     /* of those; 1 when there is none: then all cases are alike */
};

/* A case on its way into a part. */
typedef struct {
    guint index;
    gint64 duration;
    const char *id; /* borrowed */
} Load;

static int
compare_numbers(gconstpointer a, gconstpointer b)
{
    const gint64 *left = a, *right = b;

    return *left < *right ? -1 : *left > *right;
}

static gint64
find_median(GHashTable *by_id)
{
    g_autoptr(GArray) durations = g_array_new(FALSE, FALSE, sizeof(gint64));
    GHashTableIter iter;
    gpointer duration;

    g_hash_table_iter_init(&iter, by_id);
    while (g_hash_table_iter_next(&iter, NULL, &duration))
        g_array_append_vals(durations, duration, 1);
    g_array_sort(durations, compare_numbers);
    return durations->len > 0 ? g_array_index(durations, gint64, durations->len / 2) : 1;
}

static gboolean
take_case(MfDurations *self, const MfJson *object, GError **error)
{
    const char *id;
    guint64 attempts;
    gint64 duration;

    if (!mf_json_get_string(object, "id", &id, error) ||
        !mf_json_get_uint64(object, "attempts", 0, G_MAXUINT, &attempts, error))
        return FALSE;
    if (attempts == 0)
        return TRUE;
    if (!mf_json_get_int64(object, "duration_us", 0, G_MAXINT64, &duration, error))
        return FALSE;
    g_hash_table_insert(self->by_id, g_strdup(id), g_memdup2(&duration, sizeof duration));
    return TRUE;
}

static MfDurations *
read_document(json_object *document, GError **error)
{
    MfJson top = mf_json_top(document, "the result"), cases;
    g_autoptr(MfDurations) self = g_new0(MfDurations, 1);
    gsize count;

    self->by_id = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!mf_json_get_array(&top, "cases", &cases, &count, error))
        return NULL;
    for (gsize i = 0; i < count; i++) {
        MfJson element = mf_json_element(&cases, i);

        if (!take_case(self, &element, error))
            return NULL;
    }
    self->median = find_median(self->by_id);
    return g_steal_pointer(&self);
}

MfDurations *
mf_durations_load(const char *path, GError **error)
{
    g_autoptr(json_object) document = NULL;
    g_autoptr(GError) failure = NULL;
    MfDurations *self;

    if (!mf_result_file_load(path, &document, error))
        return NULL;
    if (!document) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is not the result of a suite, as 'mayfly test --report json=FILE' writes "
                    "it.",
                    path);
        return NULL;
    }
    self = read_document(document, &failure);
    if (!self)
        mf_error_take_foreign(error, MF_ERROR_CONFIG, g_steal_pointer(&failure),
                              "'%s' is not a result", path);
    return self;
}

void
mf_durations_free(MfDurations *self)
{
    if (!self)
        return;
    g_hash_table_unref(self->by_id);
    g_free(self);
}

/* The longest first; of one duration, by the id, which is the same on every host. */
static int
compare_loads(gconstpointer a, gconstpointer b)
{
    const Load *left = a, *right = b;

    if (left->duration != right->duration)
        return left->duration > right->duration ? -1 : 1;
    return strcmp(left->id, right->id);
}

static guint
find_least(const gint64 *sums, guint count)
{
    guint least = 0;

    for (guint i = 1; i < count; i++)
        if (sums[i] < sums[least])
            least = i;
    return least;
}

guint *
mf_durations_share_out(const MfDurations *self, const GPtrArray *cases, guint shards)
{
    g_autofree Load *loads = g_new(Load, cases->len);
    g_autofree gint64 *sums = g_new0(gint64, shards);
    guint *parts = g_new(guint, cases->len);

    for (guint i = 0; i < cases->len; i++) {
        const MfCase *the_case = cases->pdata[i];
        const gint64 *known = g_hash_table_lookup(self->by_id, the_case->id);

        gint64 duration = known ? *known : self->median;

        /* What took no time costs something yet: a machine. And sums stay within 64 bits. */
        loads[i] = (Load){i, CLAMP(duration, 1, G_MAXINT64 / cases->len), the_case->id};
    }
    qsort(loads, cases->len, sizeof *loads, compare_loads);
    for (guint i = 0; i < cases->len; i++) {
        guint part = find_least(sums, shards);

        parts[loads[i].index] = part;
        sums[part] += loads[i].duration;
    }
    return parts;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "report/merge.h"

#include <string.h>

#include "base/error.h"
#include "report/case-read.h"
#include "report/json.h"
#include "suite/result-file.h"
#include "suite/select.h"
#include "wire/json.h"

/* More shards than this are not named one by one. */
#define NAMED_MAX 10

/* Directories in directories, of results. */
#define DEPTH_MAX 8

/* One result. */
typedef struct {
    char *name;            /* owned; for messages */
    json_object *document; /* owned */
    MfJson top;            /* of it */
    MfShard shard;         /* its text is the document's */
    gint64 started_us;     /* since 1970 */
    gint64 duration_us;
    gint64 jobs;
    MfJson cases;
    gsize n_cases;
} Part;

struct MfMerge {
    GPtrArray *parts; /* owned; of Part, by their shards once they were checked */
    GArray *missing;  /* owned; of MfShard, once they were checked */
};

/* A case on its way into the whole. */
typedef struct {
    const Part *part;
    MfJson json;
    const char *file;
    gint64 line;
    guint order; /* among all, by shards */
} Item;

/* The document of the whole while it is made. */
typedef struct {
    gint64 wall_time_us;
    json_object *document;
} Whole;

static void
part_free(gpointer data)
{
    Part *part = data;

    g_free(part->name);
    json_object_put(part->document);
    g_free(part);
}

MfMerge *
mf_merge_new(void)
{
    MfMerge *self = g_new0(MfMerge, 1);

    self->parts = g_ptr_array_new_with_free_func(part_free);
    self->missing = g_array_new(FALSE, FALSE, sizeof(MfShard));
    return self;
}

void
mf_merge_free(MfMerge *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->parts);
    g_array_unref(self->missing);
    g_free(self);
}

/* 0 of 0 for a result that is of no shard. */
static gboolean
read_shard(Part *part, GError **error)
{
    gint64 index, count, targets;
    MfJson json, suite;

    if (!mf_json_find(&part->top, "shard", &json) || !json.value)
        return TRUE;
    if (!mf_json_get_int64(&json, "count", 1, MF_SELECT_SHARDS_MAX, &count, error) ||
        !mf_json_get_int64(&json, "index", 1, count, &index, error) ||
        !mf_json_get_int64(&json, "targets", 0, G_MAXINT, &targets, error))
        return FALSE;
    part->shard = (MfShard){(guint)index, (guint)count, (guint)targets, NULL};
    return !mf_json_find(&json, "suite", &suite) || !suite.value ||
           mf_json_as_string(&suite, &part->shard.suite, error);
}

static gboolean
read_time(Part *part, GError **error)
{
    g_autoptr(GDateTime) time = NULL;
    const char *text;
    MfJson json;

    if (!mf_json_get(&part->top, "started", &json, error) ||
        !mf_json_as_string(&json, &text, error))
        return FALSE;
    time = g_date_time_new_from_iso8601(text, NULL);
    if (!time)
        return mf_json_refuse(&json, "a time in ISO 8601", error);
    part->started_us =
        g_date_time_to_unix(time) * G_USEC_PER_SEC + g_date_time_get_microsecond(time);
    return TRUE;
}

gboolean
mf_merge_add_document(MfMerge *self, const char *name, json_object *document, GError **error)
{
    g_autoptr(GError) failure = NULL;
    Part *part = g_new0(Part, 1);

    part->name = g_filename_display_name(name);
    part->document = json_object_get(document);
    part->top = mf_json_top(document, "the result");
    if (!read_shard(part, &failure) || !read_time(part, &failure) ||
        !mf_json_get_int64(&part->top, "duration_us", 0, MF_RESULT_FILE_TIME_MAX,
                           &part->duration_us, &failure) ||
        !mf_json_get_int64(&part->top, "jobs", 1, G_MAXINT, &part->jobs, &failure) ||
        !mf_json_get_array(&part->top, "cases", &part->cases, &part->n_cases, &failure)) {
        mf_error_take_foreign(error, MF_ERROR_CONFIG, g_steal_pointer(&failure),
                              "'%s' is not a result", part->name);
        part_free(part);
        return FALSE;
    }
    g_ptr_array_add(self->parts, part);
    return TRUE;
}

static gboolean add_directory(MfMerge *self, const char *path, guint depth, GError **error);

/* 'named' is a file that somebody asked for, and not just found. */
static gboolean
add_file(MfMerge *self, const char *path, gboolean named, GError **error)
{
    g_autoptr(json_object) document = NULL;

    if (!mf_result_file_load(path, &document, error))
        return FALSE;
    if (document)
        return mf_merge_add_document(self, path, document, error);
    if (named)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "'%s' is not the result of a suite.", path);
    return !named;
}

static gboolean
add_entry(MfMerge *self, const char *path, guint depth, GError **error)
{
    if (g_file_test(path, G_FILE_TEST_IS_SYMLINK))
        return TRUE;
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return depth == 0 || add_directory(self, path, depth, error);
    return !g_str_has_suffix(path, ".json") || !g_file_test(path, G_FILE_TEST_IS_REGULAR) ||
           add_file(self, path, FALSE, error);
}

static int
compare_names(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* In the order of the names, so that the same results give the same whole. */
static gboolean
add_directory(MfMerge *self, const char *path, guint depth, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GError) failure = NULL;
    g_autoptr(GDir) directory = g_dir_open(path, 0, &failure);
    const char *name;

    if (!directory) {
        mf_error_take_foreign(error, MF_ERROR_HOST, g_steal_pointer(&failure),
                              "The results cannot be listed");
        return FALSE;
    }
    while ((name = g_dir_read_name(directory)))
        g_ptr_array_add(names, g_build_filename(path, name, NULL));
    g_ptr_array_sort(names, compare_names);
    for (guint i = 0; i < names->len; i++)
        if (!add_entry(self, names->pdata[i], depth - 1, error))
            return FALSE;
    return TRUE;
}

gboolean
mf_merge_add(MfMerge *self, const char *path, GError **error)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return add_directory(self, path, DEPTH_MAX, error);
    return add_file(self, path, TRUE, error);
}

static int
compare_parts(gconstpointer a, gconstpointer b)
{
    const Part *left = *(Part *const *)a, *right = *(Part *const *)b;

    return left->shard.index < right->shard.index ? -1 : left->shard.index > right->shard.index;
}

/* Whether two neighbours can be of one suite. */
static gboolean
check_pair(const Part *left, const Part *right, GError **error)
{
    if (left->shard.count != right->shard.count)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' and '%s' do not belong together: one is of %u shards, the other of %u "
                    "(0: it is no shard).",
                    left->name, right->name, left->shard.count, right->shard.count);
    else if (left->shard.targets != right->shard.targets)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' and '%s' do not belong together: one is of %u targets, the other of %u.",
                    left->name, right->name, left->shard.targets, right->shard.targets);
    else if (g_strcmp0(left->shard.suite, right->shard.suite) != 0)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' and '%s' do not belong together: the suites that they are shards of have "
                    "different targets. One of them is of an earlier run: run that shard again.",
                    left->name, right->name);
    else if (left->shard.count > 0 && left->shard.index == right->shard.index)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' and '%s' are both shard %u of %u: leave one of them out.", left->name,
                    right->name, left->shard.index, left->shard.count);
    else
        return TRUE;
    return FALSE;
}

/* Two results, or one of them, have the target 'id' twice. */
static void
fail_shared(const Part *owner, const Part *part, const char *id, GError **error)
{
    if (owner == part)
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' has the target '%s' twice, as no suite writes it: make it anew.",
                    part->name, id);
    else if (g_str_equal(owner->name, part->name))
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "'%s' is named twice: leave it out once.",
                    part->name);
    else
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The target '%s' is in '%s' and in '%s': only results without a target in "
                    "common can be joined, so leave one of them out.",
                    id, owner->name, part->name);
}

static gboolean
check_cases(const MfMerge *self, GError **error)
{
    g_autoptr(GHashTable) owners = g_hash_table_new(g_str_hash, g_str_equal);

    for (guint i = 0; i < self->parts->len; i++) {
        const Part *part = self->parts->pdata[i];

        for (gsize j = 0; j < part->n_cases; j++) {
            MfJson json = mf_json_element(&part->cases, j);
            const char *id;

            g_autoptr(GError) failure = NULL;

            if (!mf_json_get_string(&json, "id", &id, &failure)) {
                mf_error_take_foreign(error, MF_ERROR_CONFIG, g_steal_pointer(&failure),
                                      "'%s' is not a result", part->name);
                return FALSE;
            }
            const Part *owner = g_hash_table_lookup(owners, id);
            if (owner) {
                fail_shared(owner, part, id, error);
                return FALSE;
            }
            g_hash_table_insert(owners, (gpointer)id, (gpointer)part);
        }
    }
    return TRUE;
}

static gsize
count_cases(const MfMerge *self)
{
    gsize count = 0;

    for (guint i = 0; i < self->parts->len; i++)
        count += ((const Part *)self->parts->pdata[i])->n_cases;
    return count;
}

static void
find_missing(MfMerge *self)
{
    MfShard shard = ((const Part *)self->parts->pdata[0])->shard;
    guint at = 0;

    for (shard.index = 1; shard.index <= shard.count; shard.index++) {
        if (at < self->parts->len &&
            ((const Part *)self->parts->pdata[at])->shard.index == shard.index)
            at++;
        else
            g_array_append_val(self->missing, shard);
    }
}

/* Owned by the caller. */
static char *
describe_missing(const GArray *missing)
{
    g_autoptr(GString) names = g_string_new(NULL);

    for (guint i = 0; i < MIN(missing->len, NAMED_MAX); i++)
        g_string_append_printf(names, "%s%u", i > 0 ? ", " : "",
                               g_array_index(missing, MfShard, i).index);
    if (missing->len > NAMED_MAX)
        g_string_append_printf(names, " and %u more", missing->len - NAMED_MAX);
    return g_strdup_printf("The result of %s %s of %u is missing.",
                           missing->len == 1 ? "shard" : "shards", names->str,
                           g_array_index(missing, MfShard, 0).count);
}

gboolean
mf_merge_check(MfMerge *self, GError **error)
{
    if (self->parts->len == 0) {
        g_set_error_literal(error, MF_ERROR, MF_ERROR_CONFIG,
                            "There is no result to merge: 'mayfly test --report json=FILE' writes "
                            "one.");
        return FALSE;
    }
    g_ptr_array_sort(self->parts, compare_parts);
    for (guint i = 1; i < self->parts->len; i++)
        if (!check_pair(self->parts->pdata[i - 1], self->parts->pdata[i], error))
            return FALSE;
    if (!check_cases(self, error))
        return FALSE;
    find_missing(self);

    const Part *first = self->parts->pdata[0];
    if (self->missing->len == 0 && first->shard.count > 0 &&
        count_cases(self) != first->shard.targets) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "The shards have %zu targets together, and there were %u: they are not of one "
                    "run.",
                    count_cases(self), first->shard.targets);
        return FALSE;
    }
    return TRUE;
}

/* What ended the shards before their time, and what is missing. Owned by the caller; NULL for
 * nothing. */
static char *
describe_interrupted(const MfMerge *self)
{
    g_autoptr(GPtrArray) sentences = g_ptr_array_new_with_free_func(g_free);

    for (guint i = 0; i < self->parts->len; i++) {
        const Part *part = self->parts->pdata[i];
        const char *text;

        if (!mf_json_get_string(&part->top, "interrupted", &text, NULL))
            continue;
        if (part->shard.count > 0)
            g_ptr_array_add(sentences, g_strdup_printf("Shard %u: %s", part->shard.index, text));
        else
            g_ptr_array_add(sentences, g_strdup(text));
    }
    if (self->missing->len > 0)
        g_ptr_array_add(sentences, describe_missing(self->missing));
    g_ptr_array_add(sentences, NULL);
    return sentences->len > 1 ? g_strjoinv(" ", (char **)sentences->pdata) : NULL;
}

static int
compare_items(gconstpointer a, gconstpointer b)
{
    const Item *left = a, *right = b;
    int order = strcmp(left->file, right->file);

    if (order != 0)
        return order;
    if (left->line != right->line)
        return left->line < right->line ? -1 : 1;
    return left->order < right->order ? -1 : left->order > right->order;
}

/* All cases in the order of the config file; those of one target, which the file has in one place,
 * in that of the shards. Of Item, owned by the caller. */
static GArray *
list_items(const MfMerge *self)
{
    GArray *items = g_array_new(FALSE, FALSE, sizeof(Item));

    for (guint i = 0; i < self->parts->len; i++) {
        const Part *part = self->parts->pdata[i];

        for (gsize j = 0; j < part->n_cases; j++) {
            Item item = {part, mf_json_element(&part->cases, j), "", 0, items->len};

            mf_json_get_string(&item.json, "file", &item.file, NULL);
            mf_json_get_int64(&item.json, "line", 0, G_MAXINT, &item.line, NULL);
            g_array_append_val(items, item);
        }
    }
    g_array_sort(items, compare_items);
    return items;
}

static gint64
find_start(const MfMerge *self)
{
    gint64 start = G_MAXINT64;

    for (guint i = 0; i < self->parts->len; i++)
        start = MIN(start, ((const Part *)self->parts->pdata[i])->started_us);
    return start;
}

/* From the start of the first shard to the end of the last. */
static gint64
find_duration(const MfMerge *self)
{
    gint64 end = 0;

    for (guint i = 0; i < self->parts->len; i++) {
        const Part *part = self->parts->pdata[i];

        end = MAX(end, part->started_us + part->duration_us);
    }
    return end - find_start(self);
}

static gint64
sum_jobs(const MfMerge *self)
{
    gint64 jobs = 0;

    for (guint i = 0; i < self->parts->len; i++)
        jobs += ((const Part *)self->parts->pdata[i])->jobs;
    return MIN(jobs, G_MAXINT);
}

/* A member of a result as it is there; NULL is null. Owned by the caller. */
static json_object *
get_member(const Part *part, const char *name)
{
    MfJson json;

    return mf_json_find(&part->top, name, &json) ? json_object_get(json.value) : NULL;
}

static json_object *
case_to_json(const Item *item, gint64 offset)
{
    json_object *object = NULL;
    gint64 started;

    if (!mf_json_get_int64(&item->json, "started_us", 0, G_MAXINT64 - offset, &started, NULL))
        return json_object_get(item->json.value);
    json_object_deep_copy(item->json.value, &object, NULL);
    json_object_object_add(object, "started_us", json_object_new_int64(started + offset));
    return object;
}

static json_object *
cases_to_json(const MfMerge *self, const GArray *items)
{
    json_object *array = json_object_new_array();
    gint64 start = find_start(self);

    for (guint i = 0; i < items->len; i++) {
        const Item *item = &g_array_index(items, Item, i);

        json_object_array_add(array, case_to_json(item, item->part->started_us - start));
    }
    return array;
}

static json_object *
parts_to_json(const MfMerge *self)
{
    static const char *const members[] = {"shard",       "mayfly", "host",       "started",
                                          "duration_us", "jobs",   "interrupted"};
    json_object *array = json_object_new_array();

    for (guint i = 0; i < self->parts->len; i++) {
        const Part *part = self->parts->pdata[i];
        json_object *object = json_object_new_object();

        for (gsize j = 0; j < G_N_ELEMENTS(members); j++)
            json_object_object_add(object, members[j], get_member(part, members[j]));
        json_object_array_add(array, object);
    }
    return array;
}

/* The cases with their outcomes. MF_ERROR_CONFIG. */
static gboolean
read_items(const GArray *items, gint64 start, GPtrArray *cases, GPtrArray *outcomes, GError **error)
{
    for (guint i = 0; i < items->len; i++) {
        const Item *item = &g_array_index(items, Item, i);
        g_autoptr(GError) failure = NULL;
        MfCase *kase;
        MfOutcomeReport *outcome;

        if (!mf_case_read(&item->json, &kase, &outcome, &failure)) {
            mf_error_take_foreign(error, MF_ERROR_CONFIG, g_steal_pointer(&failure),
                                  "'%s' is not a result", item->part->name);
            return FALSE;
        }
        if (outcome)
            outcome->started_us += item->part->started_us - start;
        g_ptr_array_add(cases, kase);
        g_ptr_array_add(outcomes, outcome);
    }
    return TRUE;
}

gboolean
mf_merge_play(MfMerge *self, MfEventFunc func, gpointer user_data, GError **error)
{
    g_autoptr(GArray) items = list_items(self);
    g_autoptr(GPtrArray) cases = g_ptr_array_new_with_free_func((GDestroyNotify)mf_case_free);
    g_autoptr(GPtrArray) outcomes =
        g_ptr_array_new_with_free_func((GDestroyNotify)mf_outcome_report_free);
    g_autofree char *interrupted = describe_interrupted(self);
    MfEvent event = {.kind = MF_EVENT_SUITE_STARTED,
                     .cases = cases,
                     .jobs = (guint)sum_jobs(self),
                     .wall_time_us = find_start(self)};

    if (!read_items(items, event.wall_time_us, cases, outcomes, error))
        return FALSE;
    func(&event, user_data);
    event.kind = MF_EVENT_CASE_FINISHED;
    for (event.index = 0; event.index < cases->len; event.index++) {
        event.outcome = outcomes->pdata[event.index];
        if (!event.outcome)
            continue;
        event.time_us = event.outcome->started_us + event.outcome->duration_us;
        func(&event, user_data);
    }
    event = (MfEvent){.kind = MF_EVENT_SUITE_FINISHED,
                      .cases = cases,
                      .jobs = event.jobs,
                      .time_us = find_duration(self),
                      .outcomes = outcomes,
                      .missing = self->missing,
                      .interrupted = interrupted};
    func(&event, user_data);
    return TRUE;
}

static void
make_whole(const MfEvent *event, gpointer data)
{
    static const MfReportHost nobody;
    Whole *whole = data;

    if (event->kind == MF_EVENT_SUITE_STARTED)
        whole->wall_time_us = event->wall_time_us;
    else if (event->kind == MF_EVENT_SUITE_FINISHED)
        whole->document = mf_report_json_suite(&nobody, whole->wall_time_us, event);
}

/* Whatever is told of a suite as a whole follows from its cases, as it does when they run; the
 * cases are what they were. */
json_object *
mf_merge_to_json(MfMerge *self, GError **error)
{
    const Part *first = self->parts->pdata[0];
    g_autoptr(GArray) items = list_items(self);
    Whole whole = {0};

    if (!mf_merge_play(self, make_whole, &whole, error))
        return NULL;
    json_object_object_add(whole.document, "mayfly", get_member(first, "mayfly"));
    json_object_object_add(whole.document, "host", get_member(first, "host"));
    json_object_object_add(whole.document, "cases", cases_to_json(self, items));
    json_object_object_add(whole.document, "shards", parts_to_json(self));
    return whole.document;
}

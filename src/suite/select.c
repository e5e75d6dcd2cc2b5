/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/select.h"

#include <stdlib.h>
#include <string.h>

#include "base/cache.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/regex.h"
#include "base/suggest.h"

/* A case on its way into a shard. */
typedef struct {
    guint index;  /* among the cases */
    guint64 hash; /* of its id: the same on every host and in every version */
    guint shard;  /* from 0; UNPLACED */
} Placement;

#define UNPLACED G_MAXUINT

static guint64
hash_of(const char *id)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    guint8 digest[32];
    gsize length = sizeof digest;
    guint64 hash = 0;

    g_checksum_update(sum, (const guchar *)id, -1);
    g_checksum_get_digest(sum, digest, &length);
    for (gsize i = 0; i < sizeof hash; i++)
        hash = hash << 8 | digest[i];
    return hash;
}

static int
compare_hashes(gconstpointer a, gconstpointer b)
{
    const Placement *left = a, *right = b;

    return left->hash < right->hash ? -1 : left->hash > right->hash;
}

/* Puts every case without a shard into its own one, else the next one, that has fewer than 'room'
 * cases; only its own one if it is to be 'faithful'. */
static void
place(Placement *placements, guint count, guint *loads, guint shards, guint room, gboolean faithful)
{
    for (guint i = 0; i < count; i++) {
        guint own = (guint)(placements[i].hash % shards);

        for (guint step = 0; step < (faithful ? 1 : shards); step++) {
            guint shard = (own + step) % shards;

            if (placements[i].shard != UNPLACED || loads[shard] >= room)
                continue;
            placements[i].shard = shard;
            loads[shard]++;
        }
    }
}

/* The part, from 0, of each case. A case's hash says where it belongs. Only what does not fit there
 * goes elsewhere, which keeps the others where they are when one comes or goes; and the shards are
 * filled to the same height first, then by one more. Owned by the caller. */
static guint *
share_out(const GPtrArray *cases, guint shards)
{
    g_autofree Placement *placements = g_new(Placement, cases->len);
    g_autofree guint *loads = g_new0(guint, shards);
    guint *parts = g_new(guint, cases->len);
    guint height = cases->len / shards;

    for (guint i = 0; i < cases->len; i++) {
        const MfCase *the_case = cases->pdata[i];

        placements[i] = (Placement){i, hash_of(the_case->id), UNPLACED};
    }
    qsort(placements, cases->len, sizeof *placements, compare_hashes);
    place(placements, cases->len, loads, shards, height, TRUE);
    place(placements, cases->len, loads, shards, height, FALSE);
    place(placements, cases->len, loads, shards, height + 1, FALSE);
    for (guint i = 0; i < cases->len; i++)
        parts[placements[i].index] = placements[i].shard;
    return parts;
}

static GPtrArray *
take_shard(const GPtrArray *cases, const MfSelection *selection)
{
    g_autofree guint *parts =
        selection->durations
            ? mf_durations_share_out(selection->durations, cases, selection->shards)
            : share_out(cases, selection->shards);
    GPtrArray *taken = g_ptr_array_new();

    for (guint i = 0; i < cases->len; i++)
        if (parts[i] == selection->shard - 1)
            g_ptr_array_add(taken, cases->pdata[i]);
    return taken;
}

static gboolean
has_any_tag(const MfCase *the_case, const char *const *tags)
{
    if (!tags || !*tags)
        return TRUE;
    for (; *tags; tags++)
        if (the_case->tags && g_strv_contains((const char *const *)the_case->tags, *tags))
            return TRUE;
    return FALSE;
}

GPtrArray *
mf_select_cases(const GPtrArray *cases, const MfSelection *selection, GError **error)
{
    g_autoptr(GPtrArray) selected = g_ptr_array_new();
    g_autoptr(GRegex) filter = NULL;
    g_autofree char *reason = NULL;

    if (selection->filter) {
        filter = mf_regex_new(selection->filter, 0, &reason);
        if (!filter) {
            g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                        "The filter '%s' is not a regular expression: %s.", selection->filter,
                        reason);
            return NULL;
        }
    }
    for (guint i = 0; i < cases->len; i++) {
        MfCase *the_case = cases->pdata[i];

        if ((!filter || g_regex_match(filter, the_case->name, 0, NULL)) &&
            has_any_tag(the_case, selection->tags) &&
            (!selection->failed || g_strv_contains(selection->failed, the_case->id)))
            g_ptr_array_add(selected, the_case);
    }
    if (selection->shards > 0)
        return take_shard(selected, selection);
    return g_steal_pointer(&selected);
}

/* Every tag of the cases once, NULL-terminated. Borrowed texts in an array owned by the caller. */
static GPtrArray *
list_tags(const GPtrArray *cases)
{
    GPtrArray *tags = g_ptr_array_new();

    for (guint i = 0; i < cases->len; i++) {
        const MfCase *the_case = cases->pdata[i];

        for (char **tag = the_case->tags; tag && *tag; tag++)
            if (!g_ptr_array_find_with_equal_func(tags, *tag, g_str_equal, NULL))
                g_ptr_array_add(tags, *tag);
    }
    g_ptr_array_add(tags, NULL);
    return tags;
}

char *
mf_select_explain_none(const GPtrArray *cases, const MfSelection *selection)
{
    g_autoptr(GPtrArray) known = list_tags(cases);
    const char *const *names = (const char *const *)known->pdata;

    for (const char *const *tag = selection->tags; tag && *tag; tag++) {
        const char *near = mf_suggest(*tag, names);

        if (g_strv_contains(names, *tag))
            continue;
        if (near)
            return g_strdup_printf("none has the tag '%s' (did you mean '%s'?).", *tag, near);
        if (!*names)
            return g_strdup_printf("none has the tag '%s', nor any other.", *tag);

        g_autofree char *list = g_strjoinv(", ", (char **)known->pdata);
        return g_strdup_printf("none has the tag '%s'; there is %s.", *tag, list);
    }
    if (selection->failed && !*selection->failed)
        return g_strdup("no target failed when it last ran.");
    return g_strdup(selection->failed ? "of those that failed last, none matches."
                                      : "none matches ('mayfly test --list' shows them).");
}

gboolean
mf_select_parse_shard(const char *text, guint *ret_shard, guint *ret_shards, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, "/", 2);
    guint64 shard = 0, shards = 0;

    if (g_strv_length(parts) == 2 &&
        mf_parse_uint(parts[1], "number of shards", 1, MF_SELECT_SHARDS_MAX, &shards, NULL) &&
        mf_parse_uint(parts[0], "shard", 1, shards, &shard, NULL)) {
        *ret_shard = (guint)shard;
        *ret_shards = (guint)shards;
        return TRUE;
    }
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "The shard '%s' is not I/N, with N from 1 to %d and I from 1 to N: '2/3' is the "
                "second of three parts.",
                text, MF_SELECT_SHARDS_MAX);
    return FALSE;
}

char *
mf_select_exact_filter(const char *name)
{
    g_autofree char *escaped = g_regex_escape_string(name, -1);

    return g_strdup_printf("^%s$", escaped);
}

static char *
failed_path(const char *config_path, GError **error)
{
    g_autofree char *directory = mf_cache_dir("failed", error);
    g_autofree char *key = directory ? mf_cache_key(config_path, NULL) : NULL;

    return directory ? g_build_filename(directory, key, NULL) : NULL;
}

char **
mf_select_load_failed(const char *config_path, GError **error)
{
    g_autofree char *path = failed_path(config_path, error);
    g_autofree char *text = NULL;
    g_autoptr(GError) failure = NULL;

    if (!path)
        return NULL;
    if (!g_file_get_contents(path, &text, NULL, &failure)) {
        if (!g_error_matches(failure, G_FILE_ERROR, G_FILE_ERROR_NOENT))
            mf_error_take_foreign(error, MF_ERROR_HOST, g_steal_pointer(&failure),
                                  "The cases that failed last cannot be read");
        return NULL;
    }
    return g_strsplit(text, "\n", 0);
}

gboolean
mf_select_save_failed(const char *config_path, const char *const *ids, const char *const *ran,
                      GError **error)
{
    g_autofree char *path = failed_path(config_path, error);
    /* What cannot be read is replaced, as what is not there. */
    g_auto(GStrv) earlier = ran ? mf_select_load_failed(config_path, NULL) : NULL;
    g_autoptr(GPtrArray) all = g_ptr_array_new();

    for (; *ids; ids++)
        g_ptr_array_add(all, (gpointer)*ids);
    for (char **id = earlier; id && *id; id++)
        if (!g_strv_contains(ran, *id))
            g_ptr_array_add(all, *id);
    g_ptr_array_add(all, NULL);

    g_autofree char *text = g_strjoinv("\n", (char **)all->pdata);
    return path && mf_file_replace(path, text, strlen(text), 0600, error);
}

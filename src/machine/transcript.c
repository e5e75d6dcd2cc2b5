/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/transcript.h"

#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

/* The longest character, and so the longest beginning of one that is kept for its end. */
#define CHARACTER_MAX 4

struct _MfTranscript {
    GByteArray *bytes; /* owned; the end of the text */
    gsize cap;
    guint64 total; /* bytes of the whole text */
    char partial[CHARACTER_MAX];
    gsize n_partial; /* bytes of a character that is not complete yet */
    gboolean ended;
};

MfTranscript *
mf_transcript_new(gsize cap)
{
    MfTranscript *self = g_new0(MfTranscript, 1);

    self->bytes = g_byte_array_new();
    self->cap = cap;
    return self;
}

void
mf_transcript_free(MfTranscript *self)
{
    if (!self)
        return;
    g_byte_array_unref(self->bytes);
    g_free(self);
}

static gboolean
is_continuation(guint8 byte)
{
    return (byte & 0xc0) == 0x80;
}

/* Where in 'bytes' begins what is kept: the last 'cap' bytes, without the rest of a character whose
 * beginning is not among them. */
static gsize
find_start(const MfTranscript *self)
{
    gsize length = self->bytes->len;
    gsize start = length > self->cap ? length - self->cap : 0;

    while (start > 0 && start < length && is_continuation(self->bytes->data[start]))
        start++;
    return start;
}

/* 'data' is valid UTF-8, and no more than what is held anyway. */
static void
append_some(MfTranscript *self, const char *data, gsize size)
{
    g_byte_array_append(self->bytes, (const guint8 *)data, (guint)size);
    self->total += size;
    /* Not at every byte: what stays moves each time. */
    if (self->bytes->len > self->cap + self->cap / MF_TRANSCRIPT_SLACK)
        g_byte_array_remove_range(self->bytes, 0, (guint)find_start(self));
}

static void
append(MfTranscript *self, const char *data, gsize size)
{
    gsize step = self->cap / MF_TRANSCRIPT_SLACK + 1;

    for (; size > step; data += step, size -= step)
        append_some(self, data, step);
    append_some(self, data, size);
}

/* How many bytes the character has that begins with this one; 0: none does. */
static gsize
get_length(guint8 first)
{
    if (first > 0 && first < 0x80)
        return 1;
    if (first >= 0xc2 && first < 0xe0)
        return 2;
    if (first >= 0xe0 && first < 0xf0)
        return 3;
    return first >= 0xf0 && first < 0xf5 ? 4 : 0;
}

/* Whether these are the beginning of a character, and not all of it. */
static gboolean
is_unfinished(const char *data, gsize size)
{
    if (size == 0 || size >= get_length((guint8)data[0]))
        return FALSE;
    for (gsize i = 1; i < size; i++)
        if (!is_continuation((guint8)data[i]))
            return FALSE;
    return TRUE;
}

static void
append_replacements(MfTranscript *self, gsize count)
{
    for (; count > 0; count--)
        append(self, REPLACEMENT, strlen(REPLACEMENT));
}

/* Takes what there is up to a character that is not complete; returns how much. */
static gsize
take(MfTranscript *self, const char *data, gsize size)
{
    gsize done = 0;

    while (done < size) {
        const char *end;

        g_utf8_validate_len(data + done, size - done, &end);
        append(self, data + done, (gsize)(end - (data + done)));
        done = (gsize)(end - data);
        if (done == size || is_unfinished(end, size - done))
            break;
        append_replacements(self, 1);
        done++;
    }
    return done;
}

/* Goes on with the character whose beginning came before. Returns how much of 'data' belongs to it:
 * nothing when it turns out to be none, and so no longer to be waited for. */
static gsize
continue_partial(MfTranscript *self, const char *data, gsize size)
{
    gsize before = self->n_partial;
    gsize added = MIN(size, get_length((guint8)self->partial[0]) - before);

    memcpy(self->partial + before, data, added);
    self->n_partial = before + added;
    if (is_unfinished(self->partial, self->n_partial))
        return added;

    gboolean good = g_utf8_validate_len(self->partial, self->n_partial, NULL);
    if (good)
        append(self, self->partial, self->n_partial);
    else
        append_replacements(self, before);
    self->n_partial = 0;
    return good ? added : 0;
}

void
mf_transcript_feed(MfTranscript *self, const void *data, gsize size)
{
    const char *at = data;
    const char *end = at + size;

    if (self->ended)
        return;
    while (at < end && self->n_partial > 0)
        at += continue_partial(self, at, (gsize)(end - at));
    at += take(self, at, (gsize)(end - at));
    if (at < end) {
        self->n_partial = (gsize)(end - at);
        memcpy(self->partial, at, self->n_partial);
    }
}

void
mf_transcript_end(MfTranscript *self)
{
    if (self->ended)
        return;
    append_replacements(self, self->n_partial);
    self->n_partial = 0;
    self->ended = TRUE;
}

gboolean
mf_transcript_has_ended(const MfTranscript *self)
{
    return self->ended;
}

guint64
mf_transcript_get_elided(const MfTranscript *self)
{
    return self->total - (self->bytes->len - find_start(self));
}

const char *
mf_transcript_get_kept(const MfTranscript *self, gsize *ret_size)
{
    gsize start = find_start(self);

    if (ret_size)
        *ret_size = self->bytes->len - start;
    return self->bytes->len > 0 ? (const char *)self->bytes->data + start : "";
}

char *
mf_transcript_get_text(const MfTranscript *self)
{
    guint64 elided = mf_transcript_get_elided(self);
    gsize size;
    const char *kept = mf_transcript_get_kept(self, &size);
    g_autoptr(GString) text = g_string_sized_new(size + 1);

    if (elided > 0)
        g_string_append_printf(
            text, "\n[--- BUFFER OVERFLOW, %" G_GUINT64_FORMAT " bytes elided ---]\n", elided);
    g_string_append_len(text, kept, (gssize)size);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

guint64
mf_transcript_get_place(const MfTranscript *self)
{
    return self->total;
}

/* Where the place is in what is kept; its beginning when it is before that. */
static const char *
find_place(const MfTranscript *self, guint64 place)
{
    guint64 elided = mf_transcript_get_elided(self);

    return mf_transcript_get_kept(self, NULL) + (place > elided ? place - elided : 0);
}

const char *
mf_transcript_get_tail(const MfTranscript *self, guint64 from, guint lines, gsize *ret_size)
{
    const char *begin = find_place(self, from);
    const char *end = find_place(self, self->total);
    const char *start;

    while (end > begin && g_ascii_isspace(end[-1]))
        end--;
    start = end;
    while (start > begin && (start[-1] != '\n' || lines > 1)) {
        start--;
        if (*start == '\n')
            lines--;
    }
    *ret_size = (gsize)(end - start);
    return start;
}

static char *
copy_line(const char *line, gsize length)
{
    if (length > 0 && line[length - 1] == '\r')
        length--;
    return g_strndup(line, length);
}

MfTranscriptMatch
mf_transcript_find_line(const MfTranscript *self, const char *text, guint64 *cursor,
                        char **ret_line)
{
    const char *end = find_place(self, self->total);
    const char *at = find_place(self, *cursor);

    while (at < end) {
        const char *newline = memchr(at, '\n', (gsize)(end - at));
        const char *line_end = newline ? newline : end;
        const char *next = newline ? newline + 1 : end;

        if (!newline && !self->ended)
            break;
        if (memmem(at, (gsize)(line_end - at), text, strlen(text))) {
            *ret_line = copy_line(at, (gsize)(line_end - at));
            *cursor = self->total - (guint64)(end - next);
            return MF_TRANSCRIPT_FOUND;
        }
        at = next;
    }
    *cursor = self->total - (guint64)(end - at);
    return self->ended ? MF_TRANSCRIPT_MISSED : MF_TRANSCRIPT_AWAITED;
}

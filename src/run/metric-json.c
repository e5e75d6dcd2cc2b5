/* SPDX-License-Identifier: Apache-2.0 */
#include "run/metric-json.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "run/metric.h"

/* Of what is there instead of what is expected, in a message. */
#define SHOWN_MAX 16

/* A double that is written out in full has fewer characters. */
#define NUMBER_MAX 1100

typedef struct {
    gsize path_length; /* of the container's own name */
    guint64 index;     /* of the element that is read, in an array */
} Level;

typedef struct {
    const char *origin; /* where bytes are counted from */
    const char *at;
    const char *end;

    GByteArray *closers; /* owned; the brackets that close what is open, the innermost last */
    Level levels[MF_METRIC_DEPTH_MAX];
    GString *path; /* owned; to the value that is read, unless it is too deep */

    GPtrArray *metrics; /* borrowed */
    guint n_before;     /* of them */
    gsize name_bytes;
    int fd;
    gboolean truncated;
} Reader;

static gboolean
refuse(const Reader *self, const char *expected, GError **error)
{
    if (self->at == self->end) {
        g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL,
                    "%s is expected, but the text ends after %zu bytes.", expected,
                    (gsize)(self->at - self->origin));
        return FALSE;
    }

    gsize length = MIN(SHOWN_MAX, self->end - self->at);
    g_autofree char *there = g_strndup(self->at, length);
    g_autofree char *shown = g_strescape(there, "\"");
    g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL, "%s is expected at byte %zu, not '%s'.",
                expected, (gsize)(self->at - self->origin), shown);
    return FALSE;
}

static void
skip_space(Reader *self)
{
    while (self->at < self->end &&
           (*self->at == ' ' || *self->at == '\n' || *self->at == '\t' || *self->at == '\r'))
        self->at++;
}

static gboolean
is_at(const Reader *self, char c)
{
    return self->at < self->end && *self->at == c;
}

/*
 * Strings
 */

/* The four digits of a \u escape. */
static gboolean
read_code_unit(Reader *self, gunichar *ret_unit, GError **error)
{
    gunichar unit = 0;

    for (int i = 0; i < 4; i++, self->at++) {
        if (self->at == self->end || !g_ascii_isxdigit(*self->at))
            return refuse(self, "A hexadecimal digit", error);
        unit = unit << 4 | (gunichar)g_ascii_xdigit_value(*self->at);
    }
    *ret_unit = unit;
    return TRUE;
}

/* Behind "\u". Half of a pair, and NUL, come out as U+FFFD. */
static gboolean
read_unicode(Reader *self, gunichar *ret_character, GError **error)
{
    gunichar unit;
    gunichar second;

    if (!read_code_unit(self, &unit, error))
        return FALSE;
    if (unit >= 0xd800 && unit < 0xdc00 && self->end - self->at >= 2 && self->at[0] == '\\' &&
        self->at[1] == 'u') {
        const char *half = self->at;

        self->at += 2;
        if (!read_code_unit(self, &second, error))
            return FALSE;
        if (second >= 0xdc00 && second < 0xe000)
            unit = 0x10000 + ((unit - 0xd800) << 10) + (second - 0xdc00);
        else
            self->at = half;
    }
    *ret_character = unit && g_unichar_validate(unit) ? unit : 0xfffd;
    return TRUE;
}

/* Behind the backslash. */
static gboolean
read_escape(Reader *self, GString *to, GError **error)
{
    static const char escaped[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    const char *found = self->at < self->end && *self->at ? strchr(escaped, *self->at) : NULL;
    gunichar character;

    if (found) {
        self->at++;
        if (to)
            g_string_append_c(to, meant[found - escaped]);
        return TRUE;
    }
    if (!is_at(self, 'u'))
        return refuse(self, "An escape of JSON", error);
    self->at++;
    if (!read_unicode(self, &character, error))
        return FALSE;
    if (to)
        g_string_append_unichar(to, character);
    return TRUE;
}

/* At the quote. 'to' may be NULL. */
static gboolean
read_string(Reader *self, GString *to, GError **error)
{
    self->at++;
    for (;;) {
        const char *run = self->at;

        while (self->at < self->end && (guchar)*self->at >= 0x20 && *self->at != '"' &&
               *self->at != '\\')
            self->at++;
        if (to)
            g_string_append_len(to, run, self->at - run);
        if (is_at(self, '"'))
            break;
        if (!is_at(self, '\\'))
            return refuse(self, "The end of a string", error);
        self->at++;
        if (!read_escape(self, to, error))
            return FALSE;
    }
    self->at++;
    return TRUE;
}

/*
 * Numbers
 */

static gboolean
skip_digits(Reader *self, GError **error)
{
    const char *first = self->at;

    while (self->at < self->end && g_ascii_isdigit(*self->at))
        self->at++;
    return self->at > first || refuse(self, "A digit", error);
}

static gboolean
skip_number(Reader *self, GError **error)
{
    if (is_at(self, '-'))
        self->at++;
    if (is_at(self, '0'))
        self->at++;
    else if (!skip_digits(self, error))
        return FALSE;
    if (is_at(self, '.')) {
        self->at++;
        if (!skip_digits(self, error))
            return FALSE;
    }
    if (is_at(self, 'e') || is_at(self, 'E')) {
        self->at++;
        if (is_at(self, '+') || is_at(self, '-'))
            self->at++;
        return skip_digits(self, error);
    }
    return TRUE;
}

/* Of the value that was read. Without a name there is none to add. */
static gboolean
add_metric(Reader *self, double value, GError **error)
{
    if (self->closers->len == 0 || self->closers->len > MF_METRIC_DEPTH_MAX)
        return TRUE;

    self->name_bytes += self->path->len;
    if (self->path->len > MF_METRIC_NAME_MAX)
        return refuse(self, "A number whose name is shorter", error);
    if (self->metrics->len - self->n_before >= MF_METRICS_MAX ||
        self->name_bytes > MF_METRICS_BYTES_MAX)
        return refuse(self, "The end, after that many numbers,", error);
    g_ptr_array_add(self->metrics, mf_metric_new(self->path->str, value, self->fd));
    return TRUE;
}

static gboolean
read_number(Reader *self, GError **error)
{
    char text[NUMBER_MAX + 1];
    const char *first = self->at;

    if (!skip_number(self, error))
        return FALSE;

    gsize length = (gsize)(self->at - first);
    memcpy(text, first, MIN(length, NUMBER_MAX));
    text[MIN(length, NUMBER_MAX)] = '\0';
    double value = g_ascii_strtod(text, NULL);
    if (length > NUMBER_MAX || !isfinite(value)) {
        self->at = first;
        return refuse(self, "A number that a double can hold", error);
    }
    return add_metric(self, value, error);
}

/*
 * Values
 */

static gboolean
read_word(Reader *self, GError **error)
{
    static const char *const words[] = {"true", "false", "null"};

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        gsize length = strlen(words[i]);

        if ((gsize)(self->end - self->at) >= length && memcmp(self->at, words[i], length) == 0) {
            self->at += length;
            return TRUE;
        }
    }
    return refuse(self, "A value", error);
}

static gboolean
read_key(Reader *self, GString *to, GError **error)
{
    if (!is_at(self, '"'))
        return refuse(self, "The name of a member", error);
    if (!read_string(self, to, error))
        return FALSE;
    skip_space(self);
    if (!is_at(self, ':'))
        return refuse(self, "':'", error);
    self->at++;
    return TRUE;
}

/* Up to the value of the next member or element of the innermost container. */
static gboolean
begin_child(Reader *self, GError **error)
{
    guint depth = self->closers->len;
    gboolean in_object = self->closers->data[depth - 1] == '}';

    skip_space(self);
    if (depth > MF_METRIC_DEPTH_MAX)
        return !in_object || read_key(self, NULL, error);

    Level *level = &self->levels[depth - 1];
    g_string_truncate(self->path, level->path_length);
    if (self->path->len > 0)
        g_string_append_c(self->path, '.');
    if (in_object)
        return read_key(self, self->path, error);
    g_string_append_printf(self->path, "%" G_GUINT64_FORMAT, level->index++);
    return TRUE;
}

/* At the bracket. *ret_opened: its first value comes next; otherwise it was empty. */
static gboolean
open_container(Reader *self, gboolean *ret_opened, GError **error)
{
    guint8 closer = *self->at == '{' ? '}' : ']';

    self->at++;
    skip_space(self);
    if (is_at(self, (char)closer)) {
        self->at++;
        *ret_opened = FALSE;
        return TRUE;
    }
    if (self->closers->len < MF_METRIC_DEPTH_MAX)
        self->levels[self->closers->len] = (Level){.path_length = self->path->len};
    g_byte_array_append(self->closers, &closer, 1);
    *ret_opened = TRUE;
    return begin_child(self, error);
}

static gboolean
read_value(Reader *self, gboolean *ret_opened, GError **error)
{
    skip_space(self);
    *ret_opened = FALSE;
    if (self->closers->len > MF_METRIC_DEPTH_MAX)
        self->truncated = TRUE;
    if (is_at(self, '{') || is_at(self, '['))
        return open_container(self, ret_opened, error);
    if (is_at(self, '"'))
        return read_string(self, NULL, error);
    if (is_at(self, '-') || (self->at < self->end && g_ascii_isdigit(*self->at)))
        return read_number(self, error);
    return read_word(self, error);
}

/* Behind a value: closes what ends with it. *ret_more: up to the next value; otherwise the document
 * has ended. */
static gboolean
read_on(Reader *self, gboolean *ret_more, GError **error)
{
    for (;;) {
        skip_space(self);
        if (self->closers->len == 0) {
            *ret_more = FALSE;
            return self->at == self->end || refuse(self, "The end", error);
        }

        char closer = (char)self->closers->data[self->closers->len - 1];
        if (is_at(self, ',')) {
            self->at++;
            *ret_more = TRUE;
            return begin_child(self, error);
        }
        if (!is_at(self, closer))
            return refuse(self, closer == '}' ? "',' or '}'" : "',' or ']'", error);
        self->at++;
        g_byte_array_set_size(self->closers, self->closers->len - 1);
    }
}

static gboolean
read_document(Reader *self, GError **error)
{
    for (;;) {
        gboolean more;

        if (!read_value(self, &more, error))
            return FALSE;
        if (!more && !read_on(self, &more, error))
            return FALSE;
        if (!more)
            return TRUE;
    }
}

/* 'origin' is where the message counts bytes from. */
static gboolean
read_text(const char *origin, const char *text, gsize size, const char *prefix, int fd,
          GPtrArray *metrics, gboolean *ret_truncated, GError **error)
{
    g_autoptr(GByteArray) closers = g_byte_array_new();
    Reader reader = {
        .origin = origin,
        .at = text,
        .end = text + size,
        .closers = closers,
        .path = g_string_new(prefix),
        .metrics = metrics,
        .n_before = metrics->len,
        .fd = fd,
    };
    gboolean read = read_document(&reader, error);

    g_string_free(reader.path, TRUE);
    if (!read) {
        g_ptr_array_set_size(metrics, (int)reader.n_before);
        return FALSE;
    }
    if (reader.truncated)
        g_ptr_array_add(metrics, mf_metric_new(MF_METRIC_TRUNCATED, MF_METRIC_DEPTH_MAX + 1, fd));
    *ret_truncated = reader.truncated;
    return TRUE;
}

gboolean
mf_metric_json_read(const char *text, gsize size, const char *prefix, int fd, GPtrArray *metrics,
                    gboolean *ret_truncated, GError **error)
{
    return read_text(text, text, size, prefix, fd, metrics, ret_truncated, error);
}

/*
 * JSON among other text
 */

/* Behind the string that begins with the quote at 'at'; 'end' when it does not end. */
static const char *
skip_quoted(const char *at, const char *end)
{
    for (at++; at < end; at++) {
        if (*at == '"')
            return at + 1;
        if (*at == '\\' && at + 1 < end)
            at++;
    }
    return end;
}

gboolean
mf_metric_json_find(const char *text, gsize size, gsize *ret_start, gsize *ret_length)
{
    const char *end = text + size;
    const char *first = text;
    gsize depth = 0;

    while (first < end && *first != '{' && *first != '[')
        first++;
    *ret_start = (gsize)(first - text);

    for (const char *at = first; at < end;) {
        if (*at == '"') {
            at = skip_quoted(at, end);
            continue;
        }
        if (*at == *first)
            depth++;
        else if (*at == (*first == '{' ? '}' : ']'))
            depth--;
        at++;
        if (depth == 0) {
            *ret_length = (gsize)(at - first);
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
refuse_truncated(GError **error)
{
    g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL,
                "It is nested deeper than %d levels, and what is below them was left out.",
                MF_METRIC_DEPTH_MAX);
    return FALSE;
}

gboolean
mf_metric_json_extract(const char *text, gsize size, int fd, GPtrArray *metrics, GError **error)
{
    g_autoptr(GError) whole_error = NULL;
    gboolean truncated;
    gsize start;
    gsize length;

    if (read_text(text, text, size, NULL, fd, metrics, &truncated, &whole_error))
        return !truncated || refuse_truncated(error);

    /* What is open to the end is read too, for the message: it cannot be a document. */
    if (!mf_metric_json_find(text, size, &start, &length))
        length = size - start;
    if (length == 0)
        return TRUE;
    if (!read_text(text, text + start, length, NULL, fd, metrics, &truncated, error))
        return FALSE;
    return !truncated || refuse_truncated(error);
}

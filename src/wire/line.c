/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/line.h"

#include <string.h>

#include "base/error.h"

/* What an idle framer keeps: two pieces as transports deliver them. */
#define CAPACITY_MIN (128u << 10)

struct MfLineFramer {
    gsize line_max;
    char *buffer; /* owned */
    gsize capacity;
    gsize start;   /* of the line that is being collected */
    gsize scanned; /* no terminator lies between start and here */
    gsize end;     /* of the bytes in the buffer */
    gboolean skipping, too_long;
};

MfLineFramer *
mf_line_framer_new(gsize line_max)
{
    MfLineFramer *self = g_new0(MfLineFramer, 1);

    self->line_max = line_max;
    self->capacity = CAPACITY_MIN;
    self->buffer = g_malloc(self->capacity);
    return self;
}

void
mf_line_framer_free(MfLineFramer *self)
{
    if (!self)
        return;
    g_free(self->buffer);
    g_free(self);
}

/* Forgets the consumed bytes when no others are there, and the memory of an unusual line. */
static void
reset_if_empty(MfLineFramer *self)
{
    if (self->start < self->end)
        return;
    self->start = self->scanned = self->end = 0;
    if (self->capacity > CAPACITY_MIN) {
        g_free(self->buffer);
        self->capacity = CAPACITY_MIN;
        self->buffer = g_malloc(self->capacity);
    }
}

static void
make_room(MfLineFramer *self, gsize size)
{
    if (self->capacity - self->end >= size)
        return;

    /* At most once for what one feed has left: after it, start is 0 until a line is consumed. */
    memmove(self->buffer, self->buffer + self->start, self->end - self->start);
    self->scanned -= self->start;
    self->end -= self->start;
    self->start = 0;
    if (self->capacity - self->end < size) {
        self->capacity = MAX(self->capacity * 2, self->end + size);
        self->buffer = g_realloc(self->buffer, self->capacity);
    }
}

void
mf_line_framer_feed(MfLineFramer *self, GBytes *bytes)
{
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);

    if (size == 0 || self->too_long)
        return;
    if (self->skipping) {
        const char *sentinel = memchr(data, MF_LINE_SENTINEL, size);

        if (!sentinel)
            return;
        self->skipping = FALSE;
        size -= (gsize)(sentinel + 1 - data);
        data = sentinel + 1;
    }
    make_room(self, size);
    memcpy(self->buffer + self->end, data, size);
    self->end += size;
}

const char *
mf_line_framer_next(MfLineFramer *self, gsize *ret_length, GError **error)
{
    char *line = self->buffer + self->start;
    char *newline = memchr(self->buffer + self->scanned, '\n', self->end - self->scanned);
    gsize length = (gsize)((newline ? newline : self->buffer + self->end) - line);

    if (length > 0 && line[length - 1] == '\r')
        length--;
    if (length > self->line_max)
        self->too_long = TRUE;
    if (self->too_long) {
        g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL,
                    "A line is longer than %" G_GSIZE_FORMAT " bytes.", self->line_max);
        return NULL;
    }
    if (!newline) {
        self->scanned = self->end;
        reset_if_empty(self);
        return NULL;
    }
    line[length] = '\0';
    self->start = self->scanned = (gsize)(newline + 1 - self->buffer);
    *ret_length = length;
    return line;
}

void
mf_line_framer_skip_to_sentinel(MfLineFramer *self)
{
    const char *sentinel =
        memchr(self->buffer + self->start, MF_LINE_SENTINEL, self->end - self->start);

    self->skipping = !sentinel;
    self->start = sentinel ? (gsize)(sentinel + 1 - self->buffer) : self->end;
    self->scanned = self->start;
    reset_if_empty(self);
}

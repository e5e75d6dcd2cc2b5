/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/splitter.h"

#include <stdlib.h>
#include <string.h>

/* Kept between requests; more is given back. */
#define CAPACITY_KEEP (64u << 10)

static bool
is_space(uint8_t byte)
{
    return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n';
}

/* Not possible in UTF-8, so nowhere in JSON. */
static bool
is_reset(uint8_t byte)
{
    return byte >= 0xfe;
}

static bool
ends_word(uint8_t byte)
{
    return byte <= ' ' || is_reset(byte) || strchr("{}[],:\"", byte);
}

void
mfg_splitter_clear(struct mfg_splitter *splitter)
{
    free(splitter->text);
    *splitter = (struct mfg_splitter){0};
}

static void
restart(struct mfg_splitter *splitter)
{
    if (splitter->capacity > CAPACITY_KEEP)
        mfg_splitter_clear(splitter);
    splitter->length = 0;
    splitter->depth = 0;
    splitter->in_string = splitter->escaped = splitter->handed_out = false;
    splitter->state = MFG_SPLITTER_BETWEEN;
}

static enum mfg_split
broken(struct mfg_splitter *splitter, const char *problem, bool skip)
{
    restart(splitter);
    splitter->problem = problem;
    if (skip)
        splitter->state = MFG_SPLITTER_SKIPPING;
    return MFG_SPLIT_BROKEN;
}

static enum mfg_split
complete(struct mfg_splitter *splitter)
{
    splitter->handed_out = true;
    return MFG_SPLIT_VALUE;
}

static bool
append(struct mfg_splitter *splitter, uint8_t byte)
{
    if (splitter->length == splitter->capacity) {
        size_t capacity = splitter->capacity ? 2 * splitter->capacity : 1024;
        char *text = realloc(splitter->text, capacity);

        if (!text)
            return false;
        splitter->text = text;
        splitter->capacity = capacity;
    }
    splitter->text[splitter->length++] = (char)byte;
    return true;
}

/* A byte within an object, an array or a string. */
static enum mfg_split
take_inner(struct mfg_splitter *splitter, uint8_t byte)
{
    if (splitter->in_string) {
        if (byte < ' ')
            return broken(splitter, "a string is not closed", false);
        if (splitter->escaped)
            splitter->escaped = false;
        else if (byte == '\\')
            splitter->escaped = true;
        else if (byte == '"')
            splitter->in_string = false;
    } else if (byte == '"') {
        splitter->in_string = true;
    } else if (byte == '{' || byte == '[') {
        if (++splitter->depth > MFG_SPLITTER_DEPTH_MAX)
            return broken(splitter, "it is nested too deeply", true);
    } else if (byte == '}' || byte == ']') {
        splitter->depth--;
    }
    if (!append(splitter, byte))
        return broken(splitter, "there is no memory for it", true);
    return splitter->depth == 0 && !splitter->in_string ? complete(splitter) : MFG_SPLIT_MORE;
}

/* Returns what the byte led to; *ret_taken is false when it belongs to what comes next. */
static enum mfg_split
take(struct mfg_splitter *splitter, uint8_t byte, bool *ret_taken)
{
    *ret_taken = true;
    if (splitter->state == MFG_SPLITTER_SKIPPING) {
        if (byte == '\n' || is_reset(byte))
            restart(splitter);
        return MFG_SPLIT_MORE;
    }
    if (splitter->state == MFG_SPLITTER_IN_WORD && ends_word(byte)) {
        *ret_taken = false;
        return complete(splitter);
    }
    if (is_reset(byte))
        return broken(splitter, "it has a byte that is not JSON", false);
    if (splitter->length >= MFG_SPLITTER_VALUE_MAX)
        return broken(splitter, "it is too long", true);
    if (splitter->state == MFG_SPLITTER_BETWEEN) {
        if (is_space(byte))
            return MFG_SPLIT_MORE;
        if (byte < ' ' || strchr("}],:", byte))
            return broken(splitter, "a value is expected", false);
        splitter->state = strchr("{[\"", byte) ? MFG_SPLITTER_IN_VALUE : MFG_SPLITTER_IN_WORD;
    }
    if (splitter->state == MFG_SPLITTER_IN_VALUE)
        return take_inner(splitter, byte);
    return append(splitter, byte) ? MFG_SPLIT_MORE
                                  : broken(splitter, "there is no memory for it", true);
}

enum mfg_split
mfg_splitter_feed(struct mfg_splitter *splitter, const uint8_t *data, size_t size,
                  size_t *ret_taken)
{
    enum mfg_split split = MFG_SPLIT_MORE;
    size_t at = 0;

    if (splitter->handed_out)
        restart(splitter);
    while (at < size && split == MFG_SPLIT_MORE) {
        bool taken;

        split = take(splitter, data[at], &taken);
        at += taken;
    }
    *ret_taken = at;
    return split;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/json-build.h"

#include <printbuf.h>
#include <stdlib.h>
#include <string.h>

#include "guest/base64.h"

/* Bytes encoded at a time; a multiple of 3. */
#define BASE64_PIECE 3072

static void
spoil(json_object **container, json_object *value)
{
    json_object_put(value);
    json_object_put(*container);
    *container = NULL;
}

void
mfg_json_build_put(json_object **object, const char *key, json_object *value)
{
    if (!*object || !value || json_object_object_add(*object, key, value) < 0)
        spoil(object, value);
}

void
mfg_json_build_append(json_object **array, json_object *value)
{
    if (!*array || !value || json_object_array_add(*array, value) < 0)
        spoil(array, value);
}

/* Length of the UTF-8 sequence at 'text', or 0. */
static size_t
sequence_length(const unsigned char *text)
{
    size_t length;
    uint32_t code;

    if (text[0] < 0x80)
        return 1;
    if (text[0] < 0xc2 || text[0] > 0xf4)
        return 0;
    length = text[0] < 0xe0 ? 2 : text[0] < 0xf0 ? 3 : 4;
    code = text[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3fu);
    }
    if ((length == 3 && code < 0x800) || (length == 4 && code < 0x10000) || code > 0x10ffff ||
        (code >= 0xd800 && code < 0xe000))
        return 0;
    return length;
}

json_object *
mfg_json_build_text(const char *text)
{
    static const char replacement[] = "\xef\xbf\xbd";
    char *valid = malloc(3 * strlen(text) + 1);
    size_t size = 0;
    json_object *object;

    if (!valid)
        return NULL;
    while (*text) {
        size_t length = sequence_length((const unsigned char *)text);

        memcpy(valid + size, length ? text : replacement, length ? length : 3);
        size += length ? length : 3;
        text += length ? length : 1;
    }
    object = json_object_new_string_len(valid, (int)size);
    free(valid);
    return object;
}

struct bytes {
    uint8_t *data; /* owned */
    size_t size;
};

static void
free_bytes(json_object *object, void *user_data)
{
    struct bytes *bytes = user_data;

    free(bytes->data);
    free(bytes);
}

static int
write_base64(json_object *object, struct printbuf *buffer, int level, int flags)
{
    const struct bytes *bytes = json_object_get_userdata(object);
    char text[BASE64_PIECE / 3 * 4];

    if (printbuf_memappend(buffer, "\"", 1) < 0)
        return -1;
    for (size_t at = 0; at < bytes->size; at += BASE64_PIECE) {
        size_t left = bytes->size - at, size = left < BASE64_PIECE ? left : BASE64_PIECE;

        mfg_base64_encode(bytes->data + at, size, text);
        if (printbuf_memappend(buffer, text, (int)mfg_base64_encoded_size(size)) < 0)
            return -1;
    }
    return printbuf_memappend(buffer, "\"", 1);
}

json_object *
mfg_json_build_base64(uint8_t *data, size_t size)
{
    json_object *object = json_object_new_string("");
    struct bytes *bytes = malloc(sizeof(*bytes));

    if (!object || !bytes) {
        json_object_put(object);
        free(bytes);
        free(data);
        return NULL;
    }
    *bytes = (struct bytes){data, size};
    json_object_set_serializer(object, write_base64, bytes, free_bytes);
    return object;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/base64.h"

#include <stdlib.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t
mfg_base64_encoded_size(size_t size)
{
    return (size + 2) / 3 * 4;
}

void
mfg_base64_encode(const uint8_t *data, size_t size, char *text)
{
    for (; size >= 3; data += 3, size -= 3) {
        uint32_t bits = (uint32_t)data[0] << 16 | (uint32_t)data[1] << 8 | data[2];

        *text++ = alphabet[bits >> 18];
        *text++ = alphabet[bits >> 12 & 63];
        *text++ = alphabet[bits >> 6 & 63];
        *text++ = alphabet[bits & 63];
    }
    if (size > 0) {
        uint32_t bits = (uint32_t)data[0] << 16 | (size > 1 ? (uint32_t)data[1] << 8 : 0);

        *text++ = alphabet[bits >> 18];
        *text++ = alphabet[bits >> 12 & 63];
        *text++ = size > 1 ? alphabet[bits >> 6 & 63] : '=';
        *text++ = '=';
    }
}

static int
value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

/* Returns false at what cannot stand there. */
static bool
decode(const char *text, size_t length, uint8_t *data, size_t *ret_size)
{
    uint32_t bits = 0;
    size_t digits = 0, padding = 0, size = 0;

    for (size_t i = 0; i < length; i++) {
        int value = value_of(text[i]);

        if (text[i] == '\n' || text[i] == '\r')
            continue;
        if (text[i] == '=') {
            padding++;
            continue;
        }
        if (value < 0 || padding > 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        if (++digits % 4 != 0)
            continue;
        data[size++] = (uint8_t)(bits >> 16);
        data[size++] = (uint8_t)(bits >> 8);
        data[size++] = (uint8_t)bits;
    }
    if ((digits + padding) % 4 != 0 || padding > 2 || digits % 4 == 1)
        return false;
    if (digits % 4 >= 2)
        data[size++] = (uint8_t)(digits % 4 == 2 ? bits >> 4 : bits >> 10);
    if (digits % 4 == 3)
        data[size++] = (uint8_t)(bits >> 2);
    data[size] = '\0';
    *ret_size = size;
    return true;
}

bool
mfg_base64_decode(const char *text, size_t length, uint8_t **ret_data, size_t *ret_size)
{
    uint8_t *data = malloc(length / 4 * 3 + 4);

    if (!data || !decode(text, length, data, ret_size)) {
        free(data);
        return false;
    }
    *ret_data = data;
    return true;
}

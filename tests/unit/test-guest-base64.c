/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/base64.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

/* The vectors of RFC 4648, and bytes that need all of the alphabet. */
static const struct {
    const char *data;
    gsize size;
    const char *text;
} pairs[] = {
    {"", 0, ""},
    {"f", 1, "Zg=="},
    {"fo", 2, "Zm8="},
    {"foo", 3, "Zm9v"},
    {"foob", 4, "Zm9vYg=="},
    {"fooba", 5, "Zm9vYmE="},
    {"foobar", 6, "Zm9vYmFy"},
    {"\0\xff\xfe\xfb\xef\xbe", 6, "AP/+++++"},
};

static void
test_vectors_are_encoded(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        char text[16] = {0};

        g_assert_cmpuint(mfg_base64_encoded_size(pairs[i].size), ==, strlen(pairs[i].text));
        mfg_base64_encode((const guint8 *)pairs[i].data, pairs[i].size, text);
        g_assert_cmpstr(text, ==, pairs[i].text);
    }
}

static void
test_vectors_are_decoded(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(pairs); i++) {
        guint8 *data;
        gsize size;

        g_assert_true(mfg_base64_decode(pairs[i].text, strlen(pairs[i].text), &data, &size));
        g_assert_cmpmem(data, size, pairs[i].data, pairs[i].size);
        g_assert_cmpint(data[size], ==, '\0');
        free(data);
    }
}

static void
test_line_ends_may_stand_anywhere(void)
{
    guint8 *data;
    gsize size;

    g_assert_true(mfg_base64_decode("Z\ng\r\n=\n=\n", 9, &data, &size));
    g_assert_cmpmem(data, size, "f", 1);
    free(data);
}

static void
test_what_is_not_base64_is_refused(void)
{
    static const char *const bad[] = {"Z",        "Zg",       "Zg=",    "Zm9v=", "=",
                                      "====",     "Zg==Zg==", "Zm9v!",  "Zm 9v", "Zg=\t=",
                                      "Zm9vZ===", "-_-_",     "Zg\xff="};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        guint8 *data = NULL;
        gsize size = 7;

        g_autofree char *shown = g_strescape(bad[i], NULL);

        g_test_message("'%s'", shown);
        g_assert_false(mfg_base64_decode(bad[i], strlen(bad[i]), &data, &size));
        g_assert_null(data);
        g_assert_cmpuint(size, ==, 7);
    }
}

static void
test_each_length_comes_back(void)
{
    guint8 data[256];
    char text[344 + 4];

    for (gsize size = 0; size < sizeof(data); size++) {
        guint8 *decoded;
        gsize decoded_size;

        for (gsize i = 0; i < size; i++)
            data[i] = (guint8)(i * 7 + size);
        mfg_base64_encode(data, size, text);
        g_assert_true(
            mfg_base64_decode(text, mfg_base64_encoded_size(size), &decoded, &decoded_size));
        g_assert_cmpmem(decoded, decoded_size, data, size);
        free(decoded);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-base64/encode", test_vectors_are_encoded);
    g_test_add_func("/guest-base64/decode", test_vectors_are_decoded);
    g_test_add_func("/guest-base64/line-ends", test_line_ends_may_stand_anywhere);
    g_test_add_func("/guest-base64/refused", test_what_is_not_base64_is_refused);
    g_test_add_func("/guest-base64/lengths", test_each_length_comes_back);
    return g_test_run();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/shell.h"

#include <gio/gio.h>
#include <string.h>

/* A real shell reads the word back. */
static void
test_every_byte_survives_a_real_shell(void)
{
    char bytes[256];
    g_autoptr(GError) error = NULL;

    for (int i = 1; i < 256; i++)
        bytes[i - 1] = (char)i;
    bytes[255] = '\0';

    g_autofree char *quoted = mf_shell_quote(bytes);
    g_autofree char *script = g_strconcat("printf %s ", quoted, NULL);
    g_autoptr(GSubprocess) shell =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, "sh", "-c", script, NULL);
    g_assert_no_error(error);
    g_autoptr(GBytes) output = NULL;
    g_assert_true(g_subprocess_communicate(shell, NULL, NULL, &output, NULL, &error));
    g_assert_cmpmem(g_bytes_get_data(output, NULL), g_bytes_get_size(output), bytes, strlen(bytes));
}

static void
test_empty_and_plain_words(void)
{
    g_autofree char *empty = mf_shell_quote_if_needed("");
    g_autofree char *plain = mf_shell_quote_if_needed("-a=/b:c,d");
    g_autofree char *spaced = mf_shell_quote_if_needed("a b");

    g_assert_cmpstr(empty, ==, "''");
    g_assert_cmpstr(plain, ==, "-a=/b:c,d");
    g_assert_cmpstr(spaced, ==, "'a b'");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/shell/every-byte-survives-a-real-shell",
                    test_every_byte_survives_a_real_shell);
    g_test_add_func("/shell/empty-and-plain-words", test_empty_and_plain_words);
    return g_test_run();
}

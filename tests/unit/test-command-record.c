/* SPDX-License-Identifier: Apache-2.0 */
#include "run/command-record.h"

#include <string.h>

#include "wire/guest-protocol.h"
#include "wire/record.h"

/* The values of 'key', each with a space behind it. Owned by the caller. */
static char *
read_all(GBytes *record, const char *key)
{
    GString *found = g_string_new(NULL);
    const char *name, *value, *data;
    gsize size, at = 0;
    size_t length;

    data = g_bytes_get_data(record, &size);
    while (mf_record_next(data, size, &at, &name, &length, &value))
        if (mf_record_key_is(name, length, key))
            g_string_append_printf(found, "%s ", value);
    g_assert_cmpuint(at, ==, size);
    return g_string_free(found, FALSE);
}

static void
assert_env(const char *const *env, const char *expected)
{
    const gboolean open[3] = {TRUE, TRUE, TRUE};
    g_autoptr(MfTarget) target = mf_target_new();

    g_strfreev(target->env);
    target->env = g_strdupv((char **)env);

    g_autoptr(GBytes) command = mf_command_record_new(target, "/", open);
    g_autoptr(GBytes) hook = mf_command_record_new_hook(target, "/", "true", TRUE);
    g_autofree char *of_command = read_all(command, MF_EXEC_ENV);
    g_autofree char *of_hook = read_all(hook, MF_EXEC_ENV);
    g_assert_cmpstr(of_command, ==, expected);
    g_assert_cmpstr(of_hook, ==, expected);
}

static void
test_path_ends_with_the_guest_program(void)
{
    assert_env((const char *const[]){"A=b", "PATH=/bin:/usr/bin", "XPATH=/x", NULL},
               "A=b PATH=/bin:/usr/bin:" MF_GUEST_TOOLS " XPATH=/x ");
}

/* An empty one, and none, mean something to who looks a program up. */
static void
test_no_path_stays_none(void)
{
    assert_env((const char *const[]){"PATH=", NULL}, "PATH= ");
    assert_env((const char *const[]){"A=b", NULL}, "A=b ");
    assert_env((const char *const[]){NULL}, "");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/command-record/path-ends-with-the-guest-program",
                    test_path_ends_with_the_guest_program);
    g_test_add_func("/command-record/no-path-stays-none", test_no_path_stays_none);
    return g_test_run();
}

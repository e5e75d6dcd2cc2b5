/* SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>

#include "guest/cipher_tests.h"

static void
test_only_a_second_mention_is_the_users(void)
{
    g_assert_false(mfg_cipher_tests_are_asked_for(""));
    g_assert_false(mfg_cipher_tests_are_asked_for("quiet cryptomgr.notests panic=-1"));
    g_assert_true(
        mfg_cipher_tests_are_asked_for("quiet cryptomgr.notests panic=-1 cryptomgr.notests=0"));
    g_assert_true(mfg_cipher_tests_are_asked_for("cryptomgr.notests cryptomgr.notests"));
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-cipher-tests/only-a-second-mention-is-the-users",
                    test_only_a_second_mention_is_the_users);
    return g_test_run();
}

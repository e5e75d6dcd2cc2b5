/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/libvirt.h"

#include <string.h>

#include "base/error.h"

/* Linked with what is in the backend's place where mayfly is built without libvirt. */

#define URI "qemu:///session"

static void
assert_says_so(const GError *error)
{
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, "was built without libvirt"));
    g_assert_nonnull(strstr(error->message, "'" URI "'"));
}

static void
test_a_machine_cannot_be_started_and_the_reason_is_told(void)
{
    g_autoptr(MfSpec) spec = mf_spec_new();
    g_autoptr(GError) error = NULL;

    spec->connect = g_strdup(URI);
    g_assert_false(mf_libvirt_is_built_in());
    g_assert_null(mf_libvirt_launch(spec, &error));
    assert_says_so(error);
}

static void
on_opened(GObject *source, GAsyncResult *result, gpointer data)
{
    GError **error = data;

    g_assert_null(mf_libvirt_open_agent_finish(result, error));
}

static void
test_no_agent_can_be_reached_and_the_reason_is_told(void)
{
    g_autoptr(GError) error = NULL;

    mf_libvirt_open_agent_async(URI, "some", on_opened, &error);
    while (!error)
        g_main_context_iteration(NULL, TRUE);
    assert_says_so(error);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/libvirt-none/a-machine-cannot-be-started-and-the-reason-is-told",
                    test_a_machine_cannot_be_started_and_the_reason_is_told);
    g_test_add_func("/libvirt-none/no-agent-can-be-reached-and-the-reason-is-told",
                    test_no_agent_can_be_reached_and_the_reason_is_told);
    return g_test_run();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/libvirt-reply.h"

#include "machine/libvirt-agent.h"
#include "wire/json.h"

static void
test_messages_are_as_qemu_would_send_them(void)
{
    g_autoptr(json_object) id = json_object_new_int(7);
    g_autofree char *empty = mf_libvirt_reply_new_empty(id);
    g_autofree char *refusal = mf_libvirt_reply_new_error("It is \"off\".", id);
    g_autofree char *unasked = mf_libvirt_reply_new_error("No.", NULL);
    g_autofree char *greeting = mf_libvirt_reply_new_greeting(7002022);

    g_assert_cmpstr(empty, ==, "{\"return\":{},\"id\":7}");
    g_assert_cmpstr(refusal, ==,
                    "{\"error\":{\"class\":\"GenericError\",\"desc\":\"It is \\\"off\\\".\"},"
                    "\"id\":7}");
    g_assert_cmpstr(unasked, ==, "{\"error\":{\"class\":\"GenericError\",\"desc\":\"No.\"}}");
    g_assert_cmpstr(greeting, ==,
                    "{\"QMP\":{\"version\":{\"qemu\":{\"major\":7,\"minor\":2,\"micro\":22},"
                    "\"package\":\"\"},\"capabilities\":[]}}");
}

static void
test_a_reply_gets_the_id_of_its_request(void)
{
    g_autoptr(json_object) id = json_object_new_string("mine");
    g_autofree char *reply =
        mf_libvirt_reply_restore_id("{\"return\": [1], \"id\": \"libvirt-12\"}", id);
    g_autofree char *nonsense = mf_libvirt_reply_restore_id("[1", id);

    g_assert_cmpstr(reply, ==, "{\"return\":[1],\"id\":\"mine\"}");
    g_assert_true(g_str_has_prefix(nonsense, "{\"error\":"));
    g_assert_true(g_str_has_suffix(nonsense, "\"id\":\"mine\"}"));
}

static void
test_an_event_carries_its_data_if_that_is_an_object(void)
{
    g_autofree char *full = mf_libvirt_reply_new_event("SHUTDOWN", "{\"guest\": true}");
    g_autofree char *none = mf_libvirt_reply_new_event("RESUME", NULL);
    g_autofree char *broken = mf_libvirt_reply_new_event("RESUME", "{\"guest\"");

    g_assert_cmpstr(full, ==, "{\"event\":\"SHUTDOWN\",\"data\":{\"guest\":true}}");
    g_assert_cmpstr(none, ==, "{\"event\":\"RESUME\"}");
    g_assert_cmpstr(broken, ==, "{\"event\":\"RESUME\"}");
}

static void
test_the_agents_mark_is_put_back_around_libvirts_sync(void)
{
    gboolean marked = FALSE;
    g_autofree char *sync = mf_libvirt_agent_translate(
        "\xff{\"execute\":\"guest-sync-delimited\",\"arguments\":{\"id\":5}}", &marked);

    g_assert_true(marked);
    g_assert_cmpstr(sync, ==, "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":5}}");

    g_autofree char *other = mf_libvirt_agent_translate("{\"execute\":\"guest-info\"}", &marked);
    g_assert_false(marked);
    g_assert_cmpstr(other, ==, "{\"execute\":\"guest-info\"}");
    g_assert_null(mf_libvirt_agent_translate("{\"return\":{}}", &marked));
    g_assert_null(mf_libvirt_agent_translate("", &marked));
}

static void
test_an_agents_refusal_is_told_in_its_own_words(void)
{
    g_assert_cmpstr(mf_libvirt_agent_get_reason(
                        "internal error: unable to execute QEMU agent command 'guest-exec': "
                        "Cannot execute '/nope': No such file"),
                    ==, "Cannot execute '/nope': No such file");
    g_assert_cmpstr(mf_libvirt_agent_get_reason("something else"), ==, "something else");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/libvirt-reply/messages-are-as-qemu-would-send-them",
                    test_messages_are_as_qemu_would_send_them);
    g_test_add_func("/libvirt-reply/a-reply-gets-the-id-of-its-request",
                    test_a_reply_gets_the_id_of_its_request);
    g_test_add_func("/libvirt-reply/an-event-carries-its-data-if-that-is-an-object",
                    test_an_event_carries_its_data_if_that_is_an_object);
    g_test_add_func("/libvirt-reply/the-agents-mark-is-put-back-around-libvirts-sync",
                    test_the_agents_mark_is_put_back_around_libvirts_sync);
    g_test_add_func("/libvirt-reply/an-agents-refusal-is-told-in-its-own-words",
                    test_an_agents_refusal_is_told_in_its_own_words);
    return g_test_run();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/rpc.h"

#include <string.h>

#include "base/error.h"

typedef struct {
    MfRpc *rpc;
    GObject *source;
    GArray *abandoned; /* of guint64 */
    GString *order;    /* the names of the calls, as they returned */
} Fixture;

/* What became of one call. */
typedef struct {
    Fixture *fixture;
    const char *name;
    guint returns;
    json_object *value;
    GError *error;
} Outcome;

static void
outcome_clear(Outcome *outcome)
{
    json_object_put(outcome->value);
    g_clear_error(&outcome->error);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, outcome_clear)

static void
on_abandoned(guint64 id, gpointer data)
{
    Fixture *fixture = data;

    g_assert_false(mf_rpc_is_live(fixture->rpc, id));
    g_array_append_val(fixture->abandoned, id);
}

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    fixture->rpc = mf_rpc_new(on_abandoned, fixture);
    fixture->source = g_object_new(G_TYPE_OBJECT, NULL);
    fixture->abandoned = g_array_new(FALSE, FALSE, sizeof(guint64));
    fixture->order = g_string_new(NULL);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    mf_rpc_free(fixture->rpc);
    g_assert_finalize_object(fixture->source);
    g_array_unref(fixture->abandoned);
    g_string_free(fixture->order, TRUE);
}

static void
on_returned(GObject *source, GAsyncResult *result, gpointer data)
{
    Outcome *outcome = data;

    outcome->returns++;
    g_string_append(outcome->fixture->order, outcome->name);
    g_assert_cmpint(mf_rpc_finish(result, &outcome->value, &outcome->error), ==,
                    outcome->error == NULL);
}

static guint64
enter(Fixture *fixture, Outcome *outcome, const char *name, GCancellable *cancellable)
{
    *outcome = (Outcome){.fixture = fixture, .name = name};
    return mf_rpc_enter(fixture->rpc,
                        g_task_new(fixture->source, cancellable, on_returned, outcome), name);
}

static void
await(Outcome *outcome)
{
    while (outcome->returns == 0)
        g_main_context_iteration(NULL, TRUE);
}

static void
settle(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static void
test_replies_reach_their_calls_in_any_order(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) a = {0}, b = {0};
    guint64 id_a = enter(fixture, &a, "a", NULL);
    guint64 id_b = enter(fixture, &b, "b", NULL);

    g_assert_cmpuint(id_a, !=, id_b);
    mf_rpc_succeed(fixture->rpc, id_b, json_object_new_int(2));
    g_assert_false(mf_rpc_is_live(fixture->rpc, id_b));
    g_assert_true(mf_rpc_is_live(fixture->rpc, id_a));
    mf_rpc_succeed(fixture->rpc, id_a, json_object_new_int(1));
    settle();
    g_assert_cmpstr(fixture->order->str, ==, "ba");
    g_assert_cmpint(json_object_get_int(a.value), ==, 1);
    g_assert_cmpint(json_object_get_int(b.value), ==, 2);
    g_assert_cmpuint(fixture->abandoned->len, ==, 0);
}

static void
test_null_is_a_result(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) a = {0};

    mf_rpc_succeed(fixture->rpc, enter(fixture, &a, "a", NULL), NULL);
    await(&a);
    g_assert_no_error(a.error);
    g_assert_null(a.value);
}

static void
test_a_passed_deadline_abandons_the_call(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) a = {0};
    guint64 id = enter(fixture, &a, "The command 'slow'", NULL);

    mf_rpc_set_deadline(fixture->rpc, id, 5);
    await(&a);
    g_assert_error(a.error, MF_ERROR, MF_ERROR_TIMEOUT);
    g_assert_cmpstr(a.error->message, ==, "The command 'slow' was not answered within 5ms.");
    g_assert_cmpuint(fixture->abandoned->len, ==, 1);
    g_assert_cmpuint(g_array_index(fixture->abandoned, guint64, 0), ==, id);
}

static void
test_a_deadline_of_zero_is_none_and_a_new_one_replaces_it(Fixture *fixture, gconstpointer unused)
{
    g_auto(Outcome) a = {0}, b = {0};
    guint64 id_a = enter(fixture, &a, "a", NULL);
    guint64 id_b = enter(fixture, &b, "b", NULL);

    mf_rpc_set_deadline(fixture->rpc, id_a, 1);
    mf_rpc_set_deadline(fixture->rpc, id_a, 0);
    mf_rpc_set_deadline(fixture->rpc, id_b, 10);
    await(&b);
    g_assert_cmpuint(a.returns, ==, 0);
    mf_rpc_succeed(fixture->rpc, id_a, NULL);
    await(&a);
}

static void
test_a_reply_ends_the_deadline_and_the_cancellation(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_auto(Outcome) a = {0}, b = {0};
    guint64 id_a = enter(fixture, &a, "a", cancellable);
    guint64 id_b = enter(fixture, &b, "b", NULL);

    mf_rpc_set_deadline(fixture->rpc, id_a, 1);
    mf_rpc_set_deadline(fixture->rpc, id_b, 10);
    mf_rpc_succeed(fixture->rpc, id_a, json_object_new_int(1));
    g_cancellable_cancel(cancellable);
    await(&b);
    g_assert_cmpuint(a.returns, ==, 1);
    g_assert_no_error(a.error);
    g_assert_cmpuint(fixture->abandoned->len, ==, 1);
    g_assert_cmpuint(g_array_index(fixture->abandoned, guint64, 0), ==, id_b);
}

static void
test_cancelling_abandons_the_call_from_the_main_loop(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_auto(Outcome) a = {0};
    guint64 id = enter(fixture, &a, "The command 'slow'", cancellable);

    mf_rpc_set_deadline(fixture->rpc, id, 60000);
    g_cancellable_cancel(cancellable);
    g_assert_cmpuint(a.returns, ==, 0);
    await(&a);
    g_assert_error(a.error, MF_ERROR, MF_ERROR_CANCELLED);
    g_assert_cmpstr(a.error->message, ==, "The command 'slow' was cancelled.");
    g_assert_cmpuint(fixture->abandoned->len, ==, 1);
}

static void
test_a_cancelled_task_does_not_enter(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_auto(Outcome) a = {0};

    g_cancellable_cancel(cancellable);
    g_assert_cmpuint(enter(fixture, &a, "a", cancellable), ==, 0);
    g_assert_cmpuint(a.returns, ==, 0);
    await(&a);
    g_assert_error(a.error, MF_ERROR, MF_ERROR_CANCELLED);
    g_assert_cmpuint(fixture->abandoned->len, ==, 0);
}

static void
test_a_hang_up_fails_all_once_in_order(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GError) reason = g_error_new(MF_ERROR, MF_ERROR_LOST, "It is gone.");
    g_auto(Outcome) a = {0}, b = {0}, c = {0}, clock = {0};

    mf_rpc_set_deadline(fixture->rpc, enter(fixture, &a, "a", cancellable), 1);
    enter(fixture, &b, "b", NULL);
    enter(fixture, &c, "c", NULL);
    mf_rpc_fail_all(fixture->rpc, reason);
    g_clear_error(&reason);
    g_cancellable_cancel(cancellable);
    mf_rpc_set_deadline(fixture->rpc, enter(fixture, &clock, ".", NULL), 10);
    await(&clock);

    g_assert_cmpstr(fixture->order->str, ==, "abc.");
    const Outcome *outcomes[] = {&a, &b, &c};
    for (gsize i = 0; i < G_N_ELEMENTS(outcomes); i++) {
        g_assert_error(outcomes[i]->error, MF_ERROR, MF_ERROR_LOST);
        g_assert_cmpstr(outcomes[i]->error->message, ==, "It is gone.");
    }
}

static void
test_a_request_is_one_line_with_what_it_needs(void)
{
    json_object *arguments = json_object_new_object();

    json_object_object_add(arguments, "path", json_object_new_string("/a\nb\"c"));
    g_autoptr(GBytes) full = mf_rpc_request("do", arguments, 7);
    const char expected[] =
        "{\"execute\":\"do\",\"arguments\":{\"path\":\"/a\\nb\\\"c\"},\"id\":7}\n";
    g_assert_cmpmem(g_bytes_get_data(full, NULL), g_bytes_get_size(full), expected,
                    sizeof(expected) - 1);

    g_autoptr(GBytes) bare = mf_rpc_request("do", NULL, 0);
    g_assert_cmpmem(g_bytes_get_data(bare, NULL), g_bytes_get_size(bare), "{\"execute\":\"do\"}\n",
                    17);
}

static GError *
read_error(const char *text)
{
    g_autoptr(json_object) value = NULL;

    g_assert_true(mf_json_parse(text, strlen(text), 1u << 20, &value, NULL));
    MfJson error = mf_json_top(value, "an error");
    return mf_rpc_remote_error(&error);
}

static void
test_a_remote_error_has_class_and_description(void)
{
    g_autoptr(GError) error =
        read_error("{\"class\":\"CommandNotFound\",\"desc\":\"no 'x'\",\"more\":[]}");

    g_assert_error(error, MF_ERROR, MF_ERROR_REMOTE);
    g_assert_cmpstr(error->message, ==, "CommandNotFound: no 'x'");
}

static void
test_a_malformed_remote_error_breaks_the_protocol(void)
{
    const char *const texts[] = {"null",
                                 "[]",
                                 "{\"class\":\"C\"}",
                                 "{\"desc\":\"d\"}",
                                 "{\"class\":1,\"desc\":\"d\"}",
                                 "{\"class\":\"C\",\"desc\":null}"};

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = read_error(texts[i]);

        g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
    }
}

static void
test_a_remote_error_cannot_steer_the_terminal(void)
{
    g_autoptr(GError) error =
        read_error("{\"class\":\"C\",\"desc\":\"a\\u001b[2Jb\\r\\nc\\u009b1md \xc3\xa9\"}");

    g_assert_cmpstr(error->message, ==, "C: a [2Jb  c 1md \xc3\xa9");
}

static void
test_a_remote_error_is_bounded(void)
{
    g_autoptr(GString) text = g_string_new("{\"class\":\"C\",\"desc\":\"");

    for (int i = 0; i < MF_RPC_ERROR_TEXT_MAX; i++)
        g_string_append(text, "\xc3\xa9");
    g_string_append(text, "\"}");
    g_autoptr(GError) error = read_error(text->str);
    g_assert_error(error, MF_ERROR, MF_ERROR_REMOTE);
    g_assert_cmpuint(strlen(error->message), <=, MF_RPC_ERROR_TEXT_MAX);
    g_assert_cmpuint(strlen(error->message), >, MF_RPC_ERROR_TEXT_MAX - 5);
    g_assert_true(g_utf8_validate(error->message, -1, NULL));
}

#define ADD(name, function) g_test_add("/rpc/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("replies-reach-their-calls-in-any-order", test_replies_reach_their_calls_in_any_order);
    ADD("null-is-a-result", test_null_is_a_result);
    ADD("a-passed-deadline-abandons-the-call", test_a_passed_deadline_abandons_the_call);
    ADD("a-deadline-of-zero-is-none-and-a-new-one-replaces-it",
        test_a_deadline_of_zero_is_none_and_a_new_one_replaces_it);
    ADD("a-reply-ends-the-deadline-and-the-cancellation",
        test_a_reply_ends_the_deadline_and_the_cancellation);
    ADD("cancelling-abandons-the-call-from-the-main-loop",
        test_cancelling_abandons_the_call_from_the_main_loop);
    ADD("a-cancelled-task-does-not-enter", test_a_cancelled_task_does_not_enter);
    ADD("a-hang-up-fails-all-once-in-order", test_a_hang_up_fails_all_once_in_order);
    g_test_add_func("/rpc/a-request-is-one-line-with-what-it-needs",
                    test_a_request_is_one_line_with_what_it_needs);
    g_test_add_func("/rpc/a-remote-error-has-class-and-description",
                    test_a_remote_error_has_class_and_description);
    g_test_add_func("/rpc/a-malformed-remote-error-breaks-the-protocol",
                    test_a_malformed_remote_error_breaks_the_protocol);
    g_test_add_func("/rpc/a-remote-error-cannot-steer-the-terminal",
                    test_a_remote_error_cannot_steer_the_terminal);
    g_test_add_func("/rpc/a-remote-error-is-bounded", test_a_remote_error_is_bounded);
    return g_test_run();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "warm/wait.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "warm-fixture.h"

#define TIME_MS 10000

typedef struct {
    gboolean done;
    GError *error; /* owned */
} Waited;

static void
on_waited(GObject *source, GAsyncResult *result, gpointer data)
{
    Waited *waited = data;

    mf_warm_wait_finish(result, &waited->error);
    waited->done = TRUE;
}

static void
start_wait(Waited *waited, const MfWarmKey *key, guint timeout_ms, GCancellable *cancellable)
{
    *waited = (Waited){0};
    mf_warm_wait_async(key->id, timeout_ms, cancellable, on_waited, waited);
}

static void
finish_wait(Waited *waited)
{
    while (!waited->done)
        g_main_context_iteration(NULL, TRUE);
}

static void
test_a_wait_ends_with_the_builder(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");
    MfWarmBuild *build = warm_fixture_begin(key);
    Waited waited, second;

    start_wait(&waited, key, TIME_MS, NULL);
    start_wait(&second, key, TIME_MS, NULL);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_false(waited.done);
    mf_warm_build_free(build);
    finish_wait(&waited);
    finish_wait(&second);
    g_assert_no_error(waited.error);
    g_assert_no_error(second.error);
}

static void
test_a_wait_ends_when_the_builder_is_killed(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");
    int ready[2];
    char byte;
    Waited waited;

    g_assert_cmpint(pipe(ready), ==, 0);
    pid_t pid = fork();
    if (pid == 0) {
        warm_fixture_begin(key);
        g_assert_cmpint(write(ready[1], "r", 1), ==, 1);
        pause();
        _exit(1);
    }
    g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
    start_wait(&waited, key, TIME_MS, NULL);
    g_assert_false(waited.done);
    kill(pid, SIGKILL);
    finish_wait(&waited);
    g_assert_no_error(waited.error);
    waitpid(pid, NULL, 0);
    close(ready[0]);
    close(ready[1]);
}

/* Whoever gives up takes the lock's file away, and another one that waited makes it anew before
 * this one has looked. */
static void
test_a_wait_goes_on_with_the_next_builder(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");
    MfWarmBuild *build = warm_fixture_begin(key);
    Waited waited;

    start_wait(&waited, key, TIME_MS, NULL);
    mf_warm_build_free(build);
    build = warm_fixture_begin(key);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_false(waited.done);
    mf_warm_build_free(build);
    finish_wait(&waited);
    g_assert_no_error(waited.error);
}

static void
test_a_wait_for_nobody_ends_at_once(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");
    Waited waited;

    start_wait(&waited, key, TIME_MS, NULL);
    finish_wait(&waited);
    g_assert_no_error(waited.error);

    warm_fixture_save(key);
    start_wait(&waited, key, TIME_MS, NULL);
    finish_wait(&waited);
    g_assert_no_error(waited.error);
}

static void
test_a_wait_is_bounded_and_can_be_cancelled(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");
    g_autoptr(MfWarmBuild) build = warm_fixture_begin(key);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    Waited waited;

    start_wait(&waited, key, 1, NULL);
    finish_wait(&waited);
    g_assert_error(waited.error, MF_ERROR, MF_ERROR_TIMEOUT);
    g_clear_error(&waited.error);

    start_wait(&waited, key, TIME_MS, cancellable);
    g_cancellable_cancel(cancellable);
    finish_wait(&waited);
    g_assert_error(waited.error, MF_ERROR, MF_ERROR_CANCELLED);
    g_clear_error(&waited.error);
}

static const WarmTest tests[] = {
    {"a-wait-ends-with-the-builder", test_a_wait_ends_with_the_builder},
    {"a-wait-ends-when-the-builder-is-killed", test_a_wait_ends_when_the_builder_is_killed},
    {"a-wait-goes-on-with-the-next-builder", test_a_wait_goes_on_with_the_next_builder},
    {"a-wait-for-nobody-ends-at-once", test_a_wait_for_nobody_ends_at_once},
    {"a-wait-is-bounded-and-can-be-cancelled", test_a_wait_is_bounded_and_can_be_cancelled},
};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    warm_fixture_add("/warm-wait/", tests, G_N_ELEMENTS(tests));
    return g_test_run();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "run/image.h"

#include <string.h>

#include "agent-fixture.h"
#include "base/error.h"

/* "script" */
#define START                                                                                      \
    "{\"path\": \"/bin/sh\", \"arg\": [\"-s\"], \"input-data\": \"c2NyaXB0\", "                    \
    "\"capture-output\": true}"

typedef struct {
    AgentFixture agent;
    MfImage *image;
    MfImageMeans means;
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
    agent_fixture_set_up(&self->agent, data);
    self->image = mf_image_new(self->agent.qga, "script");
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    g_assert_finalize_object(self->image);
    agent_fixture_tear_down(&self->agent, data);
}

static void
on_set_up(GObject *source, GAsyncResult *result, gpointer data)
{
    Fixture *self = data;

    self->agent.returns++;
    mf_image_set_up_finish(MF_IMAGE(source), result, &self->means, &self->agent.error);
}

/* The agent executes the script, which ends so. */
static void
script_end(Fixture *self, const char *status)
{
    agent_fixture_expect_end(&self->agent, START, status);
}

static void
play(Fixture *self)
{
    mf_image_set_up_async(self->image, self->agent.cancellable, on_set_up, self);
    agent_fixture_play(&self->agent);
}

static void
test_the_scripts_word_says_what_the_system_can(Fixture *self, gconstpointer data)
{
    script_end(self, "\"exitcode\": 0, \"out-data\": \"c3RyZWFtcwo=\"");
    self->means = MF_IMAGE_ALONE;
    play(self);
    g_assert_no_error(self->agent.error);
    g_assert_cmpint(self->means, ==, MF_IMAGE_STREAMS);
    g_assert_cmpstr(mf_image_get_reason(self->image), ==, "");
}

static void
test_a_system_without_shares_says_why(Fixture *self, gconstpointer data)
{
    /* "alone", and "mount: no\n9p\n" */
    script_end(self, "\"exitcode\": 0, \"out-data\": \"YWxvbmUK\", "
                     "\"err-data\": \"bW91bnQ6IG5vCjlwCg==\"");
    play(self);
    g_assert_no_error(self->agent.error);
    g_assert_cmpint(self->means, ==, MF_IMAGE_ALONE);
    g_assert_cmpstr(mf_image_get_reason(self->image), ==, "mount: no 9p");
}

static void
test_a_share_that_cannot_be_mounted_is_a_failure_in_the_scripts_words(Fixture *self,
                                                                      gconstpointer data)
{
    script_end(self, "\"exitcode\": 1, \"err-data\": \"bm8K\"");
    play(self);
    g_assert_error(self->agent.error, MF_ERROR, MF_ERROR_GUEST);
    g_assert_nonnull(strstr(self->agent.error->message, "could not be set up: no"));
}

static void
test_the_scripts_words_reach_no_terminal_but_as_a_line(Fixture *self, gconstpointer data)
{
    /* A window's title and bold type. */
    script_end(self, "\"exitcode\": 1, \"err-data\": \"G10wO3RpdGxlBxtbMW1ubwo=\"");
    play(self);
    g_assert_cmpstr(self->agent.error->message, ==, "The image's system could not be set up: no");
}

static void
test_a_shell_that_is_killed_is_a_failure(Fixture *self, gconstpointer data)
{
    script_end(self, "\"signal\": 9, \"out-data\": \"c3RyZWFtcwo=\"");
    play(self);
    g_assert_error(self->agent.error, MF_ERROR, MF_ERROR_GUEST);
}

static void
test_another_word_is_a_failure(Fixture *self, gconstpointer data)
{
    script_end(self, "\"exitcode\": 0, \"out-data\": \"c3RyZWFt\"");
    play(self);
    g_assert_error(self->agent.error, MF_ERROR, MF_ERROR_GUEST);
    g_assert_nonnull(strstr(self->agent.error->message, "'stream'"));
}

static void
test_an_agent_that_may_not_execute_is_told_of(Fixture *self, gconstpointer data)
{
    peer_sync(self->agent.peer);
    peer_expect(self->agent.peer, "guest-exec", START);
    peer_say(self->agent.peer,
             "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command "
             "guest-exec has been disabled for this instance\"}}\n");
    play(self);
    g_assert_error(self->agent.error, MF_ERROR, MF_ERROR_REMOTE);
    g_assert_nonnull(strstr(self->agent.error->message, "is guest-exec among the commands"));
    g_assert_nonnull(strstr(self->agent.error->message, "has been disabled"));
}

static void
test_waiting_for_the_agent_can_be_cancelled(Fixture *self, gconstpointer data)
{
    peer_expect_sync(self->agent.peer);
    peer_then(self->agent.peer, agent_fixture_cancel, &self->agent);
    play(self);
    g_assert_error(self->agent.error, MF_ERROR, MF_ERROR_CANCELLED);
}

static void
test_waiting_for_the_script_can_be_cancelled(Fixture *self, gconstpointer data)
{
    peer_expect_exec(self->agent.peer, START);
    peer_expect_exec_status(self->agent.peer);
    peer_then(self->agent.peer, agent_fixture_cancel, &self->agent);
    play(self);
    g_assert_error(self->agent.error, MF_ERROR, MF_ERROR_CANCELLED);
}

static void
test_the_words_of_each_firmware_are_known(void)
{
    g_assert_true(mf_image_is_unbootable("No bootable device.  Retrying in 60 seconds.\r"));
    g_assert_true(
        mf_image_is_unbootable("\x1b[2JBdsDxe: No bootable option or device was found.\r"));
    g_assert_true(mf_image_is_unbootable("\x1b[01;01HUEFI Interactive Shell v2.2\r"));
    g_assert_false(mf_image_is_unbootable("Booting from Hard Disk..."));
}

static void
test_the_advice_fits_the_target(void)
{
    g_autoptr(MfTarget) target = mf_target_new();

    mf_target_set_image(target, "/image", MF_MEDIUM_DISK);
    g_autofree char *bios = mf_image_describe_unbootable(target, "No bootable device.\r");
    g_assert_cmpstr(bios, ==,
                    "The firmware found nothing to boot in the image '/image' (\"No bootable "
                    "device.\"): an image for UEFI boots with --uefi.");
    target->uefi = TRUE;
    g_autofree char *uefi = mf_image_describe_silence(target, "2m");
    g_assert_nonnull(strstr(uefi, "without --uefi"));
    g_assert_nonnull(strstr(uefi, "within 2m"));
}

#define ADD(name, test) g_test_add("/image/" name, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("the-scripts-word-says-what-the-system-can",
        test_the_scripts_word_says_what_the_system_can);
    ADD("a-system-without-shares-says-why", test_a_system_without_shares_says_why);
    ADD("a-share-that-cannot-be-mounted-is-a-failure-in-the-scripts-words",
        test_a_share_that_cannot_be_mounted_is_a_failure_in_the_scripts_words);
    ADD("the-scripts-words-reach-no-terminal-but-as-a-line",
        test_the_scripts_words_reach_no_terminal_but_as_a_line);
    ADD("a-shell-that-is-killed-is-a-failure", test_a_shell_that_is_killed_is_a_failure);
    ADD("another-word-is-a-failure", test_another_word_is_a_failure);
    ADD("an-agent-that-may-not-execute-is-told-of", test_an_agent_that_may_not_execute_is_told_of);
    ADD("waiting-for-the-agent-can-be-cancelled", test_waiting_for_the_agent_can_be_cancelled);
    ADD("waiting-for-the-script-can-be-cancelled", test_waiting_for_the_script_can_be_cancelled);
    g_test_add_func("/image/the-words-of-each-firmware-are-known",
                    test_the_words_of_each_firmware_are_known);
    g_test_add_func("/image/the-advice-fits-the-target", test_the_advice_fits_the_target);
    return g_test_run();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "run/image.h"

#include <string.h>

#include "base/error.h"
#include "peer.h"

/* "script" */
#define START                                                                                      \
    "{\"path\": \"/bin/sh\", \"arg\": [\"-s\"], \"input-data\": \"c2NyaXB0\", "                    \
    "\"capture-output\": true}"

typedef struct {
    Peer *agent;
    MfQga *qga;
    MfImage *image;
    GCancellable *cancellable;
    guint returns;
    MfImageMeans means;
    GError *error;
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
    g_autoptr(MfTransport) transport = NULL;

    self->agent = peer_new(&transport);
    self->qga = mf_qga_new(transport);
    self->image = mf_image_new(self->qga, "script");
    self->cancellable = g_cancellable_new();
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    g_assert_finalize_object(self->image);
    g_assert_finalize_object(self->qga);
    g_object_unref(self->cancellable);
    peer_free(self->agent);
    g_clear_error(&self->error);
}

static void
on_set_up(GObject *source, GAsyncResult *result, gpointer data)
{
    Fixture *self = data;

    g_assert_cmpuint(++self->returns, ==, 1);
    mf_image_set_up_finish(MF_IMAGE(source), result, &self->means, &self->error);
}

/* The agent executes the script, which ends with 'status' (the members of guest-exec-status). */
static void
script_end(Fixture *self, const char *status)
{
    g_autofree char *answer = g_strdup_printf("{\"return\": {\"exited\": true, %s}}\n", status);

    peer_sync(self->agent);
    peer_expect(self->agent, "guest-exec", START);
    peer_say(self->agent, "{\"return\": {\"pid\": 7}}\n");
    peer_expect(self->agent, "guest-exec-status", "{\"pid\": 7}");
    peer_say(self->agent, answer);
}

static void
play(Fixture *self)
{
    mf_image_set_up_async(self->image, self->cancellable, on_set_up, self);
    peer_play(self->agent);
    while (self->returns == 0)
        g_main_context_iteration(NULL, TRUE);
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static void
test_the_scripts_word_says_what_the_system_can(Fixture *self, gconstpointer data)
{
    script_end(self, "\"exitcode\": 0, \"out-data\": \"c3RyZWFtcwo=\"");
    self->means = MF_IMAGE_ALONE;
    play(self);
    g_assert_no_error(self->error);
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
    g_assert_no_error(self->error);
    g_assert_cmpint(self->means, ==, MF_IMAGE_ALONE);
    g_assert_cmpstr(mf_image_get_reason(self->image), ==, "mount: no 9p");
}

static void
test_a_share_that_cannot_be_mounted_is_a_failure_in_the_scripts_words(Fixture *self,
                                                                      gconstpointer data)
{
    script_end(self, "\"exitcode\": 1, \"err-data\": \"bm8K\"");
    play(self);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_GUEST);
    g_assert_nonnull(strstr(self->error->message, "could not be set up: no"));
}

static void
test_the_scripts_words_reach_no_terminal_but_as_a_line(Fixture *self, gconstpointer data)
{
    /* A window's title and bold type. */
    script_end(self, "\"exitcode\": 1, \"err-data\": \"G10wO3RpdGxlBxtbMW1ubwo=\"");
    play(self);
    g_assert_cmpstr(self->error->message, ==, "The image's system could not be set up: no");
}

static void
test_a_shell_that_is_killed_is_a_failure(Fixture *self, gconstpointer data)
{
    script_end(self, "\"signal\": 9, \"out-data\": \"c3RyZWFtcwo=\"");
    play(self);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_GUEST);
}

static void
test_another_word_is_a_failure(Fixture *self, gconstpointer data)
{
    script_end(self, "\"exitcode\": 0, \"out-data\": \"c3RyZWFt\"");
    play(self);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_GUEST);
    g_assert_nonnull(strstr(self->error->message, "'stream'"));
}

static void
test_an_agent_that_may_not_execute_is_told_of(Fixture *self, gconstpointer data)
{
    peer_sync(self->agent);
    peer_expect(self->agent, "guest-exec", START);
    peer_say(self->agent, "{\"error\": {\"class\": \"CommandNotFound\", \"desc\": \"The command "
                          "guest-exec has been disabled for this instance\"}}\n");
    play(self);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_REMOTE);
    g_assert_nonnull(strstr(self->error->message, "is guest-exec among the commands"));
    g_assert_nonnull(strstr(self->error->message, "has been disabled"));
}

static void
cancel(gpointer data)
{
    g_cancellable_cancel(data);
}

static void
test_waiting_for_the_agent_can_be_cancelled(Fixture *self, gconstpointer data)
{
    peer_expect_sync(self->agent);
    peer_then(self->agent, cancel, self->cancellable);
    play(self);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_CANCELLED);
}

static void
test_waiting_for_the_script_can_be_cancelled(Fixture *self, gconstpointer data)
{
    peer_sync(self->agent);
    peer_expect(self->agent, "guest-exec", START);
    peer_say(self->agent, "{\"return\": {\"pid\": 7}}\n");
    peer_expect(self->agent, "guest-exec-status", "{\"pid\": 7}");
    peer_then(self->agent, cancel, self->cancellable);
    play(self);
    g_assert_error(self->error, MF_ERROR, MF_ERROR_CANCELLED);
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

/* SPDX-License-Identifier: Apache-2.0 */
#include "run/image.h"

#include <string.h>

#include "base/error.h"
#include "base/plain-text.h"
#include "qapi/qga-commands.h"
#include "run/exec-status.h"
#include "run/exec.h"
#include "wire/guest-protocol.h"

#define EXEC_TIMEOUT_MS 30000

/* Of what the system says, in a message. */
#define WORDS_MAX 1000

/* Nothing tells of the script's end but the answer itself. */
#define POLL_FIRST_MS 1
#define POLL_MAX_MS   100

struct _MfImage {
    GObject parent;
    MfQga *qga;                /* owned */
    char *encoded;             /* owned; the script in Base64 */
    MfExecStatus *status;      /* owned; while the script runs */
    GTask *task;               /* owned */
    GCancellable *cancellable; /* owned; the caller's, or NULL */
    char *reason;              /* owned */
    MfImageMeans means;
};

G_DEFINE_FINAL_TYPE(MfImage, mf_image, G_TYPE_OBJECT)

static void
mf_image_dispose(GObject *object)
{
    MfImage *self = MF_IMAGE(object);

    g_clear_object(&self->qga);
    g_clear_object(&self->status);
    g_clear_object(&self->cancellable);
    g_clear_pointer(&self->encoded, g_free);
    g_clear_pointer(&self->reason, g_free);
    G_OBJECT_CLASS(mf_image_parent_class)->dispose(object);
}

static void
mf_image_class_init(MfImageClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_image_dispose;
}

static void
mf_image_init(MfImage *self)
{
    self->reason = g_strdup("");
}

/* 'error' is consumed; NULL when all went well. */
static void
finish(MfImage *self, GError *error)
{
    g_autoptr(GTask) task = g_steal_pointer(&self->task);

    if (error)
        g_task_return_error(task, error);
    else
        g_task_return_boolean(task, TRUE);
}

/* A stream that the agent has captured, as one line. Owned by the caller. */
static char *
read_captured(const char *base64)
{
    gsize size = 0;
    g_autofree guchar *data = base64 ? g_base64_decode(base64, &size) : NULL;

    return mf_plain_line(data ? (const char *)data : "", size, WORDS_MAX);
}

/* What the script says at its end. */
static gboolean
take_answer(MfImage *self, const char *word, GError **error)
{
    static const char *const words[] = {
        [MF_IMAGE_STREAMS] = "streams",
        [MF_IMAGE_SHARES] = "shares",
        [MF_IMAGE_ALONE] = "alone",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(words); i++) {
        if (!g_str_equal(word, words[i]))
            continue;
        self->means = (MfImageMeans)i;
        return TRUE;
    }
    g_set_error(error, MF_ERROR, MF_ERROR_GUEST,
                "The image's system could not be set up: its shell answered '%s' (%s).", word,
                self->reason);
    return FALSE;
}

static void
on_script_ended(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfImage) self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(MfQgaExecStatus) status =
        mf_exec_status_wait_finish(MF_EXEC_STATUS(source), result, &error);
    MfExit ended;

    if (!status || !mf_exec_exit_from_status(status, &ended, &error)) {
        finish(self, g_steal_pointer(&error));
        return;
    }

    g_autofree char *answer = read_captured(status->out_data);
    g_free(self->reason);
    self->reason = read_captured(status->err_data);
    if (ended.status != 0 || ended.signal_number != 0)
        g_set_error(&error, MF_ERROR, MF_ERROR_GUEST, "The image's system could not be set up: %s",
                    *self->reason ? self->reason : "its shell failed without a word.");
    else
        take_answer(self, answer, &error);
    finish(self, g_steal_pointer(&error));
}

static void
on_script_started(GObject *source, GAsyncResult *result, gpointer data)
{
    g_autoptr(MfImage) self = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(MfQgaExecProcess) process = NULL;

    if (!mf_qga_guest_exec_finish(MF_QGA(source), result, &process, &error)) {
        g_prefix_error(&error, "The image's guest agent could not run '/bin/sh' to set the system "
                               "up (is guest-exec among the commands that it is allowed?): ");
        finish(self, g_steal_pointer(&error));
        return;
    }
    self->status = mf_exec_status_new(self->qga, process->pid, POLL_FIRST_MS, POLL_MAX_MS);
    mf_exec_status_wait_async(self->status, self->cancellable, on_script_ended, g_object_ref(self));
}

MfImage *
mf_image_new(MfQga *qga, const char *script)
{
    MfImage *self = g_object_new(MF_TYPE_IMAGE, NULL);

    self->qga = g_object_ref(qga);
    self->encoded = g_base64_encode((const guchar *)script, strlen(script));
    return self;
}

void
mf_image_set_up_async(MfImage *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                      gpointer user_data)
{
    static const char *const words[] = {"-s", NULL};
    static const MfQgaExecCapture capture = {.kind = MF_QGA_EXEC_CAPTURE_KIND_FLAG, .flag = TRUE};
    const MfQgaGuestExecArguments arguments = {
        .path = "/bin/sh",
        .arg = words,
        .input_data = self->encoded,
        .capture_output = &capture,
    };

    self->task = g_task_new(self, NULL, callback, user_data);
    g_set_object(&self->cancellable, cancellable);
    mf_qga_guest_exec_async(self->qga, &arguments, EXEC_TIMEOUT_MS, cancellable, on_script_started,
                            g_object_ref(self));
}

gboolean
mf_image_set_up_finish(MfImage *self, GAsyncResult *result, MfImageMeans *ret_means, GError **error)
{
    if (!g_task_propagate_boolean(G_TASK(result), error))
        return FALSE;
    *ret_means = self->means;
    return TRUE;
}

const char *
mf_image_get_reason(MfImage *self)
{
    return self->reason;
}

/* What only mayfly-guest can do; a system that cannot run it would leave it out without a word. */
static const char *
get_unmet_wish(MfImageMeans means, const MfTarget *target)
{
    if (means == MF_IMAGE_STREAMS)
        return NULL;
    return target->tty ? "a terminal" : target->user ? "another user" : NULL;
}

gboolean
mf_image_check(MfImage *self, MfImageMeans means, const MfTarget *target, GError **error)
{
    const char *wish = get_unmet_wish(means, target);
    const char *reason = mf_image_get_reason(self);

    if (means == MF_IMAGE_ALONE && target->mounts->len > 0) {
        g_set_error(error, MF_ERROR, MF_ERROR_GUEST, "The image's system cannot mount shares: %s",
                    reason);
        return FALSE;
    }
    if (wish) {
        g_set_error(error, MF_ERROR, MF_ERROR_GUEST,
                    "The command cannot have %s: the image's system cannot run mayfly-guest. %s",
                    wish, reason);
        return FALSE;
    }
    if (means == MF_IMAGE_ALONE)
        g_message("The command does not find its directory: the image's system cannot mount "
                  "shares. %s",
                  reason);
    return TRUE;
}

gboolean
mf_image_is_dead_end(const char *line)
{
    /* SeaBIOS, and OVMF. */
    return strstr(line, "No bootable device.") || strstr(line, "No bootable option or device");
}

gboolean
mf_image_is_unbootable(const char *line)
{
    return mf_image_is_dead_end(line) || strstr(line, "UEFI Interactive Shell");
}

/* How the image might boot after all. */
static const char *
advise_firmware(const MfTarget *target)
{
    if (target->bios)
        return "the firmware that was given may be the wrong one";
    if (target->secure_boot == MF_SECURE_BOOT_MS || target->secure_boot == MF_SECURE_BOOT_CUSTOM)
        return "with Secure Boot, only what its keys have signed boots";
    return target->uefi ? "an image for a BIOS boots without --uefi"
                        : "an image for UEFI boots with --uefi";
}

char *
mf_image_describe_unbootable(const MfTarget *target, const char *line)
{
    g_autofree char *words = mf_plain_line(line, strlen(line), WORDS_MAX);

    return g_strdup_printf("The firmware found nothing to boot in the image '%s' (\"%s\"): %s.",
                           target->image, words, advise_firmware(target));
}

char *
mf_image_describe_silence(const MfTarget *target, const char *limit)
{
    return g_strdup_printf("No guest agent of the image '%s' answered within %s: the image has to "
                           "boot (%s) and to start qemu-ga, of the package qemu-guest-agent, on "
                           "the port '" MF_PORT_AGENT "' by itself.",
                           target->image, limit, advise_firmware(target));
}

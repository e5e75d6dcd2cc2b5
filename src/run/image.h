/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <gio/gio.h>

#include "run/target.h"
#include "wire/qga.h"

/*
 * Gets the system of an image ready for the run's command: has its own guest agent, which has
 * answered (run/image-wait.h), run the script of templates/guest/image.sh.in, which mounts the
 * shares.
 */
#define MF_TYPE_IMAGE (mf_image_get_type())
G_DECLARE_FINAL_TYPE(MfImage, mf_image, MF, IMAGE, GObject)

/* What the system turned out to be able to. */
typedef enum {
    MF_IMAGE_STREAMS, /* the shares are mounted, and mayfly-guest runs there */
    MF_IMAGE_SHARES,  /* the shares are mounted */
    MF_IMAGE_ALONE,   /* it has no means to mount shares */
} MfImageMeans;

/* 'qga' is referenced, 'script' copied. */
MfImage *mf_image_new(MfQga *qga, const char *script);

/* MF_ERROR_GUEST when a share cannot be mounted,
 * MF_ERROR_REMOTE when the agent refuses to execute a shell, MF_ERROR_CANCELLED, LOST, ... */
void mf_image_set_up_async(MfImage *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data);
gboolean mf_image_set_up_finish(MfImage *self, GAsyncResult *result, MfImageMeans *ret_means,
                                GError **error);

/* Why it can no more than it can, in the system's own words; "" when it did not say. Borrowed. */
const char *mf_image_get_reason(MfImage *self);

/* Whether that is enough for the target; what it can do without is logged. MF_ERROR_GUEST. */
gboolean mf_image_check(MfImage *self, MfImageMeans means, const MfTarget *target, GError **error);

/* Whether 'line' of the console is the firmware's word that there is nothing to boot, and that it
 * waits for somebody at a keyboard. */
gboolean mf_image_is_dead_end(const char *line);

/* The same, or that its shell is started, which is what is left to boot then. */
gboolean mf_image_is_unbootable(const char *line);

/* The sentences for an image that does not boot, and for one whose agent was silent for 'limit'.
 * Owned by the caller. */
char *mf_image_describe_unbootable(const MfTarget *target, const char *line);
char *mf_image_describe_silence(const MfTarget *target, const char *limit);

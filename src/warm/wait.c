/* SPDX-License-Identifier: Apache-2.0 */
#include "warm/wait.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/source.h"
#include "warm/store.h"

typedef struct {
    char *id;    /* owned */
    int inotify; /* owned */
    guint event_source, deadline_source;
    GSource *cancel_source; /* owned */
} Wait;

static void
stop_watching(Wait *self)
{
    g_clear_handle_id(&self->event_source, g_source_remove);
    g_clear_handle_id(&self->deadline_source, g_source_remove);
    mf_source_clear(&self->cancel_source);
}

static void
wait_free(Wait *self)
{
    stop_watching(self);
    mf_fd_clear(&self->inotify);
    g_free(self->id);
    g_free(self);
}

/* Ends the wait; drops the reference that the wait itself holds. */
static void
end_wait(GTask *task, GError *error)
{
    Wait *wait = g_task_get_task_data(task);

    stop_watching(wait);
    if (error)
        g_task_return_error(task, error);
    else
        g_task_return_boolean(task, TRUE);
    g_object_unref(task);
}

/* Whether somebody holds the lock, and its end will be noticed: the file is watched before it is
 * looked at, so that nothing is missed in between. Each time by its name: whoever gives up removes
 * the file, and the next who saves the machine makes another. */
static gboolean
watch_lock(Wait *wait, GError **error)
{
    g_autofree char *path = mf_warm_store_path(wait->id, MF_WARM_LOCK, error);

    if (!path)
        return FALSE;
    /* A lock goes with its holder, whose descriptor is closed however it ends. */
    if (inotify_add_watch(wait->inotify, path, IN_CLOSE_WRITE | IN_DELETE_SELF) >= 0)
        return mf_warm_store_is_locked(wait->id);
    if (errno != ENOENT)
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "The lock '%s' cannot be watched", path);
    return FALSE;
}

static gboolean
on_lock_closed(int fd, GIOCondition condition, gpointer data)
{
    GTask *task = data;
    Wait *wait = g_task_get_task_data(task);
    GError *error = NULL;
    char events[4096];

    if (read(fd, events, sizeof(events)) < 0 && errno != EAGAIN)
        g_debug("a watch on a lock cannot be read: %s", g_strerror(errno));
    if (watch_lock(wait, &error))
        return G_SOURCE_CONTINUE;
    wait->event_source = 0;
    end_wait(task, error);
    return G_SOURCE_REMOVE;
}

static gboolean
on_wait_overdue(gpointer data)
{
    GTask *task = data;

    ((Wait *)g_task_get_task_data(task))->deadline_source = 0;
    end_wait(task, g_error_new(MF_ERROR, MF_ERROR_TIMEOUT,
                               "The run that saves this machine has not ended in time."));
    return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled(GCancellable *cancellable, gpointer data)
{
    end_wait(data, g_error_new(MF_ERROR, MF_ERROR_CANCELLED,
                               "Waiting for the run that saves this machine was cancelled."));
    return G_SOURCE_REMOVE;
}

void
mf_warm_wait_async(const char *id, guint timeout_ms, GCancellable *cancellable,
                   GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(NULL, cancellable, callback, user_data);
    Wait *wait = g_new0(Wait, 1);
    GError *error = NULL;

    g_task_set_check_cancellable(task, FALSE);
    wait->id = g_strdup(id);
    wait->inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    g_task_set_task_data(task, wait, (GDestroyNotify)wait_free);
    if (wait->inotify < 0)
        mf_error_set_errno(&error, MF_ERROR_HOST, errno,
                           "The lock of a saved machine cannot be watched");
    if (error || !watch_lock(wait, &error)) {
        end_wait(task, error);
        return;
    }
    wait->event_source = g_unix_fd_add(wait->inotify, G_IO_IN, on_lock_closed, task);
    wait->deadline_source = g_timeout_add(timeout_ms, on_wait_overdue, task);
    wait->cancel_source = mf_source_add_cancelled(cancellable, on_cancelled, task);
}

gboolean
mf_warm_wait_finish(GAsyncResult *result, GError **error)
{
    return g_task_propagate_boolean(G_TASK(result), error);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "base/error.h"
#include "machine/libvirt-agent.h"
#include "machine/libvirt-events.h"
#include "machine/libvirt.h"
#include "wire/line-caller.h"

/* An agent that lives answers this at once. */
#define PING_TIMEOUT_S 10

#define EVENTS_KEY "mf-libvirt-events"

/* The way to an agent, while it is being opened. */
typedef struct {
    char *uri, *name;        /* owned */
    MfLineCaller *caller;    /* owned */
    MfLibvirtLink *link;     /* owned; or NULL */
    MfLibvirtEvents *events; /* owned; or NULL */
} Opening;

static void
hang_up(gpointer owner, const char *what, const char *how)
{
    g_autoptr(GError) error = g_error_new(MF_ERROR, MF_ERROR_LOST, "%s: %s.", what, how);

    mf_line_caller_hang_up(owner, error);
}

static void
on_stopped(gpointer owner, const char *how)
{
    hang_up(owner, "The domain is gone", how);
}

static void
on_lost(gpointer owner, const char *how)
{
    hang_up(owner, "The connection to libvirt was lost", how);
}

static void
on_agent(gpointer owner, gboolean connected)
{
    if (!connected)
        hang_up(owner, "The guest's agent is gone", "it closed its connection");
}

static void
on_monitor(gpointer owner, const char *name, const char *data)
{
}

static const MfLibvirtEars ears = {on_stopped, on_lost, on_agent, on_monitor};

static void
end_events_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    mf_libvirt_events_stop(data);
    mf_libvirt_events_free(data);
    g_task_return_boolean(task, TRUE);
}

/* Not here: it waits for libvirt. */
static void
end_events(gpointer events)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, NULL, NULL);

    g_task_set_task_data(task, events, NULL);
    g_task_run_in_thread(task, end_events_in_thread);
}

static void
opening_free(gpointer data)
{
    Opening *opening = data;

    g_free(opening->uri);
    g_free(opening->name);
    g_clear_object(&opening->caller);
    g_clear_pointer(&opening->events, end_events);
    g_clear_pointer(&opening->link, mf_libvirt_link_unref);
    g_free(opening);
}

static gboolean
ping(Opening *opening, GError **error)
{
    char *answer = virDomainQemuAgentCommand(opening->link->domain, "{\"execute\":\"guest-ping\"}",
                                             PING_TIMEOUT_S, 0);

    free(answer);
    if (answer)
        return TRUE;
    mf_libvirt_set_error(error, MF_ERROR_GUEST, "The domain '%s' at '%s' has no agent that answers",
                         opening->name, opening->uri);
    return FALSE;
}

static void
open_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Opening *opening = data;
    GError *error = NULL;

    opening->link = mf_libvirt_link_open(opening->uri, &error);
    if (opening->link && mf_libvirt_link_find(opening->link, opening->name, &error) &&
        ping(opening, &error))
        opening->events =
            mf_libvirt_events_new(opening->link, &ears, G_OBJECT(opening->caller), &error);
    if (opening->events)
        g_task_return_boolean(task, TRUE);
    else
        g_task_return_error(task, error);
}

void
mf_libvirt_open_agent_async(const char *uri, const char *name, GAsyncReadyCallback callback,
                            gpointer user_data)
{
    g_autoptr(GTask) task = g_task_new(NULL, NULL, callback, user_data);
    Opening *opening = g_new0(Opening, 1);
    GError *error = NULL;

    opening->uri = g_strdup(uri);
    opening->name = g_strdup(name);
    opening->caller = mf_line_caller_new();
    g_task_set_task_data(task, opening, opening_free);
    if (mf_lazy_libvirt_load(&error))
        g_task_run_in_thread(task, open_in_thread);
    else
        g_task_return_error(task, error);
}

MfTransport *
mf_libvirt_open_agent_finish(GAsyncResult *result, GError **error)
{
    Opening *opening = g_task_get_task_data(G_TASK(result));

    if (!g_task_propagate_boolean(G_TASK(result), error))
        return NULL;
    mf_line_caller_start(opening->caller, mf_libvirt_agent_answer,
                         mf_libvirt_link_ref(opening->link), (GDestroyNotify)mf_libvirt_link_unref);
    g_object_set_data_full(G_OBJECT(opening->caller), EVENTS_KEY, g_steal_pointer(&opening->events),
                           end_events);
    return MF_TRANSPORT(g_steal_pointer(&opening->caller));
}

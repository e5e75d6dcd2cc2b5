/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/libvirt-events.h"

#include "base/error.h"

enum { KIND_LIFECYCLE, KIND_AGENT, KIND_MONITOR, N_KINDS };

struct _MfLibvirtEvents {
    MfLibvirtLink *link; /* referenced */
    int ids[N_KINDS];    /* of what is registered; -1 */
    gboolean watches_connection;
};

/* What a callback is given: freed by libvirt, when that needs it no more. */
typedef struct {
    const MfLibvirtEars *ears;
    GWeakRef owner;
} Ear;

static Ear *
ear_new(const MfLibvirtEars *ears, GObject *owner)
{
    Ear *ear = g_new0(Ear, 1);

    ear->ears = ears;
    g_weak_ref_init(&ear->owner, owner);
    return ear;
}

static void
ear_free(void *data)
{
    Ear *ear = data;

    g_weak_ref_clear(&ear->owner);
    g_free(ear);
}

static const char *
describe_stop(int detail)
{
    switch (detail) {
    case VIR_DOMAIN_EVENT_STOPPED_SHUTDOWN:
        return "has shut down";
    case VIR_DOMAIN_EVENT_STOPPED_DESTROYED:
        return "was destroyed";
    case VIR_DOMAIN_EVENT_STOPPED_CRASHED:
        return "has crashed";
    default:
        return "has failed";
    }
}

static int
on_lifecycle(virConnectPtr connection, virDomainPtr domain, int event, int detail, void *data)
{
    Ear *ear = data;
    g_autoptr(GObject) owner = g_weak_ref_get(&ear->owner);

    if (owner && event == VIR_DOMAIN_EVENT_STOPPED)
        ear->ears->stopped(owner, describe_stop(detail));
    return 0;
}

static void
on_agent(virConnectPtr connection, virDomainPtr domain, int state, int reason, void *data)
{
    Ear *ear = data;
    g_autoptr(GObject) owner = g_weak_ref_get(&ear->owner);

    if (owner)
        ear->ears->agent(owner, state == VIR_CONNECT_DOMAIN_EVENT_AGENT_LIFECYCLE_STATE_CONNECTED);
}

static void
on_monitor(virConnectPtr connection, virDomainPtr domain, const char *event, long long seconds,
           unsigned int micros, const char *details, void *data)
{
    Ear *ear = data;
    g_autoptr(GObject) owner = g_weak_ref_get(&ear->owner);

    if (owner)
        ear->ears->monitor(owner, event, details);
}

static void
on_closed(virConnectPtr connection, int reason, void *data)
{
    static const char *const reasons[] = {
        [VIR_CONNECT_CLOSE_REASON_ERROR] = "it broke",
        [VIR_CONNECT_CLOSE_REASON_EOF] = "the other side closed it",
        [VIR_CONNECT_CLOSE_REASON_KEEPALIVE] = "the other side does not answer",
    };
    Ear *ear = data;
    g_autoptr(GObject) owner = g_weak_ref_get(&ear->owner);

    if (owner)
        ear->ears->lost(owner, reason >= 0 && reason < (int)G_N_ELEMENTS(reasons)
                                   ? reasons[reason]
                                   : "it was closed");
}

static gboolean
listen_to_domain(MfLibvirtEvents *self, const MfLibvirtEars *ears, GObject *owner)
{
    virConnectPtr connection = self->link->connection;
    virDomainPtr domain = self->link->domain;
    Ear *own[N_KINDS];

    for (int kind = 0; kind < N_KINDS; kind++)
        own[kind] = ear_new(ears, owner);
    self->ids[KIND_LIFECYCLE] = virConnectDomainEventRegisterAny(
        connection, domain, VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle),
        own[KIND_LIFECYCLE], ear_free);
    self->ids[KIND_AGENT] = virConnectDomainEventRegisterAny(
        connection, domain, VIR_DOMAIN_EVENT_ID_AGENT_LIFECYCLE,
        VIR_DOMAIN_EVENT_CALLBACK(on_agent), own[KIND_AGENT], ear_free);
    self->ids[KIND_MONITOR] = virConnectDomainQemuMonitorEventRegister(
        connection, domain, NULL, on_monitor, own[KIND_MONITOR], ear_free, 0);

    gboolean good = TRUE;
    for (int kind = 0; kind < N_KINDS; kind++) {
        if (self->ids[kind] >= 0)
            continue;
        ear_free(own[kind]);
        good = FALSE;
    }
    return good;
}

static gboolean
listen_to_connection(MfLibvirtEvents *self, const MfLibvirtEars *ears, GObject *owner)
{
    Ear *own = ear_new(ears, owner);

    self->watches_connection =
        virConnectRegisterCloseCallback(self->link->connection, on_closed, own, ear_free) == 0;
    if (!self->watches_connection)
        ear_free(own);
    return self->watches_connection;
}

MfLibvirtEvents *
mf_libvirt_events_new(MfLibvirtLink *link, const MfLibvirtEars *ears, GObject *owner,
                      GError **error)
{
    MfLibvirtEvents *self = g_new0(MfLibvirtEvents, 1);

    self->link = mf_libvirt_link_ref(link);
    for (int kind = 0; kind < N_KINDS; kind++)
        self->ids[kind] = -1;
    if (listen_to_connection(self, ears, owner) && listen_to_domain(self, ears, owner))
        return self;
    mf_libvirt_set_error(error, MF_ERROR_LAUNCH, "libvirt at '%s' does not tell of its events",
                         link->uri);
    mf_libvirt_events_stop(self);
    mf_libvirt_events_free(self);
    return NULL;
}

void
mf_libvirt_events_stop(MfLibvirtEvents *self)
{
    virConnectPtr connection = self->link->connection;

    for (int kind = 0; kind < N_KINDS; kind++) {
        if (self->ids[kind] < 0)
            continue;
        if (kind == KIND_MONITOR)
            virConnectDomainQemuMonitorEventDeregister(connection, self->ids[kind]);
        else
            virConnectDomainEventDeregisterAny(connection, self->ids[kind]);
        self->ids[kind] = -1;
    }
    if (self->watches_connection)
        virConnectUnregisterCloseCallback(connection, on_closed);
    self->watches_connection = FALSE;
}

void
mf_libvirt_events_free(MfLibvirtEvents *self)
{
    mf_libvirt_link_unref(self->link);
    g_free(self);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "machine/libvirt-agent.h"
#include "machine/libvirt-domain.h"
#include "machine/libvirt-events.h"
#include "machine/libvirt-monitor.h"
#include "machine/libvirt-reply.h"
#include "machine/libvirt-stream.h"
#include "machine/libvirt-uri.h"
#include "machine/libvirt.h"
#include "machine/machine-kind.h"
#include "wire/line-caller.h"

/* How long what the guest said last may take to arrive, after the news of the domain's end. */
#define DRAIN_MS 1000

#define MF_TYPE_LIBVIRT_MACHINE (mf_libvirt_machine_get_type())
G_DECLARE_FINAL_TYPE(MfLibvirtMachine, mf_libvirt_machine, MF, LIBVIRT_MACHINE, MfMachine)

struct _MfLibvirtMachine {
    MfMachine parent;
    char *uri, *name, *xml;                  /* owned */
    gboolean paused;                         /* the processors wait for QMP's cont */
    MfLineCaller *monitor, *agent;           /* borrowed: they are channels */
    MfLibvirtStream *streams[MF_N_CHANNELS]; /* borrowed; NULL for the other channels */
    MfLibvirtLink *link;                     /* owned; when there is a domain */
    MfLibvirtEvents *events;                 /* owned; likewise */
    gboolean busy;                           /* a thread is at work on start or end */
    gboolean lost;                           /* the connection is */
    GPtrArray *stops;                        /* owned; of GTask, that wait for the end */
    GError *end;                             /* owned; what is told when all has been heard */
    guint drain_source;
};

G_DEFINE_FINAL_TYPE(MfLibvirtMachine, mf_libvirt_machine, MF_TYPE_MACHINE)

/* What the start comes to. */
typedef struct {
    MfLibvirtLink *link;                 /* owned */
    MfLibvirtEvents *events;             /* owned */
    virStreamPtr streams[MF_N_CHANNELS]; /* owned */
    gulong version;                      /* of QEMU, in libvirt's way */
} Start;

static const MfLibvirtEars ears;

static void begin_end(MfLibvirtMachine *self);

static void
start_free(gpointer data)
{
    Start *start = data;

    for (MfChannel channel = 0; channel < MF_N_CHANNELS; channel++)
        if (start->streams[channel])
            virStreamFree(start->streams[channel]);
    if (start->events)
        mf_libvirt_events_stop(start->events);
    g_clear_pointer(&start->events, mf_libvirt_events_free);
    g_clear_pointer(&start->link, mf_libvirt_link_unref);
    g_free(start);
}

static void
mf_libvirt_machine_dispose(GObject *object)
{
    MfLibvirtMachine *self = MF_LIBVIRT_MACHINE(object);

    g_clear_handle_id(&self->drain_source, g_source_remove);
    G_OBJECT_CLASS(mf_libvirt_machine_parent_class)->dispose(object);
    g_clear_pointer(&self->events, mf_libvirt_events_free);
    g_clear_pointer(&self->link, mf_libvirt_link_unref);
}

static void
mf_libvirt_machine_finalize(GObject *object)
{
    MfLibvirtMachine *self = MF_LIBVIRT_MACHINE(object);

    g_free(self->uri);
    g_free(self->name);
    g_free(self->xml);
    g_ptr_array_unref(self->stops);
    g_clear_error(&self->end);
    G_OBJECT_CLASS(mf_libvirt_machine_parent_class)->finalize(object);
}

static void
mf_libvirt_machine_init(MfLibvirtMachine *self)
{
    self->stops = g_ptr_array_new_with_free_func(g_object_unref);
}

/* Opens the domain's end of a channel, before the guest runs: nothing that it says is lost. */
static gboolean
open_stream(MfLibvirtMachine *self, Start *start, MfChannel channel, GError **error)
{
    virStreamPtr stream = virStreamNew(start->link->connection, VIR_STREAM_NONBLOCK);
    const char *port = mf_channel_get_port(channel);

    start->streams[channel] = stream;
    if (stream && (port ? virDomainOpenChannel(start->link->domain, port, stream, 0)
                        : virDomainOpenConsole(start->link->domain, NULL, stream, 0)) == 0)
        return TRUE;
    mf_libvirt_set_error(error, MF_ERROR_LAUNCH, "libvirt at '%s' did not open %s", self->uri,
                         mf_channel_describe(channel));
    return FALSE;
}

static gboolean
start_domain(MfLibvirtMachine *self, Start *start, GError **error)
{
    start->link = mf_libvirt_link_open(self->uri, error);
    if (!start->link || !mf_libvirt_link_create(start->link, self->xml, error))
        return FALSE;
    start->events = mf_libvirt_events_new(start->link, &ears, G_OBJECT(self), error);
    if (!start->events)
        return FALSE;
    if (virConnectGetVersion(start->link->connection, &start->version) < 0) {
        mf_libvirt_set_error(error, MF_ERROR_LAUNCH, "libvirt at '%s' knows of no QEMU", self->uri);
        return FALSE;
    }
    for (MfChannel channel = 0; channel < MF_N_CHANNELS; channel++)
        if (self->streams[channel] && !open_stream(self, start, channel, error))
            return FALSE;
    return TRUE;
}

static void
start_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    Start *start = g_new0(Start, 1);
    GError *error = NULL;

    if (start_domain(source, start, &error)) {
        g_task_return_pointer(task, start, start_free);
        return;
    }
    start_free(start);
    g_task_return_error(task, error);
}

static void
resume_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    MfLibvirtMachine *self = source;
    GError *error = NULL;

    if (self->paused || virDomainResume(self->link->domain) == 0) {
        g_task_return_boolean(task, TRUE);
        return;
    }
    mf_libvirt_set_error(&error, MF_ERROR_LAUNCH, "libvirt at '%s' did not let the machine run",
                         self->uri);
    g_task_return_error(task, error);
}

/* The news of the end, unless there was some before. */
static void
report(MfLibvirtMachine *self, const GError *error)
{
    g_clear_handle_id(&self->drain_source, g_source_remove);
    mf_machine_report_end(MF_MACHINE(self), error);
}

static void
on_resumed(GObject *source, GAsyncResult *result, gpointer data)
{
    MfLibvirtMachine *self = MF_LIBVIRT_MACHINE(source);
    g_autoptr(GError) error = NULL;
    gboolean good = g_task_propagate_boolean(G_TASK(result), &error);

    self->busy = FALSE;
    if (mf_machine_is_stopping(MF_MACHINE(self)))
        begin_end(self);
    else if (!good)
        report(self, error);
}

/* Lets the channels talk. The agent's waits until there is one; QEMU's events come after its
 * greeting. */
static gboolean
attach(MfLibvirtMachine *self, Start *start, GError **error)
{
    g_autofree char *greeting = mf_libvirt_reply_new_greeting(start->version);

    for (MfChannel channel = 0; channel < MF_N_CHANNELS; channel++) {
        if (self->streams[channel] &&
            !mf_libvirt_stream_attach(self->streams[channel], self->link,
                                      g_steal_pointer(&start->streams[channel]), error))
            return FALSE;
    }
    mf_line_caller_start(self->monitor, mf_libvirt_monitor_answer, mf_libvirt_link_ref(self->link),
                         (GDestroyNotify)mf_libvirt_link_unref);
    mf_line_caller_hold(self->agent, TRUE);
    mf_line_caller_start(self->agent, mf_libvirt_agent_answer, mf_libvirt_link_ref(self->link),
                         (GDestroyNotify)mf_libvirt_link_unref);
    mf_line_caller_receive(self->monitor, greeting);
    return TRUE;
}

static void
on_started(GObject *source, GAsyncResult *result, gpointer data)
{
    MfLibvirtMachine *self = MF_LIBVIRT_MACHINE(source);
    g_autoptr(GError) error = NULL;
    Start *start = g_task_propagate_pointer(G_TASK(result), &error);

    self->busy = FALSE;
    if (start) {
        self->link = g_steal_pointer(&start->link);
        self->events = g_steal_pointer(&start->events);
    }
    if (mf_machine_is_stopping(MF_MACHINE(self))) {
        begin_end(self);
    } else if (start && attach(self, start, &error)) {
        g_autoptr(GTask) task = g_task_new(self, NULL, on_resumed, NULL);

        self->busy = TRUE;
        g_task_run_in_thread(task, resume_in_thread);
    } else {
        report(self, error);
    }
    g_clear_pointer(&start, start_free);
}

static gboolean
on_drained(gpointer data)
{
    MfLibvirtMachine *self = data;

    self->drain_source = 0;
    report(self, self->end);
    return G_SOURCE_REMOVE;
}

/* The domain is gone, and soon everything it has said is here. */
static void
on_stopped(gpointer owner, const char *how)
{
    MfLibvirtMachine *self = owner;

    if (self->end)
        return;
    self->end = g_error_new(MF_ERROR, MF_ERROR_LOST, "The domain '%s' at '%s' %s.", self->name,
                            self->uri, how);
    self->drain_source = g_timeout_add(DRAIN_MS, on_drained, self);
}

static void
on_channel_closed(MfLibvirtMachine *self, GError *reason, MfTransport *transport)
{
    gboolean open = FALSE;

    for (MfChannel channel = 0; channel < MF_N_CHANNELS; channel++) {
        if (MF_TRANSPORT(self->streams[channel]) == transport)
            self->streams[channel] = NULL;
        open |= self->streams[channel] != NULL;
    }
    if (!open && self->drain_source) {
        g_source_remove(self->drain_source);
        self->drain_source = g_idle_add(on_drained, self);
    }
}

static void
on_connection_lost(gpointer owner, const char *how)
{
    MfLibvirtMachine *self = owner;
    g_autoptr(GError) error = g_error_new(
        MF_ERROR, MF_ERROR_LOST, "The connection to libvirt at '%s' was lost: %s.", self->uri, how);

    self->lost = TRUE;
    mf_line_caller_hang_up(self->agent, error);
    report(self, error);
}

static void
on_agent(gpointer owner, gboolean connected)
{
    MfLibvirtMachine *self = owner;

    mf_line_caller_hold(self->agent, !connected);
}

static void
on_monitor_event(gpointer owner, const char *name, const char *data)
{
    MfLibvirtMachine *self = owner;
    g_autofree char *line = mf_libvirt_reply_new_event(name, data);

    mf_line_caller_receive(self->monitor, line);
}

static const MfLibvirtEars ears = {on_stopped, on_connection_lost, on_agent, on_monitor_event};

/* A libvirt that has gone without a word has ended nothing; one that was started again is there to
 * do so. */
static gboolean
destroy_anew(MfLibvirtMachine *self, GError **error)
{
    g_autoptr(GError) absent = NULL;
    g_autoptr(MfLibvirtLink) link = NULL;

    if (mf_libvirt_uri_is_remote(self->uri)) {
        g_set_error(error, MF_ERROR, MF_ERROR_LOST, "The connection to it was lost.");
        return FALSE;
    }
    link = mf_libvirt_link_open(self->uri, error);
    if (!link)
        return FALSE;
    return !mf_libvirt_link_find(link, self->name, &absent) || mf_libvirt_link_destroy(link, error);
}

static void
end_in_thread(GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
    MfLibvirtMachine *self = source;
    GError *error = NULL;

    if (self->events)
        mf_libvirt_events_stop(self->events);
    if (self->lost ? destroy_anew(self, &error) : mf_libvirt_link_destroy(self->link, &error))
        g_task_return_boolean(task, TRUE);
    else
        g_task_return_error(task, error);
}

/* 'failure' is NULL where the domain is gone. */
static void
complete_stops(MfLibvirtMachine *self, const GError *failure)
{
    g_autoptr(GPtrArray) stops = g_steal_pointer(&self->stops);

    self->stops = g_ptr_array_new_with_free_func(g_object_unref);
    for (guint i = 0; i < stops->len; i++) {
        if (failure)
            g_task_return_error(stops->pdata[i], g_error_copy(failure));
        else
            g_task_return_boolean(stops->pdata[i], TRUE);
    }
}

static void
on_ended(GObject *source, GAsyncResult *result, gpointer data)
{
    MfLibvirtMachine *self = MF_LIBVIRT_MACHINE(source);
    g_autoptr(GError) error = NULL;
    g_autoptr(GError) failure = NULL;

    self->busy = FALSE;
    if (!g_task_propagate_boolean(G_TASK(result), &error))
        g_set_error(&failure, MF_ERROR, MF_ERROR_LOST,
                    "The domain '%s' at '%s' may still run; end it there ('virsh destroy %s'). %s",
                    self->name, self->uri, self->name, error->message);
    g_clear_pointer(&self->events, mf_libvirt_events_free);
    g_clear_pointer(&self->link, mf_libvirt_link_unref);
    complete_stops(self, failure);
}

/* Where nothing was started there is nothing to be ended. */
static void
begin_end(MfLibvirtMachine *self)
{
    g_autoptr(GTask) task = NULL;

    if (!self->link) {
        complete_stops(self, NULL);
        return;
    }
    task = g_task_new(self, NULL, on_ended, NULL);
    self->busy = TRUE;
    g_task_run_in_thread(task, end_in_thread);
}

static void
stop(MfMachine *machine, gboolean first, GTask *task)
{
    MfLibvirtMachine *self = MF_LIBVIRT_MACHINE(machine);

    g_clear_handle_id(&self->drain_source, g_source_remove);
    g_ptr_array_add(self->stops, g_object_ref(task));
    /* What is under way goes on to the end by itself. */
    if (!self->busy)
        begin_end(self);
}

/* QEMU is no child of ours: nobody here hears how it ended. */
static gboolean
get_exit(MfMachine *machine, int *ret_wait_status, gboolean *ret_complained)
{
    return FALSE;
}

static void
mf_libvirt_machine_class_init(MfLibvirtMachineClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_libvirt_machine_dispose;
    G_OBJECT_CLASS(class)->finalize = mf_libvirt_machine_finalize;
    MF_MACHINE_CLASS(class)->stop = stop;
    MF_MACHINE_CLASS(class)->get_exit = get_exit;
}

static void
make_channels(MfLibvirtMachine *self, const MfSpec *spec)
{
    MfMachine *machine = MF_MACHINE(self);

    self->monitor = mf_line_caller_new();
    self->agent = mf_line_caller_new();
    mf_machine_take_channel(machine, MF_CHANNEL_QMP, MF_TRANSPORT(self->monitor));
    mf_machine_take_channel(machine, MF_CHANNEL_AGENT, MF_TRANSPORT(self->agent));
    for (MfChannel channel = 0; channel < MF_N_CHANNELS; channel++) {
        if (mf_machine_get_channel(machine, channel) || !mf_spec_has_channel(spec, channel))
            continue;
        self->streams[channel] = mf_libvirt_stream_new(mf_channel_describe(channel));
        g_signal_connect_object(self->streams[channel], "closed", G_CALLBACK(on_channel_closed),
                                self, G_CONNECT_SWAPPED);
        mf_machine_take_channel(machine, channel, MF_TRANSPORT(self->streams[channel]));
    }
}

MfMachine *
mf_libvirt_launch(const MfSpec *spec, GError **error)
{
    MfLibvirtMachine *self;

    if (!mf_lazy_libvirt_load(error))
        return NULL;
    self = g_object_new(MF_TYPE_LIBVIRT_MACHINE, NULL);
    self->uri = g_strdup(spec->connect);
    self->name = mf_libvirt_domain_make_name();
    self->xml = mf_libvirt_domain_to_xml(spec, self->name);
    self->paused = spec->paused;
    make_channels(self, spec);
    mf_machine_start_talking(MF_MACHINE(self), FALSE);

    g_autoptr(GTask) task = g_task_new(self, NULL, on_started, NULL);
    self->busy = TRUE;
    g_task_run_in_thread(task, start_in_thread);
    return MF_MACHINE(self);
}

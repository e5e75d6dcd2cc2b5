/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/qga.h"

#include <string.h>

#include "base/error.h"
#include "wire/json.h"
#include "wire/line.h"
#include "wire/rpc.h"

/* JSON numbers are exact up to here in every reader. */
#define SYNC_ID_MAX ((G_GINT64_CONSTANT(1) << 53) - 1)

typedef enum {
    STATE_OUT_OF_STEP, /* what comes belongs to nobody and is dropped */
    STATE_SYNCING,     /* the turn's first half: what comes before the sync's reply is dropped */
    STATE_IN_STEP,     /* the next line answers the turn's command */
    STATE_CLOSED,
} State;

/* A sync or a command, waiting for its turn or having it. */
typedef struct {
    guint64 id;   /* its call's */
    GBytes *line; /* owned; NULL for a sync */
    guint timeout_ms;
} Turn;

struct _MfQga {
    GObject parent;
    MfTransport *transport; /* owned */
    MfLineFramer *framer;   /* owned */
    MfRpc *rpc;             /* owned */
    State state;
    Turn *turn;   /* owned; who has the channel, or NULL */
    GQueue queue; /* owned; of Turn */
    gint64 sync_id;
    guint first_retry_ms, retry_ms, retry_source;
    GError *reason; /* owned; set when closed */
};

G_DEFINE_FINAL_TYPE(MfQga, mf_qga, G_TYPE_OBJECT)

static guint closed_signal;

static void
turn_free(Turn *turn)
{
    if (!turn)
        return;
    g_clear_pointer(&turn->line, g_bytes_unref);
    g_free(turn);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Turn, turn_free)

/* The one place where the state changes, with what holds for each. */
static void
set_state(MfQga *self, State state)
{
    g_assert(self->state != STATE_CLOSED);
    self->state = state;
    if (state != STATE_SYNCING)
        g_clear_handle_id(&self->retry_source, g_source_remove);
    if (state == STATE_OUT_OF_STEP || state == STATE_SYNCING)
        mf_line_framer_skip_to_sentinel(self->framer);
}

static gint64
fresh_sync_id(void)
{
    guint64 random = (guint64)g_random_int() << 32 | g_random_int();

    return (gint64)(random & SYNC_ID_MAX);
}

static gboolean on_retry(gpointer data);

static void
arm_retry(MfQga *self)
{
    g_clear_handle_id(&self->retry_source, g_source_remove);
    self->retry_source = g_timeout_add(self->retry_ms, on_retry, self);
}

static void
send_sync(MfQga *self)
{
    json_object *arguments = json_object_new_object();

    self->sync_id = fresh_sync_id();
    json_object_object_add(arguments, "id", json_object_new_int64(self->sync_id));
    g_autoptr(GBytes) line = mf_rpc_request("guest-sync-delimited", arguments, 0);
    /* The sentinel makes the agent forget a request that was cut off. */
    g_autoptr(GBytes) sentinel = g_bytes_new_static("\xff", 1);
    mf_transport_send(self->transport, sentinel);
    mf_transport_send(self->transport, line);
    arm_retry(self);
}

/* No answer at all for a while: the agent may be late, and find all requests, or may have been
 * restarted, and find none. Doubling leaves an agent that is merely slow time to catch up. */
static gboolean
on_retry(gpointer data)
{
    MfQga *self = data;

    self->retry_source = 0;
    self->retry_ms = self->retry_ms > G_MAXUINT / 2 ? G_MAXUINT : self->retry_ms * 2;
    send_sync(self);
    return G_SOURCE_REMOVE;
}

static void
take_turn(MfQga *self)
{
    if (self->state == STATE_CLOSED || self->turn || g_queue_is_empty(&self->queue))
        return;
    self->turn = g_queue_pop_head(&self->queue);
    mf_rpc_set_deadline(self->rpc, self->turn->id, self->turn->timeout_ms);
    if (self->turn->line && self->state == STATE_IN_STEP) {
        mf_transport_send(self->transport, self->turn->line);
        return;
    }
    set_state(self, STATE_SYNCING);
    self->retry_ms = self->first_retry_ms;
    send_sync(self);
}

/* Ends the turn with 'value', or with 'error'; both are consumed. */
static void
end_turn(MfQga *self, json_object *value, GError *error)
{
    g_autoptr(Turn) turn = g_steal_pointer(&self->turn);

    if (error)
        mf_rpc_fail(self->rpc, turn->id, error);
    else
        mf_rpc_succeed(self->rpc, turn->id, value);
    take_turn(self);
}

/* Whether 'line' is the reply to the last sync request. */
static gboolean
is_sync_reply(MfQga *self, const char *line, gsize length)
{
    g_autoptr(json_object) value = NULL;
    gint64 id;

    /* A reply may have been cut off right behind its sentinel; the last one counts. */
    const char *sentinel = memrchr(line, MF_LINE_SENTINEL, length);
    if (sentinel) {
        length -= (gsize)(sentinel + 1 - line);
        line = sentinel + 1;
    }
    if (!mf_json_parse(line, length, MF_QGA_LINE_MAX, &value, NULL))
        return FALSE;
    MfJson message = mf_json_top(value, "a reply");
    return mf_json_get_int64(&message, "return", 0, SYNC_ID_MAX, &id, NULL) && id == self->sync_id;
}

static void
handle_sync_line(MfQga *self, const char *line, gsize length)
{
    if (!is_sync_reply(self, line, length)) {
        /* To an earlier request: somebody is there and will come to the last one. */
        arm_retry(self);
        mf_line_framer_skip_to_sentinel(self->framer);
        return;
    }
    set_state(self, STATE_IN_STEP);
    if (self->turn->line)
        mf_transport_send(self->transport, self->turn->line);
    else
        end_turn(self, NULL, NULL);
}

/* What 'line' says: *ret_value on success, or an error of the agent's or of the protocol. */
static gboolean
read_reply(const char *line, gsize length, json_object **ret_value, GError **error)
{
    g_autoptr(json_object) value = NULL;
    MfJson member;

    if (!mf_json_parse(line, length, MF_QGA_LINE_MAX, &value, error))
        return FALSE;
    MfJson message = mf_json_top(value, "a reply from the guest agent");
    if (mf_json_find(&message, "error", &member)) {
        g_propagate_error(error, mf_rpc_remote_error(&member));
        return FALSE;
    }
    if (!mf_json_get(&message, "return", &member, error))
        return FALSE;
    *ret_value = json_object_get(member.value);
    return TRUE;
}

static void
handle_reply_line(MfQga *self, const char *line, gsize length)
{
    json_object *value = NULL;
    GError *error = NULL;

    /* Nothing was asked: then whatever comes next would be taken for the wrong reply. */
    if (!self->turn) {
        set_state(self, STATE_OUT_OF_STEP);
        return;
    }
    if (!read_reply(line, length, &value, &error) &&
        g_error_matches(error, MF_ERROR, MF_ERROR_PROTOCOL)) {
        g_prefix_error(&error, "The guest agent broke its protocol: ");
        set_state(self, STATE_OUT_OF_STEP);
    }
    end_turn(self, value, error);
}

static void
shut(MfQga *self, const GError *reason)
{
    set_state(self, STATE_CLOSED);
    self->reason = g_error_copy(reason);
    g_clear_pointer(&self->turn, turn_free);
    g_queue_clear_full(&self->queue, (GDestroyNotify)turn_free);
    mf_transport_close(self->transport);
    mf_rpc_fail_all(self->rpc, self->reason);
}

/* The peer is to blame: the owner does not know yet. */
static void
break_off(MfQga *self, const GError *reason)
{
    if (self->state == STATE_CLOSED)
        return;
    shut(self, reason);
    g_signal_emit(self, closed_signal, 0, self->reason);
}

static void
on_received(MfTransport *transport, GBytes *bytes, gpointer data)
{
    g_autoptr(MfQga) self = g_object_ref(data);
    g_autoptr(GError) error = NULL;
    const char *line;
    gsize length;

    mf_line_framer_feed(self->framer, bytes);
    while (self->state != STATE_CLOSED &&
           (line = mf_line_framer_next(self->framer, &length, &error))) {
        if (self->state == STATE_SYNCING)
            handle_sync_line(self, line, length);
        else
            handle_reply_line(self, line, length);
    }
    if (error) {
        g_prefix_error(&error, "The guest agent broke its protocol: ");
        break_off(self, error);
    }
}

static void
on_closed(MfTransport *transport, GError *reason, gpointer data)
{
    g_autoptr(MfQga) self = g_object_ref(data);

    break_off(self, reason);
}

static void
on_abandoned(guint64 id, gpointer data)
{
    MfQga *self = data;

    if (self->turn && self->turn->id == id) {
        g_clear_pointer(&self->turn, turn_free);
        set_state(self, STATE_OUT_OF_STEP);
        take_turn(self);
        return;
    }
    for (GList *at = self->queue.head; at; at = at->next) {
        if (((Turn *)at->data)->id != id)
            continue;
        turn_free(at->data);
        g_queue_delete_link(&self->queue, at);
        return;
    }
}

/* Queues a turn with 'line' (consumed; NULL for a sync) for 'task' (consumed). */
static void
queue_turn(MfQga *self, GTask *task, const char *what, GBytes *line, guint timeout_ms)
{
    g_autoptr(Turn) turn = g_new0(Turn, 1);

    turn->line = line;
    turn->timeout_ms = timeout_ms;
    if (self->state == STATE_CLOSED) {
        g_task_return_error(task, g_error_copy(self->reason));
        g_object_unref(task);
        return;
    }
    turn->id = mf_rpc_enter(self->rpc, task, what);
    if (!turn->id)
        return;
    g_queue_push_tail(&self->queue, g_steal_pointer(&turn));
    take_turn(self);
}

void
mf_qga_sync_async(MfQga *self, guint timeout_ms, GCancellable *cancellable,
                  GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(self, cancellable, callback, user_data);

    g_task_set_source_tag(task, mf_qga_sync_async);
    queue_turn(self, task, "The guest agent's sync request", NULL, timeout_ms);
}

gboolean
mf_qga_sync_finish(MfQga *self, GAsyncResult *result, GError **error)
{
    g_return_val_if_fail(g_task_is_valid(result, self), FALSE);
    return mf_rpc_finish(result, NULL, error);
}

void
mf_qga_execute_async(MfQga *self, const char *command, json_object *arguments, guint timeout_ms,
                     GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
    g_autofree char *what = g_strdup_printf("The guest agent's command '%s'", command);
    GTask *task = g_task_new(self, cancellable, callback, user_data);

    g_task_set_source_tag(task, mf_qga_execute_async);
    queue_turn(self, task, what, mf_rpc_request(command, arguments, 0), timeout_ms);
}

gboolean
mf_qga_execute_finish(MfQga *self, GAsyncResult *result, json_object **ret_value, GError **error)
{
    g_return_val_if_fail(g_task_is_valid(result, self), FALSE);
    return mf_rpc_finish(result, ret_value, error);
}

void
mf_qga_set_sync_retry(MfQga *self, guint retry_ms)
{
    self->first_retry_ms = retry_ms;
}

void
mf_qga_close(MfQga *self, const GError *reason)
{
    g_autoptr(MfQga) keep = g_object_ref(self);

    if (self->state != STATE_CLOSED)
        shut(self, reason);
}

static void
mf_qga_dispose(GObject *object)
{
    MfQga *self = MF_QGA(object);

    if (self->transport) {
        g_signal_handlers_disconnect_by_data(self->transport, self);
        mf_transport_close(self->transport);
    }
    g_clear_object(&self->transport);
    g_clear_handle_id(&self->retry_source, g_source_remove);
    G_OBJECT_CLASS(mf_qga_parent_class)->dispose(object);
}

static void
mf_qga_finalize(GObject *object)
{
    MfQga *self = MF_QGA(object);

    mf_line_framer_free(self->framer);
    mf_rpc_free(self->rpc);
    g_clear_error(&self->reason);
    G_OBJECT_CLASS(mf_qga_parent_class)->finalize(object);
}

static void
mf_qga_class_init(MfQgaClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_qga_dispose;
    G_OBJECT_CLASS(class)->finalize = mf_qga_finalize;
    closed_signal = g_signal_new("closed", MF_TYPE_QGA, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                 G_TYPE_NONE, 1, G_TYPE_ERROR);
}

static void
mf_qga_init(MfQga *self)
{
    self->framer = mf_line_framer_new(MF_QGA_LINE_MAX);
    self->rpc = mf_rpc_new(on_abandoned, self);
    self->first_retry_ms = MF_QGA_SYNC_RETRY_MS;
    g_queue_init(&self->queue);
    set_state(self, STATE_OUT_OF_STEP);
}

MfQga *
mf_qga_new(MfTransport *transport)
{
    MfQga *self = g_object_new(MF_TYPE_QGA, NULL);

    self->transport = g_object_ref(transport);
    g_signal_connect(transport, "received", G_CALLBACK(on_received), self);
    g_signal_connect(transport, "closed", G_CALLBACK(on_closed), self);
    return self;
}

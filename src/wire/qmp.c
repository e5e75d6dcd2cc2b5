/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/qmp.h"

#include "base/error.h"
#include "wire/json.h"
#include "wire/line.h"
#include "wire/rpc.h"

typedef enum {
    STATE_CONNECTED,   /* nothing has come yet */
    STATE_GREETED,     /* QEMU waits for qmp_capabilities */
    STATE_NEGOTIATING, /* qmp_capabilities is sent */
    STATE_OPEN,
    STATE_CLOSED,
} State;

struct _MfQmp {
    GObject parent;
    MfTransport *transport; /* owned */
    MfLineFramer *framer;   /* owned */
    MfRpc *rpc;             /* owned */
    GHashTable *abandoned;  /* owned; ids whose reply is still to come */
    State state;
    guint64
        open_id; /* of the call that opens, which is also the id of its qmp_capabilities; or 0 */
    guint version[3];
    GError *reason; /* owned; set when closed */
};

G_DEFINE_FINAL_TYPE(MfQmp, mf_qmp, G_TYPE_OBJECT)

enum { SIGNAL_EVENT, SIGNAL_CLOSED, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
set_state(MfQmp *self, State state)
{
    g_assert(self->state < state);
    self->state = state;
}

static void
shut(MfQmp *self, const GError *reason)
{
    set_state(self, STATE_CLOSED);
    self->reason = g_error_copy(reason);
    mf_transport_close(self->transport);
    mf_rpc_fail_all(self->rpc, self->reason);
}

/* The peer is to blame: the owner does not know yet. */
static void
break_off(MfQmp *self, const GError *reason)
{
    if (self->state == STATE_CLOSED)
        return;
    shut(self, reason);
    g_signal_emit(self, signals[SIGNAL_CLOSED], 0, self->reason);
}

/* When both the caller and QEMU are ready to open. */
static void
negotiate(MfQmp *self)
{
    if (self->state != STATE_GREETED || !mf_rpc_is_live(self->rpc, self->open_id))
        return;
    g_autoptr(GBytes) line = mf_rpc_request("qmp_capabilities", NULL, self->open_id);

    set_state(self, STATE_NEGOTIATING);
    mf_transport_send(self->transport, line);
}

static gboolean
handle_greeting(MfQmp *self, const MfJson *message, GError **error)
{
    static const char *const names[] = {"major", "minor", "micro"};
    MfJson greeting, version, qemu;
    guint64 parts[G_N_ELEMENTS(names)];

    if (self->state != STATE_CONNECTED) {
        g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL, "A second greeting came.");
        return FALSE;
    }
    if (!mf_json_get_object(message, "QMP", &greeting, error) ||
        !mf_json_get_object(&greeting, "version", &version, error) ||
        !mf_json_get_object(&version, "qemu", &qemu, error))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (!mf_json_get_uint64(&qemu, names[i], 0, G_MAXUINT, &parts[i], error))
            return FALSE;

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        self->version[i] = (guint)parts[i];
    set_state(self, STATE_GREETED);
    negotiate(self);
    return TRUE;
}

static gboolean
handle_event(MfQmp *self, const MfJson *message, GError **error)
{
    MfJson data = {0};
    const char *name;

    if (!mf_json_get_string(message, "event", &name, error))
        return FALSE;
    if (mf_json_find(message, "data", &data) && !mf_json_as_object(&data, error))
        return FALSE;
    /* Nobody can be connected to a detail that is no quark yet; none is made of a peer's word. */
    g_signal_emit(self, signals[SIGNAL_EVENT], g_quark_try_string(name), name, data.value);
    return TRUE;
}

/* Finds the call that is answered. *ret_id is 0 when nobody waits for the reply any more. */
static gboolean
match_reply(MfQmp *self, const MfJson *message, guint64 *ret_id, GError **error)
{
    MfJson id;
    guint64 number;

    if (!mf_json_find(message, "id", &id)) {
        g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL,
                    "A reply came without the id of its command.");
        return FALSE;
    }
    if (!mf_json_as_uint64(&id, 1, G_MAXINT64, &number, error))
        return FALSE;
    if (g_hash_table_remove(self->abandoned, &number)) {
        *ret_id = 0;
        return TRUE;
    }
    if (!mf_rpc_is_live(self->rpc, number)) {
        g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL,
                    "A reply came for command %" G_GUINT64_FORMAT ", which waits for none.",
                    number);
        return FALSE;
    }
    *ret_id = number;
    return TRUE;
}

static gboolean
handle_return(MfQmp *self, const MfJson *message, const MfJson *value, GError **error)
{
    guint64 id;

    if (!match_reply(self, message, &id, error))
        return FALSE;
    if (id == self->open_id && id != 0)
        set_state(self, STATE_OPEN);
    if (id != 0)
        mf_rpc_succeed(self->rpc, id, json_object_get(value->value));
    return TRUE;
}

static gboolean
handle_error(MfQmp *self, const MfJson *message, const MfJson *member, GError **error)
{
    g_autoptr(GError) remote = mf_rpc_remote_error(member);
    MfJson unused;
    guint64 id;

    if (!g_error_matches(remote, MF_ERROR, MF_ERROR_REMOTE)) {
        g_propagate_error(error, g_steal_pointer(&remote));
        return FALSE;
    }
    /* Without an id QEMU could not read what we sent: then nothing can be relied on. */
    if (!mf_json_find(message, "id", &unused)) {
        g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL, "A command could not be read: %s",
                    remote->message);
        return FALSE;
    }
    if (!match_reply(self, message, &id, error))
        return FALSE;
    if (id != 0)
        mf_rpc_fail(self->rpc, id, g_steal_pointer(&remote));
    return TRUE;
}

static gboolean
handle_line(MfQmp *self, const char *line, gsize length, GError **error)
{
    g_autoptr(json_object) value = NULL;
    MfJson member;

    if (!mf_json_parse(line, length, MF_QMP_LINE_MAX, &value, error))
        return FALSE;

    MfJson message = mf_json_top(value, "a message from QEMU's monitor");
    if (mf_json_find(&message, "QMP", &member))
        return handle_greeting(self, &message, error);
    if (self->state == STATE_CONNECTED) {
        g_set_error(error, MF_ERROR, MF_ERROR_PROTOCOL, "Something else came before the greeting.");
        return FALSE;
    }
    if (mf_json_find(&message, "event", &member))
        return handle_event(self, &message, error);
    if (mf_json_find(&message, "error", &member))
        return handle_error(self, &message, &member, error);
    if (mf_json_get(&message, "return", &member, error))
        return handle_return(self, &message, &member, error);
    return FALSE;
}

static void
on_received(MfTransport *transport, GBytes *bytes, gpointer data)
{
    g_autoptr(MfQmp) self = g_object_ref(data);
    g_autoptr(GError) error = NULL;
    gboolean valid = TRUE;
    const char *line;
    gsize length;

    mf_line_framer_feed(self->framer, bytes);
    while (valid && self->state != STATE_CLOSED &&
           (line = mf_line_framer_next(self->framer, &length, &error)))
        valid = handle_line(self, line, length, &error);
    if (error) {
        g_prefix_error(&error, "QEMU broke the QMP protocol: ");
        break_off(self, error);
    }
}

static void
on_closed(MfTransport *transport, GError *reason, gpointer data)
{
    g_autoptr(MfQmp) self = g_object_ref(data);

    break_off(self, reason);
}

static void
on_abandoned(guint64 id, gpointer data)
{
    MfQmp *self = data;
    gboolean unsent = id == self->open_id && self->state < STATE_NEGOTIATING;

    if (!unsent)
        g_hash_table_add(self->abandoned, g_memdup2(&id, sizeof(id)));
}

static void
refuse(GTask *task, GError *error)
{
    g_task_return_error(task, error);
    g_object_unref(task);
}

void
mf_qmp_open_async(MfQmp *self, guint timeout_ms, GCancellable *cancellable,
                  GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(self, cancellable, callback, user_data);

    g_task_set_source_tag(task, mf_qmp_open_async);
    if (self->state == STATE_CLOSED)
        return refuse(task, g_error_copy(self->reason));
    if (self->open_id)
        return refuse(task, g_error_new(MF_ERROR, MF_ERROR_PROTOCOL,
                                        "The QMP connection was opened before."));
    self->open_id = mf_rpc_enter(self->rpc, task, "The QMP handshake");
    if (!self->open_id)
        return;
    mf_rpc_set_deadline(self->rpc, self->open_id, timeout_ms);
    negotiate(self);
}

gboolean
mf_qmp_open_finish(MfQmp *self, GAsyncResult *result, GError **error)
{
    g_return_val_if_fail(g_task_is_valid(result, self), FALSE);
    return mf_rpc_finish(result, NULL, error);
}

void
mf_qmp_get_version(MfQmp *self, guint *ret_major, guint *ret_minor, guint *ret_micro)
{
    *ret_major = self->version[0];
    *ret_minor = self->version[1];
    *ret_micro = self->version[2];
}

/* Sends 'line' as call 'id', with 'fd' unless it is negative. */
static void
send_line(MfQmp *self, guint64 id, GBytes *line, int fd)
{
    GError *error = NULL;

    if (fd < 0)
        mf_transport_send(self->transport, line);
    else if (!mf_transport_send_with_fd(self->transport, line, fd, &error))
        mf_rpc_fail(self->rpc, id, error);
}

static void
execute(MfQmp *self, GTask *task, const char *command, json_object *arguments, int fd,
        guint timeout_ms)
{
    g_autoptr(json_object) owned = arguments;
    g_autofree char *what = g_strdup_printf("The QMP command '%s'", command);

    if (self->state == STATE_CLOSED)
        return refuse(task, g_error_copy(self->reason));
    if (self->state != STATE_OPEN)
        return refuse(task, g_error_new(MF_ERROR, MF_ERROR_PROTOCOL,
                                        "%s cannot be sent before the handshake is done.", what));
    guint64 id = mf_rpc_enter(self->rpc, task, what);
    if (!id)
        return;
    mf_rpc_set_deadline(self->rpc, id, timeout_ms);
    g_autoptr(GBytes) line = mf_rpc_request(command, g_steal_pointer(&owned), id);
    send_line(self, id, line, fd);
}

void
mf_qmp_execute_async(MfQmp *self, const char *command, json_object *arguments, guint timeout_ms,
                     GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(self, cancellable, callback, user_data);

    g_task_set_source_tag(task, mf_qmp_execute_async);
    execute(self, task, command, arguments, -1, timeout_ms);
}

void
mf_qmp_execute_with_fd_async(MfQmp *self, const char *command, json_object *arguments, int fd,
                             guint timeout_ms, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
    GTask *task = g_task_new(self, cancellable, callback, user_data);

    g_task_set_source_tag(task, mf_qmp_execute_with_fd_async);
    execute(self, task, command, arguments, fd, timeout_ms);
}

gboolean
mf_qmp_execute_finish(MfQmp *self, GAsyncResult *result, json_object **ret_value, GError **error)
{
    g_return_val_if_fail(g_task_is_valid(result, self), FALSE);
    return mf_rpc_finish(result, ret_value, error);
}

void
mf_qmp_close(MfQmp *self, const GError *reason)
{
    g_autoptr(MfQmp) keep = g_object_ref(self);

    if (self->state != STATE_CLOSED)
        shut(self, reason);
}

static void
mf_qmp_dispose(GObject *object)
{
    MfQmp *self = MF_QMP(object);

    if (self->transport) {
        g_signal_handlers_disconnect_by_data(self->transport, self);
        mf_transport_close(self->transport);
    }
    g_clear_object(&self->transport);
    G_OBJECT_CLASS(mf_qmp_parent_class)->dispose(object);
}

static void
mf_qmp_finalize(GObject *object)
{
    MfQmp *self = MF_QMP(object);

    mf_line_framer_free(self->framer);
    mf_rpc_free(self->rpc);
    g_hash_table_unref(self->abandoned);
    g_clear_error(&self->reason);
    G_OBJECT_CLASS(mf_qmp_parent_class)->finalize(object);
}

static void
mf_qmp_class_init(MfQmpClass *class)
{
    G_OBJECT_CLASS(class)->dispose = mf_qmp_dispose;
    G_OBJECT_CLASS(class)->finalize = mf_qmp_finalize;
    signals[SIGNAL_EVENT] = g_signal_new(
        "event", MF_TYPE_QMP, G_SIGNAL_RUN_LAST | G_SIGNAL_DETAILED, 0, NULL, NULL, NULL,
        G_TYPE_NONE, 2, G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE, G_TYPE_POINTER);
    signals[SIGNAL_CLOSED] = g_signal_new("closed", MF_TYPE_QMP, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                          NULL, G_TYPE_NONE, 1, G_TYPE_ERROR);
}

static void
mf_qmp_init(MfQmp *self)
{
    self->framer = mf_line_framer_new(MF_QMP_LINE_MAX);
    self->rpc = mf_rpc_new(on_abandoned, self);
    self->abandoned = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
}

MfQmp *
mf_qmp_new(MfTransport *transport)
{
    MfQmp *self = g_object_new(MF_TYPE_QMP, NULL);

    self->transport = g_object_ref(transport);
    g_signal_connect(transport, "received", G_CALLBACK(on_received), self);
    g_signal_connect(transport, "closed", G_CALLBACK(on_closed), self);
    return self;
}

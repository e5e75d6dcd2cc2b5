/* SPDX-License-Identifier: Apache-2.0 */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "qmp-schema.h"
#include "wire/fd-transport.h"
#include "wire/json.h"

#define SENTINEL '\xff'

typedef enum { STEP_EXPECT, STEP_EXPECT_SYNC, STEP_SAY, STEP_HANG_UP, STEP_THEN } StepKind;

typedef struct {
    StepKind kind;
    char *text;             /* owned; the command, or what is said */
    json_object *arguments; /* owned; NULL for none */
    gboolean any;           /* it may have whatever arguments */
    void (*function)(gpointer data);
    gpointer data; /* borrowed */
} Step;

struct Peer {
    int fd;          /* owned; -1 when hung up */
    GQueue script;   /* owned; of Step */
    GString *heard;  /* owned; not a whole line yet */
    GString *saying; /* owned */
    gsize said;      /* of it */
    gsize piece;     /* 0 for as much as possible */
    guint read_source, write_source;
    gint64 id, previous_id, sync, previous_sync;
    int passed_fd;     /* owned, or -1 */
    QmpSchema *schema; /* owned, or NULL */
};

static void play_on(Peer *self);

static void
step_free(Step *step)
{
    g_free(step->text);
    json_object_put(step->arguments);
    g_free(step);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Step, step_free)

static Step *
add_step(Peer *self, StepKind kind, const char *text)
{
    Step *step = g_new0(Step, 1);

    step->kind = kind;
    step->text = g_strdup(text);
    g_queue_push_tail(&self->script, step);
    return step;
}

static void
drop_connection(Peer *self)
{
    g_clear_handle_id(&self->read_source, g_source_remove);
    g_clear_handle_id(&self->write_source, g_source_remove);
    mf_fd_clear(&self->fd);
}

static gboolean
on_writable(int fd, GIOCondition condition, gpointer data)
{
    Peer *self = data;
    gsize rest = self->saying->len - self->said;
    gsize size = self->piece ? MIN(self->piece, rest) : rest;
    ssize_t n = send(fd, self->saying->str + self->said, size, MSG_NOSIGNAL);

    if (n < 0 && errno == EAGAIN)
        return G_SOURCE_CONTINUE;
    /* A client that has closed will hear no more: that is what some tests are about. */
    self->said += n < 0 ? rest : (gsize)n;
    if (self->said < self->saying->len)
        return G_SOURCE_CONTINUE;
    g_string_truncate(self->saying, 0);
    self->said = 0;
    self->write_source = 0;
    play_on(self);
    return G_SOURCE_REMOVE;
}

static void
append_filled(Peer *self, const char *text)
{
    const struct {
        const char *name;
        gint64 value;
    } holes[] = {{"$ID-1", self->previous_id},
                 {"$ID", self->id},
                 {"$SYNC-1", self->previous_sync},
                 {"$SYNC", self->sync}};

    while (*text) {
        gsize i = 0;

        while (i < G_N_ELEMENTS(holes) && !g_str_has_prefix(text, holes[i].name))
            i++;
        if (i < G_N_ELEMENTS(holes)) {
            g_string_append_printf(self->saying, "%" G_GINT64_FORMAT, holes[i].value);
            text += strlen(holes[i].name);
        } else {
            gsize plain = 1 + strcspn(text + 1, "$");

            g_string_append_len(self->saying, text, (gssize)plain);
            text += plain;
        }
    }
}

static void
say(Peer *self, const char *text)
{
    append_filled(self, text);
    /* Below the client's priority, so that it reads each piece before the next is written. */
    self->write_source =
        g_unix_fd_add_full(G_PRIORITY_LOW, self->fd, G_IO_OUT, on_writable, self, NULL);
}

/* Plays what needs no request, up to what must be written first. */
static void
play_on(Peer *self)
{
    while (self->saying->len == 0 && !g_queue_is_empty(&self->script)) {
        Step *next = g_queue_peek_head(&self->script);

        if (next->kind == STEP_EXPECT || next->kind == STEP_EXPECT_SYNC)
            return;
        g_autoptr(Step) step = g_queue_pop_head(&self->script);
        if (step->kind == STEP_SAY)
            say(self, step->text);
        else if (step->kind == STEP_HANG_UP)
            drop_connection(self);
        else
            step->function(step->data);
    }
}

static void
check_request(Peer *self, const Step *step, const char *command, json_object *arguments)
{
    g_autoptr(GError) error = NULL;

    g_assert_cmpstr(command, ==, step->text);
    if (!step->any && !json_object_equal(arguments, step->arguments))
        g_error("The arguments of '%s' are %s, but %s is expected.", command,
                json_object_to_json_string(arguments), json_object_to_json_string(step->arguments));
    if (self->schema)
        qmp_schema_check(self->schema, command, arguments, &error);
    g_assert_no_error(error);
}

static void
check_sync(Peer *self, gboolean delimited, const char *command, const MfJson *arguments)
{
    g_assert_true(delimited);
    g_assert_cmpstr(command, ==, "guest-sync-delimited");
    self->previous_sync = self->sync;
    g_assert_true(mf_json_get_int64(arguments, "id", 0, G_MAXINT64, &self->sync, NULL));
    g_assert_cmpint(self->sync, !=, self->previous_sync);
}

static void
hear_line(Peer *self, const char *line, gsize length)
{
    g_autoptr(json_object) value = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(Step) step = g_queue_pop_head(&self->script);
    gboolean delimited = length > 0 && line[0] == SENTINEL;
    MfJson id, arguments = {0};
    const char *command;

    if (!step)
        g_error("A request came after the end of the script: %.*s", (int)length, line);
    mf_json_parse(line + delimited, length - (gsize)delimited, G_MAXINT, &value, &error);
    g_assert_no_error(error);
    MfJson request = mf_json_top(value, "the request");
    mf_json_get_string(&request, "execute", &command, &error);
    g_assert_no_error(error);
    mf_json_find(&request, "arguments", &arguments);
    if (mf_json_find(&request, "id", &id)) {
        self->previous_id = self->id;
        g_assert_true(mf_json_as_int64(&id, 1, G_MAXINT64, &self->id, NULL));
    }
    if (step->kind == STEP_EXPECT_SYNC)
        check_sync(self, delimited, command, &arguments);
    else if (step->kind == STEP_EXPECT && !delimited)
        check_request(self, step, command, arguments.value);
    else
        g_error("A request came out of turn: %.*s", (int)length, line);
    play_on(self);
}

static ssize_t
receive(Peer *self, char *data, gsize size)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec vector = {data, size};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(self->fd, &message, MSG_CMSG_CLOEXEC);

    if (n > 0 && CMSG_FIRSTHDR(&message)) {
        mf_fd_clear(&self->passed_fd);
        memcpy(&self->passed_fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
    }
    return n;
}

static gboolean
on_readable(int fd, GIOCondition condition, gpointer data)
{
    Peer *self = data;
    char chunk[4096];
    ssize_t n = receive(self, chunk, sizeof(chunk));
    const char *newline;

    if (n <= 0) {
        self->read_source = 0;
        return G_SOURCE_REMOVE;
    }
    g_string_append_len(self->heard, chunk, n);
    while ((newline = memchr(self->heard->str, '\n', self->heard->len))) {
        gsize length = (gsize)(newline - self->heard->str);
        g_autofree char *line = g_strndup(self->heard->str, length);

        g_string_erase(self->heard, 0, (gssize)length + 1);
        hear_line(self, line, length);
    }
    return G_SOURCE_CONTINUE;
}

Peer *
peer_new(MfTransport **ret_transport)
{
    Peer *self = g_new0(Peer, 1);
    int clients;

    g_assert_true(mf_fd_socketpair(&self->fd, &clients, NULL));
    *ret_transport = mf_fd_transport_new(clients, "the scripted peer");
    self->passed_fd = -1;
    self->heard = g_string_new(NULL);
    self->saying = g_string_new(NULL);
    g_queue_init(&self->script);
    self->read_source = g_unix_fd_add(self->fd, G_IO_IN, on_readable, self);
    return self;
}

void
peer_free(Peer *self)
{
    if (!self)
        return;
    g_assert_true(g_queue_is_empty(&self->script));
    drop_connection(self);
    mf_fd_clear(&self->passed_fd);
    g_string_free(self->heard, TRUE);
    g_string_free(self->saying, TRUE);
    qmp_schema_free(self->schema);
    g_free(self);
}

void
peer_check_schema(Peer *self)
{
    self->schema = qmp_schema_load();
}

void
peer_set_piece(Peer *self, gsize piece)
{
    self->piece = piece;
}

void
peer_expect(Peer *self, const char *command, const char *arguments)
{
    Step *step = add_step(self, STEP_EXPECT, command);

    if (arguments)
        g_assert_true(
            mf_json_parse(arguments, strlen(arguments), G_MAXINT, &step->arguments, NULL));
}

void
peer_expect_any(Peer *self, const char *command)
{
    add_step(self, STEP_EXPECT, command)->any = TRUE;
}

void
peer_expect_sync(Peer *self)
{
    add_step(self, STEP_EXPECT_SYNC, NULL);
}

void
peer_say(Peer *self, const char *text)
{
    add_step(self, STEP_SAY, text);
}

void
peer_hang_up(Peer *self)
{
    add_step(self, STEP_HANG_UP, NULL);
}

void
peer_then(Peer *self, void (*function)(gpointer data), gpointer data)
{
    Step *step = add_step(self, STEP_THEN, NULL);

    step->function = function;
    step->data = data;
}

void
peer_open_qmp(Peer *self)
{
    peer_say(self, "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 22, \"minor\": 2, \"major\": 7},"
                   " \"package\": \"Debian\"}, \"capabilities\": [\"oob\"]}}\r\n");
    peer_expect(self, "qmp_capabilities", NULL);
    peer_say(self, "{\"return\": {}, \"id\": $ID}\r\n");
}

void
peer_sync(Peer *self)
{
    peer_expect_sync(self);
    peer_say(self, "\xff{\"return\": $SYNC}\n");
}

void
peer_expect_exec(Peer *self, const char *arguments)
{
    peer_sync(self);
    if (arguments)
        peer_expect(self, "guest-exec", arguments);
    else
        peer_expect_any(self, "guest-exec");
    peer_return(self, "{\"pid\": 7}");
}

void
peer_expect_exec_status(Peer *self)
{
    peer_expect(self, "guest-exec-status", "{\"pid\": 7}");
}

void
peer_return(Peer *self, const char *value)
{
    g_autofree char *line = g_strdup_printf("{\"return\": %s}\n", value);

    peer_say(self, line);
}

int
peer_take_fd(Peer *self)
{
    return mf_fd_steal(&self->passed_fd);
}

void
peer_play(Peer *self)
{
    play_on(self);
    while (!g_queue_is_empty(&self->script) || self->saying->len > 0)
        g_main_context_iteration(NULL, TRUE);
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

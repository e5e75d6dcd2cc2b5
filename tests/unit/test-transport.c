/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/fd-transport.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

/* Both ends: the transport under test, and the bare socket of its peer, non-blocking. */
typedef struct {
    MfTransport *transport;
    int peer;
    GByteArray *received;
    gsize largest;
    guint drained;
    GPtrArray *closed; /* of GError */
} Fixture;

static void
on_received(MfTransport *transport, GBytes *bytes, gpointer data)
{
    Fixture *fixture = data;
    gsize size;
    const guint8 *bytes_data = g_bytes_get_data(bytes, &size);

    g_byte_array_append(fixture->received, bytes_data, (guint)size);
    fixture->largest = MAX(fixture->largest, size);
}

static void
on_drained(MfTransport *transport, gpointer data)
{
    ((Fixture *)data)->drained++;
}

static void
on_closed(MfTransport *transport, GError *reason, gpointer data)
{
    g_ptr_array_add(((Fixture *)data)->closed, g_error_copy(reason));
}

static void
observe(Fixture *fixture, int fd)
{
    fixture->transport = mf_fd_transport_new(fd, "the test");
    fixture->received = g_byte_array_new();
    fixture->closed = g_ptr_array_new_with_free_func((GDestroyNotify)g_error_free);
    g_signal_connect(fixture->transport, "received", G_CALLBACK(on_received), fixture);
    g_signal_connect(fixture->transport, "drained", G_CALLBACK(on_drained), fixture);
    g_signal_connect(fixture->transport, "closed", G_CALLBACK(on_closed), fixture);
}

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    int ours;

    g_assert_true(mf_fd_socketpair(&ours, &fixture->peer, NULL));
    g_unix_set_fd_nonblocking(fixture->peer, TRUE, NULL);
    observe(fixture, ours);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    g_assert_finalize_object(fixture->transport);
    mf_fd_clear(&fixture->peer);
    g_byte_array_unref(fixture->received);
    g_ptr_array_unref(fixture->closed);
}

/* Runs the main loop until it has nothing more to do. */
static void
settle(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static GBytes *
pattern(gsize size)
{
    guint8 *data = g_malloc(size);

    for (gsize i = 0; i < size; i++)
        data[i] = (guint8)(i * 31 + (i >> 8));
    return g_bytes_new_take(data, size);
}

static void
send_text(Fixture *fixture, const char *text)
{
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));

    mf_transport_send(fixture->transport, bytes);
}

static void
assert_peer_reads(Fixture *fixture, const char *expected)
{
    char text[64];
    ssize_t n = read(fixture->peer, text, sizeof(text));

    g_assert_cmpmem(text, MAX(n, 0), expected, strlen(expected));
}

static void
assert_received(Fixture *fixture, const char *expected)
{
    g_assert_cmpmem(fixture->received->data, fixture->received->len, expected, strlen(expected));
}

static void
assert_closed_once(Fixture *fixture)
{
    g_assert_cmpuint(fixture->closed->len, ==, 1);
    g_assert_error((GError *)fixture->closed->pdata[0], MF_ERROR, MF_ERROR_LOST);
    g_assert_cmpstr(((GError *)fixture->closed->pdata[0])->message, ==,
                    "The connection to the test was closed by the other side.");
}

static void
test_nothing_happens_inside_send(Fixture *fixture, gconstpointer unused)
{
    send_text(fixture, "hello");
    g_assert_cmpuint(mf_transport_get_queued(fixture->transport), ==, 5);
    g_assert_cmpuint(fixture->drained, ==, 0);
    settle();
    g_assert_cmpuint(mf_transport_get_queued(fixture->transport), ==, 0);
    g_assert_cmpuint(fixture->drained, ==, 1);
    assert_peer_reads(fixture, "hello");
}

static void
test_a_full_socket_makes_partial_writes_in_order(Fixture *fixture, gconstpointer unused)
{
    const gsize size = 3u << 20;
    g_autoptr(GBytes) large = pattern(size);
    g_autoptr(GByteArray) seen = g_byte_array_new();

    send_text(fixture, "<");
    mf_transport_send(fixture->transport, large);
    send_text(fixture, ">");
    settle();
    g_assert_cmpuint(mf_transport_get_queued(fixture->transport), >, 0);
    g_assert_cmpuint(fixture->drained, ==, 0);

    for (;;) {
        guint8 piece[7919];
        ssize_t n = read(fixture->peer, piece, sizeof(piece));

        if (n > 0)
            g_byte_array_append(seen, piece, (guint)n);
        else if (!g_main_context_iteration(NULL, FALSE))
            break;
    }
    g_assert_cmpuint(fixture->drained, ==, 1);
    g_assert_cmpuint(seen->len, ==, size + 2);
    g_assert_cmpmem(seen->data + 1, size, g_bytes_get_data(large, NULL), size);
    g_assert_cmpint(seen->data[0], ==, '<');
    g_assert_cmpint(seen->data[size + 1], ==, '>');
}

static void
test_one_piece_is_bounded(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GBytes) bytes = pattern(100000);

    g_assert_true(mf_fd_write_all(fixture->peer, g_bytes_get_data(bytes, NULL), 100000, NULL));
    settle();
    g_assert_cmpmem(fixture->received->data, fixture->received->len, g_bytes_get_data(bytes, NULL),
                    100000);
    g_assert_cmpuint(fixture->largest, ==, MF_TRANSPORT_RECEIVED_MAX);
}

static void
test_back_pressure_reaches_the_peer_and_ends(Fixture *fixture, gconstpointer unused)
{
    guint8 piece[4096] = {0};
    gsize written = 0;

    mf_transport_set_reading(fixture->transport, FALSE);
    for (ssize_t n; (n = write(fixture->peer, piece, sizeof(piece))) > 0; written += (gsize)n)
        settle();
    g_assert_cmpint(errno, ==, EAGAIN);
    g_assert_cmpuint(fixture->received->len, ==, 0);

    mf_transport_set_reading(fixture->transport, TRUE);
    settle();
    g_assert_cmpuint(fixture->received->len, ==, written);
}

static void
test_a_hang_up_follows_the_last_bytes_even_after_back_pressure(Fixture *fixture,
                                                               gconstpointer unused)
{
    mf_transport_set_reading(fixture->transport, FALSE);
    g_assert_true(mf_fd_write_all(fixture->peer, "last", 4, NULL));
    mf_fd_clear(&fixture->peer);
    settle();
    g_assert_cmpuint(fixture->closed->len, ==, 0);

    mf_transport_set_reading(fixture->transport, TRUE);
    settle();
    assert_received(fixture, "last");
    assert_closed_once(fixture);
}

static void
test_a_failed_write_delivers_what_was_sent_before(Fixture *fixture, gconstpointer unused)
{
    g_assert_true(mf_fd_write_all(fixture->peer, "goodbye", 7, NULL));
    shutdown(fixture->peer, SHUT_RD);
    mf_transport_set_reading(fixture->transport, FALSE);
    send_text(fixture, "unheard");
    settle();
    g_assert_cmpuint(fixture->closed->len, ==, 0);

    mf_transport_set_reading(fixture->transport, TRUE);
    settle();
    assert_received(fixture, "goodbye");
    assert_closed_once(fixture);
    g_assert_cmpuint(fixture->drained, ==, 0);
}

static void
test_sending_after_a_hang_up_does_nothing(Fixture *fixture, gconstpointer unused)
{
    mf_fd_clear(&fixture->peer);
    settle();
    send_text(fixture, "anyone?");
    settle();
    g_assert_cmpuint(mf_transport_get_queued(fixture->transport), ==, 0);
    assert_closed_once(fixture);
}

static void
test_closing_stops_both_directions_silently(Fixture *fixture, gconstpointer unused)
{
    char byte;

    g_assert_true(mf_fd_write_all(fixture->peer, "unread", 6, NULL));
    send_text(fixture, "unsent");
    mf_transport_close(fixture->transport);
    mf_transport_close(fixture->transport);
    settle();
    g_assert_cmpuint(fixture->received->len, ==, 0);
    g_assert_cmpuint(fixture->drained, ==, 0);
    g_assert_cmpuint(fixture->closed->len, ==, 0);
    g_assert_cmpint(read(fixture->peer, &byte, 1), <=, 0);
    g_assert_cmpint(errno, !=, EAGAIN);
}

static void
close_and_unref(MfTransport *transport, GBytes *bytes, gpointer data)
{
    mf_transport_close(transport);
    g_object_unref(transport);
}

static void
test_a_receiver_may_close_and_drop_the_transport(void)
{
    int ours, theirs;

    g_assert_true(mf_fd_socketpair(&ours, &theirs, NULL));
    MfTransport *transport = mf_fd_transport_new(ours, "the test");
    mf_autofd peer = theirs;
    g_object_add_weak_pointer(G_OBJECT(transport), (gpointer *)&transport);
    g_signal_connect(transport, "received", G_CALLBACK(close_and_unref), NULL);
    g_assert_true(mf_fd_write_all(peer, "x", 1, NULL));
    settle();
    g_assert_null(transport);
}

/* Reads from the peer; returns the descriptor that came along, or -1. */
static int
receive_fd(int peer, char *data, gsize size, gsize *ret_length)
{
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(4 * sizeof(int))];
    } control;
    struct iovec vector = {data, size};
    struct msghdr message = {.msg_iov = &vector,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(peer, &message, MSG_CMSG_CLOEXEC);
    int fd = -1;

    g_assert_cmpint(n, >, 0);
    *ret_length = (gsize)n;
    for (struct cmsghdr *at = CMSG_FIRSTHDR(&message); at; at = CMSG_NXTHDR(&message, at)) {
        g_assert_cmpint(at->cmsg_type, ==, SCM_RIGHTS);
        g_assert_cmpuint(at->cmsg_len, ==, CMSG_LEN(sizeof(int)));
        memcpy(&fd, CMSG_DATA(at), sizeof(int));
    }
    return fd;
}

static void
test_a_descriptor_travels_with_the_first_byte_of_its_message(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GBytes) with_fd = g_bytes_new_static("bc", 2);
    int ends[2];
    gsize length;
    char byte;

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    mf_autofd read_end = ends[0];
    mf_autofd write_end = ends[1];
    send_text(fixture, "a");
    g_assert_true(mf_transport_send_with_fd(fixture->transport, with_fd, write_end, NULL));
    /* The transport has its own copy. */
    mf_fd_clear(&write_end);
    send_text(fixture, "d");
    settle();

    const char expected[] = "abcd";
    for (const char *at = expected; *at; at++) {
        mf_autofd passed = receive_fd(fixture->peer, &byte, 1, &length);

        g_assert_cmpint(byte, ==, *at);
        g_assert_cmpint(passed >= 0, ==, *at == 'b');
        if (passed >= 0)
            g_assert_true(mf_fd_write_all(passed, "through", 7, NULL));
    }
    char text[8];
    g_assert_cmpint(read(read_end, text, sizeof(text)), ==, 7);
    /* Nobody holds the other end any more: not the transport either. */
    g_assert_cmpint(read(read_end, text, sizeof(text)), ==, 0);
}

static void
test_a_descriptor_is_passed_once_with_a_message_of_many_writes(Fixture *fixture,
                                                               gconstpointer unused)
{
    const gsize size = 2u << 20;
    g_autoptr(GBytes) large = pattern(size);
    mf_autofd null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    gsize seen = 0;
    guint passed = 0;

    g_assert_true(mf_transport_send_with_fd(fixture->transport, large, null_fd, NULL));
    settle();
    g_assert_cmpuint(mf_transport_get_queued(fixture->transport), >, 0);
    while (seen < size) {
        char piece[65536];
        gsize length;
        mf_autofd fd = receive_fd(fixture->peer, piece, sizeof(piece), &length);

        passed += fd >= 0;
        seen += length;
        settle();
    }
    g_assert_cmpuint(passed, ==, 1);
}

static void
test_closing_gives_back_an_unsent_descriptor(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static("x", 1);
    int ends[2];
    char byte;

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    mf_autofd read_end = ends[0];
    mf_autofd write_end = ends[1];
    g_assert_true(mf_transport_send_with_fd(fixture->transport, bytes, write_end, NULL));
    mf_fd_clear(&write_end);
    mf_transport_close(fixture->transport);
    g_assert_cmpint(read(read_end, &byte, 1), ==, 0);
}

static void
test_a_pipe_carries_bytes_but_no_descriptor(void)
{
    Fixture writer = {.peer = -1}, reader = {.peer = -1};
    g_autoptr(GBytes) bytes = g_bytes_new_static("x", 1);
    g_autoptr(GError) error = NULL;
    int ends[2];

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    observe(&reader, ends[0]);
    observe(&writer, ends[1]);
    g_assert_false(mf_transport_send_with_fd(writer.transport, bytes, 0, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);

    send_text(&writer, "through");
    settle();
    assert_received(&reader, "through");
    g_assert_cmpuint(writer.closed->len, ==, 0);
    mf_transport_close(writer.transport);
    settle();
    assert_closed_once(&reader);
    tear_down(&writer, NULL);
    tear_down(&reader, NULL);
}

static void
test_a_pipe_without_a_reader_closes_the_writer(void)
{
    Fixture writer = {.peer = -1};
    int ends[2];

    /* Only here: for a socket the transport itself sees to it. */
    signal(SIGPIPE, SIG_IGN);
    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    close(ends[0]);
    observe(&writer, ends[1]);
    send_text(&writer, "unheard");
    settle();
    assert_closed_once(&writer);
    tear_down(&writer, NULL);
    signal(SIGPIPE, SIG_DFL);
}

#define ADD(name, function)                                                                        \
    g_test_add("/transport/" name, Fixture, NULL, set_up, function, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("nothing-happens-inside-send", test_nothing_happens_inside_send);
    ADD("a-full-socket-makes-partial-writes-in-order",
        test_a_full_socket_makes_partial_writes_in_order);
    ADD("one-piece-is-bounded", test_one_piece_is_bounded);
    ADD("back-pressure-reaches-the-peer-and-ends", test_back_pressure_reaches_the_peer_and_ends);
    ADD("a-hang-up-follows-the-last-bytes-even-after-back-pressure",
        test_a_hang_up_follows_the_last_bytes_even_after_back_pressure);
    ADD("a-failed-write-delivers-what-was-sent-before",
        test_a_failed_write_delivers_what_was_sent_before);
    ADD("sending-after-a-hang-up-does-nothing", test_sending_after_a_hang_up_does_nothing);
    ADD("closing-stops-both-directions-silently", test_closing_stops_both_directions_silently);
    ADD("a-descriptor-travels-with-the-first-byte-of-its-message",
        test_a_descriptor_travels_with_the_first_byte_of_its_message);
    ADD("a-descriptor-is-passed-once-with-a-message-of-many-writes",
        test_a_descriptor_is_passed_once_with_a_message_of_many_writes);
    ADD("closing-gives-back-an-unsent-descriptor", test_closing_gives_back_an_unsent_descriptor);
    g_test_add_func("/transport/a-receiver-may-close-and-drop-the-transport",
                    test_a_receiver_may_close_and_drop_the_transport);
    g_test_add_func("/transport/a-pipe-carries-bytes-but-no-descriptor",
                    test_a_pipe_carries_bytes_but_no_descriptor);
    g_test_add_func("/transport/a-pipe-without-a-reader-closes-the-writer",
                    test_a_pipe_without_a_reader_closes_the_writer);
    return g_test_run();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/input.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include "guest/terminal.h"

#define PATIENCE_MS 20000

typedef struct {
    struct mfg_loop loop;
    struct mfg_stream stream;
    struct mfg_input input;
    int host;
    int master; /* of a terminal, beside the input's own descriptor of it; or -1 */
    int reader; /* -1 when closed */
    bool turned;
} Fixture;

static void
set_up(Fixture *f, gconstpointer data)
{
    static const struct mfg_stream_events events = {0};
    int sockets[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), ==, 0);
    f->host = sockets[0];
    f->master = f->reader = -1;
    g_assert_true(mfg_loop_init(&f->loop));
    g_assert_true(
        mfg_stream_open(&f->stream, &f->loop, sockets[1], MFG_CHANNEL_SOCKET, &events, f));
}

static void
close_reader(Fixture *f)
{
    if (f->reader >= 0)
        close(f->reader);
    f->reader = -1;
}

static void
tear_down(Fixture *f, gconstpointer data)
{
    mfg_input_close(&f->input);
    mfg_stream_close(&f->stream);
    mfg_loop_clear(&f->loop);
    close_reader(f);
    if (f->master >= 0)
        close(f->master);
    close(f->host);
}

static void
open_pipe(Fixture *f)
{
    int ends[2];

    g_assert_cmpint(pipe2(ends, O_CLOEXEC), ==, 0);
    f->reader = ends[0];
    g_assert_true(mfg_input_open(&f->input, &f->loop, &f->stream, ends[1], false));
}

/* A terminal without an echo, which nobody would take. */
static void
open_terminal(Fixture *f)
{
    struct termios settings;

    g_assert_true(mfg_terminal_open(24, 80, &f->master, &f->reader));
    g_assert_cmpint(tcgetattr(f->reader, &settings), ==, 0);
    settings.c_lflag &= (tcflag_t)~ECHO;
    g_assert_cmpint(tcsetattr(f->reader, TCSANOW, &settings), ==, 0);
    g_assert_cmpint(fcntl(f->reader, F_SETFL, O_NONBLOCK), ==, 0);
    g_assert_true(mfg_input_open(&f->input, &f->loop, &f->stream,
                                 fcntl(f->master, F_DUPFD_CLOEXEC, 3), true));
}

static void
on_turn_over(void *data)
{
    ((Fixture *)data)->turned = true;
}

static void
run_a_turn(Fixture *f)
{
    struct mfg_timer timer = {0};

    f->turned = false;
    mfg_timer_start(&timer, &f->loop, 0, on_turn_over, f);
    mfg_loop_run(&f->loop, &f->turned);
}

/* Lines without text, until the terminal has room for none, also behind what the kernel has moved
 * on by then. */
static void
fill_terminal(Fixture *f)
{
    struct pollfd room = {.fd = f->master, .events = POLLOUT};
    char lines[4096];
    ssize_t n;

    memset(lines, '\n', sizeof(lines));
    do
        n = write(f->master, lines, sizeof(lines));
    while (n > 0 || poll(&room, 1, 100) > 0);
}

/* Reads the terminal until it says that there is an end. */
static gboolean
meets_end(Fixture *f)
{
    gint64 deadline = g_get_monotonic_time() + PATIENCE_MS * G_GINT64_CONSTANT(1000);
    char line[4096];
    ssize_t n;

    while ((n = read(f->reader, line, sizeof(line))) != 0) {
        if (n > 0)
            continue;
        g_assert_cmpint(errno, ==, EAGAIN);
        if (g_get_monotonic_time() > deadline)
            return FALSE;
        run_a_turn(f);
    }
    return TRUE;
}

static void
assert_acknowledged(Fixture *f, guint32 size)
{
    guint8 frame[MF_FRAME_HEADER_SIZE + 4], more;

    run_a_turn(f);
    g_assert_cmpint(recv(f->host, frame, sizeof(frame), MSG_DONTWAIT), ==, sizeof(frame));
    g_assert_cmphex(mf_frame_get_u32(frame), ==, MF_FRAME_SINA);
    g_assert_cmpuint(mf_frame_get_u32(frame + MF_FRAME_HEADER_SIZE), ==, size);
    g_assert_cmpint(recv(f->host, &more, 1, MSG_DONTWAIT), ==, -1);
}

static void
test_a_pipe_gets_the_bytes_and_the_end_behind_them(Fixture *f, gconstpointer data)
{
    char read_back[8];

    open_pipe(f);
    mfg_input_take(&f->input, (const uint8_t *)"abc", 3);
    mfg_input_end(&f->input);
    g_assert_cmpint(read(f->reader, read_back, sizeof(read_back)), ==, 3);
    g_assert_cmpmem(read_back, 3, "abc", 3);
    g_assert_cmpint(read(f->reader, read_back, sizeof(read_back)), ==, 0);
    assert_acknowledged(f, 3);
}

static void
test_what_nobody_reads_is_acknowledged_and_thrown_away(Fixture *f, gconstpointer data)
{
    open_pipe(f);
    close_reader(f);
    mfg_input_take(&f->input, (const uint8_t *)"abc", 3);
    g_assert_cmpint(f->input.fd, ==, -1);
    assert_acknowledged(f, 3);
    mfg_input_take(&f->input, (const uint8_t *)"defgh", 5);
    assert_acknowledged(f, 5);
}

static void
test_a_terminal_that_is_full_gets_the_end_when_it_has_room(Fixture *f, gconstpointer data)
{
    open_terminal(f);
    fill_terminal(f);
    mfg_input_end(&f->input);
    g_assert_true(meets_end(f));
    g_assert_cmpint(f->input.fd, ==, -1);
}

static void
test_a_full_terminal_that_nobody_has_open_is_given_up(Fixture *f, gconstpointer data)
{
    open_terminal(f);
    fill_terminal(f);
    mfg_input_take(&f->input, (const uint8_t *)"abc", 3);
    g_assert_cmpint(f->input.fd, >=, 0);
    close_reader(f);
    run_a_turn(f);
    g_assert_cmpint(f->input.fd, ==, -1);
    assert_acknowledged(f, 3);
}

#define ADD(name, test) g_test_add("/guest-input/" name, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN);
    ADD("a-pipe-gets-the-bytes-and-the-end-behind-them",
        test_a_pipe_gets_the_bytes_and_the_end_behind_them);
    ADD("what-nobody-reads-is-acknowledged-and-thrown-away",
        test_what_nobody_reads_is_acknowledged_and_thrown_away);
    ADD("a-terminal-that-is-full-gets-the-end-when-it-has-room",
        test_a_terminal_that_is_full_gets_the_end_when_it_has_room);
    ADD("a-full-terminal-that-nobody-has-open-is-given-up",
        test_a_full_terminal_that_nobody_has_open_is_given_up);
    return g_test_run();
}

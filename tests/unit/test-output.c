/* SPDX-License-Identifier: Apache-2.0 */
#include "run/output.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

#include "base/fd.h"

#define N_CHUNKS 1000000
#define LARGE    100000

typedef struct {
    int reader, writer;
    MfOutput *output;
    GByteArray *sent, *read;
    guint released; /* chunks that nobody refers to any more */
} Fixture;

static void
set_up(Fixture *fixture, gconstpointer data)
{
    int fds[2];

    g_assert_true(g_unix_open_pipe(fds, FD_CLOEXEC, NULL));
    g_assert_true(g_unix_set_fd_nonblocking(fds[0], TRUE, NULL));
    fixture->reader = fds[0];
    fixture->writer = fds[1];
    fixture->output = mf_output_new(fixture->writer);
    fixture->sent = g_byte_array_new();
    fixture->read = g_byte_array_new();
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    g_object_unref(fixture->output);
    g_byte_array_unref(fixture->sent);
    g_byte_array_unref(fixture->read);
    mf_fd_clear(&fixture->reader);
    mf_fd_clear(&fixture->writer);
}

static void
count_release(gpointer data)
{
    guint *released = data;

    ++*released;
}

/* Sends 'size' bytes that differ from those before them. */
static void
send_chunk(Fixture *fixture, gsize size)
{
    guint from = fixture->sent->len;

    g_byte_array_set_size(fixture->sent, from + (guint)size);
    for (gsize i = 0; i < size; i++)
        fixture->sent->data[from + i] = (guint8)((from + i) * 7 / 3);

    g_autoptr(GBytes) chunk = g_bytes_new(fixture->sent->data + from, size);
    mf_output_write(fixture->output, chunk);
}

/* Reads what is there. */
static void
read_some(Fixture *fixture)
{
    guint8 buffer[65536];
    ssize_t n;

    while ((n = read(fixture->reader, buffer, sizeof(buffer))) > 0)
        g_byte_array_append(fixture->read, buffer, (guint)n);
}

static void
read_all(Fixture *fixture)
{
    read_some(fixture);
    while (mf_output_get_queued(fixture->output) > 0) {
        g_main_context_iteration(NULL, TRUE);
        read_some(fixture);
    }
}

static void
assert_all_arrived(Fixture *fixture)
{
    g_assert_cmpmem(fixture->read->data, fixture->read->len, fixture->sent->data,
                    fixture->sent->len);
}

static void
test_small_chunks_that_wait_are_not_kept_one_by_one(Fixture *fixture, gconstpointer data)
{
    static const guint8 letters[] = {'a', 'b'};

    send_chunk(fixture, LARGE);
    g_assert_cmpuint(mf_output_get_queued(fixture->output), >, 0);
    for (guint i = 0; i < N_CHUNKS; i++) {
        g_autoptr(GBytes) chunk =
            g_bytes_new_with_free_func(&letters[i % 2], 1, count_release, &fixture->released);

        g_byte_array_append(fixture->sent, &letters[i % 2], 1);
        mf_output_write(fixture->output, chunk);
    }
    g_assert_cmpuint(fixture->released, ==, N_CHUNKS);
    g_assert_cmpuint(mf_output_get_queued(fixture->output), >=, N_CHUNKS);
    read_all(fixture);
    assert_all_arrived(fixture);
}

static void
test_a_large_chunk_that_waits_is_not_copied(Fixture *fixture, gconstpointer data)
{
    static const guint8 zeros[LARGE];

    send_chunk(fixture, LARGE);
    g_autoptr(GBytes) chunk =
        g_bytes_new_with_free_func(zeros, LARGE, count_release, &fixture->released);
    mf_output_write(fixture->output, chunk);
    g_clear_pointer(&chunk, g_bytes_unref);
    g_assert_cmpuint(fixture->released, ==, 0);
    g_byte_array_append(fixture->sent, zeros, LARGE);
    read_all(fixture);
    g_assert_cmpuint(fixture->released, ==, 1);
    assert_all_arrived(fixture);
}

static void
test_chunks_of_all_sizes_arrive_in_order(Fixture *fixture, gconstpointer data)
{
    static const gsize sizes[] = {1, LARGE, 4096, 1, 4097, 1, 1, 65536, 4095, 3, LARGE, 2};

    for (guint round = 0; round < 20; round++) {
        for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++)
            send_chunk(fixture, sizes[i]);
        read_some(fixture);
        g_main_context_iteration(NULL, FALSE);
    }
    read_all(fixture);
    assert_all_arrived(fixture);
}

static void
on_signal(guint *count)
{
    ++*count;
}

static void
test_a_reader_that_goes_drops_what_waits_once(Fixture *fixture, gconstpointer data)
{
    guint broken = 0;

    g_signal_connect_swapped(fixture->output, "broken", G_CALLBACK(on_signal), &broken);
    send_chunk(fixture, LARGE);
    send_chunk(fixture, 1);
    mf_fd_clear(&fixture->reader);
    while (broken == 0)
        g_main_context_iteration(NULL, TRUE);
    send_chunk(fixture, 1);
    g_assert_cmpuint(broken, ==, 1);
    g_assert_cmpuint(mf_output_get_queued(fixture->output), ==, 0);
    g_assert_true(mf_output_is_broken(fixture->output));
    g_assert_null(mf_output_get_error(fixture->output));
}

#define ADD(name, test) g_test_add("/output/" name, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    signal(SIGPIPE, SIG_IGN);
    ADD("small-chunks-that-wait-are-not-kept-one-by-one",
        test_small_chunks_that_wait_are_not_kept_one_by_one);
    ADD("a-large-chunk-that-waits-is-not-copied", test_a_large_chunk_that_waits_is_not_copied);
    ADD("chunks-of-all-sizes-arrive-in-order", test_chunks_of_all_sizes_arrive_in_order);
    ADD("a-reader-that-goes-drops-what-waits-once", test_a_reader_that_goes_drops_what_waits_once);
    return g_test_run();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/serial-port.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/fd.h"
#include "base/tempdir.h"

/* Numbers that nothing else here has. */
static const MfSerialPortFds fds = {.in = 100, .out = 101, .names = 102};

/* What QEMU does with its command line: it opens both pipes for reading and writing. */
typedef struct {
    MfTransport *transport;
    GString *received;
    gboolean closed;
    char *names;
    int qemu_in, qemu_out;
} Fixture;

static void
on_received(Fixture *fixture, GBytes *bytes)
{
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);

    g_string_append_len(fixture->received, data, (gssize)size);
}

static void
on_closed(Fixture *fixture)
{
    fixture->closed = TRUE;
}

static int
open_as_qemu(const char *name)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d/port.%s", fds.names, name);
    int fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GArray) handed = g_array_new(FALSE, FALSE, sizeof(MfChildFd));
    g_autoptr(GError) error = NULL;

    fixture->received = g_string_new(NULL);
    fixture->transport =
        mf_serial_port_open(&fds, "the guest's console", handed, &fixture->names, &error);
    g_assert_no_error(error);
    g_signal_connect_swapped(fixture->transport, "received", G_CALLBACK(on_received), fixture);
    g_signal_connect_swapped(fixture->transport, "closed", G_CALLBACK(on_closed), fixture);
    for (guint i = 0; i < handed->len; i++) {
        MfChildFd *entry = &g_array_index(handed, MfChildFd, i);

        g_assert_cmpint(dup2(entry->fd, entry->target), ==, entry->target);
        mf_fd_clear(&entry->fd);
    }
    fixture->qemu_in = open_as_qemu("in");
    fixture->qemu_out = open_as_qemu("out");
    mf_tempdir_remove(fixture->names);
}

static void
end_qemu(Fixture *fixture)
{
    mf_fd_clear(&fixture->qemu_in);
    mf_fd_clear(&fixture->qemu_out);
    close(fds.in);
    close(fds.out);
    close(fds.names);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    if (fixture->qemu_in >= 0)
        end_qemu(fixture);
    g_assert_finalize_object(fixture->transport);
    g_string_free(fixture->received, TRUE);
    g_assert_false(g_file_test(fixture->names, G_FILE_TEST_EXISTS));
    g_free(fixture->names);
}

static void
settle(void)
{
    while (g_main_context_iteration(NULL, FALSE))
        ;
}

static void
test_what_is_sent_is_typed_at_the_port(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static("typed\n", 6);
    char text[16];

    mf_transport_send(fixture->transport, bytes);
    settle();
    g_assert_cmpint(read(fixture->qemu_in, text, sizeof(text)), ==, 6);
    g_assert_cmpmem(text, 6, "typed\n", 6);
}

/* A socket takes 277 of these writes. */
static void
test_the_port_takes_64_kib_byte_by_byte_while_nobody_reads(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GString) said = g_string_new(NULL);

    while (said->len < 64 << 10) {
        char byte = (char)('a' + said->len % 26);

        g_assert_cmpint(write(fixture->qemu_out, &byte, 1), ==, 1);
        g_string_append_c(said, byte);
    }
    settle();
    g_assert_cmpstr(fixture->received->str, ==, said->str);
}

static void
test_the_end_of_qemu_ends_the_port_after_its_last_word(Fixture *fixture, gconstpointer unused)
{
    g_assert_true(mf_fd_write_all(fixture->qemu_out, "last", 4, NULL));
    settle();
    g_assert_false(fixture->closed);
    end_qemu(fixture);
    settle();
    g_assert_cmpstr(fixture->received->str, ==, "last");
    g_assert_true(fixture->closed);
}

static void
test_without_a_place_for_the_names_there_is_no_port(void)
{
    g_autoptr(GArray) handed = g_array_new(FALSE, FALSE, sizeof(MfChildFd));
    g_autoptr(GError) error = NULL;
    char *names = NULL;

    if (g_test_subprocess()) {
        g_setenv("TMPDIR", "/no/such/directory", TRUE);
        g_assert_null(mf_serial_port_open(&fds, "the test", handed, &names, &error));
        g_assert_nonnull(error);
        g_assert_null(names);
        g_assert_cmpuint(handed->len, ==, 0);
        return;
    }
    g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_passed();
}

static void
add(const char *path, void (*function)(Fixture *, gconstpointer))
{
    g_test_add(path, Fixture, NULL, set_up, function, tear_down);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    add("/serial-port/what-is-sent-is-typed-at-the-port", test_what_is_sent_is_typed_at_the_port);
    add("/serial-port/the-port-takes-64-kib-byte-by-byte-while-nobody-reads",
        test_the_port_takes_64_kib_byte_by_byte_while_nobody_reads);
    add("/serial-port/the-end-of-qemu-ends-the-port-after-its-last-word",
        test_the_end_of_qemu_ends_the_port_after_its_last_word);
    g_test_add_func("/serial-port/without-a-place-for-the-names-there-is-no-port",
                    test_without_a_place_for_the_names_there_is_no_port);
    return g_test_run();
}

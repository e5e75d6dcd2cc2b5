/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "machine/console.h"
#include "suite/capture.h"
#include "wire/fd-transport.h"

/*
 * A guest that says very much on its serial port: through the transport and the console into the
 * log file, as in a run. 64 MiB of it, or with MAYFLY_TEST_SOAK all of 1 GiB.
 */
#define LINE_SIZE 128u
/* What is kept, as much again while it is moved, and the chunks on their way. */
#define MEMORY_MAX_KB (32u << 10)

static guint64
get_size(void)
{
    return (g_getenv("MAYFLY_TEST_SOAK") ? G_GUINT64_CONSTANT(1024) : 64) << 20;
}

/* Line 'number' of what is said: all of the same length, no two alike. */
static void
put_line(char line[LINE_SIZE + 1], guint64 number)
{
    g_snprintf(line, LINE_SIZE + 1, "%0*" G_GINT64_MODIFIER "u\r\n", (int)LINE_SIZE - 2, number);
}

static gpointer
talk(gpointer data)
{
    int fd = GPOINTER_TO_INT(data);
    char lines[LINE_SIZE * 512 + 1];

    for (guint64 number = 0; number < get_size() / LINE_SIZE;) {
        for (gsize at = 0; at + 1 < sizeof(lines); at += LINE_SIZE)
            put_line(lines + at, number++);
        for (gsize done = 0; done + 1 < sizeof(lines);) {
            ssize_t n = write(fd, lines + done, sizeof(lines) - 1 - done);

            g_assert_cmpint(n, >, 0);
            done += (gsize)n;
        }
    }
    close(fd);
    return NULL;
}

static guint64
get_resident_kb(void)
{
    g_autofree char *status = NULL;

    g_assert_true(g_file_get_contents("/proc/self/status", &status, NULL, NULL));
    const char *line = strstr(status, "VmHWM:");
    g_assert_nonnull(line);
    return g_ascii_strtoull(line + strlen("VmHWM:"), NULL, 10);
}

static void
keep(MfConsole *console, GBytes *bytes, MfCapture *log)
{
    mf_capture_write(log, bytes);
}

static void
count_line(MfConsole *console, const char *line, guint source, guint64 *lines)
{
    g_assert_cmpuint(strlen(line), ==, LINE_SIZE - 2);
    g_assert_cmpuint(g_ascii_strtoull(line, NULL, 10), ==, *lines);
    (*lines)++;
}

static void
assert_log(const char *path)
{
    char expected[LINE_SIZE + 1], found[LINE_SIZE];
    g_autoptr(GError) error = NULL;
    g_autoptr(GMappedFile) log = g_mapped_file_new(path, FALSE, &error);

    g_assert_no_error(error);
    g_assert_cmpuint(g_mapped_file_get_length(log), ==, get_size());
    for (guint64 number = 0; number < get_size() / LINE_SIZE; number++) {
        put_line(expected, number);
        memcpy(found, g_mapped_file_get_contents(log) + number * LINE_SIZE, LINE_SIZE);
        g_assert_cmpmem(found, LINE_SIZE, expected, LINE_SIZE);
    }
}

static void
test_a_flood_is_in_the_log_and_counted_exactly_in_bounded_memory(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("mayfly-XXXXXX", &error);
    g_autofree char *path = g_build_filename(dir, "console.log", NULL);
    g_autoptr(MfCapture) log = mf_capture_new(path, G_MAXUINT64, &error);
    guint64 lines = 0;
    gsize kept;
    int fds[2];

    g_assert_no_error(error);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
    g_autoptr(MfTransport) transport = mf_fd_transport_new(fds[0], "the guest");
    g_autoptr(MfConsole) console = mf_console_new(transport);
    g_signal_connect(console, "output", G_CALLBACK(keep), log);
    g_signal_connect(console, "line", G_CALLBACK(count_line), &lines);
    guint64 before = get_resident_kb();
    g_autoptr(GThread) guest = g_thread_new("guest", talk, GINT_TO_POINTER(fds[1]));

    while (lines < get_size() / LINE_SIZE)
        g_main_context_iteration(NULL, TRUE);
    g_thread_join(g_steal_pointer(&guest));
    g_assert_cmpuint(get_resident_kb(), <, before + MEMORY_MAX_KB);

    const MfTranscript *transcript = mf_console_get_transcript(console);
    g_assert_cmpuint(mf_transcript_get_place(transcript), ==, get_size());
    mf_transcript_get_kept(transcript, &kept);
    g_assert_cmpuint(kept, ==, MF_CONSOLE_KEEP);
    g_assert_cmpuint(mf_transcript_get_elided(transcript), ==, get_size() - MF_CONSOLE_KEEP);
    mf_capture_close(log);
    assert_log(path);
    g_unlink(path);
    g_rmdir(dir);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/console-flood/S-4/the-log-is-complete-the-count-exact-and-the-memory-bounded",
                    test_a_flood_is_in_the_log_and_counted_exactly_in_bounded_memory);
    return g_test_run();
}

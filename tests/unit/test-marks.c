/* SPDX-License-Identifier: Apache-2.0 */
#include "run/marks.h"

#include <string.h>

#include "stream-peer.h"

#define LOG_OF_A_BOOT                                                                              \
    "[    0.000000] Linux version 6.1\n"                                                           \
    "[    1.250000] Run /init as init process\n"                                                   \
    "[    1.500000] last words\n"

/* The run began so long ago that the guest's clock can have begun within it. */
#define AGE_US (G_GINT64_CONSTANT(3600) * G_USEC_PER_SEC)

typedef struct {
    StreamPeer *guest;
    MfStream *stream;
    MfConsole *console;
    MfMarks *marks;
} Fixture;

static void
set_up(Fixture *self, gconstpointer data)
{
    self->guest = stream_peer_new(&self->stream);
    self->console = mf_console_new(NULL);
    self->marks = mf_marks_new(g_get_monotonic_time() - AGE_US);
    mf_marks_watch(self->marks, self->console, self->stream);
}

static void
tear_down(Fixture *self, gconstpointer data)
{
    g_object_unref(self->marks);
    g_object_unref(self->console);
    g_object_unref(self->stream);
    stream_peer_free(self->guest);
}

/* "side:name side:name", in the order of the result. */
static char *
names_of(const MfResult *result)
{
    GString *names = g_string_new(NULL);

    for (guint i = 0; i < result->marks->len; i++) {
        const MfMark *mark = &g_array_index(result->marks, MfMark, i);

        g_string_append_printf(names, "%s%s:%s", i ? ", " : "",
                               mark->side == MF_MARK_HOST ? "host" : "guest", mark->name);
    }
    return g_string_free(names, FALSE);
}

static const MfMark *
find(const MfResult *result, const char *name)
{
    for (guint i = 0; i < result->marks->len; i++) {
        const MfMark *mark = &g_array_index(result->marks, MfMark, i);

        if (g_str_equal(mark->name, name))
            return mark;
    }
    g_error("There is no mark '%s'.", name);
}

static void
test_each_first_word_of_the_guest_is_noted_once(Fixture *self, gconstpointer data)
{
    g_autoptr(MfResult) result = mf_result_new();

    mf_marks_note_host(self->marks, "QEMU launched");
    mf_console_feed(self->console, "one", 3);
    mf_console_feed(self->console, "two", 3);
    stream_peer_say(self->guest, MF_FRAME_SRDY, NULL, 0);
    stream_peer_settle();
    mf_stream_expect_command(self->stream);
    stream_peer_say_text(self->guest, MF_FRAME_SOUT, "a");
    stream_peer_say_text(self->guest, MF_FRAME_SOUT, "b");
    stream_peer_settle();
    mf_marks_add_to_result(self->marks, result);
    g_autofree char *names = names_of(result);
    g_assert_cmpstr(names, ==,
                    "host:QEMU launched, guest:first console output, guest:ready, "
                    "guest:first output");
}

static void
test_the_kernels_log_is_put_on_the_hosts_clock(Fixture *self, gconstpointer data)
{
    g_autoptr(MfResult) result = mf_result_new();

    stream_peer_say_text(self->guest, MF_FRAME_DMSG, LOG_OF_A_BOOT);
    stream_peer_say(self->guest, MF_FRAME_SRDY, NULL, 0);
    stream_peer_settle();
    mf_marks_add_to_result(self->marks, result);

    const MfMark *kernel = find(result, "kernel");
    const MfMark *initramfs = find(result, "initramfs");
    const MfMark *ready = find(result, "ready");
    /* The last line is the nearest: it was received when it was written, at 1.5 s. */
    g_assert_cmpint(kernel->end_us - kernel->start_us, ==, 1250000);
    g_assert_cmpint(initramfs->start_us, ==, kernel->end_us);
    g_assert_cmpint(initramfs->end_us, ==, ready->start_us);
    g_assert_cmpint(ready->start_us - kernel->start_us, >=, 1500000);
    g_assert_cmpint(ready->start_us - kernel->start_us, <, 1500000 + 60 * G_USEC_PER_SEC);
}

static void
test_a_late_line_does_not_move_the_guests_clock(Fixture *self, gconstpointer data)
{
    g_autoptr(MfResult) before = mf_result_new();
    g_autoptr(MfResult) after = mf_result_new();

    stream_peer_say_text(self->guest, MF_FRAME_DMSG, LOG_OF_A_BOOT);
    stream_peer_settle();
    mf_marks_add_to_result(self->marks, before);
    stream_peer_say_text(self->guest, MF_FRAME_DMSG, "[    1.400000] written before, sent after\n");
    stream_peer_settle();
    mf_marks_add_to_result(self->marks, after);
    g_assert_cmpint(find(after, "kernel")->start_us, ==, find(before, "kernel")->start_us);
}

static void
test_without_the_kernels_log_there_is_no_kernel(Fixture *self, gconstpointer data)
{
    g_autoptr(MfResult) result = mf_result_new();

    stream_peer_say_text(self->guest, MF_FRAME_DMSG, "[    9.000000] of a restored machine\n");
    stream_peer_settle();
    mf_marks_add_to_result(self->marks, result);
    g_assert_cmpuint(result->marks->len, ==, 0);
}

static void
test_a_stamp_that_cannot_be_is_none(Fixture *self, gconstpointer data)
{
    static const struct {
        const char *line;
        gint64 stamp;
    } cases[] = {
        {"[    1.204313] text", 1204313},
        {"[12345.000001] text", G_GINT64_CONSTANT(12345000001)},
        {"[    0.000000]", 0},
        {"[    1.2043] text", -1},
        {"[    1.2043130] text", -1},
        {"[99999999999999999999.000000] text", -1},
        {"[ x.204313] text", -1},
        {"[    1", -1},
        {"[", -1},
        {"", -1},
        {"text", -1},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *end = cases[i].line + strlen(cases[i].line);
        const char *text = NULL;

        g_assert_cmpint(mf_marks_read_stamp(cases[i].line, end, &text), ==, cases[i].stamp);
        g_assert_true((text != NULL) == (cases[i].stamp >= 0));
    }
}

/* A hostile log neither fails nor gives a mark that ends before it begins. */
static void
test_no_log_gives_an_impossible_mark(Fixture *self, gconstpointer data)
{
    g_autoptr(MfResult) result = mf_result_new();

    stream_peer_say(self->guest, MF_FRAME_SRDY, NULL, 0);
    stream_peer_settle();
    stream_peer_say_text(self->guest, MF_FRAME_DMSG,
                         "[999999999.999999] Run /init as init process\n"
                         "[    0.000001] Run /init as init process\n[\n[ .]\n");
    stream_peer_settle();
    mf_marks_add_to_result(self->marks, result);
    for (guint i = 0; i < result->marks->len; i++) {
        const MfMark *mark = &g_array_index(result->marks, MfMark, i);

        g_assert_cmpint(mark->start_us, >=, 0);
        g_assert_cmpint(mark->end_us, >=, mark->start_us);
    }
}

int
main(int argc, char **argv)
{
#define TEST(name, func) g_test_add(name, Fixture, NULL, set_up, func, tear_down)
    g_test_init(&argc, &argv, NULL);
    TEST("/marks/each-first-word-of-the-guest-is-noted-once",
         test_each_first_word_of_the_guest_is_noted_once);
    TEST("/marks/the-kernels-log-is-put-on-the-hosts-clock",
         test_the_kernels_log_is_put_on_the_hosts_clock);
    TEST("/marks/a-late-line-does-not-move-the-guests-clock",
         test_a_late_line_does_not_move_the_guests_clock);
    TEST("/marks/without-the-kernels-log-there-is-no-kernel",
         test_without_the_kernels_log_there_is_no_kernel);
    TEST("/marks/a-stamp-that-cannot-be-is-none", test_a_stamp_that_cannot_be_is_none);
    TEST("/marks/no-log-gives-an-impossible-mark", test_no_log_gives_an_impossible_mark);
    return g_test_run();
#undef TEST
}

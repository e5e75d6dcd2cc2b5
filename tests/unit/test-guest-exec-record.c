/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/exec-record.h"

#include <glib.h>
#include <string.h>

typedef struct mfg_exec_record Record;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Record, mfg_exec_record_clear)

#define PARSE(literal, record, reason)                                                             \
    mfg_exec_record_parse(literal, sizeof(literal) - 1, record, reason, sizeof(reason))

static void
test_every_field_is_read(void)
{
    g_auto(Record) record = {0};
    char reason[256];

    g_assert_true(PARSE("arg=ls\0arg=-l\0arg=\0env=A=b=c\0env=PATH=/x:/y\0workdir=/tmp\0user=a:b\0"
                        "tty=24x80\0stdin=null\0stdout=closed\0stderr=stream\0",
                        &record, reason));
    g_assert_cmpstr(record.argv[0], ==, "ls");
    g_assert_cmpstr(record.argv[1], ==, "-l");
    g_assert_cmpstr(record.argv[2], ==, "");
    g_assert_null(record.argv[3]);
    g_assert_cmpstr(record.envp[0], ==, "A=b=c");
    g_assert_null(record.envp[2]);
    g_assert_cmpstr(record.path, ==, "/x:/y");
    g_assert_cmpstr(record.workdir, ==, "/tmp");
    g_assert_cmpstr(record.user, ==, "a:b");
    g_assert_true(record.tty);
    g_assert_cmpuint(record.rows, ==, 24);
    g_assert_cmpuint(record.columns, ==, 80);
    g_assert_cmpint(record.streams[0], ==, MFG_EXEC_NULL);
    g_assert_cmpint(record.streams[1], ==, MFG_EXEC_CLOSED);
    g_assert_cmpint(record.streams[2], ==, MFG_EXEC_STREAM);
}

static void
test_what_is_absent_has_its_default(void)
{
    g_auto(Record) record = {0};
    char reason[256];

    g_assert_true(PARSE("shell=a; b\0", &record, reason));
    g_assert_cmpstr(record.shell, ==, "a; b");
    g_assert_null(record.argv[0]);
    g_assert_null(record.envp[0]);
    g_assert_null(record.path);
    g_assert_null(record.workdir);
    g_assert_null(record.user);
    g_assert_false(record.tty);
    for (int i = 0; i < 3; i++)
        g_assert_cmpint(record.streams[i], ==, MFG_EXEC_STREAM);
}

static void
test_bad_records_are_refused_with_a_reason(void)
{
    static const struct {
        const char *data;
        gsize size;
    } bad[] = {
#define BAD(literal) {literal, sizeof(literal) - 1}
        BAD(""),
        BAD("arg=x"),
        BAD("arg\0"),
        BAD("=x\0"),
        BAD("\0"),
        BAD("env=A=b\0"),
        BAD("arg=x\0shell=y\0"),
        BAD("arg=x\0bogus=1\0"),
        BAD("arg=x\0ARG=y\0"),
        BAD("arg=x\0tty=24\0"),
        BAD("arg=x\0tty=24x\0"),
        BAD("arg=x\0tty=24x80x\0"),
        BAD("arg=x\0tty=-1x80\0"),
        BAD("arg=x\0tty= 24x80\0"),
        BAD("arg=x\0tty=99999x80\0"),
        BAD("arg=x\0tty=240000x80\0"),
        BAD("arg=x\0stdin=closed \0"),
        BAD("arg=x\0stdout=null\0"),
        BAD("arg=x\0stderr=\0"),
#undef BAD
    };

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct mfg_exec_record record = {.rows = 7};
        char reason[256] = "";

        g_test_message("%s", bad[i].data);
        g_assert_false(
            mfg_exec_record_parse(bad[i].data, bad[i].size, &record, reason, sizeof(reason)));
        g_assert_cmpuint(strlen(reason), >, 20);
        g_assert_cmpuint(record.rows, ==, 7);
    }
}

static void
test_a_record_is_allowed_to_its_cap_and_refused_past_it(void)
{
    for (gsize size = MFG_EXEC_RECORD_MAX; size <= MFG_EXEC_RECORD_MAX + 1; size++) {
        g_auto(Record) record = {0};
        g_autofree char *data = g_strnfill(size, 'x');
        char reason[256];

        memcpy(data, "arg=", 4);
        data[size - 1] = '\0';
        g_assert_cmpint(mfg_exec_record_parse(data, size, &record, reason, sizeof(reason)), ==,
                        size == MFG_EXEC_RECORD_MAX);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-exec-record/fields", test_every_field_is_read);
    g_test_add_func("/guest-exec-record/defaults", test_what_is_absent_has_its_default);
    g_test_add_func("/guest-exec-record/refused", test_bad_records_are_refused_with_a_reason);
    g_test_add_func("/guest-exec-record/cap",
                    test_a_record_is_allowed_to_its_cap_and_refused_past_it);
    return g_test_run();
}

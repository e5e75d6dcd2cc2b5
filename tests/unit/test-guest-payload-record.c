/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/payload-record.h"

#include <glib.h>
#include <string.h>

#include "wire/guest-protocol.h"

typedef struct mfg_payload_record Record;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Record, mfg_payload_record_clear)

static bool
parse(const char *data, gsize size, Record *record, char reason[256])
{
    return mfg_payload_record_parse(data, size, record, &(struct mfg_reason){reason, 256});
}

#define PARSE(literal, record, reason) parse(literal, sizeof(literal) - 1, record, reason)

static void
test_every_field_is_read(void)
{
    g_auto(Record) record = {0};
    char reason[256];

    g_assert_true(PARSE("arg=fio\0arg=--x\0env=PATH=/p\0workdir=/w\0user=u\0timeout-ms=1500\0"
                        "cgroup=/a/b\0limit=cpu.max=20000 100000\0limit=pids.max=max\0"
                        "parent-pgrp=1\0",
                        &record, reason));
    g_assert_cmpstr(record.exec.argv[0], ==, "fio");
    g_assert_cmpstr(record.exec.argv[1], ==, "--x");
    g_assert_cmpstr(record.exec.path, ==, "/p");
    g_assert_cmpstr(record.exec.workdir, ==, "/w");
    g_assert_cmpstr(record.exec.user, ==, "u");
    g_assert_cmpint(record.timeout_ms, ==, 1500);
    g_assert_cmpstr(record.cgroup, ==, "/a/b");
    g_assert_cmpstr(record.limits[0], ==, "cpu.max=20000 100000");
    g_assert_cmpstr(record.limits[1], ==, "pids.max=max");
    g_assert_null(record.limits[2]);
    g_assert_true(record.parent_group);
}

static void
test_what_is_absent_has_its_default(void)
{
    g_auto(Record) record = {0};
    char reason[256];

    g_assert_true(PARSE("shell=x\0cgroup=\0", &record, reason));
    g_assert_cmpint(record.timeout_ms, ==, 0);
    g_assert_null(record.cgroup);
    g_assert_null(record.limits[0]);
    g_assert_false(record.parent_group);
}

static void
test_bad_fields_are_refused_with_a_reason(void)
{
    static const struct {
        const char *data;
        gsize size;
        const char *word;
    } bad[] = {
#define BAD(literal, word) {literal, sizeof(literal) - 1, word}
        BAD("", "bytes"),
        BAD("arg=x", "cut short"),
        BAD("cgroup=a\0", "one of"),
        BAD("arg=x\0bogus=1\0", "bogus"),
        BAD("arg=x\0timeout-ms=0\0", "timeout-ms"),
        BAD("arg=x\0timeout-ms=\0", "timeout-ms"),
        BAD("arg=x\0timeout-ms=+1\0", "timeout-ms"),
        BAD("arg=x\0timeout-ms=9223372036854775807\0", "timeout-ms"),
        BAD("arg=x\0parent-pgrp=0\0", "parent-pgrp"),
        BAD("arg=x\0parent-pgrp=\0", "parent-pgrp"),
        BAD("arg=x\0cgroup=//\0", "empty"),
        BAD("arg=x\0cgroup=a/..\0", "'..'"),
        BAD("arg=x\0cgroup=a\0limit=memory.high=1\0", "limit"),
        BAD("arg=x\0cgroup=a\0limit=cpu.max=\0", "limit"),
        BAD("arg=x\0cgroup=a\0limit==1\0", "limit"),
        BAD("arg=x\0limit=cpu.max=1\0", "no cgroup"),
        BAD("arg=x\0tty=1x1\0", "terminal"),
        BAD("login=/bin/sh\0", "terminal"),
        BAD("arg=x\0stdin=null\0", "streams"),
        BAD("arg=x\0stderr=closed\0", "streams"),
#undef BAD
    };

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        Record record = {.timeout_ms = 7};
        char reason[256] = "";

        g_test_message("%s", bad[i].data);
        g_assert_false(parse(bad[i].data, bad[i].size, &record, reason));
        g_assert_nonnull(strstr(reason, bad[i].word));
        g_assert_cmpint(record.timeout_ms, ==, 7);
    }
}

static void
test_limits_are_allowed_to_their_cap_and_refused_past_it(void)
{
    for (guint n = 256; n <= 257; n++) {
        g_autoptr(GString) text = g_string_new("arg=x");
        g_auto(Record) record = {0};
        char reason[256];

        g_string_append_c(text, '\0');
        g_string_append(text, "cgroup=a");
        g_string_append_c(text, '\0');
        for (guint i = 0; i < n; i++) {
            g_string_append_printf(text, "limit=io.max=8:%u rbps=1", i);
            g_string_append_c(text, '\0');
        }
        g_assert_cmpint(parse(text->str, text->len, &record, reason), ==, n == 256);
    }
}

static void
test_a_record_is_allowed_to_its_cap_and_refused_past_it(void)
{
    for (gsize size = MF_PAYLOAD_RECORD_MAX; size <= MF_PAYLOAD_RECORD_MAX + 1; size++) {
        g_auto(Record) record = {0};
        g_autofree char *data = g_strnfill(size, 'x');
        char reason[256];

        memcpy(data, "arg=", 4);
        data[size - 1] = '\0';
        g_assert_cmpint(parse(data, size, &record, reason), ==, size == MF_PAYLOAD_RECORD_MAX);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-payload-record/fields", test_every_field_is_read);
    g_test_add_func("/guest-payload-record/defaults", test_what_is_absent_has_its_default);
    g_test_add_func("/guest-payload-record/refused", test_bad_fields_are_refused_with_a_reason);
    g_test_add_func("/guest-payload-record/limits",
                    test_limits_are_allowed_to_their_cap_and_refused_past_it);
    g_test_add_func("/guest-payload-record/cap",
                    test_a_record_is_allowed_to_its_cap_and_refused_past_it);
    return g_test_run();
}

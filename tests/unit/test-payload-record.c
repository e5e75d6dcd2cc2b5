/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "run/command-record.h"
#include "wire/guest-protocol.h"
#include "wire/record.h"

/* The values of a field of the record, each with a bar behind it. Owned by the caller. */
static char *
get_field(GBytes *record, const char *name)
{
    GString *values = g_string_new(NULL);
    const char *key, *value;
    gsize size, at = 0, length;
    const char *data = g_bytes_get_data(record, &size);

    while (mf_record_next(data, size, &at, &key, &length, &value))
        if (mf_record_key_is(key, length, name))
            g_string_append_printf(values, "%s|", value);
    g_assert_cmpuint(at, ==, size);
    return g_string_free(values, FALSE);
}

static void
assert_field(GBytes *record, const char *name, const char *expected)
{
    g_autofree char *values = get_field(record, name);

    g_assert_cmpstr(values, ==, expected);
}

typedef struct {
    MfTarget *target;
    MfPayload *payload;
    MfStep *step;
} Fixture;

static void
set_up(Fixture *self, gconstpointer unused)
{
    static const char *const env[] = {"A=target", "B=target", NULL};

    self->target = mf_target_new();
    g_strfreev(self->target->env);
    self->target->env = g_strdupv((char **)env);
    self->payload = mf_payload_new("work");
    self->step = mf_step_new(MF_STEP_RUN, 0);
}

static void
tear_down(Fixture *self, gconstpointer unused)
{
    mf_step_free(self->step);
    mf_payload_free(self->payload);
    mf_target_free(self->target);
}

static GBytes *
make(Fixture *self)
{
    return mf_command_record_new_payload(self->target, "/there", self->payload, self->step);
}

static void
test_words_are_exact(Fixture *self, gconstpointer unused)
{
    self->payload->argv = g_strsplit("fio|--a b", "|", 0);
    self->payload->args = g_strsplit("x=1|", "|", 0);
    self->step->args = g_strsplit("it's", "|", 0);

    g_autoptr(GBytes) record = make(self);
    assert_field(record, MF_EXEC_ARG, "fio|--a b|x=1||it's|");
    assert_field(record, MF_EXEC_SHELL, "");
}

static void
test_words_behind_a_text_are_quoted(Fixture *self, gconstpointer unused)
{
    self->payload->shell = g_strdup("cat <in | fio");
    g_autoptr(GBytes) alone = make(self);
    assert_field(alone, MF_EXEC_SHELL, "cat <in | fio|");

    self->payload->args = g_strsplit("$x", "|", 0);
    g_autoptr(GBytes) record = make(self);
    assert_field(record, MF_EXEC_SHELL, "cat <in | fio '$x'|");
    assert_field(record, MF_EXEC_ARG, "");
}

static void
test_what_it_has_none_of_is_the_targets(Fixture *self, gconstpointer unused)
{
    self->payload->shell = g_strdup("true");
    self->target->user = g_strdup("ann");

    g_autoptr(GBytes) record = make(self);
    assert_field(record, MF_EXEC_ENV, "A=target|B=target|");
    assert_field(record, MF_EXEC_WORKDIR, "/there|");
    assert_field(record, MF_EXEC_USER, "ann|");
    assert_field(record, MF_PAYLOAD_CGROUP, "");
    assert_field(record, MF_PAYLOAD_PARENT_PGRP, "");
    assert_field(record, MF_PAYLOAD_TIMEOUT, "");
}

static void
test_what_it_has_replaces_the_targets(Fixture *self, gconstpointer unused)
{
    self->payload->shell = g_strdup("true");
    self->payload->env = g_strsplit("B=own|C==", "|", 0);
    self->payload->workdir = g_strdup("/srv");
    self->payload->user = g_strdup("bob");
    self->payload->uses_parent_pgrp = TRUE;
    self->payload->timeout_ms = 1500;
    self->target->user = g_strdup("ann");

    g_autoptr(GBytes) record = make(self);
    assert_field(record, MF_EXEC_ENV, "A=target|B=own|C==|");
    assert_field(record, MF_EXEC_WORKDIR, "/srv|");
    assert_field(record, MF_EXEC_USER, "bob|");
    assert_field(record, MF_PAYLOAD_PARENT_PGRP, "1|");
    assert_field(record, MF_PAYLOAD_TIMEOUT, "1500|");
}

static void
test_a_cgroup_comes_with_its_limits_in_order(Fixture *self, gconstpointer unused)
{
    self->payload->shell = g_strdup("true");
    self->payload->cgroup = g_strdup("a/b");
    g_ptr_array_add(self->payload->limits, g_strdup("cpu.max=20000 100000"));
    g_ptr_array_add(self->payload->limits, g_strdup("pids.max=7"));

    g_autoptr(GBytes) record = make(self);
    assert_field(record, MF_PAYLOAD_CGROUP, "a/b|");
    assert_field(record, MF_PAYLOAD_LIMIT, "cpu.max=20000 100000|pids.max=7|");
}

static void
test_what_is_spawned_has_no_timeout(Fixture *self, gconstpointer unused)
{
    self->payload->shell = g_strdup("true");
    self->payload->timeout_ms = 1500;
    self->step->kind = MF_STEP_SPAWN;

    g_autoptr(GBytes) record = make(self);
    assert_field(record, MF_PAYLOAD_TIMEOUT, "");
}

#define ADD(name, test) g_test_add("/payload-record/" name, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    ADD("words-are-passed-on-exactly", test_words_are_exact);
    ADD("words-behind-a-text-are-quoted", test_words_behind_a_text_are_quoted);
    ADD("what-it-has-none-of-is-the-targets", test_what_it_has_none_of_is_the_targets);
    ADD("what-it-has-replaces-the-targets", test_what_it_has_replaces_the_targets);
    ADD("p-10-a-cgroup-comes-with-its-limits-in-order",
        test_a_cgroup_comes_with_its_limits_in_order);
    ADD("p-3-what-is-spawned-has-no-timeout", test_what_is_spawned_has_no_timeout);
    return g_test_run();
}

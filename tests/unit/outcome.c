/* SPDX-License-Identifier: Apache-2.0 */
#include "outcome.h"

#include <string.h>

#include "base/error.h"
#include "wire/qga.h"
#include "wire/qmp.h"

void
outcome_clear(Outcome *self)
{
    json_object_put(self->value);
    g_clear_error(&self->error);
}

void
outcome_executed(GObject *source, GAsyncResult *result, gpointer outcome)
{
    Outcome *self = outcome;
    gboolean done = MF_IS_QMP(source)
                        ? mf_qmp_execute_finish(MF_QMP(source), result, &self->value, &self->error)
                        : mf_qga_execute_finish(MF_QGA(source), result, &self->value, &self->error);

    g_assert_cmpint(done, ==, self->error == NULL);
    g_assert_cmpuint(++self->returns, ==, 1);
}

void
outcome_ready(GObject *source, GAsyncResult *result, gpointer outcome)
{
    Outcome *self = outcome;
    gboolean done = MF_IS_QMP(source) ? mf_qmp_open_finish(MF_QMP(source), result, &self->error)
                                      : mf_qga_sync_finish(MF_QGA(source), result, &self->error);

    g_assert_cmpint(done, ==, self->error == NULL);
    g_assert_cmpuint(++self->returns, ==, 1);
}

void
outcome_await(Outcome *self)
{
    while (self->returns == 0)
        g_main_context_iteration(NULL, TRUE);
}

void
outcome_assert_value(const Outcome *self, const char *json)
{
    g_autoptr(json_object) expected = NULL;

    g_assert_cmpuint(self->returns, ==, 1);
    g_assert_no_error(self->error);
    g_assert_true(mf_json_parse(json, strlen(json), G_MAXINT, &expected, NULL));
    if (!json_object_equal(self->value, expected))
        g_error("The value is %s, but %s is expected.", json_object_to_json_string(self->value),
                json);
}

void
outcome_assert_error(const Outcome *self, int code, const char *message)
{
    g_assert_cmpuint(self->returns, ==, 1);
    g_assert_error(self->error, MF_ERROR, code);
    g_assert_cmpstr(self->error->message, ==, message);
    g_assert_null(self->value);
}

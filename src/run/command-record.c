/* SPDX-License-Identifier: Apache-2.0 */
#include "run/command-record.h"

#include <string.h>

#include "base/shell.h"
#include "wire/guest-protocol.h"
#include "wire/record.h"

static void
add_login_shell(struct mf_record *record, char **env)
{
    const char *wanted = g_environ_getenv(env, "SHELL");

    mf_record_add(record, MF_EXEC_LOGIN, wanted ? wanted : "");
}

static void
add_tty(struct mf_record *record, guint rows, guint columns)
{
    g_autofree char *size = g_strdup_printf("%ux%u", rows, columns);

    mf_record_add(record, MF_EXEC_TTY, size);
}

/* At its end, where it stands in nobody's way, PATH has the directory of mayfly-guest, for those
 * who send frames of a scenario. */
static void
add_variable(struct mf_record *record, const char *variable)
{
    gboolean is_path = g_str_has_prefix(variable, "PATH=") && variable[strlen("PATH=")];
    g_autofree char *longer = is_path ? g_strconcat(variable, ":" MF_GUEST_TOOLS, NULL) : NULL;

    mf_record_add(record, MF_EXEC_ENV, longer ? longer : variable);
}

/* Where and with what it runs. */
static void
add_surroundings(struct mf_record *record, char **env, const char *workdir)
{
    for (char **variable = env; variable && *variable; variable++)
        add_variable(record, *variable);
    mf_record_add(record, MF_EXEC_WORKDIR, workdir);
}

static void
add_streams(struct mf_record *record, const gboolean stdio_open[3])
{
    static const char *const streams[] = {MF_EXEC_STDIN, MF_EXEC_STDOUT, MF_EXEC_STDERR};

    for (int fd = 0; fd < 3; fd++)
        if (!stdio_open[fd])
            mf_record_add(record, streams[fd], "closed");
}

static GBytes *
to_bytes(struct mf_record *record)
{
    GBytes *bytes = g_bytes_new(record->data, record->size);

    mf_record_clear(record);
    return bytes;
}

GBytes *
mf_command_record_new(const MfTarget *target, const char *workdir, const gboolean stdio_open[3])
{
    struct mf_record record = {0};

    if (target->shell)
        mf_record_add(&record, MF_EXEC_SHELL, target->shell);
    for (char **word = target->argv; word && *word; word++)
        mf_record_add(&record, MF_EXEC_ARG, *word);
    if (!target->shell && !target->argv)
        add_login_shell(&record, target->env);
    if (target->tty)
        add_tty(&record, target->rows, target->columns);
    add_surroundings(&record, target->env, workdir);
    if (target->user)
        mf_record_add(&record, MF_EXEC_USER, target->user);
    add_streams(&record, stdio_open);
    return to_bytes(&record);
}

GBytes *
mf_command_record_new_hook(const MfTarget *target, const char *workdir, const char *text,
                           gboolean has_output)
{
    const gboolean outputs[3] = {TRUE, has_output, has_output};
    struct mf_record record = {0};

    mf_record_add(&record, MF_EXEC_SHELL, text);
    add_surroundings(&record, target->env, workdir);
    /* Not closed, which programs are not made for. */
    mf_record_add(&record, MF_EXEC_STDIN, "null");
    add_streams(&record, outputs);
    return to_bytes(&record);
}

/* Behind a text for a shell its arguments are words of it. */
static void
add_payload_words(struct mf_record *record, const MfPayload *payload, const MfStep *step)
{
    g_autoptr(GPtrArray) args = mf_step_join_args(step, payload);
    g_autofree char *quoted = NULL;
    g_autofree char *text = NULL;

    g_ptr_array_add(args, NULL);
    if (payload->shell) {
        quoted = mf_shell_quote_strv((const char *const *)args->pdata);
        text = args->len > 1 ? g_strdup_printf("%s %s", payload->shell, quoted)
                             : g_strdup(payload->shell);
        mf_record_add(record, MF_EXEC_SHELL, text);
        return;
    }
    for (char **word = payload->argv; *word; word++)
        mf_record_add(record, MF_EXEC_ARG, *word);
    for (char **word = (char **)args->pdata; *word; word++)
        mf_record_add(record, MF_EXEC_ARG, *word);
}

/* The target's environment with the payload's in it. Owned by the caller. */
static char **
join_env(const MfTarget *target, const MfPayload *payload)
{
    char **env = g_strdupv(target->env);

    for (char **variable = payload->env; variable && *variable; variable++) {
        g_autofree char *name = g_strndup(*variable, strcspn(*variable, "="));

        env = g_environ_setenv(env, name, g_environ_getenv(payload->env, name), TRUE);
    }
    return env;
}

GBytes *
mf_command_record_new_payload(const MfTarget *target, const char *workdir, const MfPayload *payload,
                              const MfStep *step)
{
    const char *user = payload->user ? payload->user : target->user;
    g_auto(GStrv) env = join_env(target, payload);
    struct mf_record record = {0};

    add_payload_words(&record, payload, step);
    add_surroundings(&record, env, payload->workdir ? payload->workdir : workdir);
    if (user)
        mf_record_add(&record, MF_EXEC_USER, user);
    if (payload->cgroup)
        mf_record_add(&record, MF_PAYLOAD_CGROUP, payload->cgroup);
    for (guint i = 0; i < payload->limits->len; i++)
        mf_record_add(&record, MF_PAYLOAD_LIMIT, g_ptr_array_index(payload->limits, i));
    if (payload->uses_parent_pgrp)
        mf_record_add(&record, MF_PAYLOAD_PARENT_PGRP, "1");
    /* What is spawned lives until it is collected. */
    if (step->kind == MF_STEP_RUN && payload->timeout_ms > 0) {
        g_autofree char *limit = g_strdup_printf("%" G_GINT64_FORMAT, payload->timeout_ms);

        mf_record_add(&record, MF_PAYLOAD_TIMEOUT, limit);
    }
    return to_bytes(&record);
}

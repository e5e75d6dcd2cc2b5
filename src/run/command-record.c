/* SPDX-License-Identifier: Apache-2.0 */
#include "run/command-record.h"

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

/* Where and with what it runs. */
static void
add_surroundings(struct mf_record *record, const MfTarget *target, const char *workdir)
{
    for (char **variable = target->env; variable && *variable; variable++)
        mf_record_add(record, MF_EXEC_ENV, *variable);
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
    add_surroundings(&record, target, workdir);
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
    add_surroundings(&record, target, workdir);
    /* Not closed, which programs are not made for. */
    mf_record_add(&record, MF_EXEC_STDIN, "null");
    add_streams(&record, outputs);
    return to_bytes(&record);
}

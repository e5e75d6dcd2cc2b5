/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "cli/terminal.h"

static gboolean stdio_open[3];
static int verbosity, verbosity_ahead;

void
mf_cli_secure_stdio(void)
{
    for (int fd = 0; fd < 3; fd++) {
        stdio_open[fd] = fcntl(fd, F_GETFD) >= 0;
        if (!stdio_open[fd] && open("/dev/null", O_RDWR) != fd)
            _exit(MF_EXIT_UNAVAILABLE);
    }
}

const gboolean *
mf_cli_get_stdio_open(void)
{
    return stdio_open;
}

void
mf_cli_complain(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    fprintf(stderr, "mayfly: %s%s\n", text, mf_terminal_is_raw() ? "\r" : "");
}

int
mf_cli_fail(const GError *error, MfExitStatus wrong)
{
    mf_cli_complain("%s", error->message);
    return g_error_matches(error, MF_ERROR, MF_ERROR_CONFIG) ? (int)wrong : MF_EXIT_UNAVAILABLE;
}

/* Borrowed; NULL when there is no such field. */
static const char *
find_field(const GLogField *fields, gsize n_fields, const char *key)
{
    for (gsize i = 0; i < n_fields; i++)
        if (g_str_equal(fields[i].key, key))
            return fields[i].value;
    return NULL;
}

/* What libraries have to say for their own debugging is not about the run. */
static GLogWriterOutput
write_log(GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
    int needed = level & G_LOG_LEVEL_DEBUG ? 2 : level & G_LOG_LEVEL_INFO ? 1 : 0;
    gboolean own = g_strcmp0(find_field(fields, n_fields, "GLIB_DOMAIN"), G_LOG_DOMAIN) == 0;
    const char *message = find_field(fields, n_fields, "MESSAGE");

    if (message && verbosity >= needed && (own || needed < 2))
        mf_cli_complain("%s", message);
    return G_LOG_WRITER_HANDLED;
}

void
mf_cli_set_verbosity(int level)
{
    static gboolean installed;

    verbosity = level + verbosity_ahead;
    if (!installed)
        g_log_set_writer_func(write_log, NULL, NULL);
    installed = TRUE;
}

void
mf_cli_add_verbosity(int level)
{
    verbosity_ahead += level;
    verbosity += level;
}

int
mf_cli_exit_status(const MfResult *result, int cancel_signal)
{
    if (result->passed)
        return 0;
    switch (result->verdict) {
    case MF_VERDICT_EXITED:
        return result->status ? result->status : MF_EXIT_UNMET;
    case MF_VERDICT_SIGNALLED:
        return MF_EXIT_SIGNAL_BASE + result->signal_number;
    case MF_VERDICT_TIMEOUT:
        return MF_EXIT_TIMEOUT;
    case MF_VERDICT_CRASHED:
        return MF_EXIT_CRASHED;
    case MF_VERDICT_CANCELLED:
        return cancel_signal ? MF_EXIT_SIGNAL_BASE + cancel_signal : MF_EXIT_UNAVAILABLE;
    case MF_VERDICT_CONFIG:
    case MF_VERDICT_FAILED:
        break;
    }
    return MF_EXIT_UNAVAILABLE;
}

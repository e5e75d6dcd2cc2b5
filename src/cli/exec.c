/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/exec.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/parse.h"
#include "cli/cli.h"
#include "cli/signals.h"
#include "cli/verb-options.h"
#include "machine/libvirt-uri.h"
#include "machine/libvirt.h"
#include "run/agent-exec.h"

static const char description[] =
    "One COMMAND argument is text for the guest's sh; several are a program and its arguments. It\n"
    "runs as the agent does, which as a rule is as root, in the root directory. What it writes\n"
    "comes when it has ended; libvirt passes on about 3 MiB of it.\n"
    "\n"
    "Exit status: the command's own, or 124 after a timeout, 126 or 127 when the command could "
    "not\n"
    "be executed or found, 128+N when signal N killed it, 69 when there is no such domain, or no\n"
    "agent in it, 2 for a usage error.\n"
    "\n"
    "Example: mayfly exec --domain debian12 -- uname -r";

typedef struct {
    char *connect, *domain, *timeout; /* owned; or NULL */
    char **command;                   /* owned; or NULL */
    gboolean input, verbose;
    gint64 timeout_ms;
} Arguments;

static void
arguments_clear(Arguments *self)
{
    g_free(self->connect);
    g_free(self->domain);
    g_free(self->timeout);
    g_strfreev(self->command);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Arguments, arguments_clear)

typedef struct {
    const Arguments *arguments; /* borrowed */
    GMainLoop *loop;            /* borrowed */
    GBytes *input;              /* owned; or NULL */
    MfAgentExec *exec;          /* owned; when it runs */
    guint deadline;
    gboolean overdue;
    int caught; /* an ending signal; or 0 */
    int status; /* of the exit */
} Visit;

static MfVerbOptions *
make_options(Arguments *arguments)
{
    const GOptionEntry entries[] = {
        {"domain", 'd', 0, G_OPTION_ARG_STRING, &arguments->domain,
         "The domain, which has to run and to have an agent", "NAME"},
        {"connect", 0, 0, G_OPTION_ARG_STRING, &arguments->connect,
         "The libvirt that has it (default: qemu:///system for root, else qemu:///session)", "URI"},
        {"stdin", 'i', 0, G_OPTION_ARG_NONE, &arguments->input,
         "Give COMMAND the standard input, which is read to its end first (at most 2 MiB)", NULL},
        {"timeout", 0, 0, G_OPTION_ARG_STRING, &arguments->timeout,
         "Limit for the command, such as 90s or 2m (default: 0, none)", "DURATION"},
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &arguments->verbose, "Say what is done and why",
         NULL},
        {NULL}};
    const MfOperands command = {"[--] COMMAND...", "a command", 1, G_MAXUINT};
    MfVerbOptions *options = mf_verb_options_new(
        "mayfly exec",
        "Runs COMMAND in a domain of libvirt's that runs already, through the guest agent.",
        description);

    mf_verb_options_add(options, entries);
    mf_verb_options_add_operands(options, &command, &arguments->command);
    mf_verb_options_end_at_operand(options);
    return options;
}

/* A wrong use is reported here. */
static gboolean
parse(int argc, char **argv, Arguments *arguments)
{
    g_autoptr(MfVerbOptions) options = make_options(arguments);
    g_autoptr(GError) error = NULL;

    if (!mf_verb_options_parse(options, argc, argv))
        return FALSE;
    if (!arguments->domain) {
        mf_cli_complain("'mayfly exec' needs a domain: name it with --domain.");
        return FALSE;
    }
    if ((!arguments->connect || mf_libvirt_uri_check(arguments->connect, &error)) &&
        (!arguments->timeout ||
         mf_parse_duration(arguments->timeout, &arguments->timeout_ms, &error)))
        return TRUE;
    mf_cli_complain("%s", error->message);
    return FALSE;
}

static const char *
get_uri(const Arguments *arguments)
{
    if (arguments->connect)
        return arguments->connect;
    return geteuid() == 0 ? "qemu:///system" : "qemu:///session";
}

/* All of the standard input, before anything else happens: the agent takes it in one piece. */
static GBytes *
read_input(GError **error)
{
    g_autoptr(GByteArray) all = g_byte_array_new();
    guint8 piece[65536];
    ssize_t n;

    while ((n = read(STDIN_FILENO, piece, sizeof(piece))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            mf_error_set_errno(error, MF_ERROR_HOST, errno, "The standard input cannot be read");
            return NULL;
        }
        g_byte_array_append(all, piece, (guint)n);
        if (all->len <= MF_AGENT_EXEC_INPUT_MAX)
            continue;
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "The standard input has more than %u bytes, which is more than an agent takes.",
                    MF_AGENT_EXEC_INPUT_MAX);
        return NULL;
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&all));
}

/* 'error' tells what has become of the command instead of an end of its own. */
static int
judge_failure(const Visit *visit, const GError *error)
{
    if (visit->caught)
        return MF_EXIT_SIGNAL_BASE + visit->caught;
    if (visit->overdue) {
        mf_cli_complain("The command did not end within %s, and was killed.",
                        visit->arguments->timeout);
        return MF_EXIT_TIMEOUT;
    }
    /* An answer that is too long for libvirt gets lost on the way. */
    mf_cli_complain("%s%s", error->message,
                    g_error_matches(error, MF_ERROR, MF_ERROR_TIMEOUT)
                        ? " Perhaps the command wrote more than libvirt passes on (3 MiB)."
                        : "");
    if (!g_error_matches(error, MF_ERROR, MF_ERROR_REMOTE))
        return MF_EXIT_UNAVAILABLE;
    return mf_agent_exec_is_not_found(error) ? 127 : 126;
}

static gboolean
write_output(const MfAgentOutcome *outcome)
{
    FILE *const files[] = {NULL, stdout, stderr};

    for (int fd = 1; fd <= 2; fd++) {
        gsize size;
        const void *data = g_bytes_get_data(outcome->output[fd], &size);

        if ((size > 0 && fwrite(data, 1, size, files[fd]) != size) || fflush(files[fd]) != 0) {
            mf_cli_complain("What the command wrote cannot be written: %s.", g_strerror(errno));
            return FALSE;
        }
        if (outcome->truncated[fd])
            mf_cli_complain("The command wrote more than the agent keeps: the rest of its %s is "
                            "lost.",
                            fd == 1 ? "standard output" : "standard error");
    }
    return TRUE;
}

static void
on_ended(GObject *source, GAsyncResult *result, gpointer data)
{
    Visit *visit = data;
    g_auto(MfAgentOutcome) outcome = {0};
    g_autoptr(GError) error = NULL;

    if (!mf_agent_exec_run_finish(MF_AGENT_EXEC(source), result, &outcome, &error))
        visit->status = judge_failure(visit, error);
    else if (!write_output(&outcome))
        visit->status = MF_EXIT_UNAVAILABLE;
    else
        visit->status = outcome.ended.signal_number
                            ? MF_EXIT_SIGNAL_BASE + outcome.ended.signal_number
                            : outcome.ended.status;
    g_main_loop_quit(visit->loop);
}

static gboolean
on_overdue(gpointer data)
{
    Visit *visit = data;

    visit->deadline = 0;
    visit->overdue = TRUE;
    mf_agent_exec_kill(visit->exec, SIGKILL);
    return G_SOURCE_REMOVE;
}

/* The guest's agent has an answer to wait for: a second signal does not. */
static void
on_signal(int signal_number, gpointer data)
{
    Visit *visit = data;

    if (!mf_signal_is_ending(signal_number))
        return;
    visit->status = MF_EXIT_SIGNAL_BASE + signal_number;
    if (!visit->exec || visit->caught)
        g_main_loop_quit(visit->loop);
    else
        mf_agent_exec_kill(visit->exec, signal_number);
    visit->caught = signal_number;
}

static void
on_opened(GObject *source, GAsyncResult *result, gpointer data)
{
    Visit *visit = data;
    char **command = visit->arguments->command;
    const char *const shell[] = {"/bin/sh", "-c", command[0], NULL};
    g_autoptr(GError) error = NULL;
    g_autoptr(MfTransport) transport = mf_libvirt_open_agent_finish(result, &error);
    g_autoptr(MfQga) qga = NULL;

    if (!transport) {
        mf_cli_complain("%s", error->message);
        visit->status = MF_EXIT_UNAVAILABLE;
        g_main_loop_quit(visit->loop);
        return;
    }
    qga = mf_qga_new(transport);
    visit->exec =
        mf_agent_exec_new(qga, command[1] ? (const char *const *)command : shell, visit->input);
    if (visit->arguments->timeout_ms > 0)
        visit->deadline =
            g_timeout_add((guint)MIN(visit->arguments->timeout_ms, G_MAXINT), on_overdue, visit);
    mf_agent_exec_run_async(visit->exec, on_ended, visit);
}

void
mf_cli_exec_describe(GPtrArray *verbs)
{
    Arguments arguments = {0};
    g_autoptr(MfVerbOptions) options = make_options(&arguments);

    mf_verb_options_describe(options, verbs);
}

int
mf_cli_exec(int argc, char **argv)
{
    g_auto(Arguments) arguments = {0};
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    Visit visit = {.arguments = &arguments, .loop = loop};
    g_autoptr(GError) error = NULL;

    if (!parse(argc, argv, &arguments))
        return MF_EXIT_USAGE;
    mf_cli_set_verbosity(arguments.verbose);
    if (arguments.input && !(visit.input = read_input(&error))) {
        mf_cli_complain("%s", error->message);
        return MF_EXIT_UNAVAILABLE;
    }
    mf_signals_watch(on_signal, &visit);
    mf_libvirt_open_agent_async(get_uri(&arguments), arguments.domain, on_opened, &visit);
    g_main_loop_run(loop);
    g_clear_handle_id(&visit.deadline, g_source_remove);
    g_clear_object(&visit.exec);
    g_clear_pointer(&visit.input, g_bytes_unref);
    return visit.status;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/suggest.h"
#include "cli/cli.h"
#include "cli/compare.h"
#include "cli/doctor.h"
#include "cli/exec.h"
#include "cli/kernel.h"
#include "cli/persona.h"
#include "cli/report.h"
#include "cli/show-config.h"
#include "cli/syntax.h"
#include "cli/test.h"
#include "cli/vmtest.h"
#include "cli/warm.h"
#include "config.h"
#include "wire/json.h"

static int print_syntax(int argc, char **argv);

static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
    void (*describe)(GPtrArray *verbs);
    const char *summary; /* NULL: hidden */
} verbs[] = {
    {"run", mf_cli_run, mf_cli_run_describe, "run a command in a throwaway kernel VM"},
    {"test", mf_cli_test, mf_test_options_describe, "run the targets of a config file"},
    {"exec", mf_cli_exec, mf_cli_exec_describe,
     "run a command in a running domain of libvirt's, through its agent"},
    {"report", mf_cli_report, mf_cli_report_describe,
     "join the results of a suite that ran on several hosts"},
    {"compare", mf_cli_compare, mf_cli_compare_describe,
     "show how the metrics of two results differ"},
    {"config", mf_cli_config, mf_cli_config_describe,
     "show the targets of the config file, and where each value is from"},
    {"kernel", mf_cli_kernel, mf_cli_kernel_describe,
     "list, pull, add, build, inspect and remove kernels"},
    {"warm", mf_cli_warm, mf_cli_warm_describe,
     "list, save and remove machines that later runs restore"},
    {"persona", mf_cli_persona, mf_cli_persona_describe,
     "list, show and check the computers that a machine can be like"},
    {"doctor", mf_cli_doctor, mf_cli_doctor_describe,
     "look whether this host can run VMs, and what it lacks"},
    {"syntax", print_syntax, NULL, NULL},
};

/* All that the verbs understand, for the programs that make the manual page and the completions. */
static int
print_syntax(int argc, char **argv)
{
    g_autoptr(GPtrArray) syntax = mf_syntax_new();
    g_autoptr(json_object) document = NULL;
    g_autofree char *text = NULL;

    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (verbs[i].describe)
            verbs[i].describe(syntax);
    document = mf_syntax_to_json(syntax);
    text = mf_json_to_text(document);
    fputs(text, stdout);
    return 0;
}

static void
print_help(FILE *to)
{
    fputs("Usage: mayfly VERB [OPTION]... [ARGUMENT]...\n"
          "       mayfly -k KERNEL [OPTION]... COMMAND\n"
          "       mayfly -c FILE [OPTION]...\n\n"
          "Verbs:\n",
          to);
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (verbs[i].summary)
            fprintf(to, "  %-8s %s\n", verbs[i].name, verbs[i].summary);
    fputs("\nOptions:\n"
          "  -h, --help     show this\n"
          "  -v, --verbose  say what is done and why; twice for more\n"
          "  -V, --version  show the version\n\n"
          "'mayfly VERB --help', or 'mayfly help VERB', tells more. Example: mayfly run -- uname "
          "-r\n",
          to);
}

/* vmtest's options for a config file. */
static gboolean
is_about_config(const char *option)
{
    return g_str_has_prefix(option, "-c") || g_str_has_prefix(option, "-f") ||
           g_str_has_prefix(option, "--config") || g_str_has_prefix(option, "--filter");
}

/* The place of a verb in 'verbs', or -1. */
static int
find_verb(const char *name)
{
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (g_str_equal(name, verbs[i].name))
            return (int)i;
    return -1;
}

static int
complain_of_verb(const char *name)
{
    const char *names[G_N_ELEMENTS(verbs) + 1] = {NULL};
    gsize count = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (verbs[i].summary)
            names[count++] = verbs[i].name;

    const char *near = mf_suggest(name, names);
    g_autofree char *hint = near ? g_strdup_printf(" (did you mean '%s'?)", near) : g_strdup("");
    mf_cli_complain("'%s' is not a verb%s; 'mayfly --help' lists them, and 'mayfly run -- %s' runs "
                    "it as a command.",
                    name, hint, name);
    return MF_EXIT_USAGE;
}

/* 'words' are those after "help": a verb, and maybe one of its own. */
static int
help_with(int count, char **words)
{
    g_autoptr(GStrvBuilder) builder = g_strv_builder_new();
    int verb = find_verb(words[0]);

    if (verb < 0)
        return complain_of_verb(words[0]);
    g_strv_builder_addv(builder, (const char **)words);
    g_strv_builder_add(builder, "--help");

    g_auto(GStrv) argv = g_strv_builder_end(builder);
    return verbs[verb].main(count + 1, argv);
}

/* How often "-v", "-vv" or "--verbose" says it; 0 for another word. */
static int
count_verbose(const char *word)
{
    gsize letters = word[0] == '-' ? strspn(word + 1, "v") : 0;

    if (g_str_equal(word, "--verbose"))
        return 1;
    return letters > 0 && word[1 + letters] == '\0' ? (int)letters : 0;
}

/* Takes the words ahead of a verb that are about every verb; returns how many, 0 when no verb
 * follows them. */
static int
take_words_ahead(int argc, char **argv)
{
    int ahead = 0, level = 0;

    for (; 1 + ahead < argc && count_verbose(argv[1 + ahead]) > 0; ahead++)
        level += count_verbose(argv[1 + ahead]);
    if (1 + ahead >= argc || find_verb(argv[1 + ahead]) < 0)
        return 0;
    mf_cli_add_verbosity(level);
    return ahead;
}

static int
run_verb(int argc, char **argv)
{
    int ahead = take_words_ahead(argc, argv);

    argc -= ahead;
    argv += ahead;
    if (argc < 2) {
        print_help(stderr);
        return MF_EXIT_USAGE;
    }
    if (g_str_equal(argv[1], "help") && argc > 2)
        return help_with(argc - 2, argv + 2);
    if (g_str_equal(argv[1], "-h") || g_str_equal(argv[1], "--help") ||
        g_str_equal(argv[1], "help")) {
        print_help(stdout);
        return 0;
    }
    if (g_str_equal(argv[1], "-V") || g_str_equal(argv[1], "--version")) {
        puts("mayfly " MF_VERSION);
        return 0;
    }

    int verb = find_verb(argv[1]);
    if (verb >= 0)
        return verbs[verb].main(argc - 1, argv + 1);
    /* vmtest's spelling: options, then the command. */
    if (argv[1][0] == '-')
        return is_about_config(argv[1]) ? mf_cli_test(argc, argv) : mf_cli_run(argc, argv);
    return complain_of_verb(argv[1]);
}

static gboolean
is_vmtest(const char *program)
{
    g_autofree char *name = program ? g_path_get_basename(program) : NULL;

    return g_strcmp0(name, "vmtest") == 0;
}

/* Whether nobody reads the standard output any more, as of a pipe into head(1). */
static gboolean
is_reader_gone(void)
{
    struct pollfd out = {.fd = STDOUT_FILENO};

    return poll(&out, 1, 0) == 1 && (out.revents & POLLERR);
}

/* Whoever closes a pipe has read enough: that ends this program as SIGPIPE would, in silence. What
 * does not fit in stdio's buffer fails while it is printed, of which the stream keeps a mark. */
static int
finish_output(int status)
{
    int reason = fflush(stdout) != 0 ? errno : 0;

    if (status != 0 || (reason == 0 && !ferror(stdout)))
        return status;
    if (reason == EPIPE || is_reader_gone())
        return MF_EXIT_SIGNAL_BASE + SIGPIPE;
    mf_cli_complain("The standard output cannot be written: %s",
                    reason ? g_strerror(reason) : "not all of it arrived.");
    return MF_EXIT_UNAVAILABLE;
}

int
main(int argc, char **argv)
{
    mf_cli_secure_stdio();
    mf_cli_set_verbosity(0);
    setlocale(LC_ALL, "");
    signal(SIGPIPE, SIG_IGN);

    return finish_output(is_vmtest(argv[0]) ? mf_cli_vmtest(argc, argv) : run_verb(argc, argv));
}

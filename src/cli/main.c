/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/doctor.h"
#include "cli/kernel.h"
#include "cli/show-config.h"
#include "cli/syntax.h"
#include "cli/test.h"
#include "cli/vmtest.h"
#include "cli/warm.h"
#include "config.h"

static int print_syntax(int argc, char **argv);

static const struct {
    const char *name;
    int (*main)(int argc, char **argv);
    void (*describe)(GPtrArray *verbs);
    const char *summary; /* NULL: hidden */
} verbs[] = {
    {"run", mf_cli_run, mf_cli_run_describe, "run a command in a throwaway kernel VM"},
    {"test", mf_cli_test, mf_test_options_describe, "run the targets of a config file"},
    {"config", mf_cli_config, mf_cli_config_describe,
     "show the targets of the config file, and where each value is from"},
    {"kernel", mf_cli_kernel, mf_cli_kernel_describe,
     "list, pull, add, inspect and remove kernels"},
    {"warm", mf_cli_warm, mf_cli_warm_describe,
     "list, save and remove machines that later runs restore"},
    {"doctor", mf_cli_doctor, mf_cli_doctor_describe,
     "look whether this host can run VMs, and what it lacks"},
    {"syntax", print_syntax, NULL, NULL},
};

/* All that the verbs understand, for the programs that make the manual page and the completions. */
static int
print_syntax(int argc, char **argv)
{
    g_autoptr(GPtrArray) syntax = mf_syntax_new();
    json_object *document;

    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (verbs[i].describe)
            verbs[i].describe(syntax);
    document = mf_syntax_to_json(syntax);
    puts(json_object_to_json_string_ext(document, JSON_C_TO_STRING_PRETTY |
                                                      JSON_C_TO_STRING_SPACED |
                                                      JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(document);
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
          "  -V, --version  show the version\n\n"
          "'mayfly VERB --help' tells more. Example: mayfly run -- uname -r\n",
          to);
}

/* vmtest's options for a config file. */
static gboolean
is_about_config(const char *option)
{
    return g_str_has_prefix(option, "-c") || g_str_has_prefix(option, "-f") ||
           g_str_has_prefix(option, "--config") || g_str_has_prefix(option, "--filter");
}

static int
run_verb(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return MF_EXIT_USAGE;
    }
    if (g_str_equal(argv[1], "-h") || g_str_equal(argv[1], "--help") ||
        g_str_equal(argv[1], "help")) {
        print_help(stdout);
        return 0;
    }
    if (g_str_equal(argv[1], "-V") || g_str_equal(argv[1], "--version")) {
        puts("mayfly " MF_VERSION);
        return 0;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(verbs); i++)
        if (g_str_equal(argv[1], verbs[i].name))
            return verbs[i].main(argc - 1, argv + 1);
    /* vmtest's spelling: options, then the command. */
    if (argv[1][0] == '-')
        return is_about_config(argv[1]) ? mf_cli_test(argc, argv) : mf_cli_run(argc, argv);
    mf_cli_complain("'%s' is not a verb; 'mayfly --help' lists them, and 'mayfly run -- %s' runs "
                    "it as a command.",
                    argv[1], argv[1]);
    return MF_EXIT_USAGE;
}

static gboolean
is_vmtest(const char *program)
{
    g_autofree char *name = program ? g_path_get_basename(program) : NULL;

    return g_strcmp0(name, "vmtest") == 0;
}

int
main(int argc, char **argv)
{
    mf_cli_secure_stdio();
    mf_cli_set_verbosity(0);
    setlocale(LC_ALL, "");
    signal(SIGPIPE, SIG_IGN);

    int status = is_vmtest(argv[0]) ? mf_cli_vmtest(argc, argv) : run_verb(argc, argv);
    if (fflush(stdout) != 0 && status == 0) {
        mf_cli_complain("The standard output cannot be written: %s", g_strerror(errno));
        status = MF_EXIT_UNAVAILABLE;
    }
    return status;
}

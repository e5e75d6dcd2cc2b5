/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/plain.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void
assert_words(const char *text, const char *expected)
{
    char **words = mfg_plain_split(text);

    g_assert_nonnull(words);
    g_autofree char *joined = g_strjoinv("|", words);
    g_assert_cmpstr(joined, ==, expected);
    free(words);
}

static void
test_words_are_split_at_blanks(void)
{
    assert_words("uname -r", "uname|-r");
    assert_words("  ./selftest.sh\t\tall  ", "./selftest.sh|all");
    assert_words("make -j2 CC=gcc O=/tmp/x,y a+b@c:%d", "make|-j2|CC=gcc|O=/tmp/x,y|a+b@c:%d");
    assert_words("a b c d e", "a|b|c|d|e");
    assert_words("x", "x");
}

static void
test_what_a_shell_would_change_is_not_plain(void)
{
    for (int c = 1; c < 256; c++) {
        const char text[] = {'x', ' ', 'y', (char)c, 'z', '\0'};
        char **words = mfg_plain_split(text);

        if (g_ascii_isalnum(c))
            g_assert_nonnull(words);
        if (strchr("$`\"'\\|&;<>()[]{}*?~#!^\n\r\v\f", c) || c >= 0x80 || c < '\t')
            g_assert_null(words);
        free(words);
    }
    g_assert_null(mfg_plain_split(""));
    g_assert_null(mfg_plain_split(" \t "));
}

static void
test_an_assignment_and_a_job_are_not_programs(void)
{
    g_assert_null(mfg_plain_split("A=b program"));
    g_assert_null(mfg_plain_split("A=b"));
    g_assert_null(mfg_plain_split("%1"));
    assert_words("env A=b", "env|A=b");
}

static void
test_what_a_shell_does_itself_is_not_plain(void)
{
    static const char *const texts[] = {
        "cd /tmp",  "exit 3",    ". ./file", "source file", "echo -n x", "pwd",     ":",
        "exec ls",  "time ls",   "if x",     "kill 1",      "test -e x", "wait",    "umask 077",
        "true x",   "false x",   "set -e",   "eval ls",     "printf x",  "type ls", "command ls",
        "ulimit 3", "builtin x", "export A", "for x",       "coproc ls", "read",    "let x=1",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_test_message("%s", texts[i]);
        g_assert_null(mfg_plain_split(texts[i]));
    }
    assert_words("true", "true");
    assert_words("false", "false");
    assert_words("./cd x", "./cd|x");
}

/* bash says itself what it has. */
static void
test_all_of_bashs_own_words_are_known(void)
{
    g_autofree char *output = NULL;
    g_autoptr(GError) error = NULL;
    int status;

    if (!g_spawn_command_line_sync("bash -c 'compgen -bk'", &output, NULL, &status, &error) ||
        status != 0) {
        g_test_skip("there is no bash here");
        return;
    }
    g_auto(GStrv) lines = g_strsplit(g_strchomp(output), "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), >, 60);
    for (char **line = lines; *line; line++) {
        g_autofree char *text = g_strconcat(*line, " x", NULL);

        g_test_message("%s", text);
        g_assert_null(mfg_plain_split(text));
    }
}

static void
test_an_environment_that_shells_heed_is_left_to_them(void)
{
    static const char *const heeded[] = {"BASH_ENV=/etc/file", "BASH_FUNC_ls%%=() { :; }",
                                         "SHELLOPTS=xtrace", "BASHOPTS=nullglob", "EXECIGNORE=*"};

    g_assert_true(mfg_plain_suits((char *[]){(char *)"A=b", (char *)"PATH=/bin", NULL}));
    g_assert_false(mfg_plain_suits((char *[]){(char *)"A=b", NULL}));
    for (gsize i = 0; i < G_N_ELEMENTS(heeded); i++)
        g_assert_false(mfg_plain_suits((char *[]){(char *)"PATH=/bin", (char *)heeded[i], NULL}));
}

/* What a child writes that executes 'text' as a plain command or, if that returns, says so. */
static char *
output_of(const char *text, const char *directory, char *const *envp)
{
    int fds[2];
    char buffer[4096];
    gsize size = 0;
    gssize n;

    g_assert_cmpint(pipe(fds), ==, 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        close(fds[0]);
        close(fds[1]);
        if (chdir(directory) == 0)
            mfg_plain_exec(text, envp);
        _exit(write(STDOUT_FILENO, "returned", 8) == 8 ? 0 : 1);
    }
    close(fds[1]);
    while ((n = read(fds[0], buffer + size, sizeof(buffer) - size)) > 0)
        size += (gsize)n;
    close(fds[0]);
    waitpid(pid, NULL, 0);
    return g_strndup(buffer, size);
}

static int
compare_lines(gconstpointer a, gconstpointer b)
{
    return g_strcmp0(*(const char *const *)a, *(const char *const *)b);
}

static char *
sorted(const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    qsort(lines, g_strv_length(lines), sizeof(*lines), compare_lines);
    return g_strjoinv("\n", lines);
}

static void
test_the_environment_is_the_one_that_bash_would_give(void)
{
    static char *const environments[][8] = {
        {(char *)"PATH=/usr/bin:/bin", NULL},
        {(char *)"PATH=/nowhere::/usr/bin:/bin", (char *)"PWD=/nowhere", (char *)"_=x",
         (char *)"SHLVL=3", (char *)"A=b=c", NULL},
        {(char *)"PWD=/usr/lib/.", (char *)"PATH=/usr/bin:/bin", (char *)"SHLVL=0", NULL},
    };

    if (!g_file_test("/bin/bash", G_FILE_TEST_IS_EXECUTABLE)) {
        g_test_skip("there is no bash here");
        return;
    }
    for (gsize i = 0; i < G_N_ELEMENTS(environments); i++) {
        const char *words[] = {"bash", "-c", "env", NULL};
        g_autofree char *by_bash = NULL;
        g_autofree char *plain = output_of("env", "/usr/lib", environments[i]);
        g_autoptr(GError) error = NULL;

        g_spawn_sync("/usr/lib", (char **)words, (char **)environments[i], G_SPAWN_SEARCH_PATH,
                     NULL, NULL, &by_bash, NULL, NULL, &error);
        g_assert_no_error(error);
        g_autofree char *got = sorted(plain), *expected = sorted(by_bash);
        g_assert_cmpstr(got, ==, expected);
    }
}

static void
test_what_cannot_be_executed_is_left_to_the_shell(void)
{
    char *const envp[] = {(char *)"PATH=/usr/bin:/bin:.", NULL};
    g_autofree char *directory = g_dir_make_tmp("mayfly-XXXXXX", NULL);
    g_autofree char *script = g_build_filename(directory, "own-script", NULL);
    static const char *const texts[] = {"no-such-program", "/etc",   "./own-script",
                                        "own-script",      "echo x", "/no/such/path"};

    g_assert_true(g_file_set_contents(script, "echo a script\n", -1, NULL));
    g_assert_cmpint(g_chmod(script, 0755), ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *output = output_of(texts[i], directory, envp);

        g_assert_cmpstr(output, ==, "returned");
    }
    g_autofree char *output = output_of("env -i A=b env", directory, envp);
    g_assert_cmpstr(output, ==, "A=b\n");
    g_unlink(script);
    g_rmdir(directory);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-plain/split", test_words_are_split_at_blanks);
    g_test_add_func("/guest-plain/changed", test_what_a_shell_would_change_is_not_plain);
    g_test_add_func("/guest-plain/first-word", test_an_assignment_and_a_job_are_not_programs);
    g_test_add_func("/guest-plain/own", test_what_a_shell_does_itself_is_not_plain);
    g_test_add_func("/guest-plain/bash", test_all_of_bashs_own_words_are_known);
    g_test_add_func("/guest-plain/heeded", test_an_environment_that_shells_heed_is_left_to_them);
    g_test_add_func("/guest-plain/environment",
                    test_the_environment_is_the_one_that_bash_would_give);
    g_test_add_func("/guest-plain/left", test_what_cannot_be_executed_is_left_to_the_shell);
    return g_test_run();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/plain.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLANKS " \t"
/* What is left as it is wherever it stands in a word, and what is so unless the first word has it:
 * there it is an assignment, or a job. */
#define ALWAYS_PLAIN       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@+:,./-"
#define PLAIN_IN_ARGUMENTS "=%"

/* The words of bash's grammar that are made of plain letters, and its builtins; other shells have
 * no more of the former, and of the latter only what does what the program of that name does. */
static const char *const own_words[] = {
    ".",       ":",      "alias",   "bg",       "bind",     "break",     "builtin",  "caller",
    "case",    "cd",     "command", "compgen",  "complete", "compopt",   "continue", "coproc",
    "declare", "dirs",   "disown",  "do",       "done",     "echo",      "elif",     "else",
    "enable",  "esac",   "eval",    "exec",     "exit",     "export",    "false",    "fc",
    "fg",      "fi",     "for",     "function", "getopts",  "hash",      "help",     "history",
    "if",      "in",     "jobs",    "kill",     "let",      "local",     "logout",   "mapfile",
    "popd",    "printf", "pushd",   "pwd",      "read",     "readarray", "readonly", "return",
    "select",  "set",    "shift",   "shopt",    "source",   "suspend",   "test",     "then",
    "time",    "times",  "trap",    "true",     "type",     "typeset",   "ulimit",   "umask",
    "unalias", "unset",  "until",   "wait",     "while",    NULL,
};

/* Without arguments there is nothing in which the programs could differ from the builtins. */
static const char *const same_alone[] = {"false", "true", NULL};

static bool
is_among(const char *word, const char *const *words)
{
    while (*words && strcmp(*words, word) != 0)
        words++;
    return *words != NULL;
}

static bool
is_plain(char *const *words)
{
    if (!words[0] || words[0][strspn(words[0], ALWAYS_PLAIN)] ||
        (is_among(words[0], own_words) && (words[1] || !is_among(words[0], same_alone))))
        return false;
    for (words++; *words; words++)
        if ((*words)[strspn(*words, ALWAYS_PLAIN PLAIN_IN_ARGUMENTS)])
            return false;
    return true;
}

char **
mfg_plain_split(const char *text)
{
    size_t length = strlen(text), n = 0;
    /* Of two characters one at most begins a word. */
    char **words = malloc((length / 2 + 2) * sizeof(*words) + length + 1);
    char *copy, *rest, *word;

    if (!words)
        return NULL;
    copy = (char *)(words + length / 2 + 2);
    memcpy(copy, text, length + 1);
    for (word = strtok_r(copy, BLANKS, &rest); word; word = strtok_r(NULL, BLANKS, &rest))
        words[n++] = word;
    words[n] = NULL;
    if (is_plain(words))
        return words;
    free(words);
    return NULL;
}

/* The value of a variable; NULL when it is not there. */
static const char *
look_up(char *const *envp, const char *name)
{
    size_t length = strlen(name);

    for (; *envp; envp++)
        if (strncmp(*envp, name, length) == 0 && (*envp)[length] == '=')
            return *envp + length + 1;
    return NULL;
}

bool
mfg_plain_suits(char *const *envp)
{
    if (!look_up(envp, "PATH") || look_up(envp, "SHELLOPTS") || look_up(envp, "EXECIGNORE"))
        return false;
    for (; *envp; envp++)
        if (strncmp(*envp, "BASH", strlen("BASH")) == 0)
            return false;
    return true;
}

/* Puts "NAME=VALUE" in place of the variable of that name, or behind the last one, where there is
 * room. */
static void
put(char **env, char *setting)
{
    size_t length = strcspn(setting, "=") + 1;

    while (*env && strncmp(*env, setting, length) != 0)
        env++;
    *env = setting;
}

/* The environment's name for the working directory stays if it is one, even if there is another. */
static void
put_working_directory(char **env, char *setting, size_t size)
{
    const char *given = look_up(env, "PWD");
    struct stat here, there;
    int n = snprintf(setting, size, "PWD=");

    if (given && *given == '/' && stat(".", &here) == 0 && stat(given, &there) == 0 &&
        here.st_dev == there.st_dev && here.st_ino == there.st_ino)
        return;
    if (getcwd(setting + n, size - (size_t)n))
        put(env, setting);
}

/* Finds the file that a shell would execute. */
static bool
find_program(const char *name, const char *path, char *file, size_t size)
{
    if (strchr(name, '/'))
        return (size_t)snprintf(file, size, "%s", name) < size;
    for (;; path++) {
        int length = (int)strcspn(path, ":");
        int n = snprintf(file, size, "%.*s%s%s", length, path, length ? "/" : "", name);

        if ((size_t)n < size && access(file, X_OK) == 0)
            return true;
        path += length;
        if (!*path)
            return false;
    }
}

void
mfg_plain_exec(const char *text, char *const *envp)
{
    char program[sizeof "_=" + PATH_MAX] = "_=", directory[sizeof "PWD=" + PATH_MAX];
    char level[] = "SHLVL=0";
    char *file = program + strlen("_=");
    size_t n = 0;

    if (!mfg_plain_suits(envp))
        return;

    char **words = mfg_plain_split(text);
    if (!words)
        return;
    while (envp[n])
        n++;
    /* Up to three more, and the end. */
    char **env = calloc(n + 4, sizeof(*env));
    if (env && find_program(words[0], look_up(envp, "PATH"), file, PATH_MAX)) {
        memcpy(env, envp, n * sizeof(*env));
        put(env, program);
        if (!look_up(env, "SHLVL"))
            put(env, level);
        put_working_directory(env, directory, sizeof(directory));
        execve(file, words, env);
    }
    free(env);
    free(words);
}

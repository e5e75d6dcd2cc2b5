/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>

/*
 * Shell text that is a program and its arguments and nothing else: words that no shell would
 * change, the first of which no shell knows as its own. It does the same without the shell, whose
 * start takes longer than that of most programs.
 */

/* The words of such text, NULL-terminated; one allocation (malloc), to be freed by the caller. NULL
 * when a shell may make something else of it, or there is no memory. */
char **mfg_plain_split(const char *text);

/* Whether a shell with that environment does nothing before the command: no file that it reads
 * first, no functions and options from there, and a PATH to look in. */
bool mfg_plain_suits(char *const *envp);

/* Executes plain text in an environment as a shell would make it of 'envp': PWD is the working
 * directory, SHLVL is there, and _ is the program. Returns when the text is not plain, when its
 * program is not found in the environment's PATH, and when it cannot be executed: then it is for
 * the shell to do it or to say why not. */
void mfg_plain_exec(const char *text, char *const *envp);

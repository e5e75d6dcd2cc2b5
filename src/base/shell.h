/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/* The one place where text is quoted for a POSIX shell. The bytes are arbitrary but for NUL; the
 * result, read by any POSIX shell, is exactly one word with those bytes. Owned by the caller. */
char *mf_shell_quote(const char *bytes);

/* As mf_shell_quote(), but plain words (letters, digits and %+,-./:=@_) stay as they are. */
char *mf_shell_quote_if_needed(const char *bytes);

/* A NULL-terminated vector as quoted words with spaces between. Owned by the caller. */
char *mf_shell_quote_strv(const char *const *words);

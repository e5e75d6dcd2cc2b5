/* SPDX-License-Identifier: Apache-2.0 */
#include "base/argv.h"

#include <stdarg.h>

#include "base/shell.h"

struct MfArgv {
    GPtrArray *arguments; /* owned; of owned strings, NULL-terminated */
};

MfArgv *
mf_argv_new(const char *program)
{
    MfArgv *self = g_new0(MfArgv, 1);

    self->arguments = g_ptr_array_new_null_terminated(64, g_free, TRUE);
    mf_argv_add(self, program);
    return self;
}

void
mf_argv_free(MfArgv *self)
{
    if (!self)
        return;
    g_ptr_array_unref(self->arguments);
    g_free(self);
}

void
mf_argv_add(MfArgv *self, const char *argument)
{
    g_ptr_array_add(self->arguments, g_strdup(argument));
}

void
mf_argv_add_many(MfArgv *self, ...)
{
    va_list args;
    const char *argument;

    va_start(args, self);
    while ((argument = va_arg(args, const char *)))
        mf_argv_add(self, argument);
    va_end(args);
}

void
mf_argv_addf(MfArgv *self, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_ptr_array_add(self->arguments, g_strdup_vprintf(format, args));
    va_end(args);
}

void
mf_argv_add_strv(MfArgv *self, const char *const *arguments)
{
    for (; arguments && *arguments; arguments++)
        mf_argv_add(self, *arguments);
}

char *
mf_argv_escape_value(const char *value)
{
    GString *escaped = g_string_new(NULL);

    for (; *value; value++) {
        if (*value == ',')
            g_string_append_c(escaped, ',');
        g_string_append_c(escaped, *value);
    }
    return g_string_free(escaped, FALSE);
}

static void
add_props_valist(MfArgv *self, const char *head, va_list args)
{
    GString *text = g_string_new(head);
    const char *name;

    while ((name = va_arg(args, const char *))) {
        const char *value = va_arg(args, const char *);

        if (!value)
            continue;

        g_autofree char *escaped = mf_argv_escape_value(value);
        g_string_append_printf(text, "%s%s=%s", text->len ? "," : "", name, escaped);
    }
    g_ptr_array_add(self->arguments, g_string_free(text, FALSE));
}

void
mf_argv_add_option(MfArgv *self, const char *option, const char *head, ...)
{
    va_list args;

    mf_argv_add(self, option);
    va_start(args, head);
    add_props_valist(self, head, args);
    va_end(args);
}

const char *const *
mf_argv_get(const MfArgv *self)
{
    return (const char *const *)self->arguments->pdata;
}

const char *
mf_argv_get_program(const MfArgv *self)
{
    return g_ptr_array_index(self->arguments, 0);
}

char *
mf_argv_to_lines(const MfArgv *self)
{
    GString *text = g_string_new(NULL);

    for (const char *const *argument = mf_argv_get(self); *argument; argument++) {
        g_autofree char *quoted = mf_shell_quote_if_needed(*argument);

        if (text->len)
            g_string_append(text, **argument == '-' ? " \\\n    " : " ");
        g_string_append(text, quoted);
    }
    return g_string_free(text, FALSE);
}

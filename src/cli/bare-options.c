/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/bare-options.h"

#include "base/error.h"
#include "base/parse.h"
#include "machine/debug-exit.h"

GOptionEntry *
mf_bare_options_make_entries(MfBareOptions *self)
{
    const GOptionEntry entries[] = {
        {"bare", 0, 0, G_OPTION_ARG_NONE, &self->bare,
         "Run no command, and have nothing of mayfly's in the guest: its serial port is the "
         "standard input and output, and it passes when it ends by itself",
         NULL},
        {"expect", 0, 0, G_OPTION_ARG_STRING_ARRAY, &self->expect,
         "A bare guest passes when a line of its console matches; several, one after the other",
         "REGEX"},
        {"success-exit-code", 0, 0, G_OPTION_ARG_STRING, &self->success_exit_code,
         "A bare guest passes when it ends QEMU with this status: 2 * V + 1 after it wrote V to "
         "port 0xf4 (isa-debug-exit)",
         "N"},
        {"initramfs", 0, 0, G_OPTION_ARG_FILENAME, &self->initramfs,
         "The initramfs of a bare guest's kernel", "FILE"},
        {NULL},
    };

    return g_memdup2(entries, sizeof(entries));
}

static gboolean
is_given(const MfBareOptions *self)
{
    return self->bare || self->expect || self->success_exit_code || self->initramfs;
}

static gboolean
read_exit_code(const MfBareOptions *self, MfTarget *target, GError **error)
{
    guint64 code;

    if (!self->success_exit_code)
        return TRUE;
    if (!mf_parse_uint(self->success_exit_code, "exit status", 0, 255, &code, error) ||
        !mf_debug_exit_check(target->arch, (gint64)code, error))
        return FALSE;
    target->success_exit_code = (guint)code;
    return TRUE;
}

static void
take_expect(MfBareOptions *self, MfTarget *target)
{
    MfConsoleRule *rule;

    if (!self->expect)
        return;
    rule = mf_console_rule_new();
    rule->expect = g_steal_pointer(&self->expect);
    g_ptr_array_add(target->console, rule);
}

gboolean
mf_bare_options_apply(MfBareOptions *self, MfTarget *target, const char *stray, GError **error)
{
    if (!is_given(self))
        return TRUE;
    if (stray) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "%s is of no use to a guest that runs no command (--bare, --expect, "
                    "--success-exit-code and --initramfs are for those).",
                    stray);
        return FALSE;
    }
    if (self->initramfs && target->image) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "--initramfs is of a kernel, and what boots here has none.");
        return FALSE;
    }
    target->bare = TRUE;
    /* It has no ready point at which it could be saved. */
    target->cold = TRUE;
    target->initramfs = self->initramfs ? g_canonicalize_filename(self->initramfs, NULL) : NULL;
    take_expect(self, target);
    return read_exit_code(self, target, error);
}

void
mf_bare_options_clear(MfBareOptions *self)
{
    g_free(self->initramfs);
    g_free(self->success_exit_code);
    g_strfreev(self->expect);
}

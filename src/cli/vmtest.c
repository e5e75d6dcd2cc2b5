/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/vmtest.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cli/cli.h"
#include "cli/test.h"
#include "cli/verb-options.h"
#include "config.h"
#include "run/target.h"

/* Where vmtest looks, and nowhere else. */
#define CONFIG_FILE "vmtest.toml"

typedef struct {
    char *config, *filter, *kernel, *kernel_args, *kvm_cpu, *root, *arch, *qemu;
    char **command;
    gboolean version;
} Options;

static void
options_clear(Options *self)
{
    char *const texts[] = {self->config,  self->filter, self->kernel, self->kernel_args,
                           self->kvm_cpu, self->root,   self->arch,   self->qemu};

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++)
        g_free(texts[i]);
    g_strfreev(self->command);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, options_clear)

static MfVerbOptions *
make_options(Options *self)
{
    const GOptionEntry entries[] = {
        {"config", 'c', 0, G_OPTION_ARG_FILENAME, &self->config,
         "The config file (default: " CONFIG_FILE ")", "FILE"},
        {"filter", 'f', 0, G_OPTION_ARG_STRING, &self->filter,
         "Only targets whose name matches somewhere", "REGEX"},
        {"kernel", 'k', 0, G_OPTION_ARG_FILENAME, &self->kernel,
         "Run COMMAND with this kernel, and read no config file", "KERNEL"},
        {"kargs", 0, 0, G_OPTION_ARG_STRING, &self->kernel_args, "Kernel arguments", "TEXT"},
        {"kvm-cpu-args", 0, 0, G_OPTION_ARG_STRING, &self->kvm_cpu, "CPU model with KVM", "CPU"},
        {"rootfs", 'r', 0, G_OPTION_ARG_FILENAME, &self->root,
         "Directory that is the guest's root (default: /)", "DIR"},
        {"arch", 'a', 0, G_OPTION_ARG_STRING, &self->arch, "Architecture", "ARCH"},
        {"qemu-command", 'q', 0, G_OPTION_ARG_FILENAME, &self->qemu, "QEMU program", "PATH"},
        {"version", 'V', 0, G_OPTION_ARG_NONE, &self->version, "Show the version", NULL},
        {NULL},
    };
    const MfOperands command = {"[--] [COMMAND]...", NULL, 0, G_MAXUINT};
    MfVerbOptions *options = mf_verb_options_new(
        "vmtest", "mayfly, invoked as vmtest: runs the targets of a config file, or COMMAND.",
        "'mayfly --help' shows what else there is.");

    mf_verb_options_add(options, entries);
    mf_verb_options_add_operands(options, &command, &self->command);
    mf_verb_options_end_at_operand(options);
    return options;
}

static gboolean
check(const Options *self, GError **error)
{
    const char *with_config = self->kernel        ? "--kernel"
                              : self->kernel_args ? "--kargs"
                              : self->kvm_cpu     ? "--kvm-cpu-args"
                              : self->root        ? "--rootfs"
                              : self->arch        ? "--arch"
                              : self->qemu        ? "--qemu-command"
                              : self->command     ? "A command"
                                                  : NULL;

    if (!self->config || !with_config)
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "%s and --config exclude each other: what is run is in the config file.",
                with_config);
    return FALSE;
}

static void
add_option(GPtrArray *words, const char *option, const char *value)
{
    if (!value)
        return;
    g_ptr_array_add(words, g_strdup(option));
    g_ptr_array_add(words, g_strdup(value));
}

static gboolean
uses_kvm(const Options *self)
{
    MfArch arch = mf_arch_native();
    g_autofree char *reason = NULL;

    return (!self->arch || mf_arch_parse(self->arch, &arch, NULL)) &&
           mf_host_uses_kvm(MF_ACCEL_AUTO, arch, &reason);
}

/* One command for one kernel, whose words are a shell's text as soon as they are joined. */
static int
run_command(const Options *self)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new_with_free_func(g_free);
    char **command = self->command;

    g_ptr_array_add(words, g_strdup("run"));
    add_option(words, "--kernel", self->kernel);
    add_option(words, "--kargs", self->kernel_args);
    if (mf_kernel_args_have(self->kernel_args, "ro"))
        add_option(words, "--root-mode", "ro");
    if (self->kvm_cpu && uses_kvm(self))
        add_option(words, "--cpu", self->kvm_cpu);
    add_option(words, "--root", self->root);
    add_option(words, "--arch", self->arch);
    add_option(words, "--qemu", self->qemu);
    g_ptr_array_add(words, g_strdup("--"));
    if (command && g_strcmp0(command[0], "--") == 0)
        command++;
    if (command && command[0])
        g_ptr_array_add(words, g_strjoinv(" ", command));
    g_ptr_array_add(words, NULL);
    return mf_cli_run((int)words->len - 1, (char **)words->pdata);
}

static int
run_file(const Options *self)
{
    g_auto(MfTestOptions) options = {
        .config = g_strdup(self->config ? self->config : CONFIG_FILE),
        .filter = g_strdup(self->filter),
        .set = g_ptr_array_new(),
        .nothing_is_fine = TRUE,
        .plain = g_getenv("VMTEST_NO_UI") != NULL,
    };

    g_ptr_array_add(options.set, NULL);
    return mf_test_run(&options);
}

int
mf_cli_vmtest(int argc, char **argv)
{
    g_auto(Options) self = {0};
    g_autoptr(MfVerbOptions) options = make_options(&self);
    g_autoptr(GError) error = NULL;

    if (!mf_verb_options_read(options, argc, argv, &error) || !check(&self, &error))
        return mf_cli_fail(error, MF_EXIT_USAGE);
    if (self.version) {
        puts("mayfly " MF_VERSION " as vmtest");
        return 0;
    }
    return self.kernel ? run_command(&self) : run_file(&self);
}

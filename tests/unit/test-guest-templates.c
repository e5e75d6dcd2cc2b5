/* SPDX-License-Identifier: Apache-2.0 */
#include "base/template.h"

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <string.h>

#include "base/shell.h"
#include "base/tempdir.h"

/* The shells that a root may have as /bin/sh; each that this host has is tried. */
static const char *const shells[] = {"sh", "dash", "bash", "busybox"};

static const char *const hostile_words[] = {
    "",
    " ",
    "a b",
    "'",
    "\"",
    "''\\''",
    "$HOME ${x} $(id) `id`",
    "line\nline\n",
    "\r\t\v",
    "\\",
    "\\n\\0",
    "*",
    "~",
    "-n",
    "--",
    "a=b",
    "{{name}}",
    "\xff\xfe\x80\x81\x82\x88 not UTF-8",
    "\x01\x7f",
    "\xc3\xa4\xe2\x82\xac",
    "#;&|<>()",
};

static char *
read_template(const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(g_getenv("MAYFLY_TEMPLATES_DIR"), name, NULL);
    char *text;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

/* What a command is rendered from; what is NULL has a harmless value. */
typedef struct {
    const char *workdir;
    const char *const *environment;
    const char *const *argv;
    const char *text;
    const char *path; /* where the shell looks for programs */
} Command;

static char *
render_command(const Command *command)
{
    static const char *const none[] = {NULL};
    g_autoptr(GError) error = NULL;
    g_autofree char *template = read_template("command.sh.in");
    g_autoptr(GHashTable) values = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);

    g_hash_table_insert(values, (char *)"stdin_port", mf_shell_quote("org.mayfly.stdin.0"));
    g_hash_table_insert(values, (char *)"stdout_port", mf_shell_quote("org.mayfly.stdout.0"));
    g_hash_table_insert(values, (char *)"stderr_port", mf_shell_quote("org.mayfly.stderr.0"));
    g_hash_table_insert(values, (char *)"workdir",
                        mf_shell_quote(command->workdir ? command->workdir : "/"));
    g_hash_table_insert(values, (char *)"environment",
                        mf_shell_quote_strv(command->environment ? command->environment : none));
    g_hash_table_insert(values, (char *)"exports", g_strdup("    export A='b'"));
    g_hash_table_insert(values, (char *)"argv",
                        mf_shell_quote_strv(command->argv ? command->argv : none));
    g_hash_table_insert(values, (char *)"text", mf_shell_quote(command->text ? command->text : ""));

    char *script = mf_template_render(template, "command.sh.in", values, &error);
    g_assert_no_error(error);
    return script;
}

static char *
render_init(const char *interactive, const char *root_mode, const char *modules, const char *mounts)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *template = read_template("init.sh.in");
    g_autoptr(GHashTable) values = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);

    g_hash_table_insert(values, (char *)"share_type", g_strdup("9p"));
    g_hash_table_insert(values, (char *)"path", mf_shell_quote("/usr/bin:/bin"));
    g_hash_table_insert(values, (char *)"agent_port", mf_shell_quote("org.qemu.guest_agent.0"));
    g_hash_table_insert(values, (char *)"interactive", g_strdup(interactive));
    g_hash_table_insert(values, (char *)"root_mode", g_strdup(root_mode));
    g_hash_table_insert(values, (char *)"hostname", mf_shell_quote("guest"));
    g_hash_table_insert(values, (char *)"modules", mf_shell_quote(modules));
    g_hash_table_insert(values, (char *)"mounts", g_strdup(mounts));

    char *script = mf_template_render(template, "init.sh.in", values, &error);
    g_assert_no_error(error);
    return script;
}

/* The script for an image's system, with its tools (mayfly-guest) in the directory 'tools'. */
static char *
render_image(const char *tools, const char *mounts)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *template = read_template("image.sh.in");
    g_autoptr(GHashTable) values = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);

    g_hash_table_insert(values, (char *)"share_type", g_strdup("9p"));
    g_hash_table_insert(values, (char *)"tools_tag", mf_shell_quote("mayfly.run"));
    g_hash_table_insert(values, (char *)"tools", mf_shell_quote(tools));
    g_hash_table_insert(values, (char *)"mounts", g_strdup(mounts));

    char *script = mf_template_render(template, "image.sh.in", values, &error);
    g_assert_no_error(error);
    return script;
}

/* The script for an image's system that is to be saved. */
static char *
render_image_save(const char *tools)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *template = read_template("image-save.sh.in");
    g_autoptr(GHashTable) values = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, g_free);

    g_hash_table_insert(values, (char *)"tools", mf_shell_quote(tools));

    char *script = mf_template_render(template, "image-save.sh.in", values, &error);
    g_assert_no_error(error);
    return script;
}

static char *
write_script(const char *script)
{
    g_autoptr(GError) error = NULL;
    char *path;
    int fd = g_file_open_tmp("mayfly-test-XXXXXX.sh", &path, &error);

    g_assert_no_error(error);
    g_close(fd, NULL);
    g_file_set_contents(path, script, -1, &error);
    g_assert_no_error(error);
    return path;
}

typedef struct {
    GBytes *output; /* owned; standard output */
    char *errors;   /* owned; standard error */
    int status;     /* of wait(2) */
} Outcome;

static void
clear_outcome(Outcome *outcome)
{
    g_clear_pointer(&outcome->output, g_bytes_unref);
    g_clear_pointer(&outcome->errors, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Outcome, clear_outcome)

/* Has 'shell' read the script, with 'path' as its PATH; FALSE when this host has no such shell. */
static gboolean
run_script(const char *shell, const char *path, const char *script, Outcome *ret_outcome)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *program = g_find_program_in_path(shell);
    g_autoptr(GBytes) errors = NULL;

    if (!program)
        return FALSE;

    g_autofree char *file = write_script(script);
    const char *const plain[] = {program, file, NULL};
    const char *const applet[] = {program, "sh", file, NULL};
    g_autoptr(GSubprocessLauncher) launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);

    if (path)
        g_subprocess_launcher_setenv(launcher, "PATH", path, TRUE);
    g_autoptr(GSubprocess) process = g_subprocess_launcher_spawnv(
        launcher, g_str_equal(shell, "busybox") ? applet : plain, &error);
    g_assert_no_error(error);
    g_subprocess_communicate(process, NULL, NULL, &ret_outcome->output, &errors, &error);
    g_assert_no_error(error);
    ret_outcome->errors = g_strndup(g_bytes_get_data(errors, NULL), g_bytes_get_size(errors));
    ret_outcome->status = g_subprocess_get_status(process);
    g_unlink(file);
    return TRUE;
}

/* Runs the command by each shell and expects that standard output and status of wait(2). */
static void
assert_command(const Command *command, const void *output, gsize size, int status)
{
    g_autofree char *script = render_command(command);
    guint tried = 0;

    for (gsize i = 0; i < G_N_ELEMENTS(shells); i++) {
        g_auto(Outcome) outcome = {0};

        if (!run_script(shells[i], command->path, script, &outcome))
            continue;
        tried++;
        g_test_message("%s: status 0x%x, errors '%s'", shells[i], (guint)outcome.status,
                       outcome.errors);
        g_assert_cmpmem(g_bytes_get_data(outcome.output, NULL), g_bytes_get_size(outcome.output),
                        output, size);
        g_assert_cmphex((guint)outcome.status, ==, (guint)status);
    }
    g_assert_cmpuint(tried, >, 0);
}

#define EXITED(code) ((code) << 8)

/* The words as a program sees them: each ended by a NUL. */
static GByteArray *
join_words(const char *const *words, gsize n_words)
{
    GByteArray *bytes = g_byte_array_new();

    for (gsize i = 0; i < n_words; i++)
        g_byte_array_append(bytes, (const guint8 *)words[i], (guint)strlen(words[i]) + 1);
    return bytes;
}

static void
test_arguments_arrive_byte_for_byte(void)
{
    g_autoptr(GByteArray) expected = join_words(hostile_words, G_N_ELEMENTS(hostile_words));
    g_autoptr(GPtrArray) argv = g_ptr_array_new();

    g_ptr_array_add(argv, (gpointer) "printf");
    g_ptr_array_add(argv, (gpointer) "%s\\0");
    for (gsize i = 0; i < G_N_ELEMENTS(hostile_words); i++)
        g_ptr_array_add(argv, (gpointer)hostile_words[i]);
    g_ptr_array_add(argv, NULL);

    static const char *const environment[] = {"PATH=/usr/bin:/bin", NULL};
    Command command = {.environment = environment, .argv = (const char *const *)argv->pdata};
    assert_command(&command, expected->data, expected->len, 0);
}

static void
test_an_argument_of_100_kib_arrives(void)
{
    g_autofree char *long_word = g_strnfill(100 << 10, '\'');
    const char *const argv[] = {"/usr/bin/printf", "%s", long_word, NULL};
    Command command = {.argv = argv};

    assert_command(&command, long_word, 100 << 10, 0);
}

static void
test_the_environment_is_exactly_what_was_given(void)
{
    static const char *const environment[] = {
        "PATH=/usr/bin:/bin", "EMPTY=",      "SPACES= a  b ",
        "LINES=one\ntwo\n",   "BYTES=\xff'", "BASH_FUNC_f%%=() { echo \"$x\"; }",
        "not-a-name=1",       NULL,
    };
    static const char *const argv[] = {"env", "-0", NULL};
    g_autoptr(GByteArray) expected = join_words(environment, g_strv_length((char **)environment));
    Command command = {.environment = environment, .argv = argv};

    assert_command(&command, expected->data, expected->len, 0);
}

/* The same by env(1) and by "exports": busybox has env in its shell, wherever PATH leads. */
static const char *const exported[] = {"A=b", NULL};

static void
test_a_root_without_env_gets_the_names_that_a_shell_can_export(void)
{
    static const char *const argv[] = {"/bin/sh", "-c", "echo \"$A:${HOME-none}\"", NULL};
    Command command = {.environment = exported, .argv = argv, .path = "/proc/nonexistent"};

    assert_command(&command, "b:none\n", strlen("b:none\n"), 0);
}

static void
test_a_shell_text_runs_in_sh_where_there_is_no_bash(void)
{
    Command command = {
        .environment = exported,
        .text = "echo \"$0:$A\"; exit 3",
        .path = "/proc/nonexistent",
    };

    assert_command(&command, "sh:b\n", strlen("sh:b\n"), EXITED(3));
}

static void
test_a_shell_text_runs_in_bash_as_it_is(void)
{
    static const char *const environment[] = {"PATH=/usr/bin:/bin", NULL};
    static const char output[] = "bash:a b:$x\nx\n";
    Command command = {
        .environment = environment,
        .text = "x='$x'\nfor w in 'a b'; do\n  echo \"$0:$w:$x\"\ndone\ncat <(echo x)\nexit 42\n",
    };
    g_autofree char *bash = g_find_program_in_path("bash");

    if (!bash) {
        g_test_skip("this host has no bash");
        return;
    }
    assert_command(&command, output, sizeof output - 1, EXITED(42));
}

static void
test_the_working_directory_is_taken_literally(void)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *dir = g_dir_make_tmp("-mayfly 'test' $HOME, XXXXXX", &error);
    static const char *const environment[] = {"PATH=/usr/bin:/bin", NULL};
    static const char *const argv[] = {"pwd", "-P", NULL};

    g_assert_no_error(error);
    g_autofree char *expected = g_strconcat(dir, "\n", NULL);
    Command command = {.workdir = dir, .environment = environment, .argv = argv};
    assert_command(&command, expected, strlen(expected), 0);
    g_rmdir(dir);
}

static void
test_statuses_are_those_of_a_shell(void)
{
    static const char *const environment[] = {"PATH=/usr/bin:/bin", NULL};
    static const char *const missing[] = {"mayfly-no-such-command", NULL};
    static const char *const missing_path[] = {"/proc/nonexistent/a=b", NULL};
    static const char *const directory[] = {"/usr", NULL};
    static const char *const not_executable[] = {"/etc/passwd", NULL};
    static const char *const killed[] = {"sh", "-c", "kill -SEGV $$", NULL};
    static const char *const exits[] = {"sh", "-c", "exit 139", NULL};
    const struct {
        const char *const *argv;
        const char *workdir;
        int status;
    } cases[] = {
        {missing, NULL, EXITED(127)},
        {missing_path, NULL, EXITED(127)},
        {directory, NULL, EXITED(126)},
        {not_executable, NULL, EXITED(126)},
        {killed, NULL, 11},
        {exits, NULL, EXITED(139)},
        {exits, "/proc/nonexistent", EXITED(126)},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        Command command = {
            .argv = cases[i].argv,
            .workdir = cases[i].workdir,
            .environment = environment,
        };

        assert_command(&command, "", 0, cases[i].status);
    }
}

/* What shellcheck has to say about the script; skips the test where it is not installed. */
static void
assert_shellcheck_is_content(const char *script)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *program = g_find_program_in_path("shellcheck");

    if (!program) {
        g_test_skip("shellcheck is not installed");
        return;
    }

    g_autofree char *path = write_script(script);
    g_autoptr(GSubprocess) process =
        g_subprocess_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, program, "-s", "sh", path, NULL);
    g_assert_no_error(error);
    g_autofree char *output = NULL;
    g_subprocess_communicate_utf8(process, NULL, NULL, &output, NULL, &error);
    g_assert_no_error(error);
    g_unlink(path);
    g_assert_cmpstr(output, ==, "");
    g_assert_cmpint(g_subprocess_get_status(process), ==, 0);
}

static void
test_the_command_passes_shellcheck(void)
{
    static const char *const environment[] = {"A=b c", "D='", NULL};
    static const char *const argv[] = {"a b", "c", NULL};
    Command with_argv = {.environment = environment, .argv = argv};
    Command with_text = {.environment = environment, .text = "exit"};
    g_autofree char *argv_script = render_command(&with_argv);
    g_autofree char *text_script = render_command(&with_text);

    assert_shellcheck_is_content(argv_script);
    assert_shellcheck_is_content(text_script);
}

static void
test_the_init_passes_shellcheck(void)
{
    g_autofree char *plain = render_init("no", "overlay", "", "");
    g_autofree char *full = render_init("yes", "rw", "tag:mayfly.modules",
                                        "    share 9p rw 'mayfly.share' '/mnt/mayfly'\n"
                                        "    share 9p ro 'mayfly.mount0' '/a b'\n");

    assert_shellcheck_is_content(plain);
    assert_shellcheck_is_content(full);
}

/* A system whose mount(8) notes what it is told, and whose programs are 'mount_text' and, where
 * there is one, 'guest_text'. */
typedef struct {
    char *directory, *bin, *tools, *log; /* owned */
} System;

static void
write_program(const char *directory, const char *name, const char *text)
{
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *script = g_strconcat("#!/bin/sh\n", text, NULL);

    g_assert_true(g_file_set_contents(path, script, -1, NULL));
    g_assert_cmpint(g_chmod(path, 0755), ==, 0);
}

static void
system_set_up(System *self, gconstpointer unused)
{
    self->directory = g_dir_make_tmp("mayfly-test-XXXXXX", NULL);
    self->bin = g_build_filename(self->directory, "bin", NULL);
    self->tools = g_build_filename(self->directory, "to ols", NULL);
    self->log = g_build_filename(self->directory, "log", NULL);
    g_assert_cmpint(g_mkdir(self->bin, 0755), ==, 0);
    g_assert_cmpint(g_mkdir(self->tools, 0755), ==, 0);
    write_program(self->bin, "modprobe", "echo modprobe \"$@\" >>\"${0%/*}/../log\"\n");
    write_program(self->bin, "udevadm", "echo udevadm \"$@\" >>\"${0%/*}/../log\"\n");
    write_program(self->bin, "mount", "echo mount \"$@\" >>\"${0%/*}/../log\"\n");
    write_program(self->tools, "mayfly-guest", "exit 0\n");
}

static void
system_tear_down(System *self, gconstpointer unused)
{
    mf_tempdir_remove(self->directory);
    g_free(self->directory);
    g_free(self->bin);
    g_free(self->tools);
    g_free(self->log);
}

/* Runs the script in that system, by each shell, and expects this end and these calls last. */
static void
assert_script(const System *self, const char *script, int status, const char *answer,
              const char *errors, const char *calls)
{
    g_autofree char *path = g_strconcat(self->bin, ":/usr/bin:/bin", NULL);

    for (gsize i = 0; i < G_N_ELEMENTS(shells); i++) {
        g_auto(Outcome) outcome = {0};
        g_autofree char *log = NULL;

        g_unlink(self->log);
        /* busybox takes its own mount(8), wherever PATH leads, and that would be a real one. */
        if (g_str_equal(shells[i], "busybox") || !run_script(shells[i], path, script, &outcome))
            continue;
        g_assert_true(g_file_get_contents(self->log, &log, NULL, NULL));
        g_test_message("%s: errors '%s', calls '%s'", shells[i], outcome.errors, log);
        g_assert_cmphex((guint)outcome.status, ==, (guint)status);
        g_assert_cmpmem(g_bytes_get_data(outcome.output, NULL), g_bytes_get_size(outcome.output),
                        answer, strlen(answer));
        g_assert_cmpstr(outcome.errors ? outcome.errors : "", ==, errors);
        g_assert_true(g_str_has_suffix(log, calls));
    }
}

static void
assert_system(const System *self, const char *mounts, int status, const char *answer,
              const char *errors, const char *calls)
{
    g_autofree char *script = render_image(self->tools, mounts);

    assert_script(self, script, status, answer, errors, calls);
}

#define MOUNT_9P(access) "mount -t 9p -o " access ",trans=virtio,version=9p2000.L,msize=512000,"

static void
test_an_image_mounts_its_shares_once_and_binds_the_rest(System *self, gconstpointer unused)
{
    g_autofree char *mounts =
        g_strdup_printf("share 9p rw 'mayfly.share' '%s/a b'\nshare 9p rw 'mayfly.share' '%s/c'\n"
                        "share 9p ro 'mayfly.mount0' '%s/d'\n",
                        self->directory, self->directory, self->directory);
    g_autofree char *calls = g_strdup_printf(
        MOUNT_9P("ro") "cache=mmap mayfly.run %s\n" MOUNT_9P(
            "rw") "cache=mmap mayfly.share %s/a b\n"
                  "mount -o bind %s/a b %s/c\n" MOUNT_9P("ro") "cache=mmap mayfly.mount0 %s/d\n",
        self->tools, self->directory, self->directory, self->directory, self->directory);

    assert_system(self, mounts, 0, "streams\n", "", calls);
}

static void
test_an_image_that_cannot_run_mayfly_guest_says_so(System *self, gconstpointer unused)
{
    write_program(self->tools, "mayfly-guest", "exit 126\n");
    assert_system(self, "", 0, "shares\n", "", "");
}

static void
test_drivers_are_awaited_before_the_first_mount_is_given_up(System *self, gconstpointer unused)
{
    write_program(self->bin, "mount", "echo no 9p >&2; exit 32\n");
    assert_system(self, "share 9p rw 'mayfly.share' '/proc/nonexistent'\n", 0, "alone\n", "no 9p\n",
                  "modprobe -a 9p 9pnet_virtio\nudevadm settle --timeout=30\n");
}

static void
test_a_share_that_an_image_cannot_mount_is_named(System *self, gconstpointer unused)
{
    g_autofree char *mounts =
        g_strdup_printf("share 9p ro 'mayfly.mount0' '%s/d'\n", self->directory);
    g_autofree char *errors = g_strdup_printf(
        "cannot mount the 9p share 'mayfly.mount0' on '%s/d': no room\n", self->directory);

    write_program(self->bin, "mount",
                  "case $* in *mount0*) echo no room >&2; exit 32; esac; : >\"${0%/*}/../log\"\n");
    assert_system(self, mounts, EXITED(1), "", errors, "");
}

static void
test_a_system_to_be_saved_has_mayfly_guest_in_memory(System *self, gconstpointer unused)
{
    g_autofree char *script = render_image_save(self->tools);
    g_autofree char *calls = g_strdup_printf("mount -t tmpfs -o mode=700 tmpfs %s\n"
                                             "modprobe -a 9p 9pnet_virtio\n",
                                             self->tools);

    write_program(self->bin, "cat", "printf '#!/bin/sh\nexit 0\n'\n");
    assert_script(self, script, 0, "", "", calls);
}

static void
test_a_system_where_mayfly_guest_does_not_run_is_left_as_it_was(System *self, gconstpointer unused)
{
    g_autofree char *script = render_image_save(self->tools);
    g_autofree char *calls = g_strdup_printf("mount -t tmpfs -o mode=700 tmpfs %s\numount %s\n",
                                             self->tools, self->tools);

    write_program(self->bin, "umount", "echo umount \"$@\" >>\"${0%/*}/../log\"\n");
    write_program(self->bin, "cat", "printf '#!/bin/sh\necho no such CPU >&2; exit 126\n'\n");
    assert_script(self, script, EXITED(1), "", "no such CPU\n", calls);
    write_program(self->bin, "mount", "echo no room >&2; : >\"${0%/*}/../log\"; exit 32\n");
    assert_script(self, script, EXITED(1), "", "no room\n", "");
}

static void
test_the_scripts_for_an_image_pass_shellcheck(void)
{
    g_autofree char *save = render_image_save("/run/mayfly");
    g_autofree char *script = render_image("/run/mayfly", "share 9p rw 'mayfly.share' '/a b'\n");

    assert_shellcheck_is_content(script);
    assert_shellcheck_is_content(save);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-templates/arguments-arrive-byte-for-byte",
                    test_arguments_arrive_byte_for_byte);
    g_test_add_func("/guest-templates/an-argument-of-100-kib-arrives",
                    test_an_argument_of_100_kib_arrives);
    g_test_add_func("/guest-templates/the-environment-is-exactly-what-was-given",
                    test_the_environment_is_exactly_what_was_given);
    g_test_add_func("/guest-templates/a-root-without-env-gets-the-names-that-a-shell-can-export",
                    test_a_root_without_env_gets_the_names_that_a_shell_can_export);
    g_test_add_func("/guest-templates/a-shell-text-runs-in-sh-where-there-is-no-bash",
                    test_a_shell_text_runs_in_sh_where_there_is_no_bash);
    g_test_add_func("/guest-templates/a-shell-text-runs-in-bash-as-it-is",
                    test_a_shell_text_runs_in_bash_as_it_is);
    g_test_add_func("/guest-templates/the-working-directory-is-taken-literally",
                    test_the_working_directory_is_taken_literally);
    g_test_add_func("/guest-templates/statuses-are-those-of-a-shell",
                    test_statuses_are_those_of_a_shell);
    g_test_add_func("/guest-templates/the-command-passes-shellcheck",
                    test_the_command_passes_shellcheck);
    g_test_add_func("/guest-templates/the-init-passes-shellcheck", test_the_init_passes_shellcheck);
    g_test_add("/guest-templates/an-image-mounts-its-shares-once-and-binds-the-rest", System, NULL,
               system_set_up, test_an_image_mounts_its_shares_once_and_binds_the_rest,
               system_tear_down);
    g_test_add("/guest-templates/an-image-that-cannot-run-mayfly-guest-says-so", System, NULL,
               system_set_up, test_an_image_that_cannot_run_mayfly_guest_says_so, system_tear_down);
    g_test_add("/guest-templates/drivers-are-awaited-before-the-first-mount-is-given-up", System,
               NULL, system_set_up, test_drivers_are_awaited_before_the_first_mount_is_given_up,
               system_tear_down);
    g_test_add("/guest-templates/a-share-that-an-image-cannot-mount-is-named", System, NULL,
               system_set_up, test_a_share_that_an_image_cannot_mount_is_named, system_tear_down);
    g_test_add("/guest-templates/a-system-to-be-saved-has-mayfly-guest-in-memory", System, NULL,
               system_set_up, test_a_system_to_be_saved_has_mayfly_guest_in_memory,
               system_tear_down);
    g_test_add("/guest-templates/a-system-where-mayfly-guest-does-not-run-is-left-as-it-was",
               System, NULL, system_set_up,
               test_a_system_where_mayfly_guest_does_not_run_is_left_as_it_was, system_tear_down);
    g_test_add_func("/guest-templates/the-scripts-for-an-image-pass-shellcheck",
                    test_the_scripts_for_an_image_pass_shellcheck);
    return g_test_run();
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/child.h"
#include "base/fd.h"
#include "base/tempdir.h"
#include "outcome.h"
#include "qapi/qga-commands.h"
#include "qapi/qmp-commands.h"
#include "qapi/qmp-events.h"
#include "wire/fd-transport.h"

/*
 * The schemas against the programs that they describe: a reply is read by what qapi/ says of it,
 * so a member that is not there, or of another type, fails here.
 */
#define QEMU   "qemu-system-x86_64"
#define AGENT  "qemu-ga"
#define THE_FD 3

/* A peer that is not stuck answers within this, on the slowest machine. */
#define PATIENCE_MS 30000

typedef struct {
    char *directory;
    MfChild *child;
    MfQmp *qmp;
    MfQga *qga;
    gboolean returned;
    GAsyncResult *result; /* of the last call */
    MfQmpShutdownEvent *shutdown;
} Fixture;

static void
keep_result(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Fixture *fixture = user_data;

    g_assert_false(fixture->returned);
    g_set_object(&fixture->result, result);
    fixture->returned = TRUE;
}

/* The arguments that all calls end with. */
#define CALL PATIENCE_MS, NULL, keep_result, fixture

/* The result of the call that was just made, for its finish function; good until the next call. */
static GAsyncResult *
await(Fixture *fixture)
{
    while (!fixture->returned)
        g_main_context_iteration(NULL, TRUE);
    fixture->returned = FALSE;
    return fixture->result;
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    g_clear_object(&fixture->result);
    if (fixture->qmp)
        g_assert_finalize_object(fixture->qmp);
    if (fixture->qga)
        g_assert_finalize_object(fixture->qga);
    g_clear_object(&fixture->child);
    if (fixture->directory)
        mf_tempdir_remove(fixture->directory);
    g_free(fixture->directory);
    mf_qmp_shutdown_event_free(fixture->shutdown);
}

static gboolean
is_installed(const char *program)
{
    g_autofree char *path = g_find_program_in_path(program);

    if (!path)
        g_test_skip_printf("%s is not installed", program);
    return path != NULL;
}

static void
on_event(MfQmp *qmp, const char *name, json_object *data, gpointer user_data)
{
    Fixture *fixture = user_data;
    g_autoptr(GError) error = NULL;

    if (mf_qmp_event_from_string(name) != MF_QMP_EVENT_SHUTDOWN)
        return;
    fixture->shutdown = mf_qmp_shutdown_event_from_json(data, &error);
    g_assert_no_error(error);
}

static gboolean
start_qemu(Fixture *fixture)
{
    g_autoptr(MfArgv) argv = mf_argv_new(QEMU);
    g_autoptr(GError) error = NULL;
    g_auto(Outcome) opened = {0};
    int ours, theirs;

    if (!is_installed(QEMU))
        return FALSE;
    g_assert_true(mf_fd_socketpair(&ours, &theirs, NULL));
    mf_autofd qmp_fd = theirs;
    mf_argv_add_many(argv, "-M", "none", "-accel", "tcg", "-nodefaults", "-display", "none", "-S",
                     "-name", "schema", "-mon", "chardev=qmp,mode=control", "-chardev", NULL);
    mf_argv_addf(argv, "socket,id=qmp,fd=%d", THE_FD);
    fixture->child = mf_child_spawn(argv, &(MfChildFd){qmp_fd, THE_FD}, 1, &error);
    g_assert_no_error(error);

    g_autoptr(MfTransport) transport = mf_fd_transport_new(ours, QEMU);
    fixture->qmp = mf_qmp_new(transport);
    g_signal_connect(fixture->qmp, "event", G_CALLBACK(on_event), fixture);
    mf_qmp_open_async(fixture->qmp, PATIENCE_MS, NULL, outcome_ready, &opened);
    outcome_await(&opened);
    g_assert_no_error(opened.error);
    return TRUE;
}

/* A listening socket for the agent; *ret_client is connected to it already. */
static int
listen_at(const char *path, int *ret_client)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpuint(g_strlcpy(address.sun_path, path, sizeof(address.sun_path)), <,
                     sizeof(address.sun_path));
    g_assert_cmpint(bind(listener, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    g_assert_cmpint(listen(listener, 1), ==, 0);
    g_assert_cmpint(connect(client, (struct sockaddr *)&address, sizeof(address)), ==, 0);
    *ret_client = client;
    return listener;
}

static gboolean
start_agent(Fixture *fixture)
{
    g_autoptr(MfArgv) argv = mf_argv_new("sh");
    g_autoptr(GError) error = NULL;
    g_auto(Outcome) synced = {0};
    int client;

    if (!is_installed(AGENT))
        return FALSE;
    fixture->directory = mf_tempdir_make(&error);
    g_assert_no_error(error);
    g_autofree char *path = g_build_filename(fixture->directory, "agent", NULL);
    mf_autofd listener = listen_at(path, &client);
    mf_argv_add_many(argv, "-c",
                     "LISTEN_FDS=1 LISTEN_PID=$$ exec " AGENT
                     " --method=unix-listen --path=\"$0\" --statedir=\"$1\"",
                     path, fixture->directory, NULL);
    fixture->child = mf_child_spawn(argv, &(MfChildFd){listener, THE_FD}, 1, &error);
    g_assert_no_error(error);

    g_autoptr(MfTransport) transport = mf_fd_transport_new(client, AGENT);
    fixture->qga = mf_qga_new(transport);
    mf_qga_sync_async(fixture->qga, PATIENCE_MS, NULL, outcome_ready, &synced);
    outcome_await(&synced);
    g_assert_no_error(synced.error);
    return TRUE;
}

static void
test_qemu_tells_of_itself(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(MfQmpVersionInfo) version = NULL;
    g_autoptr(MfQmpStatusInfo) status = NULL;
    g_autoptr(MfQmpKvmInfo) kvm = NULL;
    g_autoptr(MfQmpNameInfo) name = NULL;
    g_autoptr(GPtrArray) cpus = NULL;
    g_autoptr(GPtrArray) schema = NULL;
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    if (!start_qemu(fixture))
        return;
    mf_qmp_query_version_async(fixture->qmp, CALL);
    mf_qmp_query_version_finish(fixture->qmp, await(fixture), &version, &error);
    g_assert_no_error(error);
    g_assert_cmpint(version->qemu->major, >=, 7);

    mf_qmp_query_status_async(fixture->qmp, CALL);
    mf_qmp_query_status_finish(fixture->qmp, await(fixture), &status, &error);
    g_assert_no_error(error);
    g_assert_false(status->running);
    g_assert_cmpint(status->status, ==, MF_QMP_RUN_STATE_PRELAUNCH);

    mf_qmp_query_kvm_async(fixture->qmp, CALL);
    mf_qmp_query_kvm_finish(fixture->qmp, await(fixture), &kvm, &error);
    g_assert_no_error(error);
    g_assert_false(kvm->enabled);

    mf_qmp_query_name_async(fixture->qmp, CALL);
    mf_qmp_query_name_finish(fixture->qmp, await(fixture), &name, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(name->name, ==, "schema");

    mf_qmp_query_cpus_fast_async(fixture->qmp, CALL);
    mf_qmp_query_cpus_fast_finish(fixture->qmp, await(fixture), &cpus, &error);
    g_assert_no_error(error);

    mf_qmp_query_qmp_schema_async(fixture->qmp, CALL);
    mf_qmp_query_qmp_schema_finish(fixture->qmp, await(fixture), &schema, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(schema->len, >, 500);

    mf_qmp_human_monitor_command_async(fixture->qmp, "info status", CALL);
    mf_qmp_human_monitor_command_finish(fixture->qmp, await(fixture), &text, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(text, "VM status: paused"));
}

static void
test_qemu_takes_migration_settings(Fixture *fixture, gconstpointer unused)
{
    MfQmpMigrationCapabilityStatus events = {MF_QMP_MIGRATION_CAPABILITY_EVENTS, TRUE};
    MfQmpMigrationCapabilityStatus shared = {MF_QMP_MIGRATION_CAPABILITY_X_IGNORE_SHARED, TRUE};
    MfQmpMigrateSetParametersArguments parameters = {
        .has_max_bandwidth = TRUE,
        .max_bandwidth = 1 << 30,
        .has_downtime_limit = TRUE,
        .downtime_limit = 2000,
    };
    g_autoptr(GPtrArray) capabilities = g_ptr_array_new();
    g_autoptr(MfQmpMigrationInfo) info = NULL;
    g_autoptr(MfQmpDumpInfo) dump = NULL;
    g_autoptr(GError) error = NULL;

    if (!start_qemu(fixture))
        return;
    g_ptr_array_add(capabilities, &events);
    g_ptr_array_add(capabilities, &shared);
    mf_qmp_migrate_set_capabilities_async(fixture->qmp, capabilities, CALL);
    mf_qmp_migrate_set_capabilities_finish(fixture->qmp, await(fixture), &error);
    g_assert_no_error(error);

    mf_qmp_migrate_set_parameters_async(fixture->qmp, &parameters, CALL);
    mf_qmp_migrate_set_parameters_finish(fixture->qmp, await(fixture), &error);
    g_assert_no_error(error);

    mf_qmp_query_migrate_async(fixture->qmp, CALL);
    mf_qmp_query_migrate_finish(fixture->qmp, await(fixture), &info, &error);
    g_assert_no_error(error);
    g_assert_false(info->has_status);
    g_assert_null(info->ram);

    mf_qmp_query_dump_async(fixture->qmp, CALL);
    mf_qmp_query_dump_finish(fixture->qmp, await(fixture), &dump, &error);
    g_assert_no_error(error);
    g_assert_cmpint(dump->status, ==, MF_QMP_DUMP_STATUS_NONE);
}

static void
test_qemu_takes_descriptors_and_quits(Fixture *fixture, gconstpointer unused)
{
    MfQmpAddFdArguments arguments = {.opaque = "a note"};
    g_autoptr(MfQmpFdsetEntry) entry = NULL;
    g_autoptr(GError) error = NULL;

    if (!start_qemu(fixture))
        return;
    mf_qmp_getfd_async(fixture->qmp, "state", STDERR_FILENO, CALL);
    mf_qmp_getfd_finish(fixture->qmp, await(fixture), &error);
    g_assert_no_error(error);
    mf_qmp_closefd_async(fixture->qmp, "state", CALL);
    mf_qmp_closefd_finish(fixture->qmp, await(fixture), &error);
    g_assert_no_error(error);

    mf_qmp_add_fd_async(fixture->qmp, &arguments, STDERR_FILENO, CALL);
    mf_qmp_add_fd_finish(fixture->qmp, await(fixture), &entry, &error);
    g_assert_no_error(error);
    mf_qmp_remove_fd_async(fixture->qmp, entry->fdset_id, CALL);
    mf_qmp_remove_fd_finish(fixture->qmp, await(fixture), &error);
    g_assert_no_error(error);

    mf_qmp_quit_async(fixture->qmp, CALL);
    mf_qmp_quit_finish(fixture->qmp, await(fixture), &error);
    g_assert_no_error(error);
    g_assert_nonnull(fixture->shutdown);
    g_assert_false(fixture->shutdown->guest);
    g_assert_cmpint(fixture->shutdown->reason, ==, MF_QMP_SHUTDOWN_CAUSE_HOST_QMP_QUIT);
}

static void
test_the_agent_tells_of_the_system(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(MfQgaAgentInfo) info = NULL;
    g_autoptr(MfQgaOsInfo) os = NULL;
    g_autoptr(MfQgaHostName) host_name = NULL;
    g_autoptr(GPtrArray) cpus = NULL;
    g_autoptr(GPtrArray) interfaces = NULL;
    g_autoptr(GError) error = NULL;
    gint64 now = 0;

    if (!start_agent(fixture))
        return;
    mf_qga_guest_info_async(fixture->qga, CALL);
    mf_qga_guest_info_finish(fixture->qga, await(fixture), &info, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(info->supported_commands->len, >, 20);
    g_assert_nonnull(((MfQgaAgentCommand *)info->supported_commands->pdata[0])->name);

    mf_qga_guest_get_osinfo_async(fixture->qga, CALL);
    mf_qga_guest_get_osinfo_finish(fixture->qga, await(fixture), &os, &error);
    g_assert_no_error(error);
    g_assert_nonnull(os->kernel_release);

    mf_qga_guest_get_host_name_async(fixture->qga, CALL);
    mf_qga_guest_get_host_name_finish(fixture->qga, await(fixture), &host_name, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(host_name->host_name, ==, g_get_host_name());

    mf_qga_guest_get_vcpus_async(fixture->qga, CALL);
    mf_qga_guest_get_vcpus_finish(fixture->qga, await(fixture), &cpus, &error);
    g_assert_no_error(error);
    g_assert_cmpuint(cpus->len, >, 0);

    mf_qga_guest_network_get_interfaces_async(fixture->qga, CALL);
    mf_qga_guest_network_get_interfaces_finish(fixture->qga, await(fixture), &interfaces, &error);
    g_assert_no_error(error);

    mf_qga_guest_get_time_async(fixture->qga, CALL);
    mf_qga_guest_get_time_finish(fixture->qga, await(fixture), &now, &error);
    g_assert_no_error(error);
    g_assert_cmpint(ABS(now / 1000 - g_get_real_time()), <, 60 * G_USEC_PER_SEC);
}

static void
test_the_agent_echoes(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    gint64 echo = 0;

    if (!start_agent(fixture))
        return;
    mf_qga_guest_ping_async(fixture->qga, CALL);
    mf_qga_guest_ping_finish(fixture->qga, await(fixture), &error);
    g_assert_no_error(error);

    mf_qga_guest_sync_async(fixture->qga, G_MAXINT64, CALL);
    mf_qga_guest_sync_finish(fixture->qga, await(fixture), &echo, &error);
    g_assert_no_error(error);
    g_assert_cmpint(echo, ==, G_MAXINT64);
}

static MfQgaExecStatus *
run(Fixture *fixture, const MfQgaGuestExecArguments *arguments)
{
    g_autoptr(MfQgaExecProcess) process = NULL;
    g_autoptr(MfQgaExecStatus) status = NULL;
    g_autoptr(GError) error = NULL;

    mf_qga_guest_exec_async(fixture->qga, arguments, CALL);
    mf_qga_guest_exec_finish(fixture->qga, await(fixture), &process, &error);
    g_assert_no_error(error);
    do {
        g_clear_pointer(&status, mf_qga_exec_status_free);
        mf_qga_guest_exec_status_async(fixture->qga, process->pid, CALL);
        mf_qga_guest_exec_status_finish(fixture->qga, await(fixture), &status, &error);
        g_assert_no_error(error);
    } while (!status->exited);
    return g_steal_pointer(&status);
}

static void
test_the_agent_runs_programs(Fixture *fixture, gconstpointer unused)
{
    static const char *const echo[] = {"-c", "cat; echo $A >&2; exit 3", NULL};
    static const char *const die[] = {"-c", "kill -9 $$", NULL};
    static const char *const env[] = {"A=x y", NULL};
    MfQgaExecCapture both = {.kind = MF_QGA_EXEC_CAPTURE_KIND_FLAG, .flag = TRUE};
    MfQgaGuestExecArguments talking = {"/bin/sh", echo, env, "aGk=", &both};
    MfQgaGuestExecArguments dying = {.path = "/bin/sh", .arg = die};

    if (!start_agent(fixture))
        return;
    g_autoptr(MfQgaExecStatus) talked = run(fixture, &talking);
    g_assert_true(talked->has_exitcode);
    g_assert_cmpint(talked->exitcode, ==, 3);
    g_assert_cmpstr(talked->out_data, ==, "aGk=");
    g_assert_cmpstr(talked->err_data, ==, "eCB5Cg==");

    g_autoptr(MfQgaExecStatus) died = run(fixture, &dying);
    g_assert_true(died->has_signal);
    g_assert_cmpint(died->signal, ==, 9);
    g_assert_false(died->has_exitcode);
}

static void
test_the_agent_keeps_files(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(MfQgaFileWritten) written = NULL;
    g_autoptr(MfQgaFilePosition) position = NULL;
    g_autoptr(MfQgaFileRead) read_back = NULL;
    g_autoptr(GError) error = NULL;
    gint64 handle;

    if (!start_agent(fixture))
        return;
    g_autofree char *path = g_build_filename(fixture->directory, "file", NULL);
    mf_qga_guest_file_open_async(fixture->qga, path, "w+", CALL);
    mf_qga_guest_file_open_finish(fixture->qga, await(fixture), &handle, &error);
    g_assert_no_error(error);

    mf_qga_guest_file_write_async(fixture->qga, handle, "aGVsbG8=", CALL);
    mf_qga_guest_file_write_finish(fixture->qga, await(fixture), &written, &error);
    g_assert_no_error(error);
    g_assert_cmpint(written->count, ==, 5);

    mf_qga_guest_file_flush_async(fixture->qga, handle, CALL);
    mf_qga_guest_file_flush_finish(fixture->qga, await(fixture), &error);
    g_assert_no_error(error);

    mf_qga_guest_file_seek_async(fixture->qga, handle, -4, MF_QGA_FILE_WHENCE_END, CALL);
    mf_qga_guest_file_seek_finish(fixture->qga, await(fixture), &position, &error);
    g_assert_no_error(error);
    g_assert_cmpint(position->position, ==, 1);

    mf_qga_guest_file_read_async(fixture->qga, handle, 100, CALL);
    mf_qga_guest_file_read_finish(fixture->qga, await(fixture), &read_back, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(read_back->buf_b64, ==, "ZWxsbw==");
    g_assert_true(read_back->eof);

    mf_qga_guest_file_close_async(fixture->qga, handle, CALL);
    mf_qga_guest_file_close_finish(fixture->qga, await(fixture), &error);
    g_assert_no_error(error);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(Fixture *fixture, gconstpointer unused);
    } tests[] = {
        {"qemu-tells-of-itself", test_qemu_tells_of_itself},
        {"qemu-takes-migration-settings", test_qemu_takes_migration_settings},
        {"qemu-takes-descriptors-and-quits", test_qemu_takes_descriptors_and_quits},
        {"the-agent-tells-of-the-system", test_the_agent_tells_of_the_system},
        {"the-agent-echoes", test_the_agent_echoes},
        {"the-agent-runs-programs", test_the_agent_runs_programs},
        {"the-agent-keeps-files", test_the_agent_keeps_files},
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/qapi-real/", tests[i].name, NULL);

        g_test_add(path, Fixture, NULL, NULL, tests[i].run, tear_down);
    }
    return g_test_run();
}

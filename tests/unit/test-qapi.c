/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "outcome.h"
#include "peer.h"
#include "qapi/qga-commands.h"
#include "qapi/qmp-commands.h"
#include "qapi/qmp-events.h"

#define TIMEOUT_MS 10000

typedef struct {
    Peer *qmp_peer, *qga_peer;
    MfQmp *qmp;
    MfQga *qga;
    GAsyncResult *result; /* of the last call */
} Fixture;

static void
keep_result(GObject *source, GAsyncResult *result, gpointer user_data)
{
    Fixture *fixture = user_data;

    g_assert_null(fixture->result);
    fixture->result = g_object_ref(result);
}

/* The arguments that all calls end with. */
#define CALL TIMEOUT_MS, NULL, keep_result, fixture

static void
set_up(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(MfTransport) qmp_transport = NULL;
    g_autoptr(MfTransport) qga_transport = NULL;
    g_auto(Outcome) opened = {0};
    g_auto(Outcome) synced = {0};

    fixture->qmp_peer = peer_new(&qmp_transport);
    peer_check_schema(fixture->qmp_peer);
    fixture->qmp = mf_qmp_new(qmp_transport);
    peer_open_qmp(fixture->qmp_peer);
    mf_qmp_open_async(fixture->qmp, TIMEOUT_MS, NULL, outcome_ready, &opened);
    peer_play(fixture->qmp_peer);
    outcome_await(&opened);

    fixture->qga_peer = peer_new(&qga_transport);
    fixture->qga = mf_qga_new(qga_transport);
    peer_sync(fixture->qga_peer);
    mf_qga_sync_async(fixture->qga, TIMEOUT_MS, NULL, outcome_ready, &synced);
    peer_play(fixture->qga_peer);
    outcome_await(&synced);
}

static void
tear_down(Fixture *fixture, gconstpointer unused)
{
    g_clear_object(&fixture->result);
    g_assert_finalize_object(fixture->qmp);
    g_assert_finalize_object(fixture->qga);
    peer_free(fixture->qmp_peer);
    peer_free(fixture->qga_peer);
}

/* What QEMU will be asked, and what it will return; both as JSON. */
static void
script_qmp(Fixture *fixture, const char *command, const char *arguments, const char *value)
{
    g_autofree char *reply = g_strdup_printf("{\"id\": $ID, \"return\": %s}\r\n", value);

    peer_expect(fixture->qmp_peer, command, arguments);
    peer_say(fixture->qmp_peer, reply);
}

static void
script_qga(Fixture *fixture, const char *command, const char *arguments, const char *value)
{
    g_autofree char *reply = g_strdup_printf("{\"return\": %s}\n", value);

    peer_expect(fixture->qga_peer, command, arguments);
    peer_say(fixture->qga_peer, reply);
}

/* Plays the script: the result of the call, which is made already, for its finish function. */
static GAsyncResult *
play(Fixture *fixture, Peer *peer)
{
    peer_play(peer);
    while (!fixture->result)
        g_main_context_iteration(NULL, TRUE);
    return fixture->result;
}

static void
next_call(Fixture *fixture)
{
    g_clear_object(&fixture->result);
}

static void
test_commands_without_arguments_are_sent_by_their_name(Fixture *fixture, gconstpointer unused)
{
    static const struct {
        const char *name;
        void (*async)(MfQmp *, guint, GCancellable *, GAsyncReadyCallback, gpointer);
        gboolean (*finish)(MfQmp *, GAsyncResult *, GError **);
    } commands[] = {
#define COMMAND(name, c_name) {name, mf_qmp_##c_name##_async, mf_qmp_##c_name##_finish}
        COMMAND("stop", stop),
        COMMAND("cont", cont),
        COMMAND("quit", quit),
        COMMAND("system_powerdown", system_powerdown),
        COMMAND("system_reset", system_reset),
        COMMAND("inject-nmi", inject_nmi),
#undef COMMAND
    };

    for (gsize i = 0; i < G_N_ELEMENTS(commands); i++) {
        g_autoptr(GError) error = NULL;

        script_qmp(fixture, commands[i].name, NULL, "{}");
        commands[i].async(fixture->qmp, CALL);
        g_assert_true(commands[i].finish(fixture->qmp, play(fixture, fixture->qmp_peer), &error));
        g_assert_no_error(error);
        next_call(fixture);
    }
}

static void
test_a_returned_object_becomes_a_struct(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(MfQmpStatusInfo) status = NULL;
    g_autoptr(MfQmpVersionInfo) version = NULL;
    g_autoptr(GError) error = NULL;

    script_qmp(fixture, "query-status", NULL,
               "{\"status\": \"prelaunch\", \"singlestep\": false, \"running\": false}");
    mf_qmp_query_status_async(fixture->qmp, CALL);
    g_assert_true(mf_qmp_query_status_finish(fixture->qmp, play(fixture, fixture->qmp_peer),
                                             &status, &error));
    g_assert_false(status->running);
    g_assert_cmpint(status->status, ==, MF_QMP_RUN_STATE_PRELAUNCH);
    next_call(fixture);

    script_qmp(fixture, "query-version", NULL,
               "{\"qemu\": {\"major\": 7, \"minor\": 2, \"micro\": 22}, \"package\": \"Debian\"}");
    mf_qmp_query_version_async(fixture->qmp, CALL);
    g_assert_true(mf_qmp_query_version_finish(fixture->qmp, play(fixture, fixture->qmp_peer),
                                              &version, &error));
    g_assert_cmpint(version->qemu->micro, ==, 22);
    g_assert_cmpstr(version->package, ==, "Debian");
    g_assert_no_error(error);
}

static void
test_a_returned_array_becomes_an_array_of_structs(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GPtrArray) cpus = NULL;
    g_autoptr(GError) error = NULL;

    script_qmp(fixture, "query-cpus-fast", NULL,
               "[{\"cpu-index\": 0, \"qom-path\": \"/a\", \"thread-id\": 10, \"target\": \"x\"},"
               " {\"cpu-index\": 1, \"qom-path\": \"/b\", \"thread-id\": 11}]");
    mf_qmp_query_cpus_fast_async(fixture->qmp, CALL);
    g_assert_true(mf_qmp_query_cpus_fast_finish(fixture->qmp, play(fixture, fixture->qmp_peer),
                                                &cpus, &error));
    g_assert_no_error(error);
    g_assert_cmpuint(cpus->len, ==, 2);

    const MfQmpCpuInfo *cpu = cpus->pdata[1];
    g_assert_cmpint(cpu->cpu_index, ==, 1);
    g_assert_cmpstr(cpu->qom_path, ==, "/b");
    g_assert_cmpint(cpu->thread_id, ==, 11);
}

static void
test_a_returned_string_is_owned_by_the_caller(Fixture *fixture, gconstpointer unused)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;

    script_qmp(fixture, "human-monitor-command", "{\"command-line\": \"info \\\"x\\\"\"}",
               "\"one\\r\\n\"");
    mf_qmp_human_monitor_command_async(fixture->qmp, "info \"x\"", CALL);
    g_assert_true(mf_qmp_human_monitor_command_finish(
        fixture->qmp, play(fixture, fixture->qmp_peer), &text, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(text, ==, "one\r\n");
}

static void
test_optional_arguments_are_sent_only_when_given(Fixture *fixture, gconstpointer unused)
{
    MfQmpScreendumpArguments arguments = {.filename = "/tmp/a,b.png"};
    MfQmpDumpGuestMemoryArguments dump = {
        .paging = TRUE,
        .protocol = "fd:dump",
        .has_detach = TRUE,
        .has_format = TRUE,
        .format = MF_QMP_DUMP_FORMAT_KDUMP_ZLIB,
    };
    g_autoptr(GError) error = NULL;

    script_qmp(fixture, "screendump", "{\"filename\": \"/tmp/a,b.png\"}", "{}");
    mf_qmp_screendump_async(fixture->qmp, &arguments, CALL);
    g_assert_true(mf_qmp_screendump_finish(fixture->qmp, play(fixture, fixture->qmp_peer), &error));
    next_call(fixture);

    arguments.has_format = TRUE;
    arguments.format = MF_QMP_IMAGE_FORMAT_PNG;
    script_qmp(fixture, "screendump", "{\"filename\": \"/tmp/a,b.png\", \"format\": \"png\"}",
               "{}");
    mf_qmp_screendump_async(fixture->qmp, &arguments, CALL);
    g_assert_true(mf_qmp_screendump_finish(fixture->qmp, play(fixture, fixture->qmp_peer), &error));
    next_call(fixture);

    script_qmp(fixture, "dump-guest-memory",
               "{\"paging\": true, \"protocol\": \"fd:dump\", \"detach\": false, "
               "\"format\": \"kdump-zlib\"}",
               "{}");
    mf_qmp_dump_guest_memory_async(fixture->qmp, &dump, CALL);
    g_assert_true(
        mf_qmp_dump_guest_memory_finish(fixture->qmp, play(fixture, fixture->qmp_peer), &error));
    g_assert_no_error(error);
}

static void
test_a_migration_is_set_up_and_followed(Fixture *fixture, gconstpointer unused)
{
    MfQmpMigrationCapabilityStatus events = {MF_QMP_MIGRATION_CAPABILITY_EVENTS, TRUE};
    MfQmpMigrationCapabilityStatus shared = {MF_QMP_MIGRATION_CAPABILITY_X_IGNORE_SHARED, TRUE};
    MfQmpMigrateSetParametersArguments parameters = {.has_max_bandwidth = TRUE};
    g_autoptr(GPtrArray) capabilities = g_ptr_array_new();
    g_autoptr(MfQmpMigrationInfo) info = NULL;
    g_autoptr(GError) error = NULL;

    g_ptr_array_add(capabilities, &events);
    g_ptr_array_add(capabilities, &shared);
    script_qmp(fixture, "migrate-set-capabilities",
               "{\"capabilities\": [{\"capability\": \"events\", \"state\": true},"
               " {\"capability\": \"x-ignore-shared\", \"state\": true}]}",
               "{}");
    mf_qmp_migrate_set_capabilities_async(fixture->qmp, capabilities, CALL);
    g_assert_true(mf_qmp_migrate_set_capabilities_finish(fixture->qmp,
                                                         play(fixture, fixture->qmp_peer), &error));
    next_call(fixture);

    script_qmp(fixture, "migrate-set-parameters", "{\"max-bandwidth\": 0}", "{}");
    mf_qmp_migrate_set_parameters_async(fixture->qmp, &parameters, CALL);
    g_assert_true(mf_qmp_migrate_set_parameters_finish(fixture->qmp,
                                                       play(fixture, fixture->qmp_peer), &error));
    next_call(fixture);

    script_qmp(fixture, "migrate", "{\"uri\": \"fd:state\"}", "{}");
    mf_qmp_migrate_async(fixture->qmp, "fd:state", CALL);
    g_assert_true(mf_qmp_migrate_finish(fixture->qmp, play(fixture, fixture->qmp_peer), &error));
    next_call(fixture);

    script_qmp(fixture, "query-migrate", NULL,
               "{\"status\": \"failed\", \"error-desc\": \"no\", \"total-time\": 0,"
               " \"blocked-reasons\": [\"9p\"],"
               " \"ram\": {\"transferred\": 1, \"remaining\": 2, \"total\": 3, \"mbps\": 0.5}}");
    mf_qmp_query_migrate_async(fixture->qmp, CALL);
    g_assert_true(
        mf_qmp_query_migrate_finish(fixture->qmp, play(fixture, fixture->qmp_peer), &info, &error));
    g_assert_no_error(error);
    g_assert_cmpint(info->status, ==, MF_QMP_MIGRATION_STATUS_FAILED);
    g_assert_cmpstr(info->error_desc, ==, "no");
    g_assert_true(info->has_total_time);
    g_assert_false(info->has_downtime);
    g_assert_cmpstr(info->blocked_reasons[0], ==, "9p");
    g_assert_cmpint(info->ram->total, ==, 3);
}

static void
test_a_descriptor_goes_with_its_command(Fixture *fixture, gconstpointer unused)
{
    MfQmpAddFdArguments arguments = {.opaque = "the log"};
    g_autoptr(MfQmpFdsetEntry) entry = NULL;
    g_autoptr(GError) error = NULL;
    mf_autofd received = -1;
    mf_autofd received_again = -1;
    int pipe_fds[2];

    g_assert_cmpint(pipe(pipe_fds), ==, 0);
    script_qmp(fixture, "getfd", "{\"fdname\": \"state\"}", "{}");
    mf_qmp_getfd_async(fixture->qmp, "state", pipe_fds[1], CALL);
    g_assert_true(mf_qmp_getfd_finish(fixture->qmp, play(fixture, fixture->qmp_peer), &error));
    received = peer_take_fd(fixture->qmp_peer);
    g_assert_cmpint(received, >=, 0);
    next_call(fixture);

    script_qmp(fixture, "add-fd", "{\"opaque\": \"the log\"}", "{\"fdset-id\": 3, \"fd\": 20}");
    mf_qmp_add_fd_async(fixture->qmp, &arguments, pipe_fds[1], CALL);
    g_assert_true(
        mf_qmp_add_fd_finish(fixture->qmp, play(fixture, fixture->qmp_peer), &entry, &error));
    g_assert_no_error(error);
    received_again = peer_take_fd(fixture->qmp_peer);
    g_assert_cmpint(received_again, >=, 0);
    g_assert_cmpint(entry->fdset_id, ==, 3);

    char byte = 0;
    g_assert_cmpint(write(received, "x", 1), ==, 1);
    g_assert_cmpint(read(pipe_fds[0], &byte, 1), ==, 1);
    g_assert_cmpint(byte, ==, 'x');
    close(pipe_fds[0]);
    close(pipe_fds[1]);
}

static void
test_a_reply_that_breaks_the_schema_is_refused(Fixture *fixture, gconstpointer unused)
{
    static const struct {
        const char *value, *message;
    } replies[] = {
        {"{\"running\": true}", "In the reply to 'query-status', member 'status' is missing."},
        {"{\"running\": 1, \"status\": \"running\"}",
         "In the reply to 'query-status', member 'running' is the number 1, but true or false is "
         "expected."},
        {"null", "In place of the reply to 'query-status' came null, but an object is expected."},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(replies); i++) {
        g_autoptr(GError) error = NULL;
        MfQmpStatusInfo *status = NULL;

        script_qmp(fixture, "query-status", NULL, replies[i].value);
        mf_qmp_query_status_async(fixture->qmp, CALL);
        g_assert_false(mf_qmp_query_status_finish(fixture->qmp, play(fixture, fixture->qmp_peer),
                                                  &status, &error));
        g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
        g_assert_cmpstr(error->message, ==, replies[i].message);
        g_assert_null(status);
        next_call(fixture);
    }
}

static void
test_an_empty_reply_must_be_an_object(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;

    script_qmp(fixture, "stop", NULL, "[]");
    mf_qmp_stop_async(fixture->qmp, CALL);
    g_assert_false(mf_qmp_stop_finish(fixture->qmp, play(fixture, fixture->qmp_peer), &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
}

static void
test_a_peers_own_error_comes_through(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(GError) error = NULL;
    MfQmpKvmInfo *kvm = NULL;

    peer_expect(fixture->qmp_peer, "query-kvm", NULL);
    peer_say(fixture->qmp_peer,
             "{\"id\": $ID, \"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\r\n");
    mf_qmp_query_kvm_async(fixture->qmp, CALL);
    g_assert_false(
        mf_qmp_query_kvm_finish(fixture->qmp, play(fixture, fixture->qmp_peer), &kvm, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_REMOTE);
    g_assert_null(kvm);
}

static void
test_events_are_known_by_their_name(void)
{
    g_assert_cmpint(mf_qmp_event_from_string("SHUTDOWN"), ==, MF_QMP_EVENT_SHUTDOWN);
    g_assert_cmpint(mf_qmp_event_from_string("VSERPORT_CHANGE"), ==, MF_QMP_EVENT_VSERPORT_CHANGE);
    g_assert_cmpint(mf_qmp_event_from_string("RTC_CHANGE"), ==, MF_QMP_EVENT_UNKNOWN);
    g_assert_cmpstr(mf_qmp_event_to_string(MF_QMP_EVENT_GUEST_PANICKED), ==, "GUEST_PANICKED");
}

static void
test_what_comes_with_an_event_is_checked(void)
{
    g_autoptr(json_object) data =
        json_tokener_parse("{\"guest\": true, \"reason\": \"guest-panic\"}");
    g_autoptr(json_object) newer = json_tokener_parse("{\"guest\": true, \"reason\": \"boredom\"}");
    g_autoptr(json_object) panic = json_tokener_parse("{\"action\": \"poweroff\"}");
    g_autoptr(GError) error = NULL;
    g_autoptr(MfQmpShutdownEvent) shutdown = mf_qmp_shutdown_event_from_json(data, &error);
    g_autoptr(MfQmpShutdownEvent) unknown = mf_qmp_shutdown_event_from_json(newer, &error);
    g_autoptr(MfQmpGuestPanic) panicked = mf_qmp_guest_panic_from_json(panic, &error);

    g_assert_no_error(error);
    g_assert_true(shutdown->guest);
    g_assert_cmpint(shutdown->reason, ==, MF_QMP_SHUTDOWN_CAUSE_GUEST_PANIC);
    g_assert_cmpint(unknown->reason, ==, MF_QMP_SHUTDOWN_CAUSE_UNKNOWN);
    g_assert_cmpint(panicked->action, ==, MF_QMP_GUEST_PANIC_ACTION_POWEROFF);
    g_assert_null(panicked->info);

    g_assert_null(mf_qmp_shutdown_event_from_json(NULL, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
    g_assert_cmpstr(error->message, ==,
                    "In place of the data of 'SHUTDOWN' came null, but an object is expected.");
}

static void
test_a_struct_survives_the_way_to_json_and_back(void)
{
    MfQmpVersionTriple triple = {7, 2, 22};
    MfQmpVersionInfo version = {&triple, (char *)"Debian"};
    g_autoptr(json_object) value = mf_qmp_version_info_to_json(&version);
    g_autoptr(MfQmpVersionInfo) copy = mf_qmp_version_info_from_json(value, NULL);

    g_assert_cmpint(copy->qemu->major, ==, 7);
    g_assert_cmpint(copy->qemu->micro, ==, 22);
    g_assert_cmpstr(copy->package, ==, "Debian");
}

static void
test_a_program_is_started_with_what_was_given(Fixture *fixture, gconstpointer unused)
{
    static const char *const arg[] = {"-c", "exit 3", "", NULL};
    static const char *const env[] = {NULL};
    MfQgaExecCapture flag = {.kind = MF_QGA_EXEC_CAPTURE_KIND_FLAG, .flag = TRUE};
    MfQgaExecCapture mode = {.kind = MF_QGA_EXEC_CAPTURE_KIND_MODE,
                             .mode = MF_QGA_EXEC_CAPTURE_MODE_MERGED};
    MfQgaGuestExecArguments full = {"sh", arg, env, "aGk=", &flag};
    MfQgaGuestExecArguments sparse = {.path = "sh", .capture_output = &mode};
    g_autoptr(MfQgaExecProcess) process = NULL;
    g_autoptr(MfQgaExecProcess) other = NULL;
    g_autoptr(GError) error = NULL;

    script_qga(fixture, "guest-exec",
               "{\"path\": \"sh\", \"arg\": [\"-c\", \"exit 3\", \"\"], \"env\": [],"
               " \"input-data\": \"aGk=\", \"capture-output\": true}",
               "{\"pid\": 42}");
    mf_qga_guest_exec_async(fixture->qga, &full, CALL);
    g_assert_true(
        mf_qga_guest_exec_finish(fixture->qga, play(fixture, fixture->qga_peer), &process, &error));
    g_assert_cmpint(process->pid, ==, 42);
    next_call(fixture);

    script_qga(fixture, "guest-exec", "{\"path\": \"sh\", \"capture-output\": \"merged\"}",
               "{\"pid\": 43}");
    mf_qga_guest_exec_async(fixture->qga, &sparse, CALL);
    g_assert_true(
        mf_qga_guest_exec_finish(fixture->qga, play(fixture, fixture->qga_peer), &other, &error));
    g_assert_no_error(error);
}

static void
test_a_killed_program_has_a_signal_and_no_exit_status(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(MfQgaExecStatus) status = NULL;
    g_autoptr(GError) error = NULL;

    script_qga(fixture, "guest-exec-status", "{\"pid\": 42}", "{\"exited\": true, \"signal\": 11}");
    mf_qga_guest_exec_status_async(fixture->qga, 42, CALL);
    g_assert_true(mf_qga_guest_exec_status_finish(fixture->qga, play(fixture, fixture->qga_peer),
                                                  &status, &error));
    g_assert_no_error(error);
    g_assert_true(status->exited);
    g_assert_false(status->has_exitcode);
    g_assert_true(status->has_signal);
    g_assert_cmpint(status->signal, ==, 11);
    g_assert_null(status->out_data);
}

static void
test_a_file_is_opened_and_positioned(Fixture *fixture, gconstpointer unused)
{
    g_autoptr(MfQgaFilePosition) position = NULL;
    g_autoptr(GError) error = NULL;
    gint64 handle = 0;

    script_qga(fixture, "guest-file-open", "{\"path\": \"/etc/hosts\"}", "1000");
    mf_qga_guest_file_open_async(fixture->qga, "/etc/hosts", NULL, CALL);
    g_assert_true(mf_qga_guest_file_open_finish(fixture->qga, play(fixture, fixture->qga_peer),
                                                &handle, &error));
    g_assert_cmpint(handle, ==, 1000);
    next_call(fixture);

    script_qga(fixture, "guest-file-seek",
               "{\"handle\": 1000, \"offset\": -5, \"whence\": \"end\"}",
               "{\"position\": 7, \"eof\": false}");
    mf_qga_guest_file_seek_async(fixture->qga, handle, -5, MF_QGA_FILE_WHENCE_END, CALL);
    g_assert_true(mf_qga_guest_file_seek_finish(fixture->qga, play(fixture, fixture->qga_peer),
                                                &position, &error));
    g_assert_no_error(error);
    g_assert_cmpint(position->position, ==, 7);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(Fixture *fixture, gconstpointer unused);
    } calls[] = {
        {"commands-without-arguments-are-sent-by-their-name",
         test_commands_without_arguments_are_sent_by_their_name},
        {"a-returned-object-becomes-a-struct", test_a_returned_object_becomes_a_struct},
        {"a-returned-array-becomes-an-array-of-structs",
         test_a_returned_array_becomes_an_array_of_structs},
        {"a-returned-string-is-owned-by-the-caller", test_a_returned_string_is_owned_by_the_caller},
        {"optional-arguments-are-sent-only-when-given",
         test_optional_arguments_are_sent_only_when_given},
        {"a-migration-is-set-up-and-followed", test_a_migration_is_set_up_and_followed},
        {"a-descriptor-goes-with-its-command", test_a_descriptor_goes_with_its_command},
        {"a-reply-that-breaks-the-schema-is-refused",
         test_a_reply_that_breaks_the_schema_is_refused},
        {"an-empty-reply-must-be-an-object", test_an_empty_reply_must_be_an_object},
        {"a-peers-own-error-comes-through", test_a_peers_own_error_comes_through},
        {"a-program-is-started-with-what-was-given", test_a_program_is_started_with_what_was_given},
        {"a-killed-program-has-a-signal-and-no-exit-status",
         test_a_killed_program_has_a_signal_and_no_exit_status},
        {"a-file-is-opened-and-positioned", test_a_file_is_opened_and_positioned},
    };

    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(calls); i++) {
        g_autofree char *path = g_strconcat("/qapi/", calls[i].name, NULL);

        g_test_add(path, Fixture, NULL, set_up, calls[i].run, tear_down);
    }
    g_test_add_func("/qapi/events-are-known-by-their-name", test_events_are_known_by_their_name);
    g_test_add_func("/qapi/what-comes-with-an-event-is-checked",
                    test_what_comes_with_an_event_is_checked);
    g_test_add_func("/qapi/a-struct-survives-the-way-to-json-and-back",
                    test_a_struct_survives_the_way_to_json_and_back);
    return g_test_run();
}

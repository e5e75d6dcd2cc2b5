/* SPDX-License-Identifier: Apache-2.0 */
#include "warm/store.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/tempdir.h"
#include "warm/build.h"
#include "warm/entry.h"
#include "warm/manifest.h"
#include "warm/wait.h"

#define MEMORY  (1u << 20)
#define DISK    (1u << 30)
#define TIME_MS 10000
#define NOBODY  65534

static const MfWarmSizes sizes = {MEMORY, DISK};

typedef struct {
    char *directory; /* owned; with the cache in it */
} Fixture;

static void
begin(Fixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    fixture->directory = mf_tempdir_make(&error);
    g_assert_no_error(error);
    g_setenv("MAYFLY_CACHE_DIR", fixture->directory, TRUE);
    g_unsetenv("MAYFLY_WARM_MAX");
}

static void
end(Fixture *fixture, gconstpointer data)
{
    mf_tempdir_remove(fixture->directory);
    g_free(fixture->directory);
}

static MfWarmKey *
make_key(const char *name)
{
    MfWarmKey *key = g_new0(MfWarmKey, 1);

    key->text = g_strdup(name);
    key->id = g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);
    return key;
}

static MfWarmBuild *
begin_build(const MfWarmKey *key)
{
    g_autoptr(GError) error = NULL;
    gboolean busy = TRUE;
    MfWarmBuild *build = mf_warm_build_begin(key, &sizes, &busy, &error);

    g_assert_no_error(error);
    g_assert_nonnull(build);
    g_assert_false(busy);
    return build;
}

/* Writes what QEMU would, and publishes it. */
static void
save(const MfWarmKey *key)
{
    g_autoptr(MfWarmBuild) build = begin_build(key);
    g_autoptr(GBytes) console = g_bytes_new_static("booted\n", 7);
    g_autoptr(GBytes) stream = g_bytes_new_static("fra", 3);
    const MfWarmExtras extras = {console, stream, "7.2.22", "/boot/vmlinuz"};
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(pwrite(mf_warm_build_get_ram_fd(build), "memory", 6, 4096), ==, 6);
    g_assert_cmpint(write(mf_warm_build_get_state_fd(build), "devices", 7), ==, 7);
    g_assert_true(mf_warm_build_commit(build, &extras, &error));
    g_assert_no_error(error);
}

static char *
path_of(const MfWarmKey *key, const char *name)
{
    g_autofree char *directory = mf_warm_store_path(key->id, "", NULL);

    return g_build_filename(directory, name, NULL);
}

static gboolean
exists(const MfWarmKey *key, const char *suffix)
{
    g_autofree char *path = mf_warm_store_path(key->id, suffix, NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

static void
assert_none(const MfWarmKey *key)
{
    g_autoptr(MfWarmEntry) entry = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_warm_entry_open(key, MEMORY, &entry, &error));
    g_assert_no_error(error);
    g_assert_null(entry);
}

static void
assert_good(const MfWarmKey *key)
{
    g_autoptr(MfWarmEntry) entry = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_warm_entry_open(key, MEMORY, &entry, &error));
    g_assert_no_error(error);
    g_assert_nonnull(entry);
}

/* What is wrong with it is said once, and then it is gone. */
static void
assert_distrusted(const MfWarmKey *key, const char *expected)
{
    g_autoptr(MfWarmEntry) entry = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_false(mf_warm_entry_open(key, MEMORY, &entry, &error));
    g_assert_null(entry);
    g_assert_nonnull(error);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, expected));
    assert_none(key);
    g_assert_false(exists(key, ""));
}

static void
test_what_is_saved_can_be_opened(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");
    g_autoptr(MfWarmEntry) entry = NULL;
    g_autofree char *directory = mf_warm_store_path(key->id, "", NULL);
    g_autofree char *ram = path_of(key, MF_WARM_RAM);
    struct stat status;
    char text[8] = "";

    assert_none(key);
    save(key);
    g_assert_true(mf_warm_entry_open(key, MEMORY, &entry, NULL));
    g_assert_cmpint(pread(entry->ram_fd, text, 6, 4096), ==, 6);
    g_assert_cmpstr(text, ==, "memory");
    g_assert_cmpint(read(entry->state_fd, text, sizeof(text)), ==, 7);
    g_assert_cmpmem(g_bytes_get_data(entry->console, NULL), g_bytes_get_size(entry->console),
                    "booted\n", 7);
    g_assert_cmpmem(g_bytes_get_data(entry->stream, NULL), g_bytes_get_size(entry->stream), "fra",
                    3);
    g_assert_cmpstr(entry->qemu_version, ==, "7.2.22");

    g_assert_cmpint(stat(directory, &status), ==, 0);
    g_assert_cmphex(status.st_mode & 0777, ==, 0700);
    g_assert_cmpint(stat(ram, &status), ==, 0);
    g_assert_cmphex(status.st_mode & 0777, ==, 0600);
    g_assert_cmpint(status.st_blocks * 512, <, MEMORY);
    g_assert_false(exists(key, MF_WARM_BUILDING));
}

static void
test_an_opened_machine_outlives_its_removal(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");
    g_autoptr(MfWarmEntry) entry = NULL;
    char text[8] = "";

    save(key);
    g_assert_true(mf_warm_entry_open(key, MEMORY, &entry, NULL));
    mf_warm_store_remove(key->id);
    g_assert_false(exists(key, ""));
    g_assert_cmpint(pread(entry->ram_fd, text, 6, 4096), ==, 6);
    g_assert_cmpstr(text, ==, "memory");
}

static void
truncate_by_one(const char *path)
{
    struct stat status;

    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpint(truncate(path, status.st_size - 1), ==, 0);
}

static void
flip_first_bit(const char *path)
{
    int fd = open(path, O_RDWR);
    guint8 byte;

    g_assert_cmpint(pread(fd, &byte, 1, 0), ==, 1);
    byte ^= 1;
    g_assert_cmpint(pwrite(fd, &byte, 1, 0), ==, 1);
    close(fd);
}

static void
remove_file(const char *path)
{
    g_assert_cmpint(unlink(path), ==, 0);
}

static void
test_damage_to_any_file_is_found(Fixture *fixture, gconstpointer data)
{
    static const char *const names[] = {MF_WARM_RAM,     MF_WARM_STATE,  MF_WARM_OVERLAY,
                                        MF_WARM_CONSOLE, MF_WARM_STREAM, MF_WARM_MANIFEST};
    static void (*const damages[])(const char *path) = {truncate_by_one, flip_first_bit,
                                                        remove_file};
    g_autoptr(MfWarmKey) key = make_key("a");

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = path_of(key, names[i]);

        for (gsize j = 0; j < G_N_ELEMENTS(damages); j++) {
            save(key);
            assert_good(key);
            damages[j](path);
            assert_distrusted(key, "");
        }
    }
}

/* With as many bytes, and the times of before, it is still another file. */
static void
test_replaced_memory_or_overlay_is_found(Fixture *fixture, gconstpointer data)
{
    static const char *const names[] = {MF_WARM_RAM, MF_WARM_OVERLAY};
    g_autoptr(MfWarmKey) key = make_key("a");

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = path_of(key, names[i]);
        g_autofree char *quoted = g_strdup_printf("'%s'", names[i]);
        struct stat status;

        save(key);
        g_assert_cmpint(stat(path, &status), ==, 0);
        const struct timespec times[] = {status.st_atim, status.st_mtim};
        flip_first_bit(path);
        g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
        assert_distrusted(key, quoted);
    }
}

static void
test_a_machine_without_a_disk_has_no_overlay(Fixture *fixture, gconstpointer data)
{
    static const MfWarmSizes diskless = {MEMORY, 0};
    g_autoptr(MfWarmKey) key = make_key("a");
    g_autoptr(MfWarmEntry) entry = NULL;
    g_autofree char *path = path_of(key, MF_WARM_OVERLAY);
    const MfWarmExtras extras = {NULL, NULL, "7.2.22", "/boot/vmlinuz"};
    gboolean busy;

    {
        g_autoptr(MfWarmBuild) build = mf_warm_build_begin(key, &diskless, &busy, NULL);

        g_assert_cmpint(mf_warm_build_get_overlay_fd(build), ==, -1);
        g_assert_true(mf_warm_build_commit(build, &extras, NULL));
    }
    g_assert_true(mf_warm_entry_open(key, MEMORY, &entry, NULL));
    g_assert_cmpint(entry->overlay_fd, ==, -1);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

/* Whoever has it open cannot write to it. */
static void
test_an_overlay_is_opened_to_be_read_only(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");
    g_autoptr(MfWarmEntry) entry = NULL;
    char magic[4];

    save(key);
    g_assert_true(mf_warm_entry_open(key, MEMORY, &entry, NULL));
    g_assert_cmpint(pread(entry->overlay_fd, magic, sizeof(magic), 0), ==, sizeof(magic));
    g_assert_cmpmem(magic, sizeof(magic), "QFI\xfb", 4);
    g_assert_cmpint(pwrite(entry->overlay_fd, magic, sizeof(magic), 0), ==, -1);
}

static void
test_another_size_of_memory_is_refused(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");
    MfWarmEntry *entry = NULL;
    g_autoptr(GError) error = NULL;

    save(key);
    g_assert_false(mf_warm_entry_open(key, 2 * MEMORY, &entry, &error));
    g_assert_nonnull(error);
}

static void
test_a_machine_of_another_boot_of_the_host_is_refused(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");
    g_autofree char *directory = mf_warm_store_path(key->id, "", NULL);

    save(key);
    g_autoptr(MfWarmManifest) manifest = mf_warm_manifest_read(directory, NULL);
    g_assert_nonnull(manifest);
    g_free(manifest->host_boot);
    manifest->host_boot = g_strdup("another");
    g_assert_true(mf_warm_manifest_write(manifest, directory, NULL));
    assert_distrusted(key, "before this host was started");
}

static void
test_a_machine_under_another_name_is_refused(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");
    g_autoptr(MfWarmKey) other = make_key("b");
    g_autofree char *from = mf_warm_store_path(key->id, "", NULL);
    g_autofree char *to = mf_warm_store_path(other->id, "", NULL);

    save(key);
    g_assert_cmpint(rename(from, to), ==, 0);
    assert_distrusted(other, "under another key");
}

static void
test_two_never_save_the_same(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");
    g_autoptr(MfWarmKey) other = make_key("b");
    g_autoptr(GError) error = NULL;
    gboolean busy = FALSE;

    {
        g_autoptr(MfWarmBuild) build = begin_build(key);
        g_autoptr(MfWarmBuild) unrelated = begin_build(other);

        g_assert_null(mf_warm_build_begin(key, &sizes, &busy, &error));
        g_assert_no_error(error);
        g_assert_true(busy);
        g_assert_true(mf_warm_store_is_locked(key->id));
        /* Nor is it removed under the builder's hands. */
        mf_warm_store_remove(key->id);
        mf_warm_store_prune(0, NULL);
        g_assert_true(exists(key, MF_WARM_BUILDING));
    }
    g_assert_false(mf_warm_store_is_locked(key->id));
    g_assert_false(exists(key, MF_WARM_BUILDING));
    g_assert_false(exists(key, MF_WARM_LOCK));
    save(key);
    assert_good(key);
}

static void
test_an_abandoned_attempt_leaves_the_machine_that_was_there(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");

    save(key);
    mf_warm_build_free(begin_build(key));
    g_assert_false(exists(key, MF_WARM_BUILDING));
    g_assert_true(exists(key, MF_WARM_LOCK));
    assert_good(key);
}

/* A child that begins to save and is killed, as mayfly may be. */
static void
build_and_die(const MfWarmKey *key)
{
    pid_t pid = fork();

    if (pid == 0) {
        gboolean busy;
        MfWarmBuild *build = mf_warm_build_begin(key, &sizes, &busy, NULL);

        if (build)
            raise(SIGKILL);
        _exit(1);
    }
    int status;
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFSIGNALED(status));
}

static void
test_what_a_killed_builder_leaves_is_never_trusted(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");
    g_autoptr(MfWarmKey) other = make_key("b");

    build_and_die(key);
    build_and_die(other);
    g_assert_true(exists(key, MF_WARM_BUILDING));
    assert_none(key);

    /* The next one to save it takes over; and pruning sweeps what nobody takes over. */
    save(key);
    assert_good(key);
    g_assert_false(exists(key, MF_WARM_BUILDING));
    g_assert_false(exists(other, MF_WARM_BUILDING));
    assert_none(other);
}

static void
set_used(const MfWarmKey *key, gint64 seconds)
{
    g_autofree char *path = mf_warm_store_path(key->id, "", NULL);
    const struct timespec times[] = {{.tv_sec = seconds}, {.tv_sec = seconds}};

    g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
}

static void
test_the_least_recently_used_goes_first(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) old = make_key("old");
    g_autoptr(MfWarmKey) used = make_key("used");
    g_autoptr(MfWarmKey) young = make_key("young");

    save(old);
    save(used);
    save(young);
    set_used(old, 1000);
    set_used(used, 900);
    set_used(young, 2000);
    assert_good(used); /* which makes it the last one used */

    g_autoptr(GPtrArray) items = mf_warm_store_list(NULL);
    g_assert_cmpuint(items->len, ==, 3);
    const MfWarmItem *first = items->pdata[0], *last = items->pdata[2];
    g_assert_cmpstr(first->id, ==, used->id);
    g_assert_cmpstr(first->label, ==, "/boot/vmlinuz");
    g_assert_cmpstr(last->id, ==, old->id);
    g_assert_cmpuint(last->size, >, 0);

    mf_warm_store_prune(3 * last->size, NULL);
    g_assert_true(exists(old, ""));
    mf_warm_store_prune(3 * last->size - 1, NULL);
    g_assert_false(exists(old, ""));
    g_assert_true(exists(young, ""));
    mf_warm_store_prune(0, young->id);
    g_assert_false(exists(used, ""));
    g_assert_true(exists(young, ""));
}

static void
test_saving_keeps_within_the_bound(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) old = make_key("old");
    g_autoptr(MfWarmKey) young = make_key("young");
    guint64 max;

    g_assert_true(mf_warm_store_get_max(&max, NULL));
    g_assert_cmpuint(max, ==, MF_WARM_DEFAULT_MAX);
    save(old);
    g_setenv("MAYFLY_WARM_MAX", "1K", TRUE);
    save(young);
    g_assert_false(exists(old, ""));
    assert_good(young);

    g_autoptr(GError) error = NULL;
    g_setenv("MAYFLY_WARM_MAX", "much", TRUE);
    g_assert_false(mf_warm_store_get_max(&max, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_true(g_str_has_prefix(error->message,
                                   "The variable MAYFLY_WARM_MAX is wrong: 'much' is not a size"));
}

static void
test_a_refusal_is_remembered(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");

    g_assert_null(mf_warm_store_get_refusal(key->id));
    mf_warm_store_refuse(key->id, "No.");
    g_autofree char *reason = mf_warm_store_get_refusal(key->id);
    g_assert_cmpstr(reason, ==, "No.");
}

/* Makes a file as old as that. */
static void
set_age(const char *path, time_t seconds)
{
    const time_t then = time(NULL) - seconds;
    const struct timespec times[2] = {{.tv_sec = then}, {.tv_sec = then}};

    g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
}

static void
test_a_refusal_is_forgotten_after_a_day(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");

    mf_warm_store_refuse(key->id, "State blocked.");
    g_autofree char *path = mf_warm_store_path(key->id, MF_WARM_REFUSED, NULL);

    set_age(path, MF_WARM_REFUSAL_SECONDS - 60);
    g_autofree char *young = mf_warm_store_get_refusal(key->id);
    g_assert_cmpstr(young, ==, "State blocked.");
    set_age(path, MF_WARM_REFUSAL_SECONDS);
    g_assert_null(mf_warm_store_get_refusal(key->id));
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void
test_pruning_removes_old_refusals_only(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");
    g_autoptr(MfWarmKey) other = make_key("b");

    mf_warm_store_refuse(key->id, "now");
    mf_warm_store_refuse(other->id, "long ago");
    g_autofree char *young = mf_warm_store_path(key->id, MF_WARM_REFUSED, NULL);
    g_autofree char *old = mf_warm_store_path(other->id, MF_WARM_REFUSED, NULL);

    set_age(old, MF_WARM_REFUSAL_SECONDS);
    mf_warm_store_prune(0, NULL);
    g_assert_true(g_file_test(young, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(old, G_FILE_TEST_EXISTS));
}

static void
test_looking_makes_nothing(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");
    g_autofree char *section = g_build_filename(fixture->directory, "warm", NULL);
    g_autoptr(GPtrArray) items = mf_warm_store_list(NULL);

    g_assert_cmpuint(items->len, ==, 0);
    g_assert_null(mf_warm_store_get_refusal(key->id));
    g_assert_false(mf_warm_store_is_locked(key->id));
    mf_warm_store_prune(0, NULL);
    g_assert_false(g_file_test(section, G_FILE_TEST_EXISTS));
}

static void
test_memory_that_does_not_fit_is_not_begun(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");
    g_autoptr(GError) error = NULL;
    const MfWarmSizes huge = {G_GUINT64_CONSTANT(1) << 50, 0};
    gboolean busy;

    g_assert_null(mf_warm_build_begin(key, &huge, &busy, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, "no room"));
    g_assert_false(exists(key, MF_WARM_BUILDING));
    g_assert_false(mf_warm_store_is_locked(key->id));
}

/* In a child, which can give up root's rights. */
static void
test_an_unwritable_cache_fails_with_its_path(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");
    gboolean busy;

    if (!g_test_subprocess()) {
        g_test_trap_subprocess("/warm-store/an-unwritable-cache-fails-with-its-path", 0, 0);
        g_test_trap_assert_passed();
        return;
    }
    g_assert_cmpint(chmod(fixture->directory, 0555), ==, 0);
    gboolean is_root = geteuid() == 0;
    if (is_root)
        g_assert_cmpint(seteuid(NOBODY), ==, 0);
    g_autoptr(GError) error = NULL;
    g_assert_null(mf_warm_build_begin(key, &sizes, &busy, &error));
    /* What root made, root removes. */
    if (is_root)
        g_assert_cmpint(seteuid(0), ==, 0);
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, fixture->directory));
}

typedef struct {
    gboolean done;
    GError *error; /* owned */
} Waited;

static void
on_waited(GObject *source, GAsyncResult *result, gpointer data)
{
    Waited *waited = data;

    mf_warm_wait_finish(result, &waited->error);
    waited->done = TRUE;
}

static void
start_wait(Waited *waited, const MfWarmKey *key, guint timeout_ms, GCancellable *cancellable)
{
    *waited = (Waited){0};
    mf_warm_wait_async(key->id, timeout_ms, cancellable, on_waited, waited);
}

static void
finish_wait(Waited *waited)
{
    while (!waited->done)
        g_main_context_iteration(NULL, TRUE);
}

static void
test_a_wait_ends_with_the_builder(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");
    MfWarmBuild *build = begin_build(key);
    Waited waited, second;

    start_wait(&waited, key, TIME_MS, NULL);
    start_wait(&second, key, TIME_MS, NULL);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_false(waited.done);
    mf_warm_build_free(build);
    finish_wait(&waited);
    finish_wait(&second);
    g_assert_no_error(waited.error);
    g_assert_no_error(second.error);
}

static void
test_a_wait_ends_when_the_builder_is_killed(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");
    int ready[2];
    char byte;
    Waited waited;

    g_assert_cmpint(pipe(ready), ==, 0);
    pid_t pid = fork();
    if (pid == 0) {
        begin_build(key);
        g_assert_cmpint(write(ready[1], "r", 1), ==, 1);
        pause();
        _exit(1);
    }
    g_assert_cmpint(read(ready[0], &byte, 1), ==, 1);
    start_wait(&waited, key, TIME_MS, NULL);
    g_assert_false(waited.done);
    kill(pid, SIGKILL);
    finish_wait(&waited);
    g_assert_no_error(waited.error);
    waitpid(pid, NULL, 0);
    close(ready[0]);
    close(ready[1]);
}

/* The lock's file goes with the first, and the second makes another. */
static void
test_a_wait_goes_on_with_the_next_builder(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");
    MfWarmBuild *build = begin_build(key);
    Waited waited;

    start_wait(&waited, key, TIME_MS, NULL);
    mf_warm_build_free(build);
    build = begin_build(key);
    while (g_main_context_iteration(NULL, FALSE))
        ;
    g_assert_false(waited.done);
    mf_warm_build_free(build);
    finish_wait(&waited);
    g_assert_no_error(waited.error);
}

static void
test_a_wait_for_nobody_ends_at_once(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");
    Waited waited;

    start_wait(&waited, key, TIME_MS, NULL);
    finish_wait(&waited);
    g_assert_no_error(waited.error);

    save(key);
    start_wait(&waited, key, TIME_MS, NULL);
    finish_wait(&waited);
    g_assert_no_error(waited.error);
}

static void
test_a_wait_is_bounded_and_can_be_cancelled(Fixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = make_key("a");
    g_autoptr(MfWarmBuild) build = begin_build(key);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    Waited waited;

    start_wait(&waited, key, 1, NULL);
    finish_wait(&waited);
    g_assert_error(waited.error, MF_ERROR, MF_ERROR_TIMEOUT);
    g_clear_error(&waited.error);

    start_wait(&waited, key, TIME_MS, cancellable);
    g_cancellable_cancel(cancellable);
    finish_wait(&waited);
    g_assert_error(waited.error, MF_ERROR, MF_ERROR_CANCELLED);
    g_clear_error(&waited.error);
}

static const struct {
    const char *path;
    void (*test)(Fixture *fixture, gconstpointer data);
} tests[] = {
    {"what-is-saved-can-be-opened", test_what_is_saved_can_be_opened},
    {"an-opened-machine-outlives-its-removal", test_an_opened_machine_outlives_its_removal},
    {"damage-to-any-file-is-found", test_damage_to_any_file_is_found},
    {"replaced-memory-or-overlay-is-found", test_replaced_memory_or_overlay_is_found},
    {"a-machine-without-a-disk-has-no-overlay", test_a_machine_without_a_disk_has_no_overlay},
    {"an-overlay-is-opened-to-be-read-only", test_an_overlay_is_opened_to_be_read_only},
    {"another-size-of-memory-is-refused", test_another_size_of_memory_is_refused},
    {"a-machine-of-another-boot-of-the-host-is-refused",
     test_a_machine_of_another_boot_of_the_host_is_refused},
    {"a-machine-under-another-name-is-refused", test_a_machine_under_another_name_is_refused},
    {"two-never-save-the-same", test_two_never_save_the_same},
    {"an-abandoned-attempt-leaves-the-machine-that-was-there",
     test_an_abandoned_attempt_leaves_the_machine_that_was_there},
    {"what-a-killed-builder-leaves-is-never-trusted",
     test_what_a_killed_builder_leaves_is_never_trusted},
    {"the-least-recently-used-goes-first", test_the_least_recently_used_goes_first},
    {"saving-keeps-within-the-bound", test_saving_keeps_within_the_bound},
    {"a-refusal-is-remembered", test_a_refusal_is_remembered},
    {"a-refusal-is-forgotten-after-a-day", test_a_refusal_is_forgotten_after_a_day},
    {"pruning-removes-old-refusals-only", test_pruning_removes_old_refusals_only},
    {"looking-makes-nothing", test_looking_makes_nothing},
    {"memory-that-does-not-fit-is-not-begun", test_memory_that_does_not_fit_is_not_begun},
    {"an-unwritable-cache-fails-with-its-path", test_an_unwritable_cache_fails_with_its_path},
    {"a-wait-ends-with-the-builder", test_a_wait_ends_with_the_builder},
    {"a-wait-ends-when-the-builder-is-killed", test_a_wait_ends_when_the_builder_is_killed},
    {"a-wait-goes-on-with-the-next-builder", test_a_wait_goes_on_with_the_next_builder},
    {"a-wait-for-nobody-ends-at-once", test_a_wait_for_nobody_ends_at_once},
    {"a-wait-is-bounded-and-can-be-cancelled", test_a_wait_is_bounded_and_can_be_cancelled},
};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (gsize i = 0; i < G_N_ELEMENTS(tests); i++) {
        g_autofree char *path = g_strconcat("/warm-store/", tests[i].path, NULL);

        g_test_add(path, Fixture, NULL, begin, tests[i].test, end);
    }
    return g_test_run();
}

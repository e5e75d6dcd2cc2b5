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
#include "warm-fixture.h"
#include "warm/entry.h"
#include "warm/manifest.h"

#define NOBODY 65534

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

    g_assert_true(mf_warm_entry_open(key, WARM_FIXTURE_MEMORY, &entry, &error));
    g_assert_no_error(error);
    g_assert_null(entry);
}

static void
assert_good(const MfWarmKey *key)
{
    g_autoptr(MfWarmEntry) entry = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_true(mf_warm_entry_open(key, WARM_FIXTURE_MEMORY, &entry, &error));
    g_assert_no_error(error);
    g_assert_nonnull(entry);
}

/* What is wrong with it is said once, and then it is gone. */
static void
assert_distrusted(const MfWarmKey *key, const char *expected)
{
    g_autoptr(MfWarmEntry) entry = NULL;
    g_autoptr(GError) error = NULL;

    g_assert_false(mf_warm_entry_open(key, WARM_FIXTURE_MEMORY, &entry, &error));
    g_assert_null(entry);
    g_assert_nonnull(error);
    g_test_message("%s", error->message);
    g_assert_nonnull(strstr(error->message, expected));
    assert_none(key);
    g_assert_false(exists(key, ""));
}

static void
test_what_is_saved_can_be_opened(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");
    g_autoptr(MfWarmEntry) entry = NULL;
    g_autofree char *directory = mf_warm_store_path(key->id, "", NULL);
    g_autofree char *ram = path_of(key, MF_WARM_RAM);
    struct stat status;
    char text[8] = "";

    assert_none(key);
    warm_fixture_save(key);
    g_assert_true(mf_warm_entry_open(key, WARM_FIXTURE_MEMORY, &entry, NULL));
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
    g_assert_cmpint(status.st_blocks * 512, <, WARM_FIXTURE_MEMORY);
    g_assert_false(exists(key, MF_WARM_BUILDING));
}

static void
test_an_opened_machine_outlives_its_removal(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");
    g_autoptr(MfWarmEntry) entry = NULL;
    char text[8] = "";

    warm_fixture_save(key);
    g_assert_true(mf_warm_entry_open(key, WARM_FIXTURE_MEMORY, &entry, NULL));
    mf_warm_store_remove(key->id, NULL);
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
test_damage_to_any_file_is_found(WarmFixture *fixture, gconstpointer data)
{
    static const char *const names[] = {MF_WARM_RAM,     MF_WARM_STATE,  MF_WARM_OVERLAY,
                                        MF_WARM_CONSOLE, MF_WARM_STREAM, MF_WARM_MANIFEST};
    static void (*const damages[])(const char *path) = {truncate_by_one, flip_first_bit,
                                                        remove_file};
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = path_of(key, names[i]);

        for (gsize j = 0; j < G_N_ELEMENTS(damages); j++) {
            warm_fixture_save(key);
            assert_good(key);
            damages[j](path);
            assert_distrusted(key, "");
        }
    }
}

/* With as many bytes, and the times of before, it is still another file. */
static void
test_replaced_memory_or_overlay_is_found(WarmFixture *fixture, gconstpointer data)
{
    static const char *const names[] = {MF_WARM_RAM, MF_WARM_OVERLAY};
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");

    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = path_of(key, names[i]);
        g_autofree char *quoted = g_strdup_printf("'%s'", names[i]);
        struct stat status;

        warm_fixture_save(key);
        g_assert_cmpint(stat(path, &status), ==, 0);
        const struct timespec times[] = {status.st_atim, status.st_mtim};
        flip_first_bit(path);
        g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
        assert_distrusted(key, quoted);
    }
}

static void
test_a_machine_without_a_disk_has_no_overlay(WarmFixture *fixture, gconstpointer data)
{
    static const MfWarmSizes diskless = {WARM_FIXTURE_MEMORY, 0};
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");
    g_autoptr(MfWarmEntry) entry = NULL;
    g_autofree char *path = path_of(key, MF_WARM_OVERLAY);
    const MfWarmExtras extras = {NULL, NULL, "7.2.22", "/boot/vmlinuz"};
    gboolean busy;

    {
        g_autoptr(MfWarmBuild) build = mf_warm_build_begin(key, &diskless, &busy, NULL);

        g_assert_cmpint(mf_warm_build_get_overlay_fd(build), ==, -1);
        g_assert_true(mf_warm_build_commit(build, &extras, NULL));
    }
    g_assert_true(mf_warm_entry_open(key, WARM_FIXTURE_MEMORY, &entry, NULL));
    g_assert_cmpint(entry->overlay_fd, ==, -1);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

/* Whoever has it open cannot write to it. */
static void
test_an_overlay_is_opened_to_be_read_only(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");
    g_autoptr(MfWarmEntry) entry = NULL;
    char magic[4];

    warm_fixture_save(key);
    g_assert_true(mf_warm_entry_open(key, WARM_FIXTURE_MEMORY, &entry, NULL));
    g_assert_cmpint(pread(entry->overlay_fd, magic, sizeof(magic), 0), ==, sizeof(magic));
    g_assert_cmpmem(magic, sizeof(magic), "QFI\xfb", 4);
    g_assert_cmpint(pwrite(entry->overlay_fd, magic, sizeof(magic), 0), ==, -1);
}

static void
test_another_size_of_memory_is_refused(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");
    MfWarmEntry *entry = NULL;
    g_autoptr(GError) error = NULL;

    warm_fixture_save(key);
    g_assert_false(mf_warm_entry_open(key, 2 * WARM_FIXTURE_MEMORY, &entry, &error));
    g_assert_nonnull(error);
}

static void
test_a_machine_of_another_boot_of_the_host_is_refused(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");
    g_autofree char *directory = mf_warm_store_path(key->id, "", NULL);

    warm_fixture_save(key);
    g_autoptr(MfWarmManifest) manifest = mf_warm_manifest_read(directory, NULL);
    g_assert_nonnull(manifest);
    g_free(manifest->host_boot);
    manifest->host_boot = g_strdup("another");
    g_assert_true(mf_warm_manifest_write(manifest, directory, NULL));
    assert_distrusted(key, "before this host was started");
}

static void
test_a_machine_under_another_name_is_refused(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");
    g_autoptr(MfWarmKey) other = warm_fixture_key("b");
    g_autofree char *from = mf_warm_store_path(key->id, "", NULL);
    g_autofree char *to = mf_warm_store_path(other->id, "", NULL);

    warm_fixture_save(key);
    g_assert_cmpint(rename(from, to), ==, 0);
    assert_distrusted(other, "under another key");
}

static void
test_two_never_save_the_same(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");
    g_autoptr(MfWarmKey) other = warm_fixture_key("b");
    g_autoptr(GError) error = NULL;
    gboolean busy = FALSE;

    {
        g_autoptr(MfWarmBuild) build = warm_fixture_begin(key);
        g_autoptr(MfWarmBuild) unrelated = warm_fixture_begin(other);

        g_assert_null(mf_warm_build_begin(key, &warm_fixture_sizes, &busy, &error));
        g_assert_no_error(error);
        g_assert_true(busy);
        g_assert_true(mf_warm_store_is_locked(key->id));
        /* Nor is it removed under the builder's hands. */
        mf_warm_store_remove(key->id, NULL);
        mf_warm_store_prune(0, NULL, NULL);
        g_assert_true(exists(key, MF_WARM_BUILDING));
    }
    g_assert_false(mf_warm_store_is_locked(key->id));
    g_assert_false(exists(key, MF_WARM_BUILDING));
    g_assert_false(exists(key, MF_WARM_LOCK));
    warm_fixture_save(key);
    assert_good(key);
}

static void
test_an_abandoned_attempt_leaves_the_machine_that_was_there(WarmFixture *fixture,
                                                            gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");

    warm_fixture_save(key);
    mf_warm_build_free(warm_fixture_begin(key));
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
        MfWarmBuild *build = mf_warm_build_begin(key, &warm_fixture_sizes, &busy, NULL);

        if (build)
            raise(SIGKILL);
        _exit(1);
    }
    int status;
    g_assert_cmpint(waitpid(pid, &status, 0), ==, pid);
    g_assert_true(WIFSIGNALED(status));
}

static void
test_what_a_killed_builder_leaves_is_never_trusted(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");
    g_autoptr(MfWarmKey) other = warm_fixture_key("b");

    build_and_die(key);
    build_and_die(other);
    g_assert_true(exists(key, MF_WARM_BUILDING));
    assert_none(key);

    /* The next one to save it takes over; and pruning sweeps what nobody takes over. */
    warm_fixture_save(key);
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
test_the_least_recently_used_goes_first(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) old = warm_fixture_key("old");
    g_autoptr(MfWarmKey) used = warm_fixture_key("used");
    g_autoptr(MfWarmKey) young = warm_fixture_key("young");

    warm_fixture_save(old);
    warm_fixture_save(used);
    warm_fixture_save(young);
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

    mf_warm_store_prune(3 * last->size, NULL, NULL);
    g_assert_true(exists(old, ""));
    mf_warm_store_prune(3 * last->size - 1, NULL, NULL);
    g_assert_false(exists(old, ""));
    g_assert_true(exists(young, ""));
    mf_warm_store_prune(0, young->id, NULL);
    g_assert_false(exists(used, ""));
    g_assert_true(exists(young, ""));
}

/* Makes what a machine takes larger by that. */
static void
add_bytes(const MfWarmKey *key, gsize size)
{
    g_autofree char *path = path_of(key, "filler");
    g_autofree char *bytes = g_malloc0(size);

    g_assert_true(g_file_set_contents(path, bytes, (gssize)size, NULL));
}

/* A large one does not go before one that was used longer ago. */
static void
test_what_stays_was_used_after_what_goes(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) old = warm_fixture_key("old");
    g_autoptr(MfWarmKey) large = warm_fixture_key("large");
    g_autoptr(MfWarmKey) young = warm_fixture_key("young");

    warm_fixture_save(old);
    warm_fixture_save(large);
    warm_fixture_save(young);
    add_bytes(large, WARM_FIXTURE_MEMORY);
    set_used(old, 1000);
    set_used(large, 2000);

    g_autoptr(GPtrArray) items = mf_warm_store_list(NULL);
    const MfWarmItem *last = items->pdata[2];
    g_assert_cmpstr(last->id, ==, old->id);
    g_assert_true(mf_warm_store_prune(2 * last->size, NULL, NULL));
    g_assert_false(exists(old, ""));
    g_assert_false(exists(large, ""));
    g_assert_true(exists(young, ""));
}

static void
test_saving_keeps_within_the_bound(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) old = warm_fixture_key("old");
    g_autoptr(MfWarmKey) young = warm_fixture_key("young");
    guint64 max;

    g_assert_true(mf_warm_store_get_max(&max, NULL));
    g_assert_cmpuint(max, ==, MF_WARM_DEFAULT_MAX);
    warm_fixture_save(old);
    g_setenv("MAYFLY_WARM_MAX", "1K", TRUE);
    warm_fixture_save(young);
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
test_a_refusal_is_remembered(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");

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
test_a_refusal_is_forgotten_after_a_day(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");

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
test_pruning_removes_old_refusals_only(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");
    g_autoptr(MfWarmKey) other = warm_fixture_key("b");

    mf_warm_store_refuse(key->id, "now");
    mf_warm_store_refuse(other->id, "long ago");
    g_autofree char *young = mf_warm_store_path(key->id, MF_WARM_REFUSED, NULL);
    g_autofree char *old = mf_warm_store_path(other->id, MF_WARM_REFUSED, NULL);

    set_age(old, MF_WARM_REFUSAL_SECONDS);
    mf_warm_store_prune(0, NULL, NULL);
    g_assert_true(g_file_test(young, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(old, G_FILE_TEST_EXISTS));
}

/* Of who was killed before there was anything else, or after it was gone. */
static void
test_pruning_removes_locks_that_nobody_holds(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) forsaken = warm_fixture_key("a");
    g_autoptr(MfWarmKey) held = warm_fixture_key("b");
    g_autoptr(MfWarmKey) saved = warm_fixture_key("c");
    gboolean busy;
    mf_autofd lock = mf_warm_store_lock(held->id, &busy, NULL);

    close(mf_warm_store_lock(forsaken->id, &busy, NULL));
    warm_fixture_save(saved);
    g_assert_true(mf_warm_store_prune(MF_WARM_DEFAULT_MAX, NULL, NULL));
    g_assert_false(exists(forsaken, MF_WARM_LOCK));
    g_assert_true(exists(held, MF_WARM_LOCK));
    g_assert_true(exists(saved, MF_WARM_LOCK));
}

/* Runs a test again in a child, where it may give up root's rights; FALSE in the parent. */
static gboolean
enter_child(const char *path)
{
    if (g_test_subprocess())
        return TRUE;
    g_test_trap_subprocess(path, 0, 0);
    g_test_trap_assert_passed();
    return FALSE;
}

static void
test_what_cannot_be_removed_is_said(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");
    g_autoptr(GError) error = NULL;
    g_autofree char *section = g_build_filename(fixture->directory, "warm", NULL);

    if (!enter_child("/warm-store/what-cannot-be-removed-is-said"))
        return;
    warm_fixture_save(key);
    g_assert_cmpint(chmod(fixture->directory, 0755), ==, 0);
    g_assert_cmpint(chmod(section, 0555), ==, 0);
    gboolean is_root = geteuid() == 0;
    if (is_root)
        g_assert_cmpint(seteuid(NOBODY), ==, 0);
    gboolean good = mf_warm_store_prune(0, NULL, &error);
    if (is_root)
        g_assert_cmpint(seteuid(0), ==, 0);
    g_assert_false(good);
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, section));
    g_assert_cmpint(chmod(section, 0700), ==, 0);
    assert_good(key);
}

static void
test_looking_makes_nothing(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");
    g_autofree char *section = g_build_filename(fixture->directory, "warm", NULL);
    g_autoptr(GPtrArray) items = mf_warm_store_list(NULL);

    g_assert_cmpuint(items->len, ==, 0);
    g_assert_null(mf_warm_store_get_refusal(key->id));
    g_assert_false(mf_warm_store_is_locked(key->id));
    assert_none(key);
    mf_warm_store_prune(0, NULL, NULL);
    g_assert_false(g_file_test(section, G_FILE_TEST_EXISTS));
}

static void
test_memory_that_does_not_fit_is_not_begun(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");
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
test_an_unwritable_cache_fails_with_its_path(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(MfWarmKey) key = warm_fixture_key("a");
    gboolean busy;

    if (!enter_child("/warm-store/an-unwritable-cache-fails-with-its-path"))
        return;
    g_assert_cmpint(chmod(fixture->directory, 0555), ==, 0);
    gboolean is_root = geteuid() == 0;
    if (is_root)
        g_assert_cmpint(seteuid(NOBODY), ==, 0);
    g_autoptr(GError) error = NULL;
    g_assert_null(mf_warm_build_begin(key, &warm_fixture_sizes, &busy, &error));
    /* What root made, root removes. */
    if (is_root)
        g_assert_cmpint(seteuid(0), ==, 0);
    g_assert_error(error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(error->message, fixture->directory));
}

static const WarmTest tests[] = {
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
    {"what-stays-was-used-after-what-goes", test_what_stays_was_used_after_what_goes},
    {"saving-keeps-within-the-bound", test_saving_keeps_within_the_bound},
    {"a-refusal-is-remembered", test_a_refusal_is_remembered},
    {"a-refusal-is-forgotten-after-a-day", test_a_refusal_is_forgotten_after_a_day},
    {"pruning-removes-old-refusals-only", test_pruning_removes_old_refusals_only},
    {"pruning-removes-locks-that-nobody-holds", test_pruning_removes_locks_that_nobody_holds},
    {"what-cannot-be-removed-is-said", test_what_cannot_be_removed_is_said},
    {"looking-makes-nothing", test_looking_makes_nothing},
    {"memory-that-does-not-fit-is-not-begun", test_memory_that_does_not_fit_is_not_begun},
    {"an-unwritable-cache-fails-with-its-path", test_an_unwritable_cache_fails_with_its_path},
};

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    warm_fixture_add("/warm-store/", tests, G_N_ELEMENTS(tests));
    return g_test_run();
}

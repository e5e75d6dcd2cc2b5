/* SPDX-License-Identifier: Apache-2.0 */
#include "warm-fixture.h"

#include <unistd.h>

#include "base/tempdir.h"

#define DISK (1u << 30)

const MfWarmSizes warm_fixture_sizes = {WARM_FIXTURE_MEMORY, DISK};

static void
begin(WarmFixture *fixture, gconstpointer data)
{
    g_autoptr(GError) error = NULL;

    fixture->directory = mf_tempdir_make(&error);
    g_assert_no_error(error);
    g_setenv("MAYFLY_CACHE_DIR", fixture->directory, TRUE);
    g_unsetenv("MAYFLY_WARM_MAX");
}

static void
end(WarmFixture *fixture, gconstpointer data)
{
    mf_tempdir_remove(fixture->directory);
    g_free(fixture->directory);
}

MfWarmKey *
warm_fixture_key(const char *name)
{
    MfWarmKey *key = g_new0(MfWarmKey, 1);

    key->text = g_strdup(name);
    key->id = g_compute_checksum_for_string(G_CHECKSUM_SHA256, name, -1);
    return key;
}

MfWarmBuild *
warm_fixture_begin(const MfWarmKey *key)
{
    g_autoptr(GError) error = NULL;
    gboolean busy = TRUE;
    MfWarmBuild *build = mf_warm_build_begin(key, &warm_fixture_sizes, &busy, &error);

    g_assert_no_error(error);
    g_assert_nonnull(build);
    g_assert_false(busy);
    return build;
}

void
warm_fixture_save(const MfWarmKey *key)
{
    g_autoptr(MfWarmBuild) build = warm_fixture_begin(key);
    g_autoptr(GBytes) console = g_bytes_new_static("booted\n", 7);
    g_autoptr(GBytes) stream = g_bytes_new_static("fra", 3);
    const MfWarmExtras extras = {console, stream, "7.2.22", "/boot/vmlinuz"};
    g_autoptr(GError) error = NULL;

    g_assert_cmpint(pwrite(mf_warm_build_get_ram_fd(build), "memory", 6, 4096), ==, 6);
    g_assert_cmpint(write(mf_warm_build_get_state_fd(build), "devices", 7), ==, 7);
    g_assert_true(mf_warm_build_commit(build, &extras, &error));
    g_assert_no_error(error);
}

void
warm_fixture_add(const char *prefix, const WarmTest *tests, gsize n_tests)
{
    for (gsize i = 0; i < n_tests; i++) {
        g_autofree char *path = g_strconcat(prefix, tests[i].name, NULL);

        g_test_add(path, WarmFixture, NULL, begin, tests[i].test, end);
    }
}

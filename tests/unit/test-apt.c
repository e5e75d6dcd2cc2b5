/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/apt.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/tempdir.h"
#include "image-fixture.h"

#if defined(__x86_64__)
#define ARCH "amd64"
#elif defined(__aarch64__)
#define ARCH "arm64"
#elif defined(__riscv)
#define ARCH "riscv64"
#else
#define ARCH "s390x"
#endif

/* Answers from files, and refuses every command line that apt-cache would not understand. */
static const char fake_apt_cache[] = "#!/bin/sh\n"
                                     "case \"$1 $2 $3\" in\n"
                                     "'--no-all-versions show '*)\n"
                                     "    cat \"$FAKE/show-$3\" 2>/dev/null && exit\n"
                                     "    echo 'E: No packages found' >&2; exit 100;;\n"
                                     "'--names-only search ^linux-image-') cat \"$FAKE/list\";;\n"
                                     "*) echo \"E: unexpected $*\" >&2; exit 99;;\n"
                                     "esac\n";

/* Notes its arguments; fails with the file 'failure' if there is one, else makes a file per
 * package. */
static const char fake_apt_get[] =
    "#!/bin/sh\n"
    "echo \"$*\" > \"$FAKE/arguments\"\n"
    "if [ -e \"$FAKE/failure\" ]; then cat \"$FAKE/failure\" >&2; exit 100; fi\n"
    "echo 'dlstatus:1:25.5:Retrieving file 1 of 1' >&3\n"
    "echo 'nonsense' >&3\n"
    "echo 'dlstatus:1:100.0000:Retrieving file 1 of 1' >&3\n"
    "shift 4\n"
    "for package; do [ -e \"$FAKE/forgetful\" ] || : > \"$package.deb\"; done\n";

typedef struct {
    char *directory, *downloads;
    char *path_before;
    GMainLoop *loop;
    MfAptKernel *kernel;
    GPtrArray *files;
    GError *error;
    GString *progress;
} Fixture;

static void
write_program(Fixture *fixture, const char *name, const char *text)
{
    g_autofree char *path = fixture_write_text(fixture->directory, name, text);

    g_assert_cmpint(g_chmod(path, 0755), ==, 0);
}

static void
put(Fixture *fixture, const char *name, const char *text)
{
    g_autofree char *path = fixture_write_text(fixture->directory, name, text);

    g_assert_nonnull(path);
}

static void
put_package(Fixture *fixture, const char *name, const char *depends)
{
    g_autofree char *file = g_strconcat("show-", name, NULL);
    g_autofree char *text = g_strdup_printf("Package: %s\nVersion: 6.1.192-2\nDepends: %s\n"
                                            "Description: a kernel\n\nPackage: %s\nVersion: 1\n",
                                            name, depends, name);

    put(fixture, file, text);
}

static void
set_up(Fixture *fixture, gconstpointer data)
{
    fixture->directory = mf_tempdir_make(NULL);
    fixture->downloads = g_build_filename(fixture->directory, "downloads", NULL);
    g_assert_cmpint(g_mkdir(fixture->downloads, 0700), ==, 0);
    write_program(fixture, "bin/apt-cache", fake_apt_cache);
    write_program(fixture, "bin/apt-get", fake_apt_get);

    fixture->path_before = g_strdup(g_getenv("PATH"));
    g_autofree char *path = g_strdup_printf("%s/bin:%s", fixture->directory, fixture->path_before);
    g_setenv("PATH", path, TRUE);
    g_setenv("FAKE", fixture->directory, TRUE);
    fixture->loop = g_main_loop_new(NULL, FALSE);
    fixture->progress = g_string_new(NULL);
}

static void
tear_down(Fixture *fixture, gconstpointer data)
{
    g_setenv("PATH", fixture->path_before, TRUE);
    mf_tempdir_remove(fixture->directory);
    mf_apt_kernel_free(fixture->kernel);
    g_clear_pointer(&fixture->files, g_ptr_array_unref);
    g_clear_error(&fixture->error);
    g_string_free(fixture->progress, TRUE);
    g_main_loop_unref(fixture->loop);
    g_free(fixture->path_before);
    g_free(fixture->downloads);
    g_free(fixture->directory);
}

static void
on_resolved(GObject *source, GAsyncResult *result, gpointer data)
{
    Fixture *fixture = data;

    fixture->kernel = mf_apt_resolve_finish(result, &fixture->error);
    g_main_loop_quit(fixture->loop);
}

static void
resolve(Fixture *fixture, const char *what)
{
    mf_apt_resolve_async(what, NULL, on_resolved, fixture);
    g_main_loop_run(fixture->loop);
}

static void
on_progress(double fraction, gpointer data)
{
    Fixture *fixture = data;

    g_string_append_printf(fixture->progress, "[%.3f]", fraction);
}

static void
on_downloaded(GObject *source, GAsyncResult *result, gpointer data)
{
    Fixture *fixture = data;

    fixture->files = mf_apt_download_finish(result, &fixture->error);
    g_main_loop_quit(fixture->loop);
}

static void
download(Fixture *fixture)
{
    static char *packages[] = {(char *)"linux-image-6.1.0-56-" ARCH, (char *)"linux-modules-x",
                               NULL};
    const MfAptKernel kernel = {
        .release = (char *)"6.1.0-56-" ARCH, .version = (char *)"6.1.192-2", .packages = packages};

    mf_apt_download_async(&kernel, fixture->downloads, on_progress, fixture, NULL, on_downloaded,
                          fixture);
    g_main_loop_run(fixture->loop);
}

static void
put_usual_packages(Fixture *fixture)
{
    put_package(fixture, "linux-image-" ARCH, "linux-image-6.1.0-56-" ARCH " (= 6.1.192-2)");
    put_package(fixture, "linux-image-cloud-" ARCH, "linux-image-6.1.0-56-cloud-" ARCH);
    put_package(fixture, "linux-image-6.12-" ARCH, "linux-image-6.12.117+deb12-" ARCH);
    put_package(fixture, "linux-image-6.1.0-56-" ARCH, "kmod, linux-base (>= 4.3~) | other");
    put_package(fixture, "linux-image-6.1.0-9-" ARCH, "kmod");
    put_package(fixture, "linux-image-6.1.0-56-cloud-" ARCH, "kmod");
    put_package(fixture, "linux-image-6.12.117+deb12-" ARCH, "kmod");
    put(fixture, "list",
        "linux-image-6.1.0-9-" ARCH " - Linux 6.1 for 64-bit PCs (signed)\n"
        "linux-image-6.1.0-56-" ARCH " - Linux 6.1 for 64-bit PCs (signed)\n"
        "linux-image-6.1.0-56-cloud-" ARCH " - Linux 6.1 for x86-64 cloud (signed)\n"
        "linux-image-6.1.0-99-" ARCH "-unsigned - Linux 6.1 for 64-bit PCs\n"
        "linux-image-6.1.0-99-" ARCH "-dbg - Debug symbols\n"
        "linux-image-6.1.0-99-rt-" ARCH " - real time\n"
        "linux-image-6.12-" ARCH " - Linux for 64-bit PCs (meta-package)\n"
        "linux-image-6.12.117+deb12-" ARCH " - Linux 6.12 for 64-bit PCs (signed)\n"
        "linux-image-" ARCH " - Linux for 64-bit PCs (meta-package)\n");
}

/* What is asked for, and the release that it means. */
static const struct {
    const char *test, *what, *release;
} resolutions[] = {
    {"the-distribution-alone-is-the-newest-generic-kernel", "debian", "6.1.0-56-" ARCH},
    {"a-flavour-is-its-newest-kernel", "debian/cloud", "6.1.0-56-cloud-" ARCH},
    {"a-release-is-itself", "debian/6.1.0-9-" ARCH, "6.1.0-9-" ARCH},
    {"a-flavoured-release-is-itself", "debian/6.1.0-56-cloud-" ARCH, "6.1.0-56-cloud-" ARCH},
    {"a-start-is-the-newest-generic-kernel-that-has-it", "debian/6.1", "6.1.0-56-" ARCH},
    {"a-start-ends-at-a-number", "debian/6.1.0-5", NULL},
    {"a-start-that-is-a-version-but-for-the-arch", "debian/6.1.0-9", "6.1.0-9-" ARCH},
    {"a-series-with-a-meta-package", "debian/6.12", "6.12.117+deb12-" ARCH},
    {"a-meta-package-by-its-full-name", "debian/6.12-" ARCH, "6.12.117+deb12-" ARCH},
    {"an-unsigned-build-is-not-meant", "debian/6.1.0-99", NULL},
    {"a-version-that-is-not-there", "debian/5.4", NULL},
};

static void
test_resolution(Fixture *fixture, gconstpointer data)
{
    const guint which = GPOINTER_TO_UINT(data);

    put_usual_packages(fixture);
    resolve(fixture, resolutions[which].what);
    if (resolutions[which].release) {
        g_assert_no_error(fixture->error);
        g_assert_cmpstr(fixture->kernel->release, ==, resolutions[which].release);
        g_assert_cmpstr(fixture->kernel->version, ==, "6.1.192-2");
        g_assert_cmpstr(fixture->kernel->distribution, ==, "debian");
        g_assert_cmpuint(g_strv_length(fixture->kernel->packages), ==, 1);
    } else {
        g_assert_error(fixture->error, MF_ERROR, MF_ERROR_CONFIG);
    }
}

static void
test_what_there_is_is_listed_newest_first(Fixture *fixture, gconstpointer data)
{
    put_usual_packages(fixture);
    resolve(fixture, "debian/5.4");
    g_assert_error(fixture->error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(fixture->error->message, ==,
                    "apt knows no kernel 'debian/5.4': it has 6.12.117+deb12-" ARCH
                    ", 6.1.0-56-" ARCH ", 6.1.0-9-" ARCH
                    " ('apt-get update' may bring newer ones).");
}

static void
test_an_empty_index_asks_for_an_update(Fixture *fixture, gconstpointer data)
{
    put(fixture, "list", "");
    resolve(fixture, "debian");
    g_assert_error(fixture->error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(fixture->error->message, "run 'apt-get update' as root"));
}

static void
test_packages_that_hold_the_modules_are_fetched_too(Fixture *fixture, gconstpointer data)
{
    put_package(fixture, "linux-image-" ARCH,
                "linux-image-6.8.0-45-" ARCH ", linux-modules-extra-6.8.0-45, linux-firmware");
    put_package(fixture, "linux-image-6.8.0-45-" ARCH,
                "kmod, linux-modules-6.8.0-45 (= 6.8.0-45.45), linux-modules-extra-6.8.0-45");
    resolve(fixture, "debian");
    g_assert_no_error(fixture->error);
    g_autofree char *packages = g_strjoinv(" ", fixture->kernel->packages);
    g_assert_cmpstr(packages, ==,
                    "linux-image-6.8.0-45-" ARCH
                    " linux-modules-extra-6.8.0-45 linux-modules-6.8.0-45");
}

static void
test_a_circle_of_meta_packages_ends(Fixture *fixture, gconstpointer data)
{
    put_package(fixture, "linux-image-" ARCH, "linux-image-a");
    put_package(fixture, "linux-image-a", "linux-image-" ARCH);
    resolve(fixture, "debian");
    g_assert_error(fixture->error, MF_ERROR, MF_ERROR_REMOTE);
}

static void
test_a_failing_apt_is_quoted(Fixture *fixture, gconstpointer data)
{
    write_program(fixture, "bin/apt-cache",
                  "#!/bin/sh\necho 'W: a warning' >&2\n"
                  "echo 'E: Malformed entry 1 in list file' >&2\nexit 100\n");
    resolve(fixture, "debian");
    g_assert_error(fixture->error, MF_ERROR, MF_ERROR_REMOTE);
    g_assert_cmpstr(fixture->error->message, ==,
                    "apt could not list the kernels: Malformed entry 1 in list file.");
}

static void
test_other_spellings_are_refused(Fixture *fixture, gconstpointer data)
{
    static const char *const wrong[] = {
        "",           "arch",    "Debian",      "debian/",    "debian/-o", "debian/a b",
        "debian/a/b", "/debian", "debian/../x", "debian/a;b", "debian/\n"};

    for (gsize i = 0; i < G_N_ELEMENTS(wrong); i++) {
        resolve(fixture, wrong[i]);
        g_assert_error(fixture->error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_nonnull(strstr(fixture->error->message, "names no kernel to fetch"));
        g_clear_error(&fixture->error);
    }
}

static void
test_what_is_no_kernel_is_told_all_that_could_be_pulled(Fixture *fixture, gconstpointer data)
{
    static const char *const sources[] = {"debian/6.1", "ubuntu", "ubuntu-mainline/vX.Y",
                                          "oci://REGISTRY/NAME:TAG"};

    resolve(fixture, "foo");
    g_assert_error(fixture->error, MF_ERROR, MF_ERROR_CONFIG);
    for (gsize i = 0; i < G_N_ELEMENTS(sources); i++)
        g_assert_nonnull(strstr(fixture->error->message, sources[i]));
}

static void
test_a_download_names_version_and_tells_progress(Fixture *fixture, gconstpointer data)
{
    g_autofree char *log = g_build_filename(fixture->directory, "arguments", NULL);
    g_autofree char *arguments = NULL;

    download(fixture);
    g_assert_no_error(fixture->error);
    g_assert_cmpuint(fixture->files->len, ==, 2);
    g_assert_true(g_str_has_prefix(fixture->files->pdata[0], fixture->downloads));
    g_assert_cmpstr(fixture->progress->str, ==, "[0.255][1.000]");
    g_assert_true(g_file_get_contents(log, &arguments, NULL, NULL));
    g_assert_cmpstr(arguments, ==,
                    "-q -o APT::Status-Fd=3 download linux-image-6.1.0-56-" ARCH
                    "=6.1.192-2 linux-modules-x\n");
}

static void
test_a_failed_download_shows_errors_and_hints_at_an_old_index(Fixture *fixture, gconstpointer data)
{
    put(fixture, "failure",
        "W: Download is performed unsandboxed\n"
        "E: Failed to fetch http://mirror/linux.deb  404  Not Found\n"
        "E: Some files failed to download\n");
    download(fixture);
    g_assert_error(fixture->error, MF_ERROR, MF_ERROR_REMOTE);
    g_assert_cmpstr(fixture->error->message, ==,
                    "apt could not fetch the kernel: Failed to fetch http://mirror/linux.deb  404  "
                    "Not Found; Some files failed to download. The package index is out of date: "
                    "run 'apt-get update' as root and try again.");
}

static void
test_a_download_without_files_is_an_error(Fixture *fixture, gconstpointer data)
{
    put(fixture, "forgetful", "");
    download(fixture);
    g_assert_error(fixture->error, MF_ERROR, MF_ERROR_REMOTE);
}

static void
test_a_host_without_apt_is_told_what_to_do(Fixture *fixture, gconstpointer data)
{
    g_setenv("PATH", fixture->downloads, TRUE);
    resolve(fixture, "debian");
    g_assert_error(fixture->error, MF_ERROR, MF_ERROR_HOST);
    g_assert_nonnull(strstr(fixture->error->message, "'mayfly kernel add'"));
}

#define ADD(name, test) g_test_add("/apt/" name, Fixture, NULL, set_up, test, tear_down)

int
main(int argc, char **argv)
{
    g_autofree char *id = g_get_os_info(G_OS_INFO_KEY_ID);

    g_test_init(&argc, &argv, NULL);
    if (g_strcmp0(id, "ubuntu") == 0) {
        g_print(
            "1..0 # SKIP Ubuntu's apt is asked for Ubuntu's kernels only, these are Debian's\n");
        return 77;
    }
    for (guint i = 0; i < G_N_ELEMENTS(resolutions); i++) {
        g_autofree char *path = g_strconcat("/apt/", resolutions[i].test, NULL);

        g_test_add(path, Fixture, GUINT_TO_POINTER(i), set_up, test_resolution, tear_down);
    }
    ADD("what-there-is-is-listed-newest-first", test_what_there_is_is_listed_newest_first);
    ADD("an-empty-index-asks-for-an-update", test_an_empty_index_asks_for_an_update);
    ADD("packages-that-hold-the-modules-are-fetched-too",
        test_packages_that_hold_the_modules_are_fetched_too);
    ADD("a-circle-of-meta-packages-ends", test_a_circle_of_meta_packages_ends);
    ADD("a-failing-apt-is-quoted", test_a_failing_apt_is_quoted);
    ADD("other-spellings-are-refused", test_other_spellings_are_refused);
    ADD("what-is-no-kernel-is-told-all-that-could-be-pulled",
        test_what_is_no_kernel_is_told_all_that_could_be_pulled);
    ADD("a-download-names-version-and-tells-progress",
        test_a_download_names_version_and_tells_progress);
    ADD("a-failed-download-shows-errors-and-hints-at-an-old-index",
        test_a_failed_download_shows_errors_and_hints_at_an_old_index);
    ADD("a-download-without-files-is-an-error", test_a_download_without_files_is_an_error);
    ADD("a-host-without-apt-is-told-what-to-do", test_a_host_without_apt_is_told_what_to_do);
    return g_test_run();
}

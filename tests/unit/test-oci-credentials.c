/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/oci-credentials.h"

#include <glib/gstdio.h>
#include <string.h>

#include "base/error.h"
#include "base/tempdir.h"

/* "me:secret", "you:other", "hub:h" */
#define ME  "bWU6c2VjcmV0"
#define YOU "eW91Om90aGVy"
#define HUB "aHViOmg="

static const char file[] =
    "{\"auths\": {\"reg.example\": {\"auth\": \"" ME "\"}, \"reg.example:5000\": {\"auth\": \"" YOU
    "\"}, \"reg.example/kernels/ci\": {\"auth\": \"" YOU "\"},"
    "\"https://old.example/v2/\": {\"auth\": \"" ME "\"},"
    "\"https://index.docker.io/v1/\": {\"auth\": \"" HUB "\"}, \"kept.example\": {}},"
    "\"credHelpers\": {\"helped.example\": \"never-run\"}, \"credsStore\": \"never-run\"}";

static void
test_the_longest_name_that_fits_counts(void)
{
    const struct {
        const char *registry, *repository, *authorization;
    } cases[] = {
        {"reg.example", "a", "Basic " ME},
        {"reg.example", "kernels/cicd", "Basic " ME},
        {"reg.example", "kernels", "Basic " ME},
        {"reg.example", "kernels/ci", "Basic " YOU},
        {"reg.example", "kernels/ci/deep/er", "Basic " YOU},
        {"reg.example:5000", "a", "Basic " YOU},
        {"reg.example:5001", "a", NULL},
        {"old.example", "a", "Basic " ME},
        {"registry-1.docker.io", "library/a", "Basic " HUB},
        {"reg.exampl", "e/a", NULL},
        {"example", "a", NULL},
        {"kept.example", "a", NULL},
        {"helped.example", "a", NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = NULL;

        g_assert_true(mf_oci_credentials_parse(file, strlen(file), cases[i].registry,
                                               cases[i].repository, &found));
        g_assert_cmpstr(found, ==, cases[i].authorization);
    }
}

static void
test_what_is_no_credential_is_refused(void)
{
    g_autofree char *long_secret = g_strnfill(MF_OCI_CREDENTIALS_SECRET_MAX, 'x');
    g_autofree char *longest = g_strnfill(MF_OCI_CREDENTIALS_SECRET_MAX - 2, 'x');
    g_autofree char *over = g_strconcat("a:", long_secret, NULL);
    g_autofree char *full = g_strconcat("a:", longest, NULL);
    g_autofree char *over_auth = g_base64_encode((const guchar *)over, strlen(over));
    g_autofree char *full_auth = g_base64_encode((const guchar *)full, strlen(full));
    const struct {
        const char *auth;
        gboolean good;
    } cases[] = {
        {"bm8tY29sb24=", FALSE},
        {"bWU6c2VjcmV0\\r\\nX: y", FALSE},
        {" bWU6c2VjcmV0", FALSE},
        {"me:secret", FALSE},
        {"bWU6c2VjcmV", FALSE},
        {"", FALSE},
        {ME, TRUE},
        {full_auth, TRUE},
        {over_auth, FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text =
            g_strdup_printf("{\"auths\": {\"r\": {\"auth\": \"%s\"}}}", cases[i].auth);
        g_autofree char *found = NULL;

        if (mf_oci_credentials_parse(text, strlen(text), "r", "a", &found) != cases[i].good)
            g_error("'%.40s' is %s", cases[i].auth, cases[i].good ? "refused" : "taken");
    }
}

static void
test_a_file_of_another_form_is_refused_and_one_without_any_is_not(void)
{
    static const char *const bad[] = {"", "[]", "{\"auths\": []}",
                                      "{\"auths\": {\"r\": {\"auth\": 1}}}", "{\"auths\": {}} x"};
    static const char *const empty[] = {"{}", "{\"auths\": {}}", "{\"auths\": {\"r\": null}}",
                                        "{\"auths\": {\"s\": {\"auth\": 1}}}"};

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *found = NULL;

        g_assert_false(mf_oci_credentials_parse(bad[i], strlen(bad[i]), "r", "a", &found));
    }
    for (gsize i = 0; i < G_N_ELEMENTS(empty); i++) {
        g_autofree char *found = NULL;

        g_assert_true(mf_oci_credentials_parse(empty[i], strlen(empty[i]), "r", "a", &found));
        g_assert_null(found);
    }
}

static void
assert_found(const char *authorization)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *found = NULL;

    g_assert_true(mf_oci_credentials_find("reg.example", "a", &found, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(found, ==, authorization);
}

static void
assert_file_is_named_and_nothing_in_it(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *found = NULL;

    g_assert_false(mf_oci_credentials_find("reg.example", "a", &found, &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_nonnull(strstr(error->message, path));
    g_assert_null(strstr(error->message, "s3cr3t"));
}

static void
test_the_file_is_where_the_environment_says(void)
{
    g_autofree char *directory = mf_tempdir_make(NULL);
    g_autofree char *docker = g_build_filename(directory, "config.json", NULL);
    g_autofree char *own = g_build_filename(directory, "auth.json", NULL);

    g_setenv("DOCKER_CONFIG", directory, TRUE);
    g_unsetenv(MF_OCI_CREDENTIALS_ENV);
    assert_found(NULL);
    g_assert_true(g_file_set_contents(docker, file, -1, NULL));
    assert_found("Basic " ME);
    g_setenv(MF_OCI_CREDENTIALS_ENV, own, TRUE);
    assert_file_is_named_and_nothing_in_it(own);
    g_assert_true(g_file_set_contents(own, "{\"auths\": {\"reg.example\": {\"auth\": \"s3cr3t\"}}}",
                                      -1, NULL));
    assert_file_is_named_and_nothing_in_it(own);
    g_assert_true(g_file_set_contents(own, "s3cr3t", -1, NULL));
    assert_file_is_named_and_nothing_in_it(own);
    g_assert_true(g_file_set_contents(own, "{}", -1, NULL));
    assert_found(NULL);
    g_unsetenv(MF_OCI_CREDENTIALS_ENV);
    g_unsetenv("DOCKER_CONFIG");
    mf_tempdir_remove(directory);
}

static void
test_a_secret_goes_by_https_or_to_this_host(void)
{
    const struct {
        const char *url;
        gboolean may;
    } cases[] = {
        {"https://reg.example", TRUE},           {"http://reg.example", FALSE},
        {"http://127.0.0.1:5000/v2", TRUE},      {"http://[::1]:5000", TRUE},
        {"http://localhost/token", TRUE},        {"http://127.0.0.1.example", FALSE},
        {"http://me@reg.example", FALSE},        {"ftp://localhost", FALSE},
        {"http://localhost@reg.example", FALSE}, {"no URL", FALSE},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++)
        if (mf_oci_credentials_may_go_to(cases[i].url) != cases[i].may)
            g_error("'%s'", cases[i].url);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/oci-credentials/the-longest-name-that-fits-counts",
                    test_the_longest_name_that_fits_counts);
    g_test_add_func("/oci-credentials/what-is-no-credential-is-refused",
                    test_what_is_no_credential_is_refused);
    g_test_add_func("/oci-credentials/a-file-of-another-form-is-refused-and-one-without-any-is-not",
                    test_a_file_of_another_form_is_refused_and_one_without_any_is_not);
    g_test_add_func("/oci-credentials/the-file-is-where-the-environment-says",
                    test_the_file_is_where_the_environment_says);
    g_test_add_func("/oci-credentials/a-secret-goes-by-https-or-to-this-host",
                    test_a_secret_goes_by_https_or_to_this_host);
    return g_test_run();
}

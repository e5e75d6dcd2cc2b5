/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/error.h"
#include "machine/oci-manifest.h"
#include "machine/oci-reference.h"
#include "machine/oci-registry.h"

#define SUM    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DIGEST "sha256:" SUM

static void
test_a_reference_says_where_and_what(void)
{
    const struct {
        const char *text, *base, *repository, *tag, *digest, *entry;
    } cases[] = {
        {"oci://reg.example/a/b:6.6", "https://reg.example", "a/b", "6.6", NULL, "b/6.6"},
        {"oci://reg.example:5000/a", "https://reg.example:5000", "a", "latest", NULL, "a/latest"},
        {"oci://localhost:5000/a", "http://localhost:5000", "a", "latest", NULL, "a/latest"},
        {"oci://127.1.2.3/a", "http://127.1.2.3", "a", "latest", NULL, "a/latest"},
        {"oci://[::1]:80/a", "http://[::1]:80", "a", "latest", NULL, "a/latest"},
        {"oci://[fe80::1]/a", "https://[fe80::1]", "a", "latest", NULL, "a/latest"},
        {"oci+http://reg.example/a", "http://reg.example", "a", "latest", NULL, "a/latest"},
        {"oci://localhost.example/a", "https://localhost.example", "a", "latest", NULL, "a/latest"},
        {"oci://reg.example/a@" DIGEST, "https://reg.example", "a", NULL, DIGEST, "a/0123456789ab"},
        {"oci://reg.example/a:x@" DIGEST, "https://reg.example", "a", "x", DIGEST, "a/x"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(MfOciReference) reference = mf_oci_reference_parse(cases[i].text, NULL);
        g_assert_nonnull(reference);
        g_autofree char *entry = mf_oci_reference_entry_name(reference);

        g_assert_cmpstr(reference->base, ==, cases[i].base);
        g_assert_cmpstr(reference->repository, ==, cases[i].repository);
        g_assert_cmpstr(reference->tag, ==, cases[i].tag);
        g_assert_cmpstr(reference->digest, ==, cases[i].digest);
        g_assert_cmpstr(entry, ==, cases[i].entry);
    }
}

static void
test_a_reference_that_is_none_is_refused(void)
{
    const char *const texts[] = {
        "oci://",        "oci://reg",           "oci://reg/",        "oci:///a",
        "oci://reg/A",   "oci://reg/a/",        "oci://reg/a//b",    "oci://reg/../a",
        "oci://reg/a:",  "oci://reg/a:b/c",     "oci://reg/a:b\n",   "oci://reg/a@sha256:12",
        "oci://reg:x/a", "oci://u:p@reg/a",     "oci://reg/a@md5:1", "oci://reg/a?b",
        "oci://-reg/a",  "oci://reg/a:.hidden", "oci://[::1/a",
    };

    for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;

        if (mf_oci_reference_parse(texts[i], &error))
            g_error("'%s' is taken for a reference", texts[i]);
        g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
        g_assert_nonnull(strstr(error->message, "names no image"));
    }
    g_assert_false(mf_oci_reference_recognise("debian/6.1"));
}

static void
test_a_digest_is_64_small_hexadecimal_digits(void)
{
    g_assert_true(mf_oci_digest_is_valid(DIGEST));
    g_assert_false(mf_oci_digest_is_valid(DIGEST "0"));
    g_assert_false(mf_oci_digest_is_valid("sha256:" SUM + 1));
    g_assert_false(mf_oci_digest_is_valid("sha256:../../../../../../../../../../../../../../../../"
                                          "../../../../../etc/x"));
    g_assert_false(mf_oci_digest_is_valid("sha256:"
                                          "A123456789abcdef0123456789abcdef0123456789abc"
                                          "def0123456789abcdef"));
    g_assert_false(mf_oci_digest_is_valid(SUM));
}

static MfOciManifest *
parse(const char *document, GError **error)
{
    g_autoptr(GBytes) bytes = g_bytes_new(document, strlen(document));

    return mf_oci_manifest_parse(bytes, MF_ARCH_AARCH64, "oci://x/y", error);
}

static void
test_of_an_index_the_image_of_the_platform_counts(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MfOciManifest) manifest =
        parse("{\"manifests\": ["
              "{\"digest\": \"bad\", \"platform\": {\"os\": \"linux\", \"architecture\": "
              "\"amd64\"}},"
              "{\"digest\": \"bad\", \"platform\": {\"os\": \"other\", \"architecture\": "
              "\"arm64\"}},"
              "{\"digest\": \"bad\"},"
              "{\"digest\": \"" DIGEST "\", \"platform\": {\"os\": \"linux\", \"architecture\": "
              "\"arm64\"}}]}",
              &error);

    g_assert_no_error(error);
    g_assert_cmpstr(manifest->image, ==, DIGEST);
    g_assert_null(manifest->layers);
}

static void
test_an_index_without_the_platform_says_what_it_has(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(parse("{\"manifests\": [{\"digest\": \"" DIGEST "\", \"platform\": {\"os\": "
                        "\"linux\", \"architecture\": \"mips\\n\"}}]}",
                        &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    g_assert_cmpstr(error->message, ==,
                    "'oci://x/y' has no image for linux/arm64: it has linux/mips\\n.");
}

static void
test_layers_keep_their_order_and_sizes(void)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(MfOciManifest) manifest = parse(
        "{\"layers\": ["
        "{\"mediaType\": \"application/vnd.oci.image.layer.v1.tar\", \"digest\": \"" DIGEST
        "\", \"size\": 1},"
        "{\"mediaType\": \"application/vnd.oci.image.layer.v1.tar+zstd\", \"digest\": \"" DIGEST
        "\", \"size\": 4294967295}]}",
        &error);

    g_assert_no_error(error);
    g_assert_cmpuint(manifest->layers->len, ==, 2);
    g_assert_cmpuint(((MfOciLayer *)manifest->layers->pdata[0])->size, ==, 1);
    g_assert_cmpuint(((MfOciLayer *)manifest->layers->pdata[1])->size, ==, 4294967295);
}

static void
test_one_byte_more_than_layers_may_have_is_refused(void)
{
    g_autoptr(GError) error = NULL;

    g_assert_null(parse(
        "{\"layers\": ["
        "{\"mediaType\": \"application/vnd.oci.image.layer.v1.tar\", \"digest\": \"" DIGEST
        "\", \"size\": 2},"
        "{\"mediaType\": \"application/vnd.oci.image.layer.v1.tar+zstd\", \"digest\": \"" DIGEST
        "\", \"size\": 4294967295}]}",
        &error));
    g_assert_error(error, MF_ERROR, MF_ERROR_PROTOCOL);
}

static void
test_a_challenge_says_where_tokens_are(void)
{
    const struct {
        const char *header, *base, *url;
    } cases[] = {
        {"Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:a/b:pull\"", "https://r",
         "https://a/t?service=s&scope=repository%3Aa%2Fb%3Apull"},
        {"bearer scope=x , realm=https://a/t?y=1", "https://r", "https://a/t?y=1&scope=x"},
        {"Bearer realm=\"https://a/t\\\"\"", "https://r", "https://a/t\""},
        {"Bearer realm=\"https://a/t\",error=\"e\"", "https://r", "https://a/t"},
        {"Bearer realm=\"http://a/t\"", "http://r", "http://a/t"},
        {"Bearer realm=\"http://a/t\"", "https://r", NULL},
        {"Bearer realm=\"file:///etc/passwd\"", "http://r", NULL},
        {"Bearer service=\"s\"", "https://r", NULL},
        {"Bearer realm=\"https://a", "https://r", "https://a"},
        {"Bearer ,,,", "https://r", NULL},
        {"Basic realm=\"https://a/t\"", "https://r", NULL},
        {"", "https://r", NULL},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *url = mf_oci_challenge_url(cases[i].header, cases[i].base);

        g_assert_cmpstr(url, ==, cases[i].url);
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/oci/a-reference-says-where-and-what", test_a_reference_says_where_and_what);
    g_test_add_func("/oci/a-reference-that-is-none-is-refused",
                    test_a_reference_that_is_none_is_refused);
    g_test_add_func("/oci/a-digest-is-64-small-hexadecimal-digits",
                    test_a_digest_is_64_small_hexadecimal_digits);
    g_test_add_func("/oci/of-an-index-the-image-of-the-platform-counts",
                    test_of_an_index_the_image_of_the_platform_counts);
    g_test_add_func("/oci/an-index-without-the-platform-says-what-it-has",
                    test_an_index_without_the_platform_says_what_it_has);
    g_test_add_func("/oci/layers-keep-their-order-and-sizes",
                    test_layers_keep_their_order_and_sizes);
    g_test_add_func("/oci/one-byte-more-than-layers-may-have-is-refused",
                    test_one_byte_more_than_layers_may_have_is_refused);
    g_test_add_func("/oci/a-challenge-says-where-tokens-are",
                    test_a_challenge_says_where_tokens_are);
    return g_test_run();
}

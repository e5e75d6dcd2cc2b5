/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/conf.h"

#include <glib.h>
#include <string.h>

#include "wire/guest-protocol.h"
#include "wire/record.h"

static char text[512];
static const struct mfg_reason reason = {text, sizeof text};

/* Reads a record of one field. */
static gboolean
read_one(const char *key, const char *value, struct mfg_conf *ret_conf)
{
    struct mf_record record = {0};

    mf_record_add(&record, key, value);
    /* The strings of the result are borrowed from the record: the tests look at them. */
    static char bytes[16384];
    size_t size = record.size;
    g_assert_cmpuint(size, <=, sizeof bytes);
    memcpy(bytes, record.data, size);
    mf_record_clear(&record);
    return mfg_conf_read(bytes, size, ret_conf, &reason);
}

static void
test_an_empty_record_is_an_overlay_root_over_9p(void)
{
    struct mfg_conf conf;

    g_assert_true(mfg_conf_read("", 0, &conf, &reason));
    g_assert_false(conf.script);
    g_assert_false(conf.rehearse);
    g_assert_cmpstr(conf.root_type, ==, "9p");
    g_assert_cmpint(conf.root_mode, ==, MFG_ROOT_OVERLAY);
    g_assert_cmpstr(conf.cache, ==, "mmap");
    g_assert_null(conf.modules);
    g_assert_null(conf.hostname);
    g_assert_false(conf.has_time);
    g_assert_cmpuint(conf.entropy_size, ==, 0);
    g_assert_cmpuint(conf.n_mounts, ==, 0);
}

static void
test_every_field_is_understood(void)
{
    struct mfg_conf conf;

    g_assert_true(read_one(MF_CONF_INIT, "script", &conf));
    g_assert_true(conf.script);
    g_assert_true(read_one(MF_CONF_REHEARSE, "yes", &conf));
    g_assert_true(conf.rehearse);
    g_assert_true(read_one(MF_CONF_REHEARSE, "no", &conf));
    g_assert_false(conf.rehearse);
    g_assert_true(read_one(MF_CONF_ROOT, "virtiofs", &conf));
    g_assert_cmpstr(conf.root_type, ==, "virtiofs");
    g_assert_true(read_one(MF_CONF_ROOT_MODE, "ro", &conf));
    g_assert_cmpint(conf.root_mode, ==, MFG_ROOT_RO);
    g_assert_true(read_one(MF_CONF_ROOT_MODE, "rw", &conf));
    g_assert_cmpint(conf.root_mode, ==, MFG_ROOT_RW);
    g_assert_true(read_one(MF_CONF_9P_CACHE, "loose", &conf));
    g_assert_cmpstr(conf.cache, ==, "loose");
    g_assert_true(read_one(MF_CONF_MODULES, "tag:mayfly.modules", &conf));
    g_assert_cmpstr(conf.modules, ==, "tag:mayfly.modules");
    g_assert_true(read_one(MF_CONF_HOSTNAME, "mayfly", &conf));
    g_assert_cmpstr(conf.hostname, ==, "mayfly");
    g_assert_true(read_one(MF_CONF_TIME, "1700000000.000000042", &conf));
    g_assert_true(conf.has_time);
    g_assert_cmpint(conf.time.tv_sec, ==, 1700000000);
    g_assert_cmpint(conf.time.tv_nsec, ==, 42);
    g_assert_true(read_one(MF_CONF_ENTROPY, "00ffA5", &conf));
    g_assert_cmpmem(conf.entropy, conf.entropy_size, "\x00\xff\xa5", 3);
    g_assert_true(read_one(MF_CONF_NET, "10.0.2.15/24,10.0.2.2,10.0.2.3", &conf));
    g_assert_true(conf.has_net);
    g_assert_cmphex(ntohl(conf.net.address.s_addr), ==, 0x0a00020f);
    g_assert_cmphex(ntohl(conf.net.netmask.s_addr), ==, 0xffffff00);
    g_assert_cmphex(ntohl(conf.net.gateway.s_addr), ==, 0x0a000202);
    g_assert_cmpstr(conf.net.name_server, ==, "10.0.2.3");
}

static void
test_the_path_of_a_mount_may_contain_commas(void)
{
    struct mfg_conf conf;

    g_assert_true(read_one(MF_CONF_MOUNT, "virtiofs,ro,mayfly.mount0,/a,b/c d,", &conf));
    g_assert_cmpuint(conf.n_mounts, ==, 1);
    g_assert_cmpstr(conf.mounts[0].type, ==, "virtiofs");
    g_assert_true(conf.mounts[0].read_only);
    g_assert_cmpstr(conf.mounts[0].tag, ==, "mayfly.mount0");
    g_assert_cmpstr(conf.mounts[0].path, ==, "/a,b/c d,");

    g_assert_true(read_one(MF_CONF_MOUNT, "9p,rw,t,/", &conf));
    g_assert_cmpstr(conf.mounts[0].type, ==, "9p");
    g_assert_false(conf.mounts[0].read_only);
}

static void
test_mounts_are_capped(void)
{
    struct mf_record record = {0};
    struct mfg_conf conf;

    for (guint i = 0; i < MFG_CONF_MOUNTS_MAX; i++)
        mf_record_add(&record, MF_CONF_MOUNT, "9p,ro,tag,/place");
    g_assert_true(mfg_conf_read(record.data, record.size, &conf, &reason));
    g_assert_cmpuint(conf.n_mounts, ==, MFG_CONF_MOUNTS_MAX);

    mf_record_add(&record, MF_CONF_MOUNT, "9p,ro,tag,/place");
    g_assert_false(mfg_conf_read(record.data, record.size, &conf, &reason));
    mf_record_clear(&record);
}

static void
test_entropy_and_tags_are_taken_up_to_their_caps(void)
{
    struct mfg_conf conf;
    g_autofree char *entropy = g_strnfill(2 * MFG_CONF_ENTROPY_MAX, 'a');
    g_autofree char *too_much = g_strnfill(2 * MFG_CONF_ENTROPY_MAX + 2, 'a');
    g_autofree char *tag = g_strnfill(MFG_CONF_TAG_MAX, 't');
    g_autofree char *mount = g_strdup_printf("9p,ro,%s,/x", tag);
    g_autofree char *long_mount = g_strdup_printf("9p,ro,%st,/x", tag);

    g_assert_true(read_one(MF_CONF_ENTROPY, entropy, &conf));
    g_assert_cmpuint(conf.entropy_size, ==, MFG_CONF_ENTROPY_MAX);
    g_assert_false(read_one(MF_CONF_ENTROPY, too_much, &conf));
    g_assert_true(read_one(MF_CONF_MOUNT, mount, &conf));
    g_assert_cmpstr(conf.mounts[0].tag, ==, tag);
    g_assert_false(read_one(MF_CONF_MOUNT, long_mount, &conf));
}

static void
test_a_bad_value_is_refused_and_named(void)
{
    static const struct {
        const char *key, *value;
    } bad[] = {
        {MF_CONF_REHEARSE, ""},
        {MF_CONF_REHEARSE, "yes "},
        {MF_CONF_INIT, ""},
        {MF_CONF_INIT, "systemd"},
        {MF_CONF_ROOT, "nfs"},
        {MF_CONF_ROOT, "9pp"},
        {MF_CONF_ROOT_MODE, "RW"},
        {MF_CONF_9P_CACHE, "mmap,access=any"},
        {MF_CONF_MOUNT, ""},
        {MF_CONF_MOUNT, "9p,ro,tag"},
        {MF_CONF_MOUNT, "9p,ro,tag,"},
        {MF_CONF_MOUNT, "9p,ro,tag,relative"},
        {MF_CONF_MOUNT, "9p,ro,,/x"},
        {MF_CONF_MOUNT, ",ro,tag,/x"},
        {MF_CONF_MOUNT, "9p,r,tag,/x"},
        {MF_CONF_MOUNT, "9p,row,tag,/x"},
        {MF_CONF_MOUNT, "tmpfs,ro,tag,/x"},
        {MF_CONF_MODULES, "lib/modules"},
        {MF_CONF_HOSTNAME, ""},
        {MF_CONF_TIME, "1700000000"},
        {MF_CONF_TIME, "1700000000.5"},
        {MF_CONF_TIME, "-1.000000000"},
        {MF_CONF_TIME, "1.0000000000"},
        {MF_CONF_TIME, "1234567890123.000000000"},
        {MF_CONF_NET, ""},
        {MF_CONF_NET, "10.0.2.15,10.0.2.2,10.0.2.3"},
        {MF_CONF_NET, "10.0.2.15/24,10.0.2.2"},
        {MF_CONF_NET, "10.0.2.15/24,10.0.2.2,"},
        {MF_CONF_NET, "10.0.2.15/24,,10.0.2.3"},
        {MF_CONF_NET, "10.0.2.15/0,10.0.2.2,10.0.2.3"},
        {MF_CONF_NET, "10.0.2.15/33,10.0.2.2,10.0.2.3"},
        {MF_CONF_NET, "10.0.2.15/-1,10.0.2.2,10.0.2.3"},
        {MF_CONF_NET, "10.0.2.15/24x,10.0.2.2,10.0.2.3"},
        {MF_CONF_NET, "10.0.2.256/24,10.0.2.2,10.0.2.3"},
        {MF_CONF_NET, "10.0.2.15/24,10.0.2.2,fec0::3"},
        {MF_CONF_ENTROPY, ""},
        {MF_CONF_ENTROPY, "abc"},
        {MF_CONF_ENTROPY, "zz"},
        {MF_CONF_ENTROPY, "0x"},
    };

    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        struct mfg_conf conf;
        g_autofree char *quoted = g_strdup_printf("'%s' for '%s'", bad[i].value, bad[i].key);

        g_assert_false(read_one(bad[i].key, bad[i].value, &conf));
        g_assert_nonnull(strstr(text, quoted));
    }
}

static void
test_an_unknown_field_is_refused_and_named(void)
{
    struct mfg_conf conf;

    g_assert_false(read_one("roots", "9p", &conf));
    g_assert_cmpstr(text, ==, "The guest was sent the field 'roots', which it does not know.");
}

static void
test_a_malformed_record_is_refused_with_its_place(void)
{
    struct mfg_conf conf;

    g_assert_false(mfg_conf_read("init=agent\0ro", 13, &conf, &reason));
    g_assert_nonnull(strstr(text, "at byte 11"));
}

static void
test_a_reason_that_is_too_long_is_cut(void)
{
    char small[16];
    struct mfg_reason short_reason = {small, sizeof small};

    g_assert_false(mfg_fail(&short_reason, "%s", "0123456789abcdefghi"));
    g_assert_cmpstr(small, ==, "0123456789abcde");
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/guest-conf/an-empty-record-is-an-overlay-root-over-9p",
                    test_an_empty_record_is_an_overlay_root_over_9p);
    g_test_add_func("/guest-conf/every-field-is-understood", test_every_field_is_understood);
    g_test_add_func("/guest-conf/the-path-of-a-mount-may-contain-commas",
                    test_the_path_of_a_mount_may_contain_commas);
    g_test_add_func("/guest-conf/mounts-are-capped", test_mounts_are_capped);
    g_test_add_func("/guest-conf/entropy-and-tags-are-taken-up-to-their-caps",
                    test_entropy_and_tags_are_taken_up_to_their_caps);
    g_test_add_func("/guest-conf/a-bad-value-is-refused-and-named",
                    test_a_bad_value_is_refused_and_named);
    g_test_add_func("/guest-conf/an-unknown-field-is-refused-and-named",
                    test_an_unknown_field_is_refused_and_named);
    g_test_add_func("/guest-conf/a-malformed-record-is-refused-with-its-place",
                    test_a_malformed_record_is_refused_with_its_place);
    g_test_add_func("/guest-conf/a-reason-that-is-too-long-is-cut",
                    test_a_reason_that_is_too_long_is_cut);
    return g_test_run();
}

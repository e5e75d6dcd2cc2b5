/* SPDX-License-Identifier: Apache-2.0 */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/parse.h"
#include "machine/libvirt-domain.h"
#include "machine/libvirt-uri.h"
#include "run/plan.h"
#include "spec-fixture.h"

/*
 * Nothing that somebody asks for may be lost on the way to libvirt: each member of MfSpec and of
 * MfTarget is in the domain, or is refused, or it is said here who else sees to it. The headers are
 * read for what members there are, so that a new one is missed.
 */

#define LOCAL "qemu:///session"

typedef enum {
    IN_DOMAIN, /* changes the domain */
    REFUSED,   /* with a sentence that has 'word' */
    ELSEWHERE, /* 'word' tells where */
} Fate;

/* The members of the struct 'name' in a header, in its order. Owned by the caller. */
static GPtrArray *
read_members(const char *layer, const char *header, const char *name)
{
    g_autofree char *path = g_test_build_filename(G_TEST_DIST, "..", "src", layer, header, NULL);
    g_autofree char *end = g_strdup_printf("} %s;", name);
    g_autoptr(GRegex) comment = g_regex_new("/\\*.*?\\*/", G_REGEX_DOTALL, 0, NULL);
    g_autoptr(GRegex) member = g_regex_new("(\\w+)(\\[[^]]*\\])?\\s*[,;]", 0, 0, NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    GPtrArray *members = g_ptr_array_new_with_free_func(g_free);

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    g_assert_nonnull(strstr(text, end));
    *strstr(text, end) = '\0';

    g_autofree char *bare =
        g_regex_replace_literal(comment, g_strrstr(text, "typedef struct {"), -1, 0, "", 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    for (g_regex_match(member, bare, 0, &match); g_match_info_matches(match);
         g_match_info_next(match, NULL))
        g_ptr_array_add(members, g_match_info_fetch(match, 1));
    g_assert_cmpuint(members->len, >, 20);
    return members;
}

/* 'table' has 'count' entries of 'size' bytes, each of which begins with a member's name. */
static void
assert_same_members(const GPtrArray *members, gconstpointer table, gsize count, gsize size)
{
    for (guint i = 0; i < members->len; i++) {
        gboolean known = FALSE;

        for (gsize k = 0; k < count; k++)
            known = known || g_str_equal(members->pdata[i],
                                         *(const char *const *)((const char *)table + k * size));
        if (!known)
            g_error("What becomes of '%s' with libvirt?", (char *)members->pdata[i]);
    }
    g_assert_cmpuint(members->len, ==, count);
}

static void
assert_refused(gboolean good, const GError *error, const char *member, const char *word)
{
    if (good)
        g_error("'%s' is refused by nobody", member);
    g_assert_error(error, MF_ERROR, MF_ERROR_CONFIG);
    if (!strstr(error->message, word))
        g_error("'%s' is refused with '%s', without '%s'", member, error->message, word);
}

/*
 * What a machine is
 */

static void
set_arch(MfSpec *spec)
{
    spec->arch = MF_ARCH_AARCH64;
}

static void
set_accel(MfSpec *spec)
{
    spec->accel = MF_ACCEL_KVM;
}

static void
set_text(char **member)
{
    g_free(*member);
    *member = g_strdup("/other");
}

static void
set_qemu(MfSpec *spec)
{
    set_text(&spec->qemu);
}

static void
set_machine(MfSpec *spec)
{
    set_text(&spec->machine);
}

static void
set_cpu(MfSpec *spec)
{
    set_text(&spec->cpu);
}

static void
set_cpus(MfSpec *spec)
{
    spec->cpus = 7;
}

static void
set_memory(MfSpec *spec)
{
    spec->memory = 3 * MF_GIB;
}

static void
set_numa(MfSpec *spec)
{
    g_ptr_array_add(spec->numa, mf_numa_node_new(spec->memory, NULL));
}

static void
set_kernel(MfSpec *spec)
{
    set_text(&spec->kernel);
}

static void
set_initrd(MfSpec *spec)
{
    set_text(&spec->initrd);
}

static void
set_append(MfSpec *spec)
{
    set_text(&spec->append);
}

static void
set_shares(MfSpec *spec)
{
    g_ptr_array_add(spec->shares, mf_share_new("m", "mayfly.m", "/m", "/n", TRUE));
}

static void
set_share_type(MfSpec *spec)
{
    spec->share_type = MF_SHARE_VIRTIOFS;
}

static void
set_disks(MfSpec *spec)
{
    g_ptr_array_add(spec->disks, mf_disk_new("/a.img", "raw", FALSE));
}

static void
set_firmware(MfSpec *spec)
{
    spec->firmware = g_new0(MfFirmware, 1);
    spec->firmware->code = g_strdup("/code");
    spec->firmware->vars = g_strdup("/vars");
    spec->firmware->format = spec->firmware->own_format = "raw";
}

static void
set_bios(MfSpec *spec)
{
    set_text(&spec->bios);
}

static void
set_smbios(MfSpec *spec)
{
    spec->smbios = mf_smbios_new();
    g_assert_true(mf_smbios_parse(spec->smbios, "sys_vendor=Somebody", NULL));
}

static void
set_tpm(MfSpec *spec)
{
    spec->tpm = MF_TPM_2_0;
}

static void
set_net(MfSpec *spec)
{
    spec->net = MF_NET_USER;
}

static void
set_forwards(MfSpec *spec)
{
    const MfForward forward = {FALSE, 2222, 22};

    spec->net = MF_NET_USER;
    g_array_append_val(spec->forwards, forward);
}

static void
set_held(MfSpec *spec)
{
    spec->held = TRUE;
}

static void
set_screen(MfSpec *spec)
{
    spec->screen = TRUE;
}

static void
set_debug_exit(MfSpec *spec)
{
    spec->debug_exit = TRUE;
}

static void
set_script_ports(MfSpec *spec)
{
    spec->script_ports = TRUE;
}

static void
set_qmp_socket(MfSpec *spec)
{
    set_text(&spec->qmp_socket);
}

static void
set_extra_args(MfSpec *spec)
{
    const char *const arguments[] = {"-device", "edu", NULL};

    spec->extra_args = g_strdupv((char **)arguments);
}

typedef struct {
    const char *name;
    Fate fate;
    const char *word;
    void (*set)(MfSpec *spec);
} SpecMember;

static const SpecMember spec_members[] = {
    {"arch", IN_DOMAIN, NULL, set_arch},
    {"accel", IN_DOMAIN, NULL, set_accel},
    {"connect", ELSEWHERE, "whom the domain is for", NULL},
    {"qemu", IN_DOMAIN, NULL, set_qemu},
    {"machine", IN_DOMAIN, NULL, set_machine},
    {"cpu", IN_DOMAIN, NULL, set_cpu},
    {"cpus", IN_DOMAIN, NULL, set_cpus},
    {"memory", IN_DOMAIN, NULL, set_memory},
    {"numa", IN_DOMAIN, NULL, set_numa},
    {"kernel", IN_DOMAIN, NULL, set_kernel},
    {"initrd", IN_DOMAIN, NULL, set_initrd},
    {"append", IN_DOMAIN, NULL, set_append},
    {"shares", IN_DOMAIN, NULL, set_shares},
    {"share_type", REFUSED, "virtiofs", set_share_type},
    {"virtiofsd", ELSEWHERE, "comes with a share_type that is refused", NULL},
    {"disks", IN_DOMAIN, NULL, set_disks},
    {"firmware", IN_DOMAIN, NULL, set_firmware},
    {"bios", IN_DOMAIN, NULL, set_bios},
    {"smbios", IN_DOMAIN, NULL, set_smbios},
    {"tpm", IN_DOMAIN, NULL, set_tpm},
    {"swtpm", ELSEWHERE, "libvirt has its own", NULL},
    {"net", IN_DOMAIN, NULL, set_net},
    {"forwards", IN_DOMAIN, NULL, set_forwards},
    {"paused", ELSEWHERE, "libvirt-machine.c, which starts each domain so", NULL},
    {"held", REFUSED, "--on-crash", set_held},
    {"screen", REFUSED, "--on-crash", set_screen},
    {"debug_exit", REFUSED, "--success-exit-code", set_debug_exit},
    {"script_ports", IN_DOMAIN, NULL, set_script_ports},
    {"qmp_socket", IN_DOMAIN, NULL, set_qmp_socket},
    {"extra_args", IN_DOMAIN, NULL, set_extra_args},
    {"backing", ELSEWHERE, "warm/key.c, which saves no machine of libvirt's", NULL},
};

static MfSpec *
make_spec(void)
{
    MfSpec *spec = spec_fixture_new("q35");

    spec->connect = g_strdup(LOCAL);
    return spec;
}

static void
check_spec_member(const SpecMember *member)
{
    g_autoptr(MfSpec) plain = make_spec();
    g_autoptr(MfSpec) spec = make_spec();
    g_autoptr(GError) error = NULL;

    member->set(spec);

    gboolean good = mf_libvirt_check_spec(spec, NULL, &error);
    if (member->fate == REFUSED) {
        assert_refused(good, error, member->name, member->word);
        return;
    }
    g_assert_no_error(error);

    g_autofree char *before = mf_libvirt_domain_to_xml(plain, "x");
    g_autofree char *after = mf_libvirt_domain_to_xml(spec, "x");
    if (g_str_equal(before, after))
        g_error("'%s' is refused by nobody, and changes nothing in the domain", member->name);
}

static void
test_each_member_of_a_spec_is_in_the_domain_or_refused(void)
{
    g_autoptr(GPtrArray) members = read_members("machine", "spec.h", "MfSpec");

    assert_same_members(members, spec_members, G_N_ELEMENTS(spec_members), sizeof(SpecMember));
    for (gsize i = 0; i < G_N_ELEMENTS(spec_members); i++)
        if (spec_members[i].set)
            check_spec_member(&spec_members[i]);
        else
            g_assert_cmpint(spec_members[i].fate, ==, ELSEWHERE);
}

/*
 * What somebody wants
 */

#define SPEC  "plan.c: a member of the spec"
#define GUEST "the guest is told, over channels that each machine has"
#define HERE  "mayfly itself, of what comes over these channels"

static void
ask_on_crash(MfTarget *target)
{
    target->on_crash = 1;
}

static void
ask_snapshots(MfTarget *target)
{
    target->snapshots = 1;
}

static void
ask_success_exit_code(MfTarget *target)
{
    target->success_exit_code = 33;
}

typedef struct {
    const char *name;
    Fate fate;
    const char *word;
    void (*ask)(MfTarget *target);
} TargetMember;

static const TargetMember target_members[] = {
    {"kernel", ELSEWHERE, SPEC, NULL},
    {"root", ELSEWHERE, SPEC, NULL},
    {"root_mode", ELSEWHERE, SPEC, NULL},
    {"share_type", ELSEWHERE, SPEC, NULL},
    {"cache", ELSEWHERE, GUEST, NULL},
    {"init", ELSEWHERE, SPEC, NULL},
    {"init_template", ELSEWHERE, SPEC, NULL},
    {"no_initramfs", ELSEWHERE, SPEC, NULL},
    {"cold", ELSEWHERE, "warm/key.c, which saves no machine of libvirt's", NULL},
    {"no_save", ELSEWHERE, "warm/key.c, which saves no machine of libvirt's", NULL},
    {"kaslr", ELSEWHERE, SPEC, NULL},
    {"arch", ELSEWHERE, SPEC, NULL},
    {"accel", ELSEWHERE, SPEC, NULL},
    {"cpus", ELSEWHERE, SPEC, NULL},
    {"memory", ELSEWHERE, SPEC, NULL},
    {"qemu", ELSEWHERE, SPEC, NULL},
    {"connect", ELSEWHERE, SPEC, NULL},
    {"shared_paths", ELSEWHERE, "libvirt-uri.c", NULL},
    {"qemu_args", ELSEWHERE, SPEC, NULL},
    {"qmp_socket", ELSEWHERE, SPEC, NULL},
    {"kernel_args", ELSEWHERE, SPEC, NULL},
    {"mounts", ELSEWHERE, SPEC, NULL},
    {"share", ELSEWHERE, SPEC, NULL},
    {"argv", ELSEWHERE, GUEST, NULL},
    {"shell", ELSEWHERE, GUEST, NULL},
    {"env", ELSEWHERE, GUEST, NULL},
    {"workdir", ELSEWHERE, GUEST, NULL},
    {"user", ELSEWHERE, GUEST, NULL},
    {"hostname", ELSEWHERE, GUEST, NULL},
    {"payloads", ELSEWHERE, GUEST, NULL},
    {"steps", ELSEWHERE, GUEST, NULL},
    {"repeat", ELSEWHERE, GUEST, NULL},
    {"tty", ELSEWHERE, GUEST, NULL},
    {"rows", ELSEWHERE, GUEST, NULL},
    {"columns", ELSEWHERE, GUEST, NULL},
    {"bare", ELSEWHERE, SPEC, NULL},
    {"initramfs", ELSEWHERE, SPEC, NULL},
    {"success_exit_code", REFUSED, "--success-exit-code", ask_success_exit_code},
    {"image", ELSEWHERE, SPEC, NULL},
    {"medium", ELSEWHERE, SPEC, NULL},
    {"image_writable", ELSEWHERE, SPEC, NULL},
    {"uefi", ELSEWHERE, SPEC, NULL},
    {"secure_boot", ELSEWHERE, SPEC, NULL},
    {"secure_boot_vars", ELSEWHERE, SPEC, NULL},
    {"bios", ELSEWHERE, SPEC, NULL},
    {"smbios", ELSEWHERE, SPEC, NULL},
    {"tpm", ELSEWHERE, SPEC, NULL},
    {"machine", ELSEWHERE, SPEC, NULL},
    {"cpu", ELSEWHERE, SPEC, NULL},
    {"numa", ELSEWHERE, SPEC, NULL},
    {"disks", ELSEWHERE, SPEC, NULL},
    {"net", ELSEWHERE, SPEC, NULL},
    {"forwards", ELSEWHERE, SPEC, NULL},
    {"stdin_path", ELSEWHERE, HERE, NULL},
    {"setup", ELSEWHERE, GUEST, NULL},
    {"teardown", ELSEWHERE, GUEST, NULL},
    {"expect", ELSEWHERE, HERE, NULL},
    {"checks", ELSEWHERE, HERE, NULL},
    {"subtests", ELSEWHERE, HERE, NULL},
    {"console", ELSEWHERE, HERE, NULL},
    {"artifacts", ELSEWHERE, GUEST, NULL},
    {"artifacts_dir", ELSEWHERE, HERE, NULL},
    {"splat", ELSEWHERE, HERE, NULL},
    {"splat_allow", ELSEWHERE, HERE, NULL},
    {"splat_deny", ELSEWHERE, HERE, NULL},
    {"on_crash", REFUSED, "--on-crash", ask_on_crash},
    {"snapshots", REFUSED, "--snapshots", ask_snapshots},
    {"crash_dir", ELSEWHERE, "comes with what is refused", NULL},
    {"timeout_ms", ELSEWHERE, HERE, NULL},
    {"boot_timeout_ms", ELSEWHERE, HERE, NULL},
    {"watchdog_ms", ELSEWHERE, HERE, NULL},
    {"hang_timeout_ms", ELSEWHERE, HERE, NULL},
};

/* A bare target of the image at 'path': what is planned for it needs no kernel. */
static MfTarget *
make_target(const char *path)
{
    MfTarget *target = mf_target_new();

    target->bare = TRUE;
    target->arch = MF_ARCH_X86_64;
    target->accel = MF_ACCEL_TCG;
    target->connect = g_strdup(LOCAL);
    mf_target_set_image(target, path, MF_MEDIUM_DISK);
    return target;
}

static void
check_target_member(const TargetMember *member, const char *image)
{
    const gboolean open[3] = {TRUE, TRUE, TRUE};
    g_autoptr(MfTarget) plain = make_target(image);
    g_autoptr(MfTarget) target = make_target(image);
    g_autoptr(GError) error = NULL;
    MfPlan *plan = mf_plan_new(plain, open, &error);

    g_assert_no_error(error);
    mf_plan_free(plan);
    member->ask(target);
    plan = mf_plan_new(target, open, &error);
    assert_refused(plan != NULL, error, member->name, member->word);
}

static void
test_each_member_of_a_target_is_heeded_or_refused(void)
{
    g_autoptr(GPtrArray) members = read_members("run", "target.h", "MfTarget");
    g_autofree char *image = NULL;
    int fd = g_file_open_tmp("mayfly-test-XXXXXX.img", &image, NULL);

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ftruncate(fd, 1024), ==, 0);
    g_close(fd, NULL);
    assert_same_members(members, target_members, G_N_ELEMENTS(target_members),
                        sizeof(TargetMember));
    for (gsize i = 0; i < G_N_ELEMENTS(target_members); i++)
        if (target_members[i].ask)
            check_target_member(&target_members[i], image);
        else
            g_assert_cmpint(target_members[i].fate, ==, ELSEWHERE);
    g_assert_cmpint(g_unlink(image), ==, 0);
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/libvirt-fields/each-member-of-a-spec-is-in-the-domain-or-refused",
                    test_each_member_of_a_spec_is_in_the_domain_or_refused);
    g_test_add_func("/libvirt-fields/each-member-of-a-target-is-heeded-or-refused",
                    test_each_member_of_a_target_is_heeded_or_refused);
    return g_test_run();
}

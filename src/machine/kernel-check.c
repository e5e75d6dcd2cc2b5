/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/error.h"
#include "machine/kernel-config.h"
#include "machine/kernel.h"

#define GROUP_OPTIONS_MAX 3

/* What some options are for. The first options are needed by every run. */
typedef struct {
    MfKernelNeeds needs;
    const char *purpose;       /* behind "cannot" */
    const char *advice;        /* what to do instead of using another kernel; NULL for nothing */
    const char *advice_option; /* that the kernel needs for it; NULL for none */
    const char *options[GROUP_OPTIONS_MAX];
} Group;

static const Group groups[] = {
    {0, "give the guest its /dev", NULL, NULL, {"DEVTMPFS"}},
    {0, "reach mayfly over virtio", NULL, NULL, {"VIRTIO_PCI", "VIRTIO_CONSOLE"}},
    {MF_KERNEL_NEEDS_9P,
     "mount a 9p root",
     "Use virtiofs ('--share-type virtiofs', needs virtiofsd), or",
     "VIRTIO_FS",
     {"NET_9P", "NET_9P_VIRTIO", "9P_FS"}},
    {MF_KERNEL_NEEDS_VIRTIOFS,
     "mount a virtiofs root",
     "Use 9p ('--share-type 9p'), or",
     "9P_FS",
     {"FUSE_FS", "VIRTIO_FS"}},
    {MF_KERNEL_NEEDS_OVERLAY,
     "keep the guest's writes in an overlay",
     "Use a root that is read-only ('--root-mode ro'), or",
     NULL,
     {"OVERLAY_FS"}},
    {MF_KERNEL_NEEDS_DISKS, "use the machine's disks", NULL, NULL, {"VIRTIO_BLK"}},
    {MF_KERNEL_NEEDS_NET, "use the machine's network", NULL, NULL, {"INET", "VIRTIO_NET"}},
    {MF_KERNEL_NEEDS_NUMA, "have NUMA nodes", NULL, NULL, {"NUMA"}},
    {MF_KERNEL_NEEDS_TPM_CRB, "use the machine's TPM", NULL, NULL, {"TCG_TPM", "TCG_CRB"}},
    {MF_KERNEL_NEEDS_TPM_TIS, "use the machine's TPM", NULL, NULL, {"TCG_TPM", "TCG_TIS"}},
};

static const Group initramfs_group = {0, "start from an initramfs", NULL, NULL, {"BLK_DEV_INITRD"}};

/* The result of a check, by what is wrong. */
typedef struct {
    GPtrArray *purposes; /* owned, of static text: what does not work */
    GPtrArray *unset;    /* owned, of text: options that are off */
    GPtrArray *absent;   /* owned, of text: modules that are not there */
    GPtrArray *modular;  /* owned, of text: options that are modules where that will not do */
    const char *advice;  /* static; NULL when there is none that would help */
} Findings;

static void
findings_init(Findings *self)
{
    self->purposes = g_ptr_array_new();
    self->unset = g_ptr_array_new_with_free_func(g_free);
    self->absent = g_ptr_array_new_with_free_func(g_free);
    self->modular = g_ptr_array_new_with_free_func(g_free);
    self->advice = NULL;
}

static void
findings_clear(Findings *self)
{
    g_ptr_array_unref(self->purposes);
    g_ptr_array_unref(self->unset);
    g_ptr_array_unref(self->absent);
    g_ptr_array_unref(self->modular);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Findings, findings_clear)

static gboolean
has_module(MfKernel *kernel, const char *module)
{
    const MfModuleIndex *index = mf_kernel_get_module_index(kernel);
    g_autofree char *file = index && module ? mf_module_index_find(index, module) : NULL;

    return file != NULL;
}

/* FALSE when this option keeps the kernel from working, which is then noted. */
static gboolean
check_option(MfKernel *kernel, const char *option, gboolean builtin_only, Findings *findings)
{
    const char *module = mf_kernel_config_module(option);
    char value = mf_kernel_get_option(kernel, option);

    if (value == 'y' || value == '?')
        return TRUE;
    if (value == 'm' && builtin_only) {
        g_ptr_array_add(findings->modular, g_strconcat("CONFIG_", option, NULL));
        return FALSE;
    }
    /* A module beside a kernel that was configured without it was built separately: it will do. */
    if (!builtin_only && has_module(kernel, module))
        return TRUE;
    if (value == 'n')
        g_ptr_array_add(findings->unset, g_strconcat("CONFIG_", option, NULL));
    if (!builtin_only && module)
        g_ptr_array_add(findings->absent, g_strdup_printf("'%s'", module));
    return FALSE;
}

/* Whether the kernel has what the group's advice takes. */
static gboolean
can_follow(MfKernel *kernel, const Group *group, gboolean builtin_only)
{
    if (!group->advice_option)
        return TRUE;

    char value = mf_kernel_get_option(kernel, group->advice_option);
    return value == 'y' || value == '?' ||
           (!builtin_only && has_module(kernel, mf_kernel_config_module(group->advice_option)));
}

static void
check_group(MfKernel *kernel, const Group *group, gboolean builtin_only, Findings *findings)
{
    gboolean works = TRUE;

    for (gsize i = 0; i < GROUP_OPTIONS_MAX && group->options[i]; i++) {
        /* s390x has its virtio devices on a bus of its own, never on PCI. */
        if (mf_kernel_get_arch(kernel) == MF_ARCH_S390X &&
            g_str_equal(group->options[i], "VIRTIO_PCI"))
            continue;
        if (!check_option(kernel, group->options[i], builtin_only, findings))
            works = FALSE;
    }
    if (works)
        return;
    g_ptr_array_add(findings->purposes, (gpointer)group->purpose);
    /* To avoid one of several failures would not be enough. */
    findings->advice = findings->purposes->len == 1 && can_follow(kernel, group, builtin_only)
                           ? group->advice
                           : NULL;
}

/* "a", "a and b", "a, b and c". Owned by the caller. */
static char *
join_names(const GPtrArray *names, const char *conjunction)
{
    GString *text = g_string_new(NULL);

    for (guint i = 0; i < names->len; i++) {
        if (i > 0 && i + 1 == names->len)
            g_string_append_printf(text, " %s ", conjunction);
        else if (i > 0)
            g_string_append(text, ", ");
        g_string_append(text, g_ptr_array_index(names, i));
    }
    return g_string_free(text, FALSE);
}

/* Where the modules are, or that there are none. Owned by the caller. */
static char *
describe_module_place(MfKernel *kernel)
{
    const MfModuleIndex *index = mf_kernel_get_module_index(kernel);
    const char *release = mf_kernel_get_release(kernel);

    if (index)
        return g_strdup_printf("in '%s'", mf_module_index_get_directory(index));
    if (release)
        return g_strdup_printf("to be found (no lib/modules/%s is beside the image or on this "
                               "host)",
                               release);
    return g_strdup("to be found (the image does not say its release)");
}

/* What is wrong, without a full stop. Owned by the caller. */
static char *
describe_findings(MfKernel *kernel, const Findings *findings)
{
    g_autofree char *unset = join_names(findings->unset, "and");
    g_autofree char *absent = join_names(findings->absent, "or");
    g_autofree char *modular = join_names(findings->modular, "and");
    g_autofree char *place = describe_module_place(kernel);
    g_autoptr(GPtrArray) clauses = g_ptr_array_new_with_free_func(g_free);

    if (findings->unset->len > 0)
        g_ptr_array_add(clauses, g_strdup_printf("%s %s not set", unset,
                                                 findings->unset->len == 1 ? "is" : "are"));
    if (findings->absent->len > 0)
        g_ptr_array_add(clauses, g_strdup_printf("no module %s is %s", absent, place));
    if (findings->modular->len > 0)
        g_ptr_array_add(
            clauses, g_strdup_printf("%s %s, which cannot be loaded without an initramfs", modular,
                                     findings->modular->len == 1 ? "is a module" : "are modules"));
    return join_names(clauses, "and");
}

/* What to do about it: one sentence. Owned by the caller. */
static char *
describe_remedy(MfKernel *kernel, const Findings *findings, gboolean builtin_only)
{
    const char *tree = mf_kernel_get_build_tree(kernel);
    g_autofree char *options = join_names(findings->unset, "and");

    if (findings->unset->len == 0 && findings->modular->len > 0)
        return g_strdup("Run it with an initramfs (without '--no-initramfs'), or build them in.");
    if (findings->unset->len == 0 && tree)
        return g_strdup_printf("Run 'make modules' in '%s'.", tree);
    if (findings->unset->len == 0)
        return g_strdup("Put the kernel's modules there, or beside the image's directory as "
                        "'lib/modules/<release>'.");
    return g_strdup_printf("%s a kernel with %s%s.", findings->advice ? findings->advice : "Use",
                           options, builtin_only ? " built in" : ", built in or as modules");
}

gboolean
mf_kernel_check(MfKernel *self, MfKernelNeeds needs, GError **error)
{
    gboolean builtin_only = (needs & MF_KERNEL_NEEDS_BUILTIN) != 0;
    g_auto(Findings) findings;

    findings_init(&findings);
    for (gsize i = 0; i < G_N_ELEMENTS(groups); i++) {
        if ((groups[i].needs & ~needs) == 0)
            check_group(self, &groups[i], builtin_only, &findings);
    }
    if (!builtin_only)
        check_group(self, &initramfs_group, FALSE, &findings);
    if (findings.purposes->len == 0)
        return TRUE;

    g_autofree char *purposes = join_names(findings.purposes, "or");
    g_autofree char *reason = describe_findings(self, &findings);
    g_autofree char *remedy = describe_remedy(self, &findings, builtin_only);
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "Kernel '%s' cannot %s: %s. %s",
                mf_kernel_get_path(self), purposes, reason, remedy);
    return FALSE;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel-facts.h"

#include <string.h>

#include "base/fd.h"
#include "wire/json.h"

#define FACTS_VERSION  1
#define FACTS_SIZE_MAX 4096

static const char *const format_names[] = {
    [MF_KERNEL_BZIMAGE] = "bzimage",         [MF_KERNEL_ELF] = "elf",
    [MF_KERNEL_ARM64_IMAGE] = "arm64-image", [MF_KERNEL_RISCV_IMAGE] = "riscv-image",
    [MF_KERNEL_S390_IMAGE] = "s390-image",
};

char *
mf_kernel_release_read(const guint8 *text, gsize size)
{
    gsize length = 0;

    while (length < size && g_ascii_isgraph(text[length]) && text[length] != '/')
        length++;
    if (length == size || length > MF_KERNEL_RELEASE_MAX || !g_ascii_isdigit(text[0]) ||
        text[length] == '/')
        return NULL;
    return g_strndup((const char *)text, length);
}

static void
add_size(json_object *object, const char *name, guint64 value)
{
    json_object_object_add(object, name, json_object_new_uint64(value));
}

static void
add_text(json_object *object, const char *name, const char *value)
{
    if (value)
        json_object_object_add(object, name, json_object_new_string(value));
}

static void
add_flag(json_object *object, const char *name, gboolean value)
{
    json_object_object_add(object, name, json_object_new_boolean(value));
}

static gboolean
read_format(const MfJson *top, MfKernelFormat *ret_format)
{
    const char *name;

    if (!mf_json_get_string(top, "format", &name, NULL))
        return FALSE;
    for (gsize i = 0; i < G_N_ELEMENTS(format_names); i++) {
        if (g_str_equal(name, format_names[i])) {
            *ret_format = (MfKernelFormat)i;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
read_size(const MfJson *top, const char *name, guint64 *ret_size)
{
    return mf_json_get_uint64(top, name, 0, G_MAXINT64, ret_size, NULL);
}

static gboolean
read_members(const MfJson *top, MfKernelFacts *facts)
{
    const char *arch;
    guint64 version;
    MfJson member;

    if (!read_size(top, "version", &version) || version != FACTS_VERSION ||
        !read_format(top, &facts->format) || !mf_json_get_string(top, "arch", &arch, NULL) ||
        !mf_arch_parse(arch, &facts->arch, NULL) ||
        !read_size(top, "payload-offset", &facts->payload_offset) ||
        !read_size(top, "payload-length", &facts->payload_length) ||
        !read_size(top, "announced-size", &facts->announced_size) ||
        !read_size(top, "unpacked-size", &facts->unpacked_size) ||
        !mf_json_get_bool(top, "scanned", &facts->scanned, NULL) ||
        !mf_json_get_bool(top, "pvh", &facts->pvh, NULL) ||
        !mf_json_get_bool(top, "config", &facts->has_config, NULL))
        return FALSE;

    const char *release = NULL, *compression = NULL;
    if ((mf_json_find(top, "release", &member) && !mf_json_as_string(&member, &release, NULL)) ||
        (mf_json_find(top, "compression", &member) &&
         !mf_json_as_string(&member, &compression, NULL)))
        return FALSE;
    facts->release = g_strdup(release);
    facts->compression = g_intern_string(compression);
    return TRUE;
}

gboolean
mf_kernel_facts_load(const char *path, MfKernelFacts *ret_facts)
{
    g_autoptr(GBytes) bytes = mf_file_read(path, FACTS_SIZE_MAX, NULL);
    g_autoptr(json_object) document = NULL;
    MfKernelFacts facts = {0};

    if (!bytes || !mf_json_parse(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes),
                                 FACTS_SIZE_MAX, &document, NULL))
        return FALSE;

    MfJson top = mf_json_top(document, "the facts about a kernel");
    if (!mf_json_as_object(&top, NULL) || !read_members(&top, &facts))
        return FALSE;
    *ret_facts = facts;
    return TRUE;
}

gboolean
mf_kernel_facts_save(const MfKernelFacts *self, const char *path, GError **error)
{
    g_autoptr(json_object) object = json_object_new_object();

    add_size(object, "version", FACTS_VERSION);
    add_text(object, "format", format_names[self->format]);
    add_text(object, "arch", mf_arch_name(self->arch));
    add_text(object, "release", self->release);
    add_text(object, "compression", self->compression);
    add_size(object, "payload-offset", self->payload_offset);
    add_size(object, "payload-length", self->payload_length);
    add_size(object, "announced-size", self->announced_size);
    add_flag(object, "scanned", self->scanned);
    add_flag(object, "pvh", self->pvh);
    add_flag(object, "config", self->has_config);
    add_size(object, "unpacked-size", self->unpacked_size);

    const char *text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY);
    return mf_file_replace(path, text, strlen(text), 0600, error);
}

void
mf_kernel_facts_clear(MfKernelFacts *self)
{
    g_clear_pointer(&self->release, g_free);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel-facts.h"

#include <json-c/json.h>
#include <string.h>

#include "base/fd.h"

#define FACTS_VERSION  1
#define FACTS_SIZE_MAX 4096

static const char *const format_names[] = {
    [MF_KERNEL_BZIMAGE] = "bzimage",         [MF_KERNEL_ELF] = "elf",
    [MF_KERNEL_ARM64_IMAGE] = "arm64-image", [MF_KERNEL_RISCV_IMAGE] = "riscv-image",
    [MF_KERNEL_S390_IMAGE] = "s390-image",
};

typedef struct json_object JsonObject;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonObject, json_object_put)

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

/* The getters of json-c convert what they find ("5" is 5, anything is true): check the type first.
 */
static json_object *
member(json_object *object, const char *name, json_type type)
{
    json_object *value;

    if (!json_object_object_get_ex(object, name, &value) || !json_object_is_type(value, type))
        return NULL;
    return value;
}

static gboolean
read_size(json_object *object, const char *name, guint64 *ret_value)
{
    json_object *value = member(object, name, json_type_int);

    if (!value || json_object_get_int64(value) < 0)
        return FALSE;
    *ret_value = json_object_get_uint64(value);
    return TRUE;
}

static gboolean
read_flag(json_object *object, const char *name, gboolean *ret_value)
{
    json_object *value = member(object, name, json_type_boolean);

    if (!value)
        return FALSE;
    *ret_value = json_object_get_boolean(value);
    return TRUE;
}

static const char *
read_text(json_object *object, const char *name)
{
    json_object *value = member(object, name, json_type_string);

    return value ? json_object_get_string(value) : NULL;
}

static gboolean
read_format(json_object *object, MfKernelFormat *ret_format)
{
    const char *name = read_text(object, "format");

    for (gsize i = 0; name && i < G_N_ELEMENTS(format_names); i++) {
        if (g_str_equal(name, format_names[i])) {
            *ret_format = (MfKernelFormat)i;
            return TRUE;
        }
    }
    return FALSE;
}

static gboolean
read_members(json_object *object, MfKernelFacts *facts)
{
    const char *arch = read_text(object, "arch");
    guint64 version;

    if (!read_size(object, "version", &version) || version != FACTS_VERSION ||
        !read_format(object, &facts->format) || !arch || !mf_arch_parse(arch, &facts->arch, NULL) ||
        !read_size(object, "payload-offset", &facts->payload_offset) ||
        !read_size(object, "payload-length", &facts->payload_length) ||
        !read_size(object, "announced-size", &facts->announced_size) ||
        !read_size(object, "unpacked-size", &facts->unpacked_size) ||
        !read_flag(object, "scanned", &facts->scanned) || !read_flag(object, "pvh", &facts->pvh) ||
        !read_flag(object, "config", &facts->has_config))
        return FALSE;
    facts->release = g_strdup(read_text(object, "release"));
    facts->compression = g_intern_string(read_text(object, "compression"));
    return TRUE;
}

gboolean
mf_kernel_facts_load(const char *path, MfKernelFacts *ret_facts)
{
    g_autoptr(GBytes) bytes = mf_file_read(path, FACTS_SIZE_MAX, NULL);

    if (!bytes)
        return FALSE;

    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);
    g_autofree char *text = g_strndup(data ? data : "", size);
    g_autoptr(JsonObject) object = json_tokener_parse(text);
    MfKernelFacts facts = {0};

    if (!object || !json_object_is_type(object, json_type_object) || !read_members(object, &facts))
        return FALSE;
    *ret_facts = facts;
    return TRUE;
}

gboolean
mf_kernel_facts_save(const MfKernelFacts *self, const char *path, GError **error)
{
    g_autoptr(JsonObject) object = json_object_new_object();

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

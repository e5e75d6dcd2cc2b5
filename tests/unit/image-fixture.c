/* SPDX-License-Identifier: Apache-2.0 */
#include "image-fixture.h"

#include <archive.h>
#include <archive_entry.h>
#include <elf.h>
#include <string.h>

#include "base/tempdir.h"

#define VMLINUX_LOAD_VADDR G_GUINT64_CONSTANT(0xffffffff81000000)
#define SETUP_SECTS        1
#define CODE_OFFSET        ((SETUP_SECTS + 1) * 512)
#define PAYLOAD_OFFSET     0x100

static void
append_text(GByteArray *array, const char *text)
{
    g_byte_array_append(array, (const guint8 *)text, (guint)strlen(text));
}

/* Incompressible, the same every time. */
static void
append_noise(GByteArray *array, gsize size)
{
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);

    for (gsize i = 0; i < size; i++) {
        guint8 byte = (guint8)g_rand_int(rand);

        g_byte_array_append(array, &byte, 1);
    }
}

static void
append_padding(GByteArray *array, gsize until)
{
    static const guint8 zero;

    while (array->len < until)
        g_byte_array_append(array, &zero, 1);
}

static void
append_config(GByteArray *array, const char *text)
{
    g_autoptr(GBytes) plain = g_bytes_new(text, strlen(text));
    g_autoptr(GBytes) packed = fixture_compress(plain, "gzip");

    append_text(array, "IKCFG_ST");
    g_byte_array_append(array, g_bytes_get_data(packed, NULL), (guint)g_bytes_get_size(packed));
    append_text(array, "IKCFG_ED");
}

/* Two notes, the second of which is Xen's if wanted: a reader has to step over the first. */
static void
append_notes(GByteArray *array, gboolean pvh)
{
    const Elf64_Nhdr other = {.n_namesz = 6, .n_descsz = 2, .n_type = 18};
    const Elf64_Nhdr xen = {.n_namesz = 4, .n_descsz = 8, .n_type = pvh ? 18 : 17};

    g_byte_array_append(array, (const guint8 *)&other, sizeof(other));
    g_byte_array_append(array, (const guint8 *)"Linux\0\0\0ab\0\0", 12);
    g_byte_array_append(array, (const guint8 *)&xen, sizeof(xen));
    g_byte_array_append(array, (const guint8 *)"Xen\0\x00\x00\x00\x01\0\0\0\0", 12);
}

GBytes *
fixture_vmlinux(const FixtureKernel *kernel)
{
    Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                         .e_type = ET_EXEC,
                         .e_machine = kernel->machine ? kernel->machine : EM_X86_64,
                         .e_version = EV_CURRENT,
                         .e_phoff = sizeof(Elf64_Ehdr),
                         .e_ehsize = sizeof(Elf64_Ehdr),
                         .e_phentsize = sizeof(Elf64_Phdr),
                         .e_phnum = 2};
    Elf64_Phdr segments[2] = {{.p_type = PT_LOAD, .p_vaddr = VMLINUX_LOAD_VADDR},
                              {.p_type = PT_NOTE}};
    g_autoptr(GByteArray) array = g_byte_array_new();

    append_padding(array, sizeof(header) + sizeof(segments));
    segments[1].p_offset = array->len;
    append_notes(array, kernel->pvh);
    segments[1].p_filesz = array->len - segments[1].p_offset;
    segments[0].p_offset = array->len;
    append_noise(array, 4096 + kernel->padding);
    append_text(array, "Linux version %s (%s)");
    if (!kernel->no_banner)
        append_text(array, "\nLinux version " FIXTURE_RELEASE " (builder@host) #1 SMP\n");
    append_noise(array, 300);
    if (kernel->config)
        append_config(array, kernel->config);
    append_noise(array, 300);
    segments[0].p_filesz = array->len - segments[0].p_offset;
    memcpy(array->data, &header, sizeof(header));
    memcpy(array->data + sizeof(header), segments, sizeof(segments));
    return g_byte_array_free_to_bytes(g_steal_pointer(&array));
}

/* LZ4's legacy frame with one block that is a single run of literals. */
static GBytes *
store_as_lz4_legacy(GBytes *bytes)
{
    gsize size;
    const guint8 *data = g_bytes_get_data(bytes, &size);
    g_autoptr(GByteArray) block = g_byte_array_new();
    g_autoptr(GByteArray) array = g_byte_array_new();
    guint8 token = 0xf0;
    gsize rest = size - 15;

    g_byte_array_append(block, &token, 1);
    for (;;) {
        guint8 more = (guint8)MIN(rest, 255);

        g_byte_array_append(block, &more, 1);
        rest -= more;
        if (more < 255)
            break;
    }
    g_byte_array_append(block, data, (guint)size);

    guint32 block_size = GUINT32_TO_LE(block->len);
    g_byte_array_append(array, (const guint8 *)"\x02\x21\x4c\x18", 4);
    g_byte_array_append(array, (const guint8 *)&block_size, 4);
    g_byte_array_append(array, block->data, block->len);
    return g_byte_array_free_to_bytes(g_steal_pointer(&array));
}

GBytes *
fixture_compress(GBytes *bytes, const char *compression)
{
    if (g_str_equal(compression, "lz4"))
        return store_as_lz4_legacy(bytes);

    gsize size;
    const void *data = g_bytes_get_data(bytes, &size);
    gsize capacity = 2 * size + 65536;
    g_autofree guint8 *packed = g_malloc(capacity);
    size_t used = 0;
    struct archive *writer = archive_write_new();
    struct archive_entry *entry = archive_entry_new();

    g_assert_cmpint(archive_write_add_filter_by_name(writer, compression), ==, ARCHIVE_OK);
    archive_write_set_format_raw(writer);
    archive_write_set_bytes_per_block(writer, 0);
    archive_write_set_bytes_in_last_block(writer, 1);
    g_assert_cmpint(archive_write_open_memory(writer, packed, capacity, &used), ==, ARCHIVE_OK);
    archive_entry_set_filetype(entry, AE_IFREG);
    g_assert_cmpint(archive_write_header(writer, entry), ==, ARCHIVE_OK);
    g_assert_cmpint(archive_write_data(writer, data, size), ==, (la_ssize_t)size);
    g_assert_cmpint(archive_write_close(writer), ==, ARCHIVE_OK);
    archive_entry_free(entry);
    archive_write_free(writer);
    return g_bytes_new(packed, used);
}

static void
put_le16(GByteArray *array, gsize at, guint16 value)
{
    value = GUINT16_TO_LE(value);
    memcpy(array->data + at, &value, sizeof(value));
}

static void
put_le32(GByteArray *array, gsize at, guint32 value)
{
    value = GUINT32_TO_LE(value);
    memcpy(array->data + at, &value, sizeof(value));
}

static void
append_bytes(GByteArray *array, GBytes *bytes)
{
    g_byte_array_append(array, g_bytes_get_data(bytes, NULL), (guint)g_bytes_get_size(bytes));
}

GBytes *
fixture_bzimage(GBytes *vmlinux, const char *compression)
{
    g_autoptr(GByteArray) array = g_byte_array_new();
    g_autoptr(GBytes) payload = fixture_compress(vmlinux, compression);
    guint32 size = GUINT32_TO_LE((guint32)g_bytes_get_size(vmlinux));

    append_padding(array, CODE_OFFSET + PAYLOAD_OFFSET);
    append_bytes(array, payload);
    if (!g_str_equal(compression, "gzip"))
        g_byte_array_append(array, (const guint8 *)&size, sizeof(size));

    guint32 payload_length = array->len - CODE_OFFSET - PAYLOAD_OFFSET;
    append_noise(array, 1000);
    append_padding(array, (array->len + 15) & ~15U);
    array->data[0x1f1] = SETUP_SECTS;
    put_le32(array, 0x1f4, (array->len - CODE_OFFSET) / 16);
    put_le16(array, 0x1fe, 0xaa55);
    memcpy(array->data + 0x202, "HdrS", 4);
    put_le16(array, 0x206, 0x20f);
    put_le16(array, 0x20e, 0x300 - 0x200);
    put_le16(array, 0x236, 1);
    put_le32(array, 0x248, PAYLOAD_OFFSET);
    put_le32(array, 0x24c, payload_length);
    memcpy(array->data + 0x300, FIXTURE_RELEASE " (builder@host) #1 SMP",
           strlen(FIXTURE_RELEASE " (builder@host) #1 SMP"));
    return g_byte_array_free_to_bytes(g_steal_pointer(&array));
}

static GBytes *
raw_image(gsize magic_offset, const char *magic, gsize magic_size)
{
    g_autoptr(GByteArray) array = g_byte_array_new();

    append_padding(array, 64);
    memcpy(array->data + magic_offset, magic, magic_size);
    append_noise(array, 5000);
    append_text(array, "Linux version " FIXTURE_RELEASE " (builder@host)");
    append_noise(array, 500);
    return g_byte_array_free_to_bytes(g_steal_pointer(&array));
}

GBytes *
fixture_arm64_image(void)
{
    return raw_image(56, "ARM\x64", 4);
}

GBytes *
fixture_riscv_image(void)
{
    return raw_image(48, "RISCV\0\0\0RSC\x05", 12);
}

GBytes *
fixture_zboot(GBytes *image, const char *compression)
{
    g_autoptr(GByteArray) array = g_byte_array_new();
    g_autoptr(GBytes) payload = fixture_compress(image, compression);

    append_padding(array, 512);
    append_bytes(array, payload);
    memcpy(array->data, "MZ\0\0zimg", 8);
    put_le32(array, 8, 512);
    put_le32(array, 12, (guint32)g_bytes_get_size(payload));
    memcpy(array->data + 24, compression, strlen(compression));
    append_noise(array, 200);
    return g_byte_array_free_to_bytes(g_steal_pointer(&array));
}

GBytes *
fixture_module(const char *info, ...)
{
    static const char names[] = "\0.modinfo\0.shstrtab";
    Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                         .e_type = ET_REL,
                         .e_machine = EM_X86_64,
                         .e_version = EV_CURRENT,
                         .e_ehsize = sizeof(Elf64_Ehdr),
                         .e_shentsize = sizeof(Elf64_Shdr),
                         .e_shnum = 3,
                         .e_shstrndx = 2};
    Elf64_Shdr sections[3] = {{0},
                              {.sh_name = 1, .sh_type = SHT_PROGBITS},
                              {.sh_name = 10, .sh_type = SHT_STRTAB, .sh_size = sizeof(names)}};
    g_autoptr(GByteArray) array = g_byte_array_new();
    va_list args;

    append_padding(array, sizeof(header));
    sections[1].sh_offset = array->len;
    va_start(args, info);
    for (const char *line = info; line; line = va_arg(args, const char *))
        g_byte_array_append(array, (const guint8 *)line, (guint)strlen(line) + 1);
    va_end(args);
    sections[1].sh_size = array->len - sections[1].sh_offset;
    sections[2].sh_offset = array->len;
    g_byte_array_append(array, (const guint8 *)names, sizeof(names));
    append_padding(array, (array->len + 7) & ~7U);
    header.e_shoff = array->len;
    memcpy(array->data, &header, sizeof(header));
    g_byte_array_append(array, (const guint8 *)sections, sizeof(sections));
    return g_byte_array_free_to_bytes(g_steal_pointer(&array));
}

char *
fixture_write(const char *directory, const char *name, GBytes *bytes)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = g_build_filename(directory, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(parent, 0700), ==, 0);
    g_file_set_contents(path, g_bytes_get_data(bytes, NULL), (gssize)g_bytes_get_size(bytes),
                        &error);
    g_assert_no_error(error);
    return g_steal_pointer(&path);
}

char *
fixture_write_text(const char *directory, const char *name, const char *text)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static(text, strlen(text));

    return fixture_write(directory, name, bytes);
}

GBytes *
fixture_truncate(GBytes *bytes, gsize size)
{
    return g_bytes_new_from_bytes(bytes, 0, size);
}

GByteArray *
fixture_copy(GBytes *bytes)
{
    GByteArray *array = g_byte_array_new();

    append_bytes(array, bytes);
    return array;
}

char *
fixture_begin(void)
{
    g_autoptr(GError) error = NULL;
    char *directory = mf_tempdir_make(&error);

    g_assert_no_error(error);
    g_autofree char *cache = g_build_filename(directory, "cache", NULL);
    g_setenv("MAYFLY_CACHE_DIR", cache, TRUE);
    return directory;
}

void
fixture_end(char *directory)
{
    mf_tempdir_remove(directory);
    g_free(directory);
}

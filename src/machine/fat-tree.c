/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/fat-tree.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"

#define BASE_LENGTH      8
#define EXTENSION_LENGTH 3
#define STEM_LENGTH      6 /* of a base that a number follows */
#define LONG_NAME_MAX    255

/* The root's label; or a directory's "." and "..". */
#define RECORDS_OF_ROOT      1
#define RECORDS_OF_DIRECTORY 2

typedef struct {
    guint64 content;  /* bytes so far */
    const char *root; /* borrowed; for messages */
} Reading;

void
mf_fat_node_free(MfFatNode *self)
{
    if (!self)
        return;
    g_free(self->path);
    g_free(self->long_name);
    g_clear_pointer(&self->children, g_ptr_array_unref);
    g_free(self);
}

guint
mf_fat_node_count_records(const MfFatNode *self)
{
    return 1 + (self->long_length + MF_FAT_LONG_PIECE - 1) / MF_FAT_LONG_PIECE;
}

static const char *
get_name(const MfFatNode *self)
{
    return strrchr(self->path, '/') + 1;
}

static gboolean
is_short_character(char c)
{
    return g_ascii_isupper(c) || g_ascii_isdigit(c) || (c && strchr("!#$%&'()-@^_`{}~", c));
}

/* Whether the name is one that FAT has had since DOS: "BOOTX64.EFI". Then it is put into 'ret'. */
static gboolean
take_short_name(const char *name, guint8 ret[MF_FAT_SHORT_NAME])
{
    gsize base = strcspn(name, ".");
    const char *extension = name[base] ? name + base + 1 : "";
    gsize length = strlen(extension);

    if (base == 0 || base > BASE_LENGTH || length > EXTENSION_LENGTH || (name[base] && !length))
        return FALSE;
    for (const char *c = name; *c; c++)
        if (c != name + base && !is_short_character(*c))
            return FALSE;
    memset(ret, ' ', MF_FAT_SHORT_NAME);
    memcpy(ret, name, base);
    memcpy(ret + BASE_LENGTH, extension, length);
    return TRUE;
}

/* The characters of 'text' that a short name can have, at most 'max'. */
static void
append_short(GString *short_name, const char *text, gsize length, gsize max)
{
    for (gsize i = 0; i < length && max > 0; i++) {
        char c = g_ascii_toupper(text[i]);

        if (!is_short_character(c))
            continue;
        g_string_append_c(short_name, c);
        max--;
    }
}

/* A short name for one that needs a long one: "KERNEL~1ELF". 'number' makes it the only one. */
static void
make_short_name(const char *name, guint number, guint8 ret[MF_FAT_SHORT_NAME])
{
    const char *dot = strrchr(name, '.');
    gsize stem = dot ? (gsize)(dot - name) : strlen(name);
    g_autofree char *tail = g_strdup_printf("~%u", number);
    g_autoptr(GString) base = g_string_new(NULL);
    g_autoptr(GString) extension = g_string_new(NULL);

    append_short(base, name, stem, MIN(STEM_LENGTH, BASE_LENGTH - strlen(tail)));
    g_string_append(base, tail);
    if (dot)
        append_short(extension, dot + 1, strlen(dot + 1), EXTENSION_LENGTH);
    memset(ret, ' ', MF_FAT_SHORT_NAME);
    memcpy(ret, base->str, base->len);
    memcpy(ret + BASE_LENGTH, extension->str, extension->len);
}

/* Why FAT cannot have a file of that name; NULL when it can. */
static const char *
find_fault(const char *name)
{
    gsize length = strlen(name);

    if (!g_utf8_validate(name, -1, NULL))
        return "it is not UTF-8";
    for (const char *c = name; *c; c++)
        if ((guchar)*c < ' ' || strchr("\"*/:<>?\\|", *c))
            return "it has a character that no name has there";
    if (name[length - 1] == '.' || name[length - 1] == ' ')
        return "it ends with a dot or a space, which is lost there";
    return NULL;
}

static gboolean
set_fault(const char *path, const char *fault, GError **error)
{
    g_autofree char *shown = g_strescape(path, NULL);

    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "'%s' cannot be on a FAT drive under that name: %s.", shown, fault);
    return FALSE;
}

static gboolean
set_name(MfFatNode *self, GHashTable *taken, guint *number, GError **error)
{
    const char *name = get_name(self);
    const char *fault = find_fault(name);
    g_autofree char *folded = fault ? NULL : g_utf8_casefold(name, -1);
    glong length = 0;

    if (fault)
        return set_fault(self->path, fault, error);
    if (!g_hash_table_add(taken, g_steal_pointer(&folded)))
        return set_fault(self->path, "another one beside it differs in case only", error);
    if (take_short_name(name, self->short_name))
        return TRUE;
    self->long_name = g_utf8_to_utf16(name, -1, NULL, &length, NULL);
    self->long_length = (guint)length;
    if (length > LONG_NAME_MAX)
        return set_fault(self->path, "it is too long", error);
    make_short_name(name, ++*number, self->short_name);
    return TRUE;
}

static int
compare_nodes(gconstpointer a, gconstpointer b)
{
    const MfFatNode *const *left = a, *const *right = b;

    return strcmp((*left)->path, (*right)->path);
}

/* Gives the children their names. A number that a short name has by chance is not given out. */
static gboolean
name_children(MfFatNode *self, GError **error)
{
    g_autoptr(GHashTable) taken = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) shorts =
        g_hash_table_new_full(g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
    guint number = 0;

    g_ptr_array_sort(self->children, compare_nodes);
    for (guint i = 0; i < self->children->len; i++) {
        MfFatNode *child = self->children->pdata[i];

        if (!set_name(child, taken, &number, error))
            return FALSE;
        if (!child->long_name)
            g_hash_table_add(shorts, g_bytes_new(child->short_name, MF_FAT_SHORT_NAME));
    }
    for (guint i = 0; i < self->children->len; i++) {
        MfFatNode *child = self->children->pdata[i];
        g_autoptr(GBytes) given = g_bytes_new(child->short_name, MF_FAT_SHORT_NAME);

        while (child->long_name && g_hash_table_contains(shorts, given)) {
            make_short_name(get_name(child), ++number, child->short_name);
            g_bytes_unref(given);
            given = g_bytes_new(child->short_name, MF_FAT_SHORT_NAME);
        }
    }
    return TRUE;
}

static MfFatNode *read_node(Reading *self, const char *path, guint depth, GError **error);

static gboolean
read_children(Reading *self, MfFatNode *node, guint depth, GError **error)
{
    g_autoptr(GError) cause = NULL;
    g_autoptr(GDir) directory = g_dir_open(node->path, 0, &cause);
    guint records = depth == 0 ? RECORDS_OF_ROOT : RECORDS_OF_DIRECTORY;
    const char *name;

    if (!directory) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG, "The directory '%s' cannot be read: %s",
                    node->path, cause->message);
        return FALSE;
    }
    while ((name = g_dir_read_name(directory))) {
        g_autofree char *path = g_build_filename(node->path, name, NULL);
        MfFatNode *child = read_node(self, path, depth + 1, error);

        if (!child)
            return FALSE;
        g_ptr_array_add(node->children, child);
    }
    if (!name_children(node, error))
        return FALSE;
    for (guint i = 0; i < node->children->len; i++)
        records += mf_fat_node_count_records(node->children->pdata[i]);
    node->size = (guint64)records * MF_FAT_RECORD_SIZE;
    if (records <= MF_FAT_DIRECTORY_MAX)
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "The directory '%s' has more in it than fits into one on a FAT drive.", node->path);
    return FALSE;
}

static gboolean
take_file(Reading *self, MfFatNode *node, const struct stat *status, GError **error)
{
    node->size = (guint64)status->st_size;
    self->content += node->size;
    if (node->size > MF_FAT_FILE_MAX) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is too large for a FAT drive: a file there has less than 4G.",
                    node->path);
        return FALSE;
    }
    if (self->content <= MF_FAT_CONTENT_MAX)
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "The directory '%s' has more in it than a FAT drive is made of: at most 8G.",
                self->root);
    return FALSE;
}

/* NULL for what FAT cannot have, or that cannot be read. */
static MfFatNode *
read_node(Reading *self, const char *path, guint depth, GError **error)
{
    g_autoptr(MfFatNode) node = g_new0(MfFatNode, 1);
    struct stat status;

    if (stat(path, &status) < 0 || access(path, R_OK) < 0) {
        mf_error_set_errno(error, MF_ERROR_CONFIG, errno, "'%s' cannot be read", path);
        return NULL;
    }
    if (depth > MF_FAT_DEPTH_MAX) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' is deeper than %d directories: is there a link that leads upwards?", path,
                    MF_FAT_DEPTH_MAX);
        return NULL;
    }
    node->path = g_strdup(path);
    node->written = status.st_mtime;
    if (S_ISREG(status.st_mode))
        return take_file(self, node, &status, error) ? g_steal_pointer(&node) : NULL;
    if (!S_ISDIR(status.st_mode)) {
        g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                    "'%s' cannot be on a FAT drive: it is neither a file nor a directory.", path);
        return NULL;
    }
    node->children = g_ptr_array_new_with_free_func((GDestroyNotify)mf_fat_node_free);
    return read_children(self, node, depth, error) ? g_steal_pointer(&node) : NULL;
}

MfFatNode *
mf_fat_tree_read(const char *path, GError **error)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    Reading reading = {.root = absolute};

    if (g_file_test(absolute, G_FILE_TEST_IS_DIR))
        return read_node(&reading, absolute, 0, error);
    mf_error_set_errno(error, MF_ERROR_CONFIG,
                       g_file_test(absolute, G_FILE_TEST_EXISTS) ? ENOTDIR : ENOENT,
                       "The directory '%s' cannot be used", absolute);
    return NULL;
}

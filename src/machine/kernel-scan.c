/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/kernel-scan.h"

#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "machine/elf-file.h"
#include "machine/kernel-facts.h"
#include "machine/peek.h"

#define XEN_ELFNOTE_PHYS32_ENTRY 18

#define BANNER       "Linux version "
#define CONFIG_START "IKCFG_ST"
#define CONFIG_END   "IKCFG_ED"
#define CONFIG_MAX   (1024 * 1024) /* a compressed configuration is about 60 KiB */

/* A window's last bytes are seen again in the next one, so that nothing is missed at a border. */
#define WINDOW_SIZE    (1024 * 1024)
#define WINDOW_OVERLAP (sizeof(BANNER) + MF_KERNEL_RELEASE_MAX + 1)

typedef struct {
    int fd;
    guint8 *window; /* WINDOW_SIZE bytes */
    MfKernelScan *result;
} Scanner;

/* The banner's text also occurs as a format: only a number behind it makes it the banner. */
static void
find_release(Scanner *self, gsize size)
{
    const guint8 *at = self->window;
    const guint8 *end = self->window + size;

    while (!self->result->release && (at = memmem(at, (gsize)(end - at), BANNER, strlen(BANNER)))) {
        at += strlen(BANNER);
        self->result->release = mf_kernel_release_read(at, (gsize)(end - at));
    }
}

/* The end marker is looked for from the start marker on, in a read of its own. */
static void
measure_config(Scanner *self, guint64 start)
{
    g_autofree guint8 *config = g_malloc(CONFIG_MAX);
    gssize n = mf_peek_read(self->fd, config, CONFIG_MAX, start);

    if (n < 2 || config[0] != 0x1f || config[1] != 0x8b)
        return;

    const guint8 *end = memmem(config, (gsize)n, CONFIG_END, strlen(CONFIG_END));
    if (end) {
        self->result->config_offset = start;
        self->result->config_length = (guint64)(end - config);
    }
}

static void
find_config(Scanner *self, guint64 offset, gsize size)
{
    const guint8 *at = self->window;
    const guint8 *end = self->window + size;

    while (self->result->config_length == 0 &&
           (at = memmem(at, (gsize)(end - at), CONFIG_START, strlen(CONFIG_START)))) {
        at += strlen(CONFIG_START);
        measure_config(self, offset + (guint64)(at - self->window));
    }
}

static gboolean
scan_range(Scanner *self, guint64 offset, guint64 length, GError **error)
{
    guint64 end = offset + length;

    while (offset < end) {
        gsize wanted = (gsize)MIN(end - offset, WINDOW_SIZE);
        gssize n = mf_peek_read(self->fd, self->window, wanted, offset);

        if (n < 0) {
            mf_error_set_errno(error, MF_ERROR_HOST, errno, "The kernel cannot be read");
            return FALSE;
        }
        find_release(self, (gsize)n);
        find_config(self, offset, (gsize)n);
        if (n < WINDOW_SIZE)
            break;
        offset += WINDOW_SIZE - WINDOW_OVERLAP;
    }
    return TRUE;
}

static gboolean
scan_segments(Scanner *self, const MfElfFile *elf, GError **error)
{
    for (guint i = 0; i < elf->n_segments; i++) {
        const MfElfSegment *segment = &elf->segments[i];

        if (segment->type == PT_LOAD && !scan_range(self, segment->offset, segment->size, error))
            return FALSE;
    }
    return TRUE;
}

gboolean
mf_kernel_scan(int fd, guint64 size, MfKernelScan *ret_scan, GError **error)
{
    g_autofree guint8 *window = g_malloc(WINDOW_SIZE);
    g_auto(MfKernelScan) scan = {0};
    Scanner scanner = {fd, window, &scan};
    MfElfFile elf;
    gboolean is_elf = mf_elf_file_read(fd, size, &elf) == MF_ELF_FILE_OK;

    if (is_elf) {
        scan.pvh = elf.machine == EM_X86_64 &&
                   mf_elf_file_has_note(&elf, fd, "Xen", XEN_ELFNOTE_PHYS32_ENTRY);
        if (!scan_segments(&scanner, &elf, error))
            return FALSE;
    } else if (!scan_range(&scanner, 0, size, error)) {
        return FALSE;
    }
    *ret_scan = scan;
    scan.release = NULL; /* now the caller's */
    return TRUE;
}

void
mf_kernel_scan_clear(MfKernelScan *self)
{
    g_clear_pointer(&self->release, g_free);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include <glib.h>

int LLVMFuzzerTestOneInput(const guint8 *data, gsize size);

/* Plays each file to the fuzz target once: for compilers without libFuzzer, for AFL, and to see a
 * finding again. */
int
main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *data = NULL;
        gsize size;

        if (!g_file_get_contents(argv[i], &data, &size, &error)) {
            g_printerr("fuzz-frames: %s\n", error->message);
            return 1;
        }
        LLVMFuzzerTestOneInput((const guint8 *)data, size);
    }
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "run/moment.h"

#include <glib.h>
#include <sys/random.h>
#include <time.h>

#include "wire/guest-protocol.h"

#define ENTROPY_BYTES 64

void
mf_moment_add_entropy(struct mf_record *record)
{
    guint8 bytes[ENTROPY_BYTES];
    g_autoptr(GString) text = g_string_new(NULL);

    /* A guest refuses an empty field: none at all would leave it as it is. */
    if (getrandom(bytes, sizeof(bytes), 0) == (ssize_t)sizeof(bytes))
        for (gsize i = 0; i < sizeof(bytes); i++)
            g_string_append_printf(text, "%02x", bytes[i]);
    mf_record_add(record, MF_CONF_ENTROPY, text->str);
}

void
mf_moment_add_time(struct mf_record *record)
{
    g_autofree char *text = NULL;
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    text = g_strdup_printf("%lld.%09ld", (long long)now.tv_sec, now.tv_nsec);
    mf_record_add(record, MF_CONF_TIME, text);
}

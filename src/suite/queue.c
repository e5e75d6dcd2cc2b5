/* SPDX-License-Identifier: Apache-2.0 */
#include "suite/queue.h"

typedef struct {
    guint machine; /* equal numbers for equal machines */
    guint waiting : 1, booting : 1;
} Place;

struct _MfQueue {
    guint length;
    Place *places;  /* owned; by the cases' indexes */
    guint *booting; /* owned; how many of each machine are */
};

/* What makes a machine another one, as far as a target says it. Only the plan knows for sure, so a
 * mistake here costs no more than time. */
static char *
describe_machine(const MfTarget *target)
{
    return g_strdup_printf("%s\n%s\n%u\n%s\n%s\n%s\n%s\n%u\n%u\n%u\n%" G_GUINT64_FORMAT "\n%u",
                           target->kernel ? target->kernel : "", target->image ? target->image : "",
                           target->arch, target->qemu ? target->qemu : "",
                           target->machine ? target->machine : "", target->cpu ? target->cpu : "",
                           target->kernel_args ? target->kernel_args : "", target->share_type,
                           target->init, target->cpus, target->memory, target->mounts->len);
}

MfQueue *
mf_queue_new(const GPtrArray *cases)
{
    MfQueue *self = g_new0(MfQueue, 1);
    g_autoptr(GHashTable) machines = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

    self->length = cases->len;
    self->places = g_new0(Place, cases->len);
    self->booting = g_new0(guint, cases->len);
    for (guint i = 0; i < cases->len; i++) {
        char *machine = describe_machine(((MfCase *)g_ptr_array_index(cases, i))->target);
        gpointer known;

        if (!g_hash_table_lookup_extended(machines, machine, NULL, &known))
            known = GUINT_TO_POINTER(g_hash_table_size(machines));
        g_hash_table_insert(machines, machine, known);
        self->places[i] = (Place){GPOINTER_TO_UINT(known), TRUE, FALSE};
    }
    return self;
}

void
mf_queue_free(MfQueue *self)
{
    if (!self)
        return;
    g_free(self->places);
    g_free(self->booting);
    g_free(self);
}

int
mf_queue_take(MfQueue *self)
{
    int found = -1;

    for (guint i = 0; i < self->length; i++) {
        if (!self->places[i].waiting)
            continue;
        if (found < 0)
            found = (int)i;
        if (self->booting[self->places[i].machine] == 0) {
            found = (int)i;
            break;
        }
    }
    if (found >= 0) {
        self->places[found].waiting = FALSE;
        self->places[found].booting = TRUE;
        self->booting[self->places[found].machine]++;
    }
    return found;
}

void
mf_queue_note_booted(MfQueue *self, guint index)
{
    if (self->places[index].booting)
        self->booting[self->places[index].machine]--;
    self->places[index].booting = FALSE;
}

guint
mf_queue_clear(MfQueue *self)
{
    guint left = 0;

    for (guint i = 0; i < self->length; i++) {
        left += self->places[i].waiting;
        self->places[i].waiting = FALSE;
    }
    return left;
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "base/suggest.h"

#include <string.h>

/* What is longer is no misspelling of any name of ours. */
#define WORD_MAX 64

/* A shorter one with another first letter is another word, not a slip: "set" is not "net". */
#define SLIP_MIN 4

/* How many bytes have to be left out, added, replaced or swapped with their neighbour to make 'b'
 * of 'a' (optimal string alignment). Both are at most WORD_MAX bytes. */
static guint
distance(const char *a, const char *b)
{
    size_t a_length = strlen(a), b_length = strlen(b);
    guint rows[WORD_MAX + 1][WORD_MAX + 1];

    for (size_t i = 0; i <= a_length; i++)
        rows[i][0] = (guint)i;
    for (size_t j = 0; j <= b_length; j++)
        rows[0][j] = (guint)j;
    for (size_t i = 1; i <= a_length; i++) {
        for (size_t j = 1; j <= b_length; j++) {
            guint replaced = rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]);

            rows[i][j] = MIN(replaced, MIN(rows[i - 1][j], rows[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                rows[i][j] = MIN(rows[i][j], rows[i - 2][j - 2] + 1);
        }
    }
    return rows[a_length][b_length];
}

static gboolean
can_be_slip(const char *word, const char *candidate)
{
    return strlen(word) >= SLIP_MIN || word[0] == candidate[0] ||
           (word[0] == candidate[1] && word[1] == candidate[0]);
}

const char *
mf_suggest(const char *word, const char *const *candidates)
{
    const char *nearest = NULL;
    size_t length = strlen(word);
    guint limit = (guint)MAX(length / 3, 1);

    if (length == 0 || length > WORD_MAX)
        return NULL;
    for (; *candidates; candidates++) {
        guint apart = strlen(*candidates) <= WORD_MAX ? distance(word, *candidates) : G_MAXUINT;

        if (apart > limit || !can_be_slip(word, *candidates))
            continue;
        nearest = *candidates;
        if (apart == 0)
            return nearest;
        limit = apart - 1;
    }
    return nearest;
}

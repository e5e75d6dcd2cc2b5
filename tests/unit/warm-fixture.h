/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "warm/build.h"

/* For the tests of saved machines: a cache of one's own, and machines that no QEMU has written. */
typedef struct {
    char *directory; /* owned; with the cache in it */
} WarmFixture;

/* Of each machine: its memory, in bytes, and with that its disk. */
#define WARM_FIXTURE_MEMORY (1u << 20)
extern const MfWarmSizes warm_fixture_sizes;

/* The key of that name. Owned by the caller. */
MfWarmKey *warm_fixture_key(const char *name);

/* Begins to save its machine, which nobody else does. Owned by the caller. */
MfWarmBuild *warm_fixture_begin(const MfWarmKey *key);

/* Writes what QEMU would, and publishes it. */
void warm_fixture_save(const MfWarmKey *key);

typedef struct {
    const char *name;
    void (*test)(WarmFixture *fixture, gconstpointer data);
} WarmTest;

/* Adds the tests below 'prefix', each with a cache of its own. */
void warm_fixture_add(const char *prefix, const WarmTest *tests, gsize n_tests);

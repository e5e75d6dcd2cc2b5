/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

#include "wire/json.h"

/*
 * What a real QEMU says of its QMP: the recorded reply to query-qmp-schema. Commands that our code
 * sends are held against it, so that a test's peer does not accept what QEMU would refuse.
 */
typedef struct QmpSchema QmpSchema;

/* Reads tests/data/query-qmp-schema-7.2.json; aborts the test when it cannot. */
QmpSchema *qmp_schema_load(void);
void qmp_schema_free(QmpSchema *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(QmpSchema, qmp_schema_free)

/* Whether QEMU knows 'command' and accepts 'arguments' (NULL for none) by name and type. */
gboolean qmp_schema_check(const QmpSchema *self, const char *command, json_object *arguments,
                          GError **error);

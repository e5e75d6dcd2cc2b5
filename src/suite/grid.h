/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * A grid runs every scenario on every persona: the targets that are tagged "scenario", with
 * personas as one more axis of their matrix. The rest is the matrix's: 'exclude' leaves cells out,
 * and a target that has a persona of its own is run on that one only.
 */
#define MF_GRID_TAG "scenario"

/* Leaves of 'targets' (of json_object, as mf_layers_apply() gives them) those that are scenarios,
 * and gives each its axis: 'personas' (NULL-terminated), which were asked for, and which go before
 * what a target says itself; else its matrix's own axis; else all personas that there are for a
 * config file in 'directory'. */
void mf_grid_prepare(GPtrArray *targets, const char *directory, const char *const *personas);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "wire/record.h"

/* Fields of the CONF record that are of the moment: fresh entropy, and the wall clock. The clock is
 * added last, so that it is as fresh as can be. */
void mf_moment_add_entropy(struct mf_record *record);
void mf_moment_add_time(struct mf_record *record);

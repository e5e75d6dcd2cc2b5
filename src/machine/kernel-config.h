/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "machine/module-index.h"

/* The configuration that a kernel was built with: the text of its .config. */
typedef struct MfKernelConfig MfKernelConfig;

#define MF_KERNEL_CONFIG_MAX (4 * 1024 * 1024) /* of a distribution's kernel: 260 KiB */

/* NULL when the file cannot be read, is larger than MF_KERNEL_CONFIG_MAX, or is no configuration:
 * the caller looks in the next place. */
MfKernelConfig *mf_kernel_config_load(const char *path);
void mf_kernel_config_free(MfKernelConfig *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(MfKernelConfig, mf_kernel_config_free)

/* 'm', 'n' (also for an option that is not mentioned: it does not exist or cannot be chosen), and
 * 'y' for y and for every other value. 'option' without CONFIG_. */
char mf_kernel_config_get(const MfKernelConfig *self, const char *option);

/* The module that 'option' makes when it is 'm'; NULL when it is not among those that mayfly asks
 * for. */
const char *mf_kernel_config_module(const char *option);

/* The answer of a kernel whose configuration is nowhere: what it has built in or as a module. '?'
 * when 'index' cannot tell. */
char mf_kernel_config_guess(const MfModuleIndex *index, const char *option);

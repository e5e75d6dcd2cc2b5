/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/libvirt.h"
#include "machine/machine.h"
#include "machine/qemu-machine.h"

MfMachine *
mf_machine_launch(const MfSpec *spec, GError **error)
{
    return spec->connect ? mf_libvirt_launch(spec, error) : mf_qemu_machine_launch(spec, error);
}

char *
mf_machine_describe_start(const MfSpec *spec)
{
    g_autoptr(MfArgv) argv = NULL;
    g_autofree char *lines = NULL;

    if (spec->connect)
        return mf_libvirt_describe(spec);
    argv = mf_spec_to_argv(spec);
    lines = mf_argv_to_lines(argv);
    return g_strconcat(lines, "\n", NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "machine/tpm.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/tempdir.h"

#define PROGRAM "swtpm"

/* QEMU's names for the parts. */
#define CHARDEV_ID "tpm"
#define BACKEND_ID "tpm0"

static const char *const names[] = {"none", "1.2", "2.0", NULL};

const char *
mf_tpm_name(MfTpm tpm)
{
    return names[tpm];
}

gboolean
mf_tpm_parse(const char *text, MfTpm *ret_tpm, GError **error)
{
    guint index;

    if (!mf_parse_choice(text, "a TPM", names, &index, error))
        return FALSE;
    *ret_tpm = (MfTpm)index;
    return TRUE;
}

gboolean
mf_tpm_check_machine(MfTpm tpm, MfArch arch, GError **error)
{
    if (tpm == MF_TPM_NONE || arch == MF_ARCH_X86_64 || arch == MF_ARCH_AARCH64)
        return TRUE;
    g_set_error(error, MF_ERROR, MF_ERROR_CONFIG,
                "QEMU's machines of %s have no TPM: leave it out.", mf_arch_name(arch));
    return FALSE;
}

/* A TPM 1.2 has no CRB interface, and ARM's machine no such device. */
gboolean
mf_tpm_is_crb(MfTpm tpm, MfArch arch)
{
    return tpm == MF_TPM_2_0 && arch == MF_ARCH_X86_64;
}

char *
mf_tpm_find(GError **error)
{
    const char *requested = g_getenv(MF_TPM_ENV);
    char *path = g_find_program_in_path(requested ? requested : PROGRAM);

    if (path)
        return path;
    if (requested)
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "swtpm '%s' (from " MF_TPM_ENV ") was not found, or is not a program that this "
                    "user may run.",
                    requested);
    else
        g_set_error(error, MF_ERROR, MF_ERROR_HOST,
                    "A TPM needs swtpm, which was not found: install it (package swtpm), or name "
                    "it in " MF_TPM_ENV ".");
    return NULL;
}

MfArgv *
mf_tpm_to_argv(MfTpm tpm, const char *path)
{
    MfArgv *argv = mf_argv_new(path);

    mf_argv_add(argv, "socket");
    if (tpm == MF_TPM_2_0)
        mf_argv_add(argv, "--tpm2");
    /* By descriptor: swtpm has no way to write a path with a comma. */
    mf_argv_add(argv, "--tpmstate");
    mf_argv_addf(argv, "dir=/proc/self/fd/%d", MF_TPM_STATE_FD);
    mf_argv_add(argv, "--ctrl");
    mf_argv_addf(argv, "type=unixio,clientfd=%d", MF_TPM_CONNECTION_FD);
    mf_argv_add(argv, "--terminate");
    return argv;
}

void
mf_tpm_add_to_argv(MfTpm tpm, MfArch arch, int fd, MfArgv *argv)
{
    const char *device = mf_tpm_is_crb(tpm, arch)  ? "tpm-crb"
                         : arch == MF_ARCH_AARCH64 ? "tpm-tis-device"
                                                   : "tpm-tis";
    g_autofree char *number = g_strdup_printf("%d", fd);

    if (tpm == MF_TPM_NONE)
        return;
    mf_argv_add_option(argv, "-chardev", "socket", "id", CHARDEV_ID, "fd", number, NULL);
    mf_argv_add_option(argv, "-tpmdev", "emulator", "id", BACKEND_ID, "chardev", CHARDEV_ID, NULL);
    mf_argv_add_option(argv, "-device", device, "tpmdev", BACKEND_ID, NULL);
}

MfDaemon *
mf_tpm_start(MfTpm tpm, const char *path, int *ret_connection, GError **error)
{
    g_autoptr(MfArgv) argv = mf_tpm_to_argv(tpm, path);
    g_autofree char *directory = mf_tempdir_make(error);
    int pair[2];

    if (!directory)
        return NULL;

    mf_autofd state = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (state < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        mf_error_set_errno(error, MF_ERROR_HOST, errno, "swtpm cannot be connected to");
        mf_tempdir_remove(directory);
        return NULL;
    }

    mf_autofd ours = pair[0];
    mf_autofd theirs = pair[1];
    const MfChildFd handed[] = {{theirs, MF_TPM_CONNECTION_FD}, {state, MF_TPM_STATE_FD}};
    MfChild *child = mf_child_spawn(argv, handed, G_N_ELEMENTS(handed), error);
    if (!child) {
        mf_tempdir_remove(directory);
        return NULL;
    }
    *ret_connection = mf_fd_steal(&ours);
    return mf_daemon_new(child, "swtpm, which is the guest's TPM,", g_steal_pointer(&directory));
}

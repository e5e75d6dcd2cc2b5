#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Roots and shares over virtiofs: for a kernel without 9p by itself, for others on request."""

import os
import resource
import shutil
import signal

from harness import Sandbox, Skip, expect, expect_sentence, kernel, main, release, test

PLACES = ("/usr/libexec", "/usr/lib", "/usr/lib/qemu")
# Over virtiofs every run boots cold: what is about the daemons has the kernel that boots soonest.
OVER_VIRTIOFS = ("--share-type", "virtiofs", "-k")


def daemon():
    """A virtiofsd that this user can run."""
    path = shutil.which("virtiofsd", path=os.pathsep.join((os.environ["PATH"], *PLACES)))
    if not path:
        raise Skip("there is no virtiofsd")
    if os.geteuid() != 0 and path.startswith("/usr/lib/qemu"):
        raise Skip("the only virtiofsd is QEMU's, which needs root")
    return path


@test
def a_kernel_without_9p_runs_over_virtiofs_by_itself_and_only_the_share_reaches_the_host():
    daemon()
    with Sandbox() as box:
        name = "mayfly-test-" + box.mark
        script = (f"uname -r; grep -c virtiofs /proc/mounts; set -e; echo x >/etc/{name}; "
                  f"cat /etc/{name}; rm -rf /opt; echo shared >/mnt/mayfly/written; "
                  "echo more >>/mnt/vmtest/written; pwd; exit 42")
        result = box.run("run", "-k", kernel("cloud"), "--", script)
        expect(result, 42, out=f"{release('cloud')}\n2\nx\n{box.work}\n".encode())
        assert result.err == b"", f"unasked-for words: {result!r}"
        assert not os.path.exists(f"/etc/{name}") and os.path.isdir("/opt")
        with open(os.path.join(box.work, "written")) as file:
            assert file.read() == "shared\nmore\n"


@test
def a_kernel_with_9p_uses_virtiofs_on_request():
    daemon()
    with Sandbox() as box:
        result = box.run("run", "-k", kernel(), "--share-type", "virtiofs", "--",
                         "uname -r; grep -c ' 9p ' /proc/mounts; grep -c virtiofs /proc/mounts; "
                         "modprobe dummy && test -d /sys/module/dummy")
        expect(result, 0, out=f"{release()}\n0\n2\n".encode())


def lower_fd_limit():
    """In the child: a low limit of open files, the hard one too where it could be raised again."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard + 1, hard + 1))
        hard = 400
    except (ValueError, OSError):
        pass
    resource.setrlimit(resource.RLIMIT_NOFILE, (400, hard))


@test
def the_guest_can_use_more_files_than_mayfly_may_open():
    daemon()
    with Sandbox() as box:
        tree = box.make("tree")
        for number in range(600):
            with open(os.path.join(tree, f"file{number}"), "w") as file:
                file.write("content")
        result = box.run("run", *OVER_VIRTIOFS, kernel("small"), "--",
                         f"find {tree} -type f -size +0 | wc -l", preexec_fn=lower_fd_limit)
        expect(result, 0, out=b"600\n")


@test
def a_read_only_mount_stays_so_when_the_guest_remounts_it():
    daemon()
    with Sandbox() as box:
        data = box.make("data, with comma")
        with open(os.path.join(data, "file"), "w") as file:
            file.write("content")
        result = box.run("run", *OVER_VIRTIOFS, kernel("small"), "--mount", f"{data}:/x", "--",
                         "cat /x/file; mount -o remount,rw /x && grep -c '/x virtiofs rw' "
                         "/proc/mounts; echo changed >/x/file; rm /x/file")
        expect(result, 1, out=b"content1\n", err="Read-only file system")
        with open(os.path.join(data, "file")) as file:
            assert file.read() == "content"


@test
def a_writable_root_reaches_the_host():
    daemon()
    with Sandbox() as box:
        root = box.make("root")
        for name in ("bin", "proc", "dev", "sys", "run", "mnt", "tmp"):
            os.mkdir(os.path.join(root, name))
        shutil.copy("/bin/busybox", os.path.join(root, "bin", "sh"))
        result = box.run("run", *OVER_VIRTIOFS, kernel("small"), "-r", root, "--root-mode", "rw", "--",
                         "echo kept >/tmp/made; ls /mnt/mayfly")
        expect(result, 0)
        with open(os.path.join(root, "tmp", "made")) as file:
            assert file.read() == "kept\n"


@test
def without_virtiofsd_both_ways_out_are_named():
    with Sandbox() as box:
        box.env["MAYFLY_VIRTIOFSD"] = "/nonexistent/virtiofsd"
        result = box.run("run", "-k", kernel("cloud"), "--", "true")
        expect_sentence(result, 69, "CONFIG_9P_FS are not set.*--share-type virtiofs.*or a kernel "
                                    "with.*'/nonexistent/virtiofsd'.*was not found")
        result = box.run("run", "-k", kernel("cloud"), "--share-type", "virtiofs", "--", "true")
        expect_sentence(result, 69, "^mayfly: virtiofsd '/nonexistent/virtiofsd'.*was not found")


@test
def asking_a_kernel_for_the_9p_it_lacks_names_the_options():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel("cloud"), "--share-type", "9p", "--", "true")
        expect_sentence(result, 69, "cannot mount a 9p root: CONFIG_NET_9P, CONFIG_NET_9P_VIRTIO "
                                    "and CONFIG_9P_FS are not set.*Use virtiofs")


def kill_daemons(box):
    """Kills the sandbox's daemons as the kernel would that is out of memory."""
    found = [pid for pid, name in box.processes() if name == "virtiofsd"]
    assert found, box.processes()
    for pid in found:
        os.kill(pid, signal.SIGKILL)


@test
def a_daemon_that_dies_ends_the_run_with_69():
    daemon()
    with Sandbox() as box:
        process = box.start("run", *OVER_VIRTIOFS, kernel("small"), "--", "echo up; sleep 60; cat /etc/motd")
        assert process.stdout.readline() == b"up\n"
        kill_daemons(box)
        _, err = process.communicate(timeout=20)
        assert process.returncode == 69, (process.returncode, err)
        assert b"virtiofsd, which serves '" in err and b"was killed by signal 9" in err, err


@test
def a_daemon_that_does_not_start_is_the_reason_given():
    with Sandbox() as box:
        program = os.path.join(box.work, "virtiofsd")
        with open(program, "w") as file:
            file.write("#!/bin/sh\n# --shared-dir\necho 'out of luck' >&2\nexit 5\n")
        os.chmod(program, 0o755)
        box.env["MAYFLY_VIRTIOFSD"] = program
        result = box.run("run", "-k", kernel("cloud"), "--", "true")
        expect_sentence(result, 69, "virtiofsd, which serves '/[^']*' to the guest, exited with "
                                    "status 5: out of luck")


@test
def a_run_ends_when_its_daemons_have_ended_by_themselves():
    real = daemon()
    with Sandbox() as box:
        program, marker = (os.path.join(box.work, name) for name in ("virtiofsd", "ended"))
        # The daemon of the share, which is writable, can leave the mark; that of the root cannot.
        with open(program, "w") as file:
            file.write(f"#!/bin/sh\n# {'' if 'qemu' in real else '--shared-dir'}\n"
                       f"'{real}' \"$@\"\nsleep 0.3\necho >'{marker}'\n")
        os.chmod(program, 0o755)
        box.env["MAYFLY_VIRTIOFSD"] = program
        box.run("run", *OVER_VIRTIOFS, kernel("small"), "--", "true")
        assert os.path.exists(marker), "the daemon was ended, or was not waited for"


@test
def a_killed_mayfly_takes_its_daemons_along():
    daemon()
    with Sandbox() as box:
        process = box.start("run", *OVER_VIRTIOFS, kernel("small"), "--", "echo up; sleep 60")
        assert process.stdout.readline() == b"up\n"
        process.kill()
        process.communicate(timeout=20)
        box.assert_nothing_left(within=5)


@test
def the_init_script_mounts_over_virtiofs():
    daemon()
    if not shutil.which("qemu-ga"):
        raise Skip("there is no qemu-ga")
    with Sandbox() as box:
        result = box.run("run", "-k", kernel("cloud"), "--init", "script", "--",
                         "grep -c virtiofs /proc/mounts && echo in >/mnt/mayfly/made")
        expect(result, 0)
        assert os.path.exists(os.path.join(box.work, "made"))


if __name__ == "__main__":
    main()

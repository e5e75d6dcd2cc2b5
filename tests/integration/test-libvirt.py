#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Machines that libvirt starts: in a real libvirtd of the test's own, with QEMU's software emulation;
and, for what needs no machine, libvirt's driver for tests."""

import json
import os
import re
import shutil
import signal
import subprocess

from harness import MAYFLY, Sandbox, Skip, expect, expect_sentence, kernel, main, test
from libvirtbox import TPM_PROGRAMS, Libvirt

TARGETS = """\
[[target]]
name = "passes"
command = "echo out; echo err >&2"
[[target]]
name = "fails"
command = "echo half; exit 3"
[[target]]
name = "is-killed"
command = "kill -SEGV $$"
[[target]]
name = "is-not-found"
command = ["no-such-command", "x"]
[[target]]
name = "takes-too-long"
command = "echo before; sleep 1000"
timeout = "6s"
[[target]]
name = "panics"
command = "echo c > /proc/sysrq-trigger"
[[target]]
name = "powers-off"
command = "echo o > /proc/sysrq-trigger; sleep 1000"
[[target]]
name = "reboots"
command = "echo b > /proc/sysrq-trigger; sleep 1000"
[[target]]
name = "writes-much"
command = "seq 200000; head -c 100000 /dev/zero >&2"
[[target]]
name = "reads-and-writes-files"
command = "cat; cat /mnt/data/file; echo kept >/mnt/mayfly/$NAME && ! touch /usr/refused-or-lost"
stdin = "input"
root_mode = "ro"
env = { NAME = "kept" }
[target.vm.mounts."/mnt/data"]
host_path = "data"
[[target]]
name = "is-somebody-else"
command = "id -un; hostname; pwd"
user = "nobody"
hostname = "other"
workdir = "/tmp"
setup = ["echo set up"]
teardown = ["echo torn down"]
[[target]]
name = "has-a-script-for-init"
command = "cat; echo err >&2; exit 4"
init = "script"
stdin = "input"
"""

def outcomes(box, name, *options):
    """What became of each target, by its name: verdict, status and so on, and its output."""
    directory = os.path.join(box.directory, name)
    report = os.path.join(box.directory, name + ".json")
    result = box.run("test", "-j", "2", "--set", f'kernel="{kernel("small")}"', "--run-dir", directory,
                     "--report", "json=" + report, *options, timeout=900)
    with open(report, encoding="utf-8") as file:
        cases = json.load(file)["cases"]
    found = {}
    for case in cases:
        kept = {}
        for stream in ("stdout", "stderr"):
            with open(os.path.join(directory, case["name"], stream), "rb") as file:
                kept[stream] = file.read()
        found[case["name"]] = {
            key: case[key] for key in ("outcome", "verdict", "status", "signal", "phase",
                                       "message", "notes", "reason")}, kept
    return result.status, found


@test
def the_same_twelve_targets_end_alike_through_qemu_and_through_libvirt():
    with Libvirt() as box:
        with open(os.path.join(box.work, "mayfly.toml"), "w", encoding="utf-8") as file:
            file.write(TARGETS)
        with open(os.path.join(box.work, "input"), "wb") as file:
            file.write(bytes(range(256)) * 400)
        os.mkdir(os.path.join(box.work, "data"))
        with open(os.path.join(box.work, "data", "file"), "w", encoding="utf-8") as file:
            file.write("of the host\n")
        direct_status, direct = outcomes(box, "direct")
        with open(os.path.join(box.work, "kept"), encoding="utf-8") as file:
            assert file.read() == "kept\n"
        os.remove(os.path.join(box.work, "kept"))
        status, through = outcomes(box, "through", "--connect", box.uri)
        assert len(direct) == 12 and direct.keys() == through.keys()
        for name, outcome in direct.items():
            assert through[name] == outcome, f"{name}: {through[name]} instead of {outcome}"
        assert status == direct_status, f"{status} instead of {direct_status}"
        verdicts = {name: outcome[0]["verdict"] for name, outcome in direct.items()}
        assert len(set(verdicts.values())) >= 5, f"hardly a comparison: {verdicts}"
        with open(os.path.join(box.work, "kept"), encoding="utf-8") as file:
            assert file.read() == "kept\n"
        with open(os.path.join(box.directory, "through", "passes", "domain.xml"),
                  encoding="utf-8") as file:
            assert file.read().startswith("<domain type=")


@test
def a_tpm_and_numa_nodes_come_through_libvirt():
    with Libvirt() as box:
        for program in TPM_PROGRAMS:
            if not shutil.which(program):
                raise Skip(f"no {program}")
        expect(box.run("run", "-k", kernel(), "--connect", box.uri, "--tpm", "2.0", "--cpus", "3",
                       "--numa", "512M", "--numa", "256M", "--",
                       "cat /sys/class/tpm/tpm0/tpm_version_major "
                       "/sys/devices/system/node/node?/cpulist"), 0, out=b"2\n0,2\n1\n")
        # Its state is gone with the domain.
        left = [os.path.join(top, name) for top, _, names in os.walk(box.place) for name in names
                if "tpm2-00.permall" in name]
        assert not left, left


@test
def disks_and_a_network_come_through_libvirt_together():
    with Libvirt() as box:
        disks = []
        for number in range(3):
            path = os.path.join(box.work, f"disk{number}")
            with open(path, "wb") as file:
                file.write(b"%d" % number * 4096)
            disks += ["--disk", path]
        expect(box.run("run", "-k", kernel(), "--connect", box.uri, *disks, "--net", "user",
                       "--qemu-arg=-device", "--qemu-arg=virtio-rng-pci", "--",
                       "head -qc 1 /dev/vd?; cat /sys/class/net/eth0/carrier; "
                       "grep -lx 0x0004 /sys/bus/virtio/devices/*/device | wc -l"), 0, out=b"0121\n1\n")


def start_sleeper(box):
    """mayfly with a domain that runs."""
    process = box.start("run", "--console", "--kargs", "loglevel=7", "-k", kernel("small"),
                        "--connect", box.uri, "--", "sleep", "1000")
    box.wait(lambda: box.virsh("list", "--name", "--state-running").stdout.split(),
             "a domain to run")
    box.wait_for_guest(process)
    return process


@test
def killing_mayfly_leaves_no_domain():
    with Libvirt() as box:
        process = start_sleeper(box)
        process.kill()
        process.communicate()
        box.wait(lambda: not box.domains() and not box.qemus(), "the domain to be gone")


@test
def a_command_runs_in_a_domain_that_is_there_through_its_agent():
    with Libvirt() as box:
        process = start_sleeper(box)
        name, = box.domains()
        box.wait(lambda: "state='connected'" in box.virsh("dumpxml", name).stdout, "the agent")
        execute = ("exec", "--connect", box.uri, "--domain", name)
        expect(box.run(*execute, "--stdin", "--", "cat; echo err >&2; exit 3",
                       input=bytes(range(256))), 3, out=bytes(range(256)), err="^err\n$")
        expect(box.run(*execute, "--", "printf", "<%s>", "a b", "$HOME"), 0, out=b"<a b><$HOME>")
        expect(box.run(*execute, "--", "kill -SEGV $$"), 139, out=b"")
        expect_sentence(box.run(*execute, "--", "/no/such", "x"), 127, "No such file or directory")
        expect_sentence(box.run(*execute, "--timeout", "1s", "--", "sleep 1000"), 124,
                        "did not end within 1s")
        expect_sentence(box.run("exec", "--connect", box.uri, "--domain", "other", "--", "true"), 69,
                        "There is no domain 'other' to be found at ")
        process.terminate()
        process.communicate()


@test
def a_domain_without_an_agent_is_told_in_a_sentence():
    with Sandbox() as box:
        execute = ("exec", "--connect", "test:///default", "--domain")
        expect_sentence(box.run(*execute, "test", "--", "true"), 69,
                        "libvirt runs no QEMU at 'test:///default' but TEST")
        expect_sentence(box.run("exec", "--", "true"), 2, "needs a domain: name it with --domain")
        expect_sentence(box.run(*execute, "test"), 2, "needs a command")


@test
def killing_libvirtd_ends_the_run_with_69_and_a_sentence():
    with Libvirt() as box:
        process = start_sleeper(box)
        box.daemon.kill()
        box.daemon.wait()
        _, err = process.communicate(timeout=60)
        assert process.returncode == 69, f"{process.returncode}: {err}"
        text = err.decode(errors="replace")
        # The console may have stopped within a line.
        assert re.search(r"mayfly: The connection to libvirt at '.*' was lost: ", text), text
        # Nobody could end the domain: who reads this is told which one to look for.
        # That is the last thing said: the console's last lines do not stand between.
        last = text.rstrip("\n").rpartition("\n")[2]
        assert re.match(r"mayfly: The domain 'mayfly-[0-9a-f]{8}' at '.*' may still run", last), text
        for pid in box.qemus():
            os.kill(pid, signal.SIGKILL)
        box.start_daemon()
        box.wait(lambda: not box.domains(), "the new libvirtd to see that the machine is gone")


@test
def a_connection_that_runs_no_qemu_is_refused_in_a_sentence():
    with Sandbox() as box:
        run = ("run", "-k", kernel("small"), "--connect")
        expect_sentence(box.run(*run, "test:///default", "--", "true"), 69,
                        "libvirt runs no QEMU at 'test:///default' but TEST: connect to a URI such "
                        "as 'qemu:///session'")
        for words in ((*run, "", "--", "true"), ("exec", "--connect", "", "--domain", "x", "--", "true")):
            expect_sentence(box.run(*words), 2, "The URI of the libvirt to connect to is empty")
        expect_sentence(box.run(*run, "nonsense:///x", "--", "true"), 69,
                        "There is no connection to libvirt at 'nonsense:///x': ")
        expect_sentence(box.run(*run, "qemu+unix:///session?socket=/nowhere/at-all", "--", "true"),
                        69, "There is no connection to libvirt at '.*': .*/nowhere/at-all")


@test
def a_remote_connection_refuses_this_hosts_root():
    with Sandbox() as box:
        remote = "qemu+ssh://nowhere.invalid/system"
        result = box.run("run", "-k", kernel("small"), "--connect", remote, "--", "true")
        assert result.status in (69, 78), result
        expect(result, result.status, out=b"",
               err=f"The directory '/' is on this host, and '{re.escape(remote)}' starts the machine "
                   "on another one: .*--shared-path")
        shown = box.run("run", "-k", kernel("small"), "--connect", remote, "--shared-path", "/",
                        "--print-qemu", "--", "true")
        expect(shown, 0, out=shown.out, err="")
        assert b"<domain type='kvm'" in shown.out, shown


@test
def a_suite_connects_as_a_run_does():
    with Sandbox() as box:
        with open(os.path.join(box.work, "mayfly.toml"), "w", encoding="utf-8") as file:
            file.write(f'[[target]]\nname = "one"\nkernel = "{kernel("small")}"\ncommand = "true"\n'
                       'connect = "qemu:///of-the-file"\n')
        def refused(pattern, *options):
            result = box.run("test", "--connect", *options)
            assert result.status == 69, result
            assert re.search(rf"^ERROR one: {pattern}", result.out.decode(), re.M), result

        remote = "qemu+ssh://nowhere.invalid/system"
        refused("libvirt runs no QEMU at 'test:///default'", "test:///default")
        refused("The directory '/' is on this host, .* say so with --shared-path", remote)
        refused("The directory '/' is on this host", remote, "--shared-path", 'a "quoted" one')
        refused(f"There is no connection to libvirt at '{re.escape(remote)}'", remote,
                "--shared-path", "..", "--shared-path", "/")
        expect_sentence(box.run("test", "--connect", ""), 78, "--connect.* is \"\", but a text that is not empty")


@test
def who_does_not_connect_loads_nothing_of_libvirt():
    with Sandbox() as box:
        needed = subprocess.run(["readelf", "-d", MAYFLY], capture_output=True, text=True,
                                check=True).stdout
        assert "libvirt" not in needed, needed
        box.env["LD_DEBUG"] = "files"
        plain = box.run("run", "-k", kernel("small"), "--print-qemu", "--", "true")
        expect(plain, 0, out=plain.out)
        assert b"libvirt" not in plain.err, plain
        connecting = box.run("run", "-k", kernel("small"), "--connect", "test:///default", "--",
                             "true")
        expect(connecting, 69, out=b"", err=r"libvirt\.so\.0")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mayfly run with disks, a network, NUMA nodes, and another machine type or CPU."""

import os
import re
import shutil
import socket
import subprocess
import threading
import time

from harness import (Sandbox, Skip, expect, expect_sentence, free_port, kernel, main, receive_line,
                     sha256, test)

DISK_SIZE = 8 << 20
CLOCKS = "/sys/devices/system/clocksource/clocksource0/"


def write_disk(box, name, text):
    path = os.path.join(box.work, name)
    with open(path, "wb") as file:
        file.write(text)
        file.truncate(DISK_SIZE)
    return path


def head(path, size):
    with open(path, "rb") as file:
        return file.read(size)


def host_counter_is_a_clock():
    with open(CLOCKS + "available_clocksource") as file:
        if "tsc" not in file.read().split():
            raise Skip("the host's own counter is no clock")


@test
def an_emulated_machine_reads_its_clock_without_asking_a_device():
    host_counter_is_a_clock()
    with Sandbox() as box:
        for options, clock in (((), b"tsc\n"), (("--kargs", "clocksource=hpet"), b"hpet\n")):
            expect(box.run("run", "-k", kernel(), "--accel", "tcg", "--no-save", *options, "--",
                           f"cat {CLOCKS}current_clocksource"), 0, out=clock)


@test
def an_emulated_machines_clock_goes_at_the_hosts_rate():
    host_counter_is_a_clock()
    with Sandbox() as box:
        command = ("run", "-k", kernel("small"), "--accel", "tcg", "--",
                   "dmesg | grep -o 'Detected.*MHz' | tail -n 1; while read go; do date +%s.%N; done")
        told = int(re.search(r"tsc_early_khz=(\d+)",
                             box.run(*command[:-2], "--print-qemu", *command[-2:]).out.decode())[1])
        process = box.start(*command, stdin=subprocess.PIPE)
        taken = float(process.stdout.readline().split()[1]) * 1000
        assert abs(taken - told) <= told / 100, (taken, told)

        def look():
            process.stdin.write(b"go\n")
            guest = float(process.stdout.readline())
            return guest, time.monotonic()

        look()
        guest, host = look()
        time.sleep(2)
        later_guest, later_host = look()
        process.stdin.close()
        assert process.wait() == 0
        ratio = (later_guest - guest) / (later_host - host)
        assert 0.7 < ratio < 1.4, ratio


@test
def init_and_its_command_may_run_on_all_processors_wherever_they_start():
    with Sandbox() as box:
        # By a program that reads the file at once: what it says of init changes meanwhile.
        expect(box.run("run", "-k", kernel("small"), "-p", "2", "--", "grep", "-h",
                       "Cpus_allowed_list:", "/proc/1/status", "/proc/self/status"), 0,
               out=b"Cpus_allowed_list:\t0-1\n" * 2)


@test
def a_disk_is_written_only_when_it_is_writable_and_read_by_two_runs_at_once_but_written_by_one():
    with Sandbox() as box:
        kept, changed = write_disk(box, "kept,a", b"first"), write_disk(box, "changed", b"second")
        before = sha256(kept)
        words = ("run", "-v", "-k", kernel(), "--disk", kept)
        first = box.start(*words, "--", "echo up; head -c 5 /dev/vda; read line",
                          stdin=subprocess.PIPE)
        assert first.stdout.readline() == b"up\n", first.communicate()
        second = box.run(*words, "--disk", changed + ",writable", "--",
                         "for d in /dev/vda /dev/vdb; do head -c 5 $d; echo; "
                         "echo new | dd of=$d conv=fsync 2>/dev/null; head -c 4 $d; done")
        expect(second, 0, out=b"first\nnew\nsecon\nnew\n",
               err="No saved machine is used: what is on a disk")
        expect(box.run(*words[:-1], kept + ",writable", "--", "true"), 69,
               err='mayfly: QEMU did not start: .*Failed to get "write" lock')
        out, _ = first.communicate(b"\n", timeout=60)
        assert (first.returncode, out) == (0, b"first")
        assert sha256(kept) == before, "an overlaid disk was written to"
        assert head(changed, 4) == b"new\n"


@test
def disks_that_cannot_be_used_are_named():
    with Sandbox() as box:
        for name, pattern in (("absent", "'[^']*absent' cannot be read: No such file"),
                              (".", "cannot be read: Is a directory")):
            result = box.run("run", "-k", kernel(), "--disk", name, "--", "true")
            expect_sentence(result, 69, pattern)


@test
def numa_nodes_have_their_memory_and_cpus_and_the_host_and_the_guest_reach_each_other():
    with Sandbox() as box, socket.create_server(("127.0.0.1", 0)) as server:
        def answer():
            with server.accept()[0] as connection:
                connection.sendall(b"from the host\n")

        threading.Thread(target=answer, daemon=True).start()
        port = free_port()
        process = box.start("run", "-k", kernel(), "--forward", f"tcp:{port}:77", "-p", "3", "--numa",
                            "300,cpus=0-1", "--numa", "600,cpus=2", "--",
                            "cd /sys/devices/system/node; for n in node*; do "
                            "echo $n $(cat $n/cpulist) $(($(grep -o '[0-9]* kB' $n/meminfo | head -1 | "
                            "cut -d' ' -f1) > 400000)); done; dmesg | grep -c 'not on the same node'; "
                            "grep nameserver /etc/resolv.conf; "
                            f"busybox nc 10.0.2.2 {server.getsockname()[1]} </dev/null; "
                            "echo from the guest | busybox nc -l -p 77")
        told = b"".join(process.stdout.readline() for _ in range(4))
        assert told == b"node0 0-1 0\nnode1 2 1\n0\nnameserver 10.0.2.3\n", (
            told, process.communicate())
        assert process.stdout.readline() == b"from the host\n", process.communicate()
        assert receive_line(port) == b"from the guest\n"
        process.communicate(timeout=60)
        assert process.returncode == 0


@test
def the_hosts_resolv_conf_is_left_alone():
    with Sandbox() as box:
        root = box.make("root")
        for name in ("bin", "etc", "proc", "dev", "sys", "run"):
            os.mkdir(os.path.join(root, name))
        os.symlink("/run/nowhere", os.path.join(root, "etc", "resolv.conf"))
        shutil.copy("/bin/busybox", os.path.join(root, "bin", "sh"))
        result = box.run("run", "-k", kernel(), "-r", root, "--net", "user", "--",
                         "while read line; do echo $line; done </etc/resolv.conf")
        expect(result, 0, out=b"nameserver 10.0.2.3\n")
        assert os.readlink(os.path.join(root, "etc", "resolv.conf")) == "/run/nowhere"


@test
def without_a_network_there_is_the_loopback_only():
    with Sandbox() as box:
        expect(box.run("run", "-k", kernel(), "--", "ls /sys/class/net"), 0, out=b"lo\n")


@test
def a_port_that_is_taken_is_told_of():
    with Sandbox() as box, socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        result = box.run("run", "-k", kernel(), "--forward", f"tcp:{port}:77", "--", "true")
        expect(result, 69, out=b"", err="mayfly: QEMU did not start: .*Could not set up host forwarding")


@test
def a_kernel_without_the_drivers_is_refused():
    with Sandbox() as box:
        disk = write_disk(box, "disk", b"")
        for option, words in ((("--disk", disk), "use the machine's disks: CONFIG_VIRTIO_BLK"),
                              (("--net", "user"), "use the machine's network: CONFIG_VIRTIO_NET"),
                              (("--numa", "512"), "have NUMA nodes: CONFIG_NUMA")):
            result = box.run("run", "-k", kernel("small"), *option, "--", "true")
            expect_sentence(result, 69, words)


@test
def another_machine_type_and_cpu_are_taken():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel("small"), "--machine", "pc", "--cpu",
                         "qemu64,model-id=Mayfly CPU", "--",
                         "cat /sys/class/dmi/id/product_name 2>/dev/null; grep -m1 name /proc/cpuinfo; "
                         "ls /sys/bus/pci/devices | grep -c 01.3")
        expect(result, 0)
        assert b"model name\t: Mayfly CPU\n1\n" in result.out, result


@test
def machine_options_that_make_no_sense_are_usage_errors():
    with Sandbox() as box:
        for options, pattern in (
                (("--disk", ",writable"), "is not a disk"),
                (("--forward", "tcp:80"), "is not a forwarded port"),
                (("--net", "tap"), "'tap' is not a network"),
                (("--net", "none", "--forward", "tcp:8080:80"), "no network"),
                (("--forward", "tcp:8080:80", "--forward", "tcp:8080:81"), "forwarded twice"),
                (("--numa", "1G,cpus=9"), "has CPU 9"),
                (("-m", "2G", "--numa", "1G"), "1.0 GiB together, and --memory says 2.0 GiB"),
                (("--numa", "1"), "too little memory")):
            expect_sentence(box.run("run", *options, "--", "true"), 2, pattern)


if __name__ == "__main__":
    main()

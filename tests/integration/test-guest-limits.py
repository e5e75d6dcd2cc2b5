#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What control groups do to payloads, in a VM, where all controllers are the guest program's: a
stock kernel, the guest program as PID 1, and a busybox. One boot serves for all of it."""

import os
import signal

import guestvm
from harness import Skip, main, test
from initramfs import find_busybox
from payloadpeer import PayloadPeer

SHARE = 0.2  # of a processor, that cpu.max allows
BUSY_MS = 2500
MEMORY_MAX = 16 << 20
CGROUPS = "/sys/fs/cgroup/mayfly"


def busy(peer, **fields):
    """Runs for a while with all the processor time it gets; returns its end and its share."""
    one = peer.run(["/bin/busybox", "sh", "-c", "while :; do :; done"], timeout_ms=BUSY_MS,
                   env={}, **fields)
    assert one.end["timed-out"], one.end
    return one.end, one.end["cgroup"]["cpu.stat"]["usage_usec"] / one.end["duration-us"]


def check_processor_time(peer):
    free, free_share = busy(peer, cgroup="free")
    end, share = busy(peer, cgroup="capped", limit=[f"cpu.max={int(SHARE * 100000)} 100000"])
    assert free_share > 2 * SHARE, f"a share of {free_share:.2f} without a limit"
    assert SHARE / 2 < share < SHARE * 1.25, f"a share of {share:.2f} with the limit {SHARE}"
    assert end["cgroup"]["cpu.stat"]["nr_throttled"] > 0, end
    assert free["cgroup"]["cpu.stat"]["nr_throttled"] == 0, free


def check_memory(peer):
    """dd touches all of its one block."""
    def run(mib):
        return peer.run(["/bin/busybox", "dd", "if=/dev/zero", "of=/dev/null", f"bs={mib}M",
                         "count=1"], env={}, cgroup="small", limit=[f"memory.max={MEMORY_MAX}"]).end

    within, beyond = run(4), run(64)
    assert within["status"] == 0 and within["cgroup"]["memory.events"]["oom_kill"] == 0, within
    assert 4 << 20 < within["cgroup"]["memory.peak"] <= MEMORY_MAX, within
    assert beyond["signal"] == signal.SIGKILL, beyond
    assert (beyond["timed-out"], beyond["killed"]) == (False, False), beyond
    assert beyond["cgroup"]["memory.events"]["oom_kill"] == 1, beyond


def check_place_and_files(peer):
    """A payload finds itself in its group, which has the limits; the last one of a file counts."""
    limits = {"cpu.max": "30000 100000", "cpu.weight": "250", "cpuset.cpus": "1",
              "memory.max": str(MEMORY_MAX), "pids.max": "3"}
    script = f"""read line </proc/self/cgroup; echo $line
        cd {CGROUPS}/deep/er; for file in {" ".join(limits)}; do
            read line <$file; echo "$file=$line"; done
        while read key value; do [ $key = Cpus_allowed_list: ] && echo $value; done </proc/self/status
        (:) && (: | : | : | :) || echo no more"""
    one = peer.run(["/bin/busybox", "sh", "-c", script], env={}, cgroup="/deep/er",
                   limit=["pids.max=7", *(f"{k}={v}" for k, v in limits.items())])
    lines = one.out.decode().splitlines()
    assert lines[0] == "0::/mayfly/deep/er", (lines, one.err)
    assert lines[1:6] == [f"{k}={v}" for k, v in limits.items()], lines
    assert lines[6] == "1", lines
    assert b"can't fork" in one.err, (lines, one.err)


def check_pressure(peer):
    end = peer.run(["/bin/busybox", "true"], env={}, cgroup="pressed").end
    for name in ("cpu.pressure", "memory.pressure", "io.pressure"):
        some = end["cgroup"][name]["some"]
        assert set(some) == {"avg10", "avg60", "avg300", "total"}, end


def check_refusals(peer):
    for limit in ("cpu.max=zebra", "cpuset.cpus=4096", "io.max=9999:1 rbps=1"):
        one = peer.run(["/bin/busybox", "true"], env={}, cgroup="refused", limit=[limit])
        file = limit.partition("=")[0]
        assert f"'{file}'" in one.end["error"], one.end
        assert f"'{CGROUPS}/refused'" in one.end["error"], one.end


@test
def cpu_max_of_20_percent_shows_and_other_limits_hold_and_statistics_come_back():
    if not os.path.exists(os.path.join(guestvm.KERNELS, "cloud", "vmlinuz")):
        raise Skip("no 'cloud' kernel")
    files = {"bin/busybox": guestvm.read(find_busybox()), **guestvm.module_files("cloud")}
    with guestvm.machine(kernel="cloud/vmlinuz", files=files, cpus=2) as vm:
        with vm.connect("stream") as sock:
            peer = PayloadPeer(sock)
            peer.run_until(lambda: (b"SRDY", b"") in peer.others)
            check_place_and_files(peer)
            check_processor_time(peer)
            check_memory(peer)
            check_pressure(peer)
            check_refusals(peer)


if __name__ == "__main__":
    main()

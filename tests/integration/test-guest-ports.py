#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The guest program as PID 1 with its two ports, before any CONF, under QEMU itself: hosts that come
late, go away and come back, as they do around a saved machine."""

import base64
import json
import time

from guestvm import machine
from harness import main, test
from streampeer import DEADLINE, Peer, record

SELF = "/run/mayfly/mayfly-guest"
IDLE_SECONDS = 3.0
IDLE_SHARE_MIN = 0.5  # of the guest's own time; who spins leaves nothing of it


def ask(sock, command, **arguments):
    """One request after a delimited sync; returns its result."""
    sock.sendall(b'\xff{"execute":"guest-sync-delimited","arguments":{"id":7}}\n')
    file = sock.makefile("rb")
    while b'\xff' not in file.readline():
        pass
    sock.sendall(json.dumps({"execute": command, "arguments": arguments}).encode() + b"\n")
    return json.loads(file.readline())["return"]


def guest_times(vm):
    """How long the guest's CPU was idle and there at all, in its own ticks: what else the host does
    does not count."""
    with vm.connect("agent") as agent:
        handle = ask(agent, "guest-file-open", path="/proc/stat")
        text = base64.b64decode(ask(agent, "guest-file-read", handle=handle)["buf-b64"])
    fields = [int(field) for field in text.splitlines()[0].split()[1:]]
    return fields[3] + fields[4], sum(fields)


def run_version(vm, peer):
    """Runs the guest program itself, which is all there is before CONF."""
    data = base64.b64encode(record([SELF, "--version"], env={})).decode()
    with vm.connect("agent") as agent:
        pid = ask(agent, "guest-exec", path=SELF, arg=["exec"], **{"input-data": data})["pid"]
        peer.finish()
        status = ask(agent, "guest-exec-status", pid=pid)
    assert (peer.exit, status) == (0, {"exited": True, "exitcode": 0}), (peer.exit, status)
    assert peer.out.startswith(b"mayfly-guest "), peer.out


@test
def a_host_that_comes_late_gets_the_kernel_log_of_the_boot_and_then_ready():
    with machine() as vm:
        with vm.connect("agent") as agent:
            ask(agent, "guest-ping")
        with vm.connect("stream") as sock:
            peer = Peer(sock)
            peer.run_until(lambda: (b"SRDY", b"") in peer.others)
            ready = peer.others.index((b"SRDY", b""))
            assert [kind for kind, _ in peer.others[:ready]] == [b"DMSG"] * ready, peer.others
            log = b"".join(text for _, text in peer.others[:ready])
            assert log.startswith(b"[    0.000000] Linux version"), log[:80]
            assert b"Run /init as init process" in log and log.endswith(b"\n"), log[-200:]
            run_version(vm, peer)


@test
def closed_ports_do_not_keep_the_guest_busy_and_work_when_the_host_is_back():
    with machine() as vm:
        with vm.connect("stream") as sock:
            peer = Peer(sock)
            run_version(vm, peer)
        before = guest_times(vm)
        time.sleep(IDLE_SECONDS)
        after = guest_times(vm)
        idle = (after[0] - before[0]) / (after[1] - before[1])
        assert idle > IDLE_SHARE_MIN, f"idle for {idle:.2f} of its time with both ports closed"
        for _ in range(3):
            with vm.connect("stream") as sock:
                run_version(vm, Peer(sock))


@test
def a_kernel_message_reaches_the_host_as_it_is_logged():
    with machine() as vm, vm.connect("stream") as sock:
        peer = Peer(sock)
        with vm.connect("agent") as agent:
            handle = ask(agent, "guest-file-open", path="/dev/kmsg", mode="w")
            ask(agent, "guest-file-write", handle=handle,
                **{"buf-b64": base64.b64encode("<4>from the t\u00e4st\n".encode()).decode()})
        peer.run_until(lambda: any("from the t\u00e4st\n".encode() in text
                                   for kind, text in peer.others if kind == b"DMSG"))


@test
def the_agent_ends_the_machine_when_it_is_asked_to():
    for mode in ("powerdown", "reboot"):
        with machine() as vm, vm.connect("agent") as agent:
            ask(agent, "guest-ping")
            agent.sendall(json.dumps({"execute": "guest-shutdown",
                                      "arguments": {"mode": mode}}).encode() + b"\n")
            assert vm.process.wait(DEADLINE) == 0


if __name__ == "__main__":
    main()

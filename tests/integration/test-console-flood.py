#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real guests that say very much on their console: 128 MiB of it, or with MAYFLY_TEST_SOAK a
gibibyte; and faster than mayfly gets to read it."""

import json
import os
import re
import shutil
import signal
import time

import media
from harness import Sandbox, Skip, kernel, main, test

SIZE = (1024 if os.environ.get("MAYFLY_TEST_SOAK") else 128) << 20
LINE_SIZE, LINES = 128, 16
AT_ONCE = LINE_SIZE << 13

# What is kept of it, as much again while that moves, the tail of the result, and mayfly itself.
MEMORY_MAX_KB = 48 << 10


def make_kernel(box):
    if not shutil.which("s390x-linux-gnu-as") or not shutil.which("qemu-system-s390x"):
        raise Skip("no assembler, or no QEMU, for s390x")
    path = os.path.join(box.work, "flood")
    media.run("s390x-linux-gnu-as", "--defsym", f"BLOCKS={SIZE // LINE_SIZE // LINES}", "-o",
              path + ".o", os.path.join(media.HERE, "console-flood.S"))
    media.run("s390x-linux-gnu-ld", "-Ttext", "0", "--oformat", "binary", "-o", path, path + ".o")
    return path


def expected(first):
    """So many bytes of what is said as are looked at in one go, from a line on."""
    return b"".join(b"%015d%s\r\n" % (number, b"x" * (LINE_SIZE - 17))
                    for number in range(first, first + AT_ONCE // LINE_SIZE))


def peak_kb(pid):
    """The most memory that it has had; 0 when it has none any more, since it has just ended."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next((int(line.split()[1]) for line in file if line.startswith("VmHWM:")), 0)


@test
def the_log_of_a_flood_is_complete_the_count_exact_and_the_memory_bounded():
    with Sandbox() as box:
        image = make_kernel(box)
        process = box.start("run", "-a", "s390x", "-k", image, "--bare", "--timeout", "500s",
                            "--run-dir", "kept")
        said = peak = 0
        while chunk := process.stdout.read(AT_ONCE):
            said += len(chunk)
            peak = max(peak, peak_kb(process.pid))
        _, err = process.communicate()
        assert process.returncode == 0, err
        assert said == SIZE, f"{said} bytes of {SIZE} were passed on"
        assert 0 < peak < MEMORY_MAX_KB, f"mayfly had {peak} KiB"
        with open(os.path.join(box.work, "kept", "console.log"), "rb") as log:
            for first in range(0, SIZE // LINE_SIZE, AT_ONCE // LINE_SIZE):
                assert log.read(AT_ONCE) == expected(first), f"the log is wrong behind line {first}"
            assert log.read(1) == b"", "the log has more than was said"
        with open(os.path.join(box.work, "kept", "result.json"), encoding="utf-8") as file:
            console = json.load(file)["output"]["console"]
        assert console["bytes"] == SIZE, console["bytes"]
        tail = console["tail"].encode()
        assert tail and expected(SIZE // LINE_SIZE - AT_ONCE // LINE_SIZE).endswith(tail), tail[-200:]


def initcalls(box, log, busy):
    """What a kernel says that tells of all that it calls, up to its panic for want of a root. On a
    busy host mayfly is not let run most of the time."""
    process = box.start("run", "-k", kernel("small"), "--bare", "--timeout", "120s", "--kargs",
                        "initcall_debug loglevel=8", "--console-log", log)
    while busy and process.poll() is None:
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        process.send_signal(signal.SIGCONT)
        time.sleep(0.01)
    process.communicate()
    assert process.returncode == 125, process.returncode
    with open(os.path.join(box.work, log), encoding="utf-8", errors="replace") as file:
        text = file.read()
    return [sorted(re.findall(pattern, text))
            for pattern in (r"calling  (\w+)\+0x", r"initcall (\w+)\+0x")]


@test
def a_mayfly_that_is_seldom_let_run_loses_nothing_of_what_a_kernel_says():
    with Sandbox() as box:
        called, returned = initcalls(box, "idle.log", busy=False)
        assert len(called) > 100 and called == returned, (called, returned)
        seen = initcalls(box, "busy.log", busy=True)
        assert seen == [called, returned], [len(names) for names in (called, *seen)]


if __name__ == "__main__":
    main()

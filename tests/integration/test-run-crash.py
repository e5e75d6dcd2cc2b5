#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A guest's kernel that crashes or hangs: the verdict, its time, and what is kept of it."""

import json
import os
import re
import time

from harness import KERNELS, Sandbox, Skip, expect, kernel, main, patient_test, test

CRASH = "echo c >/proc/sysrq-trigger"

# The same for all that hang, whatever is kept of them: one saved machine serves them all.
HANG = ("--hang-timeout", "4s", "--on-crash")

# Every processor is busy with programs of which the scheduler lets nobody else run.
HOG = ("echo -1 >/proc/sys/kernel/sched_rt_runtime_us; "
       "for cpu in 0 1; do taskset -c $cpu chrt -f 99 sh -c 'while :; do :; done' & done; sleep 60")


def module():
    path = os.path.join(KERNELS, "modules", "mayfly_crash.ko")
    if not os.path.exists(path):
        raise Skip(f"no test module in MAYFLY_TEST_KERNELS='{KERNELS}'")
    return path


def end_after(process, words):
    """The seconds from when the standard error has these words to the end of the process, and all
    of that."""
    text, seen = b"", None
    while chunk := os.read(process.stderr.fileno(), 65536):
        text += chunk
        if seen is None and words in text:
            seen = time.monotonic()
    process.wait()
    assert seen is not None, f"'{words}' was not said: {text[-4000:]!r}"
    return time.monotonic() - seen, text


@test
def a_panic_gives_125_within_two_seconds_with_its_first_line_and_call_trace():
    with Sandbox() as box:
        box.run("run", "-k", kernel(), "--", "true")
        process = box.start("run", "--console", "-k", kernel(), "--", CRASH)
        seconds, text = end_after(process, b"Kernel panic - not syncing: sysrq triggered crash")
        assert process.returncode == 125, (process.returncode, text[-2000:])
        assert seconds < 2, f"the verdict took {seconds:.2f} s from the panic on"

        result = box.run("run", "-k", kernel(), "--", CRASH)
        expect(result, 125, err="panicked during execution: Kernel panic - not syncing: sysrq "
                                "triggered crash")
        assert b"Call Trace:" in result.err and b"sysrq_handle_crash" in result.err, result


@test
def the_words_of_a_panic_are_awaited_when_qemu_tells_of_it_first():
    with Sandbox() as box:
        # What the guest's kernel does in a panic, but slowly: pvpanic's port, then the console.
        result = box.run("run", "-k", kernel(), "--", "printf '\\1' | dd of=/dev/port bs=1 "
                         "seek=$((0x505)) && sleep 2 && echo 'Kernel panic - not syncing: late' "
                         ">/dev/ttyS0; sleep 60")
        expect(result, 125, err="panicked during execution: Kernel panic - not syncing: late")


@test
def a_warning_is_told_by_default_and_fails_the_run_by_rule():
    with Sandbox() as box:
        command = f"insmod {module()} fault=warn; exit 3"
        expect(box.run("run", "-k", kernel(), "--", command), 3,
               err="The guest's kernel warned: WARNING: CPU: . PID: .*mayfly_crash_init")
        result = box.run("run", "-k", kernel(), "--splat", "fail", "--", command)
        expect(result, 125, err="says that it is broken: WARNING: CPU: ")
        assert b"Call Trace:" in result.err, "the report is not shown"
        result = box.run("run", "-k", kernel(), "--splat", "ignore", "--", command)
        expect(result, 3)
        assert b"WARNING" not in result.err, result


@test
def an_oops_in_a_module_that_the_command_survives_fails_the_run():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel(), "--", f"insmod {module()} fault=oops; echo survived")
        expect(result, 125, out=b"survived\n",
               err="says that it is broken: BUG: kernel NULL pointer dereference")
        assert b"Call Trace:" in result.err and b"mayfly_crash_init" in result.err, result


def expect_hang(result, frames):
    expect(result, 125, err="The guest hung during execution: nothing was heard of it for 4s")
    for cpu in (0, 1):
        assert b"NMI backtrace for cpu %d" % cpu in result.err, f"cpu {cpu} is missing: {result!r}"
    for frame in frames:
        assert frame in result.err, f"{frame} is missing: {result!r}"


@test
def a_hang_with_interrupts_off_on_all_processors_ends_with_their_backtraces_and_leaves_its_memory():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel(), *HANG, "dump,screenshot", "--",
                         f"insmod {module()} fault=hang; echo not reached")
        expect_hang(result, [b"stand_still+0x", b"mayfly_crash_init+0x"])
        expect(result, 125, out=b"", err="The guest hung .*The guest's memory is in '")
        assert box.read("crash.kdump").startswith(b"makedumpfile")


@test
def a_guest_in_which_nothing_else_can_run_has_hung():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel(), *HANG, "screenshot", "--", HOG)
        expect_hang(result, [])


@patient_test
def a_quiet_command_is_no_hang():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel(), *HANG, "screenshot", "--", "sleep 12; exit 7")
        expect(result, 7)
        assert result.err == b"", result


@test
def a_panic_leaves_the_memory_and_the_screen_that_were_asked_for():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel(), *HANG, "dump,screenshot", "--crash-dir",
                         "left/behind", "--", CRASH)
        expect(result, 125, err="panicked during execution: Kernel panic")
        text = result.err.decode()
        for name in ("crash.kdump", "crash.png"):
            assert re.search(rf"is in '[^']*/left/behind/{name}'", text), f"{name} is not named: {text}"
        assert box.read("left/behind/crash.kdump").startswith(b"makedumpfile")
        # All of the guest's memory that was in use, not only a header.
        assert os.path.getsize(os.path.join(box.work, "left/behind/crash.kdump")) > 8 << 20
        assert box.read("left/behind/crash.png").startswith(b"\x89PNG\r\n\x1a\n")


@test
def a_target_says_by_its_keys_when_it_hangs_and_what_is_kept_of_it():
    with Sandbox() as box:
        box.write("mayfly.toml", f"""\
[[target]]
name = "hangs"
kernel = "{kernel()}"
command = "insmod {module()} fault=hang"
hang_timeout = "4s"
on_crash = ["screenshot"]
[[target]]
name = "panics"
kernel = "{kernel()}"
command = "{CRASH}"
on_crash = ["dump"]
""")
        result = box.run("test", "-j", "2", "--run-dir", "kept", "--report", "json=result.json")
        expect(result, 2)
        cases = {case["name"]: case for case in json.loads(box.read("result.json"))["cases"]}
        for name, message, kept, absent, magic in (
                ("hangs", "The guest hung during execution: nothing was heard of it for 4s",
                 "crash.png", "crash.kdump", b"\x89PNG"),
                ("panics", "panicked during execution: Kernel panic", "crash.kdump", "crash.png",
                 b"makedumpfile")):
            assert cases[name]["verdict"] == "crashed", (name, cases[name]["reason"])
            assert message in cases[name]["message"], (name, cases[name]["message"])
            assert box.read(f"kept/{name}/{kept}").startswith(magic), name
            assert not os.path.exists(os.path.join(box.work, "kept", name, absent)), name


@test
def a_run_that_does_not_crash_leaves_nothing():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel(), "--on-crash", "dump", "--", "exit 4")
        expect(result, 4)
        result = box.run("run", "-k", kernel(), "--on-crash", "dump", "--", "poweroff -f; sleep 60")
        expect(result, 69, err="powered itself off")
        assert not os.listdir(box.work), os.listdir(box.work)


@test
def a_dump_that_cannot_be_written_is_told_and_the_verdict_stays():
    with Sandbox() as box:
        box.write("file", "")
        result = box.run("run", "-k", kernel(), "--on-crash", "dump", "--crash-dir", "file/below",
                         "--", CRASH)
        expect(result, 125, err="The guest's memory was not kept: .*panicked|panicked.*was not kept")


@test
def the_console_log_is_complete_however_much_is_said():
    with Sandbox() as box:
        command = "head -c 1M /dev/zero | tr '\\0' x | fold -w 127 >/dev/ttyS0; echo done"
        result = box.run("run", "-k", kernel(), "--console-log", "logs/deep/console.log", "--", command)
        expect(result, 0, out=b"done\n")
        said = box.read("logs/deep/console.log")
        assert said.count(b"x") >= 1 << 20, f"{said.count(b'x')} bytes of {1 << 20}"


@test
def a_console_log_that_cannot_be_fails_before_anything_runs():
    with Sandbox() as box:
        box.write("file", "")
        result = box.run("run", "-k", kernel(), "--console-log", "file/console.log", "--",
                         "touch ran")
        expect(result, 69, err="file/console.log' cannot be written")
        assert not os.path.exists(os.path.join(box.work, "ran"))


if __name__ == "__main__":
    main()

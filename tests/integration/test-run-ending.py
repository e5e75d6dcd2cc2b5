#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How a run ends when it does not end by itself: deadlines, signals, crashes, power-off."""

import os
import pty
import signal
import termios
import time

from harness import Sandbox, expect, kernel, main, patient_test, test


def wait_for_output(process, text):
    line = process.stdout.readline()
    assert line == text, f"expected {text!r}, got {line!r}"
    return time.monotonic()


@test
def a_timeout_gives_124_and_keeps_the_output_so_far():
    with Sandbox() as box:
        # On a busy machine without KVM a shell may need its two seconds to start: then once more.
        for _ in range(3):
            process = box.start("run", "-k", kernel(), "--timeout", "2s", "--",
                                "sh", "-c", "echo so far; exec sleep 60")
            line = process.stdout.readline()
            started = time.monotonic()
            _, err = process.communicate(timeout=60)
            took = time.monotonic() - started
            assert process.returncode == 124, (process.returncode, err)
            assert b"did not end within 2s" in err, err
            if line:
                break
        assert line == b"so far\n", "the output so far is lost"
        assert took < 4, f"ended {took:.1f} s after its first output"


@test
def a_boot_timeout_gives_124_and_names_the_phase():
    with Sandbox() as box:
        result = box.run("run", "--cold", "-k", kernel(), "--boot-timeout", "1s", "--", "true")
        expect(result, 124, out=b"", err=r"not ready within 1s.*(boot|setup) phase")


@test
def signals_at_any_stage_end_everything():
    for seconds, number in ((0.02, signal.SIGINT), (0.3, signal.SIGTERM), (1.5, signal.SIGHUP),
                            (3, signal.SIGINT)):
        with Sandbox() as box:
            process = box.start("run", "-k", kernel(), "--", "echo up; sleep 60")
            time.sleep(seconds)
            process.send_signal(number)
            sent = time.monotonic()
            process.communicate(timeout=30)
            status, took = process.returncode, time.monotonic() - sent
            assert status in (128 + number, -number), f"{number} after {seconds} s: {status}"
            assert took < 5, f"took {took:.1f} s"


@test
def ctrl_c_while_the_command_runs_reaches_it():
    with Sandbox() as box:
        process = box.start("run", "-k", kernel(), "--",
                            "trap 'echo caught; exit 3' INT; echo up; while :; do sleep 0.1; done")
        wait_for_output(process, b"up\n")
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=30)
        assert (process.returncode, out) == (3, b"caught\n"), (process.returncode, out)


@test
def a_second_ctrl_c_ends_a_command_that_ignores_the_first():
    with Sandbox() as box:
        process = box.start("run", "-k", kernel(), "--",
                            "trap '' INT; echo up; while :; do sleep 0.1; done")
        wait_for_output(process, b"up\n")
        process.send_signal(signal.SIGINT)
        time.sleep(0.8)
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert process.returncode == 130, process.returncode


@test
def a_signal_that_comes_twice_at_once_is_one():
    """As from timeout(1), which signals its child and then the group that is in."""
    with Sandbox() as box:
        process = box.start("run", "-k", kernel(), "--",
                            "trap 'sleep 0.3; echo caught; exit 3' TERM; echo up; "
                            "while :; do sleep 0.1; done")
        wait_for_output(process, b"up\n")
        process.send_signal(signal.SIGTERM)
        time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
        assert (process.returncode, out) == (3, b"caught\n"), (process.returncode, out)


@test
def ctrl_c_on_a_terminal_leaves_it_sane():
    with Sandbox() as box:
        master, slave = pty.openpty()
        before = termios.tcgetattr(slave)
        process = box.start("run", "-k", kernel(), "--", "sleep 60", stdin=slave,
                            start_new_session=True)
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)
        assert termios.tcgetattr(slave) == before
        os.close(master)
        os.close(slave)


@test
def killing_mayfly_takes_qemu_with_it_within_a_second():
    with Sandbox() as box:
        process = box.start("run", "-k", kernel(), "--", "echo up; sleep 60")
        wait_for_output(process, b"up\n")
        assert any(name.startswith("qemu") for _, name in box.processes())
        process.kill()
        process.communicate()
        box.assert_nothing_left(within=1.0)


def signal_qemu(box, number):
    for pid, name in box.processes():
        if name.startswith("qemu"):
            os.kill(pid, number)


@patient_test
def a_guest_that_is_stopped_after_a_signal_is_ended_by_that_signal():
    with Sandbox() as box:
        process = box.start("run", "-k", kernel("small"), "--", "echo up; sleep 600")
        wait_for_output(process, b"up\n")
        signal_qemu(box, signal.SIGSTOP)
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 128 + signal.SIGTERM, (process.returncode, err)
        assert b"was passed signal 15 (Terminated)" in err, err
        assert b"does not answer any more" in err, err
        assert b"did not end within" not in err, err


@test
def what_is_of_the_hosts_doing_shows_no_console():
    with Sandbox() as box, open("/dev/full", "wb") as full:
        process = box.start("run", "-k", kernel("small"), "--", "echo hi", stdout=full)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 69 and b"cannot be written" in err, (process.returncode, err)
        assert b"last lines" not in err, err

        process = box.start("run", "-k", kernel("small"), "--", "echo up; sleep 600")
        wait_for_output(process, b"up\n")
        signal_qemu(box, signal.SIGKILL)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 69 and b"signal 9" in err, (process.returncode, err)
        assert b"last lines" not in err, err


@test
def a_panic_gives_125_and_shows_its_words():
    with Sandbox() as box:
        process = box.start("run", "-k", kernel(), "--",
                            "echo up; sleep 0.5; echo c >/proc/sysrq-trigger; sleep 60")
        started = wait_for_output(process, b"up\n")
        _, err = process.communicate(timeout=60)
        took = time.monotonic() - started
        assert process.returncode == 125, (process.returncode, err)
        assert took < 4, f"took {took:.1f} s"
        assert b"Kernel panic - not syncing: sysrq triggered crash" in err, err


@test
def a_panic_before_init_gives_125_and_shows_the_console():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel(), "--kargs", "rdinit=/no/such/init", "--", "true")
        expect(result, 125, out=b"", err="Kernel panic - not syncing: (No working init|VFS)")


@test
def a_panic_before_init_ends_the_run_within_two_seconds():
    with Sandbox() as box:
        process = box.start("run", "-k", kernel("small"), "--console", "--kargs",
                            "rdinit=/no/such/init", "--", "true")
        line = process.stderr.readline()
        while line and b"Kernel panic - not syncing" not in line:
            line = process.stderr.readline()
        panicked = time.monotonic()
        _, rest = process.communicate(timeout=60)
        took = time.monotonic() - panicked
        assert process.returncode == 125, (process.returncode, rest)
        assert took < 2, f"took {took:.1f} s"
        assert b"mayfly: The guest's kernel panicked during boot" in rest, rest


@test
def a_guest_that_powers_off_or_reboots_is_told_apart():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel(), "--", "echo o >/proc/sysrq-trigger; sleep 60")
        expect(result, 69, out=b"", err="powered itself off during execution")
        result = box.run("run", "-k", kernel(), "--", "echo b >/proc/sysrq-trigger; sleep 60")
        expect(result, 69, out=b"", err="rebooted during execution")


if __name__ == "__main__":
    main()

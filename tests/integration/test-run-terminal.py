#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mayfly run --tty on a real terminal: keys, window size, job control, and the terminal's state after
every way of ending; and who and where a command is."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

from harness import MAYFLY, Sandbox, expect, expect_sentence, kernel, main, test

LFLAG = 3
CTRL_C, CTRL_Z, ESCAPE = b"\x03", b"\x1a", b"\x1d"


class Terminal:
    """A program as the leader of a session on a terminal of its own."""

    def __init__(self, box, *words, rows=30, columns=100):
        self.master, self.slave = pty.openpty()
        self.before = termios.tcgetattr(self.slave)
        self.seen = b""
        self.resize(rows, columns)
        self.process = subprocess.Popen(
            words, stdin=self.slave, stdout=self.slave, stderr=self.slave, cwd=box.work,
            env=dict(box.env, SHELL="/bin/bash", TERM="dumb", HOME=box.work), start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.master, keys)

    def read(self, seconds):
        if select.select([self.master], [], [], seconds)[0]:
            self.seen += os.read(self.master, 65536)

    def expect(self, pattern, within=60):
        """Waits for what matches, and forgets what came up to its end."""
        deadline = time.monotonic() + within
        while not (found := re.search(pattern, self.seen)):
            assert time.monotonic() < deadline, f"no /{pattern}/ in {self.seen[-2000:]!r}"
            self.read(0.2)
        self.seen = self.seen[found.end():]
        return found

    def wait(self, within=60):
        deadline = time.monotonic() + within
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"still running: {self.seen[-2000:]!r}"
            self.read(0.05)
        self.read(0)
        return self.process.returncode

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[LFLAG] & (
            termios.ICANON | termios.ECHO | termios.ISIG)

    def is_as_before(self):
        return termios.tcgetattr(self.slave) == self.before

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


def run_tty(box, *words, options=()):
    return Terminal(box, MAYFLY, "run", "-k", kernel("small"), "-t", *options, "--", *words)


@test
def an_interactive_shell_is_as_at_home():
    with Sandbox() as box, run_tty(box) as terminal:
        assert terminal.is_as_before(), "raw before there is a command"
        terminal.type(b"stty size; shopt login_shell; echo $TERM\n")
        terminal.expect(rb"\n30 100\r\nlogin_shell +\ton\r\ndumb\r\n")
        assert terminal.is_raw()

        terminal.resize(50, 120)
        terminal.type(b"stty size\r")
        terminal.expect(rb"\n50 120\r\n")

        terminal.type(b"sh -c 'trap \"stty size\" WINCH; echo up; while :; do sleep .1; done'\r")
        terminal.expect(rb"\nup\r\n")
        terminal.resize(40, 90)
        terminal.expect(rb"40 90\r\n")
        terminal.type(CTRL_C)
        terminal.type(b"echo sta''tus $?\r")
        terminal.expect(rb"status 130\r\n")

        terminal.type(b"sleep 1000\r")
        terminal.expect(rb"1000\r\n")
        time.sleep(0.5)
        terminal.type(CTRL_Z)
        terminal.expect(rb"Stopped +sleep 1000\r\n")
        terminal.type(b"fg\r")
        terminal.expect(rb"sleep 1000\r\n")
        time.sleep(0.5)
        terminal.type(CTRL_C)
        terminal.type(b"echo sta''tus $?; exit 7\r")
        terminal.expect(rb"status 130\r\n")
        assert terminal.wait() == 7
        assert terminal.is_as_before()


@test
def a_dash_as_the_command_is_a_shell_on_a_terminal():
    with Sandbox() as box:
        with Terminal(box, MAYFLY, "-k", kernel("small"), "-") as terminal:
            terminal.type(b"tty && echo $0; exit 5\n")
            terminal.expect(rb"\n/dev/pts/\d+\r\n-bash\r\n")
            assert terminal.wait() == 5
            assert terminal.is_as_before()


def check_ending(box, script, end, status, options=()):
    with run_tty(box, script, options=options) as terminal:
        terminal.expect(rb"up\r?\n")
        assert terminal.is_raw()
        end(terminal)
        ended = terminal.wait()
        assert ended == status, f"status {ended} instead of {status}: {terminal.seen!r}"
        assert terminal.is_as_before(), f"the terminal is not restored after status {status}"
        box.assert_nothing_left()


def send(number):
    return lambda terminal: terminal.process.send_signal(number)


def send_twice(number):
    def act(terminal):
        terminal.process.send_signal(number)
        time.sleep(0.8)
        terminal.process.send_signal(number)
    return act


@test
def the_terminal_is_restored_after_a_timeout():
    with Sandbox() as box:
        check_ending(box, "echo up; sleep 100", lambda terminal: None, 124, ("--timeout", "8s"))


@test
def the_terminal_is_restored_after_a_panic():
    with Sandbox() as box:
        check_ending(box, "echo up; sleep 1; echo c >/proc/sysrq-trigger; sleep 100",
                     lambda terminal: None, 125)


@test
def the_terminal_is_restored_after_signals_that_end_the_run():
    with Sandbox() as box:
        check_ending(box, "echo up; sleep 100", send(signal.SIGTERM), 143)
        check_ending(box, "trap '' HUP; echo up; while :; do sleep 1; done",
                     send_twice(signal.SIGHUP), 129)
        check_ending(box, "trap '' QUIT; echo up; while :; do sleep 1; done",
                     send_twice(signal.SIGQUIT), 131)


@test
def the_terminal_is_restored_when_mayfly_itself_dies():
    with Sandbox() as box:
        check_ending(box, "echo up; sleep 100", send(signal.SIGABRT), -signal.SIGABRT)
        check_ending(box, "echo up; sleep 100", send(signal.SIGSEGV), -signal.SIGSEGV)


@test
def the_escape_ends_the_vm_whatever_the_command_does():
    with Sandbox() as box:
        check_ending(box, "stty raw; trap '' INT QUIT TERM HUP; echo up; while :; do sleep 1; done",
                     lambda terminal: terminal.type(ESCAPE * 3), 130)


@test
def a_lost_terminal_ends_the_command():
    with Sandbox() as box:
        with run_tty(box, "echo up; sleep 100") as terminal:
            terminal.expect(rb"up\r\n")
            # The leader of the session is mayfly: closing the master hangs it up.
            os.close(terminal.slave)
            os.close(terminal.master)
            assert terminal.process.wait(30) == 128 + signal.SIGHUP
            terminal.master, terminal.slave = pty.openpty()


@test
def stopping_mayfly_gives_the_terminal_back_until_it_goes_on():
    with Sandbox() as box:
        with Terminal(box, "bash", "--norc", "--noediting", "-i") as terminal:
            terminal.type(f"{MAYFLY} run -k {kernel('small')} -t -- "
                          "'echo up; read line; echo go''t $line'\n".encode())
            terminal.expect(rb"up\r\n")
            assert terminal.is_raw()
            (pid,) = [pid for pid, name in box.processes() if name == "mayfly"]
            os.kill(pid, signal.SIGTSTP)
            terminal.expect(rb"Stopped")
            assert not terminal.is_raw()
            terminal.type(b"fg\n")
            terminal.expect(rb"fg\r\n.*mayfly run.*\r\n")
            deadline = time.monotonic() + 10
            while not terminal.is_raw():
                assert time.monotonic() < deadline, "not raw again"
                time.sleep(0.02)
            terminal.type(b"hello\r")
            terminal.expect(rb"got hello\r\n")
            terminal.expect(rb"# $")
            terminal.type(b"stty -a | grep -c -w -- -icanon; exit\n")
            terminal.expect(rb"\n0\r\n")
            terminal.wait()


@test
def a_terminal_without_a_terminal_has_24_lines_of_80():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel("small"), "-t", "--",
                         "stty size; tty >/dev/null && test -t 1 && test -t 2 && echo all; "
                         "read line; echo got $line >&2; cat; exit 3", input=b"typed\n")
        expect(result, 3)
        # What is typed ahead is echoed at any time.
        assert sorted(result.out.split(b"\r\n")) == [b"", b"24 80", b"all", b"got typed",
                                                     b"typed"], result


@test
def a_command_runs_as_whom_and_where_it_is_told():
    with Sandbox() as box:
        script = ("id -u; id -g; pwd; hostname; echo own >/dev/stderr; "
                  "echo x 2>/dev/null >/etc/x || echo refused")
        result = box.run("run", "-k", kernel("small"), "--user", "nobody:daemon", "--workdir",
                         "/usr/share", "--hostname", "its-name.example", "--", script)
        expect(result, 0, out=b"65534\n1\n/usr/share\nits-name.example\nrefused\n")
        assert result.err == b"own\n", result
        result = box.run("run", "-k", kernel("small"), "--user", "1234:4321", "-t", "--",
                         "id -u; id -g; hostname; echo own >$(tty)")
        expect(result, 0, out=b"1234\r\n4321\r\nmayfly\r\nown\r\n")


@test
def the_init_script_gives_a_terminal_and_a_user_too():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel("small"), "--init", "script", "--user", "nobody", "-t",
                         "--", "id -un; stty size; echo own >$(tty)")
        expect(result, 0, out=b"nobody\r\n24 80\r\nown\r\n")


@test
def an_unknown_user_or_directory_is_126_and_one_sentence():
    with Sandbox() as box:
        for options, named in ((("--user", "mayfly-nobody"), "there is no user 'mayfly-nobody'"),
                               (("--user", "nobody:mayfly-none"), "no group 'mayfly-none'"),
                               (("--workdir", "/no/such/dir"), "'/no/such/dir'.*No such file")):
            result = box.run("run", "-k", kernel("small"), *options, "--", "echo ran")
            expect(result, 126, out=b"", err=named)
            assert result.err.count(b"\n") == 1, result


@test
def what_cannot_be_is_a_usage_error():
    with Sandbox() as box:
        for options, named in ((("-t", "--no-initramfs"), r"\(--tty\) needs.*--no-initramfs"),
                               (("--user", "nobody", "--no-initramfs"), r"\(--user\) needs"),
                               (("--hostname", "Upper"), "'Upper' is not a host name.*lowercase"),
                               (("--hostname", "a_b"), "'a_b' is not a host name"),
                               (("--hostname", ""), "'' is not a host name")):
            expect_sentence(box.run("run", "-k", kernel("small"), *options, "--", "true"), 2, named)


if __name__ == "__main__":
    main()

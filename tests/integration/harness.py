# SPDX-License-Identifier: Apache-2.0
"""What the VM tests share: running mayfly as a user would, and proof that nothing is left of it.

Each test is a function marked with @test, or with @patient_test when most of its time it waits;
main() runs them (or those whose name contains an argument of the command line) and speaks TAP. The
environment names the programs under test: MAYFLY, and MAYFLY_TEST_KERNELS (the directory that
tools/test-kernels.sh prints).
"""

import concurrent.futures
import glob
import hashlib
import itertools
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback
import uuid

MAYFLY = os.path.abspath(os.environ.get("MAYFLY", "build/src/cli/mayfly"))
KERNELS = os.environ.get("MAYFLY_TEST_KERNELS", "")
VM_TIMEOUT = 240

_tests, _patient = [], []


class Skip(Exception):
    """Raised by a test that cannot run here; the text says why."""


def test(function):
    _tests.append(function)
    return function


def patient_test(function):
    """A test that leaves the processors to others most of its time: it runs beside the other ones of
    its program. It must not change what is the program's own: its umask, directory or environment."""
    _patient.append(function)
    return function


def kernel(flavour="generic"):
    """A test kernel: "generic" (stock, modular 9p), "cloud" (stock, no 9p), "arm64" (as generic, for
    aarch64), "small" (all built in)."""
    name = "bzImage" if flavour == "small" else "vmlinuz"
    path = os.path.join(KERNELS, flavour, name)
    if not os.path.exists(path):
        raise Skip(f"no '{flavour}' kernel in MAYFLY_TEST_KERNELS='{KERNELS}'")
    return path


def release(flavour="generic"):
    """What uname -r says in it."""
    image = os.path.realpath(kernel(flavour))
    return os.path.basename(image)[len("vmlinuz-"):]


class Result:
    def __init__(self, status, out, err, seconds):
        self.status, self.out, self.err, self.seconds = status, out, err, seconds

    def __repr__(self):
        return (f"status {self.status} after {self.seconds:.2f} s\n--- stdout ---\n"
                f"{self.out[-300:]!r}\n--- stderr ---\n{self.err.decode(errors='replace')[-4000:]}")


class Sandbox:
    """A place to run mayfly in: an own TMPDIR and working directory, a cache that is shared by all
    tests, and a mark in the environment by which every process it starts is found."""

    def __init__(self):
        self.mark = uuid.uuid4().hex
        self.directory = tempfile.mkdtemp(prefix="mayfly-test-", dir="/var/tmp")
        os.chmod(self.directory, 0o755)
        self.tmp = self.make("tmp")
        self.work = self.make("work")
        self.env = dict(os.environ, TMPDIR=self.tmp, MAYFLY_TEST_MARK=self.mark)
        self.env.setdefault("MAYFLY_CACHE_DIR", os.path.join(KERNELS, "cache"))
        self.program = [MAYFLY]

    def make(self, name):
        path = os.path.join(self.directory, name)
        os.mkdir(path)
        return path

    def write(self, name, content, mode=0o644):
        """Puts a text, or bytes, into a file below the working directory; returns its path."""
        path = os.path.join(self.work, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
        os.chmod(path, mode)
        return path

    def read(self, name):
        """The bytes of a file below the working directory."""
        with open(os.path.join(self.work, name), "rb") as file:
            return file.read()

    def start(self, *arguments, **options):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                   "stderr": subprocess.PIPE, "bufsize": 0, "env": self.env,
                   "cwd": self.work, **options}
        return subprocess.Popen([*self.program, *arguments], **options)

    def become_nobody(self):
        """From here on mayfly runs as the user nobody, with a home and a cache of its own."""
        if os.geteuid() != 0 or not shutil.which("setpriv"):
            raise Skip("only root, with setpriv, can run mayfly as somebody else")
        program = shutil.copy(MAYFLY, self.directory)
        self.env["HOME"] = self.make("home")
        self.env["MAYFLY_CACHE_DIR"] = self.make("cache")
        for path in (self.tmp, self.work, self.env["HOME"], self.env["MAYFLY_CACHE_DIR"]):
            shutil.chown(path, "nobody", "nogroup")
        self.program = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", program]

    def copy_kernel(self, flavour="small"):
        """A test kernel where everybody can read it."""
        return shutil.copy(kernel(flavour), os.path.join(self.directory, "vmlinuz-" + flavour))

    def run(self, *arguments, input=None, timeout=VM_TIMEOUT, **options):
        if input is not None:
            options["stdin"] = subprocess.PIPE
        started = time.monotonic()
        process = self.start(*arguments, **options)
        try:
            out, err = process.communicate(input, timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            out, err = process.communicate()
            raise AssertionError(f"mayfly did not end within {timeout} s:\n"
                                 f"{err.decode(errors='replace')[-4000:]}")
        return Result(process.returncode, out or b"", err or b"", time.monotonic() - started)

    def processes(self):
        """The processes that carry this sandbox's mark, as (pid, name)."""
        found = []
        for path in glob.glob("/proc/[0-9]*/environ"):
            pid = int(path.split("/")[2])
            try:
                with open(path, "rb") as file:
                    if f"MAYFLY_TEST_MARK={self.mark}".encode() not in file.read().split(b"\0"):
                        continue
                with open(f"/proc/{pid}/comm") as file:
                    found.append((pid, file.read().strip()))
            except OSError:
                continue
        return found

    def has_qemu(self):
        return any(name.startswith("qemu") for _, name in self.processes())

    def assert_nothing_left(self, within=1.0):
        deadline = time.monotonic() + within
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not self.processes(), f"left running: {self.processes()}"
        assert not os.listdir(self.tmp), f"left in TMPDIR: {os.listdir(self.tmp)}"

    def close(self):
        for pid, _ in self.processes():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.directory, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, kind, *rest):
        try:
            if kind is None:
                self.assert_nothing_left()
        finally:
            self.close()


def expect(result, status, out=None, err=None):
    """'out' is the exact standard output; 'err' a regular expression in the standard error."""
    assert result.status == status, f"expected status {status}, got {result!r}"
    if out is not None and result.out != out:
        same = len(os.path.commonprefix([out, result.out]))
        raise AssertionError(f"stdout: {len(result.out)} bytes instead of {len(out)}, the same up to "
                             f"byte {same}; then expected {out[same:same + 200]!r}, got {result!r}")
    if err is not None:
        text = result.err.decode(errors="replace")
        assert re.search(err, text, re.S), f"expected /{err}/ in stderr, got {result!r}"


def expect_sentence(result, status, pattern):
    """One clear sentence of mayfly's on stderr, nothing on stdout."""
    expect(result, status, out=b"", err=pattern)
    lines = [line for line in result.err.decode(errors="replace").splitlines() if line.strip()]
    assert lines[0].startswith("mayfly: "), f"not a message of mayfly: {result!r}"
    assert len(lines) == 1, f"more than one sentence: {result!r}"


def sha256(path):
    """The sum of a file that may be large."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def free_port():
    """A TCP port of the loopback that nobody uses."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def receive_line(port, within=60):
    """The first line that the guest says on the port of the host that leads into it; b"" for none.
    QEMU takes connections before the guest listens, and ends them then."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            try:
                line = connection.makefile("rb").readline()
            except ConnectionResetError:
                line = b""
        if line:
            return line
        time.sleep(0.1)
    return b""


def run_test(number, function):
    """What TAP has to say of it, and whether it failed."""
    name = function.__name__.replace("_", "-")
    started, lines, verdict, reason = time.monotonic(), [], "ok", ""
    try:
        function()
    except Skip as skip:
        reason = f" # SKIP {skip}"
    except Exception:
        verdict = "not ok"
        lines = ["# " + text for text in traceback.format_exc().splitlines()]
    lines += [f"# {name}: {time.monotonic() - started:.1f} s", f"{verdict} {number} {name}{reason}"]
    return lines, verdict != "ok"


def main():
    chosen, patient = ([function for function in functions
                        if not sys.argv[1:] or any(a in function.__name__ for a in sys.argv[1:])]
                       for functions in (_tests, _patient))
    failed = 0
    print("TAP version 13")
    print(f"1..{len(chosen) + len(patient)}", flush=True)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        # Those that wait start first, and are told of last.
        waiting = [pool.submit(run_test, number, function)
                   for number, function in enumerate(patient, len(chosen) + 1)]
        outcomes = itertools.chain(itertools.starmap(run_test, enumerate(chosen, 1)),
                                   (future.result() for future in waiting))
        for lines, has_failed in outcomes:
            failed += has_failed
            print("\n".join(lines), flush=True)
    sys.exit(1 if failed else 0)

# SPDX-License-Identifier: Apache-2.0
"""What make bench lets run: mayfly, and QEMU without it."""

import dataclasses
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import time

QEMU = 'qemu-system-x86_64'
TIMEOUT = 180

# The bare machine while mayfly is not there to say what it uses.
MACHINE = ['-M', 'pc', '-accel', 'tcg', '-cpu', 'max', '-smp', '2', '-m', '1G']
# What is the same on both sides; everything else mayfly adds is what is being measured.
MACHINE_OPTIONS = ('-M', '-machine', '-accel', '-cpu', '-smp', '-m')
KERNEL_ARGS = 'console=ttyS0 quiet reboot=t panic=-1'


class Failed(Exception):
    """A run that cannot be measured, because it did not do what was to be measured."""


@dataclasses.dataclass
class Result:
    """One run of mayfly."""
    seconds: float
    peak_bytes: int


def option(command, name):
    """The value of an option in an argv."""
    try:
        return command[command.index(name) + 1]
    except (ValueError, IndexError):
        raise Failed(f"QEMU's command line has no {name}: {shlex.join(command)}") from None


class Host:
    """Where the contestants are, and how often each of them runs."""

    def __init__(self, build, kernels, scratch, runs, bare=False):
        self.build = build.resolve()
        self.kernels = kernels
        self.scratch = scratch
        self.runs = runs
        self.mayfly = None if bare else self.build / 'src/cli/mayfly'

    def describe(self):
        qemu = subprocess.run([QEMU, '--version'], stdout=subprocess.PIPE, text=True, check=True)
        version = re.search(r'version ([\d.]+)', qemu.stdout).group(1)
        machine = machine_options(self.qemu_command(self.kernels / 'small/bzImage')
                                  if self.mayfly else MACHINE)
        return f'QEMU {version} {shlex.join(machine)}, {os.cpu_count()} processors'

    def qemu_command(self, image):
        """The argv with which mayfly would start QEMU."""
        done = subprocess.run([self.mayfly, 'run', '--print-qemu', '-k', image, '--', 'true'],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                              check=False, timeout=TIMEOUT)
        if done.returncode != 0:
            raise Failed(f'mayfly run --print-qemu failed with status {done.returncode}.')
        return shlex.split(done.stdout.replace('\\\n', ' '))

    def run(self, image, *command):
        """Runs a command that has to succeed, watching mayfly's resident size."""
        start = time.monotonic()
        process = subprocess.Popen([self.mayfly, 'run', '-k', image, '--', *command],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        peak = 0
        while True:
            peak = max(peak, peak_bytes(process.pid))
            try:
                status = process.wait(timeout=0.1)
                break
            except subprocess.TimeoutExpired:
                if time.monotonic() - start > TIMEOUT:
                    process.kill()
                    raise Failed(f'mayfly run -- {shlex.join(command)} did not end.') from None
        if status != 0:
            raise Failed(f'mayfly run -- {shlex.join(command)} ended with status {status}.')
        return Result(time.monotonic() - start, peak)


def peak_bytes(pid):
    """The most memory that a process has had resident so far; 0 once it has ended.

    Not from getrusage(): that would be the larger of mayfly and the QEMU it has waited for.
    """
    try:
        text = pathlib.Path(f'/proc/{pid}/status').read_text(encoding='ascii', errors='replace')
    except OSError:
        return 0
    match = re.search(r'^VmHWM:\s+(\d+) kB', text, re.M)
    return int(match.group(1)) * 1024 if match else 0


def machine_options(command):
    """The options of an argv that say which machine it is."""
    pairs = zip(command, command[1:])
    return [word for pair in pairs if pair[0] in MACHINE_OPTIONS for word in pair]


class BareQemu:
    """QEMU without mayfly: the same machine, a kernel, and an init that ends it at once."""

    def __init__(self, host):
        self.host = host
        self.initrd = host.scratch / 'init.cpio'
        if not self.initrd.exists():
            shutil.copy(host.build / 'tests/bench/bench-init', host.scratch / 'init')
            archive = subprocess.run(['cpio', '--quiet', '-o', '-H', 'newc'], input=b'init\n',
                                     cwd=host.scratch, stdout=subprocess.PIPE, check=True)
            self.initrd.write_bytes(archive.stdout)

    def machine(self, kernel):
        return machine_options(self.host.qemu_command(kernel) if self.host.mayfly else MACHINE)

    def boot(self, kernel, kernel_args=KERNEL_ARGS):
        """Seconds from QEMU's start to its end."""
        command = [QEMU, *self.machine(kernel), '-nodefaults', '-no-user-config',
                   '-display', 'none', '-no-reboot', '-serial', 'stdio', '-kernel', kernel,
                   '-initrd', self.initrd, '-append', kernel_args]
        start = time.monotonic()
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              check=False, timeout=TIMEOUT)
        seconds = time.monotonic() - start
        if b'bench: init reached' not in done.stdout:
            raise Failed(f'bare QEMU with {kernel} did not get to its init '
                         f'(status {done.returncode}).')
        return seconds


class Stamp:
    """A stand-in for QEMU that only writes down when it was started."""

    def __init__(self, host):
        self.host = host
        self.program = pathlib.Path(shutil.copy(host.build / 'tests/bench/bench-stamp',
                                                host.scratch / QEMU))
        self.stamps = self.program.with_name(QEMU + '.stamps')

    def own_time(self, image):
        """Seconds from the exec of mayfly to the exec of its QEMU."""
        self.stamps.unlink(missing_ok=True)
        subprocess.run([self.program, '--exec', self.host.mayfly, 'run', '--qemu', self.program,
                        '-k', image, '--', 'true'],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, check=False, timeout=TIMEOUT)
        stamps = [int(line) for line in self.stamps.read_text(encoding='ascii').split()]
        if len(stamps) < 2:
            raise Failed('mayfly did not get as far as starting QEMU.')
        return (stamps[-1] - stamps[0]) / 1e9

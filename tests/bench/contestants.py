# SPDX-License-Identifier: Apache-2.0
"""What make bench lets run: mayfly, and QEMU without it."""

import contextlib
import dataclasses
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import threading
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
class Ending:
    """How a run came to its end, in seconds."""
    latency: float   # from the command's last words to the end of mayfly, without 'stop'
    teardown: float  # of that: teardown commands and artifacts, of which it has none
    stop: float      # ending and reaping QEMU


@contextlib.contextmanager
def started(command, **streams):
    """A process that outlives neither the block nor TIMEOUT.

    Its wait() can go without a time limit, and has to where time is taken: Python's wait with a
    limit looks for the end only every 50 ms.
    """
    with subprocess.Popen(command, **streams) as process:
        watchdog = threading.Timer(TIMEOUT, process.kill)
        watchdog.start()
        try:
            yield process
        finally:
            watchdog.cancel()
            process.kill()


def expect_success(process):
    """Waits for the end, which has to be status 0."""
    status = process.wait()
    if status != 0:
        raise Failed(f'{shlex.join(map(str, process.args))} ended with status {status}.')


def expect_line(process, line):
    """The time at which the process has written that line."""
    got = process.stdout.readline()
    if got != line + b'\n':
        raise Failed(f"'{shlex.join(map(str, process.args))}' wrote {got!r}, not {line!r}.")
    return time.monotonic()


def option(command, name):
    """The value of an option in an argv."""
    try:
        return command[command.index(name) + 1]
    except (ValueError, IndexError):
        raise Failed(f"QEMU's command line has no {name}: {shlex.join(command)}") from None


class Host:
    """Where the contestants are, and how often each of them runs."""

    def __init__(self, build, kernels, scratch, runs, bare=False, files=0):
        self.build = build.resolve()
        self.kernels = kernels
        self.small = kernels / 'small/bzImage'
        self.scratch = scratch
        self.runs = runs
        self.files = files
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

    def mayfly_run(self, image, *words, options=()):
        """An argv of mayfly."""
        return [self.mayfly, 'run', *options, '-k', image, '--', *words]

    def probe(self, image, *words, options=()):
        """An argv of mayfly that runs the probe: no shell, and no file but the probe's is read."""
        return self.mayfly_run(image, self.build / 'tests/bench/bench-probe', *words,
                               options=options)

    def seconds(self, command, env=None):
        """Seconds from the start of a command, which has to succeed, to its end."""
        start = time.monotonic()
        with started(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                     env=env) as process:
            expect_success(process)
            return time.monotonic() - start

    def peak(self, command):
        """The peak resident size of a command that has to succeed, in bytes."""
        peak = 0
        with started(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            while process.poll() is None:
                peak = max(peak, peak_bytes(process.pid))
                time.sleep(0.02)
            expect_success(process)
        return peak

    def libraries_peak(self):
        """The peak resident size of a program that is linked with mayfly's libraries, in bytes."""
        done = subprocess.run([self.build / 'tests/bench/bench-libraries'], check=True,
                              stdout=subprocess.PIPE, timeout=TIMEOUT)
        return int(done.stdout)

    def ending(self, image):
        """How long the end of a run takes once its command has ended."""
        log = self.scratch / 'ending.log'
        with log.open('wb') as stderr, \
                started(self.probe(image, 'leave', options=['-vv']), stdin=subprocess.DEVNULL,
                        stdout=subprocess.PIPE, stderr=stderr) as process:
            left = expect_line(process, b'leaving')
            expect_success(process)
            seconds = time.monotonic() - left
        teardown, stop = (phase_seconds(log.read_text(encoding='utf-8', errors='replace'), phase)
                          for phase in ('teardown', 'shutdown'))
        return Ending(latency=seconds - stop, teardown=teardown, stop=stop)

    def idle_load(self, image, seconds):
        """The part of one processor that mayfly itself takes while its command sleeps."""
        with started(self.probe(image, 'sleep', str(seconds)), stdin=subprocess.DEVNULL,
                     stdout=subprocess.PIPE) as process:
            start = expect_line(process, b'asleep')
            before = cpu_seconds(process.pid)
            end = expect_line(process, b'awake')
            used = cpu_seconds(process.pid) - before
            expect_success(process)
        return used / (end - start)


def phase_seconds(log, phase):
    """How long a phase took, from what mayfly run -vv says at its end."""
    match = re.search(rf'^mayfly: {phase} +([\d.]+) ms$', log, re.M)
    if not match:
        raise Failed(f"mayfly run -vv does not say how long '{phase}' took.")
    return float(match.group(1)) / 1000


def cpu_seconds(pid):
    """The processor time that a process has used so far, in user and kernel mode.

    From its CPU clock, whose number Linux makes of the pid (clock_getcpuclockid(3)): as utime and
    stime of /proc/PID/stat, but not in ticks of 10 ms, which an idle mayfly may not use up.
    """
    return time.clock_gettime(~pid << 3 | 2)


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
        with started(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
            console = process.stdout.read()
            status = process.wait()
            seconds = time.monotonic() - start
        if b'bench: init reached' not in console:
            raise Failed(f'bare QEMU with {kernel} did not get to its init (status {status}).')
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

# SPDX-License-Identifier: Apache-2.0
"""Saved machines, for make bench: restored by mayfly and by QEMU alone, saved, and many at once."""

import contextlib
import json
import os
import pathlib
import re
import socket
import subprocess
import tempfile
import time

import contestants
from contestants import Failed, TIMEOUT

# What mayfly keeps besides saved machines; shared with all other runs, so that nothing is built.
OTHER_SECTIONS = ('facts', 'images', 'initramfs')


class Warm:
    """A cache with saved machines of its own, and the machine that a kernel is saved as, or the
    system of a disk image."""

    def __init__(self, host, kernel=None, image=None):
        self.host = host
        self.kernel = kernel
        self.boots = ['-k', kernel] if kernel else ['--image', image]
        self.cache = pathlib.Path(tempfile.mkdtemp(prefix='cache-', dir=host.scratch))
        self.env = dict(os.environ, MAYFLY_CACHE_DIR=str(self.cache))
        for section in OTHER_SECTIONS:
            target = shared_cache() / section
            target.mkdir(parents=True, exist_ok=True)
            (self.cache / section).symlink_to(target)

    def seconds(self, *options):
        """Seconds of a run of 'true'."""
        return self.host.seconds([self.host.mayfly, 'run', *options, *self.boots, '--', 'true'],
                                 env=self.env)

    def first(self):
        """Seconds of a run that has to save the machine before it can restore it."""
        subprocess.run([self.host.mayfly, 'warm', 'prune', '0'], env=self.env, check=True,
                       timeout=TIMEOUT)
        return self.seconds()

    def warm(self):
        """Seconds of a run that restores."""
        self.machine()
        return self.seconds()

    def machine(self):
        """The directory of the saved machine, which is saved if it is not there."""
        subprocess.run([self.host.mayfly, 'warm', 'build', *self.boots], env=self.env,
                       check=True, timeout=TIMEOUT)
        machines = list((self.cache / 'warm').glob('*/manifest.json'))
        if len(machines) != 1:
            raise Failed(f'there are {len(machines)} saved machines instead of one.')
        return machines[0].parent

    def restore_alone(self):
        """Seconds in which QEMU alone restores that machine, and is told to quit."""
        directory = self.machine()
        command = [re.sub(r'^pipe,id=console,.*', 'socket,id=console,fd=0', word)
                   for word in self.host.qemu_command(self.kernel)]
        with contextlib.ExitStack() as stack:
            ends = [[stack.enter_context(end) for end in socket.socketpair()]
                    for _ in range(len(re.findall(r',fd=\d+', ' '.join(command))))]
            state = stack.enter_context(open(directory / 'state', 'rb'))
            theirs = [end.fileno() for _, end in ends] + [state.fileno()]
            words = restoring(command, directory, iter(theirs))
            start = time.monotonic()
            process = stack.enter_context(contestants.started(words, pass_fds=theirs))
            restore_and_quit(ends[0][0], incoming(directory, state))
            contestants.expect_success(process)
            return time.monotonic() - start

    def proportional_sizes(self, number):
        """The memory of each QEMU of so many runs at once, in bytes: what is its own, and its part
        of what it shares."""
        self.machine()
        command = self.host.probe(self.kernel, 'sleep', str(TIMEOUT))
        with contextlib.ExitStack() as stack:
            processes = [stack.enter_context(contestants.started(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=self.env))
                for _ in range(number)]
            for process in processes:
                contestants.expect_line(process, b'asleep')
            return [proportional_size(qemu_of(process.pid)) for process in processes]


def shared_cache():
    """The cache that mayfly uses by itself."""
    base = os.environ.get('XDG_CACHE_HOME') or pathlib.Path.home() / '.cache'
    return pathlib.Path(os.environ.get('MAYFLY_CACHE_DIR') or pathlib.Path(base) / 'mayfly')


def restoring(command, directory, descriptors):
    """The argv of a machine, made one that restores it: what booted is in its memory."""
    words = iter(command)
    made = []
    for word in words:
        if word in ('-kernel', '-initrd', '-append'):
            next(words)
        elif word == '-machine':
            made += [word, next(words) + ',memory-backend=memory']
        else:
            made.append(re.sub(r',fd=\d+', lambda _: f',fd={next(descriptors)}', word))
    size = (directory / 'ram').stat().st_size
    return made + ['-object', f'memory-backend-file,id=memory,size={size},share=off,'
                   f'mem-path={directory}/ram', '-incoming', 'defer']


def incoming(directory, state):
    """Where QEMU gets the devices' state from, in the words of its version."""
    version = json.loads((directory / 'manifest.json').read_text(encoding='utf-8'))['qemu-version']
    if tuple(int(part) for part in version.split('.')[:2]) >= (8, 2):
        return f'file:{directory}/state'
    return f'fd:{state.fileno()}'


def restore_and_quit(monitor, uri):
    """Talks a QEMU that waits for its state through it."""
    with monitor.makefile('rw', encoding='utf-8', newline='\n') as stream:
        def send(command, **arguments):
            stream.write(json.dumps({'execute': command, 'arguments': arguments}) + '\n')
            stream.flush()

        def await_word(word):
            for line in stream:
                if '"error"' in line or '"failed"' in line:
                    raise Failed(f'QEMU did not restore the machine: {line.strip()}')
                if word in line:
                    return
            raise Failed(f'QEMU ended without having said {word}.')

        await_word('"QMP"')
        send('qmp_capabilities')
        send('migrate-set-capabilities', capabilities=[
            {'capability': name, 'state': True} for name in ('x-ignore-shared', 'events')])
        send('migrate-incoming', uri=uri)
        await_word('"completed"')
        send('quit')
        await_word('"SHUTDOWN"')


def qemu_of(pid):
    """The QEMU that a mayfly has started."""
    for task in pathlib.Path(f'/proc/{pid}/task').iterdir():
        for child in (task / 'children').read_text(encoding='ascii').split():
            if 'qemu' in pathlib.Path(f'/proc/{child}/comm').read_text(encoding='utf-8'):
                return int(child)
    raise Failed(f'process {pid} has no QEMU.')


def proportional_size(pid):
    text = pathlib.Path(f'/proc/{pid}/smaps_rollup').read_text(encoding='ascii')
    return int(re.search(r'^Pss:\s+(\d+) kB', text, re.M).group(1)) * 1024

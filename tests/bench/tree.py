# SPDX-License-Identifier: Apache-2.0
"""What it costs the guest to use a tree of many small files, by how the root is shared."""

import os
import re
import subprocess

import contestants

FILES_PER_DIRECTORY = 100

SHARES = {
    '9p none': ('--share-type', '9p', '--9p-cache', 'none'),
    '9p mmap': ('--share-type', '9p', '--9p-cache', 'mmap'),
    '9p loose': ('--share-type', '9p', '--9p-cache', 'loose'),
    'virtiofs': ('--share-type', 'virtiofs'),
}
CONTENDERS = {f'{mode}, {name}': ('--root-mode', mode, *words)
              for mode in ('overlay', 'ro', 'rw') for name, words in SHARES.items()}

# Runs in the guest, which times it: the boot is none of this. The kernel's caches start empty.
SCRIPT = r'''
cd "$1" || exit
now() { cut -d' ' -f1 /proc/uptime; }
measure() {
    name=$1; shift
    start=$(now)
    "$@" >/dev/null || exit
    echo "$name $start $(now)"
}
measure walk find . -path ./.git -prune -o -type f -size +0 -print
measure read tar -cf - --exclude=.git .
measure 'read again' tar -cf - --exclude=.git .
[ ! -d .git ] || measure 'git status' git --no-optional-locks status --short
'''


def make(directory, count):
    """A tree of 'count' small files, under git where there is git."""
    directory.mkdir()
    for number in range(count):
        parent = directory / f'd{number // FILES_PER_DIRECTORY:04}'
        if number % FILES_PER_DIRECTORY == 0:
            parent.mkdir()
        (parent / f'file{number}.c').write_bytes(b'%d\n' % number * (50 + number % 700))
    git = ['git', '-C', directory, '-c', 'user.name=bench', '-c', 'user.email=bench@localhost',
           '-c', 'gc.auto=0']
    try:
        for words in (['init', '-q'], ['add', '.'], ['commit', '-q', '-m', 'bench']):
            subprocess.run([*git, *words], check=True, stdout=subprocess.DEVNULL)
    except FileNotFoundError:
        pass


def measure(host, directory, options):
    """{name of what was done: seconds} in a VM that is started with these options of mayfly."""
    done = subprocess.run([host.mayfly, 'run', '-k', host.kernels / 'generic/vmlinuz', *options,
                           '--', 'sh', '-c', SCRIPT, 'sh', directory],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, check=False,
                          timeout=contestants.TIMEOUT * 5,
                          env=dict(os.environ, GIT_CONFIG_COUNT='1',
                                   GIT_CONFIG_KEY_0='safe.directory', GIT_CONFIG_VALUE_0='*'))
    if done.returncode != 0:
        raise contestants.Failed(f'{options} ended with status {done.returncode}.')
    lines = re.findall(r'^(.+) ([\d.]+) ([\d.]+)$', done.stdout, re.M)
    return {name: float(end) - float(start) for name, start, end in lines}

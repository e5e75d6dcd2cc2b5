#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures mayfly side by side with bare QEMU, in one run.

    tests/bench/bench.py [--build DIR] [-n RUNS | --quick] [--bare] [--files N]
                         [GROUP...]

The contestants of a group take turns (A B A B ...), so that a machine that gets slower does not
favour either, after one round that is not counted (what takes long does without). The table shows
the median, the range and the number of runs, and ratios of medians; each group appears as soon as
it is measured. What its rows mean stands in the group's function, and --help shows it. With --bare
only bare QEMU is measured.
"""

import argparse
import inspect
import pathlib
import statistics
import subprocess
import sys
import tempfile

import contestants
import throughput
import tree
from warm import Warm

SECONDS = ('s', 1)
MILLISECONDS = ('ms', 1000)
MEBIBYTES = ('MiB', 1 / 2**20)
MEGABYTES_PER_SECOND = ('MB/s', 1e-6)
PERCENT = ('%', 100)

QUICK_RUNS = 3
# Of what takes long and varies little; all of it has to be there within minutes.
LONG_RUNS = 3
# Of what is short.
WARM_RUNS = 9
# Runs at once that restore the same machine.
CLONES = (1, 4, 16)
COLD = ('--cold',)
SLEEP_SECONDS = 10


class Row:
    """One line of the table: a contestant's values, and how they compare to others' rows."""

    def __init__(self, name, values, unit):
        self.name = name
        self.values = values
        self.unit, self.factor = unit
        self.ratios = []

    def median(self):
        return statistics.median(self.values)

    def compare_to(self, other, label):
        self.ratios.append(f'{self.median() / other.median():.2f} x {label}')

    def __str__(self):
        low, middle, high = (value * self.factor
                             for value in (min(self.values), self.median(), max(self.values)))
        spread = f'{low:.2f} .. {high:.2f}'
        text = (f'  {self.name:<42}{middle:>9.2f} {self.unit:<4}{spread:>20}'
                f'{len(self.values):>4}   ')
        return (text + ', '.join(self.ratios)).rstrip()


def take_turns(runs, measures, warm_up=True):
    """{name: values} of n runs of each of the measures, which take turns."""
    values = {name: [] for name in measures}
    for turn in range(0 if warm_up else 1, runs + 1):
        for name, take in measures.items():
            value = take()
            if turn > 0:
                values[name].append(value)
        show_progress(f'{turn} of {runs}')
    show_progress('')
    return values


def show_progress(text):
    if sys.stderr.isatty():
        print(f'\r  {text:<12}\r', end='', file=sys.stderr, flush=True)


def rows_of(values, unit):
    return [Row(name, numbers, unit) for name, numbers in values.items()]


def cold_boot(host, image, vmlinux):
    qemu = contestants.BareQemu(host)
    measures = {'bare QEMU, bzImage': lambda: qemu.boot(image)}
    if vmlinux:
        measures['bare QEMU, vmlinux'] = lambda: qemu.boot(vmlinux)
    if host.mayfly:
        kernel_args = contestants.option(host.qemu_command(image), '-append')
        measures['the same with the arguments of mayfly'] = lambda: qemu.boot(vmlinux, kernel_args)
        measures['mayfly run --cold -- PROGRAM ARGUMENT'] = (
            lambda: host.seconds(host.probe(image, 'nothing', options=COLD)))
        measures['mayfly run --cold -- true'] = (
            lambda: host.seconds(host.mayfly_run(image, 'true', options=COLD)))

    rows = rows_of(take_turns(host.runs, measures), SECONDS)
    for index, label in enumerate(('bzImage', 'vmlinux') if vmlinux else ('bzImage',)):
        for row in rows[index + 1:]:
            row.compare_to(rows[index], label)
    return rows


def cold_small(host):
    """cold run, small kernel with everything built in

    bare QEMU: the same machine and a static init that ends it at once, with the compressed image
    and with the vmlinux that mayfly boots. PROGRAM is static and ends at once: mayfly's own floor.
    'true' is a shell's, which the guest reads from the host's root.
    """
    return cold_boot(host, host.kernels / 'small/bzImage', host.kernels / 'small/vmlinux')


def cold_stock(host):
    """cold run, stock Debian kernel

    The rows of cold-small; the vmlinux is the very file that mayfly hands to QEMU.
    """
    image = host.kernels / 'generic/vmlinuz'
    # The image's payload, decompressed once and kept in the cache.
    vmlinux = contestants.option(host.qemu_command(image), '-kernel') if host.mayfly else None
    return cold_boot(host, image, vmlinux)


def warm(host):
    """saved machines, stock Debian kernel

    cold: a run that boots. first: one that boots, saves the machine, and restores it. bare QEMU: the
    machine that mayfly restores, restored and told to quit, without a guest that does anything.
    Memory: of each QEMU's own and shared pages (Pss), as the mean of so many runs at once.
    """
    saved = Warm(host, kernel=host.kernels / 'generic/vmlinuz')
    runs = host.runs if host.runs <= QUICK_RUNS else max(host.runs, WARM_RUNS)
    rows = rows_of(take_turns(runs, {
        'mayfly run --cold -- true': lambda: saved.seconds(*COLD),
        'bare QEMU, restore and quit': saved.restore_alone,
        'mayfly run -- true, restored': saved.warm}), SECONDS)
    rows += rows_of(take_turns(min(host.runs, LONG_RUNS), {
        'mayfly run -- true, the first': saved.first}, warm_up=False), SECONDS)
    for row in rows[1:]:
        row.compare_to(rows[0], 'cold')
    rows[2].compare_to(rows[1], 'bare QEMU')
    return rows + [Row(f'memory of each of {number}', [statistics.mean(sizes)], MEBIBYTES)
                   for number in CLONES for sizes in [saved.proportional_sizes(number)]]


def warm_image(host):
    """saved systems, disk image that boots from a BIOS

    cold: a run that boots the image and waits for its guest agent. first: one that does that, saves
    the system with what it wrote to its disk, and restores it.
    """
    saved = Warm(host, image=test_directory('test-images.sh') / 'bios.img')
    rows = rows_of(take_turns(min(host.runs, LONG_RUNS), {
        'mayfly run --cold --image ... -- true': lambda: saved.seconds(*COLD),
        'mayfly run --image ... -- true, the first': saved.first}, warm_up=False), SECONDS)
    rows += rows_of(take_turns(host.runs, {
        'mayfly run --image ... -- true, restored': saved.warm}), SECONDS)
    for row in rows[1:]:
        row.compare_to(rows[0], 'cold')
    return rows


def own_time(host):
    """mayfly's own time from its start to QEMU's

    With everything in the cache, and a program in QEMU's place that notes when it was started.
    """
    stamp = contestants.Stamp(host)
    images = {'small kernel': 'small/bzImage', 'stock kernel': 'generic/vmlinuz'}
    measures = {name: lambda path=path: stamp.own_time(host.kernels / path)
                for name, path in images.items()}
    return rows_of(take_turns(host.runs, measures), MILLISECONDS)


def latency(host):
    """end of the command to the end of mayfly, small kernel

    From the arrival of the last line, which the command writes right before it ends, to the end of
    mayfly, less the stop: the phase in which QEMU is ended and reaped. Flushing is a part of it.
    """
    endings = take_turns(host.runs, {'ending': lambda: host.ending(host.small)})['ending']
    return [Row('last line to end, minus the stop', [end.latency for end in endings], MILLISECONDS),
            Row('of it teardown', [end.teardown for end in endings], MILLISECONDS),
            Row('the stop', [end.stop for end in endings], MILLISECONDS)]


def memory(host):
    """mayfly's peak resident size, without QEMU's

    The libraries alone: a program that is linked with those that mayfly starts with, and does
    nothing.
    """
    megabytes = str(throughput.BYTES)
    measures = {
        'the libraries alone': host.libraries_peak,
        'run -- true': lambda: host.peak(host.mayfly_run(host.small, 'true')),
        '100 MB through standard output': lambda: host.peak(
            host.probe(host.small, 'zeros', megabytes))}
    return rows_of(take_turns(min(host.runs, LONG_RUNS), measures, warm_up=False), MEBIBYTES)


def streams(host):
    """standard streams, 100 MB, small kernel

    stdout: from the first byte that mayfly writes into a pipe to the last, for zeros and for short
    lines in writes of 64 KB. stdin: from the command's first byte to its last, from a file.
    """
    measures = {
        'stdout, zeros': lambda: throughput.stdout_rate(host, host.small, 'zeros'),
        'stdout, short lines': lambda: throughput.stdout_rate(host, host.small, 'lines'),
        'stdin, zeros': lambda: throughput.stdin_rate(host, host.small)}
    values = take_turns(min(host.runs, LONG_RUNS), measures, warm_up=False)
    return rows_of(values, MEGABYTES_PER_SECOND)


def host_stream(host):
    """standard output, 100 MB, mayfly's host side alone

    Frames from a file through mayfly's transport, stream and output to /dev/null: what would be
    left if the guest and QEMU took no time. By the payload of a frame.
    """
    measures = {f'frames of {size // 1024} KiB': throughput.FrameFeed(host, size).rate
                for size in (64 * 1024, 4 * 1024, 1024)}
    return rows_of(take_turns(host.runs, measures), MEGABYTES_PER_SECOND)


def idle(host):
    """processor time of mayfly itself during 'sleep 10'

    Of one processor; QEMU's is not in it.
    """
    measures = {'sleeping command': lambda: host.idle_load(host.small, SLEEP_SECONDS)}
    return rows_of(take_turns(1, measures, warm_up=False), PERCENT)


def files(host):
    """the guest's use of a tree of small files, by root mode and share

    As timed in the guest, with its caches empty at first: find with a stat of each file, tar of all
    twice, and git status. It takes long, so it is measured only when it is asked for.
    """
    directory = host.scratch / 'tree'
    tree.make(directory, host.files)
    measures = {name: lambda words=words: tree.measure(host, directory, words)
                for name, words in tree.CONTENDERS.items()}
    values = take_turns(min(host.runs, LONG_RUNS), measures, warm_up=False)
    return [Row(f'{work}: {name}', [value[work] for value in values[name]], SECONDS)
            for work in next(iter(values.values()))[0] for name in measures]


# In the order in which they are measured: what most are after, and what is quick, comes first.
GROUPS = {'cold-small': cold_small, 'warm': warm, 'own-time': own_time, 'latency': latency,
          'memory': memory, 'host-stream': host_stream, 'streams': streams, 'idle': idle,
          'cold-stock': cold_stock, 'warm-image': warm_image, 'files': files}
DEFAULT_GROUPS = tuple(name for name in GROUPS if name != 'files')
BARE_GROUPS = ('cold-small', 'cold-stock')


def title(group):
    return GROUPS[group].__doc__.splitlines()[0]


def explain_groups():
    return '\n'.join(['groups, and what their rows are:'] + [
        f'  {name}: {inspect.getdoc(group)}'.replace('\n\n', '\n').replace('\n', '\n      ')
        for name, group in GROUPS.items()])


def test_directory(name):
    """What that script of tools/ makes, or has made."""
    script = pathlib.Path(__file__).resolve().parents[2] / 'tools' / name
    return pathlib.Path(subprocess.run([script], check=True, text=True,
                                       stdout=subprocess.PIPE).stdout.strip())


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0], epilog=explain_groups(),
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', type=pathlib.Path, default=pathlib.Path('build'))
    runs = parser.add_mutually_exclusive_group()
    runs.add_argument('-n', '--runs', type=int, default=7,
                      help='runs of each contestant (7); long ones have fewer')
    runs.add_argument('--quick', action='store_const', dest='runs', const=QUICK_RUNS,
                      help=f'{QUICK_RUNS} runs of each')
    parser.add_argument('--files', type=int, default=20000, metavar='N',
                        help="size of the tree of 'files' (20000)")
    parser.add_argument('--bare', action='store_true', help='measure bare QEMU only')
    parser.add_argument('groups', nargs='*', metavar='GROUP', help=', '.join(GROUPS))
    options = parser.parse_args()
    unknown = [group for group in options.groups if group not in GROUPS]
    if unknown or options.runs < 1:
        parser.error(f"'{unknown[0]}' is not one of {', '.join(GROUPS)}" if unknown
                     else 'at least one run is needed')
    options.groups = options.groups or (BARE_GROUPS if options.bare else DEFAULT_GROUPS)
    return options


def measure(host, group):
    """Prints a group; returns whether all of it could be measured."""
    print(f'\n{group}: {title(group)}', flush=True)
    try:
        for row in GROUPS[group](host):
            print(row, flush=True)
    except contestants.Failed as error:
        print(f'bench: {error}', file=sys.stderr)
        return False
    return True


def main():
    options = parse_arguments()
    with tempfile.TemporaryDirectory(prefix='mayfly-bench-') as scratch:
        host = contestants.Host(options.build, test_directory('test-kernels.sh'),
                                pathlib.Path(scratch), options.runs, bare=options.bare,
                                files=options.files)
        print(f'{host.describe()}; median, least .. most, runs')
        results = [measure(host, group) for group in options.groups]
    return 0 if all(results) else 1


if __name__ == '__main__':
    try:
        sys.exit(main())
    except contestants.Failed as error:
        sys.exit(f'bench: {error}')

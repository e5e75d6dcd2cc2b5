#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Measures mayfly side by side with bare QEMU, in one run.

    tests/bench/bench.py [--build DIR] [-n RUNS] [--bare] [GROUP...]

The contestants of a group take turns (A B A B ...), so that a machine that gets slower does not
favour either, after one round that is not counted. The table shows medians, the range, and ratios
of medians. With --bare only bare QEMU is measured.
"""

import argparse
import pathlib
import statistics
import subprocess
import sys
import tempfile

import contestants

SECONDS = ('s', 1)
MILLISECONDS = ('ms', 1000)
MEBIBYTES = ('MiB', 1 / 2**20)


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
        text = f'  {self.name:<40}{middle:>9.2f} {self.unit:<4}{spread:>18}   '
        return (text + ', '.join(self.ratios)).rstrip()


def take_turns(runs, measures):
    """{name: values} of n runs of each of the measures, which take turns."""
    values = {name: [] for name in measures}
    for turn in range(runs + 1):
        for name, measure in measures.items():
            value = measure()
            if turn > 0:
                values[name].append(value)
        show_progress(f'{turn} of {runs}')
    show_progress('')
    return values


def show_progress(text):
    if sys.stderr.isatty():
        print(f'\r  {text:<12}\r', end='', file=sys.stderr, flush=True)


def cold_boot(host, image, vmlinux):
    """Seconds from start to end: bare QEMU with a static init, and mayfly with `true`."""
    qemu = contestants.BareQemu(host)
    measures = {'bare QEMU, bzImage': lambda: qemu.boot(image)}
    if vmlinux:
        measures['bare QEMU, vmlinux'] = lambda: qemu.boot(vmlinux)
    if host.mayfly:
        kernel_args = contestants.option(host.qemu_command(image), '-append')
        measures['the same with the arguments of mayfly'] = lambda: qemu.boot(vmlinux, kernel_args)
        measures['mayfly run -- true'] = lambda: host.run(image, 'true').seconds

    values = take_turns(host.runs, measures)
    rows = [Row(name, values[name], SECONDS) for name in measures]
    for index, label in enumerate(('bzImage', 'vmlinux') if vmlinux else ('bzImage',)):
        for row in rows[index + 1:]:
            row.compare_to(rows[index], label)
    return rows


def cold_small(host):
    """cold run, small kernel with everything built in"""
    return cold_boot(host, host.kernels / 'small/bzImage', host.kernels / 'small/vmlinux')


def cold_stock(host):
    """cold run, stock Debian kernel"""
    image = host.kernels / 'generic/vmlinuz'
    # The very file that mayfly hands to QEMU: the image's payload, decompressed once.
    vmlinux = contestants.option(host.qemu_command(image), '-kernel') if host.mayfly else None
    return cold_boot(host, image, vmlinux)


def own_time(host):
    """mayfly's own time from its start to QEMU's"""
    stamp = contestants.Stamp(host)
    images = {'small kernel': 'small/bzImage', 'stock kernel': 'generic/vmlinuz'}
    values = take_turns(host.runs, {name: lambda path=path: stamp.own_time(host.kernels / path)
                                    for name, path in images.items()})
    return [Row(name, values[name], MILLISECONDS) for name in images]


def memory(host):
    """mayfly's peak resident size"""
    image = host.kernels / 'small/bzImage'
    values = take_turns(host.runs, {'run -- true': lambda: host.run(image, 'true').peak_bytes})
    return [Row(name, numbers, MEBIBYTES) for name, numbers in values.items()]


GROUPS = {'cold-small': cold_small, 'cold-stock': cold_stock, 'own-time': own_time,
          'memory': memory}
BARE_GROUPS = ('cold-small', 'cold-stock')


def test_kernels():
    script = pathlib.Path(__file__).resolve().parents[2] / 'tools/test-kernels.sh'
    return pathlib.Path(subprocess.run([script], check=True, text=True,
                                       stdout=subprocess.PIPE).stdout.strip())


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', type=pathlib.Path, default=pathlib.Path('build'))
    parser.add_argument('-n', '--runs', type=int, default=7, help='runs of each contestant (7)')
    parser.add_argument('--bare', action='store_true', help='measure bare QEMU only')
    parser.add_argument('groups', nargs='*', metavar='GROUP', help=', '.join(GROUPS))
    options = parser.parse_args()
    unknown = [group for group in options.groups if group not in GROUPS]
    if unknown or options.runs < 1:
        parser.error(f"'{unknown[0]}' is not one of {', '.join(GROUPS)}" if unknown
                     else 'at least one run is needed')
    options.groups = options.groups or (BARE_GROUPS if options.bare else list(GROUPS))
    return options


def main():
    options = parse_arguments()
    with tempfile.TemporaryDirectory(prefix='mayfly-bench-') as scratch:
        host = contestants.Host(options.build, test_kernels(), pathlib.Path(scratch), options.runs,
                                bare=options.bare)
        print(f'{host.describe()}; medians of {options.runs}, then least .. most')
        for group in options.groups:
            print(f'\n{GROUPS[group].__doc__}', flush=True)
            for row in GROUPS[group](host):
                print(row, flush=True)


if __name__ == '__main__':
    try:
        main()
    except contestants.Failed as error:
        sys.exit(f'bench: {error}')

# SPDX-License-Identifier: Apache-2.0
"""How fast bytes go through mayfly: the whole path, and the host's side of it alone."""

import os
import socket
import struct
import subprocess
import time
import zlib

import contestants

BYTES = 100_000_000
READ_SIZE = 64 * 1024


def stdout_rate(host, image, what):
    """Bytes per second of what the probe writes, from its first bytes to its last."""
    total = first_bytes = 0
    with contestants.started(host.probe(image, what, str(BYTES)), stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE) as process:
        while chunk := os.read(process.stdout.fileno(), READ_SIZE):
            last = time.monotonic()
            if total == 0:
                first, first_bytes = last, len(chunk)
            total += len(chunk)
        contestants.expect_success(process)
    if total != BYTES:
        raise contestants.Failed(f'{total} of {BYTES} bytes came through standard output.')
    return (total - first_bytes) / (last - first)


def stdin_rate(host, image):
    """Bytes per second that the probe reads from a file of zeros."""
    zeros = host.scratch / 'zeros'
    with zeros.open('wb') as file:
        file.truncate(BYTES)
    with zeros.open('rb') as stdin, \
            contestants.started(host.probe(image, 'count'), stdin=stdin,
                                stdout=subprocess.PIPE) as process:
        first = contestants.expect_line(process, b'reading')
        last = contestants.expect_line(process, str(BYTES).encode())
        contestants.expect_success(process)
    return BYTES / (last - first)


def frame(payload):
    """A frame of standard output: src/wire/frame.h."""
    return struct.pack('<4sIII', b'SOUT'[::-1], len(payload), zlib.crc32(payload), 0) + payload


class FrameFeed:
    """A file of frames, fed to the host's side of a stream as QEMU would: through a socket."""

    def __init__(self, host, payload_size):
        self.sink = host.build / 'tests/bench/bench-sink'
        self.payload_bytes = BYTES - BYTES % payload_size
        self.path = host.scratch / f'frames-{payload_size}'
        self.path.write_bytes(frame(bytes(payload_size)) * (BYTES // payload_size))

    def rate(self):
        """Bytes of payload per second."""
        ours, theirs = socket.socketpair()
        with ours, theirs, self.path.open('rb') as frames, \
                contestants.started([self.sink], stdin=theirs, stdout=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE) as process:
            theirs.close()
            ours.sendfile(frames)
            ours.close()
            report = process.stderr.read()
            contestants.expect_success(process)
        total, microseconds = map(int, report.split())
        if total != self.payload_bytes:
            raise contestants.Failed(f'{total} of {self.payload_bytes} bytes came out of frames.')
        return total / microseconds * 1e6

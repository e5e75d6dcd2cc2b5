# SPDX-License-Identifier: Apache-2.0
"""The host's end of the stream port, for tests: frames, command records, and a peer on a socket."""

import os
import pathlib
import selectors
import socket
import struct
import subprocess
import time
import zlib

STDIN_WINDOW = 256 << 10
CHUNK_MAX = 64 << 10
DEADLINE = 60.0


def encode(kind, payload=b''):
    return struct.pack('<4sIII', kind[::-1], len(payload), zlib.crc32(payload), 0) + payload


def record(args=None, **fields):
    """A command record: args is argv; env is a dict; other fields as they are named."""
    parts = [b'arg=' + os.fsencode(a) for a in args or []]
    env = fields.pop('env', {'PATH': os.environ['PATH']})
    parts += [b'env=' + os.fsencode(f'{k}={v}') for k, v in env.items()]
    parts += [os.fsencode(f'{k}={v}') for k, v in fields.items()]
    return b''.join(part + b'\0' for part in parts)


def marked_processes(mark):
    """The living processes that have a mark in their environment; zombies have none any more."""
    found = []
    for entry in pathlib.Path('/proc').iterdir():
        try:
            if entry.name.isdigit() and mark.encode() in (entry / 'environ').read_bytes():
                found.append(int(entry.name))
        except OSError:
            pass
    return found


class Lost(Exception):
    """The guest program closed the stream, or a deadline passed."""


class Peer:
    """Collects what arrives; feeds standard input within the window."""

    def __init__(self, sock):
        self.sock = sock
        self.sock.setblocking(False)
        self.buffer = bytearray()
        self.outgoing = bytearray()
        self.closed = False
        self.others = []
        self.started = False
        self.unended = set()
        self.reset()

    def reset(self):
        """Forgets the command before: each counts its input from the start, and what outlived
        it ends before anything of the next one comes."""
        if self.started:
            self.unended = set(self.streams) - self.ended
        self.started = True
        self.streams = {b'SOUT': bytearray(), b'SERR': bytearray()}
        self.ended = set()
        self.exit = None
        self.sizes_at_exit = None
        self.stdin = memoryview(b'')
        self.stdin_end_due = False
        self.window = STDIN_WINDOW
        self.acknowledged = 0
        self.sink = None  # called with (kind, chunk) instead of keeping the bytes

    def send(self, kind, payload=b''):
        self.outgoing += encode(kind, payload)

    def feed(self, data, end=True):
        self.stdin = memoryview(data)
        self.stdin_end_due = end

    def _queue_stdin(self):
        while self.stdin and self.window and len(self.outgoing) < (1 << 20):
            size = min(len(self.stdin), self.window, CHUNK_MAX)
            self.send(b'SINP', bytes(self.stdin[:size]))
            self.stdin = self.stdin[size:]
            self.window -= size
        if not self.stdin and self.stdin_end_due:
            self.stdin_end_due = False
            self.send(b'SINE')

    def _take(self, kind, payload):
        if kind in self.unended:
            if not payload:
                self.unended.remove(kind)
            return
        if kind in self.streams:
            assert len(payload) <= CHUNK_MAX, f'a chunk of {len(payload)} bytes'
            assert kind not in self.ended, f'{kind} goes on after its end'
            if not payload:
                self.ended.add(kind)
            elif self.sink:
                self.sink(kind, payload)
            else:
                self.streams[kind] += payload
        elif kind == b'EXCX':
            assert self.exit is None, 'two exits'
            (self.exit,) = struct.unpack('<i', payload)
            self.sizes_at_exit = {k: len(v) for k, v in self.streams.items()}
        elif kind == b'SINA':
            (size,) = struct.unpack('<I', payload)
            self.acknowledged += size
            self.window += size
            assert self.window <= STDIN_WINDOW, 'more acknowledged than sent'
        else:
            self.others.append((kind, payload))

    def _parse(self):
        while len(self.buffer) >= 16:
            tag, length, crc, pad = struct.unpack_from('<4sIII', self.buffer)
            if len(self.buffer) < 16 + length:
                return
            payload = bytes(self.buffer[16 : 16 + length])
            del self.buffer[: 16 + length]
            assert zlib.crc32(payload) == crc and pad == 0, 'a damaged frame'
            self._take(tag[::-1], payload)

    def turn(self, timeout):
        """Waits for one event; false when the time is over."""
        self._queue_stdin()
        with selectors.DefaultSelector() as selector:
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.outgoing else 0)
            selector.register(self.sock, events)
            ready = selector.select(timeout)
        if not ready:
            return False
        mask = ready[0][1]
        if mask & selectors.EVENT_WRITE:
            try:
                sent = self.sock.send(self.outgoing[: 1 << 16])
                del self.outgoing[:sent]
            except (BrokenPipeError, ConnectionResetError):
                self.outgoing.clear()
        if mask & selectors.EVENT_READ:
            try:
                data = self.sock.recv(1 << 18)
            except ConnectionResetError:
                data = b''
            if not data:
                self.closed = True
            self.buffer += data
            self._parse()
        return True

    def run_until(self, condition, deadline=DEADLINE):
        end = time.monotonic() + deadline
        while not condition():
            if self.closed or not self.turn(max(0, end - time.monotonic())):
                raise Lost(f'closed={self.closed} exit={self.exit} ended={self.ended}')

    def finish(self, deadline=DEADLINE):
        """Runs until the exit and the end of both outputs are known."""
        self.run_until(lambda: self.exit is not None and len(self.ended) == 2, deadline)

    @property
    def out(self):
        return bytes(self.streams[b'SOUT'])

    @property
    def err(self):
        return bytes(self.streams[b'SERR'])


class Listener:
    """A unix socket for the program under test to connect to."""

    def __init__(self, directory, name='stream'):
        self.path = os.path.join(directory, name)
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.bind(self.path)
        self.sock.listen(1)
        self.sock.settimeout(DEADLINE)

    def accept(self):
        return Peer(self.sock.accept()[0])

    def close(self):
        self.sock.close()
        os.unlink(self.path)


class Exec:
    """'mayfly-guest exec' with a record; 'peer' is its stream."""

    def __init__(self, program, directory, data, **options):
        listener = Listener(directory)
        try:
            self.process = subprocess.Popen(
                [program, 'exec', '--stream', listener.path],
                stdin=subprocess.PIPE,
                stderr=subprocess.PIPE,
                **options,
            )
            self.process.stdin.write(data)
            self.process.stdin.close()
            self.peer = listener.accept()
        finally:
            listener.close()

    def close(self):
        """Ends the command with the stream, which takes its leftovers along."""
        self.peer.sock.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stderr.close()

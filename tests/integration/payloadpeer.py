# SPDX-License-Identifier: Apache-2.0
"""The host's end of payloads, for tests: what is known of each, and the frames for them."""

import json
import os
import struct
import time

from streampeer import CHUNK_MAX, DEADLINE, Peer, record

ANY_MARK = f'MAYFLY_PAYLOAD_MARK={os.getpid()}.'


class Payload:
    """What the host knows of one: its outputs, and its end."""

    def __init__(self, index):
        self.index = index
        self.mark = f'{ANY_MARK}{index}='
        self.streams = {1: bytearray(), 2: bytearray()}
        self.ended = set()
        self.end = None
        self.started = time.monotonic()
        self.took = None  # until its PMET

    @property
    def out(self):
        return bytes(self.streams[1])

    @property
    def err(self):
        return bytes(self.streams[2])


class PayloadPeer(Peer):
    """The host's end, which checks the order and the form of all that comes."""

    def __init__(self, sock):
        super().__init__(sock)
        self.payloads = {}

    def _take(self, kind, payload):
        if kind == b'RAWO':
            index, number, *zeros = struct.unpack_from('<IB3B', payload)
            assert zeros == [0, 0, 0] and len(payload) <= CHUNK_MAX, (zeros, len(payload))
            one = self.payloads[index]
            assert one.end is None, f'output of {index} after its end'
            assert number not in one.ended, f'output {number} of {index} after its end'
            if len(payload) == 8:
                one.ended.add(number)
            one.streams[number] += payload[8:]
        elif kind == b'PMET':
            one = self.payloads[struct.unpack_from('<I', payload)[0]]
            assert one.end is None, f'two ends of {one.index}'
            assert len(payload) <= CHUNK_MAX
            one.end = json.loads(payload[4:])
            assert 'error' in one.end or one.ended == {1, 2}, f'{one.index} before its outputs'
            one.took = time.monotonic() - one.started
        else:
            super()._take(kind, payload)

    def start(self, args=None, index=None, mark=True, **fields):
        """Starts one; 'limit' may be a list."""
        index = len(self.payloads) if index is None else index
        one = self.payloads[index] = Payload(index)
        env = {'PATH': os.environ['PATH'], **fields.pop('env', {})}
        if mark:
            env[one.mark.rstrip('=')] = '1'
        limits = b''.join(b'limit=' + os.fsencode(l) + b'\0' for l in fields.pop('limit', []))
        names = {'timeout_ms': 'timeout-ms', 'parent_pgrp': 'parent-pgrp'}
        fields = {names.get(k, k): v for k, v in fields.items()}
        self.start_record(index, record(args, env=env, **fields) + limits)
        return one

    def start_record(self, index, data):
        self.payloads.setdefault(index, Payload(index))
        self.send(b'PRUN', struct.pack('<I', index) + data)
        return self.payloads[index]

    def signal(self, one, number):
        self.send(b'PSIG', struct.pack('<Ii', one.index, number))

    def kill(self, one):
        self.send(b'PKIL', struct.pack('<I', one.index))

    def collect(self, *payloads, deadline=DEADLINE):
        self.run_until(lambda: all(one.end for one in payloads), deadline)
        return payloads[0]

    def run(self, *arguments, **fields):
        return self.collect(self.start(*arguments, **fields))

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Payloads of 'mayfly-guest agent' on this machine, without a VM: the frames that start, signal and
kill them, their output and how they ended. The program is $MAYFLY_GUEST.

With control groups it runs in a mount namespace that has a version 2 hierarchy of its own at
/sys/fs/cgroup; its controllers may all be taken by the machine's, so what they limit is for a VM.
Without them there is something else, unless this is not root, who alone could use them.
"""

import os
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import tap
from payloadpeer import ANY_MARK, PayloadPeer
from streampeer import DEADLINE, Listener, marked_processes, record

PROGRAM = os.environ['MAYFLY_GUEST']
SANITIZED = os.environ.get('MAYFLY_SANITIZED') == '1'
KEEP_MAX = 16 << 20
RECORD_MAX = 8 << 20
GONE_WITHIN = 2.0  # how long after a payload's end anything may be left of it
CGROUPS = '/sys/fs/cgroup/mayfly'


def mounted(kind):
    """What runs a command with such a file system at the place of control groups."""
    return ['unshare', '--mount', 'sh', '-c', f'mount -t {kind} none /sys/fs/cgroup && exec "$@"',
            'sh']


def can_use_cgroups():
    """Whether groups can be made there, and processes be put into them."""
    script = f'''mkdir -p {CGROUPS}/probe.{os.getpid()} && cd {CGROUPS}/probe.{os.getpid()} &&
                 sh -c 'echo $$ >cgroup.procs' && rmdir $PWD'''
    return subprocess.run([*mounted('cgroup2'), 'sh', '-c', script],
                          capture_output=True).returncode == 0


WITH_CGROUPS = mounted('cgroup2')
HAS_CGROUPS = os.geteuid() == 0 and can_use_cgroups()
WITHOUT_CGROUPS = mounted('tmpfs') if HAS_CGROUPS else []


class PayloadTest(unittest.TestCase):
    with_cgroups = False

    def setUp(self):
        if self.with_cgroups and not HAS_CGROUPS:
            self.skipTest('needs root, unshare(1) and a kernel with version 2 control groups')
        directory = tempfile.TemporaryDirectory(prefix='mayfly-')
        self.addCleanup(directory.cleanup)
        self.directory = directory.name
        listener = Listener(self.directory)
        self.addCleanup(listener.close)
        command = [PROGRAM, 'agent', '--socket', self.path('agent'), '--stream', listener.path]
        self.log = open(self.path('log'), 'w+b')
        self.addCleanup(self.log.close)
        prefix = WITH_CGROUPS if self.with_cgroups else WITHOUT_CGROUPS
        self.agent = subprocess.Popen(prefix + command, stdin=subprocess.DEVNULL, stderr=self.log)
        self.addCleanup(self.stop)
        self.peer = PayloadPeer(listener.sock.accept()[0])

    def stop(self):
        """A sanitizer's verdict is in the status."""
        if self.agent.poll() is None:
            self.agent.terminate()
        status = self.agent.wait(30)
        self.peer.sock.close()
        self.assertEqual(status, 0, self.logged())

    def logged(self):
        return pathlib.Path(self.path('log')).read_bytes()

    def path(self, name, text=None, mode=0o755):
        path = pathlib.Path(self.directory) / name
        if text is not None:
            path.write_text(text)
            path.chmod(mode)
        return str(path)

    def await_lines(self, one, n):
        self.peer.run_until(lambda: one.out.count(b'\n') >= n)

    def assert_gone(self, one):
        """At its end at the latest: that is what a PMET says."""
        self.assertEqual(marked_processes(one.mark), [])


class Ends(PayloadTest):
    def test_P_17_T_8_a_status_and_a_signal_are_told_apart(self):
        self.assertEqual(self.peer.run(shell='exit 42').end['status'], 42)
        one = self.peer.run(['sh', '-c', 'kill -SEGV $$'])
        self.assertEqual(one.end['signal'], signal.SIGSEGV)
        self.assertNotIn('status', one.end)
        self.assertNotIn('signal', self.peer.run(shell='exit 137').end)

    def test_the_end_has_every_member(self):
        one = self.peer.run(shell='printf out; printf error >&2; exit 3')
        self.assertEqual((one.out, one.err), (b'out', b'error'))
        duration = one.end.pop('duration-us')
        self.assertTrue(0 < duration <= one.took * 1e6, duration)
        self.assertEqual(one.end, {'status': 3, 'timed-out': False, 'killed': False,
                                   'stdout': {'bytes': 3, 'discarded': 0},
                                   'stderr': {'bytes': 5, 'discarded': 0}})

    def test_P_23_a_program_that_is_not_there_is_127_and_explained(self):
        one = self.peer.run(['no-such-program'], env={'PATH': '/usr/bin:/bin'})
        self.assertEqual(one.end['status'], 127)
        self.assertIn(b"cannot run 'no-such-program': it was not found in the guest's PATH",
                      one.err)
        script = self.path('script', '#!/no/such/interpreter\n')
        one = self.peer.run([script])
        self.assertEqual(one.end['status'], 127)
        self.assertIn(b'the interpreter or loader that it names is not in the guest', one.err)

    def test_P_21_P_29_nothing_is_blocked_ignored_or_open_in_a_payload(self):
        one = self.peer.run(['grep', '-E', '^Sig(Blk|Ign):', '/proc/self/status'])
        self.assertEqual([line.split()[1] for line in one.out.splitlines()], [b'0' * 16] * 2)
        self.assertEqual(self.peer.run(['ls', '/proc/self/fd']).out, b'0\n1\n2\n3\n')
        self.assertEqual(self.peer.run(['readlink', '/proc/self/fd/0']).out, b'/dev/null\n')

    def test_bad_records_are_refused_in_one_sentence_and_nothing_runs(self):
        touched = self.path('touched')
        good = record(['touch', touched])
        for index, data in enumerate((
                b'', b'\0', good[:-1], good + b'bogus=1\0', good + b'shell=true\0',
                good + b'tty=24x80\0', good + b'login=/bin/sh\0', good + b'stdin=null\0',
                good + b'stdout=closed\0', good + b'timeout-ms=0\0', good + b'timeout-ms=-1\0',
                good + b'timeout-ms=1s\0', good + b'timeout-ms=\0',
                good + b'timeout-ms=99999999999999999999\0', good + b'parent-pgrp=yes\0',
                good + b'limit=cpu.max=1\0', good + b'cgroup=a\0limit=cgroup.procs=1\0',
                good + b'cgroup=a\0limit=cpu.max=\0', good + b'cgroup=a\0limit=cpu.max\0',
                good + b'cgroup=/\0', good + b'cgroup=../a\0')):
            one = self.peer.collect(self.peer.start_record(index, data))
            self.assertEqual(list(one.end), ['error'], data)
            self.assertRegex(one.end['error'], r'^[^\n]{20,}$')
        self.assertFalse(os.path.exists(touched))

    def test_P_6_to_P_11_bad_cgroup_names_are_named(self):
        for index, (name, word) in enumerate((('/', 'empty'), ('../escape', "'..'"),
                                              ('b/..', "'..'"), ('x' * 1025, 'longer'))):
            one = self.peer.collect(self.peer.start_record(
                index, record(['true'], cgroup=name)))
            self.assertIn(word, one.end['error'])
            self.assertIn('cgroup', one.end['error'])

    def test_a_record_is_allowed_to_its_cap_and_refused_past_it(self):
        for index, size in enumerate((RECORD_MAX, RECORD_MAX + 1)):
            data = record(['true'])
            # Too many bytes for exec(2), but not for the record.
            data += b'env=X=' + b'x' * (size - len(data) - 7) + b'\0'
            one = self.peer.collect(self.peer.start_record(index, data))
            self.assertEqual(one.end.get('status'), 126 if size == RECORD_MAX else None)
            self.assertEqual('error' in one.end, size > RECORD_MAX)

    def test_malformed_frames_and_unknown_indexes_do_nothing(self):
        one = self.peer.start(shell='echo; exec sleep 60')
        self.await_lines(one, 1)
        for kind, payload in ((b'PRUN', b''), (b'PRUN', b'\0\0\0'), (b'PSIG', b''),
                              (b'PSIG', struct.pack('<I', 0)), (b'PSIG', struct.pack('<Ii', 0, 99)),
                              (b'PSIG', struct.pack('<Ii', 7, 9)), (b'PKIL', b'\0'),
                              (b'PKIL', struct.pack('<I', 7)), (b'PKIL', struct.pack('<II', 0, 0)),
                              (b'PMET', struct.pack('<I', 0)), (b'RAWO', struct.pack('<II', 0, 1)),
                              (b'PRUN', struct.pack('<I', 0) + record(['false']))):
            self.peer.send(kind, payload)
        self.peer.collect(self.peer.start(['true'], index=1))
        self.assertIsNone(one.end)
        self.peer.signal(one, signal.SIGUSR1)
        self.assertEqual(self.peer.collect(one).end['signal'], signal.SIGUSR1)

    def test_an_index_can_be_used_again_once_it_has_ended(self):
        for status in (1, 2):
            self.peer.payloads.clear()
            self.assertEqual(self.peer.run(shell=f'exit {status}', index=5).end['status'], status)

    def test_several_run_at_once_and_end_in_their_own_order(self):
        names = [self.path(f'go{i}') for i in range(3)]
        for name in names:
            os.mkfifo(name)
        several = [self.peer.start(shell=f'echo {i}; read x <{name}; exit {i}')
                   for i, name in enumerate(names)]
        for one in several:
            self.await_lines(one, 1)
        for i in (1, 2, 0):
            self.assertIsNone(several[i].end)
            pathlib.Path(names[i]).write_text('\n')
            self.peer.collect(several[i])
        self.assertEqual([one.end['status'] for one in several], [0, 1, 2])
        self.assertEqual([one.out for one in several], [b'0\n', b'1\n', b'2\n'])

    def test_there_is_an_end_to_how_many_run_at_once(self):
        several = [self.peer.start(['sleep', '60']) for _ in range(64)]
        self.assertIn('64', self.peer.run(['true']).end['error'])
        for one in several:
            self.peer.kill(one)
        self.peer.collect(*several)
        self.assertEqual(self.peer.run(['true']).end['status'], 0)

    def test_when_the_agent_ends_what_runs_is_killed(self):
        one = self.peer.start(shell='setsid sleep 60 & echo; exec sleep 60')
        self.await_lines(one, 1)
        self.agent.terminate()
        self.agent.wait(30)
        deadline = time.monotonic() + GONE_WITHIN
        while marked_processes(one.mark):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)

    def test_the_agent_ends_after_what_cannot_be_killed_at_one_go(self):
        # Each of them leaves a child in its place all the time, for a few seconds.
        one = self.peer.start([sys.executable, '-c', """if 1:
            import os, time
            for _ in range(30):
                if os.fork() == 0:
                    for _ in range(150):
                        time.sleep(0.03)
                        if os.fork():
                            break
                    os._exit(0)
            print(flush=True)
            time.sleep(60)"""])
        self.await_lines(one, 1)
        self.agent.terminate()
        self.agent.wait(30)
        self.assertEqual(marked_processes(one.mark), [])


class Output(PayloadTest):
    def test_T_1_P_15_both_pipes_are_drained_from_the_start(self):
        one = self.peer.run(shell='head -c 70000 /dev/zero; head -c 70000 /dev/zero >&2; exit 5',
                            timeout_ms=30000)
        self.assertEqual(one.end['status'], 5)
        self.assertEqual((len(one.out), len(one.err)), (70000, 70000))

    def test_T_2_P_22_past_16_MiB_output_is_counted_and_discarded_and_the_writer_goes_on(self):
        size = 100 << 20
        one = self.peer.run(shell=f'head -c {size} /dev/zero; head -c {size} /dev/zero >&2; exit 7')
        self.assertEqual(one.end['status'], 7)
        for number, name in ((1, 'stdout'), (2, 'stderr')):
            self.assertEqual(len(one.streams[number]), KEEP_MAX)
            self.assertEqual(one.end[name], {'bytes': size, 'discarded': size - KEEP_MAX})

    def test_P_22_exactly_16_MiB_are_kept_whole_and_one_more_is_discarded(self):
        for more in (0, 1):
            one = self.peer.run(shell=f'head -c {KEEP_MAX + more} /dev/zero')
            self.assertEqual(len(one.out), KEEP_MAX)
            self.assertEqual(one.end['stdout'], {'bytes': KEEP_MAX + more, 'discarded': more})

    def test_what_is_kept_is_exact(self):
        data = os.urandom(3 << 20)
        pathlib.Path(self.path('data')).write_bytes(data)
        self.assertEqual(self.peer.run(['cat', self.path('data')]).out, data)

    def test_output_comes_while_the_payload_runs(self):
        one = self.peer.start(shell='echo first; exec sleep 60')
        self.await_lines(one, 1)
        self.assertIsNone(one.end)
        self.peer.kill(one)
        self.assertEqual(self.peer.collect(one).out, b'first\n')

    def test_a_host_that_does_not_read_does_not_hold_a_payload_up(self):
        done = pathlib.Path(self.path('done'))
        one = self.peer.start(shell=f'head -c 20000000 /dev/zero; : >{done}')
        while self.peer.outgoing:
            self.peer.turn(1)
        deadline = time.monotonic() + DEADLINE
        while not done.exists():
            self.assertLess(time.monotonic(), deadline, 'the payload waits for the host')
            time.sleep(0.02)
        self.peer.collect(one)
        self.assertEqual(len(one.out), KEEP_MAX)
        self.assertEqual(one.end['stdout'], {'bytes': 20000000, 'discarded': 20000000 - KEEP_MAX})

    def test_much_output_of_one_does_not_hold_up_another(self):
        noisy = self.peer.start(['yes'])
        self.peer.run_until(lambda: len(noisy.out) == KEEP_MAX)
        for _ in range(3):
            self.assertEqual(self.peer.run(shell='echo here').out, b'here\n')
        self.assertIsNone(noisy.end)
        self.peer.kill(noisy)
        self.assertEqual(self.peer.collect(noisy).end['signal'], signal.SIGKILL)


class Killed(PayloadTest):
    """All of this holds without control groups, and the class below repeats it with them."""

    def test_P_12_a_payload_leads_a_process_group(self):
        one = self.peer.run(shell='set -- $(cat /proc/$$/stat); echo $(( $1 == $5 ))')
        self.assertEqual(one.out, b'1\n')

    def test_P_15_P_16_a_timeout_kills_at_its_time_and_keeps_partial_output(self):
        one = self.peer.run(shell='echo partial; echo so far >&2; exec sleep 60', timeout_ms=500)
        self.assertEqual((one.out, one.err), (b'partial\n', b'so far\n'))
        self.assertEqual((one.end['timed-out'], one.end['killed']), (True, False))
        self.assertEqual(one.end['signal'], signal.SIGKILL)
        self.assertGreaterEqual(one.end['duration-us'], 500000)
        self.assertLess(one.end['duration-us'], 500000 + GONE_WITHIN * 1e6)

    def test_P_16_who_ends_before_the_deadline_is_not_timed_out(self):
        one = self.peer.run(shell='exit 4', timeout_ms=20000)
        self.assertEqual((one.end['status'], one.end['timed-out']), (4, False))
        self.assertLess(one.took, 10)

    def test_P_13_a_payload_and_its_child_are_killed(self):
        one = self.peer.start(['sh', '-c', 'sleep 60 & echo; exec sleep 60'])
        self.await_lines(one, 1)
        self.peer.kill(one)
        self.peer.collect(one)
        self.assertEqual((one.end['signal'], one.end['killed'], one.end['timed-out']),
                         (signal.SIGKILL, True, False))
        self.assert_gone(one)

    def test_P_13_with_the_parents_group_the_payload_alone_is_signalled(self):
        one = self.peer.start(shell='echo $$; sleep 60 & wait', parent_pgrp=1)
        self.await_lines(one, 1)
        self.assertEqual(os.getpgid(int(one.out)), os.getpgid(self.agent.pid))
        self.peer.signal(one, signal.SIGTERM)
        self.assertEqual(self.peer.collect(one).end['signal'], signal.SIGTERM)
        self.assert_gone(one)
        self.assertEqual(self.peer.run(['true']).end['status'], 0)

    def test_a_signal_reaches_the_whole_group_and_only_that(self):
        other = self.peer.start(shell='echo; exec sleep 60')
        one = self.peer.start(shell='''
            trap "echo parent; exit 5" USR1; echo up
            sh -c 'trap "echo child; exit" USR1; echo up; while :; do sleep .02; done'; :''')
        self.await_lines(one, 2)
        self.await_lines(other, 1)
        self.peer.signal(one, signal.SIGUSR1)
        self.peer.collect(one)
        self.assertEqual((one.out, one.end['status']), (b'up\nup\nchild\nparent\n', 5))
        self.assertIsNone(other.end)

    def test_P_19_what_holds_the_pipes_after_the_exit_is_killed_at_once(self):
        one = self.peer.run(shell='sleep 60 & setsid sleep 60 & echo done; exit 6')
        self.assertEqual((one.out, one.end['status']), (b'done\n', 6))
        self.assertEqual((one.end['timed-out'], one.end['killed']), (False, False))
        self.assertLess(one.took, 10)
        self.assert_gone(one)

    def end_by_timeout(self, text, lines, within=GONE_WITHIN):
        """Times out when that many of its processes have said a line; nothing is left soon after.
        A loaded machine needs more time until they have."""
        for timeout_ms in (1500, 6000, 24000):
            one = self.peer.start(shell=text, timeout_ms=timeout_ms)
            self.peer.collect(one)
            self.assertTrue(one.end['timed-out'])
            self.assertLess(one.took, timeout_ms / 1000 + within)
            self.assert_gone(one)
            if one.out.count(b'\n') >= lines:
                return
        self.fail('it is not even started after so long')

    def test_200_children_that_ignore_term_are_gone_soon_after_a_timeout(self):
        self.end_by_timeout('''trap "" TERM; for i in $(seq 200); do sleep 60 & done
            for i in $(seq 200); do echo; done; wait''', 200)

    def test_P_14_daemons_and_setsid_escapees_are_gone_soon_after_a_timeout(self):
        self.end_by_timeout('''
            for i in 1 2 3; do setsid sh -c 'setsid sleep 60 & echo' & done
            (sh -c 'sleep 60 & echo' &) ; exec sleep 60''', 4)

    def test_escapees_that_let_go_of_the_pipes_are_gone_too(self):
        self.end_by_timeout('''
            (setsid sh -c 'setsid sleep 60 >/dev/null 2>&1 & echo' &); exec sleep 60''', 1)

    def test_who_forks_out_of_the_session_all_the_time_is_gone(self):
        script = self.path('fork.sh', '''#!/bin/bash
            [ "$1" = 1 ] && echo
            [ "$1" -lt 1000 ] && { setsid bash "$0" $(($1 + 1)) & }
            exec sleep 60 >/dev/null 2>&1
            ''')
        self.end_by_timeout(f'exec bash {script} 1', 1, within=30)

    def test_who_forks_out_of_the_session_beside_another_payload_is_gone(self):
        other = self.peer.start(['sleep', '60'])
        self.test_who_forks_out_of_the_session_all_the_time_is_gone()
        self.assertIsNone(other.end)

    def test_T_3_the_end_of_one_leaves_the_others_and_their_daemons_alone(self):
        other = self.peer.start(shell=f'''
            (setsid sh -c 'echo; exec sleep 60' &)
            setsid sleep 60 & sleep 60 & echo; exec sleep 60''')
        self.await_lines(other, 2)
        before = sorted(marked_processes(other.mark))
        self.assertEqual(len(before), 4)
        for text in ('sleep 60 & exit 0', 'setsid sleep 60 & exit 0'):
            self.peer.run(shell=text)
        killed = self.peer.start(shell='setsid sleep 60 & echo; exec sleep 60')
        self.await_lines(killed, 1)
        self.peer.kill(killed)
        self.peer.collect(killed)
        self.assert_gone(killed)
        self.assertEqual(sorted(marked_processes(other.mark)), before)
        self.assertIsNone(other.end)

    def test_a_daemon_from_before_a_payload_survives_it(self):
        daemon = subprocess.run(
            [sys.executable, '-c', f'''if 1:
                import json, os, socket, time
                sock = socket.socket(socket.AF_UNIX)
                sock.connect({self.path("agent")!r})
                sock.sendall(json.dumps({{"execute": "guest-exec", "arguments": {{
                    "path": "/bin/sh", "arg": ["-c", "setsid sleep 60 & :"],
                    "env": ["{ANY_MARK}d=1"]}}}}).encode() + b"\\n")
                sock.recv(4096)'''], check=True)
        self.assertEqual(daemon.returncode, 0)
        while len(marked := marked_processes(f'{ANY_MARK}d=')) != 1:
            time.sleep(0.02)
        time.sleep(0.05)  # its start is known in ticks
        self.addCleanup(os.kill, marked[0], signal.SIGKILL)
        self.peer.run(['true'])
        killed = self.peer.start(['sleep', '60'])
        self.peer.kill(killed)
        self.peer.collect(killed)
        self.assertEqual(marked_processes(f'{ANY_MARK}d='), marked)

    def test_P_20_when_the_host_is_gone_what_runs_is_killed_and_logged(self):
        one = self.peer.start(shell='setsid sleep 60 & echo; exec sleep 60')
        self.await_lines(one, 1)
        self.peer.sock.close()
        deadline = time.monotonic() + DEADLINE
        while marked_processes(one.mark):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        self.assertIn(b'killed payload 0, which nobody can collect any more', self.logged())


class KilledByControlGroup(Killed):
    with_cgroups = True

    def tearDown(self):
        """No group is left of what has ended."""
        self.stop()
        left = subprocess.run([*WITH_CGROUPS, 'sh', '-c', f'find {CGROUPS} -type d'], capture_output=True,
                              text=True).stdout.split()
        self.assertEqual([path for path in left if f'/{self.agent.pid}.' in path], [])


class ControlGroups(PayloadTest):
    with_cgroups = True

    def name(self, tail=''):
        """One that no other test has at the same time."""
        return f'test-{self.agent.pid}{tail}'

    def test_P_7_P_10_a_payload_is_in_the_group_of_its_name_at_its_first_instruction(self):
        for name in (self.name(), '/' + self.name(), '//' + self.name('/a/b')):
            one = self.peer.run(['cat', '/proc/self/cgroup'], cgroup=name)
            self.assertIn(f'0::/mayfly/{name.lstrip("/")}\n'.encode(), one.out)

    def test_P_5_without_a_name_there_are_no_statistics(self):
        self.assertNotIn('cgroup', self.peer.run(['true']).end)
        self.assertNotIn('cgroup', self.peer.run(['true'], cgroup='').end)

    def test_statistics_of_the_group_are_reported(self):
        one = self.peer.run(shell='i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done',
                            cgroup=self.name())
        usage = one.end['cgroup']['cpu.stat']['usage_usec']
        self.assertTrue(1000 < usage < 60e6, usage)
        self.assertLessEqual(usage, one.end['duration-us'] * 1.5)

    def test_each_starts_with_a_fresh_group(self):
        busy = 'i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done'
        first = self.peer.run(shell=busy, cgroup=self.name())
        second = self.peer.run(['true'], cgroup=self.name())
        self.assertLess(second.end['cgroup']['cpu.stat']['usage_usec'],
                        first.end['cgroup']['cpu.stat']['usage_usec'])

    def test_two_may_share_a_group_and_the_end_of_one_leaves_the_other_alone(self):
        other = self.peer.start(shell='setsid sleep 60 & echo; exec sleep 60', cgroup=self.name())
        self.await_lines(other, 1)
        before = sorted(marked_processes(other.mark))
        one = self.peer.start(shell='sleep 60 & echo; exec sleep 60', cgroup=self.name())
        self.await_lines(one, 1)
        self.peer.kill(one)
        self.peer.collect(one)
        self.assert_gone(one)
        self.assertEqual(sorted(marked_processes(other.mark)), before)
        self.peer.kill(other)
        self.peer.collect(other)
        self.assert_gone(other)

    def test_a_group_that_was_there_before_is_left_there_and_one_that_was_not_is_removed(self):
        made = f'{CGROUPS}/{self.name("-made")}'
        one = self.peer.run(shell=f'mkdir {made} && echo made')
        self.assertEqual(one.out, b'made\n')
        for _ in range(2):
            self.peer.run(['true'], cgroup=self.name('-made'))
            self.peer.run(['true'], cgroup=self.name('-new'))
        one = self.peer.run(shell=f'test -d {made} && rmdir {made} && echo there; ls {CGROUPS}')
        self.assertTrue(one.out.startswith(b'there\n'))
        self.assertNotIn(self.name('-new').encode(), one.out)

    def test_P_26_P_27_who_cannot_be_placed_does_not_run_and_the_error_names_group_and_file(self):
        # What is beside a threaded group below a domain is for no process.
        top, touched = f'{CGROUPS}/{self.name("-t")}', self.path('touched')
        made = self.peer.run(shell=f"""mkdir -p {top}/thread {top}/invalid &&
            echo threaded >{top}/thread/cgroup.type && echo made""")
        self.assertEqual(made.out, b'made\n', made.err)
        one = self.peer.run(['touch', touched], cgroup=self.name('-t/invalid'))
        self.assertIn(f"'{self.name('-t/invalid')}'", one.end['error'])
        self.assertIn(f"'{top}/invalid/cgroup.procs'", one.end['error'])
        self.assertLess(one.took, 10)
        self.assertFalse(os.path.exists(touched))
        self.peer.run(shell=f'rmdir {top}/thread {top}/invalid {top}')

    def test_P_27_a_limit_that_cannot_be_set_names_the_file_and_the_group_and_nothing_runs(self):
        one = self.peer.run(['true'], cgroup=self.name(), limit=['pids.max=zebra'])
        self.assertIn('pids.max', one.end['error'])
        self.assertIn(f'{CGROUPS}/{self.name()}', one.end['error'])


class WithoutControlGroups(PayloadTest):
    def setUp(self):
        if not WITHOUT_CGROUPS and os.path.exists('/sys/fs/cgroup/cgroup.controllers'):
            self.skipTest('this machine has control groups, and only root can hide them')
        super().setUp()

    def test_a_named_group_is_refused_where_there_is_no_hierarchy(self):
        one = self.peer.run(['true'], cgroup='a')
        self.assertIn("no version 2 hierarchy at '/sys/fs/cgroup'", one.end['error'])

    def test_what_may_be_anothers_does_not_delay_an_end_and_goes_with_the_last_payload(self):
        gates = self.path('up'), self.path('go')
        for gate in gates:
            os.mkfifo(gate)
        one = self.peer.start(shell=f"""
            setsid sh -c 'echo >{gates[0]}; exec sleep 60' & read x <{gates[0]}; echo
            read x <{gates[1]}; exit 3""")
        self.await_lines(one, 1)
        time.sleep(0.05)  # the other is younger than the daemon, in ticks
        other = self.peer.start(shell='echo; exec sleep 60')
        self.await_lines(other, 1)
        pathlib.Path(gates[1]).write_text('\n')
        released = time.monotonic()
        self.peer.collect(one)
        self.assertLess(time.monotonic() - released, 10)
        self.assertEqual(one.end['status'], 3)
        self.assertEqual(len(marked_processes(one.mark)), 1)
        self.peer.kill(other)
        self.peer.collect(other)
        self.assert_gone(one)


if __name__ == '__main__':
    tap.main()

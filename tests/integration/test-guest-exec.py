#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""'mayfly-guest exec' on this machine, without a VM: its streams are on a unix socket.

The program is $MAYFLY_GUEST.
"""

import os
import pathlib
import resource
import signal
import struct
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

import tap
from streampeer import CHUNK_MAX, STDIN_WINDOW, Exec, marked_processes, record

PROGRAM = os.environ['MAYFLY_GUEST']
SANITIZED = os.environ.get('MAYFLY_SANITIZED') == '1'
MARK = f'MAYFLY_TEST_MARK={os.getpid()}'

# What the program may take at most: the queue, the window, and itself.
RESIDENT_MAX_KIB = 6144

# The signals whose default ends a process.
DEADLY = sorted(set(range(1, 32)) - {signal.SIGCHLD, signal.SIGCONT, signal.SIGURG,
                                     signal.SIGWINCH, signal.SIGSTOP, signal.SIGTSTP,
                                     signal.SIGTTIN, signal.SIGTTOU})


def resident_peak_kib(pid):
    for line in pathlib.Path(f'/proc/{pid}/status').read_text().splitlines():
        if line.startswith('VmHWM'):
            return int(line.split()[1])
    return 0


def marked_env():
    name, value = MARK.split('=')
    return {'PATH': os.environ['PATH'], name: value}


class GuestExecTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory(prefix='mayfly-')
        self.addCleanup(self.directory.cleanup)

    def path(self, name, text=None, mode=0o755):
        path = pathlib.Path(self.directory.name) / name
        if text is not None:
            path.write_text(text)
            path.chmod(mode)
        return str(path)

    def start(self, data):
        running = Exec(PROGRAM, self.directory.name, data)
        self.addCleanup(running.close)
        return running

    def run_record(self, data, stdin=b''):
        """Runs it to the end; the program's own status must agree with the frame's."""
        running = self.start(data)
        running.peer.feed(stdin)
        running.peer.finish()
        self.assertEqual(running.process.wait(30), running.peer.exit)
        return running.peer

    def shell(self, text, **fields):
        return self.run_record(record(shell=text, **fields))


class Arguments(GuestExecTest):
    def test_arguments_arrive_byte_for_byte(self):
        arguments = ['', ' ', '$HOME `x` "q" \'s\'', 'a\nb', 'a,b', os.fsdecode(b'\xff\xfe\x80'),
                     'x' * 100_000]
        peer = self.run_record(record(['printf', '%s\\0', *arguments]))
        self.assertEqual(peer.out.split(b'\0')[:-1], [os.fsencode(a) for a in arguments])

    def test_the_environment_is_exactly_the_one_given(self):
        peer = self.run_record(record(['/usr/bin/env'], env={'A': 'b c', 'EMPTY': ''}))
        self.assertEqual(peer.out, b'A=b c\nEMPTY=\n')

    def test_shell_text_goes_through_bash_where_it_is_in_the_path(self):
        shells = pathlib.Path(self.directory.name) / 'shells'
        shells.mkdir()
        bash = shells / 'bash'
        bash.write_text('#!/bin/sh\necho "fake $0 $1 $2"\n')
        bash.chmod(0o755)
        peer = self.shell('the text', env={'PATH': str(shells)})
        self.assertEqual(peer.out, f'fake {bash} -c the text\n'.encode())

    def test_shell_text_finds_a_shell_outside_the_path_too(self):
        self.assertEqual(self.shell('echo $((6 * 7))', env={'PATH': '/nowhere'}).out, b'42\n')

    def test_the_working_directory_is_the_one_asked_for(self):
        self.assertEqual(self.shell('pwd', workdir='/usr/lib').out, b'/usr/lib\n')

    def test_a_missing_working_directory_is_126_and_named(self):
        peer = self.shell('pwd', workdir='/no/such/place')
        self.assertEqual(peer.exit, 126)
        self.assertIn(b"'/no/such/place'", peer.err)

    def test_the_command_has_no_descriptors_but_its_own(self):
        peer = self.run_record(record(['ls', '/proc/self/fd']))
        self.assertEqual(peer.out, b'0\n1\n2\n3\n')

    def test_no_signal_is_blocked_or_ignored_in_the_command(self):
        peer = self.run_record(record(['grep', '-E', '^Sig(Blk|Ign):', '/proc/self/status']))
        self.assertEqual([line.split()[1] for line in peer.out.splitlines()], [b'0' * 16] * 2)

    def test_the_command_leads_a_session_and_a_process_group(self):
        peer = self.shell('set -- $(cat /proc/$$/stat); echo $(( $1 == $5 && $1 == $6 ))')
        self.assertEqual(peer.out, b'1\n')


class Users(GuestExecTest):
    def setUp(self):
        super().setUp()
        if os.geteuid() != 0:
            self.skipTest('only root can become another user')

    def ids(self, user):
        peer = self.shell('id -u; id -g; id -G', user=user)
        self.assertEqual(peer.exit, 0, peer.err)
        return peer.out.decode().split('\n')[:3]

    def test_a_user_by_name_has_its_own_group(self):
        self.assertEqual(self.ids('daemon'), ['1', '1', '1'])

    def test_a_user_and_a_group_by_name_have_that_group_alone(self):
        self.assertEqual(self.ids('daemon:sys'), ['1', '3', '3'])

    def test_numbers_need_no_entry(self):
        self.assertEqual(self.ids('54321:12345'), ['54321', '12345', '12345'])

    def test_an_unknown_user_is_126_and_named(self):
        peer = self.shell('true', user='nobody-of-that-name')
        self.assertEqual(peer.exit, 126)
        self.assertIn(b"'nobody-of-that-name'", peer.err)


class Lookup(GuestExecTest):
    def assert_refused(self, peer, status, *parts):
        self.assertEqual(peer.exit, status)
        self.assertTrue(peer.err.startswith(b'mayfly-guest: '), peer.err)
        self.assertEqual(peer.err.count(b'\n'), 1)
        for part in parts:
            self.assertIn(part.encode(), peer.err)

    def test_an_unknown_program_is_127_and_named(self):
        self.assert_refused(self.run_record(record(['no-such-program'])), 127,
                            "'no-such-program'", 'PATH')

    def test_a_missing_path_is_127_and_named(self):
        self.assert_refused(self.run_record(record(['/no/such'])), 127, "'/no/such'")

    def test_an_empty_name_is_127(self):
        self.assert_refused(self.run_record(record([''])), 127)

    def test_a_directory_is_126(self):
        self.assert_refused(self.run_record(record(['/etc'])), 126, "'/etc'", 'directory')

    def test_a_file_that_must_not_be_executed_is_126(self):
        path = self.path('data', 'text', 0o644)
        self.assert_refused(self.run_record(record([path])), 126, path)

    def test_a_file_that_must_not_be_executed_is_126_in_the_path_too(self):
        self.path('data', 'text', 0o644)
        env = {'PATH': self.directory.name}
        self.assert_refused(self.run_record(record(['data'], env=env)), 126, "'data'")

    def test_a_later_directory_of_the_path_wins_over_a_file_that_must_not_be_executed(self):
        self.path('true', 'text', 0o644)
        env = {'PATH': f'{self.directory.name}:/usr/bin:/bin'}
        self.assertEqual(self.run_record(record(['true'], env=env)).exit, 0)

    def test_a_missing_interpreter_is_127_and_said(self):
        path = self.path('script', '#!/no/such/interpreter\n')
        self.assert_refused(self.run_record(record([path])), 127, path, 'interpreter')

    def test_a_script_without_interpreter_line_runs_in_sh_with_its_arguments(self):
        path = self.path('script', 'echo "$#" "$1" "$2"; exit 9\n')
        peer = self.run_record(record([path, 'a b', '*']))
        self.assertEqual((peer.exit, peer.out), (9, b'2 a b *\n'))

    def test_an_empty_element_of_the_path_is_the_working_directory(self):
        self.path('here-only', '#!/bin/sh\necho here\n')
        data = record(['here-only'], env={'PATH': '/nowhere:'}, workdir=self.directory.name)
        self.assertEqual(self.run_record(data).out, b'here\n')

    def test_without_a_path_the_usual_places_are_searched(self):
        self.assertEqual(self.run_record(record(['echo', 'found'], env={})).out, b'found\n')


class Status(GuestExecTest):
    def test_exit_statuses_are_reported_by_frame_and_by_the_program(self):
        for status in (0, 1, 2, 77, 123, 124, 125, 126, 127, 128, 137, 254, 255):
            self.assertEqual(self.shell(f'exit {status}').exit, status)

    def test_each_deadly_signal_is_reported_by_frame_and_by_the_program(self):
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        for number in DEADLY:
            # Not bash: it ignores QUIT whatever it is told.
            running = self.start(record(['sh', '-c', f'kill -{number} $$; sleep 60']))
            running.peer.finish()
            self.assertEqual(running.peer.exit, -number)
            # A sanitizer's runtime catches some of them.
            if not SANITIZED:
                self.assertEqual(running.process.wait(30), -number)

    def test_signals_from_the_host_reach_the_whole_process_group(self):
        for name in ('INT', 'TERM', 'HUP', 'QUIT', 'USR1', 'USR2'):
            running = self.start(record(shell=f'''
                trap 'echo parent; exit 5' {name}; echo up
                sh -c 'trap "echo child; exit" {name}; echo up; while :; do sleep .02; done'; :'''))
            running.peer.run_until(lambda peer=running.peer: peer.out.count(b'up\n') == 2)
            running.peer.send(b'SIGN', struct.pack('<i', getattr(signal, f'SIG{name}')))
            running.peer.finish()
            self.assertEqual(running.peer.exit, 5)
            self.assertEqual(running.peer.out, b'up\nup\nchild\nparent\n')

    def test_bad_records_are_refused_in_one_sentence(self):
        good = record(['true'])
        for data in (b'', b'\0', good[:-1], good + b'bogus=1\0', good + record(shell='true'),
                     record([], env={}) + b'env=A=b\0', good + b'tty=big\0', good + b'tty=1x2x3\0',
                     good + b'stdin=maybe\0', good + b'stdout=null\0'):
            running = self.start_refused(data)
            self.assertEqual(running.wait(30), 126, data)
            error = running.stderr.read()
            self.assertRegex(error, rb'^mayfly-guest: [^\n]+\n$')

    def start_refused(self, data):
        running = Exec(PROGRAM, self.directory.name, data)
        running.peer.sock.close()
        self.addCleanup(running.process.stderr.close)
        return running.process


class Streams(GuestExecTest):
    def test_stdout_and_stderr_are_separate_and_exact(self):
        peer = self.shell(r'printf "o\0\377\n"; printf "e\r\n" >&2; printf o2')
        self.assertEqual((peer.out, peer.err), (b'o\0\xff\no2', b'e\r\n'))

    def test_a_64_mib_echo_is_exact_and_memory_stays_bounded(self):
        data = os.urandom(1 << 20) * 64
        running = self.start(record(['cat']))
        peaks = []

        def sample(_kind, chunk, received=[0]):
            view = data[received[0]:received[0] + len(chunk)]
            if view != chunk:
                raise AssertionError(f'differs near byte {received[0]}')
            received[0] += len(chunk)
            if received[0] in range(len(data) - (4 << 20), len(data) - (2 << 20)):
                peaks.append(resident_peak_kib(running.process.pid))
            sample.received = received[0]

        running.peer.sink = sample
        running.peer.feed(data)
        running.peer.finish()
        self.assertEqual(sample.received, len(data))
        self.assertEqual(running.peer.acknowledged, len(data))
        if not SANITIZED:
            self.assertLess(max(peaks), RESIDENT_MAX_KIB)

    def test_a_host_that_does_not_read_stops_the_command(self):
        progress = self.path('progress')
        running = self.start(record(shell=f'''
            i=0; while [ $i -lt 200 ]; do head -c 100000 /dev/zero; i=$((i+1));
            echo $i >{progress}; done'''))

        def written():
            try:
                return int(pathlib.Path(progress).read_text() or 0)
            except (FileNotFoundError, ValueError):
                return 0

        before, now = -1, 0
        while now != before or now == 0:
            before = now
            time.sleep(0.3)
            now = written()
        self.assertLess(now * 100_000, 2 << 20)
        if not SANITIZED:
            self.assertLess(resident_peak_kib(running.process.pid), RESIDENT_MAX_KIB)
        running.peer.finish()
        self.assertEqual(len(running.peer.out), 20_000_000)

    def test_unread_input_does_not_keep_a_command_from_ending(self):
        running = self.start(record(['head', '-c', '10']))
        running.peer.feed(b'0123456789' * 100_000)
        running.peer.finish()
        self.assertEqual((running.peer.exit, running.peer.out), (0, b'0123456789'))

    def test_input_that_the_command_closed_is_acknowledged_and_thrown_away(self):
        running = self.start(record(shell='exec <&-; echo closed; sleep .3'))
        running.peer.run_until(lambda: running.peer.out == b'closed\n')
        running.peer.feed(b'x' * (1 << 20))
        running.peer.run_until(lambda: running.peer.acknowledged == 1 << 20)
        running.peer.finish()
        self.assertEqual(running.peer.exit, 0)

    def test_input_beyond_the_window_is_dropped_and_logged(self):
        running = self.start(record(shell='sleep .5; wc -c'))
        for _ in range(12):
            running.peer.send(b'SINP', b'x' * CHUNK_MAX)
        running.peer.send(b'SINE')
        running.peer.window -= 12 * CHUNK_MAX
        running.peer.finish()
        # The pipe had taken its 64 KiB before the window was full.
        self.assertEqual(int(running.peer.out), STDIN_WINDOW + (64 << 10))
        self.assertIn(b'the window', running.process.stderr.read())

    def test_the_end_of_input_is_seen(self):
        peer = self.run_record(record(shell='cat; echo end'), b'a\nb')
        self.assertEqual(peer.out, b'a\nbend\n')

    def test_input_can_be_the_null_device(self):
        self.assertEqual(self.shell('readlink /proc/$$/fd/0', stdin='null').out, b'/dev/null\n')

    def test_streams_can_be_closed(self):
        for number, name in enumerate(('stdin', 'stdout', 'stderr')):
            peer = self.shell(f'test -e /proc/$$/fd/{number}', **{name: 'closed'})
            self.assertEqual(peer.exit, 1, name)
            self.assertEqual((peer.out, peer.err), (b'', b''))

    def test_an_output_that_the_host_closes_breaks_the_pipe(self):
        for text, number, status in (('yes; exit $?', 1, 141), ('yes >&2; exit $?', 2, 141),
                                     ('exec yes', 1, -signal.SIGPIPE)):
            running = self.start(record(shell=text, env=marked_env()))
            running.peer.run_until(lambda peer=running.peer: any(peer.streams.values()))
            running.peer.send(b'SOCL', bytes([number]))
            running.peer.finish()
            self.assertEqual(running.peer.exit, status)

    def test_output_written_before_the_exit_comes_before_it(self):
        """Also what is still in the pipe because the host does not read: as long as the command can
        end without the host, one of the sizes leaves a part of the last 64 KiB there."""
        ended = pathlib.Path(self.path('ended'))
        for size in range(300_000, 2_000_000, 30_000):
            running = self.start(record(shell=f'head -c {size} /dev/zero; : >{ended}'))
            deadline = time.monotonic() + 2
            while not ended.exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            stuck = not ended.exists()
            running.peer.finish()
            self.assertEqual(running.peer.sizes_at_exit, {b'SOUT': size, b'SERR': 0})
            ended.unlink()
            if stuck:
                return
        self.fail('the host need not read at all')

    def test_a_daemon_that_holds_stdout_does_not_delay_the_exit(self):
        start = time.monotonic()
        running = self.start(record(shell='(sleep .4; echo late; exec sleep 20) & echo done',
                                    env=marked_env()))
        running.peer.run_until(lambda: running.peer.exit is not None)
        self.assertLess(time.monotonic() - start, 0.4)
        self.assertEqual(running.peer.out, b'done\n')
        self.assertEqual(running.process.wait(10), 0)
        self.assertLess(time.monotonic() - start, 5)
        # The daemon holds it still, but the next command's output is to be told from this one's.
        running.peer.finish()
        self.assertEqual(running.peer.out, b'done\nlate\n')
        self.assertEqual(running.peer.others, [(b'SOHE', b'\1'), (b'SOHE', b'\2')])
        for pid in marked_processes(MARK):
            os.kill(pid, signal.SIGKILL)

    def test_frames_that_are_not_for_a_command_or_are_malformed_do_nothing(self):
        running = self.start(record(['cat']))
        for kind, payload in ((b'SRDY', b''), (b'EXCX', b'\0' * 4), (b'CONF', b'init=agent\0'),
                              (b'SIGN', b'\x0f'), (b'SIGN', struct.pack('<i', 99999)),
                              (b'SIGN', struct.pack('<i', -9)), (b'WINS', b'\1\0\1'),
                              (b'WINS', b'\1\0\1\0'), (b'SOCL', b'\0'), (b'SOCL', b'\3'),
                              (b'SOCL', b''), (b'CKIL', b''), (b'SINE', b'x'), (b'XXXX', b'y')):
            running.peer.send(kind, payload)
        running.peer.outgoing += struct.pack('<4sIII', b'LIKC', 4, 12345, 0) + b'\0' * 4
        running.peer.feed(b'still here')
        running.peer.finish()
        self.assertEqual((running.peer.exit, running.peer.out), (0, b'still here'))

    def test_the_command_dies_with_the_stream(self):
        running = self.start(record(shell='setsid sleep 60 & sleep 60', env=marked_env()))
        while len(marked_processes(MARK)) < 3:
            time.sleep(0.02)
        running.peer.sock.close()
        running.process.wait(30)
        self.assertEqual(marked_processes(MARK), [])


class Kill(GuestExecTest):
    def kill(self, text, ready, grace_ms):
        """Runs it until 'ready' lines are out, kills it, and returns how it ended."""
        running = self.start(record(shell=text, env=marked_env()))
        running.peer.run_until(lambda: running.peer.out.count(b'\n') >= ready)
        self.assertNotEqual(marked_processes(MARK), [])
        start = time.monotonic()
        running.peer.send(b'CKIL', struct.pack('<I', grace_ms))
        running.peer.finish()
        running.process.wait(30)
        self.assertEqual(marked_processes(MARK), [])
        return running.peer, time.monotonic() - start

    def test_a_command_that_heeds_term_ends_at_once(self):
        peer, took = self.kill('trap "echo bye; exit 3" TERM; echo; while :; do sleep .02; done',
                               1, 20000)
        self.assertEqual((peer.exit, peer.out), (3, b'\nbye\n'))
        self.assertLess(took, 10)

    def test_a_command_that_ignores_term_is_killed_after_the_grace(self):
        peer, took = self.kill('trap "" TERM; echo; while :; do sleep .02; done', 1, 300)
        self.assertEqual(peer.exit, -signal.SIGKILL)
        self.assertGreaterEqual(took, 0.3)

    def test_200_forks_that_ignore_term_are_gone(self):
        peer, _ = self.kill('''
            trap "" TERM
            for i in $(seq 200); do sleep 100 & done
            echo; wait''', 1, 100)
        self.assertEqual(peer.exit, -signal.SIGKILL)

    def test_processes_that_left_the_group_and_the_session_are_gone(self):
        peer, _ = self.kill('''
            for i in 1 2 3; do
                setsid sh -c 'trap "" TERM; setsid sleep 100 & echo; wait' &
            done
            echo; wait''', 4, 100)
        self.assertEqual(peer.exit, -signal.SIGTERM)

    def test_processes_that_keep_forking_out_of_the_session_are_gone(self):
        script = self.path('fork.sh', '''#!/bin/bash
            trap "" TERM
            [ "$1" = 1 ] && echo
            [ "$1" -lt 2000 ] && { setsid bash "$0" $(($1 + 1)) & }
            exec sleep 100 >/dev/null 2>&1
            ''')
        self.kill(f'bash {script} 1', 1, 0)

    def test_leftovers_of_a_command_that_has_ended_can_be_killed(self):
        running = self.start(record(shell='setsid sleep 100 & echo', env=marked_env()))
        running.peer.run_until(lambda: running.peer.exit is not None)
        self.assertNotEqual(marked_processes(MARK), [])
        running.peer.send(b'CKIL', struct.pack('<I', 0))
        running.peer.finish()
        running.process.wait(30)
        self.assertEqual(marked_processes(MARK), [])

    def test_leftovers_get_the_grace_too(self):
        running = self.start(record(
            shell='setsid sh -c "trap \'\' TERM; echo; sleep 100" & sleep 100', env=marked_env()))
        running.peer.run_until(lambda: running.peer.out == b'\n')
        start = time.monotonic()
        running.peer.send(b'CKIL', struct.pack('<I', 1500))
        running.peer.run_until(lambda: running.peer.exit is not None)
        self.assertLess(time.monotonic() - start, 1.5)
        self.assertNotEqual(marked_processes(MARK), [])
        running.peer.finish()
        self.assertGreaterEqual(time.monotonic() - start, 1.5)
        running.process.wait(30)
        self.assertEqual(marked_processes(MARK), [])


class Terminal(GuestExecTest):
    def start_tty(self, text, size='24x80', **fields):
        return self.start(record(shell=text, tty=size, **fields))

    def test_all_streams_are_one_controlling_terminal_of_that_size(self):
        running = self.start_tty('tty -s <&1 && tty -s <&2 && stty size; echo x >/dev/tty; echo e >&2',
                                 '33x99')
        running.peer.finish()
        self.assertEqual((running.peer.exit, running.peer.out, running.peer.err),
                         (0, b'33 99\r\nx\r\ne\r\n', b''))

    def test_a_new_size_is_signalled(self):
        running = self.start_tty('trap "stty size; exit" WINCH; echo; while :; do sleep .02; done')
        running.peer.run_until(lambda: running.peer.out == b'\r\n')
        running.peer.send(b'WINS', struct.pack('<HH', 50, 132))
        running.peer.finish()
        self.assertEqual(running.peer.out, b'\r\n50 132\r\n')

    def test_control_c_interrupts(self):
        running = self.start_tty('echo; exec sleep 60')
        running.peer.run_until(lambda: running.peer.out == b'\r\n')
        running.peer.feed(b'\x03', end=False)
        running.peer.finish()
        self.assertEqual(running.peer.exit, -signal.SIGINT)

    def test_the_end_of_input_ends_a_reader_of_lines(self):
        for text, out in ((b'ab\n', b'ab\r\n'), (b'ab\ncd', b'ab\r\ncd'), (b'', b'')):
            running = self.start_tty('stty -echo; echo; cat')
            running.peer.run_until(lambda peer=running.peer: peer.out == b'\r\n')
            running.peer.feed(text)
            running.peer.finish()
            self.assertEqual((running.peer.exit, running.peer.out), (0, b'\r\n' + out))

    def test_a_terminal_that_the_host_closes_hangs_up(self):
        running = self.start_tty('echo; exec sleep 60')
        running.peer.run_until(lambda: running.peer.out == b'\r\n')
        running.peer.send(b'SOCL', b'\1')
        running.peer.finish()
        self.assertEqual(running.peer.exit, -signal.SIGHUP)

    def test_output_of_a_terminal_is_complete(self):
        running = self.start_tty('stty -opost; seq 100000')
        running.peer.finish()
        self.assertEqual(running.peer.out, b''.join(b'%d\n' % i for i in range(1, 100001)))


if __name__ == '__main__':
    tap.main()

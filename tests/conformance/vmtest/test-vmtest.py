#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What people of vmtest's rely on, of a mayfly that is called vmtest: its own integration tests, as
files and commands, and what these leave out.

Each case writes a vmtest.toml and runs it as vmtest does, by a link of that name, and where nothing
is to differ by 'mayfly test -c' too. Where vmtest is wrong, the case says how and wants it right.
"""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time

SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.append(os.path.join(SOURCE, "tests", "integration"))
sys.dont_write_bytecode = True

from harness import Sandbox, Skip, expect, expect_sentence, kernel, main, test  # noqa: E402

IMAGES = os.environ.get("MAYFLY_TEST_IMAGES", "")
OVMF = "/usr/share/OVMF/OVMF_VARS_4M.fd"
# The test images' ID in /etc/os-release, where vmtest's own are of NixOS.
IMAGE_ID = "mayfly-image"
# On a busy machine.
IMAGE_BOOT = "220s"


class Project(Sandbox):
    """A sandbox whose working directory has a vmtest.toml in it."""

    def __init__(self, *targets, directory="work"):
        super().__init__()
        if directory != "work":
            self.work = self.make(directory)
        self.mayfly = self.program
        self.link = os.path.join(self.directory, "vmtest")
        os.symlink(self.mayfly[0], self.link)
        self.write("vmtest.toml", "\n".join(targets))

    def read(self, name="result"):
        return super().read(name)

    def vmtest(self, *arguments, **options):
        self.program = [self.link]
        return self.run(*arguments, **options)

    def test(self, *arguments, **options):
        """The same file as mayfly takes it, from a directory that has nothing to do with it."""
        self.program = self.mayfly
        return self.run("test", "-c", os.path.join(self.work, "vmtest.toml"), *arguments,
                        **{"cwd": self.directory, **options})

    def expect_both(self, status, *arguments, file=None, err=None):
        """vmtest and mayfly test end like this, each leaving 'file' in the shared directory."""
        for run in (self.vmtest, self.test):
            result = run(*arguments)
            expect(result, status, err=err)
            if file is not None:
                assert self.read() == file, (self.read(), result)
                os.unlink(os.path.join(self.work, "result"))


def table(name, keys):
    lines = ["[[target]]", f"name = {json.dumps(name)}"]
    return "\n".join(lines + [f"{key} = {json.dumps(value)}" for key, value in keys.items()]) + "\n"


def kernel_target(name, command, **keys):
    """With the kernel that boots soonest, and the memory that most tests' machines have."""
    return table(name, {"command": command, "kernel": kernel("small"), "vm.memory": "1G", **keys})


def image_target(name, command, image="bios", **keys):
    """With the machine that 'mayfly run' gives to an image, as the tests of that have saved it."""
    path = os.path.join(IMAGES, image + ".img")
    if not os.path.exists(path):
        raise Skip(f"no '{image}.img' in MAYFLY_TEST_IMAGES='{IMAGES}'")
    if keys.get("uefi") and not os.path.exists(OVMF):
        raise Skip("no OVMF on this host")
    return table(name, {"command": command, "image": path, "boot_timeout": IMAGE_BOOT,
                        "vm.memory": "1G", **keys})


def two_image_targets():
    command = "/mnt/vmtest/main.sh " + IMAGE_ID
    box = Project(image_target("uefi image boots with uefi flag", command, "uefi", uefi=True),
                  image_target("not uefi image boots without uefi flag", command))
    box.write("main.sh", '#!/bin/bash\ngrep -q "^ID=$1\\$" /etc/os-release || exit 1\necho PASS\n',
              0o755)
    return box


# vmtest's own.

@test
def run():
    """Its targets run one after the other; mayfly's may run side by side."""
    with two_image_targets() as box:
        expect(box.vmtest(), 0)


@test
def run_one():
    with two_image_targets() as box:
        for name in ("^uefi", "not uefi"):
            expect(box.vmtest("-f", name), 0)


@test
def run_multiple_return_number_failures():
    with Project(kernel_target("one", "exit 1"), kernel_target("two", "exit 1"),
                 kernel_target("three", "exit 0")) as box:
        box.expect_both(2)


@test
def run_single_return_number_return_code():
    with Project(image_target("exit 12", "exit 12")) as box:
        expect(box.vmtest(), 12)


@test
def a_single_kernel_target_gives_its_own_status():
    with Project(kernel_target("other", "exit 1"), kernel_target("twelve", "exit 12")) as box:
        box.expect_both(12, "-f", "twelve")
        expect(box.vmtest("-k", kernel("small"), "exit", "12"), 12)


@test
def vmtest_infra_error():
    with Project(table("nothing", {"image": "./absent.img", "command": "true"})) as box:
        box.expect_both(69)
        assert b"absent.img" in box.vmtest().out


@test
def run_out_of_bounds():
    """That is of its programming interface; the nearest that a user can do is a filter that selects
    nothing. That is a success of vmtest's, and status 4 of mayfly's."""
    with Project(kernel_target("one", "exit 1"), kernel_target("two", "exit 1")) as box:
        expect_sentence(box.vmtest("-f", "three"), 0, "none matches")
        expect_sentence(box.test("-f", "three"), 4, "none matches")


@test
def not_uefi():
    """vmtest waits for an agent until it gives up; mayfly looks at the image first."""
    with Project(image_target("uefi", "echo unreachable", "uefi", uefi=False)) as box:
        result = box.vmtest()
        expect(result, 69)
        assert b"uefi" in result.out and b"unreachable\n" not in result.out, result
        assert result.seconds < 10, result


@test
def command_runs_in_shell():
    text = "if true; then echo -n $0 > /mnt/vmtest/result; fi"
    with Project(kernel_target("shell", text)) as box:
        box.expect_both(0, file=b"bash")


class Terminal:
    """vmtest on a terminal of its own."""

    def __init__(self, box, *arguments):
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen([box.link, *arguments], stdin=slave, stdout=slave,
                                        stderr=slave, cwd=box.work, start_new_session=True,
                                        env=dict(box.env, TERM="dumb", HOME=box.make("home")))
        os.close(slave)
        self.seen = b""

    def read(self, ended, within=120):
        """Reads until ended(what was seen so far), or, without a function, the end."""
        deadline = time.monotonic() + within
        while not (ended and ended(self.seen)):
            assert time.monotonic() < deadline, f"still waiting: {self.seen[-2000:]!r}"
            if not select.select([self.master], [], [], 0.2)[0]:
                continue
            try:
                self.seen += os.read(self.master, 65536)
            except OSError:  # nobody has the other end any more
                assert ended is None, f"ended: {self.seen[-2000:]!r}"
                return


@test
def interactive_shell():
    """vmtest shows a prompt before the shares are there, and its test sleeps for ten seconds; what is
    typed at mayfly's first prompt finds them. It always ends with 0; mayfly's status is the shell's."""
    with Project() as box:
        terminal = Terminal(box, "--kernel", kernel("small"), "-")
        terminal.read(lambda seen: seen.rstrip().endswith(b"#"))
        os.write(terminal.master, b"echo 'hello world' > /mnt/vmtest/result\nexit 3\n")
        terminal.read(None)
        os.close(terminal.master)
        assert terminal.process.wait(60) == 3, terminal.seen
        assert box.read() == b"hello world\n"


@test
def kernel_target_env_var_propagation():
    """vmtest panics where any variable is not UTF-8."""
    with Project(kernel_target("env", 'printf "%s" "$TEST_ENV_VAR$TEST_BYTES" > /mnt/vmtest/result')) as box:
        box.env["TEST_ENV_VAR"] = "test value"
        box.env["TEST_BYTES"] = b"\xff\xfe"
        box.expect_both(0, file=b"test value\xff\xfe")


@test
def kernel_target_cwd_preserved():
    """vmtest does that for an absolute path of the file only: for ./vmtest.toml, the command runs in
    the home directory, and for a relative one of -c, its 'cd' is relative to the guest's root."""
    with Project(kernel_target("cwd", "cat text_file.txt && pwd > /mnt/vmtest/result")) as box:
        box.write("text_file.txt", "text\n")
        here = box.work.encode() + b"\n"
        box.expect_both(0, file=here)
        relative = os.path.join(os.path.basename(box.work), "vmtest.toml")
        expect(box.vmtest("-c", relative, cwd=box.directory), 0)
        assert box.read() == here


@test
def command_process_substitution():
    with Project(kernel_target("substitution", "cat <(echo -n $0) > /mnt/vmtest/result")) as box:
        box.expect_both(0, file=b"bash")


@test
def qemu_error_shown():
    """QEMU's words for it were "qemu: could not open kernel file"; mayfly does not ask QEMU."""
    with Project(table("no kernel", {"kernel": "./absent", "command": "true"})) as box:
        result = box.vmtest()
        expect(result, 69)
        assert os.path.join(box.work, "absent").encode() in result.out, result
        expect(box.vmtest("-k", "./absent", "true"), 69, err="absent")


@test
def an_error_of_qemu_s_own_is_shown():
    with Project(kernel_target("bad", "true", **{"vm.extra_args": ["-no-such-option"]})) as box:
        result = box.vmtest()
        expect(result, 69)
        assert b"-no-such-option" in result.out, result


@test
def kernel_ro_flag():
    with Project(kernel_target("read-only", "touch ../file", kernel_args="ro")) as box:
        box.expect_both(1)
        assert not os.path.exists(os.path.join(box.directory, "file"))


@test
def a_root_that_is_not_read_only_is_no_more_the_host_s():
    """vmtest's guest writes to the host's files by default; mayfly's does for root_mode = "rw"."""
    with Project(kernel_target("default", "touch ../default"),
                 kernel_target("asked for", "touch ../asked-for", root_mode="rw")) as box:
        expect(box.vmtest(), 0)
        assert not os.path.exists(os.path.join(box.directory, "default"))
        assert os.path.exists(os.path.join(box.directory, "asked-for"))


@test
def run_custom_resources():
    script = "test $(nproc) -eq 1 && grep -E '^MemTotal: +2..... kB' /proc/meminfo"
    with Project(image_target("small", script, **{"vm.num_cpus": 1, "vm.memory": "256M"})) as box:
        expect(box.vmtest(), 0)


@test
def run_custom_mounts():
    """The read-only half of vmtest's test ends in '|| true', so that it holds of any mount."""
    script = ("test -e /tmp/mount/README.md && touch /tmp/mount/made && "
              "test -e /tmp/ro/README.md && ! touch /tmp/ro/not-made")
    mounts = {"/tmp/mount": ("writable", True), "/tmp/ro": ("read-only", False)}
    for target in (kernel_target, image_target):
        keys = {}
        for guest, (host, writable) in mounts.items():
            keys[f'vm.mounts."{guest}".host_path'] = "./" + host
            keys[f'vm.mounts."{guest}".writable'] = writable
        with Project(target("mounts", script, **keys)) as box:
            for host, _ in mounts.values():
                os.mkdir(os.path.join(box.work, host))
                box.write(os.path.join(host, "README.md"), "")
            expect(box.vmtest(), 0)
            assert sorted(os.listdir(os.path.join(box.work, "writable"))) == ["README.md", "made"]
            assert os.listdir(os.path.join(box.work, "read-only")) == ["README.md"]


# What these leave out.

@test
def a_command_that_a_signal_killed_has_not_passed():
    """vmtest reports success: it takes an absent exit code for 0, and does not look for a signal."""
    with Project(kernel_target("segv", "kill -SEGV $$"),
                 kernel_target("last command", "sh -c 'kill -ABRT $$'"),
                 kernel_target("good", "true")) as box:
        box.expect_both(2)
        box.expect_both(139, "-f", "segv")
        expect(box.vmtest("-k", kernel("small"), "kill -SEGV $$"), 139)


@test
def a_command_of_more_than_five_seconds_ends_as_it_ends():
    with Project(kernel_target("long", "sleep 6; echo -n late > /mnt/vmtest/result; exit 3")) as box:
        expect(box.vmtest(), 3)
        assert box.read() == b"late"


@test
def output_of_any_size_and_any_bytes_arrives_as_it_is():
    """vmtest drops lines that are not UTF-8, and with long ones most of the rest. It merges stdout
    and stderr; they are apart in mayfly."""
    data = os.urandom(1 << 20)
    with Project(kernel_target("bytes", "cat data; cat data >&2")) as box:
        with open(os.path.join(box.work, "data"), "wb") as file:
            file.write(data)
        result = box.vmtest("-k", kernel("small"), "cat data; cat data >&2")
        expect(result, 0, out=data)
        assert result.err == data, result

        expect(box.vmtest(), 0)
        kept = os.path.join(box.directory, "kept")
        expect(box.test("--run-dir", kept), 0)
        for name in ("stdout", "stderr"):
            assert box.read(os.path.join(kept, "bytes", name)) == data, name


@test
def a_guest_that_panics_during_the_command_has_failed():
    """That is 69 of vmtest's. Of mayfly's it is 125: the kernel is what is tested."""
    with Project(kernel_target("panic", "echo c > /proc/sysrq-trigger; sleep 600"),
                 kernel_target("good", "true")) as box:
        result = box.vmtest("-f", "panic")
        expect(result, 125)
        assert b"panic" in result.out.lower() and result.seconds < 120, result
        expect(box.vmtest(), 1)


@test
def a_guest_that_the_command_powers_off_has_failed():
    with Project(kernel_target("off", "sync; poweroff -f; sleep 600")) as box:
        result = box.vmtest()
        expect(result, 69)
        assert b"powered itself off" in result.out and result.seconds < 120, result


@test
def a_typo_in_the_file_is_told_of_with_its_place():
    """vmtest ignores a key that it does not know. Its status for a wrong file is 1; with several
    targets that could be a failure too, so that mayfly's is 78."""
    with Project() as box:
        for text, pattern in (
                ('[[target]]\nname = "a"\nkernel = "k"\ncomand = "true"\n',
                 r"vmtest\.toml:4:1: .*'comand'.*'command'"),
                ('[[target]]\nname = "a"\nkernel = "k"\ncommand = true\n', r"vmtest\.toml:4:11: "),
                ('[[target]]\nname = "a"\nkernel = "k\n', r"vmtest\.toml:3:\d+: "),
                ('[[targets]]\nname = "a"\n', r"vmtest\.toml:1:\d+: .*'target'"),
                ('[[target]]\nname = "a"\nkernel = "k"\nimage = "i"\ncommand = "true"\n',
                 r"vmtest\.toml:\d:\d+: .*'a'")):
            box.write("vmtest.toml", text)
            expect_sentence(box.vmtest(), 78, pattern)
            expect_sentence(box.test(), 78, pattern)


def with_mounts(*mounts):
    return {f'vm.mounts."{guest}".host_path': host for guest, host in mounts}


@test
def mounts_that_have_something_in_common_do_not_collide():
    """vmtest names a share after its directory, so that two of one directory are a conflict, and
    mounts in no order, so that one within another may be hidden. It also makes the directories to
    mount on in the host's root."""
    keys = with_mounts(("/srv/made/inner", "inner"), ("/srv/made", "outer"), ("/srv/again", "outer"))
    script = "cat /srv/made/name /srv/again/name /srv/made/inner/name > /mnt/vmtest/result"
    with Project(kernel_target("mounts", script, **keys)) as box:
        for name in ("inner", "outer"):
            os.mkdir(os.path.join(box.work, name))
            box.write(name + "/name", name + "\n")
        os.mkdir(os.path.join(box.work, "outer", "inner"))
        box.expect_both(0, file=b"outer\nouter\ninner\n")
        assert not os.path.exists("/srv/made"), "the host's root was written to"


@test
def paths_may_have_spaces_and_commas():
    """vmtest does not quote the directory that it changes to, nor escape what it tells QEMU."""
    mount = with_mounts(("/tmp/to, this", "from, there"))
    keys = {"kernel": "./the, kernel", **mount}
    script = "cat '/tmp/to, this/file' file > /mnt/vmtest/result"
    with Project(kernel_target("paths", script, **keys), directory="a, b  c'd") as box:
        os.symlink(kernel("small"), os.path.join(box.work, "the, kernel"))
        os.mkdir(os.path.join(box.work, "from, there"))
        box.write("from, there/file", "there\n")
        box.write("file", "here\n")
        box.expect_both(0, file=b"there\nhere\n")
        expect(box.vmtest("-k", "./the, kernel", "pwd"), 0, out=box.work.encode() + b"\n")


@test
def runs_at_the_same_time_do_not_disturb_each_other():
    """vmtest's sockets have names of six digits in /tmp, and its handshake fails under load."""
    command = 'echo "$NUMBER" > /mnt/vmtest/result-$NUMBER; exit $NUMBER'
    with Project(kernel_target("number", command)) as box:
        box.program = [box.link]
        numbers = range(11, 17)
        processes = [box.start(env=dict(box.env, NUMBER=str(number)), stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL) for number in numbers]
        assert [process.wait(240) for process in processes] == list(numbers)
        assert all(box.read(f"result-{n}") == f"{n}\n".encode() for n in numbers)


@test
def ctrl_c_ends_the_run_and_leaves_nothing():
    """vmtest leaves its init script, and sometimes sockets, in /tmp."""
    with Project(kernel_target("endless", "echo up > /mnt/vmtest/result; sleep 600")) as box:
        box.program = [box.link]
        process = box.start()
        deadline = time.monotonic() + 120
        while not os.path.exists(os.path.join(box.work, "result")):
            assert process.poll() is None and time.monotonic() < deadline, process.communicate()
            time.sleep(0.02)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130, (process.returncode, out, err)
        assert time.monotonic() - started < 10
        assert sorted(os.listdir(box.work)) == ["result", "vmtest.toml"]


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mayfly run with a shell script as PID 1 and the root's own qemu-ga, and without an initramfs."""

import os
import shutil
import signal
import time

from harness import Sandbox, Skip, expect, expect_sentence, kernel, main, release, test


def need_qemu_ga():
    if not shutil.which("qemu-ga", path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
        raise Skip("the host's root, which is the guest's here, has no qemu-ga")


def run_script(box, *words, flavour="small", options=(), **others):
    need_qemu_ga()
    return box.run("run", "-k", kernel(flavour), "--init", "script", *options, "--", *words,
                   **others)


def run_bare(box, *words, options=(), **others):
    need_qemu_ga()
    return box.run("run", "-k", kernel("small"), "--no-initramfs", *options, "--", *words,
                   **others)


def start_script(box, text, *options):
    need_qemu_ga()
    process = box.start("run", "-k", kernel("small"), "--init", "script", *options, "--",
                        "echo up; " + text)
    assert process.stdout.readline() == b"up\n", process.communicate()
    return process


@test
def a_stock_kernel_runs_commands_by_qemu_ga():
    with Sandbox() as box:
        result = run_script(box, "uname -r; cat /proc/1/comm; modprobe dummy && "
                            "test -d /sys/module/dummy && cat /proc/sys/kernel/hostname",
                            flavour="generic", options=("--hostname", "scripted"))
        expect(result, 0, out=release().encode() + b"\nsh\nscripted\n")
        assert result.err == b"", f"unasked-for words: {result!r}"


@test
def statuses_are_the_commands_own_and_output_that_is_held_open_is_told():
    with Sandbox() as box:
        for words, status, err in (
                (["sleep 1000 & exit 42"], 42, "still holds its output open"),
                (["kill -SEGV $$"], 139, "^$"), (["/etc", "x"], 126, "is a directory"),
                (["mayfly-no-such-command", "x"], 127, "was not found")):
            expect(run_script(box, *words), status, out=b"", err=err)


@test
def streams_and_arguments_arrive_byte_for_byte():
    words = ["a b", "$HOME `id`", "line\nbreak\n", "", "x=y", b"\xff\xfe\x80"]
    data = os.urandom(1 << 20)
    with Sandbox() as box:
        result = run_script(box, "sh", "-c", 'printf "%s\\0" "$@" >&2; cat', "sh", *words,
                            input=data)
        expect(result, 0, out=data)
        expected = [word.encode() if isinstance(word, str) else word for word in words]
        assert result.err == b"".join(word + b"\0" for word in expected), result


@test
def the_host_is_untouched_but_for_the_share():
    with Sandbox() as box:
        name = "/etc/mayfly-test-" + box.mark
        result = run_script(box, f"echo x >{name} && cat {name} && echo y >/mnt/mayfly/y && pwd")
        expect(result, 0, out=f"x\n{box.work}\n".encode())
        assert not os.path.exists(name)
        assert box.read("y") == b"y\n"


@test
def a_timeout_kills_the_command_and_keeps_its_output():
    with Sandbox() as box:
        process = start_script(box, "echo so far; sleep 60", "--timeout", "5s")
        started = time.monotonic()
        out, err = process.communicate(timeout=60)
        assert (process.returncode, out) == (124, b"so far\n"), (process.returncode, out, err)
        assert time.monotonic() - started < 7, "later than 2 s after its time"
        assert b"did not end within 5s" in err, err


@test
def ctrl_c_reaches_the_command():
    with Sandbox() as box:
        process = start_script(box, "trap 'echo caught; exit 3' INT; echo trapped; "
                               "while :; do sleep 0.1; done")
        assert process.stdout.readline() == b"trapped\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (3, b"caught\n"), (process.returncode, out, err)


@test
def an_agent_that_dies_ends_the_run_with_a_sentence():
    with Sandbox() as box:
        result = run_script(box, "echo partial; kill -KILL $(pidof qemu-ga); sleep 60")
        expect(result, 69, out=b"partial\n", err="init script gave up: qemu-ga ended with status 137")


@test
def a_root_without_qemu_ga_is_told_at_once():
    with Sandbox() as box:
        root = box.make("root")
        os.mkdir(os.path.join(root, "bin"))
        shutil.copy("/bin/busybox", os.path.join(root, "bin", "sh"))
        result = box.run("run", "-k", kernel("small"), "--init", "script", "-r", root, "--", "true")
        expect_sentence(result, 69, "gave up: the root has no qemu-ga: install qemu-guest-agent")


@test
def a_root_without_a_shell_cannot_run_the_script():
    with Sandbox() as box:
        root = box.make("root")
        result = box.run("run", "-k", kernel("small"), "--init", "script", "-r", root, "--", "true")
        expect_sentence(result, 69, "no usable '/bin/sh'.*which the init script needs")


def write_template(box, text):
    path = os.path.join(box.directory, "my init.sh.in")
    with open(path, "w") as file:
        file.write(text)
    return path


@test
def a_template_of_the_users_own_is_the_init():
    with Sandbox() as box:
        template = write_template(box, """#!/bin/sh
export PATH={{path}}:/usr/sbin:/usr/bin:/sbin:/bin
echo mine >/run/mine
for port in /sys/class/virtio-ports/*; do
    [ "$(cat "$port/name")" = {{agent_port}} ] || continue
    exec qemu-ga --method=virtio-serial --path="/dev/${port##*/}" --statedir=/run
done
""")
        need_qemu_ga()
        result = box.run("run", "-k", kernel("small"), "--init-template", template, "--",
                         "cat /run/mine")
        expect(result, 0, out=b"mine\n")


@test
def a_template_that_gives_up_is_quoted():
    with Sandbox() as box:
        template = write_template(box, "#!/bin/sh\necho 'mayfly: fatal: not today.' >/dev/console\n"
                                  "sleep 60\n")
        result = box.run("run", "-k", kernel("small"), "--init-template", template, "--", "true")
        expect_sentence(result, 69, "gave up: not today.\n")


@test
def errors_of_a_template_name_file_and_line():
    with Sandbox() as box:
        for text, reason in (("#!/bin/sh\n\necho {{unknown}}\n", ":3: the variable 'unknown' is "),
                             ("#!/bin/sh\necho {{path\n", r":2: '\{\{' is not followed by a name"),
                             (None, ": No such file or directory")):
            template = write_template(box, text) if text else os.path.join(box.directory, "absent")
            result = box.run("run", "-k", kernel("small"), "--init-template", template, "--",
                             "true")
            expect_sentence(result, 69, template + "'?[^\n]*" + reason)


@test
def no_initramfs_is_needed_where_all_drivers_are_built_in_and_few_programs_start_before_the_command():
    with Sandbox() as box:
        name = "/etc/mayfly-test-" + box.mark
        # The kernel's threads are the children of 2.
        result = run_bare(box, "echo $$; for stat in /proc/[0-9]*/stat; do read -r _ _ _ parent _ "
                          "<$stat; echo $parent; done | grep -cx 2; "
                          f"echo x >{name}; cat {name} -; echo y >/mnt/mayfly/y; pwd; "
                          "kill -TERM $$", input=b"input\n")
        expect(result, 143)
        pid, threads, *others = result.out.splitlines()
        assert others == [b"x", b"input", box.work.encode()], result
        assert int(pid) - int(threads) <= 38, f"process {pid}, with {threads} threads: {result!r}"
        assert not os.path.exists(name)
        assert os.path.exists(os.path.join(box.work, "y"))


@test
def without_an_initramfs_the_root_can_be_read_only_or_written():
    with Sandbox() as box:
        outside = os.path.join(box.directory, "outside")
        text = f"echo x >{outside} || echo refused"
        expect(run_bare(box, "grep -c -e ' /dev/pts ' -e ' /dev/shm ' /proc/mounts; " + text,
                        options=("--root-mode", "ro")), 0, out=b"2\nrefused\n",
               err="Read-only file system")
        assert not os.path.exists(outside)
        expect(run_bare(box, text, options=("--root-mode", "rw")), 0, out=b"")
        with open(outside) as file:
            assert file.read() == "x\n"


@test
def a_modular_kernel_is_refused_without_an_initramfs():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel(), "--no-initramfs", "--", "true")
        expect_sentence(result, 69, "CONFIG_9P_FS and CONFIG_OVERLAY_FS are modules, which cannot "
                        "be loaded without an initramfs")


@test
def the_small_kernel_runs_by_the_default_init_too():
    with Sandbox() as box:
        expect(box.run("run", "-k", kernel("small"), "--", "uname -r; echo err >&2; exit 5"), 5,
               err="^err\n$")


if __name__ == "__main__":
    main()

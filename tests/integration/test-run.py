#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mayfly run over a real stock kernel: results, streams, arguments, isolation."""

import os
import shutil
import time

from harness import KERNELS, Sandbox, expect, kernel, main, release, test


@test
def uname_prints_only_the_kernels_version():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel(), "--", "uname", "-r")
        expect(result, 0, out=release().encode() + b"\n")
        assert result.err == b"", f"unasked-for words: {result!r}"


@test
def statuses_are_the_commands_own():
    with Sandbox() as box:
        for words, status in ((["true"], 0), (["exit 42"], 42), (["kill -SEGV $$"], 139),
                              (["mayfly-no-such-command", "x"], 127), (["/etc", "x"], 126)):
            expect(box.run("run", "-k", kernel(), "--", *words), status, out=b"")


@test
def the_host_is_untouched_but_for_the_share():
    with Sandbox() as box:
        name = "mayfly-test-" + box.mark
        script = (f"set -e; echo x >/etc/{name}; echo x >/usr/{name}; cat /etc/{name}; "
                  "echo shared >/mnt/mayfly/written; echo more >/mnt/vmtest/more; rm -rf /opt; pwd")
        expect(box.run("run", "-k", kernel(), "--", script), 0, out=f"x\n{box.work}\n".encode())
        assert not os.path.exists(f"/etc/{name}") and not os.path.exists(f"/usr/{name}")
        assert os.path.isdir("/opt")
        with open(os.path.join(box.work, "written")) as file:
            assert file.read() == "shared\n"
        with open(os.path.join(box.work, "more")) as file:
            assert file.read() == "more\n"


@test
def a_read_only_root_refuses_writes():
    with Sandbox() as box:
        name = "/etc/mayfly-test-" + box.mark
        result = box.run("run", "-k", kernel(), "--root-mode", "ro", "--",
                         f"echo x >{name} || echo refused; cat /proc/sys/kernel/ostype; "
                         "echo y >/mnt/mayfly/y && cat y")
        expect(result, 0, out=b"refused\nLinux\ny\n", err="Read-only file system")
        assert not os.path.exists(name)


@test
def arguments_arrive_byte_for_byte():
    words = ["a b", "'single' \"double\"", "$HOME `id` $(id)", "line\nbreak\n", "a,b,,c", "",
             b"\xff\xfe\x80", "\\ \\n \t", "-x", "--", "*", "x" * (100 * 1024)]
    with Sandbox() as box:
        result = box.run("run", "-k", kernel(), "--", "sh", "-c", 'printf "%s\\0" "$@"', "sh",
                         *words)
        expected = [word.encode() if isinstance(word, str) else word for word in words]
        expect(result, 0, out=b"".join(word + b"\0" for word in expected))


@test
def environment_and_directory_are_the_callers():
    with Sandbox() as box:
        environment = {key.encode(): value.encode() for key, value in box.env.items()}
        environment[b"TWO"] = b"two words\nand a line"
        environment[b"RAW"] = b"\xff\x01"
        nested = os.path.join(box.work, "a dir, with 'all'")
        os.mkdir(nested)
        result = box.run("run", "-k", kernel(), "-e", "GIVEN=it's", "--",
                         'printf "%s|%s|%s|%s" "$TWO" "$RAW" "$GIVEN" "$PWD"',
                         env=environment, cwd=nested)
        expect(result, 0, out=b"two words\nand a line|\xff\x01|it's|" + nested.encode())


@test
def paths_with_spaces_and_commas_work_for_kernel_root_and_mounts():
    with Sandbox() as box:
        odd = box.make("a dir, with,commas")
        os.makedirs(os.path.join(odd, "boot"))
        os.makedirs(os.path.join(odd, "lib"))
        os.makedirs(os.path.join(odd, "root, too", "bin"))
        image = os.path.join(odd, "boot", "vmlinuz-" + release())
        shutil.copy(kernel(), image)
        os.symlink(os.path.join(KERNELS, "generic", "lib", "modules"),
                   os.path.join(odd, "lib", "modules"))
        shutil.copy("/bin/busybox", os.path.join(odd, "root, too", "bin", "sh"))
        data = os.path.join(odd, "data, here")
        os.mkdir(data)
        with open(os.path.join(data, "file"), "w") as file:
            file.write("content")
        result = box.run("run", "-k", image, "-r", os.path.join(odd, "root, too"),
                         "--mount", f"rw:{data}:/a mount, too", "--",
                         "cat '/a mount, too/file' && echo back >'/a mount, too/back'")
        expect(result, 0, out=b"content")
        with open(os.path.join(data, "back")) as file:
            assert file.read() == "back\n"


@test
def a_program_alone_gets_what_a_shell_would_give_it():
    with Sandbox() as box:
        nested = os.path.join(box.work, "below")
        os.mkdir(nested)
        box.env.update(PWD="/nowhere", _="/bin/old", SHLVL="4")
        for place, options in ((nested, ()), ("/etc", ("--workdir", "/etc"))):
            plain, shell = (box.run("run", "-k", kernel("small"), *options, "--", words, cwd=nested)
                            for words in ("env", "'env'"))
            expect(plain, 0)
            expect(shell, 0)
            assert sorted(plain.out.splitlines()) == sorted(shell.out.splitlines()), (plain, shell)
            assert f"PWD={place}".encode() in plain.out.splitlines(), plain


@test
def a_program_that_cannot_be_run_is_for_the_shell_to_explain():
    with Sandbox() as box:
        with open(os.path.join(box.work, "script"), "w") as file:
            file.write("echo $0 $1\n")
        os.chmod(os.path.join(box.work, "script"), 0o755)
        for words, status, out, err in (("mayfly-no-such-command", 127, b"", "command not found"),
                                        ("/etc", 126, b"", "Is a directory"),
                                        ("./script x", 0, b"./script x\n", None)):
            expect(box.run("run", "-k", kernel("small"), "--", words), status, out=out, err=err)


@test
def nothing_of_mayflys_runs_beside_the_command_but_init():
    with Sandbox() as box:
        for options in (["--cold"], []):
            result = box.run("run", "-k", kernel("small"), *options, "--",
                             "grep -l . /proc/[0-9]*/cmdline")
            expect(result, 0)
            assert len(result.out.splitlines()) == 2 and b"/proc/1/" in result.out, result


@test
def ten_mebibytes_of_random_bytes_arrive_intact():
    with Sandbox() as box:
        data = os.urandom(10 << 20)
        with open(os.path.join(box.work, "random"), "wb") as file:
            file.write(data)
        expect(box.run("run", "-k", kernel(), "--", "cat random"), 0, out=data)


@test
def standard_input_reaches_the_command():
    with Sandbox() as box:
        data = os.urandom(3 << 20)
        expect(box.run("run", "-k", kernel(), "--", "cat", input=data), 0, out=data)


@test
def output_appears_while_the_command_runs():
    with Sandbox() as box:
        process = box.start("run", "-k", kernel(), "--", "echo first; sleep 3; echo second")
        assert process.stdout.readline() == b"first\n"
        first = time.monotonic()
        assert process.stdout.readline() == b"second\n"
        assert time.monotonic() - first > 2, "the first line was held back"
        assert process.wait() == 0
        process.stdout.close()
        process.stderr.close()


@test
def modules_of_the_kernel_can_be_loaded():
    with Sandbox() as box:
        result = box.run("run", "-k", kernel(), "--",
                         "modprobe dummy && test -d /sys/module/dummy && "
                         "ls /lib/modules/$(uname -r)/modules.dep")
        expect(result, 0, out=f"/lib/modules/{release()}/modules.dep\n".encode())


@test
def what_comes_after_the_boot_is_tested_by_the_kernel_as_ever():
    with Sandbox() as box:
        notests = "cat /sys/module/cryptomgr/parameters/notests"
        expect(box.run("run", "-k", kernel(), "--", notests), 0, out=b"N\n")
        expect(box.run("run", "-k", kernel(), "--no-save", "--kargs", "cryptomgr.notests=1", "--",
                       notests), 0, out=b"Y\n")


@test
def vmtests_spelling_runs_the_command():
    with Sandbox() as box:
        expect(box.run("-k", kernel(), "echo $0-ran"), 0, out=b"bash-ran\n")


@test
def software_emulation_is_said_once_and_only_with_verbose():
    with Sandbox() as box:
        result = box.run("run", "-v", "-k", kernel(), "--", "true")
        expect(result, 0)
        expected = 0 if b"software emulation" not in result.err and has_virtualization() else 1
        assert result.err.count(b"software emulation") == expected, result


def has_virtualization():
    with open("/proc/cpuinfo") as file:
        flags = file.read()
    return os.access("/dev/kvm", os.R_OK | os.W_OK) and (" vmx" in flags or " svm" in flags)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Saved machines: when one is saved, when one is restored, and what of a run is not in it."""

import json
import os
import re
import shutil
import stat

from harness import Skip, expect, expect_sentence, kernel, main, test
from warmbox import Warm, was_restored, was_saved


@test
def what_is_the_runs_own_is_not_the_saved_machines():
    with Warm() as box:
        box.expect_right()
        nested = os.path.join(box.work, "below")
        os.mkdir(nested)
        result = box.run("run", "-v", "-k", kernel("small"), "--hostname", "other", "-e", "X=1", "--",
                         "hostname; pwd; echo $X; echo shared >/mnt/mayfly/file; exit 3",
                         cwd=nested)
        expect(result, 3, out=f"other\n{nested}\n1\n".encode())
        assert was_restored(result), result
        with open(os.path.join(nested, "file")) as file:
            assert file.read() == "shared\n"
        root = box.make("root")
        os.mkdir(os.path.join(root, "bin"))
        shutil.copy("/bin/busybox", os.path.join(root, "bin", "sh"))
        result = box.expect_right(options=["-r", root])
        assert was_restored(result), result
        box.only()


@test
def what_is_the_runs_own_is_not_in_the_key():
    with Warm() as box:
        root = box.make("root")
        for image in (kernel("small"), kernel()):
            words = ("warm", "key", "-k", image)
            key = box.run(*words, "--mount", box.work)
            expect(key, 0)
            for options in (["-e", "X=1"], ["--hostname", "other"], ["--timeout", "5s"], ["-t"],
                            ["-r", root], ["--workdir", "/"], ["--user", "1"], ["--setup", "true"]):
                other = box.run(*words, "--mount", box.work, *options)
                assert other.out == key.out, (options, key, other)
            assert box.run(*words, "--mount", f"rw:{root}:/mnt/there", cwd=root).out == key.out
            assert box.run(*words).out != key.out


@test
def options_decide_what_is_used_and_saved():
    with Warm() as box:
        for options in (["--cold"], ["--no-save"]):
            result = box.expect_right(options=options)
            assert not was_saved(result) and not was_restored(result), result
            assert not os.path.exists(box.warm) or not box.saved()
            expect(result, 0, err="No saved machine is used: ")
        assert b"there is none of this kind, and this run is to save none." in result.err, result
        result = box.expect_right(options=["--qemu-arg=-name", "--qemu-arg=x"])
        assert not was_saved(result) and b"No saved machine is used" in result.err, result
        assert was_saved(box.expect_right())
        saved = box.only()
        assert was_restored(box.expect_right(options=["--no-save"]))
        assert not was_restored(box.expect_right(options=["--cold"]))
        result = box.expect_right(options=["-m", "512M", "--no-save"])
        assert not was_restored(result), result
        assert box.only() == saved


@test
def the_verb_builds_shows_and_removes_machines():
    with Warm() as box:
        expect(box.run("warm", "build", "-k", kernel("small")), 0, out=b"")
        name = os.path.basename(box.only())
        expect(box.run("warm", "build", "-k", kernel("small")), 0, out=b"")
        key = box.run("warm", "key", "-k", kernel("small"))
        expect(key, 0)
        assert key.out.startswith(name.encode() + b"\n\nformat 3\n"), key
        assert was_restored(box.expect_right())
        shown = box.run("warm", "list")
        expect(shown, 0)
        assert name[:12].encode() in shown.out, shown
        assert f"  {kernel('small')}, 1.0 GiB, 2 CPUs\n".encode() in shown.out, shown
        expect(box.run("warm", "prune"), 0)
        box.only()
        expect(box.run("warm", "prune", "0"), 0)
        assert not box.saved()


@test
def a_machine_that_is_not_built_says_why():
    with Warm() as box:
        words = ("warm", "build", "-k", kernel())
        for options, reason in ((["--cold"], "it was asked to boot"),
                                (["--no-save"], "this run is to save none"),
                                (["--numa", "512M"], "NUMA"),
                                (["--net", "user"], "a network cannot be saved"),
                                (["--qemu", "/bin/true"], "QEMU did not start")):
            expect_sentence(box.run(*words, *options), 69,
                            f"The machine could not be saved: .*{reason}")
        os.rmdir(box.warm)
        with open(box.warm, "w") as file:
            file.write("in the way")
        expect_sentence(box.run(*words), 69, "The machine could not be saved: .*cannot be made")


@test
def the_list_shows_what_a_file_is_called_and_nothing_to_the_terminal():
    with Warm() as box:
        directory = os.path.join(box.warm, "a" * 64)
        os.makedirs(directory)
        nothing = {"size": 0, "sha256": ""}
        with open(os.path.join(directory, "manifest.json"), "w") as file:
            json.dump({"version": 2, "key": "a" * 64, "label": "/\033[2Jimage\nnext, 1 CPU",
                       "host-boot": "", "qemu-version": "7.2.0", "ram": "", "overlay": "",
                       "state": nothing, "console": nothing, "stream": nothing}, file)
        result = box.run("warm", "list")
        expect(result, 0)
        assert result.out.endswith(b"  /image next, 1 CPU\n") and b"\033" not in result.out, result


@test
def a_run_that_names_no_kernel_saves_and_restores_as_well():
    with Warm() as box:
        expect(box.run("kernel", "add", "--name", "only", kernel("small")), 0)
        for seen in (was_saved, was_restored):
            result = box.run("run", "-v", "--", "uname", "-r")
            expect(result, 0)
            assert seen(result), result
        box.only()


@test
def words_that_a_verb_has_no_use_for_are_refused():
    with Warm() as box:
        for words in (("list", "all"), ("prune", "1G", "2G")):
            result = box.run("warm", *words)
            expect(result, 2, out=b"", err=f"'mayfly warm {words[0]}' does not know what to do "
                                           f"with '{words[-1]}'")
        assert re.search(rb"mayfly warm prune \[.*\] \[SIZE\]", box.run("warm", "prune", "--help").out)


@test
def a_rebuilt_kernel_at_the_same_path_is_booted():
    with Warm() as box:
        image = os.path.join(box.directory, "vmlinuz")
        os.makedirs(os.path.join(box.directory, "lib"))
        shutil.copy(kernel("small"), image)
        expect(box.mayfly("true", image=image), 0)
        assert was_restored(box.mayfly("true", image=image))
        shutil.copy(kernel("small"), image)
        result = box.mayfly("true", image=image)
        expect(result, 0)
        assert was_saved(result), result
        assert len(box.saved()) == 2


@test
def script_init_restores_too():
    if not os.path.exists("/usr/sbin/qemu-ga"):
        raise Skip("qemu-ga is not installed")
    with Warm() as box:
        for _ in range(2):
            result = box.expect_right(options=["--init", "script"])
        assert was_restored(result), result


def log_of(result, restored):
    expect(result, 0, out=b"right\n")
    assert was_restored(result) == restored, result
    return result.err.decode(errors="replace")


@test
def the_console_has_the_saved_boot_once_in_every_run():
    with Warm() as box:
        logs = [log_of(box.expect_right(options=["--console"], image=kernel()), True)
                for _ in range(2)]
        cold = log_of(box.expect_right(options=["--console", "--cold"], image=kernel()), False)
        for log in [*logs, cold]:
            for words in ("Linux version", "Run /init as init process"):
                assert log.count(words) == 1, (words, log.count(words), log)
        # What it says from then on comes behind that, in the run that it happens in.
        for log in logs:
            ready, forked = log.index("Run /init as"), log.find("due to virtual machine fork")
            assert forked > ready, log


@test
def a_panic_of_a_copy_shows_what_the_copy_said():
    with Warm() as box:
        box.expect_right()
        with open(os.path.join(box.only(), "console"), errors="replace") as file:
            saved = {line.strip() for line in file if line.strip()}
        result = box.mayfly("echo c >/proc/sysrq-trigger; sleep 60")
        expect(result, 125)
        assert was_restored(result), result
        shown = result.err.decode(errors="replace").split("the console's last lines:\n")[1]
        assert "sysrq triggered crash" in shown, shown
        assert not saved & {line.strip() for line in shown.splitlines()}, shown


@test
def a_splat_of_the_saved_boot_counts_once_in_every_run():
    with Warm() as box:
        # A value that this kernel complains of with a warning, and boots without.
        options = ["--kargs", "rcutree.rcu_fanout_leaf=1", "--splat", "fail"]
        for saved in (True, False, False):
            result = box.mayfly("echo right", options=options)
            expect(result, 125, out=b"right\n",
                   err="says that it is broken: WARNING: [^\n]* rcu_init_geometry")
            assert was_restored(result) and was_saved(result) == saved, result
            assert result.err.count(b"] WARNING: ") == 1, result
        expect(box.mayfly("echo right", options=options[:2]), 0, out=b"right\n",
               err="warned: WARNING: [^\n]* rcu_init_geometry")


@test
def what_cannot_be_saved_is_said_and_why():
    with Warm() as box:
        disk = os.path.join(box.directory, "disk")
        with open(disk, "wb") as file:
            file.truncate(1 << 20)
        for options, reason in ((["--no-initramfs", "-k", kernel("small")], "mounts its root before"),
                                (["--disk", disk], "what is on a disk"),
                                (["--net", "user"], "a network cannot be saved"),
                                (["--numa", "512M"], "NUMA"),
                                (["--machine", "q35,firmware=/x"], "files that can be other ones"),
                                (["--qemu-arg=-name", "--qemu-arg=x"], "arguments for QEMU")):
            result = box.run("warm", "key", "-k", kernel(), *options)
            expect_sentence(result, 69, f"This machine cannot be saved: .*{reason}")
        result = box.expect_right(options=["--cold"])
        assert b"No saved machine is used: it was asked to boot." in result.err, result


@test
def what_is_saved_is_private_and_takes_only_the_room_that_it_needs():
    with Warm() as box:
        os.umask(0)
        box.expect_right()
        saved = box.only()
        for path, mode in ((box.warm, 0o700), (saved, 0o700),
                           *((os.path.join(saved, name), 0o600) for name in os.listdir(saved))):
            assert stat.S_IMODE(os.stat(path).st_mode) == mode, (path, oct(os.stat(path).st_mode))
        ram = os.stat(os.path.join(saved, "ram"))
        assert ram.st_size == 1 << 30 and ram.st_blocks * 512 < ram.st_size // 2, ram
        # A machine that is larger than the bound stays until the next one is saved.
        box.env["MAYFLY_WARM_MAX"] = "1M"
        assert was_restored(box.expect_right())
        assert was_saved(box.expect_right(options=["-m", "512M"]))
        assert box.only() != saved


if __name__ == "__main__":
    main()

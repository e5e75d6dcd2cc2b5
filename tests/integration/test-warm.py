#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Saved machines: the second run restores, every run is right, and nothing doubtful is trusted."""

import glob
import hashlib
import os
import re
import shutil
import signal
import time

from harness import Sandbox, Skip, expect, kernel, main, test

UNIQUE = ("cat /proc/sys/kernel/random/uuid /proc/sys/kernel/random/boot_id; "
          "head -c 16 /dev/urandom | od -An -tx1; date +%s.%N")


class Warm(Sandbox):
    """A sandbox with saved machines of its own, and the other sections of the tests' cache."""

    def __init__(self):
        super().__init__()
        shared = self.env["MAYFLY_CACHE_DIR"]
        own = self.make("cache")
        for section in ("facts", "images", "initramfs"):
            os.makedirs(os.path.join(shared, section), exist_ok=True)
            os.symlink(os.path.join(shared, section), os.path.join(own, section))
        self.env["MAYFLY_CACHE_DIR"] = own
        self.warm = os.path.join(own, "warm")

    def saved(self):
        """The directories of the saved machines."""
        return [path for path in glob.glob(os.path.join(self.warm, "*"))
                if re.fullmatch("[0-9a-f]{64}", os.path.basename(path))]

    def only(self):
        saved = self.saved()
        assert len(saved) == 1, f"expected one saved machine, found {os.listdir(self.warm)}"
        return saved[0]

    def mayfly(self, *words, options=(), image=None):
        return self.run("run", "-v", "-k", image or kernel("small"), *options, "--", *words)

    def expect_right(self, **options):
        result = self.mayfly("echo right", **options)
        expect(result, 0, out=b"right\n")
        return result


def was_restored(result):
    return b"restored" in result.err


def was_saved(result):
    return b"saved the machine" in result.err


def checksum(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while chunk := file.read(1 << 22):
            digest.update(chunk)
    return digest.hexdigest()


@test
def the_second_run_restores_and_every_copy_is_its_own():
    with Warm() as box:
        first = box.mayfly(UNIQUE, image=kernel())
        expect(first, 0)
        assert was_saved(first) and was_restored(first), first
        ram = os.path.join(box.only(), "ram")
        before = checksum(ram)

        results = [first]
        for _ in range(3):
            results.append(box.mayfly(UNIQUE, image=kernel()))
        started = time.time()
        processes = [box.start("run", "-k", kernel(), "--", UNIQUE) for _ in range(3)]
        parallel = [process.communicate(timeout=200) + (process.returncode,)
                    for process in processes]
        for result in results[1:]:
            expect(result, 0)
            assert was_restored(result) and not was_saved(result), result
        assert [status for _, _, status in parallel] == [0, 0, 0], parallel

        said = [result.out.decode().split("\n") for result in results]
        said += [out.decode().split("\n") for out, _, _ in parallel]
        for index, name in enumerate(("uuid", "boot id", "random bytes")):
            values = [lines[index] for lines in said]
            assert len(set(values)) == len(values), f"{name} repeats: {values}"
        for lines in said[-3:]:
            assert started - 1 <= float(lines[3]) <= time.time() + 1, (started, lines)
        assert checksum(ram) == before, "a copy reached the saved memory"


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
def options_decide_what_is_used_and_saved():
    with Warm() as box:
        for options in (["--cold"], ["--no-save"]):
            result = box.expect_right(options=options)
            assert not was_saved(result) and not was_restored(result), result
            assert not os.path.exists(box.warm) or not box.saved()
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
        assert key.out.startswith(name.encode() + b"\n\nformat 2\n"), key
        assert was_restored(box.expect_right())
        shown = box.run("warm", "list")
        expect(shown, 0)
        assert name[:12].encode() in shown.out and kernel("small").encode() in shown.out, shown
        expect(box.run("warm", "prune"), 0)
        box.only()
        expect(box.run("warm", "prune", "0"), 0)
        assert not box.saved()


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


def damage(path, how):
    size = os.path.getsize(path)
    with open(path, "r+b") as file:
        if how == "truncate":
            file.truncate(size // 2)
        else:
            file.seek(size // 2)
            byte = file.read(1)[0]
            file.seek(size // 2)
            file.write(bytes([byte ^ 1]))


@test
def damage_to_a_saved_machine_never_reaches_a_run():
    with Warm() as box:
        box.expect_right()
        for name, how in (("state", "truncate"), ("state", "flip"), ("ram", "truncate"),
                          ("ram", "flip")):
            damage(os.path.join(box.only(), name), how)
            result = box.expect_right()
            assert b"saved machine is removed" in result.err, result
            assert was_saved(result), result


@test
def a_state_that_qemu_refuses_ends_in_a_cold_boot():
    with Warm() as box:
        box.expect_right()
        directory = box.only()
        path = os.path.join(directory, "state")
        with open(path, "r+b") as file:
            file.truncate(1000)
        with open(path, "rb") as file:
            sum = hashlib.sha256(file.read()).hexdigest()
        manifest = os.path.join(directory, "manifest.json")
        with open(manifest) as file:
            text = file.read()
        text = re.sub(r'("state":\s*{\s*"size":\s*)\d+(,\s*"sha256":\s*")[0-9a-f]+',
                      rf"\g<1>1000\g<2>{sum}", text)
        with open(manifest, "w") as file:
            file.write(text)
        result = box.expect_right()
        assert b"this run boots" in result.err, result
        assert not was_restored(result) and not box.saved(), result
        assert was_saved(box.expect_right())


@test
def a_killed_builder_leaves_nothing_that_is_trusted():
    with Warm() as box:
        process = box.start("run", "-k", kernel("small"), "--", "true")
        deadline = time.monotonic() + 60
        while not glob.glob(os.path.join(box.warm, "*.building", "ram")):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not box.saved()
        result = box.expect_right()
        assert was_saved(result), result
        assert not glob.glob(os.path.join(box.warm, "*.building"))


@test
def two_first_runs_share_one_saved_machine():
    with Warm() as box:
        processes = [box.start("run", "-v", "-k", kernel("small"), "--", "echo right")
                     for _ in range(2)]
        ended = [process.communicate(timeout=200) + (process.returncode,) for process in processes]
        assert [(out, status) for out, _, status in ended] == [(b"right\n", 0)] * 2
        assert sum(b"saved the machine" in err for _, err, _ in ended) == 1, ended
        assert all(b"restored" in err for _, err, _ in ended), ended
        box.only()


@test
def an_interrupted_first_run_leaves_nothing():
    with Warm() as box:
        process = box.start("run", "-k", kernel("small"), "--", "true")
        while not glob.glob(os.path.join(box.warm, "*.building", "ram")):
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 128 + signal.SIGTERM
        assert not box.saved() and not glob.glob(os.path.join(box.warm, "*.building"))


@test
def a_cache_that_cannot_be_written_means_a_cold_boot():
    with Warm() as box:
        with open(box.warm, "w"):
            pass
        result = box.expect_right()
        assert not was_restored(result) and b"this run boots" in result.err, result


@test
def script_init_restores_too():
    if not os.path.exists("/usr/sbin/qemu-ga"):
        raise Skip("qemu-ga is not installed")
    with Warm() as box:
        for _ in range(2):
            result = box.expect_right(options=["--init", "script"])
        assert was_restored(result), result


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""What the tests of saved machines share: a sandbox whose saved machines are its own."""

import contextlib
import glob
import os
import re
import subprocess

from harness import Sandbox, Skip, expect, kernel

SECTIONS = ("facts", "images", "initramfs")


class Warm(Sandbox):
    """A sandbox with saved machines of its own, and the other sections of the tests' cache."""

    def __init__(self):
        super().__init__()
        shared = self.env["MAYFLY_CACHE_DIR"]
        own = self.make("cache")
        for section in SECTIONS:
            os.makedirs(os.path.join(shared, section), exist_ok=True)
            os.symlink(os.path.join(shared, section), os.path.join(own, section))
        self.env["MAYFLY_CACHE_DIR"] = own
        self.warm = os.path.join(own, "warm")

    def forget_kernels(self):
        """Leaves the cache without anything, as that of a user who has never run mayfly."""
        for section in SECTIONS:
            os.unlink(os.path.join(self.env["MAYFLY_CACHE_DIR"], section))

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


@contextlib.contextmanager
def small_disk(box, size):
    """A file system of that size where machines are saved."""
    os.mkdir(box.warm, 0o700)
    command = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "tmpfs", box.warm]
    if os.geteuid() != 0 or subprocess.run(command, stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip("only root can mount a small disk")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", box.warm], check=True)


def fill_disk(box):
    """Leaves no room there; returns the path of the file that takes it."""
    path = os.path.join(box.warm, "filler")
    with open(path, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(1 << 16))
    return path


def was_restored(result):
    return b"restored" in result.err


def was_saved(result):
    return b"saved the machine" in result.err

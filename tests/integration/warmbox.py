# SPDX-License-Identifier: Apache-2.0
"""What the tests of saved machines share: a sandbox whose saved machines are its own."""

import glob
import hashlib
import os
import re

from harness import Sandbox, expect, kernel


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


def checksum_of_ram(box):
    return checksum(os.path.join(box.only(), "ram"))

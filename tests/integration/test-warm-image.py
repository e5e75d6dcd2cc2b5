#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The saved system of a disk image: copies of it are right, and change neither it nor the image.

MAYFLY_TEST_IMAGES is the directory that tools/test-images.sh prints.
"""

import glob
import os
import shutil
import time

from harness import Skip, expect, expect_sentence, main, sha256, test
from warmbox import Warm, fill_disk, small_disk, was_restored, was_saved

IMAGES = os.environ.get("MAYFLY_TEST_IMAGES", "")
BOOT_TIMEOUT = "220s"  # on a busy machine

# What has to differ from copy to copy, the clock, and what must be only in the copy that wrote it;
# and the system is as a boot leaves it.
UNIQUE = ("cat /proc/sys/kernel/random/uuid; head -c 16 /dev/urandom | od -An -tx1; "
          "mktemp -u XXXXXXXXXXXXXXXX; date +%s; ls /mark /run/mark; "
          "echo written >/mark; touch /run/mark; sync; "
          "cat /etc/os-release; sed -n 's|.* /run/mayfly ||p' /proc/mounts | cut -c -2; hostname")
NAMES = ("uuid", "urandom", "getrandom")


def image():
    path = os.path.join(IMAGES, "bios.img")
    if not os.path.exists(path):
        raise Skip(f"no 'bios.img' in MAYFLY_TEST_IMAGES='{IMAGES}'")
    return path


class Imaged(Warm):
    """The sandbox, with an image of its own."""

    def __init__(self):
        super().__init__()
        self.image = shutil.copy(image(), os.path.join(self.directory, "an image"))
        self.words = ("run", "-v", "--boot-timeout", BOOT_TIMEOUT, "--image", self.image)

    def files(self):
        """The checksums of what no copy may write to."""
        saved = self.only()
        return [sha256(path) for path in (self.image, os.path.join(saved, "overlay"),
                                          os.path.join(saved, "ram"))]

    def not_restored(self, *options, reason):
        """A run that has no time to boot, and therefore ends, unless it restores."""
        result = self.run(*self.words, "--boot-timeout", "500ms", *options, "--", "true")
        expect(result, 124, out=b"", err=reason)
        assert not was_restored(result), result


def check_copy(out, err, started):
    """What a copy has written that ran between 'started' and now: what is unique in it."""
    assert err.count(b"No such file") == len(("/mark", "/run/mark")), err
    lines = out.decode().splitlines()
    now = int(lines[len(NAMES)])
    assert int(started) - 1 <= now <= time.time() + 1, (started, now)
    assert lines[len(NAMES) + 1:] == ['NAME="mayfly test image"', "ID=mayfly-image", "9p",
                                      "test-image"], out
    return lines[:len(NAMES)]


def run_copies_at_once(box, count):
    started = time.time()
    processes = [box.start(*box.words, "--", UNIQUE) for _ in range(count)]
    said = []
    for process in processes:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0 and b"restored" in err, err
        said.append(check_copy(out, err, started))
    return said


@test
def copies_of_an_image_s_system_are_right_and_different_and_leave_it_as_it_was():
    with Imaged() as box:
        started = time.time()
        first = box.run(*box.words, "--", UNIQUE)
        expect(first, 0)
        assert was_saved(first) and was_restored(first), first
        said = [check_copy(first.out, first.err, started)]
        before = box.files()

        started = time.time()
        second = box.run(*box.words, "--", UNIQUE)
        expect(second, 0)
        assert was_restored(second) and not was_saved(second), second
        assert second.seconds < first.seconds, (second.seconds, first.seconds)
        said += [check_copy(second.out, second.err, started), *run_copies_at_once(box, 2)]
        for name, values in zip(NAMES, zip(*said)):
            assert len(set(values)) == len(values), f"{name} repeats: {values}"
        assert box.files() == before, "a copy has written to what was saved, or to the image"
        box.assert_nothing_left()
        check_options_and_verbs(box)
        check_damage(box)
        check_change(box)


def check_options_and_verbs(box):
    """--no-save uses what is saved, --cold and what is written to do not; 'mayfly warm' knows it."""
    assert was_restored(box.run(*box.words, "--no-save", "--", "true"))
    box.not_restored("--cold", reason="No saved machine is used: it was asked to boot")
    box.not_restored("--image-writable", reason="No saved machine is used: the image is to be writ")
    expect(box.run("warm", "build", "--image", box.image), 0, out=b"")
    shown = box.run("warm", "list")
    assert f"  {box.image}, 1.0 GiB, 2 CPUs\n".encode() in shown.out, shown
    key = box.run("warm", "key", "--image", box.image)
    assert key.out.startswith(os.path.basename(box.only()).encode() + b"\n\n"), key


def check_damage(box):
    """What is damaged is removed, said, and not used; the run is right all the same."""
    os.truncate(os.path.join(box.only(), "overlay"), 4096)
    result = box.run(*box.words, "--", "echo right")
    expect(result, 0, out=b"right\n", err="saved machine is removed: its file 'overlay'")
    assert was_saved(result) and was_restored(result), result


def check_change(box):
    """An image that was touched is another one, and one that is gone is no image."""
    name = os.path.basename(box.only())
    os.utime(box.image)
    assert not box.run("warm", "key", "--image", box.image).out.startswith(name.encode())
    box.not_restored("--no-save", reason="No guest agent of the image")
    os.rename(box.image, box.image + " gone")
    expect_sentence(box.run(*box.words, "--", "true"), 69, "an image' cannot be read")


@test
def a_disk_that_fills_up_while_a_system_is_saved_means_a_boot_without_that():
    with Imaged() as box, small_disk(box, "300M"):
        process = box.start(*box.words, "-m", "256M", "--", "echo right")
        pattern = os.path.join(box.warm, "*.building", "overlay")
        sizes = set()
        # Until the system, which is up so far, writes to its disk.
        while process.poll() is None and len(sizes - {0}) < 2:
            sizes.update(os.path.getsize(path) for path in glob.glob(pattern))
            time.sleep(0.01)
        fill_disk(box)
        out, err = process.communicate(timeout=400)
        assert (process.returncode, out) == (0, b"right\n"), err
        assert b"this run boots" in err and b"restored" not in err, err
        assert os.listdir(box.warm) == ["filler"], os.listdir(box.warm)
        box.assert_nothing_left()


@test
def what_cannot_be_saved_of_images_is_said_and_leaves_nothing():
    with Imaged() as box:
        for options, reason in ((["--image-writable"], "the image is to be written to"),
                                (["--disk", box.image], "what is on a disk"),
                                (["--net", "user"], "a network cannot be saved"),
                                (["--qemu-arg=-name", "--qemu-arg=x"], "arguments for QEMU")):
            result = box.run("warm", "key", "--image", box.image, *options)
            expect_sentence(result, 69, f"This machine cannot be saved: .*{reason}")
        result = box.run("warm", "build", "--boot-timeout", "500ms", "--image", box.image)
        expect_sentence(result, 69, "No guest agent of the image .* answered within 500ms")
        assert not os.listdir(box.warm), os.listdir(box.warm)
        box.assert_nothing_left()


if __name__ == "__main__":
    main()

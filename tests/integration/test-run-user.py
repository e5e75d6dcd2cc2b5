#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""mayfly run as an unprivileged user: the same, with what that user may read and write."""

import atexit
import functools
import os
import pwd
import shutil
import tempfile

from harness import Sandbox, Skip, expect, kernel, main, test


def run_as_nobody(box, text, *options, **others):
    box.become_nobody()
    box.env["MAYFLY_CACHE_DIR"], image = shared()
    return box.run("run", "-k", image, *options, "--", text, **others)


@functools.cache
def shared():
    """The cache of all these tests, so that one saved machine serves them, and their kernel."""
    directory = tempfile.mkdtemp(prefix="mayfly-test-", dir="/var/tmp")
    atexit.register(shutil.rmtree, directory)
    os.chmod(directory, 0o755)
    cache = os.path.join(directory, "cache")
    os.mkdir(cache)
    shutil.chown(cache, "nobody", "nogroup")
    return cache, shutil.copy(kernel("small"), os.path.join(directory, "vmlinuz"))


@test
def an_unprivileged_user_runs_commands_as_the_guests_root():
    with Sandbox() as box:
        result = run_as_nobody(box, "id -u; echo x >/etc/mayfly-was-here && cat "
                               "/etc/mayfly-was-here; exit 3")
        expect(result, 3, out=b"0\nx\n")
        assert result.err == b"", f"unasked-for words: {result!r}"
        assert not os.path.exists("/etc/mayfly-was-here")


@test
def the_guest_reads_only_what_the_user_may_read():
    with Sandbox() as box:
        secret, public = (os.path.join(box.directory, name) for name in ("secret", "public"))
        for path, mode in ((secret, 0o600), (public, 0o644)):
            with open(path, "w") as file:
                file.write("content\n")
            os.chmod(path, mode)
        expect(run_as_nobody(box, f"cat {public}; cat {secret}"), 1, out=b"content\n",
               err="secret: Permission denied")


@test
def what_is_written_to_the_share_belongs_to_the_user():
    with Sandbox() as box:
        expect(run_as_nobody(box, "cd /mnt/mayfly && echo x >file && mkdir dir && "
                             "echo y >dir/file"), 0,
               out=b"")
        nobody = pwd.getpwnam("nobody").pw_uid
        for name in ("file", "dir", "dir/file"):
            owner = os.stat(os.path.join(box.work, name)).st_uid
            assert owner == nobody, f"{name} belongs to {owner}"


@test
def a_directory_that_the_user_may_not_write_stays_untouched():
    with Sandbox() as box:
        others = box.make("others")
        result = run_as_nobody(box, "echo x >/mnt/mayfly/file", cwd=others)
        expect(result, 1, out=b"", err="Read-only file system|Permission denied")
        assert os.listdir(others) == []


@test
def a_home_whose_cache_cannot_be_written_is_done_without():
    with Sandbox() as box:
        box.become_nobody()
        del box.env["MAYFLY_CACHE_DIR"]
        box.env.pop("XDG_CACHE_HOME", None)
        cache = os.path.join(box.env["HOME"], ".cache", "mayfly")
        sections = {"images", "initramfs", "kernels", "warm"}
        for section in sections:
            os.makedirs(os.path.join(cache, section))
        image = shared()[1]
        expect(box.run("run", "-k", image, "--", "true"), 0)
        again = box.run("run", "-v", "-k", image, "--", "true")
        expect(again, 0)
        assert b"is a copy of a saved machine" in again.err, again.err
        assert set(os.listdir(cache)) == sections
        shutil.rmtree(os.path.join(box.tmp, f"mayfly-cache-{pwd.getpwnam('nobody').pw_uid}"))
        box.assert_nothing_left()


@test
def a_writable_root_gives_no_more_than_the_user_has():
    with Sandbox() as box:
        result = run_as_nobody(box, f"echo x >{box.directory}/file; echo y >{box.work}/file",
                               "--root-mode", "rw")
        expect(result, 0, out=b"", err="Permission denied")
        assert not os.path.exists(os.path.join(box.directory, "file"))
        assert os.path.exists(os.path.join(box.work, "file"))


@test
def the_init_script_works_for_an_unprivileged_user():
    if not shutil.which("qemu-ga", path=os.environ["PATH"] + ":/usr/sbin:/sbin"):
        raise Skip("the host's root, which is the guest's here, has no qemu-ga")
    with Sandbox() as box:
        expect(run_as_nobody(box, "id -u; exit 4", "--init", "script"), 4, out=b"0\n")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""An initramfs for guests that have nothing of mayfly's: busybox, and a script that is /init."""

import os
import shutil
import stat

from harness import Skip

# The small kernel has the port, and its devices come with the mount.
PRELUDE = """#!/bin/busybox sh
/bin/busybox mkdir -p /dev /proc /sys /bin
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
export PATH=/bin
exec </dev/ttyS0 >/dev/ttyS0 2>&1
"""


def find_busybox():
    """A busybox that needs no libraries."""
    path = shutil.which("busybox")
    if not path:
        raise Skip("there is no busybox")
    with open(path, "rb") as file:
        if b"/ld-linux" in file.read(1 << 16):
            raise Skip(f"'{path}' is not static")
    return path


def entry(number, name, mode, data):
    """A member of a cpio archive in the format newc."""
    fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    header = b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
    header += b"\0" * (-len(header) % 4)
    return header + data + b"\0" * (-len(data) % 4)


def write(path, members):
    """An archive of (name, mode, content)."""
    with open(path, "wb") as file:
        for number, member in enumerate([*members, ("TRAILER!!!", 0, b"")], 1):
            file.write(entry(number, *member))


def make(directory, script, name="initramfs"):
    """Its path. 'script' has the serial port as its standard streams."""
    with open(find_busybox(), "rb") as file:
        busybox = file.read()
    members = [("bin", stat.S_IFDIR | 0o755, b""),
               ("bin/busybox", stat.S_IFREG | 0o755, busybox),
               ("init", stat.S_IFREG | 0o755, (PRELUDE + script).encode())]
    path = os.path.join(directory, name)
    write(path, members)
    return path

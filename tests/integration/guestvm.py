# SPDX-License-Identifier: Apache-2.0
"""The guest program as PID 1 under QEMU itself, without mayfly: its two ports are sockets."""

import contextlib
import os
import pathlib
import socket
import stat
import subprocess
import tempfile
import time

import initramfs
from harness import KERNELS, Skip
from streampeer import DEADLINE

PROGRAM = os.environ["MAYFLY_GUEST"]
QEMU = "qemu-system-x86_64"
CONSOLE_MODULES = ("virtio_pci", "virtio_console")


def archive(path, files):
    """A newc archive of executable files, by their paths in the guest; their directories too."""
    directories = sorted({str(parent) for name in files
                          for parent in pathlib.PurePosixPath(name).parents} - {"."})
    members = [(name, stat.S_IFDIR | 0o755, b"") for name in directories]
    members += [(name, stat.S_IFREG | 0o755, data) for name, data in files.items()]
    initramfs.write(path, members)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def module_files(kernel):
    """What a distribution's kernel needs for its virtio ports, as files of the initramfs."""
    [tree] = pathlib.Path(KERNELS, kernel, "lib", "modules").iterdir()
    needs = {}
    for line in (tree / "modules.dep").read_text().splitlines():
        path, _, others = line.partition(":")
        needs[pathlib.Path(path).stem] = [path, *others.split()]
    order = []
    for name in CONSOLE_MODULES:
        for path in reversed(needs[name]):
            if path not in order:
                order.append(path)
    files = {f"modules/{pathlib.Path(path).name}": read(tree / path) for path in order}
    files["modules.load"] = "".join(f"/{name}\n" for name in files).encode()
    return files


class Machine:
    """A VM at the ready point; each port is a socket that a host may connect to and leave."""

    def __init__(self, directory, kernel=os.path.join("small", "vmlinux"), files=None, cpus=1):
        kernel = os.path.join(KERNELS, kernel)
        if os.environ.get("MAYFLY_SANITIZED") == "1":
            raise Skip("a sanitized program is not static and cannot be an init")
        if not os.path.exists(kernel):
            raise Skip(f"no '{kernel}': MAYFLY_TEST_KERNELS='{KERNELS}'")
        self.directory = directory
        archive(self.path("initrd"), {"init": read(PROGRAM), **(files or {})})
        arguments = ["-nodefaults", "-display", "none", "-accel", "tcg", "-m", "256",
                     "-smp", str(cpus),
                     "-kernel", kernel, "-initrd", self.path("initrd"), "-no-reboot",
                     "-append", "quiet console=ttyS0 panic=-1",
                     "-chardev", f"file,id=console,path={self.path('console')}",
                     "-serial", "chardev:console", "-device", "virtio-serial-pci"]
        for name, port in (("agent", "org.qemu.guest_agent.0"),
                           ("stream", "org.mayfly.stream.0")):
            arguments += ["-chardev", f"socket,id={name},path={self.path(name)},server=on,wait=off",
                          "-device", f"virtserialport,chardev={name},name={port}"]
        self.process = subprocess.Popen([QEMU, *arguments], stdin=subprocess.DEVNULL)

    def path(self, name):
        return os.path.join(self.directory, name)

    @contextlib.contextmanager
    def connect(self, name):
        deadline = time.monotonic() + DEADLINE
        while True:
            sock = socket.socket(socket.AF_UNIX)
            try:
                sock.connect(self.path(name))
                break
            except OSError:
                sock.close()
                assert time.monotonic() < deadline and self.process.poll() is None
                time.sleep(0.05)
        with sock:
            sock.settimeout(DEADLINE)
            yield sock

    def close(self):
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def machine(**options):
    with tempfile.TemporaryDirectory(prefix="mayfly-") as directory:
        vm = Machine(directory, **options)
        try:
            yield vm
        finally:
            vm.close()

# SPDX-License-Identifier: Apache-2.0
"""A libvirtd of the test's own: a session's, on a socket and in directories that nobody else uses."""

import glob
import os
import shutil
import signal
import subprocess
import tempfile
import time

from harness import Sandbox, Skip

SBIN = "/usr/local/sbin:/usr/sbin:/sbin"
TPM_PROGRAMS = ("swtpm", "swtpm_setup", "swtpm_ioctl", "swtpm_cert", "certtool")
# A session's daemon is one that does not run as root. What it may do is what root may, in a user
# namespace in which root has another number.
AS_NO_ROOT = ("/usr/bin/unshare", "--user", "--map-user=1000", "--map-group=1000")


class Libvirt(Sandbox):
    def __init__(self):
        super().__init__()
        self.env["PATH"] += ":" + SBIN
        for name in ("libvirtd", "virsh"):
            if not shutil.which(name, path=self.env["PATH"]):
                super().close()
                raise Skip(f"no {name}")
        # The paths of sockets are below it, and may not be long.
        self.place = tempfile.mkdtemp(prefix="mf-", dir="/tmp")
        self.uri = f"qemu+unix:///session?socket={self.place}/run/libvirt/libvirt-sock"
        self.start_daemon()

    def start_daemon(self):
        # It looks at each QEMU that it finds, which takes seconds: here it finds one.
        libvirtd = shutil.which("libvirtd", path=self.env["PATH"])
        bin_path = f"{self.place}/bin"
        if not os.path.isdir(bin_path):
            os.mkdir(bin_path)
            for name in ("qemu-system-" + os.uname().machine, *TPM_PROGRAMS):
                program = shutil.which(name, path=self.env["PATH"])
                if program:
                    os.symlink(program, os.path.join(bin_path, name))
        env = {**self.env, "HOME": self.place, "PATH": bin_path, "XDG_RUNTIME_DIR": f"{self.place}/run",
               "XDG_CONFIG_HOME": f"{self.place}/c", "XDG_CACHE_HOME": f"{self.place}/cache"}
        os.makedirs(f"{self.place}/c/libvirt", exist_ok=True)
        os.makedirs(f"{self.place}/run", exist_ok=True)
        with open(f"{self.place}/c/libvirt/qemu.conf", "w", encoding="utf-8") as file:
            file.write('stdio_handler = "file"\n')
        self.log = f"{self.place}/libvirtd.log"
        with open(self.log, "ab") as log:
            self.daemon = subprocess.Popen([*(AS_NO_ROOT if os.geteuid() == 0 else ()), libvirtd],
                                           stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                           env=env, cwd=self.place)
        self.wait(lambda: self.daemon.poll() is not None or self.virsh("uri").returncode == 0,
                  "libvirtd to answer")
        if self.daemon.poll() is not None:
            said = self.said()
            self.close()
            raise Skip(f"libvirtd does not start here: {said}")

    def said(self):
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read()[-2000:]

    def virsh(self, *words):
        return subprocess.run(["virsh", "-q", "-c", self.uri, *words], env=self.env, cwd=self.work,
                              capture_output=True, text=True, timeout=60, check=False)

    def domains(self):
        return self.virsh("list", "--all", "--name").stdout.split()

    def qemus(self):
        """The processes of this libvirtd's machines."""
        found = []
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(path, "rb") as file:
                    words = file.read().split(b"\0")
            except OSError:
                continue
            if b"qemu" in words[0] and any(self.place.encode() in word for word in words):
                found.append(int(path.split("/")[2]))
        return found

    def wait(self, condition, what, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited in vain for {what}:\n{self.said()}"
            time.sleep(0.05)

    def wait_for_guest(self, process):
        """Until the guest that 'process' (mayfly with --console) boots has said something."""
        line = process.stderr.readline()
        assert line, f"mayfly ended with {process.wait()}:\n{self.said()}"

    def close(self):
        if self.daemon.poll() is None:
            self.daemon.send_signal(signal.SIGTERM)
            try:
                self.daemon.wait(20)
            except subprocess.TimeoutExpired:
                self.daemon.kill()
                self.daemon.wait()
        for pid in self.qemus():
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.place, ignore_errors=True)
        super().close()

    def __exit__(self, kind, *rest):
        try:
            if kind is None:
                assert not self.domains(), f"left behind: {self.domains()}"
                assert not os.listdir(self.tmp), f"left in TMPDIR: {os.listdir(self.tmp)}"
        finally:
            self.close()

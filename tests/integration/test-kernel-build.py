#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""'mayfly kernel build' with the source of a real kernel: what Debian ships as linux-source. What
configures it is kept beside the test kernels; the build itself is for 'make soak'."""

import fcntl
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile

from harness import KERNELS, MAYFLY, Sandbox, Skip, expect, expect_sentence, main, test

try:
    import yaml
except ImportError:
    yaml = None

ROOT = pathlib.Path(__file__).resolve().parents[2]
PACKAGE = "linux-source-6.1"
# Of a source tree, what Kconfig reads.
CONFIGURES = ["*/Makefile", "*/Kconfig*", "*/arch/x86/Makefile*", "*/arch/x86/configs/*",
              "*/kernel/configs/*", f"{PACKAGE}/scripts/*"]


def unpack(package, directory, patterns=()):
    """The source tree in the package, or of it what fits the patterns."""
    archive = subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE)
    source = subprocess.Popen(["tar", "-xO", f"./usr/src/{PACKAGE}.tar.xz"], stdin=archive.stdout,
                              stdout=subprocess.PIPE)
    subprocess.run(["tar", "-xJ", "--strip-components=1", "-C", directory, "--wildcards",
                    *patterns], stdin=source.stdout, check=True)


def download(directory):
    done = subprocess.run(["apt-get", "-q", "download", PACKAGE], cwd=directory, check=False,
                          capture_output=True, text=True)
    if done.returncode:
        raise Skip(f"apt-get cannot download {PACKAGE}: {done.stderr.strip()}")
    return os.path.join(directory, os.listdir(directory)[0])


def source():
    """The directory with what configures the kernel; made once."""
    if not KERNELS or not shutil.which("apt-get"):
        raise Skip("no MAYFLY_TEST_KERNELS to keep the source in, or no apt-get to fetch it")
    place = os.path.join(KERNELS, "source")
    with open(os.path.join(KERNELS, "source.lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.exists(place):
            with tempfile.TemporaryDirectory(dir=KERNELS) as work:
                os.mkdir(os.path.join(work, "tree"))
                os.mkdir(os.path.join(work, "package"))
                unpack(download(os.path.join(work, "package")), os.path.join(work, "tree"),
                       CONFIGURES)
                os.rename(os.path.join(work, "tree"), place)
    return place


class Box(Sandbox):
    def __init__(self):
        super().__init__()
        self.env["MAYFLY_CACHE_DIR"] = self.make("cache")
        self.out = os.path.join(self.directory, "out")

    def build(self, tree, *arguments, timeout=240):
        return self.run("kernel", "build", tree, "-o", self.out, *arguments, timeout=timeout)

    def config(self):
        with open(os.path.join(self.out, ".config"), encoding="ascii") as file:
            return file.read().splitlines()


@test
def a_real_tree_takes_all_that_mayfly_needs():
    with Box() as box:
        expect(box.build(source(), "--configure"), 0, out=b"", err="^$")
        config = box.config()
        for option in ("9P_FS", "VIRTIO_FS", "OVERLAY_FS", "VIRTIO_CONSOLE", "PVH"):
            assert f"CONFIG_{option}=y" in config, option
        assert "# CONFIG_MODULES is not set" in config, "not the small kernel"


@test
def what_a_real_tree_does_not_take_is_named():
    with Box() as box:
        tree = os.path.join(box.directory, "tree")
        subprocess.run(["cp", "-a", source(), tree], check=True)
        kconfig = os.path.join(tree, "fs", "overlayfs", "Kconfig")
        os.unlink(kconfig)
        with open(kconfig, "w", encoding="ascii"):
            pass
        result = box.build(tree, "--config", os.path.join(KERNELS, "small", "config"))
        expect_sentence(result, 2, re.escape("needs: CONFIG_OVERLAY_FS=y is not in"))
        assert not os.path.exists(os.path.join(box.out, "vmlinux"))


class Job(Box):
    """A step of a workflow in a kernel tree, where nothing is compiled, no VM starts, and a bisection
    has one commit. When a kernel would be compiled, its configuration is kept."""

    PROGRAMS = {
        "make": 'case " $* " in *" bzImage "*) exec cp .config "$SEEN" ;; esac\nexec {make} "$@"\n',
        "mayfly": '[ "$1" != run ] || exit 0\nexec {mayfly} "$@"\n',
        "git": '[ "$2" != run ] || exec "$3"\n',
    }

    def __init__(self):
        super().__init__()
        self.tree = os.path.join(self.directory, "tree")
        subprocess.run(["cp", "-a", source(), self.tree], check=True)
        programs = pathlib.Path(self.make("bin"))
        for name, text in self.PROGRAMS.items():
            text = text.format(make=shutil.which("make"), mayfly=MAYFLY)
            (programs / name).write_text("#!/bin/sh\n" + text, encoding="ascii")
            (programs / name).chmod(stat.S_IRWXU)
        self.env.update(PATH=f"{programs}:{self.env['PATH']}", RUNNER_TEMP=self.make("temp"),
                        GOOD="a", BAD="b", COMMAND="true",
                        GITHUB_STEP_SUMMARY=os.path.join(self.directory, "summary"))

    def run_step(self, workflow, job, name):
        """What the kernel that the step makes would be, as lines."""
        text = (ROOT / "data" / "examples" / "github" / workflow).read_text(encoding="utf-8")
        script = next(step["run"] for step in yaml.safe_load(text)["jobs"][job]["steps"]
                      if step.get("name") == name)
        seen = pathlib.Path(self.directory) / workflow
        done = subprocess.run(["bash", "-e", "-c", script], cwd=self.tree, check=False, timeout=480,
                              env={**self.env, "SEEN": str(seen)}, capture_output=True, text=True)
        assert done.returncode == 0, (workflow, done.stdout, done.stderr)
        return seen.read_text(encoding="ascii").splitlines()


@test
def the_kernels_of_the_github_examples_have_all_that_mayfly_needs():
    if not yaml:
        raise Skip("there is no module yaml on this host")
    needs = (ROOT / "data" / "kernel-needs.config").read_text(encoding="ascii")
    needed = [line for line in needs.splitlines() if line.startswith("CONFIG_")]
    assert "CONFIG_OVERLAY_FS=y" in needed
    with Job() as job:
        ordinary = job.run_step("command.yml", "selftests", "Build")
        assert "CONFIG_MODULES=y" in ordinary, "not the defconfig of the example"
        os.unlink(os.path.join(job.tree, ".config"))
        for config in (ordinary, job.run_step("bisect.yml", "bisect", "Bisect")):
            missing = [line for line in needed if line not in config]
            assert not missing, missing


@test
def a_kernel_that_was_built_runs():
    if not os.environ.get("MAYFLY_TEST_SOAK"):
        raise Skip("takes many minutes: set MAYFLY_TEST_SOAK, as 'make soak' does")
    with Box() as box:
        tree = box.make("tree")
        unpack(download(box.make("package")), tree)
        expect(box.build(tree, "--name", "mine", timeout=3000), 0, out=b"mine\n")
        result = box.run("run", "-k", "mine", "--", "uname", "-r")
        expect(result, 0)
        assert re.fullmatch(rb"6\.1\.\d+-mayfly\n", result.out), result


if __name__ == "__main__":
    main()

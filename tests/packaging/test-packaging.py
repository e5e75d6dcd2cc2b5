#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What 'meson install', 'make deb' and 'make tarball' give.

Usage: test-packaging.py BUILD [NAME...]
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import tap  # noqa: E402

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
SOAK = bool(os.environ.get("MAYFLY_TEST_SOAK"))
# Below the prefix; a package compresses the pages.
INSTALLED = {
    "bin/mayfly",
    "libexec/mayfly/mayfly-guest",
    "share/bash-completion/completions/mayfly",
    "share/fish/vendor_completions.d/mayfly.fish",
    "share/man/man1/mayfly.1",
    "share/man/man5/mayfly.toml.5",
    "share/man/man8/mayfly-guest.8",
    "share/zsh/site-functions/_mayfly",
    *(f"share/mayfly/{schema.name}" for schema in (ROOT / "data").glob("*.schema.json")),
}
# What a host without any of mayfly's libraries has: the C library's own, and util-linux's.
EVERYWHERE = re.compile(r"(ld-linux|lib(c|m|dl|pthread|resolv|mount)\.so)")


def run(*command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}: status {done.returncode}\n{done.stdout[-4000:]}"
    return done.stdout


def files_below(top):
    return {str(path.relative_to(top)) for path in pathlib.Path(top).rglob("*")
            if not path.is_dir()}


class Packaging(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.place = pathlib.Path(directory.name)

    def assert_runs(self, program):
        version = run(str(program), "--version").strip()
        self.assertEqual(version, f"mayfly {self.version()}")
        self.assertIn("debian/6.1", run(str(program), "kernel", "pull", "--help"))

    @staticmethod
    def version():
        return re.search(r"version: '([^']*)'", (ROOT / "meson.build").read_text()).group(1)

    def test_an_installation_has_these_files(self):
        run("meson", "install", "-C", str(BUILD), "--no-rebuild", "--destdir", str(self.place))
        top = next(self.place.rglob("bin/mayfly")).parents[1]
        self.assertEqual(files_below(self.place),
                         {str((top / name).relative_to(self.place)) for name in INSTALLED})
        self.assert_runs(top / "bin" / "mayfly")

    def test_the_package_has_the_version_and_the_dependencies_of_the_build(self):
        changelog = (ROOT / "debian" / "changelog").read_text()
        self.assertEqual(re.match(r"mayfly \((.*)\)", changelog).group(1), self.version())
        control = (ROOT / "debian" / "control").read_text()
        wanted = set(re.findall(r"^build\|pc [^|]*\|([^|]*)\|", (ROOT / "tools" / "deps.sh")
                                .read_text(), re.M))
        self.assertGreater(len(wanted), 5)
        for package in wanted | {"libcurl4-openssl-dev", "libyaml-dev"}:
            self.assertRegex(control, rf"\s{re.escape(package)}\b")

    def test_the_exported_source_is_what_git_knows(self):
        run(str(ROOT / "tools" / "export-source.sh"), str(self.place / "source"))
        exported = files_below(self.place / "source")
        self.assertLessEqual({"meson.build", "debian/rules", "src/cli/main.c", "Makefile"}, exported)
        if (ROOT / ".git").exists() and shutil.which("git"):
            known = run("git", "-c", f"safe.directory={ROOT}", "-C", str(ROOT), "ls-files").split("\n")
            self.assertEqual(exported, {name for name in known if name})

    @unittest.skipUnless(SOAK, "takes minutes: set MAYFLY_TEST_SOAK, as 'make soak' does")
    def test_a_debian_package_is_built_and_has_what_is_installed(self):
        if not shutil.which("dh"):
            self.skipTest("debhelper is not installed")
        output = run(str(ROOT / "tools" / "deb.sh"), str(self.place / "deb"))
        package = output.strip().split("\n")[-1]
        self.assertTrue(list((self.place / "deb").glob("mayfly_*.dsc")), "no source package")
        run("dpkg-deb", "-x", package, str(self.place / "root"))
        files = {re.sub(r"(/man/.*)\.gz$", r"\1", name)
                 for name in files_below(self.place / "root" / "usr")
                 if not name.startswith("share/doc/")}
        # An override is named after the package.
        self.assertEqual(files - {"share/lintian/overrides/mayfly"}, INSTALLED)
        self.assert_runs(self.place / "root" / "usr" / "bin" / "mayfly")
        depends = run("dpkg-deb", "-f", package, "Depends")
        for library in ("libarchive13", "libkmod2", "libglib2.0", "libjson-c"):
            self.assertIn(library, depends)
        if shutil.which("lintian"):
            complaints = [line for line in run("lintian", "--fail-on", "none", package).split("\n")
                          if re.match(r"[EW]: ", line)]
            self.assertEqual(complaints, [])

    @unittest.skipUnless(SOAK, "takes minutes: set MAYFLY_TEST_SOAK, as 'make soak' does")
    def test_a_tarball_needs_what_every_host_has_alone(self):
        path = run(str(ROOT / "tools" / "tarball.sh"),
                   str(self.place / "tarball")).strip().split("\n")[-1]
        with tarfile.open(path) as archive:
            names = {name.partition("/")[2] for name in archive.getnames()}
            owners = {(member.uid, member.gid) for member in archive}
            archive.extractall(self.place / "elsewhere")
        self.assertLessEqual(INSTALLED | {"LICENSE", "README.md"}, names)
        self.assertEqual(owners, {(0, 0)})
        program = next((self.place / "elsewhere").rglob("bin/mayfly"))
        needed = re.findall(r"NEEDED.*\[(.*)\]", run("readelf", "-d", str(program)))
        self.assertIn("libc.so.6", needed)
        self.assertEqual([name for name in needed if not EVERYWHERE.match(name)], [])
        self.assert_runs(program)


if __name__ == "__main__":
    tap.main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What 'meson install', 'make deb' and 'make tarball' give.

Usage: test-packaging.py BUILD [NAME...]
"""

import json
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


# What only the backend has: the names of libvirt's libraries and functions, and the domain's text.
OF_LIBVIRT = re.compile(rb"libvirt[-a-z0-9.]*\.so|\bvir(?:Connect|Domain|Stream|Event|Error)[A-Z]\w+|"
                        rb"\bgvir_\w+|<domain type=")
# What needs a library that is loaded late, the library, and Debian's package of it.
LAZY = [
    (["exec", "--connect", "qemu:///session", "--domain", "x", "--", "true"], "libvirt.so.0",
     "libvirt0"),
    (["kernel", "pull", "oci://localhost:1/a"], "libcurl.so.4", "libcurl4"),
    (["kernel", "add", "/a.deb"], "libarchive.so.13", "libarchive13"),
]


def run(*command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, **options)
    assert done.returncode == 0, f"{command}: status {done.returncode}\n{done.stdout[-4000:]}"
    return done.stdout


def last_words(status, *command):
    """The last line that the command says, which has to end with this status."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == status, f"{command}: status {done.returncode}\n{done.stdout[-4000:]}"
    return done.stdout.strip().split("\n")[-1]


def doctor_on_libvirt(*command):
    done = subprocess.run([*command, "doctor", "--json"], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, check=False)
    return next(check["message"] for check in json.loads(done.stdout)["checks"]
                if check["id"] == "libvirt")


def make_bare_host(top, program):
    """Below 'top' a host that has the program, what it is linked with, and nothing else; the command
    that runs the program there."""
    for path in re.findall(r"(/\S+) \(", run("ldd", str(program))):
        (top / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, top / path[1:])
    shutil.copy(program, top / "mayfly")
    (top / "a.deb").write_bytes(b"!<arch>\n" + b"debian-binary".ljust(48) + b"4         `\n2.0\n")
    user = [] if os.geteuid() == 0 else ["unshare", "--map-root-user"]
    return ["env", "-i", "HOME=/", f"PATH={os.environ['PATH']}:/usr/sbin:/sbin", *user,
            "chroot", str(top), "/mayfly"]


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

    def assert_has_nothing_of_libvirt(self, program):
        self.assertEqual(set(OF_LIBVIRT.findall(pathlib.Path(program).read_bytes())), set())
        self.assertNotIn("libvirt", run("readelf", "-d", str(program)))
        self.assertEqual(doctor_on_libvirt(str(program)),
                         "mayfly was built without this backend, which no run needs.")
        self.assertEqual(last_words(69, str(program), *LAZY[0][0]), "mayfly: This mayfly was built "
                         "without libvirt, and cannot connect to 'qemu:///session'.")

    def assert_names_each_library_that_is_missing(self, program, lazy):
        command = make_bare_host(self.place / "bare", program)
        version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
        if version.stderr.startswith("unshare:"):
            self.skipTest(f"a root directory of its own is not allowed: {version.stderr}")
        self.assertEqual(version.stdout, f"mayfly {self.version()}\n", version)
        for arguments, library, package in lazy:
            self.assertRegex(last_words(69, *command, *arguments),
                             rf"^mayfly: The library '{library}' cannot be loaded \(.*\): install it "
                             rf"\(Debian: {package}\)\.$")
        return command

    @staticmethod
    def uses_all_libraries():
        """Whether this build does, of those that it need not have: the program names each."""
        program = (BUILD / "src" / "cli" / "mayfly").read_bytes()
        return all(library.encode() in program for _, library, _ in LAZY)

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

    def test_built_without_libvirt_nothing_of_it_is_linked_and_doctor_says_so(self):
        if self.uses_all_libraries():
            self.assertTrue(OF_LIBVIRT.search((BUILD / "src" / "cli" / "mayfly").read_bytes()))
        self.assert_has_nothing_of_libvirt(os.environ["MAYFLY_WITHOUT_LIBVIRT"])

    def test_on_a_host_without_the_libraries_the_missing_one_is_named(self):
        if not self.uses_all_libraries():
            self.skipTest("built without libvirt or libcurl")
        command = self.assert_names_each_library_that_is_missing(BUILD / "src" / "cli" / "mayfly", LAZY)
        self.assertRegex(doctor_on_libvirt(*command), "does not work here.*'libvirt.so.0'")

    @unittest.skipUnless(SOAK, "takes minutes: set MAYFLY_TEST_SOAK, as 'make soak' does")
    def test_a_whole_build_without_libvirt_has_nothing_of_it(self):
        build = self.place / "without"
        run("meson", "setup", str(build), str(ROOT), "-Dlibvirt=disabled", "-Dtests=false",
            "-Dguest_archs=[]")
        run("ninja", "-C", str(build), "src/cli/mayfly")
        self.assert_has_nothing_of_libvirt(build / "src" / "cli" / "mayfly")

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
        # libvirt would talk to another GLib than the one that is inside.
        self.assert_has_nothing_of_libvirt(program)
        if self.uses_all_libraries():
            self.assert_names_each_library_that_is_missing(program, LAZY[1:])


if __name__ == "__main__":
    tap.main()

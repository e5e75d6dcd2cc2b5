#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kernels from registries of container images: a real registry, and one that means harm; and those
that are fetched by URL. No VM is started."""

import gzip
import json
import os
import pty
import re
import signal
import tarfile
import time

from harness import Sandbox, Skip, expect, expect_sentence, main, test
from registry import (DOCKER_MANIFEST, PASSWORD, RELEASE, USER, FakeRegistry, RealRegistry,
                      arm64_image, basic, deb, descriptor, digest, entry, kernel_layer, layer)

PLACE = f"boot/vmlinuz-{RELEASE}"


class Box(Sandbox):
    def __init__(self):
        super().__init__()
        self.cache = self.make("cache")
        self.env["MAYFLY_CACHE_DIR"] = self.cache
        self.env.pop("http_proxy", None)

    def pull(self, *arguments):
        return self.run("kernel", "pull", *arguments, timeout=60)

    def files(self):
        """Everything in the cache, as paths below it."""
        return sorted(os.path.relpath(os.path.join(top, name), self.cache)
                      for top, _, names in os.walk(self.cache) for name in names)

    def kernels(self):
        return [path[len("kernels/"):] for path in self.files() if path.startswith("kernels/")]

    def read(self, name):
        with open(os.path.join(self.cache, "kernels", name), "rb") as file:
            return file.read()

    def refuse(self, registry, reference, pattern, status=(2, 69)):
        """That this is refused in a sentence, and leaves nothing anywhere."""
        before = sorted(os.listdir(self.directory))
        result = self.pull(reference)
        assert result.status in status, result
        expect_sentence(result, result.status, pattern)
        assert self.files() == [], self.files()
        assert not os.listdir(self.work), os.listdir(self.work)
        assert sorted(os.listdir(self.directory)) == before
        left = [os.path.join(top, name) for top, names, _ in os.walk(self.cache) for name in names]
        assert len(left) <= 2, f"directories left: {left}"


def platform():
    """What packages and images call this host's architecture."""
    machine = os.uname().machine
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


ENTRY_FILES = [f"boot/config-{RELEASE}", "boot/vmlinuz", "kernel.json",
               f"lib/modules/{RELEASE}/kernel/fs/9p.ko", f"lib/modules/{RELEASE}/modules.dep"]


@test
def an_image_of_a_real_registry_becomes_a_kernel_with_config_and_modules():
    with Box() as box, RealRegistry(box) as registry:
        registry.push("lab/kernels", "6.6", [kernel_layer()])
        reference = f"oci://{registry.address}/lab/kernels:6.6"
        expect(box.pull(reference), 0, out=b"kernels/6.6\n", err="^$")
        assert box.kernels() == [f"kernels@6.6/{name}" for name in ENTRY_FILES], box.kernels()
        assert not [path for path in box.files() if path.startswith("downloads/")], box.files()
        listed = json.loads(box.run("kernel", "list", "--json").out)
        assert [(one["name"], one["release"], one["source"]) for one in listed] == [
            ("kernels/6.6", RELEASE, reference)], listed
        expect(box.run("kernel", "info", "kernels/6.6"), 0)


@test
def a_real_registry_s_other_forms_are_understood():
    """An index by platform, Docker's types, a sum instead of a tag, a name of one's own."""
    with Box() as box, RealRegistry(box) as registry:
        other = registry.push("multi", "other", [layer(entry(PLACE, arm64_image("1.1.1-other")))])
        own = registry.push("multi", "own", [kernel_layer()], DOCKER_MANIFEST,
                            "application/vnd.docker.image.rootfs.diff.tar.gzip")
        machine = platform()
        registry.push_index("multi", "latest", {"s390x": other, machine: own})
        expect(box.pull(f"oci://{registry.address}/multi"), 0, out=b"multi/latest\n")
        entry_facts = json.loads(box.read("multi@latest/kernel.json"))
        assert entry_facts["release"] == RELEASE, entry_facts
        expect(box.pull(f"oci://{registry.address}/multi@{digest(own)}", "--name", "mine"), 0,
               out=b"mine\n")
        registry.push_index("multi", "none", {"s390x": other})
        expect_sentence(box.pull(f"oci://{registry.address}/multi:none"), 2,
                        f"no image for linux/{machine}: it has linux/s390x")
        expect_sentence(box.pull(f"oci://{registry.address}/multi:gone"), 2, "has no image 'oci:")


@test
def layers_lie_over_each_other_and_whiteouts_remove():
    with Box() as box, RealRegistry(box) as registry:
        tree = f"lib/modules/{RELEASE}"
        below = layer(entry(PLACE, b"old"), entry(f"{tree}/kernel/gone.ko", b"x"),
                      entry(f"{tree}/extra/gone.ko", b"x"), entry(f"{tree}/kept.ko", b"kept"),
                      entry("etc/passwd", b"not a kernel's"))
        above = layer(entry(PLACE, arm64_image()), entry(f"{tree}/kernel/.wh.gone.ko"),
                      entry(f"{tree}/extra/own.ko", b"own"),
                      entry(f"{tree}/extra/.wh..wh..opq"), entry("etc/.wh.passwd"),
                      entry(f"usr/{tree}/modules.dep", b"kept.ko:\n"))
        registry.push("layers", "1", [below, above, above])
        expect(box.pull(f"oci://{registry.address}/layers:1"), 0)
        assert box.kernels() == [f"layers@1/{name}" for name in (
            "boot/vmlinuz", "kernel.json", f"{tree}/extra/own.ko", f"{tree}/kept.ko",
            f"{tree}/modules.dep")], box.kernels()
        assert box.read("layers@1/boot/vmlinuz") != b"old"


@test
def a_second_pull_fetches_nothing_that_has_not_changed():
    with Box() as box, FakeRegistry() as registry:
        data = kernel_layer()
        reference = registry.put([data])
        expect(box.pull(reference), 0)
        expect(box.pull(reference), 0, out=b"kernel/1\n")
        assert len(registry.asked(registry.blob(data))) == 1
        newer = kernel_layer()
        registry.put([newer])
        expect(box.pull(reference), 0)
        assert len(registry.asked(registry.blob(newer))) == 1


@test
def the_layouts_of_known_images_are_recognised():
    kernel = arm64_image()
    for names, release in ((["boot/vmlinuz", f"lib/modules/{RELEASE}/modules.dep", "boot/config"],
                            RELEASE),
                           (["vmlinux"], RELEASE), (["kernel"], RELEASE),
                           ([f"data/kernels/ci/boot/vmlinuz-{RELEASE}",
                             f"data/kernels/ci/boot/vmlinux-{RELEASE}"], RELEASE),
                           ([f"usr/lib/modules/{RELEASE}/vmlinuz"], RELEASE)):
        with Box() as box, FakeRegistry() as registry:
            reference = registry.put([layer(*(entry(name, kernel) for name in names))])
            expect(box.pull(reference), 0)
            facts = json.loads(box.read("kernel@1/kernel.json"))
            assert facts["release"] == release, (names, facts)
            images = [name for name in box.kernels() if "/boot/vmlinu" in name]
            assert len(images) == 1, (names, box.kernels())


@test
def a_registry_that_wants_a_token_is_given_the_one_for_anybody():
    with Box() as box, FakeRegistry() as registry:
        registry.token = "a.token-for_anybody="
        expect(box.pull(registry.put([kernel_layer()])), 0)
        paths = [path for path, _ in registry.requests]
        assert "/token?service=test&scope=repository%3Aevil%2Fkernel%3Apull" in paths, paths
        assert sum(path.startswith("/token") for path in paths) == 1, paths


def write_credentials(box, path, registry, auth):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        json.dump({"auths": {registry.address: {"auth": auth}}}, file)


@test
def a_real_registry_that_wants_a_password_is_sent_the_users_and_nobody_sees_it():
    with Box() as box, RealRegistry(box, private=True) as registry:
        registry.push("lab/kernels", "6.6", [kernel_layer()])
        pull = ("-v", f"oci://{registry.address}/lab/kernels:6.6")
        box.env["HOME"] = box.make("home")
        for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE"):
            box.env.pop(name, None)
        config = os.path.join(box.env["HOME"], ".docker", "config.json")
        nothing = box.pull(*pull)
        expect(nothing, 69, out=b"", err=r"does not give .* \(status 401\): it may not be public, or "
               rf"not there, and '{re.escape(config)}' has no credentials for it\.")
        write_credentials(box, config, registry, basic(USER, "wrong"))
        wrong = box.pull(*pull)
        expect(wrong, 69, out=b"", err=r"\(status 401\): the credentials in .* may be wrong")
        write_credentials(box, config, registry, basic(USER, PASSWORD) + "!")
        broken = box.pull(*pull)
        expect(broken, 2, out=b"", err=rf"'{re.escape(config)}' are of no known form")
        box.env["REGISTRY_AUTH_FILE"] = os.path.join(box.work, "auth.json")
        expect(box.pull(*pull), 2, out=b"", err="auth.json' cannot be read")
        write_credentials(box, box.env["REGISTRY_AUTH_FILE"], registry, basic(USER, PASSWORD))
        own = box.pull(*pull)
        expect(own, 0, out=b"kernels/6.6\n")
        del box.env["REGISTRY_AUTH_FILE"]
        write_credentials(box, config, registry, basic(USER, PASSWORD))
        usual = box.pull(*pull, "--name", "again")
        expect(usual, 0, out=b"again\n")
        said = b"".join(result.out + result.err for result in (nothing, wrong, broken, own, usual))
        kept = b"".join(box.read(name) for name in box.kernels() if name.endswith(".json"))
        for secret in (PASSWORD, basic(USER, PASSWORD), basic(USER, "wrong")):
            assert secret.encode() not in said + kept, f"{secret} is in {said + kept}"


@test
def credentials_are_for_who_gives_the_token_and_not_for_another_host():
    with Box() as box, FakeRegistry() as registry:
        registry.token = "a.token-for_somebody="
        reference = registry.put([kernel_layer()])
        box.env["REGISTRY_AUTH_FILE"] = os.path.join(box.work, "auth.json")
        write_credentials(box, box.env["REGISTRY_AUTH_FILE"], registry, basic(USER, PASSWORD))
        expect(box.pull(reference), 0)
        sent = {(path.partition("?")[0] == "/token", headers.get("Authorization"))
                for path, headers in registry.requests}
        assert sent == {(False, None), (True, f"Basic {basic(USER, PASSWORD)}"),
                        (False, f"Bearer {registry.token}")}, sent
        # An address of this host that does not look like one.
        registry.realm = f"http://0.0.0.0:{registry.server.server_port}/token"
        registry.requests.clear()
        expect(box.pull(reference, "--name", "other"), 0)
        asked = [headers.get("Authorization") for path, headers in registry.requests
                 if path.startswith("/token")]
        assert asked == [None], asked


@test
def of_an_image_for_several_architectures_another_one_can_be_taken():
    if platform() == "arm64":
        raise Skip("this host's is the one that the kernels of this test are for")
    with Box() as box, RealRegistry(box) as registry:
        arm = registry.push("multi", "arm", [kernel_layer()])
        own = registry.push("multi", "own", [layer(entry("boot/vmlinuz-1.1.1-own",
                                                            arm64_image("1.1.1-own")))])
        registry.push_index("multi", "1", {platform(): own, "arm64": arm})
        reference = f"oci://{registry.address}/multi"

        def release(name):
            return json.loads(box.read(f"{name}/kernel.json"))["release"]

        expect(box.pull(f"{reference}:1"), 0, out=b"multi/1\n")
        expect(box.pull(f"{reference}:1", "--arch", "arm64"), 0, out=b"multi/1-aarch64\n")
        assert (release("multi@1"), release("multi@1-aarch64")) == ("1.1.1-own", RELEASE)
        for arguments, expected in (((), "1.1.1-own"), (("-a", "aarch64"), RELEASE)):
            expect(box.pull(f"{reference}:1", "--name", "mine", *arguments), 0, out=b"mine\n")
            assert release("mine") == expected, "what was there before was taken for it"
        expect_sentence(box.pull(f"{reference}:1", "--arch", "riscv64"), 2,
                        f"has no image for linux/riscv64: it has linux/{platform()}, linux/arm64")
        expect_sentence(box.pull(f"{reference}:arm", "--arch", "s390x", "--name", "mine"), 2,
                        "is one for aarch64, where one for s390x was asked for")
        assert release("mine") == RELEASE
        expect_sentence(box.pull("debian", "--arch", "s390x"), 2,
                        "only images of a registry .* can be pulled for s390x")
        expect_sentence(box.pull(f"{reference}:1", "--arch", "mips"), 2, "mips")


@test
def of_an_image_with_several_kernels_one_is_taken_by_its_release():
    def kernel_of(release):
        return [entry(f"boot/vmlinuz-{release}", arm64_image(release)),
                entry(f"boot/config-{release}", b"CONFIG_9P_FS=m\n"),
                entry(f"lib/modules/{release}/modules.dep", b"")]

    with Box() as box, FakeRegistry() as registry:
        rescue = kernel_of("0-rescue-0123")
        one = registry.put([layer(*kernel_of("6.1.1"), *rescue)], name="evil/one")
        expect(box.pull(one), 0, out=b"one/1\n")
        kernels = [path.removeprefix("kernels/one@1/") for path in box.files()]
        assert not [path for path in kernels if "rescue" in path], kernels
        assert {"boot/vmlinuz", "boot/config-6.1.1"} <= set(kernels), kernels
        expect(box.pull(one, "--release", "0-rescue-0123"), 0, out=b"one/1-0-rescue-0123\n")
        only = registry.put([layer(*rescue)], name="evil/only")
        expect_sentence(box.pull(only), 2, "one for rescue only: boot/vmlinuz-0-rescue-0123")

        several = registry.put([layer(*kernel_of("6.1.1"), *kernel_of("6.6.6"))])
        expect_sentence(box.pull(several), 2, "several kernel images.* boot/vmlinuz-6.* --release")
        expect_sentence(box.pull(several, "--release", "6.7"), 2,
                        "no kernel of the release '6.7': it has boot/vmlinuz-6")
        for release in ("6.1.1", "6.6.6"):
            expect(box.pull(several, "--release", release), 0, out=f"kernel/1-{release}\n".encode())
            expect(box.pull(several, "--release", release, "--name", "mine"), 0, out=b"mine\n")
            assert json.loads(box.read("mine/kernel.json"))["release"] == release
            assert os.listdir(os.path.join(box.cache, "kernels", "mine", "lib", "modules")) == [release]
        expect_sentence(box.pull("debian", "--release", "6.1.1"), 2, "names one kernel")


@test
def a_token_that_would_end_its_header_is_refused():
    with Box() as box, FakeRegistry() as registry:
        registry.token = "x\r\nHost: elsewhere"
        box.refuse(registry, registry.put([kernel_layer()]), "The token for .* is none")
        registry.token = "good"
        registry.realm = "file:///etc/passwd"
        box.refuse(registry, registry.put([kernel_layer()]), "does not give .*status 401")


@test
def a_broken_transfer_goes_on_where_it_was():
    with Box() as box, FakeRegistry() as registry:
        data = kernel_layer(padding=300000)
        reference = registry.put([data])
        registry.cuts[registry.blob(data)] = [100000, 50000]
        registry.statuses[registry.blob(data)] = [503]
        expect(box.pull(reference), 0)
        ranges = [headers.get("Range") for headers in registry.asked(registry.blob(data))]
        assert ranges == [None, None, "bytes=100000-", "bytes=150000-"], ranges


@test
def a_registry_that_has_no_time_is_asked_again_when_it_says_but_not_for_long():
    with Box() as box, FakeRegistry() as registry:
        reference = registry.put([kernel_layer()])
        path = "/v2/evil/kernel/manifests/1"
        registry.statuses[path] = [429]
        registry.retry_after = "3600"
        started = time.monotonic()
        expect_sentence(box.pull(reference), 69, "cannot be fetched: .* status 429")
        assert time.monotonic() - started < 60 and len(registry.asked(path)) == 1, registry.requests
        registry.statuses[path] = [429, 500]
        registry.retry_after = "1"
        started = time.monotonic()
        expect(box.pull(reference), 0)
        assert time.monotonic() - started > 2 and len(registry.asked(path)) == 4, registry.requests


@test
def a_pull_that_was_given_up_is_resumed_by_the_next():
    with Box() as box, FakeRegistry() as registry:
        data = kernel_layer(padding=300000)
        reference = registry.put([data])
        registry.cuts[registry.blob(data)] = [200000, 0, 0, 0, 0]
        expect_sentence(box.pull(reference), 69, "cannot be fetched")
        assert box.files() == [f"downloads/{digest(data)[7:]}"], box.files()
        registry.ignores_ranges = True
        registry.cuts[registry.blob(data)] = [100]
        expect(box.pull(reference), 0)
        ranges = [headers.get("Range") for headers in registry.asked(registry.blob(data))]
        assert ranges[-2] == "bytes=200000-", ranges
        assert not [path for path in box.files() if path.startswith("downloads/")], box.files()


@test
def what_is_left_of_an_earlier_pull_is_not_trusted():
    with Box() as box, FakeRegistry() as registry:
        data = kernel_layer(padding=300000)
        reference = registry.put([data])
        os.mkdir(os.path.join(box.cache, "downloads"))
        for left in (os.urandom(1000), os.urandom(len(data)), os.urandom(len(data) + 5)):
            with open(os.path.join(box.cache, "downloads", digest(data)[7:]), "wb") as file:
                file.write(left)
            expect(box.pull(reference), 0, out=b"kernel/1\n")
            expect(box.run("kernel", "remove", "kernel/1"), 0)


@test
def progress_is_drawn_on_a_terminal_and_a_signal_ends_the_pull():
    with Box() as box, FakeRegistry() as registry:
        data = kernel_layer(padding=2000000)
        reference = registry.put([data])
        ours, theirs = pty.openpty()
        expect(box.run("kernel", "pull", reference, stderr=theirs), 0)
        os.close(theirs)
        drawn = os.read(ours, 1 << 16).decode()
        assert "Downloading oci://" in drawn and "%" in drawn, drawn
        os.close(ours)
        slow = registry.put([data], tag="slow")
        registry.cuts[registry.blob(data)] = [1000, 0, 0, 0, 0]
        process = box.start("kernel", "pull", slow)
        deadline = time.monotonic() + 30
        while len(registry.asked(registry.blob(data))) < 3 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert process.returncode == 128 + signal.SIGTERM, process.returncode


HOSTILE = {
    "a name that climbs out": [entry("../../../escape", b"x")],
    "a name that climbs out further down": [entry("boot/../../escape", b"x")],
    "an absolute name": [entry("/tmp/mayfly-escape", b"x")],
    "an image that is an absolute link": [entry(PLACE, kind=tarfile.SYMTYPE, target="/etc/passwd")],
    "a link that climbs out": [entry(f"lib/modules/{RELEASE}/x", kind=tarfile.SYMTYPE,
                                     target="../../../../../etc")],
    "a file through a link": [entry("data", kind=tarfile.SYMTYPE, target="/var/tmp"),
                              entry("data/escape", b"x")],
    "a hard link out": [entry(PLACE, kind=tarfile.LNKTYPE, target="../../../../etc/passwd")],
    "an absolute hard link": [entry("etc/shadow", kind=tarfile.LNKTYPE, target="/etc/shadow")],
    "a block device": [entry("dev/sda", kind=tarfile.BLKTYPE)],
    "a character device": [entry(PLACE, kind=tarfile.CHRTYPE)],
    "a pipe": [entry(PLACE, kind=tarfile.FIFOTYPE)],
    "a whiteout of what is above": [entry("lib/.wh...", b"")],
}


@test
def hostile_layers_are_refused_and_nothing_is_left():
    for what, entries in HOSTILE.items():
        with Box() as box, FakeRegistry() as registry:
            evil = layer(entry(f"lib/modules/{RELEASE}/first.ko", b"x"), *entries)
            # What is hostile can come in any layer, and after what is not.
            for layers in ([evil], [kernel_layer(), evil], [evil, kernel_layer()]):
                registry.put(layers)
                try:
                    box.refuse(registry, registry.put(layers), "layer sha256:[0-9a-f]{12} of 'oci://.* is refused: ")
                except AssertionError as error:
                    raise AssertionError(f"{what}: {error}") from error


@test
def a_layer_that_unpacks_to_more_than_a_kernel_is_refused_before_it_does():
    with Box() as box, FakeRegistry() as registry:
        bomb = layer(entry("boot/vmlinuz-bomb", size=100 << 30))
        box.refuse(registry, registry.put([bomb]), "unpacks to more than 16.0 GiB")
        half = layer(entry("srv/half", b"x" * 512, size=9 << 30))
        box.refuse(registry, registry.put([half]), "cannot be unpacked")
        crowd = gzip.compress(b"".join(entry(f"x/{number}")[0].tobuf() for number in range(200001))
                              + bytes(1024), 1)
        box.refuse(registry, registry.put([crowd]), "more than 200000 entries")


@test
def a_layer_that_is_not_what_its_descriptor_says_is_refused():
    data = kernel_layer(padding=100000)
    other = kernel_layer(padding=100000)
    with Box() as box, FakeRegistry() as registry:
        blob = registry.blob(data)

        def lie(pattern, served, **described):
            reference = registry.put([data], [descriptor(data, **described)])
            registry.files[blob] = served
            registry.requests.clear()
            box.refuse(registry, reference, pattern, status=(2, 69))

        lie("its SHA-256 is [0-9a-f]{64} where", other[:len(data)].ljust(len(data), b"x"))
        lie("is longer than the", data + b"more")
        lie(f"sent {len(data) - 10} of its {len(data)} bytes", data[:-10])
        lie("its layers are more than 4.0 GiB", data, size=1 << 40)
        assert not registry.asked(blob), "a huge layer was asked for"
        lie("member 'layers\\[0\\].size'", data, size=-1)
        lie("member 'layers\\[0\\].digest'", data, digest="sha256:../../../../etc/passwd")
        lie("is no tar archive", data, mediaType="application/x-evil")
        damaged = gzip.compress(b"x" * 5000)
        box.refuse(registry, registry.put([damaged]), "cannot be unpacked")
        box.refuse(registry, registry.put([layer(entry("etc/passwd", b"x"))]),
                   "holds no kernel image")


@test
def a_manifest_that_is_none_is_refused():
    with Box() as box, FakeRegistry() as registry:
        data = kernel_layer()
        reference = registry.put([data])
        path = "/v2/evil/kernel/manifests/1"
        for document, pattern in (
                (b"", "cannot be read"), (b"<html>", "cannot be read"), (b"[]", "an object is expected"),
                (b"[" * 5000, "cannot be read"), (b"{}", "'layers'"),
                (b'{"layers": []}', "has 0 layers"),
                (json.dumps({"layers": [descriptor(data)] * 129}).encode(), "has 129 layers"),
                (b" " * (5 << 20), "is longer than")):
            registry.files[path] = document
            box.refuse(registry, reference, pattern)
        index = json.dumps({"manifests": [
            {"digest": digest(b"other"), "platform": {"os": "linux", "architecture": arch}}
            for arch in ("amd64", "arm64", "riscv64", "s390x")]}).encode()
        registry.files[path] = index
        child = f"/v2/evil/kernel/manifests/{digest(b'other')}"
        registry.files[child] = b"not the same"
        box.refuse(registry, reference, "its sum is sha256:[0-9a-f]{64} where")
        registry.redirects[path] = "file:///etc/passwd"
        box.refuse(registry, reference, "cannot be fetched")
        registry.redirects[path] = f"http://{registry.address}{path}"
        box.refuse(registry, reference, "cannot be fetched: .*redirects")


MAINLINE = [
    (f"linux-image-unsigned-6.6.6-060606-generic_6.6.6-060606.1_{platform()}.deb",
     deb(entry(f"./{PLACE}", arm64_image()))),
    (f"linux-modules-6.6.6-060606-generic_6.6.6-060606.1_{platform()}.deb",
     deb(entry(f"./lib/modules/{RELEASE}/modules.dep", b"x"),
         entry(f"./lib/modules/{RELEASE}/x.ko", b"module"))),
]


def put_mainline(registry, directory):
    """The packages and their list, as they are published; where they are."""
    for name, package in MAINLINE:
        registry.files[f"/m/v6.6.6/{directory}{name}"] = package
    registry.files[f"/m/v6.6.6/{directory}CHECKSUMS"] = "".join(
        f"{digest(package)[7:]}  {name}\n" for name, package in MAINLINE).encode()
    return f"http://{registry.address}/m"


@test
def a_mainline_kernel_is_fetched_by_url_and_checked_by_its_list():
    for directory in (platform() + "/", ""):
        with Box() as box, FakeRegistry() as registry:
            box.env["MAYFLY_UBUNTU_MAINLINE"] = put_mainline(registry, directory)
            path = f"/m/v6.6.6/{directory}{MAINLINE[0][0]}"
            registry.cuts[path] = [1000]
            expect(box.pull("ubuntu-mainline/v6.6.6"), 0, out=b"ubuntu-mainline/v6.6.6\n")
            assert box.kernels() == [f"ubuntu-mainline@v6.6.6/{name}" for name in (
                "boot/vmlinuz", "kernel.json", f"lib/modules/{RELEASE}/modules.dep",
                f"lib/modules/{RELEASE}/x.ko")], box.kernels()
            assert not [name for name in box.files() if name.startswith("downloads/")]
            expect(box.pull("ubuntu-mainline/v6.6.6"), 0)
            assert len(registry.asked(path)) == 2, registry.requests


@test
def a_mainline_kernel_that_cannot_be_had_is_one_sentence():
    with Box() as box, FakeRegistry() as registry:
        box.env.pop("MAYFLY_UBUNTU_MAINLINE", None)
        box.refuse(registry, "ubuntu-mainline/v6.6.6", "set MAYFLY_UBUNTU_MAINLINE to the URL")
        for base in ("http://198.51.100.1/", "ftp://127.0.0.1/", "nonsense", "file:///etc"):
            box.env["MAYFLY_UBUNTU_MAINLINE"] = base
            box.refuse(registry, "ubuntu-mainline/v6.6.6", "is no https:// URL")
        box.env["MAYFLY_UBUNTU_MAINLINE"] = put_mainline(registry, "")
        for version in ("", "/", "/6.6", "/v6.6/..", "/v6"):
            box.refuse(registry, "ubuntu-mainline" + version, "names no version")
        box.refuse(registry, "ubuntu-mainline/v9.9", "no generic kernel v9.9 for .*status 404")
        registry.files[f"/m/v6.6.6/{MAINLINE[1][0]}"] = b"other"
        box.refuse(registry, "ubuntu-mainline/v6.6.6", "is refused: its SHA-256 is")


@test
def a_reference_that_is_none_is_one_sentence():
    with Box() as box:
        for reference in ("oci://", "oci://host", "oci://host/", "oci://host/UPPER",
                          "oci://host/a:b:c", "oci://host/a@sha256:12", "oci://user@host/a",
                          "oci://host/../etc", "oci://host/a/", "oci:// /a", "oci://host:99/a:-"):
            box.refuse(None, reference, "names no image", status=(2,))
        box.refuse(None, "oci://127.0.0.1:9/a:.x", "names no image", status=(2,))
        box.refuse(None, "oci://127.0.0.1:9/a", "cannot be fetched", status=(69,))
        expect_sentence(box.pull("oci://127.0.0.1:9/a", "--name", "../x"), 2, "'../x'")


if __name__ == "__main__":
    main()

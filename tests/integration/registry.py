# SPDX-License-Identifier: Apache-2.0
"""Registries of container images on this host: a real one, and one that does what a real one never
does. Kernels to put into them are written here, too."""

import base64
import gzip
import hashlib
import http.server
import io
import json
import os
import shutil
import subprocess
import tarfile
import threading
import time
import urllib.error
import urllib.request

from harness import Skip, free_port

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
RELEASE = "6.6.6-oci"
USER, PASSWORD = "ci", "not-to-be-seen"
# What htpasswd -B makes of that password.
HTPASSWD = "$2y$04$edndIKKa0/rYqDyeIjtYau2bDsADLNthuWlIU06CaCiHK3OCeLYbq"


def arm64_image(release=RELEASE, padding=4096):
    """A raw kernel image, real in its header and its banner. Its noise does not compress."""
    header = bytearray(64)
    header[56:60] = b"ARM\x64"
    banner = f"Linux version {release} (nobody@nowhere) (cc 12) #1 SMP\n".encode()
    return bytes(header) + banner.ljust(128, b"\0") + os.urandom(padding)


def entry(name, content=None, kind=tarfile.REGTYPE, target="", size=None):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    info.size = len(content or b"") if size is None else size
    return info, content or b""


def layer(*entries, compress=True):
    """A tar archive of entries, as they are: nothing is made well-formed."""
    archive = io.BytesIO()
    for info, content in entries:
        archive.write(info.tobuf(tarfile.GNU_FORMAT))
        archive.write(content.ljust(-len(content) % 512 + len(content), b"\0"))
    archive.write(bytes(1024))
    return gzip.compress(archive.getvalue(), 1) if compress else archive.getvalue()


def kernel_layer(padding=4096):
    return layer(entry(f"boot/vmlinuz-{RELEASE}", arm64_image(padding=padding)),
                 entry(f"boot/config-{RELEASE}", b"CONFIG_9P_FS=m\n"),
                 entry(f"lib/modules/{RELEASE}/modules.dep", b"kernel/fs/9p.ko:\n"),
                 entry(f"lib/modules/{RELEASE}/kernel/fs/9p.ko", b"module"))


def deb(*entries):
    """A Debian package with these files."""
    package = b"!<arch>\n"
    for name, data in (("debian-binary", b"2.0\n"),
                       ("control.tar.gz", layer(entry("control", b"Version: 6.6.6-1\n"))),
                       ("data.tar.gz", layer(*entries))):
        package += f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(data):<10}`\n".encode()
        package += data + b"\n" * (len(data) % 2)
    return package


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def descriptor(data, kind=LAYER, **more):
    return {"mediaType": kind, "digest": digest(data), "size": len(data), **more}


def manifest(layers, kind=MANIFEST, **more):
    """The document of an image, and the configuration it names."""
    config = b"{}"
    return json.dumps({"schemaVersion": 2, "mediaType": kind,
                       "config": descriptor(config, "application/vnd.oci.image.config.v1+json"),
                       "layers": layers, **more}).encode()


def basic(user, password):
    """What a registry is sent as credentials, and what their file has."""
    return base64.b64encode(f"{user}:{password}".encode()).decode()


class RealRegistry:
    """Debian's docker-registry on the loopback, with an empty store, for everybody or for USER."""

    def __init__(self, box, private=False):
        if not shutil.which("docker-registry"):
            raise Skip("docker-registry is not installed")
        self.address = f"127.0.0.1:{free_port()}"
        store = box.make("registry")
        config = os.path.join(box.directory, "registry.json")
        settings = {"version": 0.1, "log": {"level": "error"}, "http": {"addr": self.address},
                    "storage": {"filesystem": {"rootdirectory": store}}}
        self.headers = {}
        if private:
            users = os.path.join(box.directory, "htpasswd")
            with open(users, "w", encoding="ascii") as file:
                file.write(f"{USER}:{HTPASSWD}\n")
            settings["auth"] = {"htpasswd": {"realm": "test", "path": users}}
            self.headers = {"Authorization": f"Basic {basic(USER, PASSWORD)}"}
        with open(config, "w", encoding="ascii") as file:
            json.dump(settings, file)
        self.process = subprocess.Popen(["docker-registry", "serve", config],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __enter__(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self.process.poll() is None, "docker-registry ended"
            try:
                self._send("GET", f"http://{self.address}/v2/")
                return self
            except urllib.error.URLError:
                time.sleep(0.05)
        raise AssertionError("docker-registry does not answer")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def _send(self, method, url, data=None, kind="application/octet-stream"):
        request = urllib.request.Request(url, data, {"Content-Type": kind, **self.headers},
                                         method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.headers

    def push_blob(self, name, data):
        location = self._send("POST", f"http://{self.address}/v2/{name}/blobs/uploads/",
                              b"")["Location"]
        self._send("PUT", f"{location}&digest={digest(data)}", data)

    def push(self, name, tag, layers, kind=MANIFEST, layer_kind=LAYER):
        """Puts an image there; its document."""
        for data in [b"{}", *layers]:
            self.push_blob(name, data)
        document = manifest([descriptor(data, layer_kind) for data in layers], kind)
        self._send("PUT", f"http://{self.address}/v2/{name}/manifests/{tag}", document, kind)
        return document

    def push_index(self, name, tag, documents):
        """Puts an index there: the documents of images that were pushed, by the architecture."""
        entries = [descriptor(data, json.loads(data)["mediaType"],
                              platform={"os": "linux", "architecture": arch})
                   for arch, data in documents.items()]
        document = json.dumps({"schemaVersion": 2, "mediaType": INDEX,
                               "manifests": entries}).encode()
        self._send("PUT", f"http://{self.address}/v2/{name}/manifests/{tag}", document, INDEX)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.registry.answer(self)


class _Server(http.server.ThreadingHTTPServer):
    def handle_error(self, *_):
        """A client that refuses what it gets ends the connection in the middle."""


class FakeRegistry:
    """Answers with what a test puts into 'files' (bytes by path), in full or not at all well."""

    def __init__(self):
        self.files = {}
        self.redirects = {}   # path -> URL
        self.statuses = {}    # path -> statuses, one a request, before it is answered
        self.retry_after = None  # what it says beside such a status
        self.cuts = {}        # path -> bytes after which the connection ends, one a request
        self.ignores_ranges = False
        self.token = None     # what has to be in the header, once there is one
        self.realm = None
        self.requests = []    # (path, headers)
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.registry = self
        self.address = f"127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def put(self, layers, descriptors=None, tag="1", name="evil/kernel"):
        """An image with these layers, described as they are or otherwise."""
        for data in layers:
            self.files[f"/v2/{name}/blobs/{digest(data)}"] = data
        self.files[f"/v2/{name}/manifests/{tag}"] = manifest(
            descriptors or [descriptor(data) for data in layers])
        return f"oci://{self.address}/{name}:{tag}"

    def blob(self, data, name="evil/kernel"):
        return f"/v2/{name}/blobs/{digest(data)}"

    def asked(self, path):
        """The headers of the requests of that path."""
        return [headers for asked, headers in self.requests if asked == path]

    def answer(self, handler):
        path = handler.path
        self.requests.append((path, handler.headers))
        if path.startswith("/token"):
            return self._send(handler, 200, json.dumps({"token": self.token}).encode())
        if self.token and handler.headers.get("Authorization") != f"Bearer {self.token}":
            realm = self.realm or f"http://{self.address}/token"
            challenge = f'Bearer realm="{realm}",service="test",scope="repository:evil/kernel:pull"'
            return self._send(handler, 401, b"{}", {"WWW-Authenticate": challenge})
        if self.statuses.get(path):
            more = {"Retry-After": self.retry_after} if self.retry_after else None
            return self._send(handler, self.statuses[path].pop(0), b"not now", more)
        if path in self.redirects:
            return self._send(handler, 307, b"", {"Location": self.redirects[path]})
        if path not in self.files:
            return self._send(handler, 404, b"{}")
        return self._send_file(handler, self.files[path])

    def _send_file(self, handler, data):
        wanted = handler.headers.get("Range", "")
        start = int(wanted[len("bytes="):].rstrip("-")) if wanted else 0
        cuts = self.cuts.get(handler.path)
        cut = cuts.pop(0) if cuts else None
        if not wanted or self.ignores_ranges:
            return self._send(handler, 200, data, cut=cut)
        return self._send(handler, 206, data[start:], cut=cut, more={
            "Content-Range": f"bytes {start}-{len(data) - 1}/{len(data)}"})

    @staticmethod
    def _send(handler, status, data, more=None, cut=None):
        handler.send_response(status)
        for name, value in (more or {}).items():
            handler.send_header(name, value)
        handler.send_header("Content-Type", MANIFEST)
        handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        handler.wfile.write(data if cut is None else data[:cut])
        if cut is not None:
            handler.wfile.flush()
            handler.close_connection = True
            handler.connection.shutdown(2)

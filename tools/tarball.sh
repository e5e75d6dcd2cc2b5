#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Builds mayfly for hosts that have none of its libraries, in directory $1 (build/tarball), and prints
# the path of the .tar.gz: unpack it anywhere and run bin/mayfly.
#
# Static are GLib and what it needs, json-c, libyaml, zlib and the C++ library, and the program in the
# guest wholly. Dynamic stay the C library, which has to be as new as here; libmount, of which
# Debian has no static one, and which every distribution has with util-linux; and libarchive, libkmod
# and libcurl, which are loaded when they are needed, and named where they are missing. It has no
# libvirt, whose events need the shared GLib.
set -eu
cd "$(dirname "$0")/.."
place=${1:-build/tarball}

rm -rf "$place"
tools/export-source.sh "$place/source"
place=$(cd "$place" && pwd)
cd "$place"
{
    meson setup build source --prefix=/ --libdir=lib --buildtype=release -Dtests=false \
        -Dguest_archs=[] -Dprefer_static=true -Ddefault_library=static &&
        ninja -C build &&
        DESTDIR="$place/root" meson install -C build --no-rebuild --strip
} >"$place/build.log" 2>&1 || {
    tail -n 30 "$place/build.log" >&2
    echo "tarball.sh: mayfly could not be built; '$place/build.log' has all of it." >&2
    exit 1
}
name=mayfly-$(root/bin/mayfly --version | sed 's/^mayfly //')-$(uname -m)
mv root "$name"
cp source/LICENSE source/README.md source/NEWS.md "$name/"
tar -c --sort=name --owner=0 --group=0 --numeric-owner "$name" | gzip -9n >"$name.tar.gz"
echo "$place/$name.tar.gz"

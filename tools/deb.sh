#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Builds the Debian source package and the package of this host's architecture from the sources as
# they are, in directory $1 (build/deb), and prints the path of the .deb. Nothing is fetched.
set -eu
cd "$(dirname "$0")/.."
place=${1:-build/deb}

for tool in dpkg-buildpackage dh fakeroot; do
    command -v $tool >/dev/null && continue
    echo "deb.sh: a Debian package needs $tool (Debian: dpkg-dev, debhelper, fakeroot)." >&2
    exit 1
done
version=$(sed -n '1s/.*(\(.*\)).*/\1/p' debian/changelog)
rm -rf "$place"
tools/export-source.sh "$place/mayfly-$version"
place=$(cd "$place" && pwd)
cd "$place/mayfly-$version"
dpkg-buildpackage --unsigned-source --unsigned-changes >"$place/build.log" 2>&1 || {
    tail -n 30 "$place/build.log" >&2
    echo "deb.sh: the package could not be built; '$place/build.log' has all of it." >&2
    exit 1
}
ls "$place"/mayfly_"$version"_*.deb

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Provides the two static libraries of mayfly-guest, zlib and json-c, for other architectures than
# this host's, so that the build can make the guest program for them too:
#
#     tools/guest-libs.sh ARCH...         (aarch64, riscv64) builds what is missing
#     tools/guest-libs.sh --find ARCH     prints the directory with include/ and lib/, or fails
#
# They are built from the distribution's own sources, which apt fetches and verifies, with its cross
# compiler (ARCH-linux-gnu-gcc). Nothing is installed, and apt's and dpkg's configuration stays as
# it is. They are kept in MAYFLY_GUEST_LIBS, by default below the user's cache directory.
set -eu

cache=${MAYFLY_GUEST_LIBS:-${XDG_CACHE_HOME:-$HOME/.cache}/mayfly-guest-libs}

fail() {
    echo "guest-libs: $*" >&2
    exit 1
}

is_complete() {
    [ -e "$cache/$1/lib/libz.a" ] && [ -e "$cache/$1/lib/libjson-c.a" ]
}

# apt with package lists of its own, which have sources in them.
apt() {
    apt-get -q -o APT::Sandbox::User="$(id -un)" -o Dir::State="$work/apt" \
        -o Dir::State::status=/dev/null -o Dir::Cache="$work/apt" \
        -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null "$@" >&2
}

fetch_sources() {
    mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial"
    # shellcheck disable=SC2016 # the variables are apt's
    apt-get indextargets --format '$(ORIGIN) deb-src $(SITE) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' | sed -n 's/^\(Debian\|Ubuntu\) //p' | sort -u >"$work/sources.list"
    [ -s "$work/sources.list" ] || fail "apt has no package lists of Debian or Ubuntu."
    apt update || fail "apt-get could not fetch the lists of sources."
    (cd "$work" && apt source --download-only json-c zlib) ||
        fail "apt-get could not fetch the sources of json-c and zlib."
    mkdir "$work/json-c" "$work/zlib"
    tar -xf "$work"/json-c_*.orig.tar.* -C "$work/json-c" --strip-components=1
    tar -xf "$work"/zlib_*.orig.tar.* -C "$work/zlib" --strip-components=1
}

build_zlib() {
    mkdir "$work/zlib-$1"
    cp -R "$work/zlib/." "$work/zlib-$1"
    (cd "$work/zlib-$1" && CHOST=$1-linux-gnu CFLAGS=$flags ./configure --static --prefix=/ &&
        make libz.a && cp zlib.h zconf.h "$work/$1/include/" && cp libz.a "$work/$1/lib/")
}

build_json_c() {
    cmake -S "$work/json-c" -B "$work/json-c-$1" -DCMAKE_SYSTEM_NAME=Linux \
        -DCMAKE_SYSTEM_PROCESSOR="$1" -DCMAKE_C_COMPILER="$1-linux-gnu-gcc" \
        -DCMAKE_C_FLAGS="$flags" -DBUILD_SHARED_LIBS=OFF -DBUILD_TESTING=OFF -DBUILD_APPS=OFF \
        -DDISABLE_EXTRA_LIBS=ON -DCMAKE_INSTALL_PREFIX="$work/$1" -DCMAKE_INSTALL_LIBDIR=lib &&
        cmake --build "$work/json-c-$1" --target install
}

provide() {
    command -v "$1-linux-gnu-gcc" >/dev/null ||
        fail "there is no $1-linux-gnu-gcc (Debian: gcc-$2-linux-gnu libc6-dev-$3-cross)."
    command -v cmake >/dev/null || fail "there is no cmake, which builds json-c."
    [ -d "$work/json-c" ] || fetch_sources
    mkdir -p "$work/$1/include" "$work/$1/lib"
    if ! { build_zlib "$1" && build_json_c "$1"; } >"$work/build.log" 2>&1; then
        tail -n 30 "$work/build.log" >&2
        fail "zlib and json-c could not be built for $1."
    fi
    rm -rf "${cache:?}/$1"
    mv "$work/$1" "$cache/$1"
}

if [ "${1:-}" = --find ] && [ $# -eq 2 ]; then
    is_complete "$2" || exit 1
    echo "$cache/$2"
    exit
fi

mkdir -p "$cache"
exec 9>"$cache/lock"
flock 9
work=$(mktemp -d "$cache/work.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# As the guest itself is compiled.
flags='-Os -ffunction-sections -fdata-sections'
for arch; do
    case $arch in
    aarch64) is_complete "$arch" || provide "$arch" aarch64 arm64 ;;
    riscv64) is_complete "$arch" || provide "$arch" riscv64 riscv64 ;;
    *) fail "'$arch' is not aarch64 or riscv64." ;;
    esac
done

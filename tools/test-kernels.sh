#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Provides the kernels that the tests boot, without root and without installing any, and prints
# the directory they are in:
#
#     generic/vmlinuz, generic/lib/modules/    Debian's kernel: 9p, virtio and overlay are modules
#     cloud/vmlinuz, cloud/lib/modules/        Debian's cloud kernel: no 9p at all
#     arm64/vmlinuz, arm64/lib/modules/        Debian's kernel for aarch64
#     small/bzImage, small/vmlinux             everything built in (data/kernel.config)
#     modules/mayfly_crash.ko                  faults for the generic kernel (tests/modules)
#     packages/*.deb                           the packages of the first three
#
# vmlinuz is a link into boot/, as in the package. They are kept in MAYFLY_TEST_CACHE, by default
# below the user's cache directory; a second call finds them there and returns at once. The small
# kernel is built again when data/kernel.config changes, the module when its source does.
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
config=$root/data/kernel.config
cache=${MAYFLY_TEST_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/mayfly-tests}
PATH=$PATH:/usr/sbin:/sbin
config_sum=$(cksum <"$config")
module_sum=$(cat "$root"/tests/modules/* | cksum)

all_present() {
    [ -e "$cache/generic/vmlinuz" ] && [ -e "$cache/cloud/vmlinuz" ] &&
        [ -e "$cache/arm64/vmlinuz" ] && small_is_current && module_is_current
}

module_is_current() {
    [ -e "$cache/modules/mayfly_crash.ko" ] && [ "$(cat "$cache/modules/cksum")" = "$module_sum" ]
}

small_is_current() {
    [ -e "$cache/small/vmlinux" ] && [ "$(cat "$cache/small/config.cksum")" = "$config_sum" ]
}

say() {
    echo "test-kernels: $*" >&2
}

fail() {
    say "$*"
    exit 1
}

# apt with the system's package lists or, once these have failed or do not have the architecture,
# with lists of our own.
own_lists=
foreign=
apt() {
    command=$1
    shift
    if [ -n "$own_lists" ]; then
        set -- -o Dir::State="$work/apt/state" -o Dir::Cache="$work/apt/cache" "$@"
    fi
    if [ -n "$foreign" ]; then
        set -- -o APT::Architecture="$foreign" -o APT::Architectures="$foreign" \
            -o Dir::State::status=/dev/null "$@"
    fi
    "$command" -q -o APT::Sandbox::User="$(id -un)" "$@"
}

use_own_lists() {
    [ -z "$own_lists" ] || return 1
    own_lists=yes
    mkdir -p "$work/apt/state/lists/partial" "$work/apt/cache/archives/partial"
    apt apt-get update >&2
}

# The package that metapackage $1 stands for: linux-image-amd64 -> linux-image-6.1.0-56-amd64.
real_name() {
    apt apt-cache show --no-all-versions "$1" 2>/dev/null |
        sed -n 's/^Depends: \(linux-[^ ,]*\).*/\1/p'
}

try_download() {
    package=$(real_name "$1")
    [ -n "$package" ] && (cd "$work" && apt apt-get download "$package" >&2)
}

# Leaves the package of metapackage $1 in $work as the only .deb there.
download() {
    say "downloading the package of $1"
    rm -f "$work"/*.deb
    try_download "$1" || { use_own_lists && try_download "$1"; } ||
        fail "apt-get could not download $1. The test kernels are made from Debian's packages:" \
            "check the network, or set MAYFLY_TEST_CACHE to a directory made on another machine."
}

# $1: the name here, $2: the metapackage.
provide_debian() {
    [ -e "$cache/$1/vmlinuz" ] && return
    download "$2"
    mkdir "$work/$1"
    dpkg-deb -x "$work"/*.deb "$work/$1"
    for modules in "$work/$1"/lib/modules/*; do
        depmod -b "$work/$1" "$(basename "$modules")"
    done
    (cd "$work/$1" && ln -s boot/vmlinuz-* vmlinuz)
    mv "$work"/*.deb "$cache/packages/"
    rm -rf "${cache:?}/$1"
    mv "$work/$1" "$cache/$1"
}

# $1: the name here, $2: the metapackage, $3: Debian's name of the architecture.
provide_foreign() {
    [ -e "$cache/$1/vmlinuz" ] && return
    own_lists=
    foreign=$3
    use_own_lists && provide_debian "$1" "$2"
    own_lists=
    foreign=
    rm -rf "$work/apt"
}

configure_small() {
    make -s tinyconfig && scripts/kconfig/merge_config.sh -m .config "$config" &&
        make -s olddefconfig || return
    grep '^CONFIG_' "$config" | while read -r option; do
        grep -qxF "$option" .config || fail "this kernel has no $option (data/kernel.config)."
    done
}

provide_small() {
    small_is_current && return
    download linux-source
    say "building a small kernel from it, which takes a few minutes once"
    mkdir "$work/source" "$work/unpacked" "$work/small"
    dpkg-deb -x "$work"/*.deb "$work/unpacked"
    tar -xf "$work"/unpacked/usr/src/linux-source-*.tar.xz -C "$work/source" --strip-components=1
    (cd "$work/source" && configure_small && make -s -j"$(nproc)" bzImage) \
        >"$work/build.log" 2>&1 || {
        tail -n 30 "$work/build.log" >&2
        fail "the small kernel could not be built."
    }
    cp "$work/source/vmlinux" "$work/source/.config" "$work/small/"
    cp "$work/source/arch/x86/boot/bzImage" "$work/small/bzImage"
    mv "$work/small/.config" "$work/small/config"
    echo "$config_sum" >"$work/small/config.cksum"
    rm -rf "$cache/small"
    mv "$work/small" "$cache/small"
}

# The headers of the generic kernel $1 are three packages, made for /usr/src: leaves them in
# $work/headers.
provide_headers() {
    packages="linux-headers-$1 $(apt apt-cache show --no-all-versions "linux-headers-$1" |
        sed -n 's/^Depends: //p' | tr ',' '\n' | sed -n 's/^ *\(linux-[hk][^ ]*\).*/\1/p')"
    say "downloading the headers of the kernel $1"
    rm -f "$work"/*.deb
    # shellcheck disable=SC2086 # one name a word
    (cd "$work" && apt apt-get download $packages >&2) || return
    for package in "$work"/*.deb; do
        dpkg-deb -x "$package" "$work/headers" || return
    done
    rm -f "$work"/*.deb
    sed -i "s,/usr/src,$work/headers/usr/src," "$work/headers/usr/src/linux-headers-$1/Makefile"
}

provide_module() {
    module_is_current && return
    release=$(basename "$cache"/generic/lib/modules/*)
    provide_headers "$release" || { use_own_lists && provide_headers "$release"; } ||
        fail "apt-get could not download the headers of the kernel $release, of which the test" \
            "module is made. If it is not the newest any more, remove $cache/generic."
    mkdir "$work/modules"
    cp "$root"/tests/modules/* "$work/modules/"
    make -s -C "$work/headers/usr/src/linux-headers-$release" M="$work/modules" CC=cc modules \
        >"$work/build.log" 2>&1 || {
        tail -n 30 "$work/build.log" >&2
        fail "the test module could not be built."
    }
    echo "$module_sum" >"$work/modules/cksum"
    rm -rf "$cache/modules"
    mv "$work/modules" "$cache/modules"
}

if ! all_present; then
    command -v apt-get >/dev/null ||
        fail "there is no apt-get on this host, and the test kernels are made from Debian's" \
            "packages. Set MAYFLY_TEST_CACHE to a directory made by this script on Debian."
    mkdir -p "$cache/packages"
    exec 9>"$cache/lock"
    flock 9
    work=$(mktemp -d "$cache/work.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    trap 'exit 1' HUP INT TERM
    provide_debian generic linux-image-amd64
    provide_debian cloud linux-image-cloud-amd64
    provide_foreign arm64 linux-image-arm64 arm64
    provide_small
    provide_module
fi
echo "$cache"

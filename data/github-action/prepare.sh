#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Makes mayfly, and what it needs for this run, be there: installs packages, builds mayfly from the
# action's own sources unless one is in PATH or came out of the cache, and opens /dev/kvm. What it reads
# is INPUT_*, what it tells is in GITHUB_OUTPUT, GITHUB_ENV and GITHUB_PATH.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=data/github-action/common.sh
. "$(dirname "$0")/common.sh"

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

install_packages() {
    if ! command -v apt-get >/dev/null; then
        echo "::error::This runner has no apt-get; install on it: $*"
        exit 1
    fi
    as_root apt-get update -q
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
}

# Hosted runners have the device, but their user is not in its group.
open_kvm() {
    local device=${KVM_DEVICE:-/dev/kvm}
    if [ ! -e "$device" ]; then
        echo "::notice::There is no $device on this runner: guests are emulated, which is slow."
    elif [ ! -r "$device" ] || [ ! -w "$device" ]; then
        as_root chmod 0666 "$device" ||
            echo "::warning::$device cannot be opened: guests are emulated, which is slow."
    fi
}

# Builds the sources that this action came with into $1.
build() {
    local sources
    sources=$(find_sources)
    "$sources/tools/deps.sh" run
    meson setup --buildtype=release -Dtests=false --prefix="$1" "$RUNNER_TEMP/mayfly-build" "$sources"
    ninja -C "$RUNNER_TEMP/mayfly-build"
    meson install -C "$RUNNER_TEMP/mayfly-build" --no-rebuild
}

# Makes $1/bin/mayfly one that starts: what the cache had may lack a library here.
provide() {
    if [ -x "$1/bin/mayfly" ]; then
        "$1/bin/mayfly" --version >/dev/null || "$(find_sources)/tools/deps.sh" run
        ! "$1/bin/mayfly" --version >/dev/null || return 0
    fi
    build "$1"
    echo "built=true" >>"$GITHUB_OUTPUT"
}

packages=()
command -v qemu-system-x86_64 >/dev/null || packages+=(qemu-system-x86)
# A config file may have targets that boot by UEFI.
uefi=$(boolean uefi)
if [ "$uefi" = true ] || [ -n "${INPUT_CONFIG-}" ] && [ ! -e "${OVMF_DIRECTORY:-/usr/share/OVMF}" ]; then
    packages+=(ovmf)
fi
[ ${#packages[@]} -eq 0 ] || install_packages "${packages[@]}"
open_kvm
if ! command -v mayfly >/dev/null; then
    provide "$RUNNER_TEMP/mayfly"
    echo "$RUNNER_TEMP/mayfly/bin" >>"$GITHUB_PATH"
    PATH=$RUNNER_TEMP/mayfly/bin:$PATH
fi
# For whoever reads the log; what is missing shows in the run itself.
mayfly doctor || true

# For the job's own steps, too.
echo "MAYFLY_CACHE_DIR=$RUNNER_TEMP/mayfly-cache" >>"$GITHUB_ENV"
{
    echo "cache=$RUNNER_TEMP/mayfly-cache"
    # What is unpacked of a kernel depends on mayfly, and on which kernel it is.
    echo "cache-key=mayfly-$RUNNER_OS-$RUNNER_ARCH-$(
        { mayfly --version; echo "${INPUT_KERNEL-} ${INPUT_PULL-}"; cat "${INPUT_CONFIG:-/dev/null}"; } |
            sha256sum | cut -c1-16
    )"
} >>"$GITHUB_OUTPUT"

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What `make run` shows: boots a real kernel and runs commands in it over the host's own files.
#
# The kernel is the newest that mayfly keeps, else the running one if it can be booted, else the
# distribution's, which is fetched first.
set -eu
mayfly=$1

newest_kept() {
    "$mayfly" kernel list 2>/dev/null | sed -n '2s/ .*//p'
}

running_can_boot() {
    "$mayfly" kernel info "/boot/vmlinuz-$(uname -r)" 2>/dev/null | grep -q 'with a 9p root'
}

show() {
    echo
    echo "\$ mayfly run -k $kernel $*"
    "$mayfly" run -k "$kernel" "$@"
}

kernel=$(newest_kept)
if [ -z "$kernel" ] && running_can_boot; then
    kernel=/boot/vmlinuz-$(uname -r)
elif [ -z "$kernel" ]; then
    echo '$ mayfly kernel pull debian'
    kernel=$("$mayfly" kernel pull debian)
fi

mark=/etc/mayfly-was-here
show -- uname -a
show "echo 'written in the guest' >$mark && cat $mark"
if [ -e "$mark" ]; then
    echo "demo: $mark is on the host: the guest's write was not kept from it." >&2
    exit 1
fi
echo "(the host has no $mark: it was in an overlay that is gone with the VM)"

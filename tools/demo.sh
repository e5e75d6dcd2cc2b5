#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# What `make run` shows: boots a real kernel and runs a few commands in it over the host's root.
# Without a kernel of the host's that may be read, the distribution's current one is fetched first.
set -eu
mayfly=$1

show() {
    echo
    echo "\$ mayfly run $*"
    "$mayfly" run "$@"
}

if [ ! -r "/boot/vmlinuz-$(uname -r)" ] && [ -z "$("$mayfly" kernel list)" ]; then
    echo '$ mayfly kernel pull debian'
    "$mayfly" kernel pull debian
fi

show -- uname -a
# shellcheck disable=SC2016 # for the guest's shell
show 'echo "a file from $(hostname)" >/etc/mayfly-was-here && cat /etc/mayfly-was-here'
if [ -e /etc/mayfly-was-here ]; then
    echo 'The guest has written to the host: that must not happen.' >&2
    exit 1
fi
echo '(and it is not on the host: the guest wrote to an overlay that died with the VM)'

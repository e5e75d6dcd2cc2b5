#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Copies the sources into directory $1, which is made: what git knows, or, where there is no git
# repository, everything but build directories.
set -eu
destination=$1
mkdir -p "$destination"
destination=$(cd "$destination" && pwd)
cd "$(dirname "$0")/.."

if [ -e .git ] && command -v git >/dev/null; then
    git -c safe.directory="$PWD" ls-files -z | tar -c --null --no-recursion -T - | tar -x -C "$destination"
else
    tar -c --exclude './build*' --exclude '*/__pycache__' . | tar -x -C "$destination"
fi

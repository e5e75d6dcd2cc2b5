#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Checks the inputs that are yes or no, before anything takes time, and says where mayfly is to be and
# what names that very mayfly in the cache: nothing when one is in PATH already.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=data/github-action/common.sh
. "$(dirname "$0")/common.sh"

# The sources that this action came with; a build depends on the libraries of the runner, too.
name_program() {
    local sources
    sources=$(find_sources)
    (
        cd "$sources"
        echo "${ImageOS-}"
        find . -path ./.git -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
    ) | sha256sum | cut -c1-16
}

cached=$(boolean warm-cache)
for input in uefi install-only; do
    boolean "$input" >/dev/null
done
echo "prefix=$RUNNER_TEMP/mayfly" >>"$GITHUB_OUTPUT"
if [ "$cached" = true ] && ! command -v mayfly >/dev/null; then
    program=$(name_program)
    echo "program-key=mayfly-program-$RUNNER_OS-$RUNNER_ARCH-$program" >>"$GITHUB_OUTPUT"
fi

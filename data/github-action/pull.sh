#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Pulls the kernels that INPUT_PULL names, one a line; those that the cache has brought back are there
# already, unless there are newer ones.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=data/github-action/common.sh
. "$(dirname "$0")/common.sh"

mkdir -p "$MAYFLY_CACHE_DIR"
before=$(count_cache)
while IFS= read -r kernel; do
    pull "$kernel"
done < <(lines_of "$INPUT_PULL")
tell_cache_changed "$before"

#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs the targets of the config file INPUT_CONFIG, or the one that the other INPUT_* describe, with
# 'mayfly test'. GITHUB_OUTPUT gets the status, the result and where everything was kept.
set -euo pipefail

fail() {
    echo "::error::$1" >&2
    exit 2
}

# A text as TOML has it; braces are no variables.
quote() {
    VALUE=$1 python3 -c 'import json, os
text = json.dumps(os.environ["VALUE"], ensure_ascii=False).replace("\x7f", "\\u007f")
print(text.replace("{{", "{{{{"))'
}

# Downloads $1 to $2, whole or not at all.
fetch() {
    curl -fsSL --proto '=https,http' --retry 3 --output "$2.part" -- "$1" ||
        fail "'$1' cannot be downloaded."
    mv -- "$2.part" "$2"
}

absolute() {
    case $1 in
    /*) printf '%s' "$1" ;;
    *) printf '%s/%s' "$PWD" "$1" ;;
    esac
}

# What INPUT_* say of one target, which have to go together.
check_target() {
    local given=0 name
    for name in INPUT_IMAGE INPUT_IMAGE_URL INPUT_KERNEL INPUT_KERNEL_URL; do
        if [ -n "${!name-}" ]; then
            given=$((given + 1))
        fi
    done
    [ "$given" -eq 1 ] || fail "Give one of image, image_url, kernel and kernel_url, or config."
    [ -n "${INPUT_COMMAND-}" ] || fail "Give the command that is to be run."
}

write_config() {
    local image=${INPUT_IMAGE-} kernel=${INPUT_KERNEL-}
    if [ -n "${INPUT_IMAGE_URL-}" ]; then
        image=$RUNNER_TEMP/mayfly-image
        fetch "$INPUT_IMAGE_URL" "$image"
    fi
    if [ -n "${INPUT_KERNEL_URL-}" ]; then
        kernel=$RUNNER_TEMP/mayfly-kernel
        fetch "$INPUT_KERNEL_URL" "$kernel"
    fi
    echo "[[target]]"
    echo "name = $(quote "${INPUT_NAME:-action}")"
    if [ -n "$image" ]; then
        echo "image = $(quote "$(absolute "$image")")"
        echo "uefi = ${INPUT_UEFI:-false}"
    elif [ -e "$kernel" ]; then
        echo "kernel = $(quote "$(absolute "$kernel")")"
    else
        kernel=$(mayfly kernel pull "$kernel")
        echo "kernel = $(quote "$kernel")"
    fi
    if [ -n "${INPUT_KERNEL_ARGS-}" ]; then
        echo "kernel_args = $(quote "$INPUT_KERNEL_ARGS")"
    fi
    # What vmtest gives a machine.
    echo 'vm.memory = "4G"'
    echo "command = $(quote "$INPUT_COMMAND")"
}

if [ -n "${INPUT_CONFIG-}" ]; then
    config=$INPUT_CONFIG
else
    check_target
    config=$GITHUB_WORKSPACE/.mayfly-action.toml
    trap 'rm -f -- "$config"' EXIT
    text=$(write_config)
    printf '%s\n' "$text" >"$config"
fi

result=$RUNNER_TEMP/mayfly-result.json
run_dir=$RUNNER_TEMP/mayfly-run
arguments=(test --config "$config" --run-dir "$run_dir" --report "json=$result")
[ -z "${INPUT_FILTER-}" ] || arguments+=(--filter "$INPUT_FILTER")
[ -z "${INPUT_PROFILE-}" ] || arguments+=(--profile "$INPUT_PROFILE")
[ -z "${INPUT_SHARD-}" ] || arguments+=(--shard "$INPUT_SHARD")
while IFS= read -r report; do
    [ -z "$report" ] || arguments+=(--report "$report")
done <<<"${INPUT_REPORT-}"

count_cache() {
    find "$MAYFLY_CACHE_DIR" -path "$MAYFLY_CACHE_DIR/warm" -prune -o -type f -print | wc -l
}

mkdir -p "$MAYFLY_CACHE_DIR"
before=$(count_cache)
status=0
mayfly "${arguments[@]}" || status=$?
# Saved machines are of this host alone.
rm -rf -- "$MAYFLY_CACHE_DIR/warm"
{
    echo "status=$status"
    echo "result=$result"
    echo "run-dir=$run_dir"
    if [ "$(count_cache)" = "$before" ]; then
        echo "cache-changed=false"
    else
        echo "cache-changed=true"
    fi
} >>"$GITHUB_OUTPUT"
exit "$status"

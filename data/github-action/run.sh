#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs the targets of the config file INPUT_CONFIG, or the one that the other INPUT_* describe, with
# 'mayfly test'. GITHUB_OUTPUT gets the status, the result and where everything was kept.
set -euo pipefail
shopt -s inherit_errexit
# shellcheck source=data/github-action/common.sh
. "$(dirname "$0")/common.sh"

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

# A config file says all of this by itself.
check_config() {
    local name
    for name in NAME IMAGE IMAGE_URL KERNEL KERNEL_URL KERNEL_ARGS COMMAND; do
        name=INPUT_$name
        if [ -n "${!name-}" ]; then
            name=${name#INPUT_}
            fail "The input ${name,,} is for a target without a config file: give it or config, not both."
        fi
    done
    if [ "$uefi" = true ]; then
        fail "The input uefi is for a target without a config file: give it or config, not both."
    fi
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

# Makes what is to be booted be on this host: prints its key and value for the config file.
find_boot() {
    local image=${INPUT_IMAGE-} kernel=${INPUT_KERNEL-}
    if [ -n "${INPUT_IMAGE_URL-}" ]; then
        image=$RUNNER_TEMP/mayfly-image
        fetch "$INPUT_IMAGE_URL" "$image"
    fi
    if [ -n "${INPUT_KERNEL_URL-}" ]; then
        kernel=$RUNNER_TEMP/mayfly-kernel
        fetch "$INPUT_KERNEL_URL" "$kernel"
    fi
    if [ -n "$image" ]; then
        echo "image = $(quote "$(absolute "$image")")"
    elif [ -e "$kernel" ]; then
        echo "kernel = $(quote "$(absolute "$kernel")")"
    else
        # One that a step before has built or added has its name already.
        mayfly kernel info "$kernel" >/dev/null 2>&1 || kernel=$(pull "$kernel")
        echo "kernel = $(quote "$kernel")"
    fi
}

write_config() {
    echo "[[target]]"
    echo "name = $(quote "${INPUT_NAME:-action}")"
    find_boot
    [ "$uefi" = false ] || echo "uefi = true"
    if [ -n "${INPUT_KERNEL_ARGS-}" ]; then
        echo "kernel_args = $(quote "$INPUT_KERNEL_ARGS")"
    fi
    # What vmtest gives a machine.
    echo 'vm.memory = "4G"'
    echo "command = $(quote "$INPUT_COMMAND")"
}

temporary=
trap 'echo "status=$?" >>"$GITHUB_OUTPUT"; [ -z "$temporary" ] || rm -f -- "$temporary"' EXIT
uefi=$(boolean uefi)
mkdir -p "$MAYFLY_CACHE_DIR"
before=$(count_cache)
if [ -n "${INPUT_CONFIG-}" ]; then
    check_config
    config=$INPUT_CONFIG
else
    check_target
    config=$GITHUB_WORKSPACE/.mayfly-action.toml
    temporary=$config
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
    arguments+=(--report "$report")
done < <(lines_of "${INPUT_REPORT-}")

# Of an earlier step, maybe.
rm -f -- "$result"
status=0
listen mayfly "${arguments[@]}" || status=$?
# Where targets ran, mayfly itself has told how they did.
[ -e "$result" ] || [ "$status" -eq 0 ] || explain "$status"
# Saved machines are of this host alone.
rm -rf -- "$MAYFLY_CACHE_DIR/warm"
{
    echo "result=$result"
    echo "run-dir=$run_dir"
} >>"$GITHUB_OUTPUT"
tell_cache_changed "$before"
exit "$status"

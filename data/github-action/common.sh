# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the action's scripts share; they source it.

fail() {
    echo "::error::$1" >&2
    exit 2
}

# The value of the input $1 that is yes or no, as GitHub's own actions take them: true or false.
boolean() {
    local variable=INPUT_${1^^}
    variable=${variable//-/_}
    case ${!variable-} in
    true | True | TRUE) echo true ;;
    '' | false | False | FALSE) echo false ;;
    *) fail "The input $1 is '${!variable}': expected true or false." ;;
    esac
}

# The lines of $1, without what is blank around them; empty ones are left out.
lines_of() {
    local line
    while read -r line; do
        line=${line%$'\r'}
        [ -z "$line" ] || printf '%s\n' "$line"
    done <<<"$1"
}

# The top of the sources that this action came with.
find_sources() {
    local directory
    directory=$(cd "$(dirname "$0")" && pwd)
    while [ ! -x "$directory/tools/deps.sh" ]; do
        [ -n "$directory" ] || fail "The action is not where its sources are."
        directory=${directory%/*}
    done
    printf '%s\n' "$directory"
}

# Runs a command and leaves what it writes to the standard error in $complaints, too.
complaints=$RUNNER_TEMP/mayfly-complaints
listen() {
    { "$@" 2>&1 >&3 3>&- | tee -- "$complaints" >&2 3>&-; } 3>&1
}

# Makes the end of what the last command that was listened to complained of, which ended with status
# $1, an error of the job and a part of its summary. In a command of the runner these have a meaning.
explain() {
    local text escaped
    text=$(tail -n 8 -- "$complaints")
    [ -n "$text" ] || text="mayfly ended with status $1, without a word."
    escaped=${text//'%'/%25}
    escaped=${escaped//$'\r'/%0D}
    echo "::error title=mayfly::${escaped//$'\n'/%0A}"
    { echo '### mayfly'; echo; printf '%s\n' "$text" | sed 's/^/    /'; } >>"$GITHUB_STEP_SUMMARY"
}

# Pulls the kernel $1, and prints its name.
pull() {
    local status=0
    listen mayfly kernel pull -- "$1" || status=$?
    [ "$status" -eq 0 ] || explain "$status" >&2
    return "$status"
}

# What is worth to be kept: saved machines are of this host alone.
count_cache() {
    find "$MAYFLY_CACHE_DIR" -path "$MAYFLY_CACHE_DIR/warm" -prune -o -type f -print | wc -l
}

# Tells whether the cache has another number of files than $1.
tell_cache_changed() {
    if [ "$(count_cache)" = "$1" ]; then
        echo "cache-changed=false"
    else
        echo "cache-changed=true"
    fi >>"$GITHUB_OUTPUT"
}

#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Finds the artifacts of a run: list.sh DIRECTORY PATTERN... For each file that a pattern matches, or
# that is below a directory which it matches, "+" and the path; for a pattern without any, "?" and
# the pattern; each with a NUL behind it.

cd -- "$1" || exit 1
shift
# Without it, a pattern is not cut at its spaces.
IFS=
for pattern; do
    found=
    for path in $pattern; do
        case $path in
        -*)
            path=./$path
            ;;
        esac
        if [ -d "$path" ]; then
            find "$path/" -type f -exec sh -c 'for path; do printf "+%s\0" "$path"; done' sh {} +
        elif [ -f "$path" ]; then
            printf '+%s\0' "$path"
        else
            continue
        fi
        found=yes
    done
    if [ -z "$found" ]; then
        printf '?%s\0' "$pattern"
    fi
done

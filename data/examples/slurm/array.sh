#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The targets of a mayfly.toml, shared out to the tasks of a job array, and the result of the whole:
#
#     sbatch array.sh                     # in the directory of the mayfly.toml
#     sbatch --dependency=afterany:JOB --wrap='mayfly report merge --report junit=all.xml results/JOB'
#
# JOB is the number that sbatch prints: each array has a directory of its own, so that the result of
# an earlier one never stands in for a task that did not get to its end. A task tells its shard by the variables SLURM_ARRAY_TASK_*. The directory is on a file system that
# all nodes have; the cache is not, for it is for one host.

#SBATCH --job-name=mayfly
#SBATCH --array=1-4
#SBATCH --cpus-per-task=4
#SBATCH --mem=8G
#SBATCH --time=01:00:00

set -u
results=${RESULTS:-results/$SLURM_ARRAY_JOB_ID}
result=$results/shard-$SLURM_ARRAY_TASK_ID.json
mkdir -p "$results"
# Of a task that was requeued, or of an earlier array where RESULTS is one directory for all.
rm -f "$result"

# The durations of an earlier run, where there is one, make the tasks take equally long.
set -- --shard auto --report "json=$result"
if [ -s before.json ]; then
    set -- "$@" --durations before.json
fi
exec mayfly test "$@"

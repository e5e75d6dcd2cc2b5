#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The example of a Slurm array, run by a real Slurm on loopback: munged, slurmctld and slurmd with
files of their own, started and ended by the test. The targets' kernels are missing, so that no VM is
started."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

from harness import MAYFLY, Sandbox, Skip, expect, free_port, main, test

SOURCE = pathlib.Path(__file__).resolve().parents[2]
SHARDS = 4
TARGETS = 10
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "scontrol", "sinfo")
SBIN = "/usr/local/sbin:/usr/sbin:/sbin"

CONF = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
SlurmctldPort={ctld_port}
SlurmdPort={slurmd_port}
AuthType=auth/munge
AuthInfo=socket={place}/munge.socket
CredType=cred/munge
StateSaveLocation={place}/state
SlurmdSpoolDir={place}/spool
SlurmctldPidFile={place}/slurmctld.pid
SlurmdPidFile={place}/slurmd.pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_min_interval=0
MpiDefault=none
ReturnToService=2
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={shards} State=UNKNOWN
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class Cluster(Sandbox):
    def __init__(self):
        super().__init__()
        self.env["PATH"] += ":" + SBIN
        missing = [name for name in PROGRAMS if not shutil.which(name, path=self.env["PATH"])]
        if missing or os.geteuid() != 0:
            super().close()
            raise Skip(f"no {', '.join(missing)}" if missing else "Slurm's daemons need root")
        self.place = self.make("slurm")
        for name in ("state", "spool"):
            os.mkdir(os.path.join(self.place, name))
        self.daemons = []
        self.env["MAYFLY_CACHE_DIR"] = self.make("cache")
        self.env["SLURM_CONF"] = os.path.join(self.place, "slurm.conf")
        host = socket.gethostname().split(".")[0]
        with open(self.env["SLURM_CONF"], "w", encoding="utf-8") as file:
            file.write(CONF.format(host=host, user="root", place=self.place, shards=SHARDS,
                                   ctld_port=free_port(), slurmd_port=free_port()))
        self.start_all()

    def daemon(self, *command):
        log = open(os.path.join(self.place, command[0] + ".log"), "wb")
        with log:
            self.daemons.append(subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                                 stderr=log, env=self.env, cwd=self.place))

    def start_all(self):
        key = os.path.join(self.place, "munge.key")
        with open(key, "wb") as file:
            file.write(os.urandom(128))
        os.chmod(key, 0o600)
        # Its directory may be nobody else's to write to, up to the root; --force: /var/tmp is.
        self.daemon("munged", "--foreground", "--force", f"--key-file={key}",
                    f"--socket={self.place}/munge.socket", f"--pid-file={self.place}/munge.pid",
                    f"--seed-file={self.place}/munge.seed", f"--log-file={self.place}/munge.log")
        self.wait(lambda: os.path.exists(f"{self.place}/munge.socket"), "munged's socket")
        self.daemon("slurmctld", "-D")
        self.daemon("slurmd", "-D")
        self.wait(lambda: self.slurm("sinfo", "-h", "-o", "%t").stdout.strip() == "idle",
                  "the node to be idle")

    def slurm(self, *command):
        return subprocess.run(command, env=self.env, cwd=self.work, capture_output=True, text=True,
                              timeout=60, check=False)

    def wait(self, condition, what, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                logs = "".join(path.read_text(errors="replace")[-1500:]
                               for path in pathlib.Path(self.place).glob("*.log"))
                raise AssertionError(f"waited in vain for {what}:\n{logs}")
            time.sleep(0.1)

    def close(self):
        for daemon in reversed(self.daemons):
            daemon.send_signal(signal.SIGTERM)
        for daemon in reversed(self.daemons):
            try:
                daemon.wait(20)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        super().close()

    def __exit__(self, kind, *rest):
        for daemon in self.daemons:
            assert kind is not None or daemon.poll() is None, f"{daemon.args[0]} has ended"
        self.close()


@test
def an_array_of_four_shards_runs_every_target_once_and_is_merged():
    with Cluster() as cluster:
        names = [f"t{number}" for number in range(TARGETS)]
        with open(os.path.join(cluster.work, "mayfly.toml"), "w", encoding="utf-8") as file:
            file.write("".join(f'[[target]]\nname = "{name}"\nkernel = "no-such"\ncommand = "true"\n'
                               for name in names))
        os.mkdir(os.path.join(cluster.directory, "bin"))
        os.symlink(MAYFLY, os.path.join(cluster.directory, "bin", "mayfly"))
        path = f"{cluster.directory}/bin:{cluster.env['PATH']}"
        # The one array's results are not the other's, whatever became of its tasks.
        os.makedirs(os.path.join(cluster.work, "results", "0"))
        with open(os.path.join(cluster.work, "results", "0", "shard-1.json"), "w", encoding="utf-8") as file:
            file.write("of an earlier array")
        done = cluster.slurm("sbatch", f"--export=ALL,PATH={path}", "--parsable", "--mem=0",
                             "--cpus-per-task=1",
                             str(SOURCE / "data" / "examples" / "slurm" / "array.sh"))
        assert done.returncode == 0, done
        job = done.stdout.strip()
        results = [os.path.join(cluster.work, "results", job, f"shard-{index}.json")
                   for index in range(1, SHARDS + 1)]
        cluster.wait(lambda: all(os.path.exists(name) for name in results), "the results")
        merged = cluster.run("report", "merge", os.path.join("results", job))
        # Their kernels are missing: all are errors, which is what the status counts.
        expect(merged, TARGETS)
        document = json.loads(merged.out)
        assert [case["name"] for case in document["cases"]] == names, document["cases"]
        assert [part["shard"]["index"] for part in document["shards"]] == [1, 2, 3, 4], document
        assert document["interrupted"] is None, document


if __name__ == "__main__":
    main()

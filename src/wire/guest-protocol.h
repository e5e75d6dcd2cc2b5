/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What the host and the guest agree on besides frames: names of ports and shares, the fields of
 * the CONF record and of the command record. No GLib here.
 */

/* virtio-serial ports, found in the guest by /sys/class/virtio-ports/<port>/name. */
#define MF_PORT_AGENT  "org.qemu.guest_agent.0"
#define MF_PORT_STREAM "org.mayfly.stream.0"
/* Only without an initramfs: raw bytes of the command's standard streams. */
#define MF_PORT_STDIN  "org.mayfly.stdin.0"
#define MF_PORT_STDOUT "org.mayfly.stdout.0"
#define MF_PORT_STDERR "org.mayfly.stderr.0"

/* 9p mount tags. */
#define MF_TAG_ROOT    "mayfly.root"
#define MF_TAG_SHARE   "mayfly.share"   /* the caller's directory, at MF_GUEST_SHARE */
#define MF_TAG_MODULES "mayfly.modules" /* the kernel's module tree */
/* Read-only: the rendered init.sh and command.sh of init = "script"; the guest program for an
 * image's own system. */
#define MF_TAG_RUN   "mayfly.run"
#define MF_TAG_MOUNT "mayfly.mount" /* + decimal index: the user's --mount shares */

/* Places in the guest. /run is a fresh tmpfs, so these exist whatever the root is. */
#define MF_GUEST_SHARE        "/mnt/mayfly"
#define MF_GUEST_SHARE_VMTEST "/mnt/vmtest"
/* The directory of the guest program; in an image's own system where MF_TAG_RUN is mounted. It is
 * the last one in the PATH of commands. */
#define MF_GUEST_TOOLS       "/run/mayfly"
#define MF_GUEST_SELF        "/run/mayfly/mayfly-guest" /* the guest program */
#define MF_GUEST_RENEW       "renew" /* its verb for a copy of an image's saved system */
#define MF_GUEST_SCRIPTS     "/run/mayfly/scripts" /* where MF_TAG_RUN is mounted */
#define MF_GUEST_INIT_SCRIPT MF_GUEST_SCRIPTS "/init.sh"
#define MF_GUEST_COMMAND     MF_GUEST_SCRIPTS "/command.sh"

/* In the environment of the init script: "1" when mayfly-guest has mounted everything before it. */
#define MF_GUEST_PREPARED "MAYFLY_PREPARED"
/* How the line on the console starts that says why the init script gave up and powered off. */
#define MF_GUEST_FATAL "mayfly: fatal: "

/* In the initramfs: the modules to load, one absolute path a line, in order. */
#define MF_INITRAMFS_MODULES "/modules.load"

/* On the kernel's command line of a boot with initramfs; mayfly-guest takes it back for all that
 * follows the boot. Given once more by the user ('=0' for the tests at boot), it is left alone. */
#define MF_KERNEL_ARG_NO_CIPHER_TESTS "cryptomgr.notests"

/*
 * The CONF record (host -> guest, once, after SRDY). The guest answers CONR when all of it is in
 * effect: status 0 and the kernel's boot id, if it has one to read, or 1 and one sentence that says
 * what failed. Until then nothing of the run is in the VM, which is what lets a saved machine be
 * restored for any run.
 */
#define MF_CONF_INIT      "init"      /* "agent" or "script" */
#define MF_CONF_ROOT      "root"      /* "9p" or "virtiofs": how MF_TAG_ROOT is mounted */
#define MF_CONF_ROOT_MODE "root-mode" /* "overlay", "ro" or "rw" */
#define MF_CONF_9P_CACHE  "9p-cache"  /* "none", "loose", "fscache", "mmap": for the root */
/* Repeated, in order: "<9p|virtiofs>,<ro|rw>,<tag>,<absolute guest path>" (the path may contain
 * commas). One tag may have several places. The mount point is made in an overlay root; elsewhere a
 * tmpfs is put on the nearest existing parent, with what is in there bound into it, or CONR says
 * that the directory is missing. At most 64. */
#define MF_CONF_MOUNT "mount"
/* The kernel's own module tree, to appear at /lib/modules/<uname -r>: either the path of that tree
 * inside the root (bind-mounted), or "tag:" and the tag of a share of the root's kind. Absent:
 * leave /lib/modules alone. A root without a place for it is logged, not a failure. */
#define MF_CONF_MODULES  "modules"
#define MF_CONF_HOSTNAME "hostname"
/* "yes" or "no": whether another processor goes through the start of a program meanwhile, which is
 * of use where one is emulated. */
#define MF_CONF_REHEARSE "rehearse"
/* "<address>/<prefix length>,<gateway>,<name server>", all IPv4: what the one network interface is
 * given, and /etc/resolv.conf. Absent: the machine has none. */
#define MF_CONF_NET     "net"
#define MF_CONF_TIME    "time"    /* CLOCK_REALTIME as "<seconds>.<nine digits>" */
#define MF_CONF_ENTROPY "entropy" /* hexadecimal bytes for the random generator, then a reseed */

/*
 * The command record. The host runs it with
 *     guest-exec {"path": MF_GUEST_SELF, "arg": ["exec"], "input-data": base64(record)}
 * whoever serves the agent port. "mayfly-guest exec" reads the record from its standard input and
 * speaks frames on MF_PORT_STREAM; when mayfly-guest itself is the agent it does the same in its
 * own process, and the pid it returns is the command's. There is one such command at a time.
 *
 * Frames for a command count from the answer to guest-exec on. EXCX follows all output that could
 * be read when the exit was known, and guest-exec-status agrees with it; output of others, who hold
 * the command's pipes open, goes on until its end. An output that has not ended when the next
 * command starts ends before anything of that one is sent; what its writers still write is read
 * and thrown away. "mayfly-guest exec" waits for such output at most a second; then it says SOHE,
 * ends it, and exits.
 *
 * A command that cannot be executed says why in one sentence on its standard error, and exits with
 * MF_EXIT_NOT_FOUND or MF_EXIT_CANNOT_EXECUTE; the latter also when the working directory or the
 * user is missing.
 */
/* One of three: */
#define MF_EXEC_ARG   "arg"   /* repeated: argv, exactly */
#define MF_EXEC_SHELL "shell" /* text for "bash -c" when the guest has bash, else "sh -c" */
#define MF_EXEC_LOGIN "login" /* a login shell: this path where it exists, else bash, else sh */
/* All optional: */
#define MF_EXEC_ENV     "env" /* repeated: NAME=VALUE; nothing else is in the environment */
#define MF_EXEC_WORKDIR "workdir"
#define MF_EXEC_USER    "user" /* NAME or UID, optionally :GROUP or :GID; absent: root */
/* "<rows>x<columns>": a pseudo-terminal instead of pipes, whatever the three below say. All output
 * is SOUT then, SINE types the terminal's end-of-file character, and SOCL 1 hangs it up. */
#define MF_EXEC_TTY "tty"
/* An output that does not exist ends at once. */
#define MF_EXEC_STDIN  "stdin"  /* "stream" (default), "null", "closed" */
#define MF_EXEC_STDOUT "stdout" /* "stream" (default), "closed" */
#define MF_EXEC_STDERR "stderr" /* "stream" (default), "closed" */

/*
 * The payload record of a PRUN frame: the fields of a command record but MF_EXEC_LOGIN, MF_EXEC_TTY
 * and the streams, for a payload reads nothing and writes to two pipes; and these, all optional. At
 * most MF_PAYLOAD_RECORD_MAX bytes.
 *
 * Both outputs are RAWO frames as they come, up to MF_PAYLOAD_KEEP_MAX bytes each; what is more is
 * read, counted and thrown away. The guest reads whether or not the host does, so that a payload
 * waits for nobody.
 *
 * When the payload has exited, or its time is over, or PKIL came, everything it has left behind is
 * killed, whatever process group, session or parent that has. After both ends of its outputs comes
 * its PMET, exactly one for each PRUN, and when no other payload runs then, after sync(2). It is a
 * JSON object of at most MF_FRAME_CHUNK_MAX bytes with the index, and has one of
 *
 *   "status"  0 to 255
 *   "signal"  the number of the one that killed it
 *   "error"   one sentence: it could not be started
 *
 * and, but for "error",
 *
 *   "timed-out"         whether it was killed because its time was over
 *   "killed"            whether it was killed because of PKIL
 *   "duration-us"       from its start to its exit
 *   "stdout", "stderr"  {"bytes": all it wrote, "discarded": how many of them were not sent}
 *   "cgroup"            only with MF_PAYLOAD_CGROUP: the group's statistics by the names of the
 *                       kernel's files, as numbers, objects of numbers ("cpu.stat") or objects of
 *                       those ("cpu.pressure"); the kernel decides which there are
 */
#define MF_PAYLOAD_TIMEOUT "timeout-ms" /* decimal, at least 1; absent: no limit */
/* A name that mf_cgroup_name_problem() finds nothing wrong with: the control group is that one
 * below MF_GUEST_CGROUP. Absent or empty: one of its own without a name. */
#define MF_PAYLOAD_CGROUP "cgroup"
/* Repeated, in order: "<file>=<value>", with a file that mf_cgroup_limit_is_known(); needs
 * MF_PAYLOAD_CGROUP. */
#define MF_PAYLOAD_LIMIT       "limit"
#define MF_PAYLOAD_PARENT_PGRP "parent-pgrp" /* "1": no process group of its own */

#define MF_PAYLOAD_RECORD_MAX (8u << 20)
#define MF_PAYLOAD_KEEP_MAX   (16u << 20)

/* Bytes of a RAWO frame before those of the output. */
#define MF_PAYLOAD_RAW_HEADER 8

/* Where the guest keeps its control groups. */
#define MF_GUEST_CGROUP "/sys/fs/cgroup/mayfly"

/* How a process can end: with a status up to the one, or by a signal up to the other. */
#define MF_EXIT_STATUS_MAX 255
#define MF_EXIT_SIGNAL_MAX 64

/* Exit statuses of a command that never ran, as shells have them. */
#define MF_EXIT_CANNOT_EXECUTE 126
#define MF_EXIT_NOT_FOUND      127

/*
 * Scenario frames. Whatever runs in the guest, as whatever user, may send them by a unix socket of
 * the type SOCK_SEQPACKET, one frame a message, whole: SCST, SCPP, SCRR and SCEN without a payload,
 * PMET with MF_SCENARIO_INDEX and the JSON of a metric,
 *     {"metric": {"name": "...", "value": 1.5, "unit": "...", "polarity": "higher"|"lower"|""}}
 * SCLG with text, SNRQ. mayfly-guest passes them on (SCEN with the milliseconds since the start)
 * and answers each with one SNRP, by the request's own id where it has one: of SNRQ the host's, of
 * the others MF_SNAPSHOT_OK once it is on its way, in front of the command's end.
 */
#define MF_GUEST_SCENARIO       "/run/mayfly.scenario"
#define MF_SCENARIO_PAYLOAD_MAX 4096
#define MF_SCENARIO_INDEX       0xffffffffu

/* What SNRQ asks for, by kind. Others get an answer too, and nothing else. */
enum {
    MF_SNAPSHOT_MEMORY = 1,  /* a dump of the guest's memory */
    MF_SNAPSHOT_WATCH = 2,   /* known, and refused: what a scenario runner's debugger does */
    MF_SNAPSHOT_STATE = 3,   /* QEMU's view of the machine: processors, registers, devices */
    MF_SNAPSHOT_CONSOLE = 4, /* how far the console has come, in bytes */
};
enum { MF_SNAPSHOT_OK = 1, MF_SNAPSHOT_FAILED = 2 };

/* SNRQ and SNRP: two u32, and text that ends at its first NUL or with the field. */
#define MF_SNAPSHOT_MESSAGE_SIZE 72
#define MF_SNAPSHOT_TEXT_SIZE    64
#define MF_SNAPSHOT_TEXT_AT      8

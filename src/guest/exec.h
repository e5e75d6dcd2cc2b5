/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * "mayfly-guest exec": one command, its record on standard input, its streams on the stream port.
 * For a guest whose agent port another agent serves.
 *
 * 'stream_path' is a unix socket to use instead of the port, or NULL; 'scenario_path' the one to
 * take frames of scenarios by, instead of MF_GUEST_SCENARIO, or NULL. Returns the program's exit
 * status: the command's, or 126 after one sentence on standard error. When the command was killed
 * by a signal, so is this process, by the same one, so that whoever started it sees the same.
 */
int mfg_exec_main(const char *stream_path, const char *scenario_path);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * "mayfly-guest agent": the agent alone, outside a VM, for tests and for other tools. It listens at
 * 'socket_path'. 'stream_path' is a unix socket to run command records with, or NULL, and
 * 'scenario_path' one to take frames of scenarios by, or NULL. TERM and INT end it, with 0;
 * otherwise it returns 1 when it cannot start.
 */
int mfg_alone_main(const char *socket_path, const char *stream_path, const char *scenario_path);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * "mayfly-guest agent": the agent alone, outside a VM, for tests and for other tools. It listens at
 * 'socket_path'. 'stream_path' is a unix socket to run command records with, or NULL. Returns an
 * exit status, and only when it cannot go on.
 */
int mfg_alone_main(const char *socket_path, const char *stream_path);

/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <glib.h>

/*
 * The guest agent of a domain, as the peer of a line caller (wire/line-caller.h): the connection to
 * it is libvirt's, which brings it into step by itself, so that what a client of the agent sends
 * has to be put into libvirt's words.
 */

/* One request of the agent's protocol, and its reply; 'link' is the MfLibvirtLink of the domain.
 * NULL where the agent gave no answer in time. Blocks. Owned by the caller. */
char *mf_libvirt_agent_answer(const char *line, gpointer link);

/* The request that libvirt takes in place of 'line'; *ret_marked tells whether its reply has to
 * begin with the mark that says from where on the agent is in step. A pure function. NULL when the
 * line is no request. Owned by the caller. */
char *mf_libvirt_agent_translate(const char *line, gboolean *ret_marked);

/* The agent's own words in libvirt's message on a command that it refuses. A pure function.
 * Borrowed from 'message'. */
const char *mf_libvirt_agent_get_reason(const char *message);

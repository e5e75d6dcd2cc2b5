/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Cuts what a client sends into single JSON values, as soon as each is complete, with or without
 * line ends between them. It only knows where a value ends; whether it is JSON is for the parser.
 *
 * The byte 0xff, which JSON cannot contain, and a line end within a string, bring the splitter back
 * to the start from whatever it was in: that is how a client gets into step with an agent that may
 * have half a request of somebody else.
 */
#define MFG_SPLITTER_VALUE_MAX (32u << 20)
#define MFG_SPLITTER_DEPTH_MAX 64

enum mfg_split {
    MFG_SPLIT_MORE,   /* everything was taken, nothing is complete */
    MFG_SPLIT_VALUE,  /* 'text' and 'length' are a value, until the next call */
    MFG_SPLIT_BROKEN, /* no value: 'problem' says why; goes on behind it */
};

struct mfg_splitter {
    char *text; /* owned */
    size_t length, capacity;
    const char *problem;
    enum {
        MFG_SPLITTER_BETWEEN,
        MFG_SPLITTER_IN_WORD,
        MFG_SPLITTER_IN_VALUE,
        MFG_SPLITTER_SKIPPING
    } state;
    unsigned int depth;
    bool in_string, escaped, handed_out;
};

/* Takes bytes until something is to be said; *ret_taken of 'size'. */
enum mfg_split mfg_splitter_feed(struct mfg_splitter *splitter, const uint8_t *data, size_t size,
                                 size_t *ret_taken);

/* Forgets everything; also releases the memory. */
void mfg_splitter_clear(struct mfg_splitter *splitter);

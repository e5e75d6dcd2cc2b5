/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * TLV frames on the port MF_PORT_STREAM, both ways. No GLib here: guest and host share this file.
 *
 * A frame is a 16-byte little-endian header (u32 type, u32 length, u32 crc32 of the payload, u32
 * zero) and the payload. The type is four ASCII characters as a big-endian integer.
 */
#define MF_FRAME_HEADER_SIZE 16
#define MF_FRAME_PAYLOAD_MAX (16u << 20) /* of a message */
#define MF_FRAME_CHUNK_MAX   (64u << 10) /* of a stream chunk: SINP, SOUT, SERR, DMSG, RAWO, PMET */

#define MF_FRAME_TYPE(a, b, c, d)                                                                  \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* Guest to host. An SOUT or SERR without payload is that stream's end. */
#define MF_FRAME_SRDY MF_FRAME_TYPE('S', 'R', 'D', 'Y') /* at the ready point; no payload */
#define MF_FRAME_SOUT MF_FRAME_TYPE('S', 'O', 'U', 'T') /* standard output */
#define MF_FRAME_SERR MF_FRAME_TYPE('S', 'E', 'R', 'R') /* standard error */
#define MF_FRAME_SOHE                                                                              \
    MF_FRAME_TYPE('S', 'O', 'H', 'E') /* u8 1 or 2: that ends now though others hold it open */
#define MF_FRAME_EXCX                                                                              \
    MF_FRAME_TYPE('E', 'X', 'C', 'X') /* i32: exit status, or -signal; after sync(2) */
#define MF_FRAME_DMSG MF_FRAME_TYPE('D', 'M', 'S', 'G') /* kernel log text, whole lines */
#define MF_FRAME_SINA                                                                              \
    MF_FRAME_TYPE('S', 'I', 'N', 'A') /* u32: stdin bytes consumed since the last */
#define MF_FRAME_CONR MF_FRAME_TYPE('C', 'O', 'N', 'R') /* answer to CONF: u8 status, text */

/* Host to guest. */
#define MF_FRAME_CONF MF_FRAME_TYPE('C', 'O', 'N', 'F') /* a record: what to set up, once */
#define MF_FRAME_SINP MF_FRAME_TYPE('S', 'I', 'N', 'P') /* standard input */
#define MF_FRAME_SINE MF_FRAME_TYPE('S', 'I', 'N', 'E') /* its end; no payload */
#define MF_FRAME_SOCL                                                                              \
    MF_FRAME_TYPE('S', 'O', 'C', 'L')                   /* u8 1 or 2: nobody reads that any more   \
                                                         */
#define MF_FRAME_WINS MF_FRAME_TYPE('W', 'I', 'N', 'S') /* u16 rows, u16 columns */
#define MF_FRAME_SIGN MF_FRAME_TYPE('S', 'I', 'G', 'N') /* i32: signal for the command's group */
#define MF_FRAME_CKIL                                                                              \
    MF_FRAME_TYPE('C', 'K', 'I', 'L') /* u32 grace ms: TERM, then KILL, to all                     \
                                       */

/*
 * Payloads: programs that the guest runs at the host's word, several at once, each known by the
 * index that the host gave it (wire/guest-protocol.h). Host to guest:
 *
 *   PRUN  u32 index, then a payload record: starts it
 *   PSIG  u32 index, i32 signal: to its process group
 *   PKIL  u32 index: KILL to all that is left of it, at once
 *
 * Guest to host:
 *
 *   RAWO  u32 index, u8 1 or 2, three zeros, then bytes of that output; no bytes are its end
 *   PMET  u32 index, then JSON: how it ended
 */
#define MF_FRAME_PRUN MF_FRAME_TYPE('P', 'R', 'U', 'N')
#define MF_FRAME_PSIG MF_FRAME_TYPE('P', 'S', 'I', 'G')
#define MF_FRAME_PKIL MF_FRAME_TYPE('P', 'K', 'I', 'L')
#define MF_FRAME_PMET MF_FRAME_TYPE('P', 'M', 'E', 'T')
#define MF_FRAME_RAWO MF_FRAME_TYPE('R', 'A', 'W', 'O')

/*
 * Frames of scenario runners, guests of another kind that speak the same format. What the host
 * makes of them is in run/dispatch.h; which of them mayfly-guest sends, in wire/guest-protocol.h.
 *
 *   SCST SCPP SCRR  a scenario starts, pauses, goes on
 *   SCEN            it ends: u64 elapsed ms
 *   SCDX            the scheduler under test has died: i32
 *   SCLG            a chunk of its log
 *   STIM            what a step did: 24 bytes
 *   EXIT            the end of a test: i32
 *   TEST            its result, serialized
 *   PRAW            a coverage profile
 *   LIFE            u8 phase of the guest's life, then a reason
 *   CRSH            text of a crash
 *   PROB            a probe's answer, JSON
 *   KADR            at least 8 bytes; the first u64 is the kernel's physical base plus one
 *   SNRQ            72 bytes: u32 id, u32 kind, tag[64]: asks for a snapshot
 *   SNRP            72 bytes: u32 id, u32 status, reason[64]: the host's answer
 *   KORP            the host's answer to an operation on the kernel
 */
#define MF_FRAME_SCST MF_FRAME_TYPE('S', 'C', 'S', 'T')
#define MF_FRAME_SCPP MF_FRAME_TYPE('S', 'C', 'P', 'P')
#define MF_FRAME_SCRR MF_FRAME_TYPE('S', 'C', 'R', 'R')
#define MF_FRAME_SCEN MF_FRAME_TYPE('S', 'C', 'E', 'N')
#define MF_FRAME_SCDX MF_FRAME_TYPE('S', 'C', 'D', 'X')
#define MF_FRAME_SCLG MF_FRAME_TYPE('S', 'C', 'L', 'G')
#define MF_FRAME_STIM MF_FRAME_TYPE('S', 'T', 'I', 'M')
#define MF_FRAME_EXIT MF_FRAME_TYPE('E', 'X', 'I', 'T')
#define MF_FRAME_TEST MF_FRAME_TYPE('T', 'E', 'S', 'T')
#define MF_FRAME_PRAW MF_FRAME_TYPE('P', 'R', 'A', 'W')
#define MF_FRAME_LIFE MF_FRAME_TYPE('L', 'I', 'F', 'E')
#define MF_FRAME_CRSH MF_FRAME_TYPE('C', 'R', 'S', 'H')
#define MF_FRAME_PROB MF_FRAME_TYPE('P', 'R', 'O', 'B')
#define MF_FRAME_KADR MF_FRAME_TYPE('K', 'A', 'D', 'R')
#define MF_FRAME_SNRQ MF_FRAME_TYPE('S', 'N', 'R', 'Q')
#define MF_FRAME_SNRP MF_FRAME_TYPE('S', 'N', 'R', 'P')
#define MF_FRAME_KORP MF_FRAME_TYPE('K', 'O', 'R', 'P')

/* How many bytes of standard input the host may send beyond what SINA has acknowledged. */
#define MF_STDIN_WINDOW (256u << 10)

/* IEEE CRC-32, the one of zlib; 0 for no bytes. */
uint32_t mf_frame_crc32(const void *data, size_t size);

/* Writes the header of a frame with that payload to 'header' (MF_FRAME_HEADER_SIZE bytes). */
void mf_frame_encode_header(uint8_t *header, uint32_t type, const void *payload, size_t length);

/* The integers inside payloads are little-endian and not aligned. */
void mf_frame_put_u32(uint8_t *at, uint32_t value);
uint32_t mf_frame_get_u32(const uint8_t *at);
uint64_t mf_frame_get_u64(const uint8_t *at);
void mf_frame_put_u16(uint8_t *at, uint16_t value);
uint16_t mf_frame_get_u16(const uint8_t *at);

struct mf_frame {
    uint32_t type;
    bool crc_ok;
    bool pad_ok;            /* the header's last word was zero */
    const uint8_t *payload; /* borrowed; not NULL, also when length is 0 */
    size_t length;
};

/*
 * Frames out of a stream, however it was cut:
 *
 *     mf_frame_assembler_feed(&assembler, data, size);
 *     while (mf_frame_assembler_next(&assembler, &frame))
 *         ...
 *
 * A frame with a wrong checksum is handed out (crc_ok false) and the walk goes on behind it. What
 * cannot be a frame is thrown away together with everything received so far, to come back into
 * step: an announced payload beyond 'cap' once all of it is there, or more than 2 * cap bytes
 * without a frame. Memory is taken for what arrived, never for what a header announces: at most
 * 2 * cap and one feed.
 *
 * Initialise with MF_FRAME_ASSEMBLER_INIT(cap); release with mf_frame_assembler_clear().
 */
struct mf_frame_assembler {
    uint8_t *data; /* owned, malloc */
    size_t start, end, capacity;
    size_t cap;
};

#define MF_FRAME_ASSEMBLER_INIT(cap_) ((struct mf_frame_assembler){.cap = (cap_)})

/* Appends a copy of 'data'; take the frames out after each call. Returns false when memory ran out:
 * nothing was taken.
 */
bool mf_frame_assembler_feed(struct mf_frame_assembler *assembler, const void *data, size_t size);

/* The next complete frame; its payload is valid until the next call. */
bool mf_frame_assembler_next(struct mf_frame_assembler *assembler, struct mf_frame *ret_frame);

/* Bytes that wait for the rest of their frame. */
size_t mf_frame_assembler_pending(const struct mf_frame_assembler *assembler);

/* Hands over the bytes that wait (malloc; NULL when there are none) and leaves the assembler
 * empty. */
uint8_t *mf_frame_assembler_take_residual(struct mf_frame_assembler *assembler, size_t *ret_size);

/* Forgets what is pending and frees it; the assembler can be used again. */
void mf_frame_assembler_clear(struct mf_frame_assembler *assembler);

/* The frames of a recording that is all there: *at is 0 at first. Returns false at the end, at a
 * torn last frame, and at a header that announces more than 'cap'. */
bool mf_frame_parse(const uint8_t *data, size_t size, size_t cap, size_t *at,
                    struct mf_frame *ret_frame);

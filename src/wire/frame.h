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
#define MF_FRAME_CHUNK_MAX   (64u << 10) /* of a stream chunk: SINP, SOUT, SERR, DMSG */

#define MF_FRAME_TYPE(a, b, c, d)                                                                  \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

/* Guest to host. An SOUT or SERR without payload is that stream's end. */
#define MF_FRAME_SRDY MF_FRAME_TYPE('S', 'R', 'D', 'Y') /* at the ready point; no payload */
#define MF_FRAME_SOUT MF_FRAME_TYPE('S', 'O', 'U', 'T') /* standard output */
#define MF_FRAME_SERR MF_FRAME_TYPE('S', 'E', 'R', 'R') /* standard error */
#define MF_FRAME_EXCX MF_FRAME_TYPE('E', 'X', 'C', 'X') /* i32: exit status, or -signal */
#define MF_FRAME_DMSG MF_FRAME_TYPE('D', 'M', 'S', 'G') /* kernel log text, whole lines */
#define MF_FRAME_SINA                                                                              \
    MF_FRAME_TYPE('S', 'I', 'N', 'A') /* u32: stdin bytes consumed since the last */
#define MF_FRAME_CONR                                                                              \
    MF_FRAME_TYPE('C', 'O', 'N', 'R') /* answer to CONF: u8 status, then a reason */

/* Host to guest. */
#define MF_FRAME_CONF MF_FRAME_TYPE('C', 'O', 'N', 'F') /* a record: what to set up, once */
#define MF_FRAME_SINP MF_FRAME_TYPE('S', 'I', 'N', 'P') /* standard input */
#define MF_FRAME_SINE MF_FRAME_TYPE('S', 'I', 'N', 'E') /* its end; no payload */
#define MF_FRAME_SOCL MF_FRAME_TYPE('S', 'O', 'C', 'L') /* u8 1 or 2: nobody reads that any more   \
                                                         */
#define MF_FRAME_WINS MF_FRAME_TYPE('W', 'I', 'N', 'S') /* u16 rows, u16 columns */
#define MF_FRAME_SIGN MF_FRAME_TYPE('S', 'I', 'G', 'N') /* i32: signal for the command's group */
#define MF_FRAME_CKIL MF_FRAME_TYPE('C', 'K', 'I', 'L') /* u32 grace ms: TERM, then KILL, to all   \
                                                         */

/* How many bytes of standard input the host may send beyond what SINA has acknowledged. */
#define MF_STDIN_WINDOW (256u << 10)

uint32_t mf_frame_crc32(const void *data, size_t size);

/* Writes the header of a frame with that payload to 'header' (MF_FRAME_HEADER_SIZE bytes). */
void mf_frame_encode_header(uint8_t *header, uint32_t type, const void *payload, size_t length);

struct mf_frame {
    uint32_t type;
    bool crc_ok;
    bool pad_ok; /* the header's last word was zero */
    const uint8_t *payload;
    size_t length;
};

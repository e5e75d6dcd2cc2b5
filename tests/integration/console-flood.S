/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel of test-console-flood.py: says BLOCKS times LINES numbered lines of LINE_SIZE bytes on
 * its console, and ends. It is of s390x, whose console takes a block of up to 4 KiB at once, where a
 * PC's serial port takes a byte: a gibibyte in a minute, not in hours. */
    .set LINES, 16
    .set LINE_SIZE, 128
    .set DIGITS, 15
    .set WRITE_EVENT_DATA, 0x00760005
    .set EVENT_ASCII_CONSOLE, 0x1a

/* Where a kernel image of s390x begins, is recognised, and has its arguments put from 0x10400 on. */
    .globl _start
_start:
    .org 0x10000
    j main
    .org 0x10008
    .ascii "S390EP"

    .org 0x11000
main:
    larl %r2, sccb
    larl %r3, packed
    larl %r4, zones
    lghi %r5, 0
    iilf %r6, BLOCKS
    iilf %r1, WRITE_EVENT_DATA
block:
    larl %r7, text
    lghi %r8, LINES
line:
    cvd %r5, 0(%r3)
    unpk 0(DIGITS, %r7), 0(8, %r3)
    /* The last digit has the sign beside it; EBCDIC's digits are ASCII's with two bits more. */
    oi DIGITS - 1(%r7), 0xf0
    nc 0(DIGITS, %r7), 0(%r4)
    la %r5, 1(%r5)
    la %r7, LINE_SIZE(%r7)
    brct %r8, line
    /* What the last call has marked as done. */
    mvi function - sccb(%r2), 0
    mvi flags - sccb(%r2), 0
    .insn rre, 0xb2200000, %r1, %r2 /* servc */
    brct %r6, block
    larl %r3, stopped
    lpswe 0(%r3)

    .balign 16
/* Waits with everything disabled, at the address that means a shutdown in order. */
stopped:
    .quad 0x0002000180000000, 0xfff
packed:
    .quad 0
zones:
    .fill DIGITS, 1, 0x3f

/* A service call's control block, with one event. */
    .balign 4096
sccb:
    .short end - sccb
function:
    .byte 0, 0, 0, 0
    .short 0
event:
    .short end - event
    .byte EVENT_ASCII_CONSOLE
flags:
    .byte 0
    .short 0
text:
    .rept LINES
    .fill LINE_SIZE - 2, 1, 'x'
    .ascii "\r\n"
    .endr
end:

/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel of test-media.py that is no Linux: an ELF file that QEMU starts by the Multiboot
 * protocol. It says that it runs on the serial port, and writes VALUE to isa-debug-exit's port. */
    .set MAGIC, 0x1badb002
    .set SERIAL, 0x3f8
    .set SERIAL_STATUS, 0x3fd
    .set EXIT, 0xf4

    .text
    .align 4
    .long MAGIC, 0, -MAGIC

    .globl _start
_start:
    movl $text, %esi
next:
    lodsb
    testb %al, %al
    jz done
    movb %al, %ah
wait:
    movw $SERIAL_STATUS, %dx
    inb %dx, %al
    testb $0x20, %al
    jz wait
    movw $SERIAL, %dx
    movb %ah, %al
    outb %al, %dx
    jmp next
done:
    movw $EXIT, %dx
    movb $VALUE, %al
    outb %al, %dx
stop:
    cli
    hlt
    jmp stop

text:
    .asciz "mayfly: the kernel runs\r\n"

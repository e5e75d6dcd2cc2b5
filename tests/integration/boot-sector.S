/* SPDX-License-Identifier: Apache-2.0 */
/* The boot sector of media.py, for a disk and for a disc: says that it runs on the serial port, reads
 * a line there where ECHO is not 0 and says it again, powers the machine off where POWER_OFF is not 0,
 * and writes VALUE to isa-debug-exit's port; without the device, or with VALUE = 0x100, it stops. */
    .set SERIAL, 0x3f8
    .set SERIAL_STATUS, 0x3fd
    .set EXIT, 0xf4
    .set CLOCK, 0x46c /* ticks, counted by the BIOS */
    .set PM1_CONTROL, 0x604 /* of ACPI, where the BIOS puts it on a q35 */
    .set SLEEP_S5, 0x2000   /* SLP_EN, with QEMU's SLP_TYP of S5 */

    .code16
    .globl _start
_start:
    ljmp $0, $start
start:
    xorw %ax, %ax
    movw %ax, %ds
    /* The BIOS writes its last words to the serial port at ticks of its clock, and takes what was
     * typed there. Two ticks later it has said all, and after that the port is ours alone. */
    sti
    movw CLOCK, %bx
    addw $2, %bx
flush:
    hlt
    cmpw %bx, CLOCK
    js flush
    cli
    movw $text, %si
next:
    lodsb
    testb %al, %al
    jz said
    call say
    jmp next
said:
    movw $ECHO, %ax
    testw %ax, %ax
    jz done
echo:
    movw $SERIAL_STATUS, %dx
    inb %dx, %al
    testb $0x01, %al
    jz echo
    movw $SERIAL, %dx
    inb %dx, %al
    call say
    cmpb $'\n', %ah
    jne echo
done:
    movw $POWER_OFF, %ax
    testw %ax, %ax
    jz exit
    movw $PM1_CONTROL, %dx
    movw $SLEEP_S5, %ax
    outw %ax, %dx
exit:
    movw $VALUE, %ax
    cmpw $0x100, %ax
    je stop
    movw $EXIT, %dx
    outb %al, %dx
stop:
    cli
    hlt
    jmp stop

/* Says %al, and leaves it in %ah. */
say:
    movb %al, %ah
wait:
    movw $SERIAL_STATUS, %dx
    inb %dx, %al
    testb $0x20, %al
    jz wait
    movw $SERIAL, %dx
    movb %ah, %al
    outb %al, %dx
    ret

text:
    .asciz "\r\nmayfly: the boot sector runs\r\n"

/* SPDX-License-Identifier: Apache-2.0 */
/* The EFI program of test-media.py: says what it finds, writes to the drive that it was started
 * from, and ends the machine with 0x10, or by a power-off where nobody takes that. */
#include <efi.h>
#include <efilib.h>

#define EXIT_PORT  0xf4
#define EXIT_VALUE 0x10

static void
tell_secure_boot(void)
{
    EFI_GUID global = EFI_GLOBAL_VARIABLE;
    UINT8 secure = 0, setup = 0;
    UINTN size = sizeof(secure);

    uefi_call_wrapper(RT->GetVariable, 5, L"SecureBoot", &global, NULL, &size, &secure);
    size = sizeof(setup);
    uefi_call_wrapper(RT->GetVariable, 5, L"SetupMode", &global, NULL, &size, &setup);
    Print(L"mayfly: SecureBoot=%d SetupMode=%d\n", secure, setup);
}

/* Makes one file, and changes another. */
static EFI_STATUS
write_file(EFI_FILE *root, CHAR16 *name, UINT64 mode)
{
    CHAR8 text[] = "written by the guest\n";
    UINTN size = sizeof(text) - 1;
    EFI_FILE *file;
    EFI_STATUS status = uefi_call_wrapper(root->Open, 5, root, &file, name, mode, 0);

    if (EFI_ERROR(status))
        return status;
    status = uefi_call_wrapper(file->Write, 3, file, &size, text);
    uefi_call_wrapper(file->Close, 1, file);
    return status;
}

static void
write_files(EFI_HANDLE image)
{
    EFI_LOADED_IMAGE *self;
    EFI_FILE *root;
    EFI_STATUS made, changed;

    uefi_call_wrapper(BS->HandleProtocol, 3, image, &LoadedImageProtocol, (void **)&self);
    root = LibOpenRoot(self->DeviceHandle);
    if (!root)
        return;
    made = write_file(root, L"\\NEW.TXT",
                      EFI_FILE_MODE_CREATE | EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE);
    changed =
        write_file(root, L"\\notes with a long name.txt", EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE);
    Print(L"mayfly: made %r, changed %r\n", made, changed);
}

EFI_STATUS
efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
    InitializeLib(image, system);
    Print(L"\nmayfly: the EFI program runs\n");
    tell_secure_boot();
    write_files(image);
    __asm__ volatile("outb %0, %1" : : "a"((UINT8)EXIT_VALUE), "Nd"((UINT16)EXIT_PORT));
    uefi_call_wrapper(RT->ResetSystem, 4, EfiResetShutdown, EFI_SUCCESS, 0, NULL);
    return EFI_SUCCESS;
}

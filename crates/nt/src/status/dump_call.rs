//! What a status means as the answer of the two dump commands of
//! `NtSystemDebugControl`, and what to do about it.
//!
//! The kernel's side of the call is not documented: what is only reported says so.

/// (status, meaning, remedy), sorted by status.
pub(super) const DUMP_CALL: &[(u32, &str, &str)] = &[
    (0x0000_0000, "the dump was written completely", "nothing to do"),
    (
        0x0000_0105,
        "the dump was written, but it is partial: some pages are missing",
        "keep the file; for a fuller dump free memory, or leave out user and hypervisor pages, and capture again",
    ),
    (
        0xC000_0001,
        "the capture failed; one reported cause is an encrypted-dump setting that could not be honoured",
        "check the crash-dump encryption settings, then try again",
    ),
    (
        0xC000_0002,
        "this Windows does not implement the request; that is reported of ARM32 and of unknown flags",
        "use a 64-bit Windows and drop unusual options",
    ),
    (0xC000_0003, "this Windows does not know the command", "live dumps need Windows 8.1 or later"),
    (
        0xC000_0004,
        "the structure's or buffer's length does not suit this Windows; the 72-byte structure is reported to be unknown before Windows 11 22H2, and a triage buffer to need 256 KiB",
        "capture without kernel stacks only (structure version 1), or with a triage buffer of 1 MiB",
    ),
    (
        0xC000_0008,
        "a handle given to the call is not valid",
        "report it: the program closed a handle too early",
    ),
    (
        0xC000_000D,
        "the kernel refused a parameter; reported causes are a target file not opened for synchronous writing, kernel stacks only together with hypervisor pages, a missing thread handle, and an out-of-range LiveDump DumpFileSize value in the registry",
        "drop the combination of options; check Control\\LiveDump in the registry",
    ),
    (
        0xC000_0017,
        "the kernel could not get memory for its bookkeeping",
        "free memory, or capture kernel stacks only, and try again",
    ),
    (
        0xC000_0022,
        "access was denied; the call is reported to need an enabled SeDebugPrivilege, full access to the threads of a triage dump and write access to the file, and to be refused inside a container on builds from Windows 11 24H2",
        "run elevated; check that the policy \"Debug programs\" still names administrators; do not run inside a container",
    ),
    (
        0xC000_0024,
        "a handle given to the call is of the wrong type",
        "report it: the program passed a wrong handle",
    ),
    (
        0xC000_004B,
        "the capturing thread was being ended",
        "let the capture finish before ending the program",
    ),
    (
        0xC000_0061,
        "a privilege is missing; the dump commands are reported to answer 0xC0000022 instead, so a file system or filter may have said this",
        "run elevated, and try a target folder on a local disk",
    ),
    (
        0xC000_007F,
        "the target volume is full; the kernel is reported not to check the space before it writes",
        "free space or choose another volume, and capture again",
    ),
    (
        0xC000_009A,
        "there is not enough free memory for even the smallest copy",
        "free memory, leave out user and hypervisor pages, or capture kernel stacks only",
    ),
    (
        0xC000_00BB,
        "dump capture is switched off; reported causes are dumps forced off and AllowLiveDump = 0 under Control\\LiveDump",
        "check AllowLiveDump under HKLM\\SYSTEM\\CurrentControlSet\\Control\\LiveDump and your organisation's policy",
    ),
    (
        0xC000_0120,
        "the capture was cancelled; a cancel is reported to be seen only while the file is written",
        "capture again when it suits",
    ),
    (
        0xC000_022D,
        "another live dump is being taken: by a tool, Task Manager or error reporting",
        "wait until it has ended and try again",
    ),
    (
        0xC000_0240,
        "the capture was given up because memory is short, as asked for",
        "free memory, or capture without giving up under memory pressure",
    ),
    (
        0xC000_0354,
        "the call is taken only while a kernel debugger is active",
        "leave out user pages where they were asked for (before Windows 11 22H2 with its updates of mid-2023 they are reported to need a debugger), or boot with kernel debugging enabled",
    ),
    (
        0xC000_0476,
        "the processors are reported not to have been stopped in time",
        "try again in a few minutes, when the machine is less busy",
    ),
    (
        0xC000_0804,
        "live dumps are switched off: FullLiveReportsMax is 0 under CrashControl\\FullLiveKernelReports",
        "set FullLiveReportsMax under HKLM\\SYSTEM\\CurrentControlSet\\Control\\CrashControl\\FullLiveKernelReports to 1 or more, or remove it",
    ),
];

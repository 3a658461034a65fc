//! Names that a Windows machine might have.

use crate::image::Addresses;
use crate::scenario::Fault;

/// A process that is there, or is with one scenario only.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) parent: &'static str,
    pub(crate) session: u32,
    /// PS_PROTECTION.
    pub(crate) protection: u8,
    pub(crate) threads: u32,
    pub(crate) fault: Option<Fault>,
}

const fn row(
    name: &'static str,
    parent: &'static str,
    session: u32,
    protection: u8,
    threads: u32,
) -> Row {
    Row { name, parent, session, protection, threads, fault: None }
}

const fn only(name: &'static str, protection: u8, threads: u32, fault: Fault) -> Row {
    Row { name, parent: "services.exe", session: 0, protection, threads, fault: Some(fault) }
}

/// In the order the system lists them, parents first.
pub(crate) const PROCESSES: &[Row] = &[
    row("Registry", "System", 0, 0x72, 4),
    row("smss.exe", "System", 0, 0x61, 2),
    row("csrss.exe", "smss.exe", 0, 0x61, 10),
    row("wininit.exe", "smss.exe", 0, 0x61, 3),
    row("csrss.exe", "smss.exe", 1, 0x61, 12),
    row("services.exe", "wininit.exe", 0, 0x61, 7),
    row("lsass.exe", "wininit.exe", 0, 0, 9),
    row("winlogon.exe", "smss.exe", 1, 0, 4),
    row("svchost.exe", "services.exe", 0, 0, 11),
    row("svchost.exe", "services.exe", 0, 0, 8),
    row("svchost.exe", "services.exe", 0, 0, 6),
    row("svchost.exe", "services.exe", 0, 0, 5),
    row("dwm.exe", "winlogon.exe", 1, 0, 9),
    row("spoolsv.exe", "services.exe", 0, 0, 7),
    row("MsMpEng.exe", "services.exe", 0, 0x31, 12),
    row("SearchIndexer.exe", "services.exe", 0, 0, 8),
    only("guarded.exe", 0x31, 6, Fault::ProtectedProcess),
    only("crowded.exe", 0, 4000, Fault::ManyThreads),
    row("explorer.exe", "winlogon.exe", 1, 0, 16),
    row("notepad.exe", "explorer.exe", 1, 0, 5),
    row("stuck.exe", "explorer.exe", 1, 0, 8),
    row("livedump.exe", "explorer.exe", 1, 0, 4),
];

/// What else runs when more processes are asked for.
pub(crate) const MORE_PROCESSES: &[&str] = &[
    "svchost.exe",
    "svchost.exe",
    "svchost.exe",
    "RuntimeBroker.exe",
    "msedge.exe",
    "msedgewebview2.exe",
    "conhost.exe",
    "cmd.exe",
    "dllhost.exe",
    "taskhostw.exe",
    "sihost.exe",
    "ctfmon.exe",
    "OUTLOOK.EXE",
    "WINWORD.EXE",
    "backgroundTaskHost.exe",
];

/// Descriptions that programs give their threads.
pub(crate) const THREADS: &[&str] = &[
    "main",
    "worker",
    "render",
    "network",
    "CrBrowserMain",
    "ThreadPoolForegroundWorker",
    "file watcher",
    "UI",
    "timer",
    "Chrome_IOThread",
];

/// Drivers beside the kernel: path, size in pages.
pub(crate) const DRIVERS: &[(&str, u32)] = &[
    ("\\SystemRoot\\system32\\hal.dll", 6),
    ("\\SystemRoot\\system32\\kdcom.dll", 11),
    ("\\SystemRoot\\System32\\drivers\\CLFS.SYS", 24),
    ("\\SystemRoot\\System32\\drivers\\tm.sys", 16),
    ("\\SystemRoot\\system32\\CI.dll", 32),
    ("\\SystemRoot\\System32\\drivers\\FLTMGR.SYS", 28),
    ("\\SystemRoot\\System32\\drivers\\ksecdd.sys", 16),
    ("\\SystemRoot\\System32\\drivers\\ACPI.sys", 40),
    ("\\SystemRoot\\System32\\drivers\\pci.sys", 30),
    ("\\SystemRoot\\System32\\drivers\\Wdf01000.sys", 48),
    ("\\SystemRoot\\System32\\drivers\\storport.sys", 40),
    ("\\SystemRoot\\System32\\drivers\\stornvme.sys", 16),
    ("\\SystemRoot\\System32\\drivers\\volmgr.sys", 14),
    ("\\SystemRoot\\System32\\drivers\\Ntfs.sys", 64),
    ("\\SystemRoot\\system32\\drivers\\NDIS.SYS", 56),
    ("\\SystemRoot\\System32\\drivers\\tcpip.sys", 64),
    ("\\SystemRoot\\System32\\drivers\\afd.sys", 28),
    ("\\SystemRoot\\System32\\drivers\\dxgkrnl.sys", 64),
    ("\\SystemRoot\\System32\\win32kbase.sys", 48),
    ("\\SystemRoot\\System32\\drivers\\crashdmp.sys", 12),
];

/// Drivers that came and went, newest first.
pub(crate) const UNLOADED: &[&str] = &["dump_storport.sys", "WdFilter.sys", "hwpolicy.sys"];
/// Entries of the array of unloaded drivers.
pub(crate) const MOST_UNLOADED: u64 = 50;
/// Bytes of each driver that was unloaded.
pub(crate) const UNLOADED_SIZE: u64 = 0x1_C000;

/// Where one of them was, by its number in [`UNLOADED`].
pub(crate) fn unloaded_at(at: &Addresses, number: u64) -> u64 {
    at.drivers + 0x1000_0000 + number * 0x2_0000
}

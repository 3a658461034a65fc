//! What is known about real files, held against what we read. The files are
//! found through LIVEDUMP_SAMPLES and never copied.

// Helpers of tests may unwrap as tests do, and say that they skip.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::path::PathBuf;

use format::{Dump, File, Info, Level, Outcome, Triage, Verdict, info, verify};
use memory::{VirtualAddress, VirtualMemory};

/// Opens a sample; `None`, and a line that says so, without the samples.
fn sample(name: &str) -> Option<File> {
    let Some(folder) = std::env::var_os("LIVEDUMP_SAMPLES") else {
        eprintln!("skipped {name}: LIVEDUMP_SAMPLES is not set");
        return None;
    };
    Some(File::open(&PathBuf::from(folder).join(name)).unwrap())
}

const AMDPPM: &str = "triage/x64-19041-amdppm.dmp";
const POWER_BUTTON: &str = "triage/arm64-22000-power-button.dmp";
const WINDOWS_7: &str = "triage/x64-7601-bad-pool-header.dmp";
const QEMU: &str = "qemu/win-dmp-8m.dmp";

fn with_info(name: &str, facts: impl FnOnce(Info)) {
    if let Some(file) = sample(name) {
        facts(info(&file).unwrap());
    }
}

fn with_triage(name: &str, facts: impl FnOnce(&Triage<'_>)) {
    if let Some(file) = sample(name) {
        facts(&Dump::open(&file).unwrap().triage().unwrap());
    }
}

#[test]
fn real_dumps_are_good() {
    for name in [AMDPPM, POWER_BUTTON, WINDOWS_7, QEMU] {
        let Some(file) = sample(name) else { continue };
        let found = verify(&file, Level::Structure);
        assert_eq!(found.verdict, Verdict::Good, "{name}: {found:#?}");
        assert_eq!(found.missing_bytes, None);
    }
}

#[test]
fn space_that_was_wanted_beyond_a_whole_file_is_a_note() {
    for name in [AMDPPM, POWER_BUTTON] {
        let Some(file) = sample(name) else { continue };
        let found = verify(&file, Level::Header);
        let check = found.checks.iter().find(|check| check.name == "header.required_space");
        assert_eq!(check.unwrap().outcome, Outcome::Note, "{name}");
    }
}

#[test]
fn the_windows_10_sample_says_what_is_known_of_it() {
    with_info(AMDPPM, |info| {
        assert_eq!((info.kind.as_str(), info.machine.as_str()), ("triage dump", "x64"));
        assert_eq!((info.build, info.true_build), (Some(19041), Some(19041)));
        assert_eq!(info.code, Some(0x1000_007E));
        let text = info.code_text.unwrap();
        assert!(text.starts_with("0x1000007E (SYSTEM_THREAD_EXCEPTION_NOT_HANDLED"), "{text}");
        assert_eq!(info.parameters[0], "ffffffffc0000005");
        assert_eq!(info.parameters[2], "ffff850429891ee8");
        assert_eq!(info.time.as_deref(), Some("2021-02-21T01:38:22Z"));
        assert_eq!(info.processors, Some(16));
        assert!((info.uptime_seconds.unwrap() - 3.747).abs() < 0.001);
        assert_eq!((info.blocks, info.bytes_stored), (Some(1831), Some(0x11_9B52)));
        assert_eq!((info.drivers, info.unloaded_drivers), (Some(0x97), Some(4)));
        assert_eq!(info.blobs.len(), 20);
        assert_eq!(info.comment, None);
        assert!(!info.simulated && !info.live && info.unread.is_empty());
    });
}

#[test]
fn the_arm64_sample_says_what_is_known_of_it() {
    with_info(POWER_BUTTON, |info| {
        assert_eq!(info.machine, "ARM64");
        assert_eq!((info.build, info.true_build), (Some(22000), Some(22000)));
        assert_eq!((info.code, info.processors), (Some(0x1C8), Some(8)));
        assert_eq!((info.blocks, info.blobs.len()), (Some(679), 42));
        assert_eq!((info.drivers, info.unloaded_drivers), (Some(245), Some(11)));
        assert!((info.uptime_seconds.unwrap() - 796.7).abs() < 0.1);
        assert_eq!(info.kd_debugger_data_block.as_deref(), Some("fffff803f3a00d00"));
    });
}

#[test]
fn the_type_1_dump_of_qemu_says_what_is_known_of_it() {
    with_info(QEMU, |info| {
        assert_eq!(info.kind, "complete memory dump");
        assert_eq!((info.pages, info.code), (Some(1950), Some(0x161)));
        assert_eq!(info.directory_table_base.as_deref(), Some("0000000000200000"));
    });
    let Some(file) = sample(QEMU) else { return };
    let runs = Dump::open(&file).unwrap().runs().unwrap();
    let list: Vec<_> = runs.list.iter().map(|run| (run.base, run.pages)).collect();
    assert_eq!(list, [(1, 0x9E), (0x100, 0x700)]);
}

#[test]
fn the_debugger_block_is_read_at_its_own_address() {
    with_triage(AMDPPM, |triage| {
        let (address, bytes) = triage.debugger_block().unwrap();
        assert_eq!(address, VirtualAddress(0xFFFF_F804_7C60_0B20));
        assert_eq!(bytes.len(), 0x380);
        let kernel_base = VirtualAddress(address.0 + 0x18);
        assert_eq!(triage.read_u64(kernel_base).unwrap(), 0xFFFF_F804_7BA0_0000);
        let sizes = triage.debugger_sizes().unwrap();
        let sizes = (sizes.size_prcb, sizes.size_eprocess, sizes.size_ethread);
        assert_eq!(sizes, (0xAF00, 0xA40, 0x898));
    });
}

#[test]
fn copies_of_thread_and_process_are_found_at_their_addresses() {
    with_triage(AMDPPM, |triage| {
        let address = |address| Some(VirtualAddress(address));
        assert_eq!(triage.thread().unwrap().address, address(0xFFFF_C08B_DE9E_1640));
        assert_eq!(triage.process().unwrap().address, address(0xFFFF_C08B_DCE9_4180));
        assert_eq!(triage.covered(VirtualAddress(0xFFFF_C08B_DE9E_1640), 0x898), 0x898);
    });
}

#[test]
fn the_call_stack_reaches_up_from_its_lowest_address_and_agrees_with_the_blocks() {
    for name in [AMDPPM, POWER_BUTTON, WINDOWS_7] {
        let Some(file) = sample(name) else { continue };
        let dump = Dump::open(&file).unwrap();
        let triage = dump.triage().unwrap();
        let stack = triage.call_stack().unwrap();
        let (offset, size) = (stack.offset.into(), u64::from(stack.size));
        assert_eq!(triage.covered(stack.address, size), size, "{name}");
        // Where blocks of the table overlap the stack they are read instead of it.
        let mut read = vec![0; size as usize];
        triage.read_virtual(stack.address, &mut read).unwrap();
        assert!(read == dump.bytes("the call stack", offset, size).unwrap(), "{name}");
    }
}

#[test]
fn real_triage_dumps_stay_good_when_all_of_them_is_read() {
    for name in [AMDPPM, POWER_BUTTON, WINDOWS_7] {
        let Some(file) = sample(name) else { continue };
        let found = verify(&file, Level::Deep);
        assert_eq!(found.verdict, Verdict::Good, "{name}: {found:#?}");
    }
}

#[test]
fn the_drivers_of_the_windows_10_sample_are_listed() {
    with_triage(AMDPPM, |triage| {
        let drivers: Vec<_> = triage.drivers().map(|driver| driver.unwrap()).collect();
        assert_eq!(drivers.len(), 0x97);
        let kernel = &drivers[0];
        assert_eq!(kernel.name.as_deref(), Some(r"\SystemRoot\system32\ntoskrnl.exe"));
        assert_eq!((kernel.size, kernel.time_date_stamp), (0x104_6000, 0x0D83_33E6));
        assert_eq!(kernel.base, VirtualAddress(0xFFFF_F804_7BA0_0000));
        assert!(drivers[0x96].name.as_deref().unwrap().ends_with("rdpbus.sys"));
        let unloaded: Vec<_> =
            triage.unloaded_drivers().unwrap().into_iter().map(|driver| driver.name).collect();
        assert_eq!(unloaded.len(), 4);
        for name in ["dam.sys", "WdBoot.sys", "hwpolicy.sys"] {
            assert!(unloaded.iter().any(|found| found == name), "{name} in {unloaded:?}");
        }
    });
}

#[test]
fn the_page_tables_of_the_type_1_dump_lead_to_its_debugger_block() {
    let Some(file) = sample(QEMU) else { return };
    let dump = Dump::open(&file).unwrap();
    let space = dump.space().unwrap();
    let address = dump.header().kd_debugger_data_block.unwrap();
    assert_eq!(
        space.read_u32(VirtualAddress(address.0 + 0x10)).unwrap(),
        u32::from_le_bytes(*b"KDBG")
    );
}

#[test]
fn what_happened_where_and_in_which_build_is_told_of_real_dumps() {
    let facts = [
        (AMDPPM, "fffff8048b58334c", "ffff850429892120", "fffff8047ba00000"),
        (POWER_BUTTON, "fffff803f32de014", "ffffe00e0e4bc4a0", "fffff803f2e00000"),
    ];
    for (name, instruction, stack, kernel) in facts {
        with_info(name, |info| {
            assert_eq!(info.instruction_pointer.as_deref(), Some(instruction));
            assert_eq!(info.stack_pointer.as_deref(), Some(stack));
            assert_eq!(info.kernel_base.as_deref(), Some(kernel));
            assert_eq!(info.exception_code, Some(0x8000_0003));
            assert_eq!(info.suites, ["TerminalServices", "SingleUserTs"]);
            assert_eq!(info.build_type.as_deref(), Some("free"));
        });
    }
    with_info(AMDPPM, |info| {
        let lab = "19041.1.amd64fre.vb_release.191206-1406";
        assert_eq!(info.build_lab.as_deref(), Some(lab));
    });
    with_info(POWER_BUTTON, |info| {
        let lab = "22000.1.arm64fre.co_release.210604-1628";
        assert_eq!(info.build_lab.as_deref(), Some(lab));
    });
}

#[test]
fn evidence_of_the_deep_checks_has_its_place_and_what_is_there() {
    let Some(file) = sample(QEMU) else { return };
    let found = verify(&file, Level::Deep);
    let check = |name: &str| found.checks.iter().find(|check| check.name == name).unwrap();
    assert_eq!(check("header.signature").found.as_deref(), Some("64-bit, x64"));
    assert_eq!(
        check("header.parameters").text,
        "1: who asked, as text: 0x005461736b6d6772 is Taskmgr"
    );
    assert_eq!(check("kernel.PsLoadedModuleList").offset, Some(0x20));
    assert_eq!(check("kernel.PsActiveProcessHead").offset, Some(0x28));
    let base = check("kernel.base");
    assert_eq!(base.expected.as_deref(), Some("4d 5a (MZ)"));
    assert_eq!(base.found.as_ref().map(String::len), Some("00 00".len()));
    assert!(base.text.contains("fffff80000000000"), "{}", base.text);
}

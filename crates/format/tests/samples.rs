//! What is known about real files, held against what we read. The files are
//! found through LIVEDUMP_SAMPLES and never copied.

// Helpers of tests may unwrap as tests do, and say that they skip.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::path::PathBuf;

use format::{BlobEnd, Bytes, Dump, File, Info, Level, Outcome, Triage, Verdict, info, verify};
use memory::{PageFrame, VirtualAddress, VirtualMemory};

/// Opens a sample; `None`, and a line that says so, without the samples.
fn sample(name: &str) -> Option<File> {
    let folder = std::env::var_os("LIVEDUMP_SAMPLES").filter(|folder| !folder.is_empty());
    let Some(folder) = folder else {
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
        assert_eq!(found.verdict, Verdict::Good, "{name}");
        let wanted = Dump::open(&file).unwrap().header().required_dump_space.unwrap();
        assert!(wanted > file.len(), "{name}: {wanted:#x}");
    }
}

#[test]
fn the_last_blob_ends_where_the_file_does() {
    for (name, count) in [(AMDPPM, 20), (POWER_BUTTON, 42)] {
        let Some(file) = sample(name) else { continue };
        let blobs = Dump::open(&file).unwrap().blobs().unwrap().unwrap();
        assert_eq!((blobs.count, blobs.list.len() as u64), (count, count), "{name}");
        assert!(matches!(blobs.end, BlobEnd::EndOfFile), "{name}: {:?}", blobs.end);
        // Behind a header of 0x10 bytes, each has 0x20, padding, data and padding.
        let (mut at, mut walked) = (blobs.offset + 0x10, 0);
        while at < file.len() {
            let mut header = [0; 0x20];
            file.read_exact_at(at, &mut header).unwrap();
            at += 0x20
                + [0x14, 0x18, 0x1C].map(|field| number(&header, field, 4)).iter().sum::<u64>();
            walked += 1;
        }
        assert_eq!((walked, at), (count, file.len()), "{name}");
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
fn the_windows_7_sample_says_what_is_known_of_it() {
    with_info(WINDOWS_7, |info| {
        assert_eq!((info.kind.as_str(), info.machine.as_str()), ("triage dump", "x64"));
        assert_eq!((info.build, info.code), (Some(7601), Some(0x19)));
        assert!(info.code_text.unwrap().starts_with("0x19 (BAD_POOL_HEADER"));
        assert_eq!((info.processors, info.blocks), (Some(2), Some(15)));
    });
    with_triage(WINDOWS_7, |triage| {
        assert_eq!((triage.size_of_dump(), triage.blocks().len()), (0x4_0000, 15));
        assert_eq!(triage.debugger_block().unwrap().1.len(), 0x340);
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

/// The return addresses of the stack that two unwinders agree on, each in the
/// slot below the stack pointer that its frame has after the return.
#[test]
fn return_addresses_lie_in_the_slots_of_the_call_stack() {
    const RETURNS: [(u64, u64); 16] = [
        (0x2150, 0xFFFF_F804_8B58_313F),
        (0x2180, 0xFFFF_F804_8B58_3234),
        (0x21B0, 0xFFFF_F804_8B5A_0E8F),
        (0x2210, 0xFFFF_F804_8B5A_83F6),
        (0x2340, 0xFFFF_F804_8B59_F852),
        (0x2380, 0xFFFF_F804_799C_C027),
        (0x23D0, 0xFFFF_F804_7996_6F81),
        (0x2410, 0xFFFF_F804_799C_B227),
        (0x2460, 0xFFFF_F804_799C_9E21),
        (0x24A0, 0xFFFF_F804_799C_99DA),
        (0x2530, 0xFFFF_F804_799C_B6B1),
        (0x25A0, 0xFFFF_F804_799C_B47A),
        (0x2630, 0xFFFF_F804_799D_299E),
        (0x2660, 0xFFFF_F804_7995_CC5F),
        (0x26D0, 0xFFFF_F804_7995_A866),
        (0x2730, 0xFFFF_F804_7BC5_2F55),
    ];
    with_triage(AMDPPM, |triage| {
        for (pointer, address) in RETURNS {
            let slot = VirtualAddress(0xFFFF_8504_2989_0000 + pointer - 8);
            assert_eq!(triage.read_u64(slot).unwrap(), address, "{slot}");
        }
    });
}

#[test]
fn the_frame_pointers_of_the_arm64_sample_are_chained_from_top_of_stack() {
    let Some(file) = sample(POWER_BUTTON) else { return };
    let dump = Dump::open(&file).unwrap();
    let triage = dump.triage().unwrap();
    let context = dump.context().unwrap().unwrap();
    let register =
        |number: usize| u64::from_le_bytes(context[8 + 8 * number..][..8].try_into().unwrap());
    let top = triage.call_stack().unwrap().address;
    assert_eq!((register(31), register(32)), (0xFFFF_E00E_0E4B_C4A0, 0xFFFF_F803_F32D_E014));
    assert_eq!((triage.header().top_of_stack, top), (VirtualAddress(register(31)), top));
    // x29 is the address of the caller's x29, with the return address behind it.
    let (mut frame, mut chain) = (VirtualAddress(register(29)), Vec::new());
    while frame.0 != 0 {
        let caller = triage.read_u64(VirtualAddress(frame.0 + 8)).unwrap();
        chain.push((frame.0 & 0xFFFF, caller));
        frame = VirtualAddress(triage.read_u64(frame).unwrap());
    }
    let expected = [
        (0xC4A0, 0xFFFF_F803_F334_42A0),
        (0xCB10, 0xFFFF_F803_F309_FF1C),
        (0xCCD0, 0xFFFF_F803_F317_3340),
        (0xCD30, 0xFFFF_F803_F300_7DE4),
    ];
    assert_eq!(chain, expected);
}

/// A number of so many bytes.
fn number(file: &[u8], at: usize, bytes: usize) -> u64 {
    file[at..at + bytes].iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte))
}

/// File offset, physical address and bytes of each segment of a type.
fn segments(elf: &[u8], kind: u64) -> Vec<(usize, u64, &[u8])> {
    const ENTRY: usize = 56;
    assert_eq!((&elf[..4], number(elf, 54, 2)), (b"\x7FELF".as_slice(), ENTRY as u64));
    let table = number(elf, 32, 8) as usize;
    let entries = (0..number(elf, 56, 2) as usize).map(|index| table + index * ENTRY);
    let segment = |at| {
        let (offset, length) = (number(elf, at + 8, 8) as usize, number(elf, at + 32, 8) as usize);
        (offset, number(elf, at + 24, 8), &elf[offset..offset + length])
    };
    entries.filter(|at| number(elf, *at, 4) == kind).map(segment).collect()
}

/// QEMU writes the processor's CONTEXT where the guest's control block wants
/// it: that is the one place where its dump is not the guest's memory.
#[test]
fn every_page_of_the_type_1_dump_is_the_memory_that_the_elf_core_has() {
    const PT_LOAD: u64 = 1;
    const PT_NOTE: u64 = 4;
    const CONTEXT: (u64, usize) = (0x430, 0x4D0);
    let (Some(file), Some(elf)) = (sample(QEMU), sample("qemu/memory.elf")) else { return };
    let mut core = vec![0; elf.len() as usize];
    elf.read_exact_at(0, &mut core).unwrap();
    let (loads, notes) = (segments(&core, PT_LOAD), segments(&core, PT_NOTE));
    let dump = Dump::open(&file).unwrap();
    let pages = dump.pages().unwrap();
    let mut compared = 0;
    for frame in (1..0x9F).chain(0x100..0x800) {
        let offset = pages.offset(PageFrame(frame)).unwrap().unwrap();
        let page = dump.bytes("a page", offset, 4096).unwrap();
        let address = frame << 12;
        let memory = loads.iter().find_map(|(_, start, bytes)| {
            bytes.get(usize::try_from(address.checked_sub(*start)?).ok()?..)?.get(..4096)
        });
        let memory = memory.unwrap();
        let own = if frame == CONTEXT.0 { CONTEXT.1 } else { 0 };
        assert!(page[own..] == memory[own..], "page {frame:#x}");
        if own != 0 {
            assert!(memory[..own].iter().all(|byte| *byte == 0xAA), "what the guest put there");
            // Rip and Rsp: those of the first note, NT_PRSTATUS.
            let (registers, _, _) = notes[0];
            let register = |index: usize| number(&core, registers + 20 + 112 + index * 8, 8);
            let context = (number(&page, 0xF8, 8), number(&page, 0x98, 8));
            assert_eq!(context, (register(16), register(19)));
        }
        compared += 1;
    }
    assert_eq!((compared, pages.count()), (1950, 1950));
    assert_eq!(pages.offset(PageFrame(0)).unwrap(), None);
    assert_eq!(pages.offset(PageFrame(0x9F)).unwrap(), None);
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

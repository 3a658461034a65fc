//! The stacks and objects of real triage dumps, held against what two other
//! unwinders and the dump's own kernel's types say. The files are found
//! through LIVEDUMP_SAMPLES and never copied.

#![allow(clippy::unwrap_used, clippy::print_stderr)]

use std::path::{Path, PathBuf};

use format::{Dump, File};
use memory::VirtualAddress;
use ntos::layout::{Layout, Member, Source};
use ntos::walk::{Found, Frame, Trust, Walk};
use ntos::{Images, Kernel, Match, Stacks, Start, StoreFiles};
use symbols::{Store, SymbolPath};

const AMDPPM: &str = "x64-19041-amdppm.dmp";
const POWER_BUTTON: &str = "arm64-22000-power-button.dmp";
const WINDOWS_7: &str = "x64-7601-bad-pool-header.dmp";

/// RIP, RSP and name: six frames of amdppm, ten of Wdf01000 (whose PDB is not
/// here: its names are offsets), and the return into the kernel.
const GOLD: [(u64, u64, &str); 17] = [
    (0xfffff8048b58334c, 0xffff850429892120, "amdppm!WriteIoMemRawEx+0x70"),
    (0xfffff8048b58313f, 0xffff850429892150, "amdppm!WriteGenAddrEx+0x6b"),
    (0xfffff8048b583234, 0xffff850429892180, "amdppm!WriteGenAddrMaybeHiddenEx+0x18"),
    (0xfffff8048b5a0e8f, 0xffff8504298921b0, "amdppm!InitAcpiCpc+0x317"),
    (0xfffff8048b5a83f6, 0xffff850429892210, "amdppm!ProcLibDeviceStart+0x886"),
    (0xfffff8048b59f852, 0xffff850429892340, "amdppm!EvtDevicePrepareHardware+0xd2"),
    (0xfffff804799cc027, 0xffff850429892380, "Wdf01000+0x7c027"),
    (0xfffff80479966f81, 0xffff8504298923d0, "Wdf01000+0x16f81"),
    (0xfffff804799cb227, 0xffff850429892410, "Wdf01000+0x7b227"),
    (0xfffff804799c9e21, 0xffff850429892460, "Wdf01000+0x79e21"),
    (0xfffff804799c99da, 0xffff8504298924a0, "Wdf01000+0x799da"),
    (0xfffff804799cb6b1, 0xffff850429892530, "Wdf01000+0x7b6b1"),
    (0xfffff804799cb47a, 0xffff8504298925a0, "Wdf01000+0x7b47a"),
    (0xfffff804799d299e, 0xffff850429892630, "Wdf01000+0x8299e"),
    (0xfffff8047995cc5f, 0xffff850429892660, "Wdf01000+0xcc5f"),
    (0xfffff8047995a866, 0xffff8504298926d0, "Wdf01000+0xa866"),
    (0xfffff8047bc52f55, 0xffff850429892730, "nt!IofCallDriver+0x55"),
];

/// Program counter and stack pointer; what is chained are the frame pointers.
const ARM64_GOLD: [(u64, u64); 5] = [
    (0xfffff803f32de014, 0xffffe00e0e4bc4a0),
    (0xfffff803f33442a0, 0xffffe00e0e4bc4b0),
    (0xfffff803f309ff1c, 0xffffe00e0e4bcb20),
    (0xfffff803f3173340, 0xffffe00e0e4bcce0),
    (0xfffff803f3007de4, 0xffffe00e0e4bcd40),
];

fn samples(name: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("LIVEDUMP_SAMPLES").filter(|folder| !folder.is_empty());
    if folder.is_none() {
        eprintln!("skipped {name}: LIVEDUMP_SAMPLES is not set");
    }
    folder.map(PathBuf::from)
}

/// A store of images, PDBs and types; with `None` there are no files at all.
fn store(folder: Option<&Path>) -> StoreFiles {
    let path = folder.map_or(String::new(), |folder| folder.display().to_string());
    StoreFiles::new(Store::new(SymbolPath::parse(&path)), Store::default(), None)
}

/// Opens a sample's kernel with the part of the symbol store named, or without any.
fn with_kernel(name: &str, part: Option<&str>, facts: impl FnOnce(&Kernel<'_>, &StoreFiles)) {
    let Some(folder) = samples(name) else { return };
    let file = File::open(&folder.join("triage").join(name)).unwrap();
    let dump = Dump::open(&file).unwrap();
    let files = store(part.map(|part| folder.join(part)).as_deref());
    facts(&Kernel::open(&dump, &files).unwrap(), &files);
}

const EVERYTHING: Option<&str> = Some("symbols");
const TYPES: Option<&str> = Some("symbols/types");

/// The stack of the header's context, and the name of each frame. It is the
/// same whether the bounds of the thread's stack are known or not.
fn crash_stack(kernel: &Kernel<'_>, files: &StoreFiles) -> (Walk, Vec<String>) {
    let images = Images::new(kernel.reader(), kernel.modules(), files);
    let stacks = Stacks::new(kernel, &images, &[]);
    let thread = kernel.thread(kernel.header_thread().unwrap());
    let stack = stacks.of_header(Some(&thread)).unwrap();
    assert_eq!(stack.start, Start::HeaderContext);
    let places =
        |walk: &Walk| walk.frames.iter().map(|f| (f.address, f.stack_pointer)).collect::<Vec<_>>();
    assert_eq!(places(&stacks.of_header(None).unwrap().walk), places(&stack.walk));
    let name = |frame: &Frame| images.name(frame.address).unwrap().to_string();
    let names = stack.walk.frames.iter().map(name).collect();
    (stack.walk, names)
}

fn place(frame: &Frame) -> (u64, u64) {
    (frame.address.0, frame.stack_pointer.0)
}

#[test]
fn the_crash_of_amdppm_is_unwound_through_both_drivers_into_the_kernel() {
    with_kernel(AMDPPM, EVERYTHING, |kernel, files| {
        let (walk, names) = crash_stack(kernel, files);
        assert!(walk.frames.len() > GOLD.len());
        for ((frame, name), (rip, rsp, gold)) in walk.frames.iter().zip(&names).zip(GOLD) {
            assert_eq!((place(frame), name.as_str()), ((rip, rsp), gold));
            assert_eq!(frame.trust, Trust::Certain, "{name}");
        }
        assert_eq!((walk.frames[0].found, walk.frames[0].exact), (Found::Context, true));
        for frame in &walk.frames[1..GOLD.len()] {
            assert_eq!((frame.found, frame.exact), (Found::Unwind, false), "{frame:x?}");
        }
    });
}

#[test]
fn behind_the_kernel_without_image_every_frame_is_marked_as_scanned() {
    with_kernel(AMDPPM, EVERYTHING, |kernel, files| {
        let (walk, names) = crash_stack(kernel, files);
        assert!(!walk.frames[GOLD.len() - 1].notes.is_empty(), "why the scan began");
        for frame in &walk.frames[GOLD.len()..] {
            assert_eq!((frame.found, frame.trust), (Found::Scan, Trust::Weak), "{frame:x?}");
        }
        let start = names.iter().position(|name| name == "nt!KiStartSystemThread+0x28").unwrap();
        assert_eq!(walk.frames[start].stack_pointer.0, 0xffff_8504_2989_2c60);
        // Of the true callers, what has a return address on the stack is among them, in order.
        let callers =
            ["PipProcessStartPhase1", "PnpDeviceActionWorker+", "ExpWorkerThread+", "PspSystem"];
        let at = callers.map(|part| names.iter().position(|name| name.contains(part)).unwrap());
        assert!(at.is_sorted() && at[3] < start, "{names:#?}");
    });
}

#[test]
fn types_without_the_image_names_are_taken_by_the_addresses_of_list_heads() {
    for part in [EVERYTHING, TYPES] {
        with_kernel(AMDPPM, part, |kernel, files| {
            let taken = files.types_file().unwrap();
            assert!(
                taken
                    .path
                    .to_string_lossy()
                    .ends_with("5278AFF86C341677D7D7835C85B7B844-1.isf.json")
            );
            assert_eq!(taken.matched, Match::Addresses);
            assert!(kernel.sources().iter().all(|(source, _)| *source == Source::Isf));
        });
    }
    // The same store has nothing for other kernels, and nothing of it is taken for them.
    for other in [POWER_BUTTON, WINDOWS_7] {
        with_kernel(other, EVERYTHING, |kernel, files| {
            assert_eq!(files.types_file(), None, "{other}");
            assert!(kernel.sources().iter().all(|(source, _)| *source != Source::Isf));
        });
    }
}

/// With nothing but the dump, the frames of the true stack are all found, and
/// no frame but the first claims to be more than a guess.
#[test]
fn without_any_file_the_whole_stack_is_a_weak_guess_and_says_so() {
    for part in [None, TYPES] {
        with_kernel(AMDPPM, part, |kernel, files| {
            let (walk, names) = crash_stack(kernel, files);
            assert_eq!(place(&walk.frames[0]), (GOLD[0].0, GOLD[0].1));
            assert_eq!(walk.frames[0].found, Found::Context);
            for frame in &walk.frames[1..] {
                assert_eq!((frame.found, frame.trust), (Found::Scan, Trust::Weak), "{frame:x?}");
            }
            for (rip, rsp, _) in GOLD {
                assert!(walk.frames.iter().any(|frame| place(frame) == (rip, rsp)), "{rip:x}");
            }
            let named = names.iter().any(|name| name == "nt!IofCallDriver+0x55");
            assert_eq!(named, part == TYPES);
        });
    }
    with_kernel(WINDOWS_7, EVERYTHING, |kernel, files| {
        let (walk, _) = crash_stack(kernel, files);
        assert_eq!(place(&walk.frames[0]), (0xfffff800042d7a40, 0xfffff8800a2847a8));
        assert_eq!(walk.frames[0].found, Found::Context);
        assert!(walk.frames[1..].iter().all(|frame| frame.found == Found::Scan));
        assert!(walk.frames[1..].iter().all(|frame| frame.trust == Trust::Weak));
    });
}

#[test]
fn the_arm64_stack_is_followed_by_its_frame_pointers_to_where_the_thread_began() {
    with_kernel(POWER_BUTTON, None, |kernel, files| {
        let (walk, _) = crash_stack(kernel, files);
        assert_eq!(walk.frames.iter().map(place).collect::<Vec<_>>(), ARM64_GOLD);
        assert_eq!(walk.frames[0].found, Found::Context);
        for frame in &walk.frames[1..] {
            assert_eq!((frame.found, frame.trust), (Found::FramePointer, Trust::Probable));
        }
        assert_eq!(walk.end.to_string(), "zero return");
    });
}

/// Three threads of it wait. What all three share at one place of their stacks
/// is a pointer to data too: only behind a frame pointer lies what they return
/// by. One of them came in by the same system call as the thread that crashed.
#[test]
fn waiting_threads_of_the_arm64_dump_go_on_behind_their_frame_pointers() {
    with_kernel(POWER_BUTTON, None, |kernel, files| {
        let images = Images::new(kernel.reader(), kernel.modules(), files);
        let threads = [0xffff_bb8e_b16b_1080, 0xffff_bb8e_bafe_2280, 0xffff_bb8e_c2f9_3080]
            .map(|address| kernel.thread(VirtualAddress(address)));
        let stacks = Stacks::new(kernel, &images, &threads);
        let switch = stacks.switch_frame().unwrap();
        assert_eq!((switch.return_offset, switch.frame_offset), (0x58, Some(0x50)));
        assert_eq!((switch.threads, switch.seen), ((3, 3), false));
        for thread in &threads {
            let stack = stacks.of(thread).unwrap();
            assert_eq!(stack.start, Start::SwitchFrame);
            assert_eq!(stack.walk.frames[0].address.0, 0xffff_f803_f305_1bd4);
            assert!(stack.walk.frames.iter().all(|frame| frame.trust == Trust::Probable));
            assert!(stack.walk.frames[1..].iter().all(|one| one.found == Found::FramePointer));
        }
        let whole = stacks.of(&threads[1]).unwrap().walk;
        assert_eq!((whole.frames.len(), whole.end.to_string().as_str()), (21, "zero return"));
        let outermost: Vec<u64> = whole.frames[18..].iter().map(|frame| frame.address.0).collect();
        assert_eq!(outermost, ARM64_GOLD[2..].iter().map(|(pc, _)| *pc).collect::<Vec<_>>());
    });
}

#[test]
fn the_system_process_and_the_current_thread_are_those_that_are_known() {
    let system = VirtualAddress(0xffff_c08b_dce9_4180);
    for part in [None, EVERYTHING] {
        with_kernel(AMDPPM, part, |kernel, _| {
            assert_eq!(kernel.header_thread(), Some(VirtualAddress(0xffff_c08b_de9e_1640)));
            assert_eq!(kernel.modules().modules.len(), 0x97);
            assert_eq!(kernel.modules().kernel().unwrap().base.0, 0xffff_f804_7ba0_0000);
            let process = kernel.process(system);
            assert_eq!((process.pid, process.parent_pid), (Some(4), Some(0)));
            assert_eq!(process.name.as_deref(), Some("System"));
            assert_eq!(process.directory_table_base, Some(0x1a_d000));
            let owner = kernel.pointer(
                kernel.header_thread().unwrap(),
                kernel.layout().kernel_thread.apc_process,
            );
            assert_eq!(owner, Some(system));
        });
    }
    with_kernel(AMDPPM, EVERYTHING, |kernel, _| {
        let thread = kernel.thread(kernel.header_thread().unwrap());
        assert_eq!((thread.pid, thread.tid), (Some(4), Some(0x108)));
    });
}

#[test]
fn what_the_debugger_block_and_probing_tell_is_what_the_types_of_the_kernel_tell() {
    let mut told = Vec::new();
    for part in [None, EVERYTHING] {
        with_kernel(AMDPPM, part, |kernel, _| {
            let processes = kernel.processes().unwrap().processes;
            let known = processes.into_iter().map(|one| (one.address, one.pid, one.name));
            told.push((*kernel.layout(), known.collect::<Vec<_>>()));
        });
    }
    let [(bare, listed), (typed, by_types)] = told.as_slice() else { return };
    assert_eq!(listed, by_types);
    assert_eq!(listed[0], (VirtualAddress(0xffff_c08b_dce9_4180), Some(4), Some("System".into())));
    let mut compared = 0;
    for ((name, of_dump), (_, of_types)) in members(bare).into_iter().zip(members(typed)) {
        let (Some(of_dump), Some(of_types)) = (of_dump, of_types) else { continue };
        assert!(matches!(of_dump.source, Source::DebuggerBlock | Source::Probed), "{name}");
        assert_eq!((of_types.source, of_dump.offset), (Source::Isf, of_types.offset), "{name}");
        compared += 1;
    }
    // Everything that the dump tells by itself.
    assert_eq!(compared, 24);
}

fn members(layout: &Layout) -> [(&'static str, Option<Member>); 24] {
    let (thread, process) = (&layout.kernel_thread, &layout.process);
    let processor = &layout.processor;
    [
        ("KernelStack", thread.kernel_stack),
        ("InitialStack", thread.initial_stack),
        ("StackBase", thread.stack_base),
        ("StackLimit", thread.stack_limit),
        ("ApcState.Process", thread.apc_process),
        ("State", thread.state),
        ("WaitReason", thread.wait_reason),
        ("Teb", thread.teb),
        ("IrpList", layout.thread.irp_list),
        ("Peb", process.peb),
        ("InheritedFromUniqueProcessId", process.parent_id),
        ("ActiveProcessLinks", process.links),
        ("UniqueProcessId", process.id),
        ("ImageFileName", process.name),
        ("DirectoryTableBase", layout.kernel_process.directory_table_base),
        ("CurrentThread", processor.current_thread),
        ("IdleThread", processor.idle_thread),
        ("Number", processor.number),
        ("Context", processor.context),
        ("ProcessorState.ContextFrame", processor.context_frame),
        ("DpcRoutineActive", processor.dpc_active),
        ("ProcessorState.SpecialRegisters", processor.special_registers),
        ("DpcStack", processor.dpc_stack),
        ("IsrStack", processor.isr_stack),
    ]
}

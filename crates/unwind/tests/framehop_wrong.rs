//! Where framehop 0.16 is wrong, or does without: one test for each rule, with
//! what is true by the documentation. Each holds ours to it, and fails when
//! framehop comes to it too.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod support;

use std::cell::Cell;
use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use framehop::aarch64::{CacheAarch64, UnwindRegsAarch64, UnwinderAarch64};
use framehop::{FrameAddress, Module, Unwinder as _};
use memory::{VirtualAddress, VirtualMemory};
use support::builder::{BASE, Builder};
use support::rival::{Rival, Sections};
use support::{Images, Loaded, Words};
use unwind::arm64::Arm64Registers;
use unwind::x64::X64Registers;
use unwind::{End, Exceptions, Options, Scan, Segment, Stack, StackKind, Unwinder, Walk};

const STACK: u64 = 0xFFFF_8500_0000_0000;

/// `push rbx; sub rsp, 20h` at 0x1000, and a caller at 0x1100 with a frame of 0x28.
fn two_functions() -> Builder {
    let caller = [[4, 0x42]];
    Builder::new()
        .function(0x1000, 0x1040, 5, &[[5, 0x32], [1, 0x30]])
        .function(0x1100, 0x1140, 4, &caller)
}

/// The stack of the body of the first, called by the second.
fn two_frames() -> Words {
    let mut words = Words::default();
    words.put(STACK, &[0, 0, 0, 0, 0xBB, BASE + 0x1120, 0, 0, 0, 0, 0, 0, 0]);
    words
}

fn stack() -> Stack<'static> {
    let (limit, base) = (VirtualAddress(STACK), VirtualAddress(STACK + 0x1000));
    Stack::new(Segment { limit, base, kind: StackKind::Thread })
}

fn at(rva: u64) -> X64Registers {
    X64Registers::new(BASE + rva, STACK)
}

fn walk(images: &Images, words: &Words, from: &X64Registers, exact: bool) -> Walk {
    let options = Options { scan: Scan::Off, ..Options::default() };
    let unwinder = Unwinder::new(images, words).with(options);
    unwinder.walk(&from.clone().into(), exact, &stack())
}

/// (rva, stack offset) of each frame in the image.
fn places(frames: impl IntoIterator<Item = (u64, u64)>) -> Vec<(u64, u64)> {
    let place = |(address, sp): (u64, u64)| (address.wrapping_sub(BASE), sp.wrapping_sub(STACK));
    frames.into_iter().map(place).collect()
}

fn ours(walk: &Walk) -> Vec<(u64, u64)> {
    places(walk.frames.iter().map(|frame| (frame.address.0, frame.stack_pointer.0)))
}

/// At an exact address, ours must be true and framehop's the other.
fn differ(
    images: &Images,
    words: &Words,
    from: &X64Registers,
    truth: &[(u64, u64)],
    other: &[(u64, u64)],
) {
    assert_ne!(truth, other);
    assert_eq!(ours(&walk(images, words, from, true)), truth);
    let theirs = places(Rival::over(images).walk(words, from));
    // From a wrong frame on, nothing that it says means anything.
    assert_eq!(theirs.get(..other.len()), Some(other), "framehop changed");
    assert_ne!(theirs, truth, "framehop is right now");
}

#[test]
fn a_jump_that_stays_in_the_function_is_an_epilogue_to_framehop() {
    let images = two_functions().code(0x1020, &[0xEB, 0x10]).build();
    let mut words = two_frames();
    words.put(STACK, &[BASE + 0x1130]);
    let truth = [(0x1020, 0), (0x1120, 0x30)];
    differ(&images, &words, &at(0x1020), &truth, &[(0x1020, 0), (0x1130, 8)]);
}

#[test]
fn version_2_names_epilogues_and_framehop_does_not_look() {
    // A jump to another function, with nothing before it, at a place that the
    // list of epilogues does not have.
    let mut builder = two_functions();
    let slots = [[4, 0x16], [0, 6], [5, 0x32], [1, 0x30]];
    let unwind = builder.info([2, 5, 4, 0], &slots, None);
    builder.entries.push([0x1400, 0x1440, unwind]);
    let distance = (0x1100_i32 - 0x1425).to_le_bytes();
    let images = builder.code(0x1420, &[&[0xE9], distance.as_slice()].concat()).build();
    let mut words = two_frames();
    words.put(STACK, &[BASE + 0x1130]);
    let truth = [(0x1420, 0), (0x1120, 0x30)];
    differ(&images, &words, &at(0x1420), &truth, &[(0x1420, 0), (0x1130, 8)]);
}

#[test]
fn what_was_interrupted_is_a_return_address_to_framehop() {
    // A machine frame; the interrupted function had pushed, and no more.
    let images = two_functions().function(0x1300, 0x1340, 0, &[[0, 0x0A]]).build();
    let mut words = Words::default();
    words.put(STACK, &[BASE + 0x1001, 0x10, 0x246, STACK + 0x100, 0x18]);
    words.put(STACK + 0x100, &[0, BASE + 0x1120, 0, 0, 0, 0, 0, 0]);
    let truth = [(0x1320, 0), (0x1001, 0x100), (0x1120, 0x110)];
    differ(&images, &words, &at(0x1320), &truth, &truth[..2]);
}

#[test]
fn user_mode_is_no_end_to_framehop() {
    let images = Builder::new().function(0x1300, 0x1340, 0, &[[0, 0x0A]]).build();
    let mut words = Words::default();
    words.put(STACK, &[0x7FF6_0000_1000, 0x33, 0x246, 0x1234_5678, 0x2B]);
    let walked = walk(&images, &words, &at(0x1320), true);
    assert!(matches!(walked.end, End::UserMode { .. }), "{:?}", walked.end);
    let rival = Rival::over(&images);
    let (address, sp) = rival.step(&words, &at(0x1320)).unwrap();
    assert_eq!((address, sp), (0x7FF6_0000_1000, 0x1234_5678), "framehop changed");
}

#[test]
fn a_chained_entry_behind_an_odd_number_of_codes_is_misread_by_framehop() {
    let mut builder = two_functions();
    // A part that pushed rsi after all else.
    let root = builder.entries[0];
    let part = builder.info([0x21, 1, 1, 0], &[[1, 0x60]], Some(root));
    builder.entries.push([0x1200, 0x1240, part]);
    let images = builder.build();
    let mut words = Words::default();
    words.put(STACK, &[0xAA, 0, 0, 0, 0, 0xBB, BASE + 0x1120, 0, 0, 0, 0, 0, 0, 0]);
    let truth = [(0x1210, 0), (0x1120, 0x38)];
    differ(&images, &words, &at(0x1210), &truth, &truth[..1]);
}

#[test]
fn a_chain_without_end_is_followed_without_end_by_framehop() {
    let mut builder = Builder::new();
    let myself = [0x1000, 0x1040, builder.next];
    builder.info([0x21, 0, 0, 0], &[], Some(myself));
    builder.entries.push(myself);
    let images = builder.build();
    let walked = walk(&images, &two_frames(), &at(0x1010), true);
    assert!(matches!(walked.end, End::BadUnwindData { .. }), "{:?}", walked.end);
    let left = Rc::new(Cell::new(10_000));
    let counted = |data| Counted { data, left: Rc::clone(&left) };
    let Sections { size, text, rdata, pdata } = Sections::of(&images.0[0]);
    let sections = Sections {
        size,
        text: text.map(|(range, data)| (range, counted(data))),
        rdata: rdata.map(counted),
        pdata: pdata.map(counted),
    };
    let rival = Rival::with(BASE, sections);
    let walked = quietly(|| rival.walk(&two_frames(), &at(0x1010)));
    assert!(walked.is_none() && left.get() == 0, "framehop ended a chain: {walked:?}");
}

/// Data that may be looked at so many times.
struct Counted {
    data: Vec<u8>,
    left: Rc<Cell<u32>>,
}

impl Deref for Counted {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self.left.get().checked_sub(1) {
            Some(left) => self.left.set(left),
            None => panic!("looked at without end"),
        }
        &self.data
    }
}

/// The answer; `None` when it panicked, which is not shown.
fn quietly<T>(ask: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(ask)).ok()
}

#[test]
fn an_indirect_entry_is_no_entry_to_framehop() {
    let mut builder = two_functions();
    builder.entries.push([0x1200, 0x1240, 0x100 + 1]);
    let images = builder.build();
    let truth = [(0x1210, 0), (0x1120, 0x30)];
    differ(&images, &two_frames(), &at(0x1210), &truth, &truth[..1]);
}

#[test]
fn code_in_a_second_section_is_not_at_hand_to_framehop() {
    let mut images = two_functions().build();
    images.0[0].executable = vec![(0x2000, 0x3000), (0x1000, 0x2000)];
    let truth = [(0x1010, 0), (0x1120, 0x30)];
    differ(&images, &two_frames(), &at(0x1010), &truth, &truth[..1]);
}

#[test]
fn a_padded_table_hides_its_functions_from_framehop() {
    let mut images = two_functions().build();
    images.0[0].bytes[0x118..0x190].fill(0);
    images.0[0].exceptions = Exceptions::Table { rva: 0x100, size: 12 * 12 };
    let mut words = two_frames();
    words.put(STACK, &[BASE + 0x1130]);
    let truth = [(0x1010, 0), (0x1120, 0x30)];
    differ(&images, &words, &at(0x1010), &truth, &[(0x1010, 0), (0x1130, 8)]);
}

#[test]
fn a_caller_without_unwind_data_is_a_leaf_to_framehop() {
    let images = two_functions().build();
    let mut words = two_frames();
    words.put(STACK, &[BASE + 0x1130]);
    let walked = walk(&images, &words, &at(0x1900), false);
    assert_eq!(ours(&walked), [(0x1900, 0)]);
    assert!(matches!(walked.end, End::NoUnwindData { .. }), "{:?}", walked.end);
    let theirs = Rival::over(&images).walk_back(&words, &at(0x1900));
    assert_eq!(places(theirs)[..2], [(0x1900, 0), (0x1130, 8)], "framehop changed");
}

#[test]
fn where_unwind_data_is_missing_framehop_believes_rbp() {
    let mut images = two_functions().build();
    // Version 3: nobody knows it.
    images.0[0].bytes[0x200] = 3;
    let mut words = two_frames();
    words.put(STACK + 0x80, &[0, BASE + 0x1130]);
    let from = at(0x1010).with(X64Registers::RBP, STACK + 0x80);
    let walked = walk(&images, &words, &from, true);
    assert_eq!(ours(&walked), [(0x1010, 0)]);
    assert_eq!(walked.end, End::VersionNotUnderstood { version: 3 });
    let theirs = Rival::over(&images).walk(&words, &from);
    assert_eq!(places(theirs)[..2], [(0x1010, 0), (0x1130, 0x90)], "framehop changed");
}

#[test]
fn unknown_codes_end_the_list_to_framehop() {
    let slots = [[5, 0x32], [2, 0x0B], [1, 0x30]];
    let images = Builder::new().function(0x1000, 0x1040, 5, &slots).build();
    let mut words = two_frames();
    words.put(STACK + 0x20, &[BASE + 0x1130]);
    let walked = walk(&images, &words, &at(0x1010), false);
    assert!(matches!(walked.end, End::BadUnwindData { .. }), "{:?}", walked.end);
    let theirs = Rival::over(&images).walk_back(&words, &at(0x1010));
    assert_eq!(places(theirs)[..2], [(0x1010, 0), (0x1130, 0x28)], "framehop changed");
}

/// `push rbp; sub rsp, 20h; lea rbp, [rsp+20h]` at 0x1400.
fn with_frame(builder: &mut Builder, slots: &[[u8; 2]]) {
    let unwind = builder.info([1, 10, slots.len() as u8, 0x25], slots, None);
    builder.entries.push([0x1400, 0x1440, unwind]);
}

#[test]
fn a_negative_distance_from_the_frame_is_positive_to_framehop() {
    let mut builder = two_functions();
    with_frame(&mut builder, &[[10, 3], [5, 0x32], [1, 0x50]]);
    // lea rsp, [rbp-8]; pop rbx; pop rbp; ret
    let images = builder.code(0x1430, &[0x48, 0x8D, 0x65, 0xF8, 0x5B, 0x5D, 0xC3]).build();
    let mut words = Words::default();
    words.put(STACK, &[0, 0, 0, 0xBB, 0, BASE + 0x1120]);
    words.put(STACK + 0x30, &[0; 8]);
    words.put(STACK + 0x118, &[0, 0, BASE + 0x1130]);
    let from = at(0x1430).with(X64Registers::RBP, STACK + 0x20);
    let truth = [(0x1430, 0), (0x1120, 0x30)];
    assert_eq!(ours(&walk(&images, &words, &from, true)), truth);
    let theirs = Rival::over(&images).walk(&words, &from);
    assert_eq!(places(theirs)[..2], [(0x1430, 0), (0x1130, 0x130)], "framehop changed");
}

#[test]
fn a_frame_register_that_is_not_set_yet_is_believed_by_framehop() {
    let mut builder = two_functions();
    // The save of rbx ran, `lea rbp` not yet.
    with_frame(&mut builder, &[[10, 3], [8, 0x34], [0, 0], [5, 0x32], [1, 0x50]]);
    let images = builder.build();
    let from = at(0x1409).with(X64Registers::RBP, STACK + 0x4000);
    let truth = [(0x1409, 0), (0x1120, 0x30)];
    differ(&images, &two_frames(), &from, &truth, &truth[..1]);
}

#[test]
fn a_return_that_releases_is_no_return_to_framehop() {
    // add rsp, 20h; pop rbx; ret 8, in front of the return.
    let code = [0x48, 0x83, 0xC4, 0x20, 0x5B, 0xC2, 8, 0];
    let images = two_functions().code(0x1020, &code).build();
    let mut words = Words::default();
    words.put(STACK, &[BASE + 0x1120, 0, 0, 0, 0, BASE + 0x1130, 0, 0, 0, 0, 0, 0, 0]);
    let truth = [(0x1025, 0), (0x1120, 8)];
    assert_eq!(ours(&walk(&images, &words, &at(0x1025), true))[..2], truth);
    let theirs = Rival::over(&images).walk(&words, &at(0x1025));
    assert_eq!(places(theirs)[..2], [(0x1025, 0), (0x1130, 0x30)], "framehop changed");
}

#[test]
fn code_that_is_cut_short_makes_framehop_panic() {
    let images = two_functions().build();
    let mut sections = Sections::of(&images.0[0]);
    sections.text = Some((0x1000..0x1040, vec![0xCC; 0x18]));
    let rival = Rival::with(BASE, sections);
    let theirs = quietly(|| rival.walk(&two_frames(), &at(0x1010)));
    assert_eq!(theirs, None, "framehop changed");
    let mut images = images;
    images.0[0].holes.push((0x1018, 0x1040));
    let walked = walk(&images, &two_frames(), &at(0x1010), true);
    assert_eq!(ours(&walked), [(0x1010, 0), (0x1120, 0x30)]);
}

/// Of ARM64 images framehop reads no unwind data at all: it follows frame
/// pointers, from the first instruction of a function past its caller.
#[test]
fn arm64_is_left_to_frame_pointers_by_framehop() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/aarch64-O2.sys");
    let loaded = Loaded::from_pe(BASE, &std::fs::read(path).unwrap());
    let size = loaded.bytes.len() as u64;
    let sections = Sections::of(&loaded);
    let Exceptions::Table { rva, .. } = loaded.exceptions else { panic!() };
    let begin = u32::from_le_bytes(loaded.bytes[rva as usize..][..4].try_into().unwrap());
    let (pc, caller, further) = (BASE + u64::from(begin), BASE + 0x1020, BASE + 0x1030);
    let mut words = Words::default();
    words.put(STACK + 0x40, &[STACK + 0x80, further]);
    let images = Images(vec![loaded]);
    let from = Arm64Registers::new(pc, STACK).with(29, STACK + 0x40).with(30, caller);
    let step = Unwinder::new(&images, &words).step(&from.into(), true).unwrap();
    assert_eq!((step.registers.pc().0, step.registers.sp().0), (caller, STACK));

    let mut theirs = UnwinderAarch64::<Vec<u8>>::new();
    theirs.add_module(Module::new("image".into(), BASE..BASE + size, BASE, sections));
    let mut registers = UnwindRegsAarch64::new(caller, STACK, STACK + 0x40);
    let mut read = |address| words.read_u64(VirtualAddress(address)).map_err(|_| ());
    let at = FrameAddress::from_instruction_pointer(pc);
    let mut cache = CacheAarch64::<_>::new();
    let next = theirs.unwind_frame(at, &mut registers, &mut cache, &mut read).unwrap();
    assert_eq!(next, Some(further), "framehop changed");
}

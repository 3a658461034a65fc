//! Unwind data and stacks laid down by hand, from the documentation.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod support;

use memory::VirtualAddress;
use support::builder::{BASE, Builder};
use support::{Images, Loaded, Words};
use unwind::arm64::Arm64Registers;
use unwind::x64::X64Registers;
use unwind::{
    End, Found, Note, Options, Registers, Resume, Scan, Segment, Stack, StackKind, Trust, Unwinder,
    Walk,
};

const STACK: u64 = 0xFFFF_8500_0000_0000;

fn stack() -> Stack<'static> {
    Stack::new(segment(0, 0x1000, StackKind::Thread))
}

fn segment(from: u64, to: u64, kind: StackKind) -> Segment {
    Segment { limit: VirtualAddress(STACK + from), base: VirtualAddress(STACK + to), kind }
}

fn walk(images: &Images, words: &Words, rva: u64, sp: u64, exact: bool, stack: &Stack<'_>) -> Walk {
    let start = X64Registers::new(BASE + rva, STACK + sp).into();
    let options = Options { scan: Scan::Off, ..Options::default() };
    Unwinder::new(images, words).with(options).walk(&start, exact, stack)
}

/// (rva, stack offset) of each frame.
fn places(walk: &Walk) -> Vec<(u64, u64)> {
    let place = |frame: &unwind::Frame| {
        (frame.address.0.wrapping_sub(BASE), frame.stack_pointer.0.wrapping_sub(STACK))
    };
    walk.frames.iter().map(place).collect()
}

/// `push rbx; sub rsp, 20h` at 0x1000, and a caller at 0x1100 without a frame
/// that saves anything.
fn two_functions() -> Builder {
    Builder::new().function(0x1000, 0x1040, 5, &[[5, 0x32], [1, 0x30]]).function(
        0x1100,
        0x1140,
        4,
        &[[4, 0x42]],
    )
}

fn two_frames() -> Words {
    let mut words = Words::default();
    words.put(STACK, &[0; 4]);
    words.put(STACK + 0x20, &[0xBB, BASE + 0x1120]);
    words.put(STACK + 0x30, &[0, 0, 0, 0, 0, 0]);
    words
}

#[test]
fn a_body_is_unwound_by_its_codes() {
    let (images, words) = (two_functions().build(), two_frames());
    let walk = walk(&images, &words, 0x1010, 0, true, &stack());
    assert_eq!(places(&walk), [(0x1010, 0), (0x1120, 0x30)]);
    assert_eq!(walk.end, End::ZeroReturn);
    assert!(walk.frames.iter().all(|frame| frame.trust == Trust::Certain));
    let Registers::X64(registers) = &walk.frames[1].registers else { panic!() };
    assert_eq!(registers.get(X64Registers::RBX), Some(0xBB));
    assert_eq!(registers.get(X64Registers::RSI), None);
}

#[test]
fn a_prologue_is_undone_as_far_as_it_ran() {
    let images = two_functions().build();
    let mut words = Words::default();
    words.put(STACK, &[BASE + 0x1120, 0, 0, 0, 0, 0, 0]);
    let at_entry = walk(&images, &words, 0x1000, 0, true, &stack());
    assert_eq!(places(&at_entry)[1], (0x1120, 8));
    words.put(STACK, &[0xBB, BASE + 0x1120, 0, 0, 0, 0, 0, 0]);
    let behind_push = walk(&images, &words, 0x1001, 0, true, &stack());
    assert_eq!(places(&behind_push)[1], (0x1120, 0x10));
}

#[test]
fn epilogues_are_decoded_only_at_exact_addresses() {
    // add rsp, 20h; pop rbx; ret
    let epilogue = [0x48, 0x83, 0xC4, 0x20, 0x5B, 0xC3];
    let images = two_functions().code(0x1020, &epilogue).build();
    let mut words = Words::default();
    words.put(STACK, &[0xBB, BASE + 0x1120, 0, 0, 0, 0, 0, 0]);
    // In front of the pop.
    assert_eq!(places(&walk(&images, &words, 0x1024, 0, true, &stack()))[1], (0x1120, 0x10));
    let words = two_frames();
    // As a return address the same place is the body.
    assert_eq!(places(&walk(&images, &words, 0x1024, 0, false, &stack()))[1], (0x1120, 0x30));
    assert_eq!(places(&walk(&images, &words, 0x1020, 0, true, &stack()))[1], (0x1120, 0x30));
}

#[test]
fn a_jump_is_an_epilogue_only_if_it_leaves_the_whole_chain() {
    let body_jump = |target: i32| {
        let mut builder = two_functions();
        let root = builder.entries[0];
        let part = builder.info([0x21, 0, 0, 0], &[], Some(root));
        builder.entries.push([0x1200, 0x1240, part]);
        let distance = (target - 0x1025).to_le_bytes();
        let jump = [&[0xE9], distance.as_slice()].concat();
        builder.code(0x1020, &jump).build()
    };
    let mut words = two_frames();
    words.put(STACK, &[BASE + 0x1130, 0, 0, 0]);
    let second = |images: &Images| places(&walk(images, &words, 0x1020, 0, true, &stack()))[1];
    assert_eq!(second(&body_jump(0x1038)), (0x1120, 0x30), "inside the function");
    assert_eq!(second(&body_jump(0x1210)), (0x1120, 0x30), "to another part of it");
    assert_eq!(second(&body_jump(0x1100)), (0x1130, 8), "to another function");
    assert_eq!(second(&body_jump(0x1800)), (0x1130, 8), "to a leaf");
    assert_eq!(second(&body_jump(0x1000)), (0x1130, 8), "to itself");
}

#[test]
fn without_code_at_hand_the_trust_is_lowered() {
    let mut images = two_functions().build();
    images.0[0].holes.push((0x1000, 0x2000));
    let walk = walk(&images, &two_frames(), 0x1010, 0, true, &stack());
    assert_eq!(places(&walk)[1], (0x1120, 0x30));
    assert_eq!(walk.frames[1].trust, Trust::Probable);
    assert_eq!(walk.frames[0].notes, [Note::MissingCode]);
}

#[test]
fn a_leaf_returns_by_the_top_of_the_stack_where_it_is_the_innermost() {
    let images = two_functions().build();
    let mut words = Words::default();
    words.put(STACK, &[BASE + 0x1120, 0, 0, 0, 0, 0, 0]);
    let innermost = walk(&images, &words, 0x1900, 0, true, &stack());
    assert_eq!(places(&innermost)[1], (0x1120, 8));
    let calling = walk(&images, &words, 0x1900, 0, false, &stack());
    assert!(matches!(calling.end, End::NoUnwindData { .. }), "{:?}", calling.end);
}

#[test]
fn a_machine_frame_is_crossed_and_exact() {
    // An error code and a machine frame, as a page fault pushes them.
    let trap = [[8, 0x32], [0, 0x1A]];
    let images = two_functions().function(0x1300, 0x1340, 8, &trap).build();
    let mut words = Words::default();
    words.put(STACK, &[0, 0, 0, 0, 0xE]);
    words.put(STACK + 0x28, &[BASE + 0x1001, 0x10, 0x246, STACK + 0x100, 0x18]);
    words.put(STACK + 0x100, &[0xBB, BASE + 0x1120, 0, 0, 0, 0, 0, 0]);
    let walked = walk(&images, &words, 0x1320, 0, false, &stack());
    assert_eq!(places(&walked), [(0x1320, 0), (0x1001, 0x100), (0x1120, 0x110)]);
    assert_eq!(walked.frames[1].found, Found::MachineFrame);
    assert!(walked.frames[1].exact && !walked.frames[2].exact);
    words.put(STACK + 0x28, &[0x7FF6_0000_1000, 0x33, 0x246, 0x1234_5678, 0x2B]);
    let walked = walk(&images, &words, 0x1320, 0, false, &stack());
    let (address, stack_pointer) = (VirtualAddress(0x7FF6_0000_1000), VirtualAddress(0x1234_5678));
    assert_eq!(walked.end, End::UserMode { address, stack_pointer });
}

#[test]
fn chains_and_indirect_entries_that_never_end_are_cut() {
    let mut builder = Builder::new();
    let at = builder.next;
    let myself = [0x1000, 0x1040, at];
    builder.info([0x21, 0, 0, 0], &[], Some(myself));
    builder.entries.push(myself);
    // An entry that is indirect to itself.
    builder.entries.push([0x1100, 0x1140, 0x100 + 12 + 1]);
    let images = builder.build();
    for rva in [0x1010, 0x1110] {
        let walk = walk(&images, &two_frames(), rva, 0, false, &stack());
        assert!(matches!(walk.end, End::BadUnwindData { .. }), "{:?}", walk.end);
    }
}

#[test]
fn version_3_is_recognised_and_not_understood() {
    let mut builder = Builder::new();
    let unwind = builder.info([3, 0, 0, 0], &[], None);
    builder.entries.push([0x1000, 0x1040, unwind]);
    let walk = walk(&builder.build(), &two_frames(), 0x1010, 0, true, &stack());
    assert_eq!(walk.end, End::VersionNotUnderstood { version: 3 });
}

#[test]
fn the_epilogues_of_version_2_are_known_without_code() {
    // push rdi; push r14; sub rsp, 20h. One epilogue of 4 bytes at the end
    // (pop r14; pop rdi; ret), one that begins 0x20 before it.
    let mut builder = two_functions();
    let slots = [[4, 0x16], [0x20, 6], [7, 0x32], [3, 0xE0], [1, 0x70]];
    let unwind = builder.info([2, 7, 5, 0], &slots, None);
    builder.entries.push([0x1400, 0x1440, unwind]);
    let mut images = builder.build();
    images.0[0].holes.push((0x1000, 0x2000));
    let mut words = Words::default();
    words.put(STACK, &[0xD1, BASE + 0x1120, 0, 0, 0, 0, 0, 0, 0]);
    // Behind the pop of r14.
    for rva in [0x143E, 0x1422] {
        let walk = walk(&images, &words, rva, 0, true, &stack());
        assert_eq!(places(&walk)[1], (0x1120, 0x10), "{rva:x}");
    }
    let mut words = two_frames();
    words.put(STACK + 0x20, &[0xE, 0xD1, BASE + 0x1120, 0, 0, 0, 0, 0, 0]);
    let body = walk(&images, &words, 0x1410, 0, true, &stack());
    assert_eq!(places(&body)[1], (0x1120, 0x38));
}

#[test]
fn a_padded_table_is_searched_to_its_last_entry() {
    let mut images = two_functions().build();
    images.0[0].bytes[0x118..0x180].fill(0);
    images.0[0].exceptions = unwind::Exceptions::Table { rva: 0x100, size: 0x80 };
    let walk = walk(&images, &two_frames(), 0x1010, 0, true, &stack());
    assert_eq!(places(&walk), [(0x1010, 0), (0x1120, 0x30)]);
}

#[test]
fn another_stack_is_entered_only_where_it_was_allowed() {
    let trap = [[0, 0x0A]];
    let images = two_functions().function(0x1300, 0x1340, 0, &trap).build();
    let mut words = two_frames();
    let isr = STACK + 0x8000;
    words.put(isr, &[BASE + 0x1010, 0x10, 0x246, STACK, 0x18]);
    let two = || {
        Stack::new(segment(0, 0x1000, StackKind::Thread)).with(segment(
            0x8000,
            0x9000,
            StackKind::Isr,
        ))
    };
    let refused = walk(&images, &words, 0x1320, 0x8000, false, &two());
    assert!(matches!(refused.end, End::OutsideStack { .. }), "{:?}", refused.end);
    let allowed = two().allow(StackKind::Isr, StackKind::Thread);
    let walked = walk(&images, &words, 0x1320, 0x8000, false, &allowed);
    assert_eq!(places(&walked), [(0x1320, 0x8000), (0x1010, 0), (0x1120, 0x30)]);
    let marks: Vec<_> = walked.frames.iter().map(|frame| (frame.stack, frame.boundary)).collect();
    let (isr, thread) = (StackKind::Isr, StackKind::Thread);
    assert_eq!(marks, [(isr, false), (thread, true), (thread, false)]);
}

#[test]
fn a_segment_that_ends_is_gone_on_from_where_the_caller_says() {
    let images = two_functions().build();
    let mut words = two_frames();
    let far = STACK + 0x8000;
    words.put(far, &[0, 0, 0, 0, 0xBB, BASE + 0x1120, 0, 0, 0, 0, 0, 0]);
    let next = |left: &Segment, _: VirtualAddress, end: &End| {
        (left.limit.0 == STACK && *end == End::ZeroReturn).then(|| Resume {
            registers: X64Registers::new(BASE + 0x1010, far).into(),
            exact: true,
            found: Found::Context,
            trust: Trust::Certain,
            sp_known: true,
        })
    };
    let stack = Stack::new(segment(0, 0x1000, StackKind::Expanded))
        .with(segment(0x8000, 0x9000, StackKind::Thread))
        .allow(StackKind::Expanded, StackKind::Thread)
        .resume_with(&next);
    let walked = walk(&images, &words, 0x1010, 0, true, &stack);
    let all = [(0x1010, 0), (0x1120, 0x30), (0x1010, 0x8000), (0x1120, 0x8030)];
    assert_eq!(places(&walked), all);
    assert!(walked.frames[2].boundary && walked.frames[2].found == Found::Context);
}

#[test]
fn a_scan_proposes_only_what_a_call_returns_to_and_then_unwinds_on() {
    let mut images = two_functions().code(0x1120 - 5, &[0xE8, 0, 0, 0, 0]).build();
    images.0.push(Loaded::unknown(BASE + 0x10_0000, 0x1000));
    let mut words = Words::default();
    // Not behind a call, then not code at all, then a return address.
    words.put(STACK, &[BASE + 0x1110, BASE + 0x9000, BASE + 0x1120, 0, 0, 0, 0, 0, 0]);
    let start: Registers = X64Registers::new(BASE + 0x10_0800, STACK).into();
    let walked = Unwinder::new(&images, &words).walk(&start, true, &stack());
    assert_eq!(places(&walked), [(0x10_0800, 0), (0x1120, 0x18)]);
    assert_eq!((walked.frames[1].found, walked.frames[1].trust), (Found::Scan, Trust::Guessed));
    // Behind it the frame was unwound, not scanned.
    assert_eq!(walked.end, End::ZeroReturn);
}

#[test]
fn the_first_byte_of_an_image_behind_another_is_no_return_address() {
    let mut images = two_functions().build();
    images.0.push(Loaded::unknown(BASE + 0x10_0000, 0x1000));
    images.0.push(Loaded::unknown(BASE + 0x10_1000, 0x1000));
    let mut words = Words::default();
    // The end of one image is the other's header; then a place in its code.
    words.put(STACK, &[BASE + 0x10_1000, BASE + 0x10_1080, BASE + 0x10_1800]);
    let start: Registers = X64Registers::new(BASE + 0x10_0800, STACK).into();
    let walked = Unwinder::new(&images, &words).walk(&start, true, &stack());
    assert_eq!(places(&walked), [(0x10_0800, 0), (0x10_1800, 0x18)]);
}

#[test]
fn a_return_address_of_the_lower_half_is_not_taken_for_user_mode() {
    let mut words = two_frames();
    words.put(STACK + 0x28, &[0x7FF6_0000_1000]);
    let walk = walk(&two_functions().build(), &words, 0x1010, 0, true, &stack());
    assert_eq!(walk.end, End::NoModule { address: VirtualAddress(0x7FF6_0000_1000) });
}

#[test]
fn a_zero_above_a_guessed_frame_is_scanned_past() {
    let mut images = two_functions().code(0x1120 - 5, &[0xE8, 0, 0, 0, 0]).build();
    images.0.push(Loaded::unknown(BASE + 0x10_0000, 0x1000));
    let mut words = Words::default();
    words.put(STACK, &[BASE + 0x1120, 0, 0, 0, 0, 0, 0, BASE + 0x1120, 0, 0, 0, 0, 0, 0]);
    let start: Registers = X64Registers::new(BASE + 0x10_0800, STACK).into();
    let walked = Unwinder::new(&images, &words).walk(&start, true, &stack());
    assert_eq!(places(&walked), [(0x10_0800, 0), (0x1120, 8), (0x1120, 0x40)]);
    assert_eq!(walked.frames[1].notes, [Note::NotUnwound(End::ZeroReturn)]);
    assert_eq!(walked.end, End::ZeroReturn);
}

#[test]
fn a_stack_that_is_not_at_hand_ends_the_walk_and_says_where() {
    let mut words = two_frames();
    words.0.remove(&(STACK + 0x28));
    let walk = walk(&two_functions().build(), &words, 0x1010, 0, true, &stack());
    assert_eq!(walk.end, End::NotResident { address: VirtualAddress(STACK + 0x28) });
}

#[test]
fn json_names_are_stable() {
    let (images, words) = (two_functions().build(), two_frames());
    let walk = walk(&images, &words, 0x1010, 0, true, &stack());
    let json = serde_json::to_value(&walk).unwrap();
    assert_eq!(json["end"]["reason"], "zero-return");
    assert_eq!(json["frames"][1]["found"], "unwind");
    assert_eq!(json["frames"][1]["trust"], "certain");
    assert_eq!(json["frames"][1]["address"], "fffff80000001120");
    assert_eq!(json["frames"][1]["stack"], "thread");
}

/// An ARM64 image: one function at 0x1000 of 0x40 bytes with a full record.
fn arm64_image(header: u32, codes: &[u8]) -> Images {
    let mut bytes = vec![0; 0x3000];
    bytes[0x100..0x104].copy_from_slice(&0x1000_u32.to_le_bytes());
    bytes[0x104..0x108].copy_from_slice(&0x200_u32.to_le_bytes());
    let words = codes.len().div_ceil(4) as u32;
    let header = header | words << 27 | (0x40 / 4);
    bytes[0x200..0x204].copy_from_slice(&header.to_le_bytes());
    bytes[0x204..][..codes.len()].copy_from_slice(codes);
    Images(vec![Loaded::by_hand(BASE, bytes, (0x100, 8))])
}

fn walk_arm64(images: &Images, words: &Words, registers: Arm64Registers, exact: bool) -> Walk {
    let options = Options { scan: Scan::Off, ..Options::default() };
    Unwinder::new(images, words).with(options).walk(&registers.into(), exact, &stack())
}

#[test]
fn signed_return_addresses_are_stripped_and_kept() {
    // pacibsp; stp fp, lr, [sp, #-16]!; mov fp, sp
    let images = arm64_image(1 << 21, &[0xE1, 0x81, 0xFC, 0xE4]);
    let mut words = Words::default();
    let signed = (BASE + 0x1020) & !(0x7F << 56) & !(0x7F << 48) | 0x21 << 56;
    words.put(STACK, &[0, signed]);
    let registers = Arm64Registers::new(BASE + 0x1020, STACK).with(Arm64Registers::FP, STACK);
    let walk = walk_arm64(&images, &words, registers, true);
    assert_eq!(places(&walk)[1], (0x1020, 0x10));
    assert_eq!(walk.frames[1].raw_address, Some(VirtualAddress(signed)));
    assert_eq!(walk.frames[1].trust, Trust::Certain);
}

#[test]
fn an_arm64_trap_frame_is_crossed_and_exact() {
    let images = arm64_image(0, &[0xE8, 0xE4]);
    let mut words = Words::default();
    for offset in (0..0x150).step_by(8) {
        words.put(STACK + offset, &[0x1000 + offset]);
    }
    words.put(STACK + 0x98, &[STACK + 0x200]);
    words.put(STACK + 0x148, &[BASE + 0x2000]);
    words.put(STACK + 0x138, &[0]);
    let walk = walk_arm64(&images, &words, Arm64Registers::new(BASE + 0x1020, STACK), false);
    assert_eq!(places(&walk)[1], (0x2000, 0x200));
    assert_eq!((walk.frames[1].found, walk.frames[1].exact), (Found::MachineFrame, true));
    let Registers::Arm64(registers) = &walk.frames[1].registers else { panic!() };
    assert_eq!(registers.get(18), Some(0x1000 + 0xA0 + 8 * 18));
    assert_eq!(walk.end, End::ZeroReturn);
}

/// The canonical prologue of the documentation, with everything that it can have.
#[test]
fn packed_data_stands_for_the_canonical_prologue() {
    use unwind::arm64::{PackedFunction, RegisterKind, UnwindCode as C};
    let packed = |cr: u32, reg_i: u32, reg_f: u32, homes: u32, frame: u32| {
        let fields = reg_f << 13 | reg_i << 16 | homes << 20 | cr << 21 | (frame / 16) << 23;
        PackedFunction::decode(1 | 0x10 << 2 | fields).unwrap().prologue()
    };
    let save = |kind, first, count, offset, before| C::Save { kind, first, count, offset, before };
    let (x, d) = (RegisterKind::X, RegisterKind::D);
    let signed = vec![
        C::SetFramePointer { offset: 0 },
        save(x, 29, 2, 0x40, true),
        C::Nop,
        C::Nop,
        C::Nop,
        C::Nop,
        save(d, 10, 1, 0x20, false),
        save(d, 8, 2, 0x10, false),
        save(x, 19, 2, 0x70, true),
        C::SignLink,
        C::End,
    ];
    assert_eq!(packed(2, 2, 2, 1, 0xB0), Some(signed));
    let with_link = vec![
        C::Alloc { size: 0x20 },
        C::SaveWithLink { register: 21, offset: 0x10 },
        save(x, 19, 2, 0x20, true),
        C::End,
    ];
    assert_eq!(packed(1, 3, 0, 0, 0x40), Some(with_link));
    let large = vec![
        C::SetFramePointer { offset: 0 },
        save(x, 29, 2, 0, false),
        C::Alloc { size: 0x1010 - 4080 },
        C::Alloc { size: 4080 },
        C::End,
    ];
    assert_eq!(packed(3, 0, 0, 0, 0x1010), Some(large));
    assert_eq!(packed(1, 1, 0, 0, 0x20), None, "no code says this");
    assert_eq!(packed(0, 4, 0, 0, 0x10), None, "more saved than the frame holds");
}

//! Where a function goes on that left without return: only behind a call of it.

#![allow(clippy::unwrap_used, clippy::panic)]

mod support;

use memory::VirtualAddress;
use support::builder::{BASE, Builder};
use support::{Images, Loaded, Words};
use unwind::arm64::Arm64Registers;
use unwind::x64::X64Registers;
use unwind::{Registers, Trust, Unwinder};

const STACK: u64 = 0xFFFF_8500_0000_0000;

/// `push rbx; sub rsp, 20h` at 0x1000, which 0x1100 calls so as to go on at 0x1120.
fn images(target: u32) -> Images {
    let distance = target.wrapping_sub(0x1120).to_le_bytes();
    Builder::new()
        .function(0x1000, 0x1040, 5, &[[5, 0x32], [1, 0x30]])
        .function(0x1100, 0x1140, 4, &[[4, 0x42]])
        .code(0x111B, &[&[0xE8], distance.as_slice()].concat())
        .build()
}

fn words() -> Words {
    let mut words = Words::default();
    words.put(STACK, &[0, 0, BASE + 0x1130, 0, 0xBB, BASE + 0x1120, 0, 0]);
    words
}

fn caller(images: &Images, words: &Words, sp: u64, bytes: u64) -> Option<(Registers, Trust)> {
    let left = X64Registers::new(0, STACK + sp).into();
    Unwinder::new(images, words).caller_of(VirtualAddress(BASE + 0x1000), &left, bytes)
}

#[test]
fn it_goes_on_behind_the_call_with_the_registers_that_its_prologue_saved() {
    let (registers, trust) = caller(&images(0x1000), &words(), 0, 0x40).unwrap();
    assert_eq!((registers.pc().0, registers.sp().0), (BASE + 0x1120, STACK + 0x30));
    let Registers::X64(registers) = registers else { panic!() };
    assert_eq!(registers.get(X64Registers::RBX), Some(0xBB));
    assert_eq!(trust, Trust::Certain);
}

#[test]
fn behind_a_call_of_another_function_or_none_nothing_is_found() {
    assert_eq!(caller(&images(0x1100), &words(), 0, 0x40), None);
    let mut words = words();
    words.put(STACK + 0x28, &[BASE + 0x1121]);
    assert_eq!(caller(&images(0x1000), &words, 0, 0x40), None);
}

#[test]
fn beyond_the_bytes_that_it_may_have_nothing_is_looked_for() {
    assert_eq!(caller(&images(0x1000), &words(), 0, 0x28), None);
    assert_eq!(caller(&images(0x1000), &words(), 0x30, 0x1000), None, "and memory ends");
}

#[test]
fn where_its_own_frame_says_otherwise_registers_are_not_known() {
    // As if it had been left before its frame was whole.
    let (registers, trust) = caller(&images(0x1000), &words(), 8, 0x40).unwrap();
    assert_eq!((registers.pc().0, registers.sp().0), (BASE + 0x1120, STACK + 0x30));
    let Registers::X64(registers) = registers else { panic!() };
    assert_eq!(registers.get(X64Registers::RBX), None);
    assert_eq!(trust, Trust::Probable);
}

/// `stp fp, lr, [sp, #-0x20]!; mov fp, sp` at 0x1000, and a `bl` of it before 0x1820.
#[test]
fn on_arm64_the_frame_pointer_is_what_the_prologue_makes_it() {
    let mut bytes = vec![0; 0x3000];
    let put = |bytes: &mut Vec<u8>, at: usize, value: u32| {
        bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    };
    put(&mut bytes, 0x100, 0x1000);
    put(&mut bytes, 0x104, 0x200);
    put(&mut bytes, 0x200, 1 << 27 | 1 << 21 | (0x40 / 4));
    // set_fp, save_fplr_x 0x20, end
    bytes[0x204..0x208].copy_from_slice(&[0xE1, 0x83, 0xE4, 0]);
    let distance = (0x1000_i32 - 0x181C) / 4;
    put(&mut bytes, 0x181C, 0x9400_0000 | (distance as u32 & 0x03FF_FFFF));
    let images = Images(vec![Loaded::by_hand(BASE, bytes, (0x100, 8))]);
    let mut words = Words::default();
    words.put(STACK, &[STACK + 0x80, BASE + 0x1820, 0, 0]);
    let left = Arm64Registers::new(0, STACK).into();
    let found =
        Unwinder::new(&images, &words).caller_of(VirtualAddress(BASE + 0x1000), &left, 0x20);
    let (registers, trust) = found.unwrap();
    assert_eq!((registers.pc().0, registers.sp().0), (BASE + 0x1820, STACK + 0x20));
    let Registers::Arm64(registers) = registers else { panic!() };
    assert_eq!((registers.get(Arm64Registers::FP), trust), (Some(STACK + 0x80), Trust::Certain));
}

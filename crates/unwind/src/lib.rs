//! One step and one walk of a kernel stack, per architecture, with the trust
//! of every frame and the reason of the end.
//!
//! [`Unwinder`] stands on two things that others provide: [`Code`] (which
//! image holds an address, and its bytes as far as they are at hand) and
//! [`memory::VirtualMemory`] (the stack). [`Unwinder::walk`] answers a
//! [`Walk`]: frames that each say how they were found ([`Found`]), how far
//! they can be believed ([`Trust`]) and what was missing ([`Note`]), and the
//! [`End`]. It knows addresses only; names are others' business.
//!
//! All input may be hostile: every table, chain and scan is bounded, a stack
//! pointer must grow within its [`Segment`], and segments are entered once.
//!
//! The formats are those of Microsoft's "x64 exception handling" and "ARM64
//! exception handling"; version 2 of x64's unwind data is as LLVM documents
//! it, ARM64's custom stack codes are as the .NET runtime's unwinder has them.
//!
//! Who judges it, all in `tests`: prologues and epilogues that clang made,
//! executed instruction by instruction, both machines (`executed.rs`);
//! `llvm-readobj --unwind` for what unwind data says, both machines
//! (`readobj.rs`); Wine's own unwinder over every instruction of a program at
//! four levels of optimisation, x64 (`wine.rs`, needs Wine); `framehop` 0.16
//! over the same walks and over nested calls of the fixtures, x64
//! (`framehop.rs`). framehop is wrong, or does without, in the ways that
//! `framehop_wrong.rs` lists and shows one by one: jumps inside a function,
//! version 2's epilogues, machine frames, chains behind an odd number of codes
//! or without end, indirect entries, second code sections, padded tables,
//! callers without unwind data, missing data (it believes RBP), unknown codes,
//! negative distances, frame registers not yet set, `ret n`, code cut short.
//! For ARM64 images it reads no unwind data at all.
#![forbid(unsafe_code)]

pub mod arm64;
mod frame;
mod image;
mod registers;
mod scan;
mod stack;
mod unwinder;
mod walk;
pub mod x64;

pub use frame::{End, Found, Frame, Note, Trust, Walk};
pub use image::{Code, Exceptions, Image, Missing};
pub use registers::Registers;
pub use scan::follows_call;
pub use stack::{NextSegment, Resume, Segment, Stack, StackKind};
pub use unwinder::{Options, Scan, Step, Unwinder};

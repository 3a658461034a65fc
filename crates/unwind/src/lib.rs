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

//! x64: `RUNTIME_FUNCTION`, `UNWIND_INFO`, machine frames, epilogues.

mod call;
mod epilogue;
mod execute;
mod info;
mod registers;
mod step;
mod table;

pub(crate) use call::{call_target, follows_call};
pub use info::{Epilogues, PlacedCode, UnwindCode, UnwindInfo};
pub use registers::X64Registers;
pub(crate) use step::{end_of_function, step};
pub use table::{RuntimeFunction, find_function};

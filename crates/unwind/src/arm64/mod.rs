//! ARM64: packed and full unwind data, trap frames, the chain of frame pointers.

mod call;
mod code;
mod execute;
mod frame_pointer;
mod packed;
mod record;
mod registers;
mod step;
mod table;

pub(crate) use call::{call_target, follows_call};
pub use code::{RegisterKind, UnwindCode, decode_codes};
pub(crate) use frame_pointer::follow_frame_pointer;
pub use packed::PackedFunction;
pub use record::{Epilogue, FunctionRecord};
pub use registers::{Arm64Registers, strip};
pub(crate) use step::{end_of_function, step};
pub use table::{FunctionEntry, find_function};

//! The vocabulary of NT: statuses, codes and ABI layouts. Facts, no behaviour.
#![forbid(unsafe_code)]

pub mod bugcheck;
pub mod build;
pub mod code;
pub mod kdbg;
pub mod live_dump_code;
pub mod protection;
pub mod status;
pub mod sysdbg;
pub mod thread;

pub use status::NtStatus;

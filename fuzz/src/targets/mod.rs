//! The targets, one file each. Every `target` takes any bytes.

pub mod bitmap;
pub mod blobs;
pub mod convert;
pub mod debugger_block;
pub mod header;
pub mod judge_pages;
pub mod judge_translation;
pub mod ranges;
pub mod runs;
pub mod set;
pub mod translation;
pub mod triage;
pub mod verify;
pub mod write_read;

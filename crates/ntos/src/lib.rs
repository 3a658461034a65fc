//! The kernel's objects as found in a dump, one file each: kernel, process, thread, module, processor, wait.
//!
//! Empty until the issue "Inside a dump" fills it.

#![forbid(unsafe_code)]

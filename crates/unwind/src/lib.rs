//! One step and one walk of a kernel stack, per architecture, with the trust of every frame.
//!
//! Empty until the issue "Inside a dump" fills it.

#![forbid(unsafe_code)]

//! Members found in the dump itself, where nobody told.
//!
//! Nothing here is a guess that may stand: each finder looks for a relation
//! that only the right member has (a ring that closes, a pointer back, PID 4
//! and the name of the system's process), over more than one object, and
//! answers only when exactly one place has it.

pub(crate) mod alpc;
pub(crate) mod module;
pub(crate) mod object;
pub(crate) mod process;
pub(crate) mod resource;
pub(crate) mod thread;
pub(crate) mod wait;

/// The only candidate that stands, if it is the only one.
pub(crate) fn only<T: PartialEq>(mut candidates: impl Iterator<Item = T>) -> Option<T> {
    let first = candidates.next()?;
    candidates.all(|other| other == first).then_some(first)
}

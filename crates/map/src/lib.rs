//! A file as bytes: read by position, or mapped.
//!
//! [`Bytes`] is all that the readers above need. [`File`] gives it in two
//! ways: [`File::open`] reads by position, so that a file that shrinks while
//! it is read, a network share that goes away or a stick that is pulled is an
//! error; [`File::open_mapped`] maps the file, which is faster for random
//! reads, and for which the system kills the process in the same cases.
//! [`File::open_suited`] chooses: mapped, unless the file may go away.
#![deny(unsafe_code)]

mod bytes;
mod file;
mod holes;
mod mapped;
mod place;

pub use bytes::Bytes;
pub use file::File;
pub use place::may_go_away;

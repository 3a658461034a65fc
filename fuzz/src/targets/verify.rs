//! Any file as it is: every level, everything that is told of it.

/// A whole file.
pub fn target(data: &[u8]) {
    crate::facts::of(data);
}

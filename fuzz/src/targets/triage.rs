//! Type 4.

use crate::folded::{force_type, unfold};

/// A folded file; its type becomes 4.
pub fn target(data: &[u8]) {
    let mut file = unfold(data);
    force_type(&mut file, &[4]);
    crate::facts::of(&file);
}

//! The layouts as they lie in the file: little endian, byte-aligned, nothing decoded.
//!
//! Sources, as the fields' comments name them: **(S)** seen byte for byte in
//! real files (x86, x64 and ARM64, Windows 7 to 11), **(H)** public Microsoft
//! headers (SDK `mindumpdef.h`, `WDBGEXTS.H`, win32metadata), **(R)** agreed on
//! by open readers. A field that holds the filler `PAGE` is absent: see
//! [`crate::Header`] for the decoded form.

mod bitmap;
mod blob;
mod header32;
mod header64;
mod ranges;
mod summary;
mod triage;

pub use bitmap::BitmapHeader;
pub use blob::{BlobFileHeader, BlobHeader};
pub use header32::DumpHeader32;
pub use header64::{DumpHeader64, PhysicalMemoryRun};
pub use ranges::RangesHeader;
pub use summary::SummaryHeader;
pub use triage::{TriageBlock, TriageDriver32, TriageDriver64, TriageHeader32, TriageHeader64};

/// Asserts offsets and the size of a layout when it is compiled.
macro_rules! assert_layout {
    ($type:ty, size $size:expr, $($field:ident = $offset:expr),* $(,)?) => {
        const _: () = assert!(size_of::<$type>() == $size);
        $(const _: () = assert!(std::mem::offset_of!($type, $field) == $offset);)*
    };
}
use assert_layout;

//! The file's bytes for `pdb2`: never more than the file has.

use std::fmt;
use std::io;
use std::sync::Arc;

use pdb2::{SourceSlice, SourceView};

pub(super) struct Source {
    bytes: Arc<dyn map::Bytes>,
}

#[derive(Debug)]
struct View(Vec<u8>);

impl Source {
    pub(super) fn new(bytes: Arc<dyn map::Bytes>) -> Self {
        Self { bytes }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({} bytes)", self.bytes.len())
    }
}

impl<'s> pdb2::Source<'s> for Source {
    fn view(
        &mut self,
        slices: &[SourceSlice],
    ) -> io::Result<Box<dyn SourceView<'s> + Send + Sync>> {
        let total = slices.iter().try_fold(0_u64, |sum, slice| sum.checked_add(slice.size as u64));
        let total = total.filter(|&total| total <= self.bytes.len()).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidData, "a stream is longer than the file")
        })?;
        let mut view = vec![0; total as usize];
        let mut rest = &mut view[..];
        for slice in slices {
            let (part, after) = rest.split_at_mut(slice.size);
            self.bytes.read_exact_at(slice.offset, part)?;
            rest = after;
        }
        Ok(Box::new(View(view)))
    }
}

impl SourceView<'_> for View {
    fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

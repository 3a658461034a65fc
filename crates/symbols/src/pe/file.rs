//! An image in a file: sections lie elsewhere than in memory.

use std::fmt;
use std::sync::Arc;

use super::{Headers, ImageBytes};

/// Reads a file by RVA: headers, then what each section has in the file, then
/// zeros to the section's end.
#[derive(Clone)]
pub struct FileImage {
    file: Arc<dyn map::Bytes>,
    parts: Vec<Part>,
}

#[derive(Debug, Clone, Copy)]
struct Part {
    rva: u32,
    size: u32,
    file_offset: u32,
    file_size: u32,
}

impl fmt::Debug for FileImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileImage").field("bytes", &self.file.len()).finish_non_exhaustive()
    }
}

impl FileImage {
    pub(super) fn new(file: Arc<dyn map::Bytes>, headers: &Headers) -> Self {
        let first = headers.sections.iter().map(|section| section.rva).min();
        let head = headers.size_of_headers.min(first.unwrap_or(u32::MAX));
        let mut parts = vec![Part { rva: 0, size: head, file_offset: 0, file_size: head }];
        parts.extend(headers.sections.iter().map(|section| Part {
            rva: section.rva,
            size: section.size,
            file_offset: section.file_offset,
            file_size: section.file_size,
        }));
        Self { file, parts }
    }
}

impl ImageBytes for FileImage {
    fn read(&self, rva: u32, buffer: &mut [u8]) -> bool {
        let mut done = 0;
        while done < buffer.len() {
            let Some(rva) = rva.checked_add(done as u32) else { return false };
            let inside = |part: &&Part| rva.checked_sub(part.rva).is_some_and(|at| at < part.size);
            let part = self.parts.iter().find(inside);
            let Some(part) = part else { return false };
            let offset = rva - part.rva;
            let length = (buffer.len() - done).min((part.size - offset) as usize);
            let stored = part.file_size.saturating_sub(offset) as usize;
            let (read, zero) = buffer[done..done + length].split_at_mut(length.min(stored));
            let at = u64::from(part.file_offset) + u64::from(offset);
            if !read.is_empty() && self.file.read_exact_at(at, read).is_err() {
                return false;
            }
            zero.fill(0);
            done += length;
        }
        true
    }

    fn stored(&self) -> Option<u64> {
        Some(self.file.len())
    }
}

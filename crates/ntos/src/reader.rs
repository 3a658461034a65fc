//! Typed reads of kernel memory.

use std::sync::atomic::{AtomicU64, Ordering};

use format::Width;
use memory::{ReadError, VirtualAddress, VirtualMemory};

/// Characters of a string that are read at most: a UNICODE_STRING has 32,767.
const LONGEST_STRING: usize = 0x7FFF;

/// Kernel memory, with the width of its pointers.
#[derive(Clone, Copy)]
pub struct Reader<'m> {
    memory: &'m (dyn VirtualMemory + Sync),
    width: Width,
    work: Option<&'m AtomicU64>,
}

impl<'m> Reader<'m> {
    /// Reads `memory` of a machine with pointers of that width.
    pub fn new(memory: &'m (dyn VirtualMemory + Sync), width: Width) -> Self {
        Self { memory, width, work: None }
    }

    /// The same, with so many steps along links and tables left: lists of a
    /// hostile file may share entries, so that no bound on each bounds them all.
    #[must_use]
    pub(crate) fn with_work(self, left: &'m AtomicU64) -> Self {
        Self { work: Some(left), ..self }
    }

    /// Takes a step; `false` when none is left.
    pub(crate) fn step(&self) -> bool {
        let take = |left: u64| left.checked_sub(1);
        let relaxed = Ordering::Relaxed;
        self.work.is_none_or(|left| left.fetch_update(relaxed, relaxed, take).is_ok())
    }

    /// The memory itself.
    pub fn memory(&self) -> &'m (dyn VirtualMemory + Sync) {
        self.memory
    }

    /// Bytes of a pointer.
    pub fn pointer_size(&self) -> u64 {
        self.width.pointer_size() as u64
    }

    /// Whether an address lies in the kernel's half.
    pub fn is_kernel(&self, address: VirtualAddress) -> bool {
        self.width.is_kernel(address)
    }

    /// Fills `buffer` from an address.
    pub fn bytes(&self, address: VirtualAddress, buffer: &mut [u8]) -> Result<(), ReadError> {
        self.memory.read_virtual(address, buffer)
    }

    /// An integer of 1 to 8 bytes, little-endian.
    pub fn integer(&self, address: VirtualAddress, size: usize) -> Result<u64, ReadError> {
        let mut bytes = [0; 8];
        self.bytes(address, &mut bytes[..size.clamp(1, 8)])?;
        Ok(u64::from_le_bytes(bytes))
    }

    /// A pointer, sign-extended where pointers have 32 bits.
    pub fn pointer(&self, address: VirtualAddress) -> Result<VirtualAddress, ReadError> {
        Ok(self.width.address(self.integer(address, self.width.pointer_size())?))
    }

    /// A pointer into the kernel's half; `None` for anything else there.
    pub fn kernel_pointer(
        &self,
        address: VirtualAddress,
    ) -> Result<Option<VirtualAddress>, ReadError> {
        Ok(Some(self.pointer(address)?).filter(|target| self.is_kernel(*target)))
    }

    /// The text of a `UNICODE_STRING`: lengths in bytes, then the buffer's
    /// address. Empty for a string of length 0. Unpaired surrogates are
    /// replaced. Text that reaches into a page which is missing is an error.
    pub fn unicode_string(&self, address: VirtualAddress) -> Result<String, ReadError> {
        let length = (self.integer(address, 2)? as usize / 2).min(LONGEST_STRING);
        let buffer = self.pointer(at(address, self.pointer_size()))?;
        if length == 0 {
            return Ok(String::new());
        }
        let mut bytes = vec![0; length * 2];
        self.bytes(buffer, &mut bytes)?;
        let units: Vec<u16> =
            bytes.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
        Ok(String::from_utf16_lossy(&units))
    }

    /// Up to `size` bytes of single-byte text, up to its first 0. Bytes that
    /// are not ASCII are replaced.
    pub fn narrow_string(&self, address: VirtualAddress, size: usize) -> Result<String, ReadError> {
        let mut bytes = vec![0; size];
        self.bytes(address, &mut bytes)?;
        let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
        let shown = |byte: &u8| if byte.is_ascii() { char::from(*byte) } else { '\u{FFFD}' };
        Ok(text.iter().map(shown).collect())
    }
}

/// The address some bytes on; addresses wrap as the processor's do, and what
/// wraps is then not found.
pub(crate) fn at(address: VirtualAddress, offset: u64) -> VirtualAddress {
    VirtualAddress(address.0.wrapping_add(offset))
}

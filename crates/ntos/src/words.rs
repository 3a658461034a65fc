//! Memory of 8-byte words, for tests; all else is absent.

use std::collections::BTreeMap;

use memory::{ReadError, VirtualAddress, VirtualMemory};

/// By their addresses.
#[derive(Default, Clone)]
pub(crate) struct Words(pub(crate) BTreeMap<u64, u64>);

impl Words {
    /// Puts words one after the other.
    pub(crate) fn put(&mut self, address: u64, values: &[u64]) {
        self.0.extend((address..).step_by(8).zip(values.iter().copied()));
    }
}

impl VirtualMemory for Words {
    fn read_virtual(&self, address: VirtualAddress, buffer: &mut [u8]) -> Result<(), ReadError> {
        for (at, byte) in (address.0..).zip(buffer) {
            let absent = ReadError::VirtualAbsent { address: VirtualAddress(at) };
            let word = self.0.get(&(at & !7)).ok_or(absent)?;
            *byte = word.to_le_bytes()[(at & 7) as usize];
        }
        Ok(())
    }
}

//! `KDDEBUGGER_DATA64`: the kernel's own directory for debuggers, in clear.

use memory::{VirtualAddress, VirtualMemory};
use nt::kdbg::{self, Field};
use serde::Serialize;

use crate::encoded::{self, Known};

/// How the block's bytes were come by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
#[non_exhaustive]
pub enum Origin {
    /// It lay in memory in clear.
    Clear,
    /// It lay in memory encoded, and was decoded from the differences of its words.
    Decoded {
        /// By how many bits its words were rotated.
        rotation: u32,
        /// How many words known from elsewhere agree.
        agreements: u32,
    },
}

/// The debugger block of a dump.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebuggerBlock {
    address: VirtualAddress,
    bytes: Vec<u8>,
    origin: Origin,
}

/// Why there is no debugger block to ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoBlock {
    /// The header names none.
    #[error("the header names no debugger block")]
    NotNamed,
    /// The dump does not hold it.
    #[error("the debugger block at {address} is not in the dump")]
    NotInDump {
        /// Where the header says it lies.
        address: VirtualAddress,
    },
    /// What lies there is not a block, nor an encoded one that could be decoded.
    #[error(
        "at {address} lies no debugger block, in clear or encoded, that agrees with the header"
    )]
    NotProved {
        /// Where the header says it lies.
        address: VirtualAddress,
    },
}

/// The longest block that is read: Windows 11's has about 0x3A8 bytes.
const LONGEST: usize = 0x400;

impl DebuggerBlock {
    /// Reads the block that the header names, and decodes it if it must.
    pub fn find(
        memory: &dyn VirtualMemory,
        address: Option<VirtualAddress>,
        known: &Known,
    ) -> Result<Self, NoBlock> {
        let address = address.filter(|address| address.0 != 0).ok_or(NoBlock::NotNamed)?;
        let bytes = read_longest(memory, address).ok_or(NoBlock::NotInDump { address })?;
        if let Some(bytes) = in_clear(&bytes) {
            return Ok(Self { address, bytes, origin: Origin::Clear });
        }
        let decoded = encoded::decode(&bytes, known).ok_or(NoBlock::NotProved { address })?;
        let encoded::Decoded { bytes, rotation, agreements } = decoded;
        Ok(Self { address, bytes, origin: Origin::Decoded { rotation, agreements } })
    }

    /// Where it lies.
    pub fn address(&self) -> VirtualAddress {
        self.address
    }

    /// How it was come by.
    pub fn origin(&self) -> Origin {
        self.origin
    }

    /// Its bytes in clear, as many as its Size says or as are held.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A field's value; `None` when the block is too short to have it, or it is 0,
    /// which the kernel leaves in fields it does not use.
    pub fn value(&self, field: Field) -> Option<u64> {
        let mut value = [0; 8];
        let held = self.bytes.get(field.offset.into()..field.end() as usize)?;
        value.get_mut(..held.len())?.copy_from_slice(held);
        Some(u64::from_le_bytes(value)).filter(|value| *value != 0)
    }

    /// The address in a field that names a variable or a place.
    pub fn address_of(&self, field: Field) -> Option<VirtualAddress> {
        self.value(field).map(VirtualAddress)
    }

    /// The offset or size in a field of that kind; `None` for 0 and for 0xFFFF,
    /// which stand for a field that this kernel's structure does not have.
    pub fn offset(&self, field: Field) -> Option<u32> {
        let missing = u64::MAX >> (64 - 8 * u32::from(field.width));
        let value = self.value(field).filter(|value| *value != missing)?;
        u32::try_from(value).ok()
    }
}

/// As many bytes as there are, at least those of the shortest known block.
fn read_longest(memory: &dyn VirtualMemory, address: VirtualAddress) -> Option<Vec<u8>> {
    [LONGEST, 0x3A8, 0x380, 0x368, kdbg::SIZE_MIN as usize].into_iter().find_map(|length| {
        let mut bytes = vec![0; length];
        memory.read_virtual(address, &mut bytes).is_ok().then_some(bytes)
    })
}

fn in_clear(bytes: &[u8]) -> Option<Vec<u8>> {
    let field = |field: Field| {
        let held = bytes.get(field.offset.into()..field.end() as usize)?;
        held.try_into().ok().map(u32::from_le_bytes)
    };
    let size = field(kdbg::SIZE)? as usize;
    let tagged = field(kdbg::OWNER_TAG_FIELD)? == kdbg::OWNER_TAG;
    (tagged && size >= kdbg::SIZE_MIN as usize).then(|| bytes.get(..size).unwrap_or(bytes).to_vec())
}

//! Type records: the few kinds that layouts are made of.
//!
//! LLVM, "CodeView Type Records"; numbers of `cvinfo.h`. Nothing here recurses
//! or allocates: a record is read where it lies, and a field list one field at
//! a time.

use crate::bytes::{array, c_string, u16_at, u32_at};

/// A record that layouts are made of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Record<'a> {
    /// A structure, class or union.
    Class(Class<'a>),
    Enumeration {
        fields: u32,
        base: u32,
        names: Names<'a>,
    },
    Pointer {
        to: u32,
        size: u8,
    },
    /// `const`, `volatile`, or another name.
    Modifier {
        of: u32,
    },
    Array {
        of: u32,
        bytes: u64,
    },
    Bits {
        of: u32,
        length: u8,
        position: u8,
    },
    Function,
    Other,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Class<'a> {
    pub(super) union: bool,
    pub(super) fields: u32,
    pub(super) size: u64,
    pub(super) names: Names<'a>,
}

/// What a class or enumeration is called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Names<'a> {
    /// Only said to be somewhere else.
    pub(super) forward: bool,
    pub(super) name: &'a [u8],
    /// The decorated name, unique in the program.
    pub(super) unique: Option<&'a [u8]>,
}

/// An entry of a field list.
#[derive(Debug, Clone, Copy)]
pub(super) enum Entry<'a> {
    Member {
        of: u32,
        offset: u64,
        name: &'a [u8],
    },
    /// A base class: its fields are the owner's.
    Base {
        of: u32,
        offset: u64,
    },
    Value {
        value: i64,
        name: &'a [u8],
    },
    /// The list goes on in another record.
    Continued(u32),
    Other,
}

const FORWARD: u32 = 0x80;
const HAS_UNIQUE_NAME: u32 = 0x200;

/// Reads one after the other.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn u8(&mut self) -> Option<u8> {
        let (&byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(byte)
    }

    fn u16(&mut self) -> Option<u16> {
        let value = u16_at(self.0, 0)?;
        self.0 = &self.0[2..];
        Some(value)
    }

    fn u32(&mut self) -> Option<u32> {
        let value = u32_at(self.0, 0)?;
        self.0 = &self.0[4..];
        Some(value)
    }

    fn bytes<const N: usize>(&mut self) -> Option<[u8; N]> {
        let value = array(self.0, 0)?;
        self.0 = &self.0[N..];
        Some(value)
    }

    /// A number of the size that it needs.
    fn number(&mut self) -> Option<i64> {
        Some(match self.u16()? {
            small @ 0..0x8000 => i64::from(small),
            0x8000 => i64::from(self.u8()?.cast_signed()),
            0x8001 => i64::from(self.u16()?.cast_signed()),
            0x8002 => i64::from(self.u16()?),
            0x8003 => i64::from(self.u32()?.cast_signed()),
            0x8004 => i64::from(self.u32()?),
            0x8009 | 0x800a => i64::from_le_bytes(self.bytes()?),
            _ => return None,
        })
    }

    fn unsigned(&mut self) -> Option<u64> {
        self.number().and_then(|number| u64::try_from(number).ok())
    }

    fn name(&mut self) -> Option<&'a [u8]> {
        let (name, length) = c_string(self.0)?;
        self.0 = &self.0[length..];
        Some(name)
    }

    fn names(&mut self, properties: u32) -> Option<Names<'a>> {
        let name = self.name()?;
        let unique = (properties & HAS_UNIQUE_NAME != 0).then(|| self.name()).flatten();
        Some(Names { forward: properties & FORWARD != 0, name, unique })
    }

    /// Fields are aligned by bytes that say how many of them there are.
    fn padding(&mut self) {
        while let Some(&byte @ 0xf0..) = self.0.first() {
            let length = usize::from(byte & 0xf).clamp(1, self.0.len());
            self.0 = &self.0[length..];
        }
    }
}

/// Reads a record: its kind and what follows. `None`: it is cut off.
pub(super) fn record(bytes: &[u8]) -> Option<Record<'_>> {
    let mut reader = Reader(bytes);
    Some(match reader.u16()? {
        leaf @ (0x1504 | 0x1505 | 0x1519 | 0x1506) => {
            let union = leaf == 0x1506;
            let _count = reader.u16()?;
            let properties = u32::from(reader.u16()?);
            let fields = reader.u32()?;
            if !union {
                let _derived_and_shape: [u8; 8] = reader.bytes()?;
            }
            let size = reader.unsigned()?;
            Record::Class(Class { union, fields, size, names: reader.names(properties)? })
        }
        // The same with wider properties, of later compilers.
        leaf @ 0x1608..=0x160b => {
            let union = leaf == 0x160a;
            let properties = reader.u32()?;
            let fields = reader.u32()?;
            if !union {
                let _derived_and_shape: [u8; 8] = reader.bytes()?;
            }
            let _count = reader.u16()?;
            let size = reader.unsigned()?;
            Record::Class(Class { union, fields, size, names: reader.names(properties)? })
        }
        0x1507 => {
            let _count = reader.u16()?;
            let properties = u32::from(reader.u16()?);
            let (base, fields) = (reader.u32()?, reader.u32()?);
            Record::Enumeration { fields, base, names: reader.names(properties)? }
        }
        0x1002 => {
            let (to, attributes) = (reader.u32()?, reader.u32()?);
            Record::Pointer { to, size: pointer_size(attributes) }
        }
        0x1001 | 0x150a => Record::Modifier { of: reader.u32()? },
        0x1503 => {
            let (of, _index) = (reader.u32()?, reader.u32()?);
            Record::Array { of, bytes: reader.unsigned()? }
        }
        0x1205 => Record::Bits { of: reader.u32()?, length: reader.u8()?, position: reader.u8()? },
        0x1008 | 0x1009 => Record::Function,
        _ => Record::Other,
    })
}

/// The size is in bits 13 to 18; where they are 0 the kind says it.
fn pointer_size(attributes: u32) -> u8 {
    match ((attributes >> 13) & 0x3f, attributes & 0x1f) {
        (0, 0x0c) => 8,
        (0, _) => 4,
        (size, _) => size as u8,
    }
}

/// The entries of a field list. What is not understood ends it.
pub(super) fn entries(record: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    let list = if u16_at(record, 0) == Some(0x1203) { &record[2..] } else { &[] };
    let mut reader = Reader(list);
    std::iter::from_fn(move || {
        let entry = entry(&mut reader);
        if entry.is_none() {
            reader.0 = &[];
        }
        reader.padding();
        entry
    })
}

fn entry<'a>(reader: &mut Reader<'a>) -> Option<Entry<'a>> {
    let leaf = reader.u16()?;
    let attributes = reader.u16()?;
    Some(match leaf {
        0x150d => {
            let of = reader.u32()?;
            Entry::Member { of, offset: reader.unsigned()?, name: reader.name()? }
        }
        0x1502 => Entry::Value { value: reader.number()?, name: reader.name()? },
        0x1400 | 0x151a => Entry::Base { of: reader.u32()?, offset: reader.unsigned()? },
        0x1404 => Entry::Continued(reader.u32()?),
        // Static members, methods by list, nested types: a number and a name.
        0x150e | 0x150f | 0x1510 | 0x1512 => {
            reader.u32()?;
            reader.name()?;
            Entry::Other
        }
        0x1511 => {
            reader.u32()?;
            // A method that introduces a virtual one also says where.
            if matches!((attributes >> 2) & 7, 4 | 6) {
                reader.u32()?;
            }
            reader.name()?;
            Entry::Other
        }
        0x1401 | 0x1402 => {
            let _type_and_pointer: [u8; 8] = reader.bytes()?;
            let (_, _) = (reader.number()?, reader.number()?);
            Entry::Other
        }
        0x1409 | 0x140a => {
            reader.u32()?;
            Entry::Other
        }
        _ => return None,
    })
}

//! From type records to layouts.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::PdbError;
use super::primitives::{self, FIRST_RECORD};
use super::records::{Class, Entry, Names, Record, entries, record};
use crate::PdbIdentity;
use crate::bytes::{u16_at, u32_at};
use crate::layout::{Bits, Enumeration, Field, Kind, Layouts, Origin, Structure, Type, Wanted};

/// Pointers to arrays of pointers: deeper is damage.
const MAX_DEPTH: u32 = 24;
/// A field list of so many records holds millions of fields.
const MAX_CONTINUED: usize = 256;

pub(super) fn read(
    stream: &[u8],
    identity: PdbIdentity,
    wanted: &Wanted<'_>,
    room: usize,
) -> Result<Layouts, PdbError> {
    let types = Types::index(stream)?;
    let mut building = Building {
        types: &types,
        layouts: Layouts::new(Origin::Pdb, Some(identity)),
        left: Vec::new(),
        done: BTreeSet::new(),
        room,
        limit: room,
        work: stream.len().saturating_mul(8),
    };
    match wanted {
        Wanted::All => building.left.extend(types.definitions()),
        Wanted::Named(names) => {
            building
                .left
                .extend(names.iter().filter_map(|name| types.by_name.get(name.as_bytes())));
        }
    }
    building.run()?;
    Ok(building.layouts)
}

/// Where each record is, and which defines what name.
struct Types<'a> {
    stream: &'a [u8],
    first: u32,
    positions: Vec<u32>,
    by_name: HashMap<&'a [u8], u32>,
    by_unique: HashMap<&'a [u8], u32>,
}

impl<'a> Types<'a> {
    /// One pass over the stream. [LLVM, "PDB TPI and IPI streams": the
    /// header's size at 4, the first number at 8, the records' bytes at 16.]
    fn index(stream: &'a [u8]) -> Result<Self, PdbError> {
        let what = "the type stream's header";
        let field =
            |offset| u32_at(stream, offset).ok_or_else(|| PdbError::damaged(what, "it is cut off"));
        let (header, first, bytes) = (field(4)? as usize, field(8)?, field(16)? as usize);
        if header < 56 || first < FIRST_RECORD {
            let why = format!("size {header:#x}, first number {first:#x}");
            return Err(PdbError::damaged(what, why));
        }
        let end = header.saturating_add(bytes).min(stream.len());
        let (by_name, by_unique) = (HashMap::new(), HashMap::new());
        let mut types =
            Self { stream: &stream[..end], first, positions: Vec::new(), by_name, by_unique };
        let mut position = header;
        while let Some(length) = u16_at(types.stream, position).filter(|&length| length >= 2) {
            let number = first.saturating_add(types.positions.len() as u32);
            types.positions.push(position as u32);
            types.note(number);
            position += 2 + usize::from(length);
        }
        Ok(types)
    }

    /// Remembers what a record defines. The first definition of a name counts.
    fn note(&mut self, number: u32) {
        // Only names are of interest: most records are passed by their kind.
        let Some(bytes) = self.bytes(number) else { return };
        if !matches!(u16_at(bytes, 0), Some(0x1504..=0x1507 | 0x1519 | 0x1608..=0x160b)) {
            return;
        }
        let names = match record(bytes) {
            Some(Record::Class(class)) => class.names,
            Some(Record::Enumeration { names, .. }) => names,
            _ => return,
        };
        if names.forward {
            return;
        }
        self.by_name.entry(names.name).or_insert(number);
        // A name that is already unique needs no second way to it.
        if let (Some(unique), true) = (names.unique, is_anonymous(names.name)) {
            self.by_unique.entry(unique).or_insert(number);
        }
    }

    fn bytes(&self, number: u32) -> Option<&'a [u8]> {
        let index = number.checked_sub(self.first)? as usize;
        let position = *self.positions.get(index)? as usize;
        let length = usize::from(u16_at(self.stream, position)?);
        self.stream.get(position + 2..position + 2 + length)
    }

    fn record(&self, number: u32) -> Option<Record<'a>> {
        record(self.bytes(number)?)
    }

    /// The record that defines what `number` may only name.
    fn definition(&self, number: u32, names: &Names<'a>) -> u32 {
        if !names.forward {
            return number;
        }
        let unique = names.unique.and_then(|unique| self.by_unique.get(unique));
        let named = || self.by_name.get(names.name).filter(|_| !is_anonymous(names.name));
        unique.or_else(named).copied().unwrap_or(number)
    }

    /// The definition that is used for each name, then those without a name.
    fn definitions(&self) -> Vec<u32> {
        (0..self.positions.len() as u32)
            .filter_map(|index| {
                let number = self.first.checked_add(index)?;
                let names = match self.record(number)? {
                    Record::Class(class) => class.names,
                    Record::Enumeration { names, .. } => names,
                    _ => return None,
                };
                let used =
                    is_anonymous(names.name) || self.by_name.get(names.name) == Some(&number);
                (!names.forward && used).then_some(number)
            })
            .collect()
    }
}

/// Compilers give all types without a name the same one.
fn is_anonymous(name: &[u8]) -> bool {
    let has = |part: &[u8]| name.windows(part.len()).any(|window| window == part);
    has(b"<unnamed-") || has(b"<anonymous-") || name.starts_with(b"__unnamed")
}

/// The name in the layouts: with the record's number, where the name is not one.
fn key(names: &Names<'_>, number: u32) -> String {
    let name = String::from_utf8_lossy(names.name);
    if is_anonymous(names.name) { format!("{name}#{number:x}") } else { name.into_owned() }
}

struct Building<'t, 'a> {
    types: &'t Types<'a>,
    layouts: Layouts,
    left: Vec<u32>,
    done: BTreeSet<u32>,
    /// Bytes that may still be taken.
    room: usize,
    limit: usize,
    /// Bytes of field lists that may still be read: a list belongs to one
    /// structure, but nothing keeps a file from giving it to all.
    work: usize,
}

impl<'a> Building<'_, 'a> {
    fn run(&mut self) -> Result<(), PdbError> {
        while let Some(number) = self.left.pop() {
            if !self.done.insert(number) {
                continue;
            }
            match self.types.record(number) {
                Some(Record::Class(class)) => self.structure(number, &class)?,
                Some(Record::Enumeration { fields, base, names }) => {
                    self.enumeration(&key(&names, number), fields, base)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn structure(&mut self, number: u32, class: &Class<'a>) -> Result<(), PdbError> {
        let mut fields = Vec::new();
        for entry in self.entries(class.fields)? {
            let (name, offset, of) = match entry {
                Entry::Member { of, offset, name } => (name, offset, of),
                Entry::Base { of, offset } => (&b""[..], offset, of),
                _ => continue,
            };
            self.take(2 * size_of::<Field>() + name.len())?;
            let (of, bits) = match self.types.record(of) {
                Some(Record::Bits { of, length, position }) => {
                    (of, Some(Bits { position, length }))
                }
                _ => (of, None),
            };
            let type_ = self.type_of(of, 0, true)?;
            fields.push(Field {
                name: String::from_utf8_lossy(name).into_owned(),
                offset,
                bits,
                type_,
            });
        }
        fields.shrink_to_fit();
        let kind = if class.union { Kind::Union } else { Kind::Struct };
        let structure = Structure { size: class.size, kind, fields };
        self.take(class.names.name.len() + 2 * size_of::<Structure>())?;
        self.layouts.add_structure(&key(&class.names, number), structure);
        Ok(())
    }

    fn enumeration(&mut self, name: &str, fields: u32, base: u32) -> Result<(), PdbError> {
        let (mut values, number) = (BTreeMap::new(), base_of(base));
        for entry in self.entries(fields)? {
            if let Entry::Value { value, name } = entry {
                self.take(name.len() + 64)?;
                values.insert(String::from_utf8_lossy(name).into_owned(), fitted(value, number));
            }
        }
        self.take(name.len() + 64)?;
        self.layouts.add_enumeration(name, Enumeration { size: number.0, values });
        Ok(())
    }

    /// The entries of a field list and of those it goes on in.
    fn entries(
        &mut self,
        first: u32,
    ) -> Result<impl Iterator<Item = Entry<'a>> + use<'a>, PdbError> {
        let mut lists = Vec::new();
        let mut next = Some(first);
        while let Some(number) = next.filter(|_| lists.len() < MAX_CONTINUED) {
            let bytes = self.types.bytes(number).unwrap_or_default();
            lists.push(bytes);
            self.work =
                self.work.checked_sub(bytes.len() + 1).ok_or(PdbError::TooLarge(self.limit))?;
            next = entries(bytes).find_map(|entry| match entry {
                Entry::Continued(further) => Some(further),
                _ => None,
            });
        }
        Ok(lists.into_iter().flat_map(entries))
    }

    /// What a type is. Those that lie here by value are loaded as well.
    fn type_of(&mut self, number: u32, depth: u32, by_value: bool) -> Result<Type, PdbError> {
        if number < FIRST_RECORD {
            return Ok(primitives::type_of(number));
        }
        if depth > MAX_DEPTH {
            return Ok(Type::Unknown);
        }
        self.take(size_of::<Type>())?;
        Ok(match self.types.record(number) {
            Some(Record::Class(class)) => {
                Type::Structure(self.named(number, &class.names, by_value)?)
            }
            Some(Record::Enumeration { base, names, .. }) => {
                let name = self.named(number, &names, by_value)?;
                Type::Enumeration { name, size: base_of(base).0 }
            }
            Some(Record::Pointer { to, size }) => {
                Type::Pointer { size, to: Box::new(self.type_of(to, depth + 1, false)?) }
            }
            Some(Record::Modifier { of }) => self.type_of(of, depth + 1, by_value)?,
            Some(Record::Array { of, bytes }) => {
                let size = self.size_of(of, 0).filter(|&size| size > 0);
                let count = size.map_or(0, |size| bytes / size);
                Type::Array { count, of: Box::new(self.type_of(of, depth + 1, by_value)?) }
            }
            Some(Record::Function) => Type::Function,
            _ => Type::Unknown,
        })
    }

    fn named(
        &mut self,
        number: u32,
        names: &Names<'a>,
        by_value: bool,
    ) -> Result<String, PdbError> {
        let definition = self.types.definition(number, names);
        if by_value && !self.done.contains(&definition) {
            self.left.push(definition);
        }
        self.take(names.name.len() + 16)?;
        Ok(key(names, definition))
    }

    fn size_of(&self, number: u32, depth: u32) -> Option<u64> {
        if number < FIRST_RECORD {
            return match primitives::type_of(number) {
                Type::Base { size, .. } | Type::Pointer { size, .. } => Some(u64::from(size)),
                _ => None,
            };
        }
        match self.types.record(number)? {
            Record::Class(class) if class.names.forward => {
                match self.types.record(self.types.definition(number, &class.names))? {
                    Record::Class(class) => Some(class.size),
                    _ => None,
                }
            }
            Record::Class(class) => Some(class.size),
            Record::Enumeration { base, .. } => Some(u64::from(base_of(base).0)),
            Record::Pointer { size, .. } => Some(u64::from(size)),
            Record::Array { bytes, .. } => Some(bytes),
            Record::Modifier { of } if depth < MAX_DEPTH => self.size_of(of, depth + 1),
            _ => None,
        }
    }

    fn take(&mut self, bytes: usize) -> Result<(), PdbError> {
        self.room = self.room.checked_sub(bytes).ok_or(PdbError::TooLarge(self.limit))?;
        Ok(())
    }
}

/// The bytes of an enumeration, those of the number it is, and whether that
/// has a sign.
fn base_of(base: u32) -> (u8, bool) {
    match primitives::type_of(base) {
        Type::Base { size, signed, .. } => (size, signed),
        _ => (4, true),
    }
}

/// A value in the number that the enumeration is: clang writes -1 as all ones
/// of 32 bits, Microsoft's compiler as -1.
fn fitted(value: i64, (size, signed): (u8, bool)) -> i64 {
    match (size, signed) {
        (1, true) => i64::from(value as i8),
        (2, true) => i64::from(value as i16),
        (4, true) => i64::from(value as i32),
        (1, false) => i64::from(value as u8),
        (2, false) => i64::from(value as u16),
        (4, false) => i64::from(value as u32),
        _ => value,
    }
}

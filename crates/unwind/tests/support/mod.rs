//! Images and stacks for tests.

#![allow(dead_code, unreachable_pub, missing_docs, clippy::unwrap_used, clippy::print_stderr)]

pub mod builder;
pub mod rival;
pub mod x64;

use std::collections::BTreeMap;
use std::path::Path;

use memory::{ReadError, VirtualAddress, VirtualMemory};
use object::LittleEndian as LE;
use object::pe::{IMAGE_DIRECTORY_ENTRY_EXCEPTION, IMAGE_SCN_MEM_EXECUTE};
use object::read::pe::PeFile64;
use unwind::{Code, Exceptions, Image, Missing};

/// An image laid out as the loader does.
pub struct Loaded {
    pub base: u64,
    pub bytes: Vec<u8>,
    pub exceptions: Exceptions,
    pub executable: Vec<(u32, u32)>,
    /// Bytes that are not at hand.
    pub holes: Vec<(u32, u32)>,
    /// Whether the section headers are known.
    pub sections_known: bool,
}

impl Loaded {
    /// An image made by hand: all of it may be executed.
    pub fn by_hand(base: u64, bytes: Vec<u8>, table: (u32, u32)) -> Self {
        let executable = vec![(0, bytes.len() as u32)];
        let exceptions = match table {
            (_, 0) => Exceptions::Absent,
            (rva, size) => Exceptions::Table { rva, size },
        };
        Self { base, bytes, exceptions, executable, holes: Vec::new(), sections_known: true }
    }

    /// A PE file.
    pub fn from_pe(base: u64, file: &[u8]) -> Self {
        let pe = PeFile64::parse(file).unwrap();
        let optional = &pe.nt_headers().optional_header;
        let mut bytes = vec![0; optional.size_of_image.get(LE) as usize];
        let headers = optional.size_of_headers.get(LE) as usize;
        bytes[..headers].copy_from_slice(&file[..headers]);
        let mut executable = Vec::new();
        for section in pe.section_table().iter() {
            let start = section.virtual_address.get(LE);
            let data = section.pe_data(file).unwrap();
            let length = data.len().min(bytes.len() - start as usize);
            bytes[start as usize..][..length].copy_from_slice(&data[..length]);
            if section.characteristics.get(LE) & IMAGE_SCN_MEM_EXECUTE != 0 {
                executable.push((start, start + section.virtual_size.get(LE)));
            }
        }
        let directory = pe.data_directory(IMAGE_DIRECTORY_ENTRY_EXCEPTION);
        let exceptions = match directory.map(|directory| directory.address_range()) {
            Some((rva, size)) if size > 0 => Exceptions::Table { rva, size },
            _ => Exceptions::Absent,
        };
        Self { base, bytes, exceptions, executable, holes: Vec::new(), sections_known: true }
    }

    /// An image of which only its place is known.
    pub fn unknown(base: u64, size: u32) -> Self {
        Self {
            base,
            bytes: vec![0; size as usize],
            exceptions: Exceptions::Unknown,
            executable: Vec::new(),
            holes: vec![(0, size)],
            sections_known: false,
        }
    }
}

#[derive(Default)]
pub struct Images(pub Vec<Loaded>);

impl Images {
    pub fn image(&self, key: usize) -> Image {
        let loaded = &self.0[key];
        Image {
            base: VirtualAddress(loaded.base),
            size: loaded.bytes.len() as u32,
            exceptions: loaded.exceptions,
            key,
        }
    }
}

impl Code for Images {
    fn image_at(&self, address: VirtualAddress) -> Option<Image> {
        let images = (0..self.0.len()).map(|key| self.image(key));
        images.into_iter().find(|image| image.rva(address).is_some())
    }

    fn read(&self, image: &Image, rva: u32, buffer: &mut [u8]) -> Result<(), Missing> {
        let loaded = &self.0[image.key];
        let (start, end) = (rva as usize, rva as usize + buffer.len());
        let hole = |&(from, to): &(u32, u32)| start < to as usize && (from as usize) < end;
        if loaded.holes.iter().any(hole) {
            return Err(Missing { rva });
        }
        buffer.copy_from_slice(loaded.bytes.get(start..end).ok_or(Missing { rva })?);
        Ok(())
    }

    fn is_executable(&self, image: &Image, rva: u32) -> Option<bool> {
        let loaded = &self.0[image.key];
        let inside = loaded.executable.iter().any(|(from, to)| (*from..*to).contains(&rva));
        loaded.sections_known.then_some(inside)
    }
}

/// Memory of 8-byte words; all else is absent.
#[derive(Default, Clone)]
pub struct Words(pub BTreeMap<u64, u64>);

impl Words {
    pub fn put(&mut self, address: u64, values: &[u64]) {
        for (index, value) in values.iter().enumerate() {
            self.0.insert(address + 8 * index as u64, *value);
        }
    }
}

impl VirtualMemory for Words {
    fn read_virtual(&self, address: VirtualAddress, buffer: &mut [u8]) -> Result<(), ReadError> {
        for (index, byte) in buffer.iter_mut().enumerate() {
            let at = address.0.wrapping_add(index as u64);
            let absent = ReadError::VirtualAbsent { address: VirtualAddress(at) };
            let word = self.0.get(&(at & !7)).ok_or(absent)?;
            *byte = word.to_le_bytes()[(at & 7) as usize];
        }
        Ok(())
    }
}

/// Where the samples are; `None`, and a line that says so, without them.
pub fn samples(what: &str) -> Option<std::path::PathBuf> {
    let folder = std::env::var_os("LIVEDUMP_SAMPLES");
    if folder.is_none() {
        eprintln!("skipped {what}: LIVEDUMP_SAMPLES is not set");
    }
    folder.map(Into::into)
}

pub fn load(base: u64, path: &Path) -> Loaded {
    Loaded::from_pe(base, &std::fs::read(path).unwrap())
}

//! Resources in the two forms that linkers take: a `.res` file (MSVC's), a COFF object (GNU's).
//!
//! Layouts: "PE Format", section .rsrc, and "Resource File Formats" of Microsoft's documentation.

/// English (United States): Windows falls back to it.
const LANGUAGE: u16 = 0x0409;

/// One resource, all with numbers for names and in one language.
pub(crate) struct Resource {
    /// RT_*.
    pub(crate) kind: u16,
    /// Its name.
    pub(crate) id: u16,
    /// Its bytes.
    pub(crate) data: Vec<u8>,
}

/// What a COFF object says of the processor.
pub(crate) struct Machine {
    /// IMAGE_FILE_MACHINE_*.
    id: u16,
    /// IMAGE_REL_*_ADDR32NB: 32 bits, relative to the image's base.
    relocation: u16,
}

impl Machine {
    /// By cargo's name of the architecture.
    pub(crate) fn of(architecture: &str) -> Result<Self, String> {
        match architecture {
            "x86_64" => Ok(Self { id: 0x8664, relocation: 3 }),
            "aarch64" => Ok(Self { id: 0xAA64, relocation: 2 }),
            "x86" => Ok(Self { id: 0x14C, relocation: 7 }),
            other => Err(format!("no Windows resources for {other}")),
        }
    }
}

/// A `.res` file: an empty resource as its mark, then each with a header.
pub(crate) fn res_file(resources: &[Resource]) -> Vec<u8> {
    let mut file = Bytes::default();
    file.resource_header(0, 0, 0, 0, 0);
    for resource in resources {
        let pure_moveable = 0x30;
        file.resource_header(
            resource.data.len(),
            resource.kind,
            resource.id,
            pure_moveable,
            LANGUAGE,
        );
        file.0.extend(&resource.data);
        file.align(4);
    }
    file.0
}

const SECTION_HEADER: usize = 40;
const COFF_HEADER: usize = 20;
const RELOCATION: usize = 10;
const DIRECTORY: usize = 16;
const ENTRY: usize = 8;
const DATA_ENTRY: usize = 16;
/// The offset in a directory entry leads to another directory.
const SUBDIRECTORY: usize = 0x8000_0000;

/// A COFF object with one section `.rsrc`: three levels of directories (type,
/// name, language; `resources` come sorted by type, one of each), the data
/// entries, the data. The linker fills in the data's addresses.
pub(crate) fn coff_object(resources: &[Resource], machine: &Machine) -> Vec<u8> {
    let count = resources.len();
    let leaf = DIRECTORY + ENTRY;
    let names = DIRECTORY + count * ENTRY;
    let languages = names + count * leaf;
    let entries = languages + count * leaf;
    let mut data_at = entries + count * DATA_ENTRY;

    let mut section = Bytes::default();
    section.directory(count);
    for (i, resource) in resources.iter().enumerate() {
        section.entry(resource.kind, SUBDIRECTORY | (names + i * leaf));
    }
    for (i, resource) in resources.iter().enumerate() {
        section.directory(1);
        section.entry(resource.id, SUBDIRECTORY | (languages + i * leaf));
    }
    for i in 0..count {
        section.directory(1);
        section.entry(LANGUAGE, entries + i * DATA_ENTRY);
    }
    for resource in resources {
        section.words(&[data_at, resource.data.len(), 0, 0]);
        data_at = (data_at + resource.data.len()).next_multiple_of(8);
    }
    for resource in resources {
        section.0.extend(&resource.data);
        section.align(8);
    }
    let addresses: Vec<usize> = (0..count).map(|i| entries + i * DATA_ENTRY).collect();
    object(&section.0, &addresses, machine)
}

fn object(section: &[u8], addresses: &[usize], machine: &Machine) -> Vec<u8> {
    let initialized_data_aligned_8_read = 0x4040_0040;
    let section_at = COFF_HEADER + SECTION_HEADER;
    let relocations_at = section_at + section.len();
    let symbols_at = relocations_at + addresses.len() * RELOCATION;

    let mut file = Bytes::default();
    file.halves(&[machine.id, 1]);
    file.words(&[0, symbols_at, 1]);
    file.halves(&[0, 0]);

    file.0.extend(b".rsrc\0\0\0");
    file.words(&[0, 0, section.len(), section_at, relocations_at, 0]);
    file.halves(&[addresses.len() as u16, 0]);
    file.words(&[initialized_data_aligned_8_read]);
    file.0.extend(section);

    for address in addresses {
        file.words(&[*address, 0]);
        file.halves(&[machine.relocation]);
    }
    // The one symbol: the section itself (value 0, section 1, static, nothing added).
    file.0.extend(b".rsrc\0\0\0");
    file.words(&[0]);
    file.halves(&[1, 0]);
    file.0.extend([3, 0]);
    // An empty string table.
    file.words(&[4]);
    file.0
}

/// Little-endian bytes in the making.
#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn halves(&mut self, values: &[u16]) {
        self.0.extend(values.iter().flat_map(|value| value.to_le_bytes()));
    }

    fn words(&mut self, values: &[usize]) {
        self.0.extend(values.iter().flat_map(|value| (*value as u32).to_le_bytes()));
    }

    fn align(&mut self, to: usize) {
        self.0.resize(self.0.len().next_multiple_of(to), 0);
    }

    /// IMAGE_RESOURCE_DIRECTORY with entries by number only.
    fn directory(&mut self, entries: usize) {
        self.words(&[0, 0, 0]);
        self.halves(&[0, entries as u16]);
    }

    /// IMAGE_RESOURCE_DIRECTORY_ENTRY.
    fn entry(&mut self, id: u16, offset: usize) {
        self.words(&[usize::from(id), offset]);
    }

    /// RESOURCEHEADER; 0xFFFF says that a number follows and not a text.
    fn resource_header(&mut self, size: usize, kind: u16, id: u16, flags: u16, language: u16) {
        self.words(&[size, 32]);
        self.halves(&[0xFFFF, kind, 0xFFFF, id]);
        self.words(&[0]);
        self.halves(&[flags, language]);
        self.words(&[0, 0]);
    }
}

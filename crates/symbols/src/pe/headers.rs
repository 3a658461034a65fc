//! The headers: which machine, which build, which sections.

use object::pe::{
    IMAGE_DIRECTORY_ENTRY_DEBUG, IMAGE_DIRECTORY_ENTRY_EXCEPTION, IMAGE_DIRECTORY_ENTRY_EXPORT,
    IMAGE_DOS_SIGNATURE, IMAGE_NT_OPTIONAL_HDR32_MAGIC, IMAGE_NT_OPTIONAL_HDR64_MAGIC,
    IMAGE_NT_SIGNATURE, IMAGE_SCN_MEM_EXECUTE, ImageDataDirectory, ImageFileHeader,
    ImageOptionalHeader32, ImageOptionalHeader64, ImageSectionHeader,
};
use object::{LittleEndian as LE, Pod, pod};

use super::{ImageBytes, PeError};

/// No kernel image has more; the format's own limit is 65,535.
const MAX_SECTIONS: u16 = 1024;

/// A kind of processor, as `IMAGE_FILE_HEADER.Machine`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Machine {
    /// 0x8664.
    X64,
    /// 0xAA64.
    Arm64,
    /// 0x14C.
    X86,
    /// Any other.
    Unknown(u16),
}

impl From<u16> for Machine {
    fn from(value: u16) -> Self {
        match value {
            object::pe::IMAGE_FILE_MACHINE_AMD64 => Self::X64,
            object::pe::IMAGE_FILE_MACHINE_ARM64 => Self::Arm64,
            object::pe::IMAGE_FILE_MACHINE_I386 => Self::X86,
            other => Self::Unknown(other),
        }
    }
}

/// A part of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Directory {
    /// Where it starts.
    pub rva: u32,
    /// Its bytes.
    pub size: u32,
}

/// A section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its name: at most eight characters, what is not ASCII replaced.
    pub name: String,
    /// Where it starts in memory.
    pub rva: u32,
    /// Its bytes in memory: `VirtualSize`, or the size in the file where that is 0.
    pub size: u32,
    /// Where it starts in the file.
    pub file_offset: u32,
    /// Its bytes in the file.
    pub file_size: u32,
    /// Whether its memory may be executed.
    pub executable: bool,
    /// All of `Characteristics`.
    pub characteristics: u32,
}

impl Section {
    /// Whether `rva` lies in it.
    pub fn contains(&self, rva: u32) -> bool {
        rva.checked_sub(self.rva).is_some_and(|offset| offset < self.size)
    }
}

/// What the headers say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// The processor it is for.
    pub machine: Machine,
    /// `TimeDateStamp`: a time, or a hash of the contents.
    pub time_date_stamp: u32,
    /// `ImageBase`: where it wanted to be loaded, or in memory where it was.
    pub image_base: u64,
    /// `SizeOfImage`: its bytes in memory.
    pub size_of_image: u32,
    /// `SizeOfHeaders`: the bytes before the first section.
    pub size_of_headers: u32,
    /// `AddressOfEntryPoint`.
    pub entry_point: u32,
    /// `CheckSum`.
    pub checksum: u32,
    /// Its sections, in the file's order.
    pub sections: Vec<Section>,
    /// The exception directory (`.pdata`).
    pub exception: Option<Directory>,
    pub(super) export: Option<Directory>,
    pub(super) debug: Option<Directory>,
}

impl Headers {
    /// Whether `rva` lies in a section that may be executed.
    pub fn is_executable(&self, rva: u32) -> bool {
        self.section_at(rva).is_some_and(|section| section.executable)
    }

    /// The section of `rva`.
    pub fn section_at(&self, rva: u32) -> Option<&Section> {
        self.sections.iter().find(|section| section.contains(rva))
    }

    pub(super) fn read<B: ImageBytes + ?Sized>(bytes: &B) -> Result<Self, PeError> {
        let nt = find_nt_headers(bytes)?;
        let file: ImageFileHeader = structure(bytes, "the file header", nt + 4)?;
        let magic: [u8; 2] = raw(bytes, "the optional header", nt + 24)?;
        let mut headers = match u16::from_le_bytes(magic) {
            IMAGE_NT_OPTIONAL_HDR64_MAGIC => {
                let optional: ImageOptionalHeader64 =
                    structure(bytes, "the optional header", nt + 24)?;
                from_64(&optional)
            }
            IMAGE_NT_OPTIONAL_HDR32_MAGIC => {
                let optional: ImageOptionalHeader32 =
                    structure(bytes, "the optional header", nt + 24)?;
                from_32(&optional)
            }
            other => {
                let what = "the optional header's magic";
                return Err(PeError::Damaged { what, rva: nt + 24, found: u64::from(other) });
            }
        };
        headers.0.machine = file.machine.get(LE).into();
        headers.0.time_date_stamp = file.time_date_stamp.get(LE);
        let (mut headers, directories_at, directories) = headers;
        let directory = |number: usize| {
            // Tables beyond what the optional header says it has are not its own.
            let inside = (number as u32) < directories
                && directories_at + 8 * (number + 1)
                    <= usize::from(file.size_of_optional_header.get(LE));
            let at = nt + 24 + (directories_at + 8 * number) as u32;
            inside.then(|| read_directory(bytes, at, headers.size_of_image)).transpose()
        };
        let exception = directory(IMAGE_DIRECTORY_ENTRY_EXCEPTION)?.flatten();
        let export = directory(IMAGE_DIRECTORY_ENTRY_EXPORT)?.flatten();
        let debug = directory(IMAGE_DIRECTORY_ENTRY_DEBUG)?.flatten();
        (headers.exception, headers.export, headers.debug) = (exception, export, debug);
        let sections_at = nt + 24 + u32::from(file.size_of_optional_header.get(LE));
        headers.sections = read_sections(bytes, sections_at, file.number_of_sections.get(LE))?;
        Ok(headers)
    }
}

fn find_nt_headers<B: ImageBytes + ?Sized>(bytes: &B) -> Result<u32, PeError> {
    let dos: [u8; 0x40] = raw(bytes, "the DOS header", 0)?;
    let magic = u16::from_le_bytes([dos[0], dos[1]]);
    if magic != IMAGE_DOS_SIGNATURE {
        return Err(PeError::Damaged {
            what: "the DOS signature",
            rva: 0,
            found: u64::from(magic),
        });
    }
    let nt = u32::from_le_bytes([dos[0x3c], dos[0x3d], dos[0x3e], dos[0x3f]]);
    // The loader wants the headers near; this leaves the sums below room.
    if nt > 0x1000_0000 {
        return Err(PeError::Damaged { what: "e_lfanew", rva: 0x3c, found: u64::from(nt) });
    }
    let signature = u32::from_le_bytes(raw(bytes, "the PE signature", nt)?);
    if signature != IMAGE_NT_SIGNATURE {
        return Err(PeError::Damaged {
            what: "the PE signature",
            rva: nt,
            found: u64::from(signature),
        });
    }
    Ok(nt)
}

/// The headers so far, where in the optional header the directories start, and
/// how many there are.
fn from_64(optional: &ImageOptionalHeader64) -> (Headers, usize, u32) {
    let headers = Headers {
        image_base: optional.image_base.get(LE),
        size_of_image: optional.size_of_image.get(LE),
        size_of_headers: optional.size_of_headers.get(LE),
        entry_point: optional.address_of_entry_point.get(LE),
        checksum: optional.check_sum.get(LE),
        ..Headers::empty()
    };
    (headers, size_of::<ImageOptionalHeader64>(), optional.number_of_rva_and_sizes.get(LE))
}

fn from_32(optional: &ImageOptionalHeader32) -> (Headers, usize, u32) {
    let headers = Headers {
        image_base: u64::from(optional.image_base.get(LE)),
        size_of_image: optional.size_of_image.get(LE),
        size_of_headers: optional.size_of_headers.get(LE),
        entry_point: optional.address_of_entry_point.get(LE),
        checksum: optional.check_sum.get(LE),
        ..Headers::empty()
    };
    (headers, size_of::<ImageOptionalHeader32>(), optional.number_of_rva_and_sizes.get(LE))
}

impl Headers {
    fn empty() -> Self {
        Self {
            machine: Machine::Unknown(0),
            time_date_stamp: 0,
            image_base: 0,
            size_of_image: 0,
            size_of_headers: 0,
            entry_point: 0,
            checksum: 0,
            sections: Vec::new(),
            exception: None,
            export: None,
            debug: None,
        }
    }
}

/// A directory, if it lies within the image.
fn read_directory<B: ImageBytes + ?Sized>(
    bytes: &B,
    at: u32,
    size_of_image: u32,
) -> Result<Option<Directory>, PeError> {
    let entry: ImageDataDirectory = structure(bytes, "a data directory", at)?;
    let (rva, size) = (entry.virtual_address.get(LE), entry.size.get(LE));
    let inside = rva.checked_add(size).is_some_and(|end| end <= size_of_image);
    Ok((rva != 0 && size != 0 && inside).then_some(Directory { rva, size }))
}

fn read_sections<B: ImageBytes + ?Sized>(
    bytes: &B,
    at: u32,
    count: u16,
) -> Result<Vec<Section>, PeError> {
    if count > MAX_SECTIONS {
        return Err(PeError::Damaged {
            what: "NumberOfSections",
            rva: at,
            found: u64::from(count),
        });
    }
    let each = size_of::<ImageSectionHeader>() as u32;
    (0..u32::from(count))
        .map(|number| {
            let header = structure(bytes, "a section header", at + number * each)?;
            Ok(section(&header))
        })
        .collect()
}

fn section(header: &ImageSectionHeader) -> Section {
    let file_size = header.size_of_raw_data.get(LE);
    let characteristics = header.characteristics.get(LE);
    let name = header.name.iter().take_while(|&&byte| byte != 0);
    let visible = |&byte: &u8| if byte.is_ascii_graphic() { char::from(byte) } else { '?' };
    Section {
        name: name.map(visible).collect(),
        rva: header.virtual_address.get(LE),
        size: match header.virtual_size.get(LE) {
            0 => file_size,
            size => size,
        },
        file_offset: header.pointer_to_raw_data.get(LE),
        file_size,
        executable: characteristics & IMAGE_SCN_MEM_EXECUTE != 0,
        characteristics,
    }
}

fn raw<const N: usize, B: ImageBytes + ?Sized>(
    bytes: &B,
    what: &'static str,
    rva: u32,
) -> Result<[u8; N], PeError> {
    let mut buffer = [0; N];
    match bytes.read(rva, &mut buffer) {
        true => Ok(buffer),
        false => Err(PeError::NotThere { what, rva, size: N as u32 }),
    }
}

/// One of `object`'s structures: plain bytes, of any alignment.
pub(super) fn structure<T: Pod + Copy, B: ImageBytes + ?Sized>(
    bytes: &B,
    what: &'static str,
    rva: u32,
) -> Result<T, PeError> {
    let size = size_of::<T>();
    let not_there = PeError::NotThere { what, rva, size: size as u32 };
    let mut buffer = [0; 256];
    let buffer = buffer.get_mut(..size).ok_or_else(|| not_there.clone())?;
    if !bytes.read(rva, buffer) {
        return Err(not_there);
    }
    pod::from_bytes(buffer).map(|(value, _)| *value).map_err(|()| not_there)
}

//! The kernel image, the drivers, and the list of both.

use machine::Architecture;

use crate::bytes::{put, put16, put32, put64, utf16};
use crate::image::Image;
use crate::image::entries::Access;
use crate::image::functions;
use crate::image::pe::{self, Headers, Section};
use crate::image::physical::{Content, PAGE};
use crate::image::place::{Addresses, DATA_PAGES, DATA_RVA};
use crate::names;
use crate::nt::picture::Picture;
use crate::random::Random;

/// A loaded image, as the list and a triage dump's driver list tell of it.
#[derive(Debug, Clone)]
pub(crate) struct Module {
    pub(crate) path: String,
    pub(crate) base: u64,
    pub(crate) size: u32,
    pub(crate) time_stamp: u32,
    pub(crate) checksum: u32,
    /// Its entry of the list.
    pub(crate) entry: u64,
    entry_point: u32,
    /// RVA and size of the exception directory.
    exceptions: (usize, usize),
}

impl Module {
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('\\').next().unwrap_or(&self.path)
    }
}

/// KLDR_DATA_TABLE_ENTRY of Windows 10: dump-formats specification, section 10.2.
const ENTRY_SIZE: usize = 0xA0;
const TEXT_RVA: u32 = 0x1_1000;
const TEXT_PAGES: usize = 64;
const PAGED_RVA: u32 = 0x7_1000;
const PAGED_SIZE: u32 = 0x4_0000;
const UNWIND_RVA: u32 = 0x1000;
const DEBUG_RVA: u32 = 0x3000;
const EXPORTS_RVA: u32 = 0x5000;
const EXCEPTIONS_RVA: u32 = 0xF000;
const KERNEL_SIZE: u32 = PAGED_RVA + PAGED_SIZE;

fn machine_of(architecture: Architecture) -> u16 {
    if architecture == Architecture::Arm64 { 0xAA64 } else { 0x8664 }
}

impl Image {
    pub(crate) fn build_modules(&mut self, large_pages: bool) {
        let mut random = Random::new(self.physical().seed, 3);
        let mut base = self.at.drivers;
        if let Some((fixture, bases)) = self.real.as_ref().map(|r| (r.fixture, r.bases.clone())) {
            for (picture, at) in fixture.pictures.iter().zip(&bases) {
                self.build_real(picture, *at, &bases, large_pages);
                base = at + u64::from(picture.size).next_multiple_of(PAGE as u64) + 0x1_0000;
            }
        } else {
            self.build_kernel();
        }
        for (path, pages) in names::DRIVERS {
            let module = self.build_driver(path, base, *pages, &mut random);
            base += u64::from(module.size) + 0x1_0000;
            self.modules.push(module);
        }
        self.build_module_list();
    }

    fn build_kernel(&mut self) {
        let base = self.at.kernel;
        let mut random = Random::new(self.physical().seed, 4);
        let (time_stamp, checksum) =
            (random.next() as u32 & 0x7fff_ffff, random.below(0x100_0000) as u32);
        let exceptions = functions::ALL.len() as u32 * 12;
        let exports = export_table(&self.at);
        let headers = pe::headers(&Headers {
            machine: machine_of(self.architecture),
            base,
            size: KERNEL_SIZE,
            time_stamp,
            checksum,
            sections: &[
                Section {
                    name: ".rdata",
                    rva: 0x1000,
                    size: 0xE000,
                    characteristics: pe::READ_ONLY,
                },
                Section {
                    name: ".pdata",
                    rva: EXCEPTIONS_RVA,
                    size: 0x2000,
                    characteristics: pe::READ_ONLY,
                },
                Section {
                    name: ".text",
                    rva: TEXT_RVA,
                    size: (TEXT_PAGES * PAGE) as u32,
                    characteristics: pe::CODE,
                },
                Section {
                    name: ".data",
                    rva: DATA_RVA as u32,
                    size: (DATA_PAGES * PAGE) as u32,
                    characteristics: pe::READ_WRITE,
                },
                Section {
                    name: "PAGE",
                    rva: PAGED_RVA,
                    size: PAGED_SIZE,
                    characteristics: pe::PAGEABLE_CODE,
                },
            ],
            directories: &[
                (pe::EXPORTS, EXPORTS_RVA, exports.len() as u32),
                (pe::EXCEPTIONS, EXCEPTIONS_RVA, if self.is_arm() { 0 } else { exceptions }),
                (pe::DEBUG, DEBUG_RVA, 0x1C),
            ],
            dll: false,
        });
        self.space.area(base, 0x11, Content::Zero, false, Access::Data);
        self.space.area(base + u64::from(TEXT_RVA), TEXT_PAGES, Content::Code, false, Access::Code);
        self.space.area(base + DATA_RVA, DATA_PAGES, Content::Zero, true, Access::Data);
        self.space.write(base, &headers);
        let guid = guid(&mut random);
        let debug = pe::debug_data(DEBUG_RVA, time_stamp, guid, "ntkrnlmp.pdb");
        self.space.write(base + u64::from(DEBUG_RVA), &debug);
        self.space.write(base + u64::from(EXPORTS_RVA), &exports);
        if !self.is_arm() {
            let (unwind, exceptions) = unwind_data();
            self.space.write(base + u64::from(UNWIND_RVA), &unwind);
            self.space.write(base + u64::from(EXCEPTIONS_RVA), &exceptions);
        }
        let path = "\\SystemRoot\\system32\\ntoskrnl.exe".to_owned();
        self.modules.push(Module {
            path,
            base,
            size: KERNEL_SIZE,
            time_stamp,
            checksum,
            entry: 0,
            entry_point: 0x3000,
            exceptions: (0, 0),
        });
    }

    pub(crate) fn is_arm(&self) -> bool {
        self.architecture == Architecture::Arm64
    }

    /// Real code, relocated, its imports bound to the kernel before it.
    fn build_real(&mut self, picture: &'static Picture, base: u64, bases: &[u64], large: bool) {
        let kernel = self.real.as_ref().map(|r| r.fixture.table());
        let import = |name: &str| {
            let function = kernel.and_then(|table| table.function(name));
            function.map_or(0, |function| bases[0] + u64::from(function.rva))
        };
        let bytes = picture.load(base, import);
        if large && base == bases[0] {
            self.space.large_area(base, bytes.len(), Access::Code);
        } else {
            for (number, code) in picture.code_pages().into_iter().enumerate() {
                let access = if code { Access::Code } else { Access::Data };
                let at = base + (number * PAGE) as u64;
                self.space.area(at, 1, Content::Zero, !code, access);
            }
        }
        self.space.write(base, &bytes);
        self.modules.push(Module {
            path: picture.path.to_owned(),
            base,
            size: picture.size,
            time_stamp: picture.time_stamp,
            checksum: 0,
            entry: 0,
            entry_point: picture.entry,
            exceptions: picture.directory(pe::EXCEPTIONS),
        });
    }

    fn build_driver(&mut self, path: &str, base: u64, pages: u32, random: &mut Random) -> Module {
        let size = pages * PAGE as u32;
        let (time_stamp, checksum) =
            (random.next() as u32 & 0x7fff_ffff, random.below(0x10_0000) as u32);
        let code = size - 0x3000;
        let headers = pe::headers(&Headers {
            machine: machine_of(self.architecture),
            base,
            size,
            time_stamp,
            checksum,
            sections: &[
                Section {
                    name: ".rdata",
                    rva: 0x1000,
                    size: 0x1000,
                    characteristics: pe::READ_ONLY,
                },
                Section {
                    name: ".data",
                    rva: 0x2000,
                    size: 0x1000,
                    characteristics: pe::READ_WRITE,
                },
                Section { name: ".text", rva: 0x3000, size: code, characteristics: pe::CODE },
            ],
            directories: &[(pe::DEBUG, 0x1000, 0x1C)],
            dll: path.to_ascii_lowercase().ends_with(".dll"),
        });
        self.space.area(base, 3, Content::Zero, false, Access::Data);
        self.space.area(base + 0x3000, pages as usize - 3, Content::Code, false, Access::Code);
        self.space.write(base, &headers);
        let file = path.rsplit('\\').next().unwrap_or(path);
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        let debug = pe::debug_data(0x1000, time_stamp, guid(random), &format!("{stem}.pdb"));
        self.space.write(base + 0x1000, &debug);
        Module {
            path: path.to_owned(),
            base,
            size,
            time_stamp,
            checksum,
            entry: 0,
            entry_point: 0x3000,
            exceptions: (0, 0),
        }
    }

    /// PsLoadedModuleList: entries in nonpaged memory, in the order of loading.
    fn build_module_list(&mut self) {
        let start = self.at.objects - 0x20_0000;
        self.space.area(start, 8, Content::Zero, true, Access::Data);
        let stride = 0x200;
        let (head, count) = (self.at.module_head, self.modules.len() as u64);
        for number in 0..count {
            let address = start + number * stride;
            let module = &mut self.modules[number as usize];
            module.entry = address;
            let next = if number + 1 == count { head } else { address + stride };
            let previous = if number == 0 { head } else { address - stride };
            let bytes = list_entry(module, address, next, previous);
            self.space.write(address, &bytes);
        }
        self.space.write64(head, start);
        self.space.write64(head + 8, start + (count - 1) * stride);
    }
}

fn list_entry(module: &Module, address: u64, next: u64, previous: u64) -> Vec<u8> {
    let (path, name) = (utf16(&module.path), utf16(module.name()));
    let mut bytes = vec![0; ENTRY_SIZE + path.len() + 2];
    let strings = address + ENTRY_SIZE as u64;
    let name_at = strings + (path.len() - name.len()) as u64;
    put64(&mut bytes, 0, next);
    put64(&mut bytes, 8, previous);
    put64(&mut bytes, 0x30, module.base);
    let (exceptions, length) = module.exceptions;
    if length != 0 {
        put64(&mut bytes, 0x10, module.base + exceptions as u64);
        put32(&mut bytes, 0x18, length as u32);
    }
    put64(&mut bytes, 0x38, module.base + u64::from(module.entry_point));
    put32(&mut bytes, 0x40, module.size);
    unicode_string(&mut bytes, 0x48, path.len(), strings);
    unicode_string(&mut bytes, 0x58, name.len(), name_at);
    put32(&mut bytes, 0x68, 0x0900_4000);
    put16(&mut bytes, 0x6C, 1);
    put32(&mut bytes, 0x78, module.checksum);
    put32(&mut bytes, 0x9C, module.time_stamp);
    put(&mut bytes, ENTRY_SIZE, &path);
    bytes
}

fn unicode_string(to: &mut [u8], at: usize, length: usize, address: u64) {
    put16(to, at, length as u16);
    put16(to, at + 2, length as u16 + 2);
    put64(to, at + 8, address);
}

fn guid(random: &mut Random) -> [u8; 16] {
    let mut guid = [0; 16];
    put64(&mut guid, 0, random.next());
    put64(&mut guid, 8, random.next());
    guid
}

/// UNWIND_INFO of every function (one allocation each) and the RUNTIME_FUNCTION table.
fn unwind_data() -> (Vec<u8>, Vec<u8>) {
    let (mut unwind, mut table) = (Vec::new(), Vec::new());
    for function in functions::ALL {
        let info = UNWIND_RVA + unwind.len() as u32;
        for value in [function.rva, function.rva + function.size, info] {
            table.extend_from_slice(&value.to_le_bytes());
        }
        // Version 1, prologue of 7 bytes, two codes: UWOP_ALLOC_LARGE with the size in eighths.
        unwind.extend_from_slice(&[1, 7, 2, 0, 7, 0x01]);
        unwind.extend_from_slice(&(function.frame as u16 / 8).to_le_bytes());
    }
    (unwind, table)
}

/// Variables that are exported beside the functions, so that a reader without symbols finds them.
fn exported_variables(at: &Addresses) -> [(&'static str, u32); 6] {
    [
        ("KdDebuggerDataBlock", at.debugger_block),
        ("KdpDataBlockEncoded", at.encoded_flag),
        ("KiWaitAlways", at.keys + 8),
        ("KiWaitNever", at.keys),
        ("PsActiveProcessHead", at.process_head),
        ("PsLoadedModuleList", at.module_head),
    ]
    .map(|(name, address)| (name, (address - at.kernel) as u32))
}

/// An export table that names all functions of the kernel.
fn export_table(at: &Addresses) -> Vec<u8> {
    let mut sorted: Vec<_> = functions::ALL.iter().map(|f| (f.name, f.rva)).collect();
    sorted.extend(exported_variables(at));
    sorted.sort_unstable();
    let count = sorted.len();
    let (functions, names, ordinals) = (0x28, 0x28 + count * 4, 0x28 + count * 8);
    let mut table = vec![0; ordinals + count * 2];
    let dll = table.len();
    table.extend_from_slice(b"ntoskrnl.exe\0");
    put32(&mut table, 0x0C, EXPORTS_RVA + dll as u32);
    put32(&mut table, 0x10, 1);
    put32(&mut table, 0x14, count as u32);
    put32(&mut table, 0x18, count as u32);
    put32(&mut table, 0x1C, EXPORTS_RVA + functions as u32);
    put32(&mut table, 0x20, EXPORTS_RVA + names as u32);
    put32(&mut table, 0x24, EXPORTS_RVA + ordinals as u32);
    for (number, (name, rva)) in sorted.iter().enumerate() {
        let name_rva = EXPORTS_RVA + table.len() as u32;
        table.extend_from_slice(name.as_bytes());
        table.push(0);
        put32(&mut table, functions + number * 4, *rva);
        put32(&mut table, names + number * 4, name_rva);
        put16(&mut table, ordinals + number * 2, number as u16);
    }
    table
}

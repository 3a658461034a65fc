//! kdmp-parser, as its documentation says to use it.

use std::path::Path;

use kdmp_parser::gxa::{Gpa, Gva};
use kdmp_parser::parse::KernelDumpParser;
use kdmp_parser::{phys, virt};

pub(crate) const NAME: &str = "kdmp-parser 0.8.2";

pub(crate) fn open(path: &Path) -> KernelDumpParser {
    KernelDumpParser::new(path).unwrap()
}

/// The sum of what lies at these physical addresses.
pub(crate) fn read(parser: &KernelDumpParser, addresses: &[u64]) -> u64 {
    let reader = phys::Reader::new(parser);
    let read = |address: &u64| reader.read_struct::<u64>(Gpa::new(*address)).unwrap();
    addresses.iter().map(read).fold(0, u64::wrapping_add)
}

/// The sum of where these virtual addresses lie.
pub(crate) fn translate(parser: &KernelDumpParser, root: u64, addresses: &[u64]) -> u64 {
    let reader = virt::Reader::with_dtb(parser, Gpa::new(root));
    let place = |address: &u64| u64::from(reader.translate(Gva::new(*address)).unwrap().gpa());
    addresses.iter().map(place).fold(0, u64::wrapping_add)
}

/// The sum of what lies at these virtual addresses.
pub(crate) fn read_virtual(parser: &KernelDumpParser, root: u64, addresses: &[u64]) -> u64 {
    let reader = virt::Reader::with_dtb(parser, Gpa::new(root));
    let read = |address: &u64| reader.read_struct::<u64>(Gva::new(*address)).unwrap();
    addresses.iter().map(read).fold(0, u64::wrapping_add)
}

/// CRC-32 of all pages, in the order of their addresses.
pub(crate) fn stream(parser: &KernelDumpParser) -> u32 {
    let reader = phys::Reader::new(parser);
    let mut sum = crc32fast::Hasher::new();
    let mut page = [0; 4096];
    for (address, _) in parser.physmem() {
        reader.read_exact(address, &mut page).unwrap();
        sum.update(&page);
    }
    sum.finalize()
}

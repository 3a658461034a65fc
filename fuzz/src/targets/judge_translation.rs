//! `kdmp-parser` translates x64 addresses as we do.
//!
//! Where it is known to be wrong it is not asked: it takes the low bits of a
//! large page's frame for a part of the address, whereas bit 12 is PAT and the
//! processor reserves the others (specification, section 11.1); and it cuts
//! physical addresses to 48 bits, of which the processor takes 52.

use std::io::Cursor;
use std::ops::ControlFlow;

use format::write::{Head, Kind, PageSource, Plan, Request, write};
use format::{Bytes, Dump, Machine, Pages, Run};
use kdmp_parser::gxa::{Gva, Gxa};
use kdmp_parser::parse::KernelDumpParser;
use kdmp_parser::virt;
use memory::{Paging, Space, TranslateError, Trust, VirtualAddress};

use super::translation::Ram;
use crate::input::Input;

struct Source(Vec<u8>);

impl PageSource for Source {
    fn runs(&self, see: &mut dyn FnMut(Run) -> bool) -> Result<(), format::Error> {
        see(Run { base: 0, pages: self.0.len() as u64 / 4096, offset: 0 });
        Ok(())
    }

    fn bytes(&self) -> &dyn Bytes {
        &self.0
    }
}

/// The root, the entries, then addresses.
pub fn target(data: &[u8]) {
    let mut input = Input(data);
    let root = u64::from(input.u8() & 7) << 12;
    let ram = Ram::of(&mut input);
    // Up to the page that is never there.
    let mut pages: Vec<u8> = (0..11).flat_map(|frame| *ram.page(frame).unwrap()).collect();
    // The judge opens a file by way of its lists: they are under an entry that is not there.
    pages[root as usize + 0xFF8..root as usize + 0x1000].fill(0);
    let file = written(pages, root);
    let Ok(parser) = KernelDumpParser::with_reader(Cursor::new(file.clone())) else { return };
    let theirs = virt::Reader::new(&parser);
    let dump = Dump::open(&file).unwrap();
    let ours = Space::new(dump.pages().unwrap(), Paging::X64, root);
    for _ in 0..16 {
        one(&ours, &theirs, input.u64());
        if input.is_empty() {
            break;
        }
    }
}

fn written(pages: Vec<u8>, root: u64) -> Vec<u8> {
    let mut head = Head::new(Machine::X64).unwrap();
    if let Head::Bits64(raw) = &mut head {
        raw.directory_table_base = root.into();
        raw.ps_loaded_module_list = 0xFFFF_FFFF_FFFF_F000.into();
        raw.kd_debugger_data_block = 0xFFFF_FFFF_FFFF_F000.into();
    }
    let source = Source(pages);
    let plan = Plan::new(&source, Request::new(Kind::Full, head)).unwrap();
    let mut file = Vec::new();
    write(&plan, &source, &mut file, &mut |_| ControlFlow::Continue(())).unwrap();
    file
}

fn one(ours: &Space<Pages<'_>>, theirs: &virt::Reader<'_>, address: u64) {
    let walk = ours.walk(VirtualAddress(address));
    let judged = theirs.translate(Gva::new(address));
    let found = match &walk.outcome {
        Ok(found) => found,
        // By bit 11 alone it takes an entry for one in transition, also a prototype.
        Err(TranslateError::NotPresent { entry, kind, .. }) => {
            return assert!(entry & 0x800 != 0 || judged.is_err(), "{address:016x}: {kind}");
        }
        Err(_) => return,
    };
    let low = (found.page_size - 1) & !0xFFF;
    let flags = walk.levels.last().is_some_and(|level| level.entry & low != 0);
    let high = found.physical.0 >> 48 != 0;
    if found.trust != Trust::Valid || high || (found.page_size > 4096 && flags) {
        return;
    }
    let judged = judged.unwrap_or_else(|e| panic!("{address:016x} is at {found:?}: {e}"));
    assert_eq!(judged.gpa().u64(), found.physical.0, "{address:016x}");
    assert_eq!(judged.page_kind.size(), found.page_size);
}

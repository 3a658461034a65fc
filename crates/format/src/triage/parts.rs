//! Which parts of a triage dump hold an address.

use std::ops::Range;

use memory::VirtualAddress;

use super::Triage;
use crate::blocks::{Block, Span};
use crate::extent::{Part, Place};

impl Triage<'_> {
    /// The disjoint stretches of memory that end behind `from`, in rising
    /// order, each with the file offset of its first byte.
    pub(crate) fn segments(&self, from: u64) -> impl Iterator<Item = (Range<u64>, u64)> + '_ {
        let behind = self.index.segments().filter(move |(_, range)| range.end > from);
        behind.filter_map(|(number, range)| {
            let block = self.blocks.get(number as usize)?;
            let offset = offset_in(block, range.start)?;
            Some((range, offset))
        })
    }

    pub(crate) fn parts_at(&self, address: VirtualAddress) -> impl Iterator<Item = Place> + '_ {
        let read = self.index.find(address.0).map(|(number, _)| number);
        let holds = move |block: &Block| block.span(self.source.len()).contains(&address.0);
        let found = self.blocks.iter().enumerate().filter(move |(_, block)| holds(block));
        found.filter_map(move |(number, block)| {
            let number = u32::try_from(number).ok()?;
            Some(Place {
                part: self.part(number, block),
                start: block.address,
                size: block.size,
                offset: offset_in(block, address.0)?,
                is_read: read == Some(number),
            })
        })
    }

    /// The copies stand behind the table, those of them that have an address.
    fn part(&self, number: u32, block: &Block) -> Part {
        let header = &self.header;
        let copies = [
            (header.call_stack_offset, Part::CallStack),
            (header.debugger_data_offset, Part::DebuggerBlock),
            (header.thread_offset, Part::Thread),
            (header.process_offset, Part::Process),
            (header.data_page_offset, Part::DataPage),
            (header.prcb_offset, Part::Prcb),
        ];
        let copy = copies.into_iter().find(|(offset, _)| *offset == block.offset);
        copy.filter(|_| !self.is_of_table(number)).map_or(Part::Block(number), |(_, part)| part)
    }
}

fn offset_in(block: &Block, address: u64) -> Option<u64> {
    Some(u64::from(block.offset) + address.checked_sub(block.address.0)?)
}

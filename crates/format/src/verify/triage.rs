//! Checks of a triage dump.

use super::{Check, Verifier};
use crate::raw::TriageBlock;
use crate::triage::MAX_DRIVERS;
use crate::{Block, Error, Triage, Width};

impl Verifier<'_, '_> {
    pub(super) fn triage(&mut self) {
        let triage = match self.dump.triage() {
            Ok(triage) => triage,
            Err(error) => return self.broken("triage.header", &error),
        };
        self.checks.pass(Check::new("triage.header", "the triage header").at(self.start()));
        self.extent(&triage);
        self.end_mark(&triage);
        self.pieces(&triage);
        self.block_table(&triage);
        self.drivers(&triage);
        self.unloaded(&triage);
        if triage.size_of_dump() <= self.dump.file_length() {
            self.secondary(triage.size_of_dump());
        }
    }

    fn extent(&mut self, triage: &Triage<'_>) {
        let (size, file) = (triage.size_of_dump(), self.dump.file_length());
        let check = Check::new("triage.size", "the file holds the whole dump")
            .at(self.start() + 4)
            .expected(format!("at least {size} bytes"))
            .found(format!("{file} bytes"));
        if size > file {
            self.checks.missing(size - file);
            let text = format!("the file is too short by {:#x} bytes", size - file);
            return self.checks.fail(Check { text, ..check });
        }
        self.checks.pass(check);
    }

    fn end_mark(&mut self, triage: &Triage<'_>) {
        let offset = u64::from(triage.header().valid_offset);
        let check = Check::new("triage.end_mark", "the end mark is in its place").at(offset);
        match triage.has_end_mark() {
            Ok(true) if offset + 4 <= triage.size_of_dump() => self.checks.pass(check),
            Ok(true) => {
                let text = "the end mark lies behind the size that the header gives";
                let check = Check { text: text.into(), ..check };
                self.checks.fail(check.expected(format!("at most {:#x}", triage.size_of_dump())));
            }
            Ok(false) => {
                let text = "the end mark is missing: the dump was cut or overwritten";
                let check = Check { text: text.into(), ..check }.expected("TRGD");
                self.checks.fail(check.found(self.mark(offset)));
            }
            Err(error) => self.broken("triage.end_mark", &error),
        }
    }

    /// What stands in the place of the end mark.
    fn mark(&self, offset: u64) -> String {
        let mut bytes = [0; 4];
        match self.dump.source().fill("the end mark", offset, &mut bytes) {
            Ok(()) => crate::identity::hex(&bytes),
            Err(_) => format!("the end of the file, at {:#x}", self.dump.file_length()),
        }
    }

    /// Every part with an offset and a size lies inside the dump.
    fn pieces(&mut self, triage: &Triage<'_>) {
        let raw = triage.header();
        let size = |piece: Option<crate::Piece>| piece.and_then(|piece| piece.size).unwrap_or(0);
        let pieces = [
            ("mm", raw.mm_offset, raw.mm_size()),
            ("prcb", raw.prcb_offset, size(triage.prcb())),
            ("process", raw.process_offset, size(triage.process())),
            ("thread", raw.thread_offset, size(triage.thread())),
            ("call_stack", raw.call_stack_offset, raw.size_of_call_stack),
            ("strings", raw.string_pool_offset, raw.string_pool_size),
            ("data_page", raw.data_page_offset, raw.data_page_size),
            ("debugger_data", raw.debugger_data_offset, raw.debugger_data_size),
        ];
        let (start, end) = (self.start(), triage.size_of_dump());
        for (name, offset, size) in pieces {
            if offset == 0 {
                continue;
            }
            let check =
                Check::new(&format!("triage.{name}"), format!("{name} lies inside the dump"));
            let check = check.at(offset.into()).found(format!("{size} bytes"));
            if u64::from(offset) >= start && u64::from(offset) + u64::from(size) <= end {
                self.checks.pass(check);
            } else {
                let text = format!("{name} does not lie inside the dump");
                let expected = format!("between {start:#x} and {end:#x}");
                self.checks.fail(Check { text, ..check }.expected(expected));
            }
        }
    }

    fn block_table(&mut self, triage: &Triage<'_>) {
        let raw = triage.header();
        let (offset, declared) = (raw.data_blocks_offset, raw.data_blocks_count);
        let held = triage.blocks().len();
        let check = Check::new("triage.block_table", format!("a table of {declared} blocks"))
            .at(offset.into());
        if declared as usize != held {
            let text = format!("the table names {declared} blocks, the file holds {held} entries");
            self.checks.fail(Check { text, ..check }.expected(declared).found(held));
        } else {
            self.checks.pass(check);
        }
        let (start, end) = (self.start(), triage.size_of_dump());
        let narrow = raw.width == Width::Bits32;
        let outside = |block: &Block| {
            let last = u64::from(block.offset) + u64::from(block.size);
            let top = block.address.0.checked_add(block.size.into());
            let wraps = top.is_none_or(|top| narrow && top > 1 << 32);
            wraps || u64::from(block.offset) < start || last > end
        };
        let bad = triage.blocks().enumerate().filter(|(_, block)| outside(block));
        let (mut count, mut first) = (0, None);
        for found in bad {
            count += 1;
            first = first.or(Some(found));
        }
        let check = Check::new("triage.blocks", "every block lies inside the dump");
        match first {
            None => self.checks.pass(check.at(offset.into())),
            Some((index, block)) => {
                let entry = u64::from(offset) + index as u64 * size_of::<TriageBlock>() as u64;
                let text = format!("{count} of {held} blocks do not lie inside the dump");
                let found = format!(
                    "block {index}: address {}, {:#x} bytes at file offset {:#x}",
                    block.address, block.size, block.offset
                );
                self.checks.fail(Check { text, ..check.at(entry).found(found) });
            }
        }
        if triage.overlap() > 0 {
            self.overlap(triage, offset.into());
        }
    }

    /// Memory of a running system changes between two reads of it, so a
    /// difference in a live dump is no contradiction; nor is one between a
    /// block and a copy that was made apart from the blocks.
    fn overlap(&mut self, triage: &Triage<'_>, offset: u64) {
        let conflicts = match triage.conflicts() {
            Ok(conflicts) => conflicts,
            Err(error) => return self.unread("triage.overlap", &error),
        };
        let found = format!("{} bytes", triage.overlap());
        let check = Check::new("triage.overlap", "some addresses are stored more than once");
        let mut check = check.at(offset).found(found);
        if conflicts.cut_short {
            check.text += ", too many to compare all of them";
        }
        self.checks.note(check);
        let Some((block, address, earlier)) = conflicts.first else { return };
        let text = format!(
            "{} bytes that are stored more than once differ: what comes first in the table is read",
            conflicts.different
        );
        let found = format!("blocks {earlier} and {block} at address {:016x}", address);
        let check = Check::new("triage.conflict", text).at(offset).found(found);
        let frozen = !self.dump.header().is_live();
        if frozen && triage.is_of_table(block) && triage.is_of_table(earlier) {
            self.checks.warn(check);
        } else {
            self.checks.note(check);
        }
    }

    fn drivers(&mut self, triage: &Triage<'_>) {
        let raw = triage.header();
        let (offset, count) = (raw.driver_list_offset, raw.driver_count);
        if count == 0 {
            return;
        }
        let check = Check::new("triage.drivers", format!("{count} loaded drivers with names"));
        let check = check.at(offset.into());
        let length = u64::from(count) * triage.driver_size();
        let end = u64::from(offset) + length;
        if count > MAX_DRIVERS || end > triage.size_of_dump() || end > self.dump.file_length() {
            let text = "the driver list does not lie inside the dump";
            let expected = format!("up to {:#x}", triage.size_of_dump());
            let check = Check { text: text.into(), ..check };
            return self.checks.fail(check.expected(expected).found_hex(end));
        }
        match self.bad_name(triage, offset.into(), length) {
            Ok(None) => self.checks.pass(check),
            Ok(Some((index, name))) => {
                let text = format!("the name of driver {index} does not lie among the strings");
                self.checks.fail(Check { text, ..check }.found_hex(name));
            }
            Err(error) => self.broken("triage.drivers", &error),
        }
    }

    /// The first driver whose name is out of bounds: its number and the name's offset.
    fn bad_name(
        &self,
        triage: &Triage<'_>,
        offset: u64,
        length: u64,
    ) -> Result<Option<(u64, u32)>, Error> {
        let source = self.dump.source();
        for index in 0..length / triage.driver_size() {
            let mut name = [0; 4];
            source.fill("a driver's entry", offset + index * triage.driver_size(), &mut name)?;
            let name = u32::from_le_bytes(name);
            if triage.string_place(name)?.is_none() {
                return Ok(Some((index, name)));
            }
        }
        Ok(None)
    }

    fn unloaded(&mut self, triage: &Triage<'_>) {
        let offset = u64::from(triage.header().unloaded_drivers_offset);
        let count = match triage.unloaded_count() {
            Ok(Some(count)) => count,
            Ok(None) => return,
            Err(error) => return self.broken("triage.unloaded", &error),
        };
        let check = Check::new("triage.unloaded", format!("{count} unloaded drivers")).at(offset);
        let (first, size) = triage.unloaded_place();
        if first + u64::from(count) * size <= triage.size_of_dump() {
            self.checks.pass(check);
        } else {
            let text = format!("a list of {count} unloaded drivers does not fit into the dump");
            self.checks.fail(Check { text, ..check });
        }
    }
}

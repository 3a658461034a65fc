//! Checks of a triage dump.

use super::{Check, Verifier};
use crate::raw::{TriageBlock, TriageDriver64};
use crate::{Block, Error, MAX_BLOCKS, Triage};

/// Where the triage header is.
const HEADER: u64 = 0x2000;

impl Verifier<'_, '_> {
    pub(super) fn triage(&mut self) {
        let triage = match self.dump.triage() {
            Ok(triage) => triage,
            Err(error) => return self.broken("triage.header", &error),
        };
        self.checks.pass(Check::new("triage.header", "the triage header").at(HEADER));
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
            .at(HEADER + 4)
            .expected(format!("at least {size} bytes"))
            .found(format!("{file} bytes"));
        if size > file {
            self.checks.missing(size - file);
            let text = format!("the file is {} bytes too short", size - file);
            return self.checks.fail(Check { text, ..check });
        }
        self.checks.pass(check);
    }

    fn end_mark(&mut self, triage: &Triage<'_>) {
        let offset = u64::from(triage.raw().valid_offset.get());
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
                self.checks.fail(Check { text: text.into(), ..check }.expected("TRGD"));
            }
            Err(error) => self.broken("triage.end_mark", &error),
        }
    }

    /// Every part with an offset and a size lies inside the dump.
    fn pieces(&mut self, triage: &Triage<'_>) {
        let raw = triage.raw();
        let size = |piece: Option<crate::Piece>| piece.and_then(|piece| piece.size).unwrap_or(0);
        let pieces = [
            ("mm", raw.mm_offset.get(), 0x50),
            ("prcb", raw.prcb_offset.get(), size(triage.prcb())),
            ("process", raw.process_offset.get(), size(triage.process())),
            ("thread", raw.thread_offset.get(), size(triage.thread())),
            ("call_stack", raw.call_stack_offset.get(), raw.size_of_call_stack.get()),
            ("strings", raw.string_pool_offset.get(), raw.string_pool_size.get()),
            ("data_page", raw.data_page_offset.get(), raw.data_page_size.get()),
            ("debugger_data", raw.debugger_data_offset.get(), raw.debugger_data_size.get()),
        ];
        let end = triage.size_of_dump();
        for (name, offset, size) in pieces {
            if offset == 0 {
                continue;
            }
            let check =
                Check::new(&format!("triage.{name}"), format!("{name} lies inside the dump"));
            let check = check.at(offset.into()).found(format!("{size} bytes"));
            if u64::from(offset) >= HEADER && u64::from(offset) + u64::from(size) <= end {
                self.checks.pass(check);
            } else {
                let text = format!("{name} does not lie inside the dump");
                let expected = format!("between {HEADER:#x} and {end:#x}");
                self.checks.fail(Check { text, ..check }.expected(expected));
            }
        }
    }

    fn block_table(&mut self, triage: &Triage<'_>) {
        let raw = triage.raw();
        let (offset, declared) = (raw.data_blocks_offset.get(), raw.data_blocks_count.get());
        let held = triage.blocks().len();
        let check = Check::new("triage.block_table", format!("a table of {declared} blocks"))
            .at(offset.into());
        if declared as usize != held {
            let text = format!("the table names {declared} blocks, the file holds {held} entries");
            self.checks.fail(Check { text, ..check }.expected(declared).found(held));
        } else {
            self.checks.pass(check);
        }
        let end = triage.size_of_dump();
        let outside = |block: &Block| {
            let last = u64::from(block.offset) + u64::from(block.size);
            let wraps = block.address.0.checked_add(block.size.into()).is_none();
            wraps || u64::from(block.offset) < HEADER || last > end
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
            let text = "some addresses are stored more than once";
            let found = format!("{} bytes", triage.overlap());
            self.checks.note(Check::new("triage.overlap", text).at(offset.into()).found(found));
        }
    }

    fn drivers(&mut self, triage: &Triage<'_>) {
        let raw = triage.raw();
        let (offset, count) = (raw.driver_list_offset.get(), raw.driver_count.get());
        if count == 0 {
            return;
        }
        let check = Check::new("triage.drivers", format!("{count} loaded drivers with names"));
        let check = check.at(offset.into());
        let length = u64::from(count) * size_of::<TriageDriver64>() as u64;
        let end = u64::from(offset) + length;
        if count > MAX_BLOCKS || end > triage.size_of_dump() || end > self.dump.file_length() {
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
        const ENTRY: u64 = size_of::<TriageDriver64>() as u64;
        let start = u64::from(triage.raw().string_pool_offset.get());
        let end = start + u64::from(triage.raw().string_pool_size.get());
        let source = self.dump.source();
        for index in 0..length / ENTRY {
            let mut name = [0; 4];
            source.fill("a driver's entry", offset + index * ENTRY, &mut name)?;
            let name = u32::from_le_bytes(name);
            let at = u64::from(name);
            if at < start || at + 4 > end || !source.holds(at, 4) {
                return Ok(Some((index, name)));
            }
            let mut characters = [0; 4];
            source.fill("a driver's name", at, &mut characters)?;
            if at + 4 + 2 * u64::from(u32::from_le_bytes(characters)) > end {
                return Ok(Some((index, name)));
            }
        }
        Ok(None)
    }

    fn unloaded(&mut self, triage: &Triage<'_>) {
        let offset = u64::from(triage.raw().unloaded_drivers_offset.get());
        let count = match triage.unloaded_count() {
            Ok(Some(count)) => count,
            Ok(None) => return,
            Err(error) => return self.broken("triage.unloaded", &error),
        };
        let check = Check::new("triage.unloaded", format!("{count} unloaded drivers")).at(offset);
        if offset + 8 + u64::from(count) * 0x38 <= triage.size_of_dump() {
            self.checks.pass(check);
        } else {
            let text = format!("a list of {count} unloaded drivers does not fit into the dump");
            self.checks.fail(Check { text, ..check });
        }
    }
}

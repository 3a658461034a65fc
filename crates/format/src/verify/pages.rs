//! Checks of dumps with physical pages.

use memory::PAGE_SIZE;

use super::{Check, Verifier};
use crate::{Bitmap, DumpType, Width};

impl Verifier<'_, '_> {
    pub(super) fn bitmap(&mut self) {
        let bitmap = match self.dump.bitmap() {
            Ok(bitmap) => bitmap,
            Err(error) => return self.broken("bitmap.header", &error),
        };
        let at = bitmap.header_offset();
        if self.dump.kind() == DumpType::Summary {
            let text = "old summary dumps are experimental: their layout is not confirmed by any \
                        file that is known";
            self.checks.note(Check::new("bitmap.experimental", text).at(at));
        }
        let signature = String::from_utf8_lossy(&bitmap.signature()).into_owned();
        let check = Check::new("bitmap.header", "the bitmap header").at(at).found(signature);
        self.checks.pass(check);
        let first = bitmap.first_page_offset();
        let least = bitmap.bits_offset() + bitmap.bits_length();
        let check = Check::new("bitmap.first_page", "the pages begin behind the bitmap")
            .at(at + if self.dump.kind() == DumpType::Summary { 0xC } else { 0x20 })
            .expected(format!("at least {least:#x}"))
            .found_hex(first);
        if first < least {
            let text = "the pages begin inside the bitmap";
            return self.checks.fail(Check { text: text.into(), ..check });
        }
        self.checks.pass(check);
        match bitmap.count() {
            Ok(count) => self.bitmap_pages(&bitmap, count),
            Err(error) => self.broken("bitmap.bits", &error),
        }
    }

    fn bitmap_pages(&mut self, bitmap: &Bitmap<'_>, count: u64) {
        let check = Check::new("bitmap.pages", "as many pages as bits are set")
            .at(bitmap.pages_field())
            .expected(format!("{count} (bits set)"))
            .found(bitmap.pages());
        if count == bitmap.pages() {
            self.checks.pass(check);
        } else {
            let text = format!(
                "the header counts {} pages, the bitmap has {count} bits set",
                bitmap.pages()
            );
            self.checks.fail(Check { text, ..check });
        }
        if count == 0 {
            let check = Check::new("bitmap.empty", "no page is stored").at(bitmap.bits_offset());
            self.checks.fail(check);
        }
        self.covers(bitmap.first_page_offset(), count, bitmap.pages_end(count));
    }

    pub(super) fn runs(&mut self) {
        let runs = match self.dump.runs() {
            Ok(runs) => runs,
            Err(error) => return self.broken("runs.list", &error),
        };
        let (count_at, pages_at, list_at) = self.run_fields();
        let list = Check::new("runs.list", "the runs are in bounds").at(count_at);
        self.checks.pass(list.found(runs.list.len()));
        let total = runs.total();
        if let Some(declared) = runs.pages {
            let check = Check::new("runs.pages", "as many pages as the runs have")
                .at(pages_at)
                .expected(total)
                .found(declared);
            let text = format!("the header counts {declared} pages, the runs have {total}");
            match declared {
                _ if declared == total => self.checks.pass(check),
                // A range dump's list ends by this count.
                _ if self.dump.kind().is_ranges() => self.checks.fail(Check { text, ..check }),
                // A run may be lost. Fewer than the runs, all of which the file has, harm no reader.
                _ if declared > total => self.checks.warn(Check { text, ..check }),
                _ => self.checks.note(Check { text, ..check }),
            }
        }
        if total == 0 {
            self.checks.fail(Check::new("runs.empty", "no page is stored").at(list_at));
        }
        let overlap = Check::new("runs.overlap", "no page is in two runs").at(list_at);
        match runs.overlap() {
            None => self.checks.pass(overlap),
            Some((first, second)) => {
                let text = format!(
                    "page {:#x} is in two runs, from {:#x} and from {:#x} on: it is read from the \
                     one that comes first in the file",
                    second.base, first.base, second.base
                );
                let found = format!("page {:#x} twice", second.base);
                self.checks.fail(Check { text, ..overlap }.expected("each page once").found(found));
            }
        }
        self.covers(runs.start, total, Some(runs.end));
    }

    /// File offsets of the number of runs, the number of pages, and the list.
    fn run_fields(&self) -> (u64, u64, u64) {
        let start = self.start();
        match (self.dump.kind(), self.dump.header().width) {
            (DumpType::Full, Width::Bits64) => (0x88, 0x90, 0x98),
            (DumpType::Full, Width::Bits32) => (0x64, 0x68, 0x6C),
            _ => (start + 0x20, start + 0x28, start + 0x30),
        }
    }

    /// Whether the file reaches to the end of its pages, and what follows them.
    fn covers(&mut self, start: u64, pages: u64, end: Option<u64>) {
        let file = self.dump.file_length();
        let end = end.unwrap_or(u64::MAX);
        let check = Check::new("pages.in_file", format!("all {pages} pages are in the file"))
            .at(start)
            .expected(format!("{end} bytes"))
            .found(format!("{file} bytes"));
        if end <= file {
            self.checks.pass(check);
            return self.secondary(end);
        }
        let missing = end - file;
        self.checks.missing(missing);
        let lost = missing.div_ceil(PAGE_SIZE).min(pages);
        let text = format!(
            "the file is too short by {missing:#x} bytes: {lost} of {pages} pages are missing \
             (it was cut, or its pages are stored in a form that is not understood)"
        );
        self.checks.fail(Check { text, ..check });
    }
}

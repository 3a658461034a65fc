//! Checks of dumps with physical pages.

use memory::PAGE_SIZE;

use super::{Check, Verifier};
use crate::Bitmap;

impl Verifier<'_, '_> {
    pub(super) fn bitmap(&mut self) {
        let bitmap = match self.dump.bitmap() {
            Ok(bitmap) => bitmap,
            Err(error) => return self.broken("bitmap.header", &error),
        };
        let at = bitmap.header_offset();
        let signature = String::from_utf8_lossy(&bitmap.signature()).into_owned();
        let check = Check::new("bitmap.header", "the bitmap header").at(at).found(signature);
        self.checks.pass(check);
        let first = bitmap.first_page_offset();
        let least = bitmap.bits_offset() + bitmap.bits_length();
        let check = Check::new("bitmap.first_page", "the pages begin behind the bitmap")
            .at(at + 0x20)
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
            .at(bitmap.header_offset() + 0x28)
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
        let list =
            Check::new("runs.list", "the runs are in bounds").at(0x88).found(runs.list.len());
        self.checks.pass(list);
        let total = runs.total();
        let check = Check::new("runs.pages", "as many pages as the runs have")
            .at(0x90)
            .expected(total)
            .found(runs.pages);
        if total == runs.pages {
            self.checks.pass(check);
        } else {
            let text = format!("the header counts {} pages, the runs have {total}", runs.pages);
            self.checks.note(Check { text, ..check });
        }
        let overlap = Check::new("runs.overlap", "no page is in two runs").at(0x98);
        match runs.overlap() {
            None => self.checks.pass(overlap),
            Some((first, second)) => {
                let text = format!(
                    "page {:#x} is in two runs, from {:#x} and from {:#x} on",
                    second.base, first.base, second.base
                );
                self.checks.fail(Check { text, ..overlap });
            }
        }
        self.covers(0x2000, total, Some(runs.end));
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
            "the file is {missing} bytes too short: {lost} of {pages} pages are missing \
             (it was cut, or its pages are stored in a form that is not understood)"
        );
        self.checks.fail(Check { text, ..check });
    }
}

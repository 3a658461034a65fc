//! What a reader with one known error would see: a difference of a judge is explained by an
//! error only when the judge saw exactly that. Nothing of the product is used for it.

use std::collections::BTreeMap;

use crate::plan::{PAGE, seen};

/// x64's four levels, taken for every machine's.
pub(crate) const FOUR_LEVELS: &str = "four-levels";
/// The same, by a reader that follows entries in transition too, and takes bit 11 alone for one.
pub(crate) const FOUR_LEVELS_AND_TRANSITION: &str = "four-levels-and-transition";
/// Bit 12 of a large page's entry, which is PAT, is taken for address.
pub(crate) const PAT: &str = "pat";
/// Behind the first part of a read the next one is looked for 4 KiB on, whatever the page's size.
pub(crate) const STEPS: &str = "4k-steps";
/// Each page of a read is taken to have as many bytes left as the first one had.
pub(crate) const LEFT: &str = "left-of-first";
/// A type 0xA list ends at an entry of page 0.
pub(crate) const ZERO: &str = "ends-at-zero";
/// Bits behind the last whole byte of a bitmap are not looked at.
pub(crate) const BYTE: &str = "last-byte";
/// Bits behind the last whole 64-bit word of a bitmap are not looked at.
pub(crate) const WORD: &str = "last-word";
/// The file is taken for raw memory.
pub(crate) const RAW: &str = "raw";

/// What is seen instead of the truth, by the error's name.
pub(crate) type Traps = BTreeMap<&'static str, Option<String>>;

/// Pages by frame.
pub(crate) type Pages<'a> = Box<dyn Fn(u64) -> Option<Vec<u8>> + 'a>;

/// What an error sees of the physical pages.
pub(crate) struct View<'a> {
    pub(crate) error: &'static str,
    pub(crate) page: Pages<'a>,
}

/// How an erring reader follows the page tables.
#[derive(Default, Clone, Copy)]
struct Walk {
    transition: bool,
    pat: bool,
    steps: bool,
    left: bool,
}

/// Traps of a physical page.
pub(crate) fn of_page(views: &[View<'_>], frame: u64, truth: Option<&String>) -> Traps {
    let sees = |view: &View<'_>| (view.error, (view.page)(frame).map(|bytes| seen(&bytes)));
    views.iter().map(sees).filter(|(_, sees)| sees.as_ref() != truth).collect()
}

/// Traps of a virtual read. `all` are the pages that are stored.
pub(crate) fn of_read(
    views: &[View<'_>],
    all: &dyn Fn(u64) -> Option<Vec<u8>>,
    root: u64,
    (address, length): (u64, usize),
    truth: Option<&String>,
) -> Traps {
    let right = Walk::default();
    let walks = [
        (FOUR_LEVELS, right),
        (FOUR_LEVELS_AND_TRANSITION, Walk { transition: true, ..right }),
        (PAT, Walk { pat: true, ..right }),
        (STEPS, Walk { steps: true, ..right }),
        (LEFT, Walk { left: true, ..right }),
    ];
    let walked = walks.map(|(error, walk)| (error, walk.read(all, root, address, length)));
    let viewed = views
        .iter()
        .filter(|view| view.error != RAW)
        .map(|view| (view.error, right.read(&view.page, root, address, length)));
    let sees = walked.into_iter().chain(viewed).map(|(e, bytes)| (e, bytes.map(|b| seen(&b))));
    sees.filter(|(_, sees)| sees.as_ref() != truth).collect()
}

impl Walk {
    fn read(
        self,
        page: &dyn Fn(u64) -> Option<Vec<u8>>,
        root: u64,
        mut address: u64,
        length: usize,
    ) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let (physical, left) = self.translate(page, root, address)?;
            let part = (length - bytes.len()).min(left as usize);
            bytes.extend(physical_read(page, physical, part, self.left)?);
            address = if self.steps {
                (address & !(PAGE as u64 - 1)) + PAGE as u64
            } else {
                address + part as u64
            };
        }
        Some(bytes)
    }

    /// Where an address lies, and how many bytes its page has from there on.
    fn translate(
        self,
        page: &dyn Fn(u64) -> Option<Vec<u8>>,
        root: u64,
        address: u64,
    ) -> Option<(u64, u64)> {
        const PRESENT: u64 = 1;
        const LARGE: u64 = 1 << 7;
        const TRANSITION: u64 = 1 << 11;
        const FRAME: u64 = 0x000F_FFFF_FFFF_F000;
        let mut table = root;
        for shift in [39, 30, 21, 12] {
            let at = table + ((address >> shift) & 0x1FF) * 8;
            let entry = physical_read(page, at, 8, false)?;
            let entry = entry.try_into().map_or(0, u64::from_le_bytes);
            let followed = self.transition && shift == 12 && entry & TRANSITION != 0;
            if entry & PRESENT == 0 && !followed {
                return None;
            }
            table = entry & FRAME;
            if shift == 12 || (shift < 39 && entry & LARGE != 0) {
                let size = 1 << shift;
                let base = if self.pat { table } else { table & !(size - 1) };
                let offset = address & (size - 1);
                return Some((base + offset, size - offset));
            }
        }
        None
    }
}

fn physical_read(
    page: &dyn Fn(u64) -> Option<Vec<u8>>,
    address: u64,
    length: usize,
    left_of_first: bool,
) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut at = address;
    while bytes.len() < length {
        let (frame, offset) = (at / PAGE as u64, at as usize % PAGE);
        let left = PAGE - if left_of_first { address as usize % PAGE } else { offset };
        let part = (length - bytes.len()).min(left);
        bytes.extend_from_slice(&page(frame)?[offset..offset + part]);
        at = (frame + 1) * PAGE as u64;
    }
    Some(bytes)
}

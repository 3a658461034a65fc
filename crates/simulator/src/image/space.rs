//! Virtual memory: page tables, and reading and writing by kernel address.

use std::collections::BTreeMap;

use crate::bytes::{get64, put, put64};
use crate::image::entries::{Access, EntryFormat};
use crate::image::physical::{Content, Filler, PAGE, Physical};

/// Physical memory with the kernel's address space over it.
pub(crate) struct Space {
    pub(crate) physical: Physical,
    /// First slot and number of pages, by first address.
    areas: BTreeMap<u64, (usize, usize)>,
    root: usize,
    self_map: usize,
    /// Of page tables: 4 or 5.
    levels: usize,
}

const KERNEL_HALF: usize = 256;
/// The level of entries that point to pages, counted down from 4 levels' top.
const LAST: usize = 3;

impl Space {
    pub(crate) fn new(mut physical: Physical, self_map: usize, levels: usize) -> Self {
        let root = physical.add(Content::Zero, true);
        let mut space = Self { physical, areas: BTreeMap::new(), root, self_map, levels };
        space.point_to_itself(root);
        space
    }

    pub(crate) fn has_five_levels(&self) -> bool {
        self.levels == 5
    }

    pub(crate) fn format(&self) -> EntryFormat {
        self.physical.format
    }

    pub(crate) fn directory_base(&self, root: usize) -> u64 {
        self.physical.frame_of_slot(root) << 12
    }

    pub(crate) fn kernel_root(&self) -> usize {
        self.root
    }

    /// The lowest address of the page tables as seen through the self-map.
    pub(crate) fn table_base(&self) -> u64 {
        let shift = 3 + 9 * self.levels;
        let sign = if self.levels == 5 { 0xfe00_0000_0000_0000 } else { 0xffff_0000_0000_0000 };
        sign | (self.self_map as u64) << shift
    }

    fn point_to_itself(&mut self, root: usize) {
        let entry = self.format().table(self.physical.frame_of_slot(root), false);
        let at = self.self_map * 8;
        put64(self.physical.stored(root), at, entry);
    }

    /// A process's top-level table: the kernel's half as it is now, and its own self-map.
    pub(crate) fn process_root(&mut self) -> usize {
        let kernel = self.physical.stored(self.root).to_vec();
        let root = self.physical.add(Content::Zero, true);
        put(self.physical.stored(root), KERNEL_HALF * 8, &kernel[KERNEL_HALF * 8..]);
        self.point_to_itself(root);
        root
    }

    /// Maps new pages at `address`, all alike.
    pub(crate) fn area(
        &mut self,
        address: u64,
        pages: usize,
        content: Content,
        core: bool,
        access: Access,
    ) {
        let contents = std::iter::repeat_n(content, pages);
        self.area_of(address, contents, core, access);
    }

    /// Maps one new page for each of `contents`.
    pub(crate) fn area_of(
        &mut self,
        address: u64,
        contents: impl Iterator<Item = Content>,
        core: bool,
        access: Access,
    ) {
        let first = self.physical.slots().len();
        let mut pages = 0;
        for content in contents {
            self.physical.add(content, core);
            pages += 1;
        }
        self.areas.insert(address, (first, pages));
        for page in 0..pages {
            let entry = self.format().leaf(self.physical.frame_of_slot(first + page), access);
            self.set_entry(self.root, address + (page * PAGE) as u64, 3, entry);
        }
    }

    /// Maps the pages `first..first + count` of a filler, by tables made when read.
    pub(crate) fn filler(
        &mut self,
        root: usize,
        address: u64,
        filler: Filler,
        first: u64,
        count: u64,
    ) {
        let user = filler == Filler::User;
        for from in (0..count).step_by(512) {
            let part = (count - from).min(512) as u16;
            let content = Content::Table { filler, first: first + from, count: part };
            let table = self.physical.add(content, false);
            let entry = self.format().table(self.physical.frame_of_slot(table), user);
            self.set_entry(root, address + from * PAGE as u64, 2, entry);
        }
    }

    /// Sets the entry of `address` in its table of `level` (0 is the top of four),
    /// making the tables above.
    fn set_entry(&mut self, root: usize, address: u64, level: usize, entry: u64) {
        let user = address >> 63 == 0;
        let mut table = root;
        if self.levels == 5 {
            table = self.next_table(table, (address >> 48 & 511) as usize, user);
        }
        for above in 0..level {
            table = self.next_table(table, index(address, above), user);
        }
        put64(self.physical.stored(table), index(address, level) * 8, entry);
    }

    fn next_table(&mut self, table: usize, index: usize, user: bool) -> usize {
        const FRAME: u64 = 0x0000_ffff_ffff_f000;
        let entry = get64(self.physical.stored(table), index * 8);
        if entry != 0 {
            return ((entry & FRAME) >> 12).saturating_sub(self.physical.frame_of_slot(0)) as usize;
        }
        let next = self.physical.add(Content::Zero, !user);
        self.physical.stored(next);
        let entry = self.format().table(self.physical.frame_of_slot(next), user);
        put64(self.physical.stored(table), index * 8, entry);
        next
    }

    /// Takes a page out of the address space: its entry becomes `entry`, and its frame is told.
    pub(crate) fn unmap(&mut self, address: u64, entry: u64) -> Option<u64> {
        let (slot, ..) = self.locate(address)?;
        self.set_entry(self.root, address, LAST, entry);
        Some(self.physical.frame_of_slot(slot))
    }

    /// Maps `size` bytes of 2 MiB pages at `address`, in frames of their own.
    pub(crate) fn large_area(&mut self, address: u64, size: usize, access: Access) {
        const IN_LARGE: usize = 512;
        while !self.physical.frame_of_slot(self.physical.slots().len()).is_multiple_of(512) {
            self.physical.add(Content::Zero, false);
        }
        let first = self.physical.slots().len();
        let pages = size.div_ceil(IN_LARGE * PAGE) * IN_LARGE;
        for _ in 0..pages {
            self.physical.add(Content::Zero, false);
        }
        self.areas.insert(address, (first, pages));
        for page in (0..pages).step_by(IN_LARGE) {
            let frame = self.physical.frame_of_slot(first + page);
            let entry = self.format().large(frame, access);
            self.set_entry(self.root, address + (page * PAGE) as u64, LAST - 1, entry);
        }
    }

    /// A top-level table with the user's half of another, as user mode has it.
    pub(crate) fn shadow_root(&mut self, of: usize) -> usize {
        let whole = self.physical.stored(of).to_vec();
        let root = self.physical.add(Content::Zero, true);
        put(self.physical.stored(root), 0, &whole[..KERNEL_HALF * 8]);
        self.point_to_itself(root);
        root
    }

    /// The slot of a top-level table by its physical address.
    pub(crate) fn slot_of(&self, directory_base: u64) -> usize {
        ((directory_base >> 12) - self.physical.frame_of_slot(0)) as usize
    }

    fn locate(&self, address: u64) -> Option<(usize, usize, usize)> {
        let (start, (first, pages)) = self.areas.range(..=address).next_back()?;
        let offset = (address - start) as usize;
        (offset < pages * PAGE)
            .then(|| (first + offset / PAGE, offset % PAGE, pages * PAGE - offset))
    }

    /// Writes to memory that [`Space::area`] has mapped.
    pub(crate) fn write(&mut self, mut address: u64, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let Some((slot, offset, _)) = self.locate(address) else { return };
            let part = bytes.len().min(PAGE - offset);
            put(self.physical.stored(slot), offset, &bytes[..part]);
            bytes = &bytes[part..];
            address += part as u64;
        }
    }

    pub(crate) fn write64(&mut self, address: u64, value: u64) {
        self.write(address, &value.to_le_bytes());
    }

    /// Reads memory that [`Space::area`] has mapped; zeros elsewhere.
    pub(crate) fn read(&self, mut address: u64, length: usize) -> Vec<u8> {
        let mut out = vec![0; length];
        let mut page = [0; PAGE];
        let mut done = 0;
        while done < length {
            let offset = (address % PAGE as u64) as usize;
            let part = (PAGE - offset).min(length - done);
            if let Some((slot, offset, _)) = self.locate(address) {
                self.physical.slot_page(slot, &mut page);
                out[done..done + part].copy_from_slice(&page[offset..offset + part]);
            }
            done += part;
            address += part as u64;
        }
        out
    }
}

fn index(address: u64, level: usize) -> usize {
    (address >> (39 - 9 * level) & 511) as usize
}

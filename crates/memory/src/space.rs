//! One address space: virtual addresses over physical memory.

use crate::absence::{Absence, Hints};
use crate::cache::{Cache, Region};
use crate::entry::{Hardware, Rights};
use crate::paging::{EntryName, Paging, Shape, Step};
use crate::translation::{Level, Meaning, TranslateError, Translation, Trust, Walk};
use crate::{PAGE_SIZE, PageFrame, PhysicalAddress, PhysicalMemory, ReadError, VirtualAddress};

/// The address space that begins at one root, over physical memory that does
/// not change. It remembers page tables in 8 KiB and may be shared by threads.
#[derive(Debug)]
pub struct Space<P> {
    memory: P,
    paging: Paging,
    shape: Shape,
    root: PhysicalAddress,
    hints: Hints,
    cache: Cache,
}

/// Where an address lies, and how many bytes from there on the same page maps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) physical: PhysicalAddress,
    pub(crate) left: u64,
}

/// A page that an entry led to.
struct Found {
    base: PhysicalAddress,
    trust: Trust,
    guessed: bool,
}

impl<P: PhysicalMemory> Space<P> {
    /// The address space of a `DirectoryTableBase` (its flag bits are masked),
    /// in memory whose highest page and L1TF mask are not known.
    pub fn new(memory: P, paging: Paging, directory_table_base: u64) -> Self {
        let root = paging.root(directory_table_base);
        let shape = *paging.shape();
        Self { memory, paging, shape, root, hints: Hints::default(), cache: Cache::new() }
    }

    /// Tells the machine's highest page, against which frames in entries that
    /// are not valid are tested.
    pub fn with_highest_frame(self, frame: PageFrame) -> Self {
        let hints = Hints { highest: Some(frame), ..self.hints };
        Self { hints, cache: Cache::new(), ..self }
    }

    /// Tells `InvalidPteMask`, which x64 kernels since 2018 XOR into entries
    /// that are not valid when their bit 4 is clear; 0 when there is none.
    pub fn with_invalid_pte_mask(self, mask: u64) -> Self {
        let hints = Hints { invalid_pte_mask: Some(mask), ..self.hints };
        Self { hints, cache: Cache::new(), ..self }
    }

    /// Another address space (another process) of the same machine.
    pub fn at(&self, directory_table_base: u64) -> Space<&P> {
        Space { hints: self.hints, ..Space::new(&self.memory, self.paging, directory_table_base) }
    }

    /// The physical memory under it.
    pub fn memory(&self) -> &P {
        &self.memory
    }

    /// How its page tables are built.
    pub fn paging(&self) -> Paging {
        self.paging
    }

    /// Where its first table lies.
    pub fn root(&self) -> PhysicalAddress {
        self.root
    }

    /// Where an address lies, how that is known and what is allowed there.
    /// Reads every level anew and allocates nothing.
    pub fn translate(&self, address: VirtualAddress) -> Result<Translation, TranslateError> {
        self.resolve(address, true, &mut |_| {})
    }

    /// The same with every level shown, down to the one that failed.
    pub fn walk(&self, address: VirtualAddress) -> Walk {
        let mut levels = Vec::new();
        let outcome = self.resolve(address, true, &mut |level| levels.push(level));
        Walk { address, levels, outcome }
    }

    /// Where an address lies: the fast way, through the cache.
    #[inline]
    pub fn physical(&self, address: VirtualAddress) -> Result<PhysicalAddress, TranslateError> {
        self.locate(address).map(|place| place.physical)
    }

    pub(crate) fn plain(&self, address: VirtualAddress) -> Result<u64, TranslateError> {
        let bits = self.shape.address_bits;
        self.shape.plain(address).ok_or(TranslateError::NotCanonical { address, bits })
    }

    #[inline]
    pub(crate) fn locate(&self, address: VirtualAddress) -> Result<Place, TranslateError> {
        match self.quick(address) {
            Some(place) => Ok(place),
            None => self.locate_slowly(address),
        }
    }

    /// Where an address lies, when what serves its region is remembered, and
    /// its page table is lent and says so. `None` says nothing.
    #[inline]
    pub(crate) fn quick(&self, address: VirtualAddress) -> Option<Place> {
        let plain = self.shape.plain(address)?;
        let bits = self.shape.region_bits;
        match self.cache.get(plain >> bits)? {
            Region::Table(table) => {
                let page = self.memory.physical_page(table)?;
                let entry = self.held(page, self.shape.entry_offset(plain))?;
                Some(place(self.shape.page(entry)?, plain, PAGE_SIZE))
            }
            Region::Page(base) => Some(place(PhysicalAddress(base.0 << 12), plain, 1 << bits)),
        }
    }

    #[inline(never)]
    fn locate_slowly(&self, address: VirtualAddress) -> Result<Place, TranslateError> {
        let plain = self.plain(address)?;
        let bits = self.shape.region_bits;
        let remembered = self.cache.get(plain >> bits);
        match remembered.or_else(|| self.descend(plain)) {
            Some(Region::Table(table)) => {
                let step = self.paging.leaf();
                let table = PhysicalAddress(table.0 << 12);
                let entry = self.entry(address, &step, plain, table)?;
                let found = match Hardware::decode(self.paging, &step, entry) {
                    Hardware::Page(base) => Found { base, trust: Trust::Valid, guessed: false },
                    _ => self.software(address, &step, entry, true, &mut |_| {})?,
                };
                Ok(place(found.base, plain, step.span()))
            }
            Some(Region::Page(base)) => Ok(place(PhysicalAddress(base.0 << 12), plain, 1 << bits)),
            None => self.locate_anew(address, plain),
        }
    }

    /// What serves the address's region, when every entry above it is lent and
    /// valid; then it is remembered.
    fn descend(&self, plain: u64) -> Option<Region> {
        let bits = self.shape.region_bits;
        let mut table = self.root;
        for step in self.paging.steps() {
            if step.name == EntryName::Pte {
                let region = Region::Table(table.frame());
                self.cache.put(plain >> bits, region);
                return Some(region);
            }
            let offset = table.page_offset() + step.index(plain) * self.shape.entry_size;
            let page = self.memory.physical_page(table.frame())?;
            match Hardware::decode(self.paging, step, self.held(page, offset as usize)?) {
                Hardware::Table(next) => table = next,
                Hardware::Page(base) => {
                    let at = place(base, plain, step.span()).physical.0 >> bits << bits;
                    let region = Region::Page(PhysicalAddress(at).frame());
                    self.cache.put(plain >> bits, region);
                    return Some(region);
                }
                _ => return None,
            }
        }
        None
    }

    /// Walks from the root and remembers what serves the address's region,
    /// also when the page itself is not there.
    #[cold]
    fn locate_anew(&self, address: VirtualAddress, plain: u64) -> Result<Place, TranslateError> {
        let bits = self.shape.region_bits;
        let mut table = None;
        let result = self.resolve(address, true, &mut |level: Level| {
            if let (EntryName::Pde, Meaning::Table { frame }) = (level.name, level.meaning) {
                table = Some(frame);
            }
        });
        if let Some(frame) = table {
            self.cache.put(plain >> bits, Region::Table(frame));
        }
        let translation = result?;
        if translation.page_size >= 1 << bits {
            let base = translation.physical.0 & !((1 << bits) - 1);
            let serves = Region::Page(PhysicalAddress(base).frame());
            self.cache.put(plain >> bits, serves);
        }
        let left = translation.page_size - (plain & (translation.page_size - 1));
        Ok(Place { physical: translation.physical, left })
    }

    /// The walk itself. `follow` allows one prototype, whose own address is
    /// then resolved without: no chain of entries makes this recurse deeper.
    fn resolve<F: FnMut(Level)>(
        &self,
        address: VirtualAddress,
        follow: bool,
        seen: &mut F,
    ) -> Result<Translation, TranslateError> {
        let plain = self.plain(address)?;
        let mut table = self.root;
        let mut rights = Rights::ALL;
        let mut last = (EntryName::Pte, 0);
        for step in self.paging.steps() {
            let entry = self.entry(address, step, plain, table)?;
            let hardware = Hardware::decode(self.paging, step, entry);
            seen(self.level(step, plain, table, entry, hardware));
            let leaf = matches!(hardware, Hardware::Page(_));
            rights = rights.through(self.paging, step, entry, leaf);
            last = (step.name, entry);
            let (found, access) = match hardware {
                Hardware::Table(next) => {
                    table = next;
                    continue;
                }
                Hardware::Page(base) => {
                    (Found { base, trust: Trust::Valid, guessed: false }, Some(rights.access()))
                }
                _ => (self.software(address, step, entry, follow, seen)?, None),
            };
            let Found { base, trust, guessed } = found;
            let physical = place(base, plain, step.span()).physical;
            return Ok(Translation { physical, page_size: step.span(), trust, guessed, access });
        }
        Err(TranslateError::Reserved { address, level: last.0, entry: last.1 })
    }

    fn level(
        &self,
        step: &Step,
        plain: u64,
        table: PhysicalAddress,
        entry: u64,
        hardware: Hardware,
    ) -> Level {
        let meaning = match hardware {
            Hardware::Table(next) => Meaning::Table { frame: next.frame() },
            Hardware::Page(base) => Meaning::Page { frame: base.frame(), size: step.span() },
            Hardware::NotValid => {
                Meaning::NotPresent(Absence::decode(self.paging, entry, &self.hints))
            }
            Hardware::Reserved => Meaning::Reserved,
        };
        Level { name: step.name, table, index: step.index(plain) as u32, entry, meaning }
    }

    /// The page of an entry that the processor does not take, where Windows'
    /// own format proves one.
    fn software<F: FnMut(Level)>(
        &self,
        address: VirtualAddress,
        step: &Step,
        entry: u64,
        follow: bool,
        seen: &mut F,
    ) -> Result<Found, TranslateError> {
        let level = step.name;
        if entry & 1 != 0 {
            return Err(TranslateError::Reserved { address, level, entry });
        }
        let kind = Absence::decode(self.paging, entry, &self.hints);
        match kind {
            Absence::Transition { .. } if level == EntryName::Pte => self
                .transition(entry, Trust::Transition)
                .ok_or(TranslateError::NotPresent { address, level, entry, kind }),
            Absence::Prototype { address: Some(at) } if level == EntryName::Pte && follow => self
                .prototype(at, seen)
                .map(|found| Found {
                    guessed: found.guessed || self.hints.unsure(self.paging, entry),
                    ..found
                })
                .map_err(|source| TranslateError::Prototype {
                    address,
                    entry,
                    prototype: at,
                    source: Box::new(source),
                }),
            _ => Err(TranslateError::NotPresent { address, level, entry, kind }),
        }
    }

    fn transition(&self, entry: u64, trust: Trust) -> Option<Found> {
        let recovered = self.hints.transition(self.paging, entry)?;
        let base = recovered.frame.address()?;
        Some(Found { base, trust, guessed: recovered.guessed })
    }

    /// The page that a prototype PTE names. Only one that lies where kernel
    /// data can, is itself valid or in transition, and names a page that the
    /// machine can have, is taken.
    fn prototype<F: FnMut(Level)>(
        &self,
        at: VirtualAddress,
        seen: &mut F,
    ) -> Result<Found, TranslateError> {
        let name = EntryName::PrototypePte;
        let reserved = |entry| TranslateError::Reserved { address: at, level: name, entry };
        if !at.is_kernel() || !at.0.is_multiple_of(self.paging.entry_size()) {
            return Err(reserved(at.0));
        }
        let mut unseen: fn(Level) = |_| {};
        let home = self.resolve(at, false, &mut unseen)?;
        let entry = self.load(at, name, home.physical)?;
        let step = self.paging.leaf();
        let hardware = Hardware::decode(self.paging, &step, entry);
        let index = home.physical.page_offset() / self.paging.entry_size();
        let level = self.level(&step, 0, home.physical.page(), entry, hardware);
        seen(Level { name, index: index as u32, ..level });
        let found = match hardware {
            Hardware::Page(base) if self.hints.possible(base.frame()) => {
                Found { base, trust: Trust::Prototype, guessed: false }
            }
            Hardware::NotValid => {
                let kind = Absence::decode(self.paging, entry, &self.hints);
                matches!(kind, Absence::Transition { .. })
                    .then(|| self.transition(entry, Trust::PrototypeTransition))
                    .flatten()
                    .ok_or(TranslateError::NotPresent { address: at, level: name, entry, kind })?
            }
            _ => return Err(reserved(entry)),
        };
        Ok(Found { guessed: found.guessed || home.guessed, ..found })
    }

    fn entry(
        &self,
        address: VirtualAddress,
        step: &Step,
        plain: u64,
        table: PhysicalAddress,
    ) -> Result<u64, TranslateError> {
        let offset = step.index(plain) * self.paging.entry_size();
        self.load(address, step.name, PhysicalAddress(table.0 | offset))
    }

    /// The entry at an offset into a page.
    #[inline]
    fn held(&self, page: &[u8; PAGE_SIZE as usize], offset: usize) -> Option<u64> {
        let bytes = page.get(offset..)?;
        match self.shape.entry_size {
            4 => bytes.first_chunk().map(|entry| u32::from_le_bytes(*entry).into()),
            _ => bytes.first_chunk().map(|entry| u64::from_le_bytes(*entry)),
        }
    }

    fn load(
        &self,
        address: VirtualAddress,
        level: EntryName,
        at: PhysicalAddress,
    ) -> Result<u64, TranslateError> {
        let lent = self.memory.physical_page(at.frame());
        let offset = at.page_offset() as usize;
        if let Some(entry) = lent.and_then(|page| self.held(page, offset)) {
            return Ok(entry);
        }
        let size = self.paging.entry_size() as usize;
        let mut bytes = [0; 8];
        match self.memory.read_physical(at, &mut bytes[..size]) {
            Ok(()) => Ok(u64::from_le_bytes(bytes)),
            Err(ReadError::PhysicalAbsent { .. }) => {
                Err(TranslateError::NotInDump { address, level, frame: at.frame() })
            }
            Err(other) => Err(TranslateError::Read { address, level, source: Box::new(other) }),
        }
    }
}

#[inline]
fn place(base: PhysicalAddress, plain: u64, span: u64) -> Place {
    let within = plain & (span - 1);
    Place { physical: PhysicalAddress(base.0 | within), left: span - within }
}

//! Drivers that were unloaded: an array that `MmUnloadedDrivers` points to.

use format::KernelMemory;
use memory::VirtualAddress;
use nt::kdbg;
use serde::Serialize;

use crate::kernel::Kernel;
use crate::reader::at;

/// Entries of the array: MI_UNLOADED_DRIVERS. (dump-formats specification 7.3)
const ENTRIES: u64 = 50;

/// A driver that was unloaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Unloaded {
    /// Its name; in triage dumps the first 12 characters.
    pub name: String,
    /// Where it began.
    #[serde(serialize_with = "crate::hex")]
    pub start: VirtualAddress,
    /// Where it ended.
    #[serde(serialize_with = "crate::hex")]
    pub end: VirtualAddress,
}

impl Kernel<'_> {
    /// The drivers that were unloaded, the latest first. `None` when the dump
    /// does not tell: the array is not in it, or how it is laid out is not known.
    pub fn unloaded(&self) -> Option<Vec<Unloaded>> {
        if let KernelMemory::Triage(triage) = self.memory() {
            triage.unloaded_count().ok()??;
            let drivers = triage.unloaded_drivers().ok()?;
            let unloaded = |driver: format::UnloadedDriver| Unloaded {
                name: driver.name,
                start: driver.start,
                end: driver.end,
            };
            return Some(drivers.into_iter().map(unloaded).collect());
        }
        let block = self.block()?;
        let array = self.reader().pointer(block.address_of(kdbg::MM_UNLOADED_DRIVERS)?).ok()?;
        let last =
            self.reader().integer(block.address_of(kdbg::MM_LAST_UNLOADED_DRIVER)?, 4).ok()?;
        if array == VirtualAddress(0) {
            // Nothing was unloaded since the machine started.
            return Some(Vec::new());
        }
        let stride = self.layout().unloaded.size.or_else(|| self.probed_stride(array));
        let Some(stride) = stride else {
            // Of the only one there is no next.
            return self.unloaded_at(array).filter(|_| last == 1).map(|one| vec![one]);
        };
        // The next one to be written comes first; going down from it is going back in time.
        let order = (1..=ENTRIES).map(|back| (last + ENTRIES - back) % ENTRIES);
        Some(order.filter_map(|number| self.unloaded_at(at(array, number * stride))).collect())
    }

    /// How many a triage dump claims to list, which a hostile one may of any number.
    pub fn unloaded_claimed(&self) -> Option<u32> {
        match self.memory() {
            KernelMemory::Triage(triage) => triage.unloaded_count().ok()?,
            KernelMemory::Pages(_) => None,
        }
    }

    fn unloaded_at(&self, entry: VirtualAddress) -> Option<Unloaded> {
        let layout = &self.layout().unloaded;
        let pointer = self.reader().pointer_size();
        // Name, StartAddress, EndAddress, in this order since Windows 2000; a
        // start that is no page or an end before it proves the contrary.
        let name = layout.name.map_or(0, |name| name.offset);
        let start = layout.start.map_or(2 * pointer, |start| start.offset);
        let end = layout.end.map_or(3 * pointer, |end| end.offset);
        let start = self.reader().kernel_pointer(at(entry, start)).ok()??;
        let end = self.reader().kernel_pointer(at(entry, end)).ok()??;
        let name = self.reader().unicode_string(at(entry, name)).ok()?;
        (start.page_offset() == 0 && end.0 > start.0 && !name.is_empty()).then_some(Unloaded {
            name,
            start,
            end,
        })
    }

    /// Bytes of an entry: the distance at which a second one stands as well.
    fn probed_stride(&self, array: VirtualAddress) -> Option<u64> {
        let pointer = self.reader().pointer_size();
        self.unloaded_at(array)?;
        (5..8)
            .map(|words| words * pointer)
            .find(|stride| self.unloaded_at(at(array, *stride)).is_some())
    }
}

//! Request packets (`IRP`), and the devices that work on them.

use memory::{PAGE_SIZE, VirtualAddress};
use serde::Serialize;

use crate::kernel::Kernel;
use crate::list::{self, ListEnd};
use crate::reader::at;

/// `IO_TYPE_IRP`, `IO_TYPE_DEVICE`, `IO_TYPE_DRIVER` (WDK).
const TYPE_IRP: u64 = 6;
const TYPE_DEVICE: u64 = 3;
const TYPE_DRIVER: u64 = 4;
/// Packets of one thread that are listed at most.
const MOST: usize = 1 << 14;
/// Stack locations of one packet: CHAR counts them.
const MOST_LOCATIONS: u64 = 127;
/// What pool memory is aligned to.
const POOL_ALIGNMENT: u64 = 0x10;
/// Bytes of one stack whose words are looked at: more than any frame chain of
/// a thread that waits.
const MOST_STACK: u64 = 0x1_2000;

/// One driver's part of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StackLocation {
    /// Where it lies.
    #[serde(serialize_with = "crate::hex")]
    pub address: VirtualAddress,
    /// Whether the request is here now.
    pub current: bool,
    /// MajorFunction: IRP_MJ_*.
    pub major: Option<u64>,
    /// MinorFunction.
    pub minor: Option<u64>,
    /// The device.
    #[serde(serialize_with = "crate::hex_option")]
    pub device: Option<VirtualAddress>,
    /// The device's driver.
    #[serde(serialize_with = "crate::hex_option")]
    pub driver: Option<VirtualAddress>,
    /// DriverName, such as `\Driver\disk`.
    pub driver_name: Option<String>,
    /// Where the driver's image begins.
    #[serde(serialize_with = "crate::hex_option")]
    pub driver_start: Option<VirtualAddress>,
    /// FileObject.
    #[serde(serialize_with = "crate::hex_option")]
    pub file: Option<VirtualAddress>,
    /// Where the file object's Event lies: what a synchronous request sets.
    #[serde(serialize_with = "crate::hex_option")]
    pub file_event: Option<VirtualAddress>,
    /// CompletionRoutine.
    #[serde(serialize_with = "crate::hex_option")]
    pub completion_routine: Option<VirtualAddress>,
    /// Context: what that routine is given.
    #[serde(serialize_with = "crate::hex_option")]
    pub context: Option<VirtualAddress>,
}

/// A request packet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Irp {
    /// Where it lies.
    #[serde(serialize_with = "crate::hex")]
    pub address: VirtualAddress,
    /// Tail.Overlay.Thread: who asked.
    #[serde(serialize_with = "crate::hex_option")]
    pub thread: Option<VirtualAddress>,
    /// UserEvent: set when it is done.
    #[serde(serialize_with = "crate::hex_option")]
    pub user_event: Option<VirtualAddress>,
    /// Cancel: somebody asked for its end.
    pub cancel: Option<bool>,
    /// CancelRoutine.
    #[serde(serialize_with = "crate::hex_option")]
    pub cancel_routine: Option<VirtualAddress>,
    /// From where it is now up to whoever sent it.
    pub stack: Vec<StackLocation>,
}

/// The requests on a thread's list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Irps {
    /// In the order of the list.
    pub irps: Vec<Irp>,
    /// Why the list ended.
    pub end: ListEnd,
}

/// A device and its driver.
struct Device {
    driver: Option<VirtualAddress>,
    name: Option<String>,
    start: Option<VirtualAddress>,
}

impl Kernel<'_> {
    /// The requests that a thread sent and that are not done. `None` when it
    /// is not known where they are.
    pub fn irps(&self, thread: VirtualAddress) -> Option<Irps> {
        let head = self.layout().thread.irp_list?;
        let entry = self.layout().irp.thread_list_entry?;
        let ring = list::walk(&self.reader(), at(thread, head.offset), MOST);
        let start = |link: &VirtualAddress| VirtualAddress(link.0.wrapping_sub(entry.offset));
        let irps = ring.entries.iter().filter_map(|link| self.irp(start(link))).collect();
        Some(Irps { irps, end: ring.end })
    }

    /// The request at an address that something else than a list gave: on its
    /// way, and proved by itself. Its size has room for its stack locations, the
    /// current one lies where its number says, and is a device's.
    pub fn proved_irp(&self, address: VirtualAddress) -> Option<Irp> {
        let layout = &self.layout().irp;
        if !address.0.is_multiple_of(POOL_ALIGNMENT)
            || self.member(address, layout.kind) != Some(TYPE_IRP)
        {
            return None;
        }
        let count = self.member(address, layout.stack_count)?;
        let current = self.member(address, layout.current_location)?;
        if !(1..=MOST_LOCATIONS).contains(&count) || !(1..=count).contains(&current) {
            return None;
        }
        let (header, stride) = (layout.size?, self.layout().stack_location.size?);
        let room = self.member(address, layout.packet_size)? >= header + count * stride;
        let place = at(address, header + (current - 1) * stride);
        if !room || self.pointer(address, layout.stack_location) != Some(place) {
            return None;
        }
        let device = self.pointer(place, self.layout().stack_location.device)?;
        self.device(device)?;
        self.irp(address)
    }

    /// Words in memory that point to where the kernel's pool could be, with
    /// where they lie; from one address up to another, as far as they are in
    /// the dump.
    pub fn pool_pointers(
        &self,
        from: VirtualAddress,
        to: VirtualAddress,
    ) -> Vec<(VirtualAddress, VirtualAddress)> {
        let mut found = Vec::new();
        let reader = self.reader();
        let word = reader.pointer_size();
        let mut place = from.0.next_multiple_of(word);
        let end = to.0.min(place.saturating_add(MOST_STACK));
        let mut page = [0; PAGE_SIZE as usize];
        while place < end && reader.step() {
            let next = (place & !(PAGE_SIZE - 1)).saturating_add(PAGE_SIZE).min(end);
            let bytes = page.get_mut(..(next - place) as usize).unwrap_or_default();
            if reader.bytes(VirtualAddress(place), bytes).is_ok() {
                for (number, bytes) in bytes.chunks_exact(word as usize).enumerate() {
                    let mut value = [0; 8];
                    value[..bytes.len()].copy_from_slice(bytes);
                    let value = self.width().address(u64::from_le_bytes(value));
                    let aligned = value.0.is_multiple_of(POOL_ALIGNMENT);
                    if aligned && reader.is_kernel(value) && !(from..to).contains(&value) {
                        found.push((VirtualAddress(place + number as u64 * word), value));
                    }
                }
            }
            place = next;
        }
        found
    }

    /// The request at an address, if one lies there: its type, and a stack
    /// location that it has.
    pub fn irp(&self, address: VirtualAddress) -> Option<Irp> {
        let layout = &self.layout().irp;
        let value = |member| self.member(address, member);
        let count =
            value(layout.stack_count).filter(|count| (1..=MOST_LOCATIONS).contains(count))?;
        let location = value(layout.current_location).filter(|at| *at <= count + 1)?;
        if value(layout.kind)? != TYPE_IRP {
            return None;
        }
        Some(Irp {
            address,
            thread: self.pointer(address, layout.thread),
            user_event: self.pointer(address, layout.user_event),
            cancel: value(layout.cancel).map(|cancel| cancel != 0),
            cancel_routine: self.pointer(address, layout.cancel_routine),
            stack: self.stack_locations(address, location, count),
        })
    }

    fn stack_locations(&self, irp: VirtualAddress, current: u64, count: u64) -> Vec<StackLocation> {
        let first = self.pointer(irp, self.layout().irp.stack_location);
        let (Some(first), Some(stride)) = (first, self.layout().stack_location.size) else {
            return Vec::new();
        };
        (current..=count)
            .map(|number| {
                let address = at(first, (number - current) * stride);
                self.stack_location(address, number == current)
            })
            .collect()
    }

    fn stack_location(&self, address: VirtualAddress, current: bool) -> StackLocation {
        let layout = &self.layout().stack_location;
        let device = self.pointer(address, layout.device);
        let found = device.and_then(|device| self.device(device));
        let file = self.pointer(address, layout.file);
        StackLocation {
            address,
            current,
            major: self.member(address, layout.major),
            minor: self.member(address, layout.minor),
            device,
            driver: found.as_ref().and_then(|found| found.driver),
            driver_start: found.as_ref().and_then(|found| found.start),
            driver_name: found.and_then(|found| found.name),
            file,
            file_event: file
                .zip(self.layout().file.event)
                .map(|(file, event)| at(file, event.offset)),
            completion_routine: self.pointer(address, layout.completion_routine),
            context: self.pointer(address, layout.context),
        }
    }

    fn device(&self, device: VirtualAddress) -> Option<Device> {
        let layout = &self.layout().device;
        if self.member(device, layout.kind)? != TYPE_DEVICE {
            return None;
        }
        let of = &self.layout().driver;
        let driver = self
            .pointer(device, layout.driver)
            .filter(|driver| self.member(*driver, of.kind) == Some(TYPE_DRIVER));
        let name = driver.zip(of.name).and_then(|(driver, name)| {
            let text = self.reader().unicode_string(at(driver, name.offset)).ok()?;
            Some(text).filter(|text| !text.is_empty())
        });
        let start = driver.and_then(|driver| self.pointer(driver, of.start));
        Some(Device { driver, name, start })
    }
}

//! Executive resources (`ERESOURCE`): locks with readers and writers.

use std::collections::HashSet;

use memory::VirtualAddress;
use nt::kdbg;
use serde::Serialize;

use crate::kernel::Kernel;
use crate::layout::Member;
use crate::list::{self, ListEnd};
use crate::reader::at;

/// Resources that are listed at most: a busy server has some 100,000.
const MOST: usize = 1 << 20;
/// Owners of one resource that are listed at most.
const MOST_OWNERS: u64 = 1 << 16;
/// Waiters in one chain that are followed at most.
const MOST_WAITERS: usize = 1 << 16;

/// Bits of an owner that are no part of an address: threads are aligned.
pub(crate) const OWNER_FLAGS: u64 = 3;
/// Bytes of an entry of a chain of waiters in which the object that its thread
/// waits for may begin.
pub const CHAIN_ENTRY: u64 = 0x40;
/// `Flag`: owned by one writer. (WDK, `wdm.h`: `ResourceOwnedExclusive`.)
const OWNED_EXCLUSIVE: u64 = 0x80;

/// Who owns a resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ResourceOwner {
    /// The owner's address without its flags.
    #[serde(serialize_with = "crate::hex")]
    pub owner: VirtualAddress,
    /// The two low bits: 0 for the thread itself; 3 for an address that a
    /// driver gave in its place (`ExSetResourceOwnerPointer`), which may be a thread or not.
    pub flags: u8,
    /// How often it was taken.
    pub count: Option<u64>,
    /// Where this stands.
    #[serde(serialize_with = "crate::hex")]
    pub entry: VirtualAddress,
}

/// A resource that is owned or waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Resource {
    /// Where it lies.
    #[serde(serialize_with = "crate::hex")]
    pub address: VirtualAddress,
    /// Whether its one owner is a writer.
    pub exclusive: Option<bool>,
    /// Its owners.
    pub owners: Vec<ResourceOwner>,
    /// SharedWaiters: where the readers wait, in this build's way.
    #[serde(serialize_with = "crate::hex_option")]
    pub shared_waiters: Option<VirtualAddress>,
    /// ExclusiveWaiters: where the writers wait.
    #[serde(serialize_with = "crate::hex_option")]
    pub exclusive_waiters: Option<VirtualAddress>,
    /// NumberOfSharedWaiters.
    pub shared_waiter_count: Option<u64>,
    /// NumberOfExclusiveWaiters.
    pub exclusive_waiter_count: Option<u64>,
}

/// The resources of a dump that are owned or waited for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Resources {
    /// In the order of the list.
    pub resources: Vec<Resource>,
    /// How many there are in all, owned or not.
    pub total: usize,
    /// Why the list ended.
    pub end: ListEnd,
    /// Entries that the next one does not point back to.
    pub blink_mismatches: u32,
}

impl Resource {
    /// Whether somebody waits for it.
    pub fn has_waiters(&self) -> bool {
        let some = |count: Option<u64>| count.is_some_and(|count| count != 0);
        some(self.shared_waiter_count) || some(self.exclusive_waiter_count)
    }
}

impl Kernel<'_> {
    /// Walks the list of resources. `None` when the dump does not tell where
    /// it begins or how a resource is laid out.
    pub fn resources(&self) -> Option<Resources> {
        let links = self.layout().resource.links?;
        self.layout().resource.owner_entry?;
        let ring = self.resource_links()?;
        let start = |link: &VirtualAddress| VirtualAddress(link.0.wrapping_sub(links.offset));
        let all = ring.entries.iter().map(start).map(|address| self.resource(address));
        let resources = all.filter(|one| !one.owners.is_empty() || one.has_waiters()).collect();
        Some(Resources {
            resources,
            total: ring.entries.len(),
            end: ring.end,
            blink_mismatches: ring.blink_mismatches,
        })
    }

    /// The list of resources, where the debugger block tells of it.
    pub(crate) fn resource_links(&self) -> Option<list::List> {
        let head = self.block()?.address_of(kdbg::EXP_SYSTEM_RESOURCES_LIST)?;
        Some(list::walk(&self.reader(), head, MOST))
    }

    /// The resource at an address.
    pub fn resource(&self, address: VirtualAddress) -> Resource {
        let layout = &self.layout().resource;
        Resource {
            address,
            exclusive: self.member(address, layout.flag).map(|flag| flag & OWNED_EXCLUSIVE != 0),
            owners: self.resource_owners(address),
            shared_waiters: self.pointer(address, layout.shared_waiters),
            exclusive_waiters: self.pointer(address, layout.exclusive_waiters),
            shared_waiter_count: self.member(address, layout.shared_waiter_count),
            exclusive_waiter_count: self.member(address, layout.exclusive_waiter_count),
        }
    }

    /// The owner in the resource itself, then those in its table, of which the
    /// first entry only holds the table's size.
    fn resource_owners(&self, resource: VirtualAddress) -> Vec<ResourceOwner> {
        let layout = &self.layout().resource;
        let owner = &self.layout().owner;
        let active = |member| self.member(resource, member);
        if active(layout.active_entries).or_else(|| active(layout.active_count)) == Some(0) {
            return Vec::new();
        }
        let own = layout.owner_entry.map(|entry| at(resource, entry.offset));
        let table = self.pointer(resource, layout.owner_table);
        let rest = table.zip(owner.size).into_iter().flat_map(|(table, stride)| {
            let count = self.member(table, owner.table_size).unwrap_or(0).min(MOST_OWNERS);
            let steps = (1..count).take_while(|_| self.reader().step());
            steps.map(move |number| at(table, number * stride))
        });
        own.into_iter().chain(rest).filter_map(|entry| self.resource_owner(entry)).collect()
    }

    fn resource_owner(&self, entry: VirtualAddress) -> Option<ResourceOwner> {
        let layout = &self.layout().owner;
        let value = self.member(entry, layout.thread)?;
        let owner = VirtualAddress(value & !OWNER_FLAGS);
        self.reader().is_kernel(owner).then(|| ResourceOwner {
            owner,
            flags: (value & OWNER_FLAGS) as u8,
            count: self.member(entry, layout.count),
            entry,
        })
    }

    /// The addresses in a chain of waiters: each first word leads to the next.
    /// Builds that have chains keep them in the waiters' own stacks.
    pub fn waiter_chain(&self, first: VirtualAddress) -> Vec<VirtualAddress> {
        let mut chain = Vec::new();
        let mut seen = HashSet::new();
        let mut next = Some(first);
        while let Some(node) = next
            .filter(|node| chain.len() < MOST_WAITERS && seen.insert(*node))
            .filter(|_| self.reader().step())
        {
            chain.push(node);
            next = self.reader().kernel_pointer(node).ok().flatten();
        }
        chain
    }

    /// The owner of a fast mutex whose event is waited for, and the mutex.
    pub fn fast_mutex_of(&self, event: VirtualAddress) -> Option<(VirtualAddress, VirtualAddress)> {
        let layout = &self.layout().fast_mutex;
        let mutex = VirtualAddress(event.0.wrapping_sub(layout.event?.offset));
        Some((mutex, self.pointer(mutex, layout.owner)?))
    }

    /// Members that say which lock entries there are in a thread.
    pub(crate) fn lock_entry_array(&self) -> Option<(Member, u64)> {
        Some((self.layout().thread.lock_entries?, self.layout().lock_entry.size?))
    }
}

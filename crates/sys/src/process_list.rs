//! Reading SystemProcessInformation, as a pure function over the bytes that the kernel filled.
//!
//! Source of the offsets: the `SYSTEM_PROCESS_INFORMATION` and
//! `SYSTEM_THREAD_INFORMATION` structures of `winternl.h` and the phnt
//! headers, 64-bit. The names lie in the same buffer, by address.

use machine::{Process, Thread};

use crate::bytes::{u16_at, u32_at, u64_at};

mod process_at {
    pub(super) const NEXT: usize = 0x00;
    pub(super) const THREADS: usize = 0x04;
    pub(super) const WORKING_SET_PRIVATE: usize = 0x08;
    pub(super) const CREATED: usize = 0x20;
    pub(super) const NAME_LENGTH: usize = 0x38;
    pub(super) const NAME_ADDRESS: usize = 0x40;
    pub(super) const PID: usize = 0x50;
    pub(super) const PARENT: usize = 0x58;
    pub(super) const SESSION: usize = 0x64;
    pub(super) const WORKING_SET: usize = 0x90;
    pub(super) const SIZE: usize = 0x100;
}

mod thread_at {
    pub(super) const KERNEL_TIME: usize = 0x00;
    pub(super) const USER_TIME: usize = 0x08;
    pub(super) const CREATED: usize = 0x10;
    pub(super) const WAIT_TIME: usize = 0x18;
    pub(super) const START: usize = 0x20;
    pub(super) const PID: usize = 0x28;
    pub(super) const TID: usize = 0x30;
    pub(super) const PRIORITY: usize = 0x38;
    pub(super) const SWITCHES: usize = 0x40;
    pub(super) const STATE: usize = 0x44;
    pub(super) const REASON: usize = 0x48;
    pub(super) const SIZE: usize = 0x50;
}

/// One process of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    pub(crate) process: Process,
    pub(crate) private_working_set: u64,
    threads: &'a [u8],
}

impl Entry<'_> {
    /// Its threads, as many as are really there.
    pub(crate) fn threads(&self) -> impl Iterator<Item = Thread> {
        self.threads.chunks_exact(thread_at::SIZE).filter_map(thread)
    }
}

/// The processes in `bytes`, which the kernel believed to lie at `address`.
pub(crate) fn entries(bytes: &[u8], address: u64) -> impl Iterator<Item = Entry<'_>> {
    let mut at = Some(0_usize);
    std::iter::from_fn(move || {
        let here = at?;
        let (entry, next) = entry(bytes, here, address)?;
        // Forward by at least one structure: nothing else ends for certain.
        at = (next >= process_at::SIZE).then(|| here.checked_add(next)).flatten();
        Some(entry)
    })
}

fn entry(bytes: &[u8], at: usize, address: u64) -> Option<(Entry<'_>, usize)> {
    let own = bytes.get(at..)?;
    own.get(..process_at::SIZE)?;
    let next = usize::try_from(u32_at(own, process_at::NEXT)?).ok()?;
    let own = if next == 0 { own } else { own.get(..next).unwrap_or(own) };
    let pid = id(u64_at(own, process_at::PID)?);
    let count = u32_at(own, process_at::THREADS)?;
    let room = own.get(process_at::SIZE..).unwrap_or_default();
    let wanted = usize::try_from(count).ok()?.saturating_mul(thread_at::SIZE);
    let process = Process {
        pid,
        parent: id(u64_at(own, process_at::PARENT)?),
        name: name(bytes, own, address).unwrap_or_else(|| unnamed(pid)),
        session: u32_at(own, process_at::SESSION)?,
        threads: count,
        created: u64_at(own, process_at::CREATED)?,
        working_set: u64_at(own, process_at::WORKING_SET)?,
    };
    let private_working_set = u64_at(own, process_at::WORKING_SET_PRIVATE)?;
    let threads = &room[..wanted.min(room.len())];
    Some((Entry { process, private_working_set, threads }, next))
}

/// Ids are pointer-sized in the structure and 32 bits wide everywhere else.
fn id(value: u64) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

fn name(bytes: &[u8], own: &[u8], address: u64) -> Option<String> {
    let length = usize::from(u16_at(own, process_at::NAME_LENGTH)?);
    let start = u64_at(own, process_at::NAME_ADDRESS)?.checked_sub(address)?;
    let start = usize::try_from(start).ok()?;
    let text = bytes.get(start..start.checked_add(length)?).filter(|text| !text.is_empty())?;
    let units = text.chunks_exact(2).map(|unit| u16::from_le_bytes([unit[0], unit[1]]));
    Some(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

/// The idle process has no name, and some lists give System none.
fn unnamed(pid: u32) -> String {
    match pid {
        0 => "Idle".into(),
        4 => "System".into(),
        _ => String::new(),
    }
}

fn thread(bytes: &[u8]) -> Option<Thread> {
    Some(Thread {
        tid: id(u64_at(bytes, thread_at::TID)?),
        pid: id(u64_at(bytes, thread_at::PID)?),
        state: u32_at(bytes, thread_at::STATE)?,
        wait_reason: u32_at(bytes, thread_at::REASON)?,
        wait_time_raw: u32_at(bytes, thread_at::WAIT_TIME)?,
        kernel_time: u64_at(bytes, thread_at::KERNEL_TIME)?,
        user_time: u64_at(bytes, thread_at::USER_TIME)?,
        created: u64_at(bytes, thread_at::CREATED)?,
        start_address: u64_at(bytes, thread_at::START)?,
        priority: u32_at(bytes, thread_at::PRIORITY)?.cast_signed(),
        context_switches: u32_at(bytes, thread_at::SWITCHES)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: u64 = 0x1_0000_0000;

    fn put<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) {
        bytes[at..at + N].copy_from_slice(&value);
    }

    /// One entry as the kernel lays it out: structure, threads, name.
    fn made(at: usize, pid: u64, name: &str, tids: &[u64]) -> Vec<u8> {
        let text: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let name_at = 0x100 + tids.len() * 0x50;
        let mut bytes = vec![0; (name_at + text.len()).next_multiple_of(8)];
        put(&mut bytes, 4, (tids.len() as u32).to_le_bytes());
        put(&mut bytes, 8, 4096_u64.to_le_bytes());
        put(&mut bytes, 0x38, (text.len() as u16).to_le_bytes());
        let shown = if name.is_empty() { 0 } else { ADDRESS + (at + name_at) as u64 };
        put(&mut bytes, 0x40, shown.to_le_bytes());
        put(&mut bytes, 0x50, pid.to_le_bytes());
        put(&mut bytes, 0x58, 4_u64.to_le_bytes());
        put(&mut bytes, 0x64, 1_u32.to_le_bytes());
        put(&mut bytes, 0x90, 81_920_u64.to_le_bytes());
        for (index, tid) in tids.iter().enumerate() {
            let thread = &mut bytes[0x100 + index * 0x50..];
            put(thread, 0x18, 77_u32.to_le_bytes());
            put(thread, 0x28, pid.to_le_bytes());
            put(thread, 0x30, tid.to_le_bytes());
            put(thread, 0x38, (-2_i32).to_le_bytes());
            put(thread, 0x44, 5_u32.to_le_bytes());
            put(thread, 0x48, 13_u32.to_le_bytes());
        }
        bytes[name_at..name_at + text.len()].copy_from_slice(&text);
        bytes
    }

    fn list(parts: &[(u64, &str, Vec<u64>)]) -> Vec<u8> {
        let mut bytes: Vec<u8> = Vec::new();
        for (index, (pid, name, tids)) in parts.iter().enumerate() {
            let at = bytes.len();
            let mut entry = made(at, *pid, name, tids);
            if index + 1 < parts.len() {
                let length = entry.len() as u32;
                put(&mut entry, 0, length.to_le_bytes());
            }
            bytes.extend(entry);
        }
        bytes
    }

    #[test]
    fn processes_and_threads_come_in_the_systems_order() {
        let bytes = list(&[
            (0, "", vec![0]),
            (4, "System", vec![8, 12]),
            (1234, "svchöst.exe", vec![5, 6, 7]),
        ]);
        let found: Vec<_> = entries(&bytes, ADDRESS).collect();
        let names: Vec<_> = found.iter().map(|one| (one.process.pid, &*one.process.name)).collect();
        assert_eq!(names, [(0, "Idle"), (4, "System"), (1234, "svchöst.exe")]);
        let last = &found[2];
        assert_eq!((last.process.session, last.process.working_set), (1, 81_920));
        assert_eq!((last.private_working_set, last.process.parent), (4096, 4));
        let threads: Vec<_> = last.threads().collect();
        assert_eq!(threads.iter().map(|one| one.tid).collect::<Vec<_>>(), [5, 6, 7]);
        assert_eq!((threads[0].pid, threads[0].state, threads[0].wait_reason), (1234, 5, 13));
        assert_eq!((threads[0].priority, threads[0].wait_time_raw), (-2, 77));
    }

    #[test]
    fn ten_thousand_threads_in_one_process_are_all_there() {
        let bytes = list(&[(8, "many.exe", (1..=10_000).collect())]);
        let found: Vec<_> = entries(&bytes, ADDRESS).collect();
        assert_eq!(found[0].threads().count(), 10_000);
        assert_eq!(found[0].threads().last().unwrap().tid, 10_000);
    }

    #[test]
    fn a_list_cut_anywhere_ends_and_lists_no_more_than_is_there() {
        let bytes =
            list(&[(4, "System", vec![8]), (8, "a.exe", vec![1, 2]), (12, "b.exe", vec![3])]);
        for cut in 0..bytes.len() {
            let found: Vec<_> = entries(&bytes[..cut], ADDRESS).collect();
            assert!(found.len() <= 3);
            assert!(found.iter().map(|one| one.threads().count()).sum::<usize>() * 0x50 <= cut);
        }
    }

    #[test]
    fn wild_offsets_counts_and_names_do_no_harm() {
        let good = list(&[(4, "System", vec![8]), (8, "a.exe", vec![1, 2])]);
        for at in (0..0x100).step_by(4) {
            for wild in [0_u32, 1, 4, 0xFF, 0x7FFF_FFFF, 0x8000_0000, u32::MAX] {
                let mut bytes = good.clone();
                put(&mut bytes, at, wild.to_le_bytes());
                for entry in entries(&bytes, ADDRESS) {
                    assert!(entry.threads().count() <= bytes.len() / 0x50);
                }
            }
        }
    }
}

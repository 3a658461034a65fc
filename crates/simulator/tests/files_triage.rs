//! Triage files of both classes, and secondary data, at the offsets of the specification.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod files_support;

use files_support::{WITH_KERNEL, u16_at, u32_at, u64_at};
use simulator::files::{Answer, Blob, DumpFile, FileSpec, Hazard, Kind, Machine};

const CLASSES: [Kind; 2] = [Kind::Triage, Kind::TriageLater];

struct Triage {
    file: DumpFile,
    bytes: Vec<u8>,
    narrow: bool,
    base: usize,
}

impl Triage {
    fn new(kind: Kind, machine: Machine, hazards: &[Hazard]) -> Self {
        let spec = hazards.iter().fold(FileSpec::new(kind, machine), |spec, h| spec.with(*h));
        let file = spec.build();
        let bytes = file.bytes();
        let narrow = machine.is_32_bit();
        Self { file, bytes, narrow, base: if narrow { 0x1000 } else { 0x2000 } }
    }

    fn field(&self, at: usize) -> usize {
        u32_at(&self.bytes, self.base + at) as usize
    }

    fn pick(&self, narrow: usize, wide: usize) -> usize {
        if self.narrow { narrow } else { wide }
    }

    fn pointer(&self, at: usize) -> u64 {
        if self.narrow { u32_at(&self.bytes, at).into() } else { u64_at(&self.bytes, at) }
    }

    /// Address, offset, size.
    fn table(&self) -> Vec<(u64, usize, usize)> {
        let at = self.pick(0x60, 0x78);
        let (table, count) = (self.field(at), self.field(at + 4));
        let entry = |at| {
            let size = u32_at(&self.bytes, at + 12) as usize;
            (u64_at(&self.bytes, at), u32_at(&self.bytes, at + 8) as usize, size)
        };
        (0..count).map(|n| entry(table + n * 16)).collect()
    }

    /// All that stands for memory, addresses cut to the machine's width; the first wins.
    fn memory(&self) -> Vec<(u64, &[u8])> {
        let mask = if self.narrow { 0xFFFF_FFFF } else { u64::MAX };
        let mut memory: Vec<(u64, &[u8])> = self
            .table()
            .into_iter()
            .map(|(address, at, size)| (address & mask, &self.bytes[at..at + size]))
            .collect();
        let debugger = self.pick(0x58, 0x70);
        let processors = self.file.truth().kernel_base + 0x1100;
        let width = self.pick(4, 8);
        let number = |bytes: &[u8]| {
            bytes[..width].iter().rev().fold(0u64, |value, byte| value << 8 | u64::from(*byte))
        };
        let listed = memory.iter().find(|(address, _)| *address == processors).unwrap();
        let prcb = number(listed.1);
        let prcb_at = self.field(0x1C);
        let thread = number(&self.bytes[prcb_at + 8..]);
        let thread_at = self.field(0x24);
        let process = number(&self.bytes[thread_at + 0xB8..]);
        for (address, at, size) in [
            (self.pointer(self.pick(0x60, 0x80)), self.field(debugger), self.field(debugger + 4)),
            (prcb, prcb_at, 0x800),
            (process, self.field(0x20), 0xA40),
            (thread, thread_at, 0x898),
            (self.pointer(self.base + 0x48), self.field(0x28), self.field(0x2C)),
        ] {
            memory.push((address, &self.bytes[at..at + size]));
        }
        memory
    }
}

#[test]
fn every_known_address_has_its_bytes_in_a_block_or_a_piece() {
    for machine in WITH_KERNEL {
        for kind in CLASSES {
            for hazards in [&[][..], &[Hazard::OverlappingBlocks, Hazard::ConflictingBlocks]] {
                let triage = Triage::new(kind, machine, hazards);
                let memory = triage.memory();
                assert!(triage.file.truth().known.len() > 14);
                for known in &triage.file.truth().known {
                    let Answer::Bytes { physical: None, bytes } = &known.answer else { panic!() };
                    for (address, byte) in (known.virtual_address..).zip(bytes) {
                        let holds = memory.iter().find(|(start, bytes)| {
                            *start <= address && address - start < bytes.len() as u64
                        });
                        let (start, there) = holds.unwrap();
                        let what = format!("{machine:?} {kind:?} {}: {address:x}", known.name);
                        assert_eq!(there[(address - start) as usize], *byte, "{what}");
                    }
                }
            }
        }
    }
}

#[test]
fn the_end_mark_stands_behind_the_last_piece_and_the_blobs_behind_it() {
    for machine in WITH_KERNEL {
        for kind in CLASSES {
            let triage = Triage::new(kind, machine, &[]);
            let (size, valid) = (triage.field(0x04), triage.field(0x08));
            assert_eq!(size, valid + 4);
            assert_eq!(&triage.bytes[valid..size], b"TRGD");
            assert_eq!(&triage.bytes[size..size + 8], b"DumpBlob");
            assert_eq!(u64_at(&triage.bytes, 0xFA0), triage.bytes.len() as u64);
        }
    }
    let cut = Triage::new(Kind::Triage, Machine::X64, &[Hazard::NoEndMark]);
    assert_eq!(u32_at(&cut.bytes, cut.field(0x08)), 0);
    let seven = Triage::new(Kind::Triage, Machine::X86Pae, &[Hazard::FixedSize]);
    assert_eq!(seven.field(0x04), 0x4_0000);
    assert_eq!(&seven.bytes[0x3_FFFC..0x4_0000], b"TRGD");
}

#[test]
fn the_classes_differ_as_real_files_do() {
    let kernel = Triage::new(Kind::Triage, Machine::X64, &[]);
    let later = Triage::new(Kind::TriageLater, Machine::X64, &[]);
    let of = |t: &Triage| (u32_at(&t.bytes, 0x1038), t.field(0x44), u32_at(&t.bytes, 0x1050));
    assert_eq!(of(&kernel), (0xCFF, 0xFFFF_FFFF, 0x8));
    assert_eq!(of(&later), (0xDFF, 0x41, 0xC));
    assert_eq!((kernel.field(0x14), &kernel.bytes[0x88..0x8C]), (0x2080, &b"PAGE"[..]));
    assert_ne!(&later.bytes[0x88..0x8C], b"PAGE");
    assert_eq!(kernel.file.truth().drivers[0], r"\SystemRoot\system32\ntoskrnl.exe");
    assert_eq!(later.file.truth().drivers[0], "ntoskrnl.exe");
    let offsets = |t: &Triage| {
        let [mm, prcb, stack] = [0x14, 0x1C, 0x28].map(|at| t.field(at));
        (mm < prcb && prcb < stack, stack < prcb && prcb < mm)
    };
    assert_eq!((offsets(&kernel), offsets(&later)), ((true, false), (false, true)));
}

#[test]
fn drivers_have_their_names_sizes_and_stamps() {
    for machine in WITH_KERNEL {
        for kind in CLASSES {
            let triage = Triage::new(kind, machine, &[]);
            let (list, count, names) = (triage.field(0x30), triage.field(0x34), &triage.bytes);
            assert_eq!(count, triage.file.truth().drivers.len());
            for (number, expected) in triage.file.truth().drivers.iter().enumerate() {
                let entry = list + number * triage.pick(0x4C, 0x90);
                let name = u32_at(names, entry) as usize;
                let pool = triage.field(0x38)..triage.field(0x38) + triage.field(0x3C);
                assert!(pool.contains(&name));
                let length = u32_at(names, name) as usize;
                let units: Vec<u16> =
                    (0..length).map(|n| u16_at(names, name + 4 + n * 2)).collect();
                assert_eq!(&String::from_utf16(&units).unwrap(), expected);
                assert_eq!(u16_at(names, name + 4 + length * 2), 0);
                let base = triage.pointer(entry + triage.pick(0x1C, 0x38));
                assert_eq!(base, triage.file.truth().kernel_base + number as u64 * 0x6000);
                let stamp = u32_at(names, entry + triage.pick(0x48, 0x88));
                assert_eq!(stamp, 0x5117_A7ED + number as u32);
                assert_ne!(u32_at(names, entry + triage.pick(0x24, 0x48)), 0);
            }
        }
    }
}

#[test]
fn unloaded_drivers_are_counted_and_later_files_keep_room_for_50() {
    for machine in WITH_KERNEL {
        for (kind, many) in CLASSES.into_iter().flat_map(|kind| [(kind, false), (kind, true)]) {
            let hazards = if many { &[Hazard::ManyUnloaded][..] } else { &[] };
            let triage = Triage::new(kind, machine, hazards);
            let at = triage.field(0x18);
            let count = u32_at(&triage.bytes, at) as usize;
            assert_eq!(count, if many { 50 } else { 3 });
            for (number, name) in triage.file.truth().unloaded.iter().enumerate() {
                let entry = at + triage.pick(4, 8) + number * triage.pick(0x28, 0x38);
                let text = entry + triage.pick(8, 0x10);
                let units: Vec<u16> =
                    (0..12).map(|n| u16_at(&triage.bytes, text + n * 2)).collect();
                let stored = String::from_utf16(&units).unwrap();
                assert_eq!(stored.trim_end_matches('\0'), name);
                let range = entry + triage.pick(0x20, 0x28);
                let (start, end) =
                    (triage.pointer(range), triage.pointer(range + triage.pick(4, 8)));
                assert_eq!(end - start, 0x8000);
            }
            assert_eq!(triage.file.truth().unloaded[0], "unloadedlong");
            if kind == Kind::TriageLater {
                let room = 50 * triage.pick(0x28, 0x38) + triage.pick(4, 8);
                let next = triage.field(triage.pick(0x58, 0x70));
                assert_eq!(next, at + room, "the debugger block follows");
            }
        }
    }
}

#[test]
fn blocks_are_neither_sorted_nor_aligned_and_32_bit_addresses_are_sign_extended() {
    for machine in WITH_KERNEL {
        for kind in CLASSES {
            let triage = Triage::new(kind, machine, &[]);
            let table = triage.table();
            assert!(!table.is_sorted(), "by address");
            assert!(
                table
                    .iter()
                    .any(|(address, at, size)| address % 8 != 0 && at % 4 != 0 && *size > 1)
            );
            assert!(table.iter().any(|(.., size)| *size == 1));
            let half = if triage.narrow { 0xFFFF_FFFF_8000_0000 } else { 0xFFFF_8000_0000_0000 };
            assert!(table.iter().all(|(address, ..)| *address >= half));
            let blocks = &triage.file.truth().blocks;
            let told: Vec<_> =
                blocks.iter().map(|b| (b.address, b.offset as usize, b.size as usize)).collect();
            assert_eq!(told, table);
        }
    }
}

#[test]
fn a_conflicting_block_comes_later_with_other_bytes_and_a_wrapping_one_ends_past_the_end() {
    let hazards = [Hazard::ConflictingBlocks, Hazard::WrappingBlock];
    let triage = Triage::new(Kind::Triage, Machine::X64, &hazards);
    let table = triage.table();
    let (heads, conflicting) = (table[5], table[table.len() - 2]);
    assert_eq!(conflicting.0, heads.0 + 8);
    assert_eq!(triage.bytes[conflicting.1], !triage.bytes[heads.1 + 8]);
    let (address, _, size) = table[table.len() - 1];
    assert_eq!(address.checked_add(size as u64), None);
}

#[test]
fn the_call_stack_starts_at_top_of_stack_and_the_context_agrees() {
    for (machine, sp, pc) in [
        (Machine::X64, 0x348 + 0x98, 0x348 + 0xF8),
        (Machine::Arm64, 0x348 + 0x100, 0x348 + 0x108),
        (Machine::X86, 0x320 + 0xC4, 0x320 + 0xB8),
    ] {
        let triage = Triage::new(Kind::Triage, machine, &[]);
        let (top, stack) = triage.file.truth().call_stack.as_ref().unwrap();
        assert_eq!(triage.pointer(triage.base + 0x48), *top);
        assert_eq!((triage.pointer(sp), triage.field(0x2C)), (*top, stack.len()));
        assert_eq!((top + stack.len() as u64) % 0x1000, 0, "up to the stack's base");
        assert_eq!(triage.pointer(pc), triage.file.truth().kernel_base + 0x3010);
    }
}

#[test]
fn a_data_page_is_told_in_the_header_s_own_fields() {
    for (machine, at) in [(Machine::X64, [0x60, 0x68, 0x6C]), (Machine::X86, [0x4C, 0x50, 0x54])] {
        let triage = Triage::new(Kind::Triage, machine, &[Hazard::DataPage]);
        let known = &triage.file.truth().known;
        let page = known.iter().find(|known| known.name == "data page").unwrap();
        assert_eq!(triage.pointer(triage.base + at[0]), page.virtual_address);
        let (offset, size) = (triage.field(at[1]), triage.field(at[2]));
        let Answer::Bytes { bytes, .. } = &page.answer else { panic!() };
        assert_eq!((size, &triage.bytes[offset..offset + size]), (0x1000, bytes.as_slice()));
    }
}

/// Tag and data.
type TaggedData = ([u8; 16], Vec<u8>);

/// Every blob, and the offset behind the last.
fn chain(bytes: &[u8], start: usize) -> (Vec<TaggedData>, usize) {
    assert_eq!(&bytes[start..start + 8], b"DumpBlob");
    let mut at = start + u32_at(bytes, start + 8) as usize;
    let mut blobs = Vec::new();
    while at + 0x20 <= bytes.len() && u32_at(bytes, at) == 0x20 {
        let [size, before, after] =
            [0x14, 0x18, 0x1C].map(|field| u32_at(bytes, at + field) as usize);
        let data = at + 0x20 + before;
        let tag = bytes[at + 4..at + 0x14].try_into().unwrap();
        blobs.push((tag, bytes[data..data + size].to_vec()));
        at = data + size + after;
    }
    (blobs, at)
}

#[test]
fn blobs_of_every_size_and_padding_chain_to_the_end_of_the_file() {
    let odd = vec![
        Blob::new([1; 16], Vec::new()),
        Blob::padded([2; 16], vec![2; 13]),
        Blob { before: 5, after: 3, ..Blob::new([3; 16], vec![3; 9]) },
        Blob::new([4; 16], vec![4; 7]),
    ];
    for kind in [Kind::Full, Kind::BitmapKernel, Kind::Triage, Kind::TriageLater, Kind::Header] {
        let file = FileSpec::new(kind, Machine::X64).blobs(odd.clone()).build();
        let bytes = file.bytes();
        let start = bytes.windows(8).rposition(|w| w == b"DumpBlob").unwrap();
        let (blobs, end) = chain(&bytes, start);
        let expected: Vec<_> = odd.iter().map(|blob| (blob.tag, blob.data.clone())).collect();
        assert_eq!((blobs, end), (expected, bytes.len()), "{kind:?}");
        for (place, blob) in file.truth().blobs.iter().zip(&odd) {
            let at = place.offset as usize;
            assert_eq!(bytes[at..at + place.size as usize], blob.data);
        }
    }
}

#[test]
fn usual_blobs_are_padded_by_the_kernel_only_and_end_with_the_build() {
    for (kind, machine, aligned) in [
        (Kind::Full, Machine::X64, true),
        (Kind::Triage, Machine::Arm64, true),
        (Kind::TriageLater, Machine::X64, false),
        (Kind::Triage, Machine::X86, false),
    ] {
        let file = FileSpec::new(kind, machine).with(Hazard::SlackTail(0x40)).build();
        let bytes = file.bytes();
        let start = bytes.windows(8).rposition(|w| w == b"DumpBlob").unwrap();
        let (blobs, end) = chain(&bytes, start);
        assert_eq!((blobs[1].1.len(), blobs[2].1.len()), (0, 8));
        let (_, build) = blobs.last().unwrap();
        assert_eq!((&build[..2], u32_at(build, 4)), (&b"Zb"[..], 0xF000_4A61));
        assert_eq!(end + 0x40, bytes.len(), "slack behind the chain");
        let offsets = file.truth().blobs.iter().map(|place| place.offset - start as u64);
        assert_eq!(offsets.into_iter().all(|at| at % 8 == 0), aligned, "{kind:?}");
    }
}

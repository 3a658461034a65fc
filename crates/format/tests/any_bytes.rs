//! Any bytes give an answer, and never a panic.
// Helpers of tests may unwrap as tests do.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::LazyLock;

use common::{Image, add_blobs, full, small_bitmap, small_triage};
use format::{Dump, Level, info, verify};
use memory::{PageFrame, PhysicalAddress, PhysicalMemory, VirtualAddress, VirtualMemory};
use proptest::prelude::*;

static SEEDS: LazyLock<Vec<Image>> = LazyLock::new(|| {
    let mut seeds = vec![small_bitmap(), small_triage().0, full(&[(1, 2), (9, 1)])];
    // The bytes of the simulator's files, which have kernels in them.
    let made = simulator::files::seeds();
    seeds.extend(made.iter().map(|seed| Image(seed.bytes())));
    for seed in &mut seeds[..3] {
        add_blobs(
            seed,
            &[
                ([7; 16], &[1; 20], 4),
                (common::BUILD_TAG, b"Zb\x02\0\x65\x4A\0\xF0\x09\x0E\0\0", 0),
            ],
        );
    }
    seeds
});

/// Bytes without meaning, the same for the same seed. (A strategy of byte
/// vectors takes minutes where this takes none.)
fn noise(mut state: u64, length: usize) -> Vec<u8> {
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Does everything that can be done with a file.
fn exercise(bytes: &[u8]) {
    let bytes = &bytes;
    verify(bytes, Level::Header);
    let found = verify(bytes, Level::Structure);
    assert!(!found.summary.is_empty());
    verify(bytes, Level::Deep);
    serde_json::to_string(&found).unwrap();
    if let Ok(info) = info(bytes) {
        serde_json::to_string(&info).unwrap();
    }
    let Ok(dump) = Dump::open(bytes) else { return };
    let _ = dump.blobs();
    let _ = dump.runs();
    let _ = (dump.context(), dump.exception());
    exercise_pages(&dump);
    let Ok(triage) = dump.triage() else { return };
    let _ = (triage.drivers().count(), triage.unloaded_drivers(), triage.conflicts());
    let mut buffer = [0; 64];
    for (index, block) in triage.blocks().enumerate() {
        let _ = triage.block_bytes(index);
        let _ = triage.read_virtual(block.address, &mut buffer);
        let _ = triage.covered(block.address, u64::from(block.size) * 2);
    }
    let _ = triage.read_virtual(VirtualAddress(u64::MAX - 3), &mut buffer);
}

fn exercise_pages(dump: &Dump<'_>) {
    let mut buffer = [0; 64];
    if let Ok(pages) = dump.pages() {
        let mut shown = 0;
        let _ = pages.runs(|run| {
            let address = PageFrame(run.base).address();
            let _ = address.map(|address| pages.read_physical(address, &mut buffer));
            shown += 1;
            shown < 1000
        });
        let _ = pages.read_physical(PhysicalAddress(u64::MAX - 3), &mut buffer);
    }
    let Ok(space) = dump.space() else { return };
    let header = dump.header();
    let named = [header.kd_debugger_data_block, header.ps_loaded_module_list];
    for address in named.into_iter().flatten().chain([VirtualAddress(u64::MAX - 3)]) {
        let _ = space.walk(address);
        let _ = space.read_virtual(address, &mut buffer);
    }
}

/// Offsets of fields that steer a reader, and some that do not.
fn offset(length: usize) -> impl Strategy<Value = usize> {
    prop_oneof![
        Just(0xF98_usize),
        Just(0x1050),
        (0_usize..0x20).prop_map(|field| 0x2000 + field * 4),
        (0_usize..0x20).prop_map(|field| 0x1000 + field * 4),
        Just(0xF88),
        Just(0x10),
        (0_usize..0x10).prop_map(|field| 0x88 + field * 4),
        0..length,
    ]
}

fn value() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        (0_u32..64).prop_map(|bit| 1 << bit),
        (0_u64..0x4000),
        (0_u64..16).prop_map(|below| u64::MAX - below),
        (0_u64..16).prop_map(|below| u64::from(u32::MAX) - below),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_dump_gives_an_answer(
        seed in 0_usize..SEEDS.len(),
        changes in prop::collection::vec((offset(0x4000), value(), any::<bool>()), 1..6),
        cut in prop::option::weighted(0.2, 0_usize..0x8000),
    ) {
        let mut image = SEEDS[seed].clone();
        for (offset, value, wide) in changes {
            if wide { image.u64(offset, value) } else { image.u32(offset, value as u32) };
        }
        if let Some(cut) = cut {
            image.0.truncate(cut);
        }
        exercise(&image.0);
    }

    #[test]
    fn noise_gives_an_answer(
        seed in 1..u64::MAX,
        length in 0_usize..0x4000,
        kind in prop::option::of(0_u32..12),
    ) {
        let mut image = Image(noise(seed, length));
        if let Some(kind) = kind {
            image.put(0, b"PAGEDU64").u32(0xF98, kind).u32(0x1050, 0).put(0x2000, b"SDMPDUMP");
        }
        exercise(&image.0);
    }
}

//! Mappings made at random against a model, and tables of arbitrary bytes.

use std::collections::BTreeMap;

use crate::ram::Ram;
use memory::{Paging, PhysicalAddress, Space, TranslateError, VirtualAddress};
use proptest::prelude::*;

const PAGINGS: [Paging; 5] =
    [Paging::X64, Paging::X64FiveLevel, Paging::X86, Paging::X86Pae, Paging::Arm64];

/// Builds four levels from a list of small pages, one table after another.
fn build(pages: &BTreeMap<u64, u64>) -> Ram {
    let mut ram = Ram::default();
    let mut tables = BTreeMap::from([((0, 0), 0x10_0000u64)]);
    ram.put64(0x10_0000, 0);
    for (page, frame) in pages {
        let mut table = 0x10_0000;
        for (depth, shift) in [(1, 27), (2, 18), (3, 9)] {
            let next = 0x10_0000 + tables.len() as u64 * 0x1000;
            let below = *tables.entry((depth, page >> shift)).or_insert(next);
            ram.put64(table + (page >> shift & 511) * 8, below | 3);
            table = below;
        }
        ram.put64(table + (page & 511) * 8, frame << 12 | 3);
    }
    ram
}

fn extended(page: u64) -> VirtualAddress {
    VirtualAddress(((page << 28) as i64 >> 16) as u64)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn random_mappings_translate_as_the_model_says(
        near in prop::collection::btree_map(0xF_8000_0000u64..0xF_8000_2000, 0u64..1 << 36, 1..60),
        far in prop::collection::btree_map(0u64..1 << 36, 0u64..1 << 40, 1..20),
        others in prop::collection::vec(0xF_8000_0000u64..0xF_8000_2000, 20),
        offset in 0u64..4096,
        lends: bool,
    ) {
        let pages: BTreeMap<u64, u64> = near.into_iter().chain(far).collect();
        let mut ram = build(&pages);
        ram.lends = lends;
        let space = Space::new(&ram, Paging::X64, 0x10_0000);
        for round in 0..2 {
            for page in pages.keys().chain(&others) {
                let address = VirtualAddress(extended(*page).0 + offset);
                let expected = pages.get(page).map(|frame| PhysicalAddress(frame << 12 | offset));
                prop_assert_eq!(space.physical(address).ok(), expected, "round {}", round);
                let slow = space.translate(address);
                prop_assert_eq!(slow.ok().map(|found| found.physical), expected);
            }
        }
    }

    #[test]
    fn arbitrary_tables_end_and_the_cache_agrees_with_the_walk(
        entries in prop::collection::vec(
            (any::<u64>(), 0u64..8, any::<u16>(), 0u32..3), 4096..4200),
        addresses in prop::collection::vec(any::<u64>(), 40),
        highest in prop::option::of(0u64..16),
        mask in prop::option::of(any::<u64>()),
        root: u64,
    ) {
        let mut ram = Ram::default();
        for (at, (wild, page, flags, kind)) in (0u64..).zip(entries) {
            let entry = match kind {
                0 => wild,
                1 => page << 12 | u64::from(flags),
                _ => page << 12 | 3,
            };
            ram.put64(at * 8, entry);
        }
        for paging in PAGINGS {
            let mut space = Space::new(&ram, paging, root & 0x7FFF);
            if let Some(frame) = highest {
                space = space.with_highest_frame(memory::PageFrame(frame));
            }
            if let Some(mask) = mask {
                space = space.with_invalid_pte_mask(mask);
            }
            for address in &addresses {
                let unused = 64 - paging.address_bits();
                let address = VirtualAddress((((address << unused) as i64) >> unused) as u64);
                let walk = space.walk(address);
                prop_assert!(walk.levels.len() <= 6);
                let text = |error: TranslateError| error.to_string();
                let slow = walk.outcome.map(|found| found.physical).map_err(text);
                for _ in 0..2 {
                    prop_assert_eq!(&space.physical(address).map_err(text), &slow);
                }
                let _ = space.read_up_to(address, &mut [0; 9000]);
            }
        }
    }
}

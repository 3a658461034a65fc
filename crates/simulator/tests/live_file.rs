//! The bytes of a live dump, at the offsets of the specification.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{healthy_dump, live, machine, u32_at, u64_at};
use machine::{Pages, StructureVersion};

fn stored_pages(file: &[u8]) -> u64 {
    let bits = u64_at(file, 0x2030) as usize;
    file[0x2038..0x2038 + bits / 8].iter().map(|byte| u64::from(byte.count_ones())).sum()
}

#[test]
fn the_header_says_what_it_is() {
    let file = healthy_dump("");
    assert_eq!(&file[..8], b"PAGEDU64");
    assert_eq!(u32_at(&file, 0x0C), 26100);
    assert_eq!(u32_at(&file, 0x30), 0x8664);
    assert_eq!(u32_at(&file, 0x38), 0x161);
    assert_eq!([0x40, 0x48, 0x50, 0x58].map(|at| u64_at(&file, at)), [1, 2, 3, 4]);
    assert_eq!(u32_at(&file, 0xF98), 6);
    assert_eq!(u64_at(&file, 0xFA0), file.len() as u64);
    assert_eq!(u32_at(&file, 0x1050), 0x10);
    assert!(file[0xFB0..].starts_with(b"simulated: healthy\0"));
    assert_eq!(u32_at(&file, 0x348 + 0x34), u32_at(&file, 0x348 + 0x118), "MxCsr, twice");
    assert_eq!(&file[0x60..0x64], b"PAGE", "what is not set is filler");
}

#[test]
fn bitmap_pages_and_length_agree() {
    for scenario in ["", "memory=1g,pool=32m", "arch=arm64", "windows-10-1607", "processors=64"] {
        let file = healthy_dump(scenario);
        assert_eq!(&file[0x2000..0x2008], b"SDMPDUMP");
        let (first, pages, bits) =
            (u64_at(&file, 0x2020), u64_at(&file, 0x2028), u64_at(&file, 0x2030));
        assert_eq!((first % 4096, bits % 64), (0, 0), "{scenario}");
        assert_eq!(pages, stored_pages(&file), "{scenario}");
        let blobs = (first + pages * 4096) as usize;
        assert_eq!(&file[blobs..blobs + 8], b"DumpBlob", "{scenario}");
    }
}

#[test]
fn the_secondary_data_ends_with_the_true_build() {
    let file = healthy_dump("build=26200");
    let zb = file.windows(4).rposition(|w| w == b"Zb\x02\0").unwrap();
    assert_eq!(u32_at(&file, zb + 4), 0xF000_0000 | 26200);
}

#[test]
fn the_same_seed_is_the_same_file_and_another_is_not() {
    assert!(healthy_dump("seed=7") == healthy_dump("seed=7"));
    assert!(healthy_dump("seed=7") != healthy_dump("seed=8"));
}

#[test]
fn user_pages_add_pages_and_stacks_only_takes_them_away() {
    let of = |pages| {
        let (status, file) = live(&machine(""), StructureVersion::V2, pages);
        assert_eq!(status, 0);
        (stored_pages(&file), u32_at(&file, 0x1050))
    };
    let (kernel, _) = of(Pages::default());
    assert!(of(Pages { include_user_space: true, ..Pages::default() }).0 > kernel);
    assert_eq!(of(Pages { hypervisor: true, ..Pages::default() }).0, kernel + 64);
    let (stacks, attributes) = of(Pages { kernel_stacks_only: true, ..Pages::default() });
    assert!(stacks < kernel);
    assert_eq!(attributes, 0x4010);
}

#[test]
fn a_partial_dump_says_so_twice() {
    let (status, file) = live(&machine("partial"), StructureVersion::V2, Pages::default());
    assert_eq!(status, 0x105);
    assert_eq!(u32_at(&file, 0x1050), 0x8010);
    assert_eq!(u64_at(&file, 0x2028), stored_pages(&file));
    assert!(stored_pages(&file) < stored_pages(&healthy_dump("")));
}

#[test]
fn an_encrypted_dump_is_readable_in_its_header_only() {
    let (status, file) = live(&machine("encrypted"), StructureVersion::V2, Pages::default());
    assert_eq!(status, 0);
    assert_eq!(u32_at(&file, 0x1050), 0x110);
    assert_ne!(&file[0x2000..0x2004], b"SDMP");
}

#[test]
fn a_success_can_be_a_lie() {
    let (status, file) = live(&machine("bad-header"), StructureVersion::V2, Pages::default());
    assert_eq!((status, &file[..0x2000]), (0, &[0; 0x2000][..]));
    let (status, file) = live(&machine("truncated"), StructureVersion::V2, Pages::default());
    assert_eq!(status, 0);
    assert_eq!(file.len() as u64, u64_at(&file, 0x2020) + (u64_at(&file, 0x2028) - 1) * 4096);
}

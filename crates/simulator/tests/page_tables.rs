//! Walks through the page tables by hand, on both architectures.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Walk, healthy_dump, live, machine, u16_at, u32_at, u64_at, walk};
use machine::{Pages, StructureVersion};

const USER: u64 = 0x7ff6_0000_0000;
const SHARED_DATA: u64 = 0xffff_f780_0000_0000;

fn at(file: &[u8], address: u64) -> usize {
    match walk(file, u64_at(file, 0x10), address) {
        Walk::At(offset) => offset,
        other => panic!("{address:x}: {other:?}"),
    }
}

fn read64(file: &[u8], address: u64) -> u64 {
    u64_at(file, at(file, address))
}

/// EPROCESS addresses, names and tables of build 26100 on x64.
fn processes(file: &[u8]) -> Vec<(String, u64)> {
    let head = u64_at(file, 0x28);
    let mut found = Vec::new();
    let mut links = read64(file, head);
    while links != head {
        let process = links - 0x1D8;
        let name = at(file, process + 0x338);
        let name = file[name..name + 15].split(|b| *b == 0).next().unwrap();
        found.push((String::from_utf8(name.to_vec()).unwrap(), read64(file, process + 0x28)));
        links = read64(file, links);
    }
    found
}

#[test]
fn an_arm64_machine_is_one_in_header_tables_and_images() {
    let file = healthy_dump("arch=arm64");
    assert_eq!(u32_at(&file, 0x30), 0xAA64);
    assert_eq!(u32_at(&file, 0x348), 0x0040_0007);
    let shared = at(&file, SHARED_DATA);
    assert_eq!((u16_at(&file, shared + 0x2C), u32_at(&file, shared + 0x26C)), (0xAA64, 10));
    let root = walk(&file, u64_at(&file, 0x10), SHARED_DATA);
    assert!(matches!(root, Walk::At(_)));
    let block = at(&file, u64_at(&file, 0x80));
    assert_eq!(&file[block + 0x10..block + 0x14], b"KDBG");
    let kernel = at(&file, u64_at(&file, block + 0x18));
    assert_eq!((&file[kernel..kernel + 2], u16_at(&file, kernel + 0x84)), (&b"MZ"[..], 0xAA64));
    let system = read64(&file, u64_at(&file, 0x28)) - 0x400;
    assert_eq!(read64(&file, system + 0x3F8), 4);
}

#[test]
fn user_pages_are_there_when_asked_for_and_not_those_of_protected_processes() {
    let machine = machine("");
    let kernel = live(&machine, StructureVersion::V2, Pages::default()).1;
    let pages = Pages { include_user_space: true, ..Pages::default() };
    let with_user = live(&machine, StructureVersion::V2, pages).1;
    let of = |file: &[u8], name: &str| {
        let tables = processes(file).into_iter().find(|(n, _)| n == name).unwrap().1;
        assert_eq!(walk(file, tables, SHARED_DATA), walk(file, u64_at(file, 0x10), SHARED_DATA));
        walk(file, tables, USER)
    };
    assert_eq!(of(&kernel, "notepad.exe"), Walk::NotInFile(4), "its page tables are the kernel's");
    assert!(matches!(of(&with_user, "notepad.exe"), Walk::At(_)));
    assert_eq!(of(&with_user, "MsMpEng.exe"), Walk::NotInFile(4));
}

#[test]
fn a_stacks_only_dump_still_leads_to_every_stack() {
    let pages = Pages { kernel_stacks_only: true, ..Pages::default() };
    let (status, file) = live(&machine(""), StructureVersion::V2, pages);
    assert_eq!(status, 0);
    let head = u64_at(&file, 0x28);
    let mut links = read64(&file, head);
    let mut threads = 0;
    while links != head {
        let list = links - 0x1D8 + 0x30;
        let mut entry = read64(&file, list);
        while entry != list {
            let stack = read64(&file, entry - 0x2F8 + 0x58);
            assert_ne!(read64(&file, stack + 0x38), 0);
            threads += 1;
            entry = read64(&file, entry);
        }
        links = read64(&file, links);
    }
    assert!(threads > 100);
    let block = at(&file, u64_at(&file, 0x80));
    let pool = read64(&file, u64_at(&file, block + 0x110));
    assert_eq!(walk(&file, u64_at(&file, 0x10), pool), Walk::NotInFile(3), "the pool's tables");
}

#[test]
fn the_pool_is_mapped_page_by_page_and_is_not_zero() {
    let file = healthy_dump("memory=256m,pool=40m");
    let block = at(&file, u64_at(&file, 0x80));
    let variable = |field| read64(&file, u64_at(&file, block + field));
    let (start, end) = (variable(0x110), variable(0x118));
    assert_eq!(end - start, 40 << 20);
    let mut places: Vec<usize> = (start..end).step_by(4096).map(|page| at(&file, page)).collect();
    assert!(places.iter().all(|place| u64_at(&file, *place) != 0));
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), 10240);
}

#[test]
fn an_encoded_debugger_block_can_be_decoded_by_the_published_rule() {
    let (clear, encoded) = (healthy_dump(""), healthy_dump("encoded-debugger-block"));
    let block = u64_at(&encoded, 0x80);
    let kernel = u64_at(&clear, at(&clear, block) + 0x18);
    let exports = kernel + 0x5000;
    let names = u32_at(&encoded, at(&encoded, exports + 0x18));
    let address_of = |wanted: &str| {
        let number = (0..u64::from(names)).find(|number| {
            let name =
                u32_at(&encoded, at(&encoded, exports + 0x28 + (u64::from(names) + number) * 4));
            let name = at(&encoded, kernel + u64::from(name));
            encoded[name..].starts_with(format!("{wanted}\0").as_bytes())
        });
        kernel + u64::from(u32_at(&encoded, at(&encoded, exports + 0x28 + number.unwrap() * 4)))
    };
    let never = read64(&encoded, address_of("KiWaitNever"));
    let always = read64(&encoded, address_of("KiWaitAlways"));
    let flag = address_of("KdpDataBlockEncoded");
    for field in (0..0x380).step_by(8) {
        let value = read64(&encoded, block + field);
        let turned = (value ^ never).rotate_left(never as u32 & 0xff);
        let decoded = (turned ^ flag).swap_bytes() ^ always;
        assert_eq!(decoded, read64(&clear, block + field), "{field:x}");
    }
    assert_ne!(read64(&encoded, block + 0x10), read64(&clear, block + 0x10));
}

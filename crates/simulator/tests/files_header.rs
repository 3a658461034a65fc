//! Headers of both widths, at the offsets of the specification.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod files_support;

use files_support::{u32_at, u64_at};
use simulator::files::{FileSpec, Hazard, Kind, Machine};

const WIDE: [Machine; 4] = [Machine::X64, Machine::X64FiveLevels, Machine::Arm64, Machine::Ia64];
const NARROW: [Machine; 3] = [Machine::X86Pae, Machine::X86, Machine::Arm32];

#[test]
fn every_machine_s_header_says_what_it_is_and_that_it_is_made() {
    for kind in Kind::ALL {
        for machine in WIDE {
            let file = FileSpec::new(kind, machine).processors(3).build().bytes();
            assert_eq!(&file[..8], b"PAGEDU64");
            let image = u32_at(&file, 0x30);
            assert_eq!((image, u32_at(&file, 0x34)), (machine.image_type().into(), 3));
            assert_eq!(u32_at(&file, 0xF98), kind.dump_type());
            assert!(file[0xFB0..].starts_with(b"simulated"));
            assert_eq!(u64_at(&file, 0xFA8), 134_169_120_000_000_000);
            assert_eq!(&file[0x60..0x64], b"PAGE", "VersionUser");
        }
        for machine in NARROW {
            let file = FileSpec::new(kind, machine).processors(3).build().bytes();
            assert_eq!(&file[..8], b"PAGEDUMP");
            let image = u32_at(&file, 0x20);
            assert_eq!((image, u32_at(&file, 0x24)), (machine.image_type().into(), 3));
            assert_eq!(u32_at(&file, 0xF88), kind.dump_type());
            assert!(file[0x820..].starts_with(b"simulated"));
            assert_eq!(u64_at(&file, 0xFC0), 134_169_120_000_000_000);
            assert_eq!(file[0x5C], u8::from(machine == Machine::X86Pae));
        }
    }
}

#[test]
fn codes_and_parameters_are_as_wide_as_pointers() {
    let of = |machine| {
        let spec = FileSpec::new(Kind::Header, machine);
        spec.bugcheck(0x1000_007E, [1, 2, 3, 4]).build().bytes()
    };
    let (wide, narrow) = (of(Machine::X64), of(Machine::X86));
    assert_eq!((wide.len(), narrow.len()), (0x2000, 0x1000), "a header and nothing else");
    assert_eq!((u32_at(&wide, 0x38), u32_at(&narrow, 0x28)), (0x1000_007E, 0x1000_007E));
    assert_eq!([0x40, 0x48, 0x50, 0x58].map(|at| u64_at(&wide, at)), [1, 2, 3, 4]);
    assert_eq!([0x2C, 0x30, 0x34, 0x38].map(|at| u32_at(&narrow, at)), [1, 2, 3, 4]);
}

#[test]
fn fields_that_are_not_filled_hold_filler() {
    let spec = |machine| FileSpec::new(Kind::Full, machine).with(Hazard::FillerFields);
    let (wide, narrow) = (spec(Machine::X64).build(), spec(Machine::X86).build());
    let (wide, narrow) = (wide.bytes(), narrow.bytes());
    for at in [0xFA0, 0xFA8, 0x1030, 0x1038, 0x103C, 0x1040, 0x1044, 0x1048, 0x104C, 0x1050, 0x1054]
    {
        assert_eq!(&wide[at..at + 4], b"PAGE", "{at:x}");
    }
    for at in [0x8A0, 0x8A4, 0xF8C, 0xF90, 0xF94, 0xF98, 0xF9C, 0xFA0, 0xFB8, 0xFC0] {
        assert_eq!(&narrow[at..at + 4], b"PAGE", "{at:x}");
    }
    assert_eq!(narrow[0x5D], b'A', "KdSecondaryVersion");
    let bare = FileSpec::new(Kind::Full, Machine::Arm32).build().bytes();
    assert_eq!((&bare[0x10..0x14], &bare[0x60..0x64]), (&b"PAGE"[..], &b"PAGE"[..]));
}

#[test]
fn the_page_directory_is_told_with_flags_only_on_request() {
    for (machine, flags) in [(Machine::X64, 2), (Machine::X86, 0x18), (Machine::X86Pae, 0x18)] {
        let of = |spec: FileSpec| {
            let file = spec.build();
            let bytes = file.bytes();
            let wide = !machine.is_32_bit();
            let base = if wide { u64_at(&bytes, 0x10) } else { u32_at(&bytes, 0x10).into() };
            base - file.truth().directory_table_base
        };
        let spec = FileSpec::new(Kind::Full, machine);
        assert_eq!((of(spec.clone()), of(spec.with(Hazard::DirectoryBaseFlags))), (0, flags));
    }
    let pae = FileSpec::new(Kind::Full, Machine::X86Pae).build();
    assert_eq!(pae.truth().directory_table_base & 0xFFF, 0x60, "it need not start a page");
}

#[test]
fn a_dump_of_a_bare_machine_is_the_caller_s_pages_and_nothing_else() {
    for machine in [Machine::Arm32, Machine::Ia64] {
        let file = FileSpec::new(Kind::Header, machine).build();
        assert_eq!(file.length(), machine.header_size());
        assert!(file.truth().known.is_empty());
        assert_eq!(file.truth().kernel_base, 0);
    }
}

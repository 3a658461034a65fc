//! Facts about the writer: layout, order, overlays, holes, failures.

#![allow(clippy::unwrap_used, clippy::panic)]

mod write_support;

use std::ops::ControlFlow;

use format::write::{Error, Head, Kind, Overlay, PageSource, Plan, Request, write};
use format::{Attributes, Dump, Level, Machine, Run, Verdict, verify};
use memory::PhysicalAddress;
use write_support::*;

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

#[test]
fn every_kind_and_machine_is_good_and_has_its_pages() {
    let pages = filled([0, 1, 2, 7, 0x40, 0x41, 0x1FF, 0x1_0000]);
    for machine in [Machine::X64, Machine::Arm64, Machine::X86, Machine::Arm32] {
        for kind in KINDS {
            let dump = written(&Given::of(&pages), Request::new(kind, head(machine))).unwrap();
            let found = verify(&dump, Level::Structure);
            assert_eq!(found.verdict, Verdict::Good, "{machine} {kind:?}: {found:#?}");
            assert_eq!(read(&dump), pages, "{machine} {kind:?}");
        }
    }
}

#[test]
fn the_first_page_is_aligned_and_the_bits_are_a_multiple_of_64() {
    for last in [0_u64, 62, 63, 64, 0x7FFF, 0x8000 * 8 - 1, 0x8000 * 8] {
        let dump = dump_of(Kind::Bitmap, &filled([last]));
        let (first, bits) = (u64_at(&dump, 0x2020), u64_at(&dump, 0x2030));
        assert_eq!((first % 4096, bits % 64), (0, 0), "{last:#x}");
        assert!(bits > last && bits <= last + 64, "{last:#x}: {bits:#x}");
        assert!(first >= 0x2038 + bits / 8, "{last:#x}: {first:#x}");
        assert_eq!(read(&dump), filled([last]));
    }
}

#[test]
fn type_5_is_fdmp_and_type_6_is_sdmp() {
    let kinds = [(Kind::Bitmap, 5, b"FDMPDUMP"), (Kind::KernelBitmap, 6, b"SDMPDUMP")];
    for (kind, number, signature) in kinds {
        let dump = dump_of(kind, &filled([3]));
        assert_eq!(u32_at(&dump, 0xF98), number);
        assert_eq!(&dump[0x2000..0x2008], signature);
    }
}

#[test]
fn required_dump_space_is_the_length_of_the_file() {
    for kind in KINDS {
        let dump = dump_of(kind, &filled([3, 9]));
        assert_eq!(u64_at(&dump, 0xFA0), dump.len() as u64);
    }
}

#[test]
fn runs_that_touch_are_one_in_the_list_of_a_type_1_dump() {
    let dump = dump_of(Kind::Full, &filled([1, 2, 3, 9, 0x10, 0x11]));
    assert_eq!((u32_at(&dump, 0x88), u32_at(&dump, 0x8C), u64_at(&dump, 0x90)), (3, 0, 6));
    let runs: Vec<_> = (0..3).map(|n| u64_at(&dump, 0x98 + n * 16)).collect();
    assert_eq!(runs, [1, 9, 0x10]);
}

#[test]
fn more_runs_than_the_header_has_room_for_are_refused_and_a_bitmap_is_not() {
    for (machine, limit) in [(Machine::X64, 42), (Machine::X86, 86)] {
        let fits = Given::of(&filled((0..limit).map(|n| n * 2)));
        assert!(Plan::new(&fits, Request::new(Kind::Full, head(machine))).is_ok());
        let over = Given::of(&filled((0..=limit).map(|n| n * 2)));
        let Err(error) = Plan::new(&over, Request::new(Kind::Full, head(machine))) else {
            panic!("{machine}: taken");
        };
        let text = error.to_string();
        assert!(text.contains(&format!("room for {limit} runs")), "{text}");
        assert!(text.contains("bitmap"), "{text}");
        assert!(Plan::new(&over, Request::new(Kind::Bitmap, head(machine))).is_ok());
    }
}

#[test]
fn a_32_bit_list_of_runs_holds_no_page_above_16_tib() {
    let high = Given::of(&filled([1 << 32]));
    let refused = Plan::new(&high, Request::new(Kind::Full, head(Machine::X86)));
    assert!(matches!(refused.err(), Some(Error::Order { .. })));
}

#[test]
fn the_same_request_makes_the_same_bytes() {
    let pages = filled([5, 6, 0x33]);
    for kind in KINDS {
        assert_eq!(dump_of(kind, &pages), dump_of(kind, &pages));
    }
}

#[test]
fn no_page_is_no_dump() {
    let refused =
        Plan::new(&Given::of(&filled([])), Request::new(Kind::Bitmap, head(Machine::X64)));
    assert!(matches!(refused.err(), Some(Error::NoPages(_))));
}

#[test]
fn runs_out_of_order_are_refused() {
    let run = |base| Run { base, pages: 2, offset: 0 };
    for runs in [vec![run(5), run(4)], vec![run(5), run(6)], vec![run(u64::MAX)]] {
        let source = Given { runs, bytes: vec![0; 4 * PAGE] };
        let refused = Plan::new(&source, Request::new(Kind::Bitmap, head(Machine::X64)));
        assert!(matches!(refused.err(), Some(Error::Order { .. })));
    }
}

#[test]
fn the_header_is_written_last_and_after_a_flush() {
    for kind in KINDS {
        let source = Given::of(&filled([1, 2, 0x4000]));
        let plan = Plan::new(&source, Request::new(kind, head(Machine::X64))).unwrap();
        let mut out = Watched::default();
        run(&plan, &source, &mut out).unwrap();
        let end = [Did::Flushed, Did::Wrote(0, 0x2000), Did::Flushed];
        assert_eq!(out.did[0], Did::Length(plan.file_length()));
        assert_eq!(out.did[out.did.len() - 3..], end);
        let early = &out.did[..out.did.len() - 3];
        assert!(early.iter().all(|did| !matches!(did, Did::Wrote(..0x2000, _) | Did::Flushed)));
    }
}

#[test]
fn wherever_the_disk_is_full_there_is_no_dump() {
    let source = Given::of(&filled(0..20));
    let plan = Plan::new(&source, Request::new(Kind::Bitmap, head(Machine::X64))).unwrap();
    let need: usize = {
        let mut out = Watched::default();
        run(&plan, &source, &mut out).unwrap();
        out.did.iter().map(|did| if let Did::Wrote(_, bytes) = did { *bytes } else { 0 }).sum()
    };
    for room in (0..need).step_by(0x800) {
        let mut out = Watched { room: Some(room), ..Watched::default() };
        let error = run(&plan, &source, &mut out).unwrap_err();
        assert!(matches!(error, Error::Write { .. }), "{error}");
        assert!(Dump::open(&out.bytes).is_err(), "a dump after {room:#x} bytes");
    }
}

#[test]
fn a_cancelled_writer_leaves_no_dump() {
    let source = Given::of(&filled(0..2000));
    let plan = Plan::new(&source, Request::new(Kind::Bitmap, head(Machine::X64))).unwrap();
    let mut out = Vec::new();
    let mut seen = Vec::new();
    let error = write(&plan, &source, &mut out, &mut |progress| {
        seen.push((progress.done, progress.total));
        ControlFlow::Break(())
    });
    assert!(matches!(error, Err(Error::Cancelled)));
    assert!(Dump::open(&out).is_err());
    assert!(seen.len() == 1 && seen[0].0 <= seen[0].1 && seen[0].1 == 2000 * PAGE as u64);
}

#[test]
fn pages_that_follow_each_other_in_the_source_are_written_in_large_pieces() {
    // Every other page: 1024 runs, one piece of the source.
    let source = Given::of(&filled((0..1024).map(|n| n * 2)));
    let plan = Plan::new(&source, Request::new(Kind::Bitmap, head(Machine::X64))).unwrap();
    let mut out = Watched::default();
    run(&plan, &source, &mut out).unwrap();
    assert!(out.did.len() < 16, "{:?}", out.did);
}

#[test]
fn pages_that_are_scattered_in_the_source_are_gathered() {
    let frames = 0..1024_u64;
    let mut source = Given::of(&filled(frames.clone()));
    let pages = source.bytes.clone();
    source.runs.iter_mut().for_each(|run| run.offset = (1023 - run.base) * PAGE as u64);
    for (frame, page) in frames.zip(pages.chunks(PAGE)) {
        let at = (1023 - frame as usize) * PAGE;
        source.bytes[at..at + PAGE].copy_from_slice(page);
    }
    let plan = Plan::new(&source, Request::new(Kind::Bitmap, head(Machine::X64))).unwrap();
    let mut out = Watched::default();
    run(&plan, &source, &mut out).unwrap();
    assert!(out.did.len() < 16, "{:?}", out.did);
    assert_eq!(read(&out.bytes), filled(0..1024));
}

#[test]
fn long_stretches_of_zeros_become_holes() {
    let mut pages = filled(0..600);
    for frame in 100..500 {
        pages.insert(frame, vec![0; PAGE]);
    }
    let source = Given::of(&pages);
    for kind in KINDS {
        let plan = Plan::new(&source, Request::new(kind, head(Machine::X64))).unwrap();
        let mut out = Watched::default();
        let done = run(&plan, &source, &mut out).unwrap();
        let wrote: usize =
            out.did.iter().map(|did| if let Did::Wrote(_, bytes) = did { *bytes } else { 0 }).sum();
        assert!(done.holes > 350 * PAGE as u64, "{kind:?}: {}", done.holes);
        assert!(wrote < 260 * PAGE, "{kind:?}: {wrote}");
        assert_eq!(read(&out.bytes), pages, "{kind:?}");
    }
}

#[test]
fn overlays_replace_bytes_of_pages_and_of_the_header() {
    let source = Given::of(&filled([4, 5, 9]));
    for kind in KINDS {
        let mut request = Request::new(kind, head(Machine::X64));
        request.overlays = vec![
            Overlay::memory(PhysicalAddress(0x4FFE), [1, 2, 3, 4]),
            Overlay::memory(PhysicalAddress(0x4FFF), [9]),
            Overlay::memory(PhysicalAddress(0x9000), vec![7; PAGE]),
            Overlay::header(0x60, *b"version"),
        ];
        let dump = written(&source, request).unwrap();
        let pages = read(&dump);
        assert_eq!(pages[&4][0xFFD..], [5, 1, 9]);
        assert_eq!(pages[&5][..3], [3, 4, 5]);
        assert_eq!(pages[&9], vec![7; PAGE]);
        assert_eq!(&dump[0x60..0x67], b"version");
    }
}

#[test]
fn an_overlay_where_nothing_is_stored_is_refused_with_its_address() {
    let source = Given::of(&filled([4, 5, 9]));
    for (address, absent) in [(0x3FF0, 0x3FF0), (0x5FF0, 0x6000), (0xA000, 0xA000)] {
        let mut request = Request::new(Kind::Bitmap, head(Machine::X64));
        request.overlays = vec![Overlay::memory(PhysicalAddress(address), [1; 0x20])];
        let Err(Error::OverlayAbsent { address }) = Plan::new(&source, request) else {
            panic!("{address:#x} taken");
        };
        assert_eq!(address.0, absent);
    }
    let mut request = Request::new(Kind::Bitmap, head(Machine::X64));
    request.overlays = vec![Overlay::header(0x1FFF, [1; 2])];
    let refused = Plan::new(&source, request).err();
    assert!(matches!(refused, Some(Error::OverlayOutside { .. })), "{refused:?}");
}

#[test]
fn both_mxcsr_of_a_context_are_equal_in_the_header_and_in_a_prcb() {
    let mut context = vec![0; 0x4D0];
    context[0x34..0x38].copy_from_slice(&0x1F80_u32.to_le_bytes());
    let mut head = head(Machine::X64);
    head.set_context(&context).unwrap();
    let mut request = Request::new(Kind::Bitmap, head);
    request.overlays =
        vec![Overlay::context(Machine::X64, PhysicalAddress(0x4100), context.clone())];
    let dump = written(&Given::of(&filled([4])), request).unwrap();
    assert_eq!(u32_at(&dump, 0x348 + 0x118), 0x1F80);
    assert_eq!(u32_at(&read(&dump)[&4], 0x100 + 0x118), 0x1F80);
    // Another machine's context has other things there.
    let mut head = write_support::head(Machine::Arm64);
    head.set_context(&context).unwrap();
    let Head::Bits64(raw) = &head else { panic!("32 bits") };
    assert_eq!(raw.context_record[0x118..0x11C], [0; 4]);
    assert!(matches!(head.set_context(&[0; 3001]), Err(Error::ContextTooLarge { .. })));
}

#[test]
fn a_new_header_has_filler_where_nothing_was_set() {
    let dump = dump_of(Kind::Bitmap, &filled([4]));
    let open = Dump::open(&dump).unwrap();
    let header = open.header();
    assert_eq!((header.boot_id, header.comment.as_ref()), (None, None));
    assert_eq!(header.kd_debugger_data_block.map(|address| address.0), Some(0));
    assert_eq!((header.writer_status, header.secondary_data_state), (Some(0), Some(0)));
    assert_eq!(header.attributes, Some(Attributes::empty()));
}

/// A source that loses a page after it was planned.
struct Fickle(Given, std::cell::Cell<usize>);

impl PageSource for Fickle {
    fn runs(&self, see: &mut dyn FnMut(Run) -> bool) -> Result<(), format::Error> {
        self.1.set(self.1.get() + 1);
        let shown = self.0.runs.len() - usize::from(self.1.get() > 1);
        let _ = self.0.runs[..shown].iter().all(|run| see(*run));
        Ok(())
    }

    fn bytes(&self) -> &dyn format::Bytes {
        &self.0.bytes
    }
}

#[test]
fn a_source_that_changes_after_the_plan_is_no_dump() {
    for kind in KINDS {
        let source = Fickle(Given::of(&filled([1, 5, 9])), Default::default());
        let plan = Plan::new(&source, Request::new(kind, head(Machine::X64))).unwrap();
        let mut out = Vec::new();
        assert!(matches!(run(&plan, &source, &mut out), Err(Error::Changed { .. })));
        assert!(Dump::open(&out).is_err());
    }
}

#[test]
fn a_source_that_ends_early_is_no_dump_and_says_where() {
    let mut source = Given::of(&filled(0..100));
    source.bytes.truncate(50 * PAGE + 7);
    let plan = Plan::new(&source, Request::new(Kind::Bitmap, head(Machine::X64))).unwrap();
    let mut out = Vec::new();
    let error = run(&plan, &source, &mut out).unwrap_err();
    assert!(matches!(error, Error::Read { .. }), "{error}");
    assert!(Dump::open(&out).is_err());
}

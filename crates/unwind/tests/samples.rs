//! Walks over real dumps, held against what is known of them. The files are
//! found through LIVEDUMP_SAMPLES and never copied.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod support;

use format::{Dump, File, Triage};
use support::{Images, Loaded, Words, load, samples};
use unwind::arm64::Arm64Registers;
use unwind::x64::{UnwindInfo, X64Registers};
use unwind::{Exceptions, Found, Note, Stack, Trust, Unwinder, Walk};

/// RIP and RSP, as two other unwinders agree on.
const GOLD: [(u64, u64); 17] = [
    (0xfffff8048b58334c, 0xffff850429892120),
    (0xfffff8048b58313f, 0xffff850429892150),
    (0xfffff8048b583234, 0xffff850429892180),
    (0xfffff8048b5a0e8f, 0xffff8504298921b0),
    (0xfffff8048b5a83f6, 0xffff850429892210),
    (0xfffff8048b59f852, 0xffff850429892340),
    (0xfffff804799cc027, 0xffff850429892380),
    (0xfffff80479966f81, 0xffff8504298923d0),
    (0xfffff804799cb227, 0xffff850429892410),
    (0xfffff804799c9e21, 0xffff850429892460),
    (0xfffff804799c99da, 0xffff8504298924a0),
    (0xfffff804799cb6b1, 0xffff850429892530),
    (0xfffff804799cb47a, 0xffff8504298925a0),
    (0xfffff804799d299e, 0xffff850429892630),
    (0xfffff8047995cc5f, 0xffff850429892660),
    (0xfffff8047995a866, 0xffff8504298926d0),
    (0xfffff8047bc52f55, 0xffff850429892730),
];

fn images(triage: &Triage<'_>, store: Option<&std::path::Path>) -> Images {
    let mut images = Images::default();
    for driver in triage.drivers().map(Result::unwrap) {
        let (base, size) = (driver.base.0, driver.size);
        let name = driver.name.unwrap_or_default();
        let path = name.rsplit('\\').next().unwrap().to_owned();
        let key = format!("{:x}{size:x}", driver.time_date_stamp);
        let file = store.map(|store| store.join(&path).join(key).join(&path));
        images.0.push(match file.filter(|file| file.exists()) {
            Some(file) => load(base, &file),
            None => Loaded::unknown(base, size),
        });
    }
    images
}

/// The header's CONTEXT.
fn context(dump: &Dump<'_>, path: &std::path::Path) -> Vec<u8> {
    let (offset, size) = dump.header().context_place().unwrap();
    std::fs::read(path).unwrap()[offset as usize..][..size as usize].to_vec()
}

fn amdppm(store: bool, then: impl FnOnce(Walk)) {
    let Some(folder) = samples("x64-19041-amdppm.dmp") else { return };
    let path = folder.join("triage/x64-19041-amdppm.dmp");
    let file = File::open(&path).unwrap();
    let dump = Dump::open(&file).unwrap();
    let triage = dump.triage().unwrap();
    let symbols = folder.join("symbols");
    let images = images(&triage, store.then_some(&symbols));
    let registers = X64Registers::from_context(&context(&dump, &path)).unwrap();
    then(Unwinder::new(&images, &triage).walk(&registers.into(), true, &Stack::unbounded()));
}

#[test]
fn the_gold_stack_is_walked_through_both_drivers() {
    amdppm(true, |walk| {
        for (frame, (rip, rsp)) in walk.frames.iter().zip(GOLD) {
            assert_eq!((frame.address.0, frame.stack_pointer.0), (rip, rsp), "{walk:#x?}");
            assert_eq!(frame.trust, Trust::Certain);
        }
        assert!(walk.frames.len() > GOLD.len());
        let beyond = &walk.frames[GOLD.len()..];
        assert!(beyond.iter().all(|frame| frame.found == Found::Scan), "{walk:#x?}");
        assert!(beyond.iter().all(|frame| frame.trust == Trust::Weak));
    });
}

/// Version 2 says where the epilogues are: from each of their instructions a
/// step without the code leads where one with it does.
#[test]
fn the_epilogues_that_version_2_names_are_those_in_the_code() {
    let Some(folder) = samples("Wdf01000.sys") else { return };
    let store = folder.join("symbols");
    let paths = ["Wdf01000.sys/a9a9d36ed1000/Wdf01000.sys", "amdppm.sys/c9c030003b000/amdppm.sys"];
    let mut memory = Words::default();
    (0..512).for_each(|index| memory.put(0x8000 + 8 * index, &[0xFFFF_F800_0000_0000 + index]));
    let mut compared = 0;
    for path in paths {
        let mut images = Images(vec![load(0x10_0000, &store.join(path))]);
        let mut places = Vec::new();
        let (image, Exceptions::Table { rva, size }) = (images.image(0), images.0[0].exceptions)
        else {
            panic!()
        };
        for at in (rva..rva + size).step_by(12) {
            let word = |at: u32| {
                u32::from_le_bytes(images.0[0].bytes[at as usize..][..4].try_into().unwrap())
            };
            let (end, info) = (word(at + 4), UnwindInfo::read(&images, &image, word(at + 8)));
            let named = info.and_then(|info| info.epilogues);
            places.extend(
                named
                    .iter()
                    .flat_map(|named| &named.before_end)
                    .map(|before| end - u32::from(*before)),
            );
        }
        let step = |images: &Images, at: u32| {
            let registers = X64Registers::new(0x10_0000 + u64::from(at), 0x8000);
            Unwinder::new(images, &memory).step(&registers.into(), true).map(|step| step.registers)
        };
        let with: Vec<_> = places.iter().map(|at| step(&images, *at)).collect();
        images.0[0].holes = images.0[0].executable.clone();
        for (at, with) in places.iter().zip(with) {
            assert_eq!(step(&images, *at), with, "{path} {at:#x}");
            compared += 1;
        }
    }
    eprintln!("{compared} epilogues compared");
}

#[test]
fn without_images_every_frame_but_the_first_is_a_weak_guess() {
    amdppm(false, |walk| {
        assert_eq!(walk.frames[0].found, Found::Context);
        assert!(walk.frames.len() > 1);
        for frame in &walk.frames[1..] {
            assert_eq!((frame.found, frame.trust), (Found::Scan, Trust::Weak), "{frame:x?}");
        }
        assert!(matches!(walk.frames[0].notes[0], Note::NotUnwound(_)));
    });
}

#[test]
fn the_arm64_stack_is_walked_by_its_frame_pointers() {
    let Some(folder) = samples("arm64-22000-power-button.dmp") else { return };
    let path = folder.join("triage/arm64-22000-power-button.dmp");
    let file = File::open(&path).unwrap();
    let dump = Dump::open(&file).unwrap();
    let triage = dump.triage().unwrap();
    let images = images(&triage, None);
    let registers = Arm64Registers::from_context(&context(&dump, &path)).unwrap();
    let walk = Unwinder::new(&images, &triage).walk(&registers.into(), true, &Stack::unbounded());
    let low: Vec<u64> = walk.frames.iter().map(|frame| frame.stack_pointer.0 & 0xFFFF).collect();
    assert_eq!(low, [0xC4A0, 0xC4B0, 0xCB20, 0xCCE0, 0xCD40], "{walk:#x?}");
    assert_eq!(walk.frames[0].address.0, 0xfffff803f32de014);
    for frame in &walk.frames[1..] {
        assert_eq!((frame.found, frame.trust), (Found::FramePointer, Trust::Probable));
        assert!(frame.notes.contains(&Note::StackPointerLowest));
    }
}

//! The real images, PDB and ISF among the samples. Nothing of them is kept
//! here: without `LIVEDUMP_SAMPLES` these tests say that they were skipped.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;

use symbols::pe::{FileImage, Image, Machine};
use symbols::{
    ImageIdentity, Isf, KernelSymbols, Origin, Pdb, PdbIdentity, Profile, Store, SymbolKind,
    SymbolPath, Wanted,
};

fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os("LIVEDUMP_SAMPLES")
        .filter(|root| !root.is_empty())
        .map(|root| PathBuf::from(root).join("symbols"));
    if folder.is_none() {
        eprintln!("skipped: LIVEDUMP_SAMPLES is not set");
    }
    folder
}

fn store(folder: &std::path::Path) -> Store {
    Store::new(SymbolPath::folder(folder))
}

const AMDPPM: ImageIdentity =
    ImageIdentity { time_date_stamp: 0xc9c0_3000, size_of_image: 0x3_b000 };
const WDF: ImageIdentity = ImageIdentity { time_date_stamp: 0xa9a9_d36e, size_of_image: 0xd_1000 };

fn kernel() -> PdbIdentity {
    PdbIdentity::from_key("5278AFF86C341677D7D7835C85B7B8441").unwrap()
}

fn amdppm(folder: &std::path::Path) -> (Image<FileImage>, Pdb) {
    let (_, image) = store(folder).image("amdppm.sys", &AMDPPM).found.unwrap();
    let codeview = image.codeview().unwrap().unwrap();
    let (_, pdb) = store(folder).pdb(codeview.file_name(), &codeview.identity).found.unwrap();
    (image, pdb)
}

#[test]
fn an_image_is_found_by_stamp_and_size_and_leads_to_its_pdb() {
    let Some(folder) = folder() else { return };
    let (image, pdb) = amdppm(&folder);
    assert_eq!(image.headers().machine, Machine::X64);
    assert_eq!(image.identity(), AMDPPM);
    assert_eq!(pdb.identity().key(), "1C19FDDB27BB3399D9B45973EFEAFCF31");
    let exception = image.headers().exception.unwrap();
    assert_eq!(exception.size % 12, 0);
    let executable = image.headers().sections.iter().filter(|section| section.executable).count();
    assert!(executable > 1, "{executable}");
    let (_, wdf) = store(&folder).image("WDF01000.SYS", &WDF).found.unwrap();
    assert_eq!(wdf.identity(), WDF);
    assert_eq!(wdf.codeview().unwrap().unwrap().file_name(), "Wdf01000.pdb");
}

#[test]
fn the_frames_of_the_gold_stack_have_their_names() {
    let Some(folder) = folder() else { return };
    let (_, pdb) = amdppm(&folder);
    let symbols = pdb.symbols().unwrap();
    // The return addresses and names that the samples' own description lists.
    for (address, name, displacement) in [
        (0xffff_f804_8b58_334c_u64, "WriteIoMemRawEx", 112),
        (0xffff_f804_8b58_313f, "WriteGenAddrEx", 107),
        (0xffff_f804_8b58_3234, "WriteGenAddrMaybeHiddenEx", 24),
        (0xffff_f804_8b5a_0e8f, "InitAcpiCpc", 791),
        (0xffff_f804_8b5a_83f6, "ProcLibDeviceStart", 2182),
        (0xffff_f804_8b59_f852, "EvtDevicePrepareHardware", 210),
    ] {
        let base = 0xffff_f804_8b58_0000_u64;
        let found = symbols.at((address - base) as u32).unwrap();
        assert_eq!((found.name, found.displacement), (name, displacement));
        assert_eq!(symbols.named(name).unwrap().rva, found.rva);
    }
}

#[test]
fn the_layouts_of_the_isf_are_those_that_its_kernel_is_known_to_have() {
    let Some(folder) = folder() else { return };
    let wanted = ["_EPROCESS", "_ETHREAD", "_KPRCB", "_KTHREAD_STATE", "_KWAIT_REASON"];
    let lookup = store(&folder).kernel("ntkrnlmp.pdb", &kernel(), &Wanted::Named(&wanted));
    let (path, found) = lookup.found.unwrap();
    assert!(path.ends_with("types/ntkrnlmp-5278AFF86C341677D7D7835C85B7B844-1.isf.json"));
    let layouts = &found.layouts;
    assert_eq!((layouts.source(), layouts.identity()), (Origin::Isf, Some(kernel())));
    let at = |structure, path| layouts.field(structure, path).unwrap().offset;
    // The table of the dump format's description, build 19041.
    assert_eq!(layouts.structure("_EPROCESS").unwrap().size, 0xa40);
    assert_eq!(at("_EPROCESS", "UniqueProcessId"), 0x440);
    assert_eq!(at("_EPROCESS", "ActiveProcessLinks.Flink"), 0x448);
    assert_eq!(at("_EPROCESS", "Pcb.DirectoryTableBase"), 0x28);
    assert_eq!(at("_ETHREAD", "Tcb.KernelStack"), 0x58);
    assert_eq!(at("_ETHREAD", "Tcb.Header.SignalState"), 4);
    assert_eq!(at("_ETHREAD", "Tcb.WaitReason"), 0x283);
    assert_eq!(at("_ETHREAD", "Cid"), 0x478);
    assert_eq!(at("_KPRCB", "CurrentThread"), 8);
    let name = layouts.field("_EPROCESS", "ImageFileName").unwrap();
    assert_eq!((name.offset, name.size), (0x5a8, 15));
    let bits = layouts.field("_KTHREAD", "KernelStackResident").unwrap();
    assert_eq!(bits.bits.unwrap().length, 1);
    assert!(layouts.structure("_DEVICE_OBJECT").is_none());
    assert!(found.symbols.named("PsLoadedModuleList").is_some());
}

#[test]
fn a_profile_of_a_pdb_says_what_the_pdb_says() {
    let Some(folder) = folder() else { return };
    let (_, pdb) = amdppm(&folder);
    let all = pdb.layouts(&Wanted::All).unwrap();
    let names = all.structures().keys().map(String::as_str);
    let names: Vec<&str> = names.filter(|name| !name.contains("<")).take(40).collect();
    assert!(!names.is_empty());
    let profile = Profile::make(&pdb, "amdppm.pdb", &names, &["WriteGenAddrEx"]).unwrap();
    let again = Profile::parse(profile.to_json().unwrap().as_bytes()).unwrap();
    let layouts = again.layouts(&Wanted::All);
    assert_eq!(layouts.identity(), Some(pdb.identity()));
    for name in names {
        assert_eq!(layouts.structure(name), all.structure(name), "{name}");
    }
    let symbol = pdb.symbols().unwrap().named("WriteGenAddrEx").unwrap().rva;
    assert_eq!(again.symbols["WriteGenAddrEx"], symbol);
}

#[test]
fn without_the_kernels_identity_the_isf_is_a_candidate() {
    let Some(folder) = folder() else { return };
    let candidates = store(&folder).candidates("ntkrnlmp.pdb");
    assert_eq!(candidates.len(), 1);
    assert_eq!(candidates[0].identity, kernel());
    let opened = KernelSymbols::open(&candidates[0].path, &Wanted::Named(&["_KTHREAD"])).unwrap();
    assert_eq!(opened.layouts.source(), Origin::Isf);
}

#[cfg(unix)]
#[test]
fn another_build_is_found_and_refused_with_both_identities() {
    let Some(folder) = folder() else { return };
    let other = PdbIdentity {
        age: 7,
        ..PdbIdentity::from_key("1C19FDDB27BB3399D9B45973EFEAFCF31").unwrap()
    };
    let flat = tempfile::tempdir().unwrap();
    let (path, _) =
        store(&folder).pdb("amdppm.pdb", &PdbIdentity { age: 1, ..other }).found.unwrap();
    // A plain folder may have it without the store's folders.
    std::os::unix::fs::symlink(path, flat.path().join("AMDPPM.PDB")).unwrap();
    let lookup = store(flat.path()).pdb("amdppm.pdb", &other);
    assert!(lookup.found.is_none());
    assert!(
        matches!(&lookup.tried[0].outcome, symbols::Outcome::Other { found, .. } if found.ends_with("age 1"))
    );
}

#[test]
fn exports_and_public_symbols_agree() {
    let Some(folder) = folder() else { return };
    let (_, wdf) = store(&folder).image("Wdf01000.sys", &WDF).found.unwrap();
    let exports = wdf.exports().unwrap();
    for symbol in exports.symbols.iter() {
        assert_eq!(symbol.kind, SymbolKind::Export);
        assert!(wdf.headers().section_at(symbol.rva).is_some());
    }
}

#[test]
fn all_of_the_isf_is_read_and_its_numbers_fit() {
    let Some(folder) = folder() else { return };
    let path = folder.join("types/ntkrnlmp-5278AFF86C341677D7D7835C85B7B844-1.isf.json");
    let text = std::fs::read(path).unwrap();
    let isf = Isf::parse(&text, &Wanted::All).unwrap();
    assert_eq!(isf.layouts.structures().len(), 1646);
    assert_eq!(isf.layouts.enumerations().len(), 293);
    for (name, structure) in isf.layouts.structures() {
        for field in &structure.fields {
            let size = isf.layouts.size_of(&field.type_).unwrap_or(0);
            assert!(
                field.offset + size <= structure.size.max(field.offset),
                "{name}.{}",
                field.name
            );
        }
    }
}

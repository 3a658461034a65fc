//! An image and a PDB of our own (`fixtures/make.sh`), with every shape of
//! type that a reader must know.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;
use std::sync::Arc;

use symbols::pe::{Image, Machine, PeError};
use symbols::{
    KernelSymbols, Layouts, Origin, Outcome, Pdb, Profile, Store, SymbolKind, SymbolPath, Wanted,
};

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(fixture(name)).unwrap()
}

fn pdb() -> Pdb {
    Pdb::open(Arc::new(bytes("shapes.pdb"))).unwrap()
}

fn layouts(names: &[&str]) -> Layouts {
    pdb().layouts(&Wanted::Named(names)).unwrap()
}

#[test]
fn an_image_says_what_it_is() {
    let image = Image::from_file(Arc::new(bytes("shapes.sys"))).unwrap();
    let headers = image.headers();
    assert_eq!((headers.machine, headers.size_of_image), (Machine::X64, 0x8000));
    assert_eq!((headers.entry_point, headers.image_base), (0x1090, 0x1_8000_0000));
    let executable: Vec<_> =
        headers.sections.iter().filter(|s| s.executable).map(|s| s.name.as_str()).collect();
    assert_eq!(executable, [".text", "PAGE"]);
    assert!(headers.is_executable(0x6000) && !headers.is_executable(0x2000));
    let exception = headers.exception.unwrap();
    assert_eq!((exception.rva, exception.size), (0x4000, 0x24));
    let codeview = image.codeview().unwrap().unwrap();
    assert_eq!(codeview.path, "shapes.pdb");
    assert_eq!(codeview.identity, pdb().identity());
}

#[test]
fn exports_are_found_by_name_and_address_and_forwarders_are_told_apart() {
    let image = Image::from_file(Arc::new(bytes("shapes.sys"))).unwrap();
    let exports = image.exports().unwrap();
    let found = exports.symbols.at(0x1024).unwrap();
    assert_eq!(
        (found.name, found.displacement, found.kind),
        ("ShapesCount", 4, SymbolKind::Export)
    );
    assert_eq!(exports.symbols.named("ShapesPaged").unwrap().rva, 0x6000);
    // Nothing is exported below it in its own section.
    assert_eq!(exports.symbols.at(0x1010), None);
    let forwarders: Vec<_> = exports.forwarders.iter().map(|f| (&*f.name, &*f.target)).collect();
    assert_eq!(forwarders, [("Forwarded", "OTHER.Target")]);
}

#[test]
fn an_image_in_memory_is_the_same_and_its_missing_pages_are_said() {
    let file = Image::from_file(Arc::new(bytes("shapes.sys"))).unwrap();
    let mut memory = vec![0; 0x8000];
    for (number, page) in memory.chunks_mut(0x1000).enumerate() {
        let mut buffer = vec![0; 0x100];
        if file.read(number as u32 * 0x1000, &mut buffer) {
            page[..0x100].copy_from_slice(&buffer);
        }
    }
    let mut rdata = vec![0; 0x114];
    assert!(file.read(0x2000, &mut rdata));
    memory[0x2000..0x2114].copy_from_slice(&rdata);
    memory[..0x400].copy_from_slice(&bytes("shapes.sys")[..0x400]);
    let read = |missing: u32| {
        let memory = &memory;
        move |rva: u32, buffer: &mut [u8]| {
            let end = rva as usize + buffer.len();
            let there = (rva..rva + buffer.len() as u32).all(|at| at / 0x1000 != missing);
            match memory.get(rva as usize..end) {
                Some(bytes) if there => {
                    buffer.copy_from_slice(bytes);
                    true
                }
                _ => false,
            }
        }
    };
    let whole = Image::from_memory(read(99)).unwrap();
    assert_eq!(whole.headers(), file.headers());
    assert_eq!(whole.codeview(), file.codeview());
    assert_eq!(whole.exports().unwrap().symbols.len(), 3);
    let holed = Image::from_memory(read(2)).unwrap();
    assert_eq!(holed.identity(), file.identity());
    assert!(matches!(holed.codeview(), Err(PeError::NotThere { rva: 0x2008, .. })));
    assert!(matches!(holed.exports(), Err(PeError::NotThere { rva: 0x2063, .. })));
    assert!(matches!(Image::from_memory(read(0)), Err(PeError::NotThere { rva: 0, .. })));
}

#[test]
fn a_file_image_is_zeros_beyond_what_the_file_has_of_a_section() {
    let image = Image::from_file(Arc::new(bytes("shapes.sys"))).unwrap();
    let data = image.headers().sections.iter().find(|s| s.name == ".data").unwrap();
    let mut buffer = vec![0xff; data.size as usize];
    assert!(image.read(data.rva, &mut buffer));
    assert!(buffer[data.file_size as usize..].iter().all(|&byte| byte == 0));
    assert!(!image.read(data.rva, &mut vec![0; 0x2000]));
    assert!(!image.read(u32::MAX, &mut [0; 2]));
}

#[test]
fn fields_have_their_offsets_sizes_and_bits() {
    let layouts = layouts(&["_THREAD", "_LATER"]);
    let at = |structure, path| {
        let field = layouts.field(structure, path).unwrap_or_else(|| panic!("{path}"));
        (field.offset, field.size)
    };
    assert_eq!(at("_THREAD", "State"), (32, 4));
    assert_eq!(at("_THREAD", "References"), (40, 32));
    assert_eq!(at("_THREAD", "References[3].RefCnt"), (64, 8));
    assert_eq!(at("_THREAD", "Name"), (72, 15));
    assert_eq!(at("_THREAD", "Pair.Second"), (114, 2));
    assert_eq!(at("_THREAD", "Grid[2]"), (200, 40));
    assert_eq!(at("_LATER", "Thread.Next"), (96, 8));
    for (name, position, length) in [("Low", 0, 3), ("Middle", 3, 7), ("High", 10, 22)] {
        let field = layouts.field("_THREAD", name).unwrap();
        let bits = field.bits.unwrap();
        assert_eq!((field.offset, field.size), (36, 4));
        assert_eq!((bits.position, bits.length), (position, length));
    }
    assert_eq!(layouts.field("_THREAD", "Count"), None, "a static member has no offset");
}

#[test]
fn fields_of_a_base_and_of_unions_without_a_name_are_the_owners() {
    let layouts = layouts(&["_THREAD"]);
    // The base lies behind the table of virtual functions.
    let at = |path| layouts.field("_THREAD", path).unwrap().offset;
    assert_eq!((at("Lock"), at("Signalling"), at("SignalState")), (8, 9, 12));
    assert_eq!(at("WaitListHead.Blink"), 24);
}

#[test]
fn forward_references_lead_to_the_definition() {
    let layouts = layouts(&["_THREAD"]);
    let thread = layouts.structure("_THREAD").unwrap();
    assert_eq!(layouts.field("_THREAD", "Next").unwrap().type_.points_to(), Some("_THREAD"));
    assert_eq!(layouts.field("_THREAD", "Later").unwrap().type_.points_to(), Some("_LATER"));
    assert!(layouts.structure("_REF").is_some(), "an array's elements lie in it by value");
    assert!(layouts.structure("_LATER").is_none(), "it is only pointed at");
    assert!(thread.size >= 240);
}

#[test]
fn enumerations_name_their_values() {
    let layouts = layouts(&["_THREAD"]);
    let state = layouts.enumeration("_STATE").unwrap();
    assert_eq!(state.name_of(2), Some("Running"));
    assert_eq!(state.value_of("Gone"), Some(-1));
    assert_eq!(state.name_of(77), None);
}

#[test]
fn public_symbols_are_found_and_private_procedures_when_asked() {
    let public = pdb().symbols().unwrap();
    let at = |rva| public.at(rva).map(|symbol| (symbol.name, symbol.displacement));
    assert_eq!(at(0x1022), Some(("ShapesCount", 2)));
    assert_eq!(at(0x6003), Some(("ShapesPaged", 3)));
    assert_eq!(at(0x6004), None, "the section ends there");
    // `helper` is static: only a private record names it.
    assert_eq!(at(0x1050), Some(("ShapesCount", 0x30)));
    let private = pdb().symbols_with_procedures().unwrap();
    let found = private.at(0x1053).unwrap();
    assert_eq!((found.name, found.displacement, found.kind), ("helper", 3, SymbolKind::Procedure));
    let boost = public.at(0x1010).unwrap().name;
    assert_eq!(symbols::demangle(boost).as_deref(), Some("_THREAD::Boost"));
}

#[test]
fn a_profile_replaces_the_pdb() {
    let folder = tempfile::tempdir().unwrap();
    let profile = Profile::make(&pdb(), "shapes.pdb", &["_LATER", "none"], &["ShapesClock", "x"]);
    let profile = profile.unwrap();
    let path = folder.path().join(profile.file_name());
    std::fs::write(&path, profile.to_json().unwrap()).unwrap();
    let store = Store::new(SymbolPath::folder(folder.path()));
    let wanted = Wanted::Named(&["_LATER"]);
    let (found, loaded) = store.kernel("shapes.pdb", &pdb().identity(), &wanted).found.unwrap();
    assert_eq!(found, path);
    assert_eq!(loaded.layouts.source(), Origin::Profile);
    assert_eq!(loaded.layouts.structures(), pdb().layouts(&wanted).unwrap().structures());
    assert_eq!(loaded.symbols.named("ShapesClock").unwrap().rva, 0x3008);
    assert_eq!(profile.symbols.len(), 1);
}

#[test]
fn the_pdb_comes_before_a_profile_and_a_wrong_one_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let identity = pdb().identity();
    let wanted = Wanted::Named(&["_REF"]);
    let profile = Profile::make(&pdb(), "shapes.pdb", &["_REF"], &[]).unwrap();
    std::fs::write(folder.path().join(profile.file_name()), profile.to_json().unwrap()).unwrap();
    std::fs::copy(fixture("shapes.pdb"), folder.path().join("SHAPES.PDB")).unwrap();
    let store = Store::new(SymbolPath::folder(folder.path()));
    let (_, loaded) = store.kernel("shapes.pdb", &identity, &wanted).found.unwrap();
    assert_eq!(loaded.layouts.source(), Origin::Pdb);
    let other = symbols::PdbIdentity { age: identity.age + 1, ..identity };
    let lookup = store.kernel("shapes.pdb", &other, &wanted);
    assert!(lookup.found.is_none());
    let others = lookup.tried.iter().filter(|t| matches!(t.outcome, Outcome::Other { .. }));
    assert_eq!(others.count(), 2, "{:?}", lookup.tried);
}

#[test]
fn a_file_is_taken_for_what_is_in_it() {
    let opened = KernelSymbols::open(&fixture("shapes.pdb"), &Wanted::All).unwrap();
    assert!(opened.layouts.structures().len() >= 6);
    for name in ["shapes.sys", "shapes.cpp", "none"] {
        assert!(KernelSymbols::open(&fixture(name), &Wanted::All).is_err(), "{name}");
    }
}

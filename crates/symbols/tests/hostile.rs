//! Thousands of damaged files of every kind: no panic, no hang, and no more
//! memory than eight times the file. One test, as the memory is measured for
//! the whole process.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;
use std::sync::Arc;

use peak_alloc::PeakAlloc;
use symbols::pe::Image;
use symbols::{Isf, KernelSymbols, Pdb, Profile, Wanted};

#[global_allocator]
static ALLOCATOR: PeakAlloc = PeakAlloc;

/// What every reader may take beside: buffers, error texts, hash tables' least size.
const BESIDE: usize = 96 << 10;

/// Numbers in no order that stay the same from run to run.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below.max(1)
    }
}

const VALUES: [u32; 14] = [
    0,
    1,
    4,
    0xff,
    0x1000,
    0x1003,
    0x1203,
    0x1201,
    0x7fff,
    0xffff,
    0x1_0000,
    0x7fff_ffff,
    0x8000_0000,
    u32::MAX,
];

/// A copy with some places changed: mostly where something is, and in one of
/// four in the first bytes, where the sizes are. Text stays JSON in most.
fn damaged(original: &[u8], random: &mut Random) -> Vec<u8> {
    let mut bytes = original.to_vec();
    let range = if random.next(4) == 0 { 0x80 } else { bytes.len() };
    for _ in 0..=random.next(12) {
        let mut at = random.next(range);
        for _ in 0..64 {
            if bytes.get(at).is_some_and(|&byte| byte != 0) {
                break;
            }
            at = random.next(range);
        }
        if original.starts_with(b"{") && random.next(16) > 0 {
            for _ in 0..64 {
                at = random.next(bytes.len());
                if bytes[at].is_ascii_alphanumeric() {
                    break;
                }
            }
            bytes[at] = b"0123456789eF"[random.next(12)];
            continue;
        }
        let value = match random.next(3) {
            0 => VALUES[random.next(VALUES.len())],
            1 => random.next(bytes.len()) as u32,
            _ => random.next(usize::MAX) as u32,
        };
        let width = [1, 2, 4][random.next(3)];
        let end = (at + width).min(bytes.len());
        if at < end {
            bytes[at..end].copy_from_slice(&value.to_le_bytes()[..end - at]);
        }
    }
    if random.next(16) == 0 {
        bytes.truncate(random.next(bytes.len()));
    }
    bytes
}

/// Runs `read` over a file and answers how much memory it took.
fn taken(bytes: Vec<u8>, read: impl Fn(Arc<Vec<u8>>)) -> usize {
    let bytes = Arc::new(bytes);
    let before = ALLOCATOR.current_usage();
    ALLOCATOR.reset_peak_usage();
    read(bytes);
    ALLOCATOR.peak_usage().saturating_sub(before)
}

fn check(what: &str, original: &[u8], rounds: u64, read: impl Fn(Arc<Vec<u8>>)) {
    let mut most = (0, 0);
    for seed in 0..=rounds {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let bytes = if seed == 0 { original.to_vec() } else { damaged(original, &mut random) };
        let room = 8 * bytes.len() + BESIDE;
        let used = taken(bytes, &read);
        assert!(used <= room, "{what} {seed}: {used} bytes of memory, {room} allowed");
        most = most.max((used, seed));
    }
    println!("{what}: at most {} bytes for {} (file {})", most.0, original.len(), most.1);
}

fn read_pdb(bytes: Arc<Vec<u8>>) {
    let Ok(pdb) = Pdb::open(bytes) else { return };
    if let Ok(symbols) = pdb.symbols_with_procedures() {
        let _ = (symbols.at(0x1010), symbols.named("DriverEntry"));
    }
    if let Ok(layouts) = pdb.layouts(&Wanted::All) {
        for name in layouts.structures().keys() {
            let _ = layouts.field(name, "Header.SignalState");
        }
    }
}

fn read_image(bytes: Arc<Vec<u8>>) {
    let in_memory = Arc::clone(&bytes);
    if let Ok(image) = Image::from_file(bytes) {
        let _ = (image.codeview(), image.exports());
        let _ = image.read(0x1000, &mut [0; 64]);
    }
    let read = move |rva: u32, buffer: &mut [u8]| {
        let found = in_memory.get(rva as usize..).and_then(|rest| rest.get(..buffer.len()));
        found.map(|found| buffer.copy_from_slice(found)).is_some()
    };
    if let Ok(image) = Image::from_memory(read) {
        let _ = (image.codeview(), image.exports());
    }
}

fn read_json(bytes: Arc<Vec<u8>>) {
    let _ = Isf::parse(&bytes, &Wanted::All).map(|isf| isf.layouts.field("S1", "F1.F2").is_some());
    let _ = Profile::parse(&bytes).map(|profile| profile.layouts(&Wanted::Named(&["S1"])));
    let _ = KernelSymbols::read(bytes, &Wanted::All);
}

fn isf() -> Vec<u8> {
    let mut types = String::new();
    for number in 0..60 {
        let fields: Vec<String> = (0..8)
            .map(|field| {
                format!(
                    "\"F{field}\":{{\"offset\":{},\"anonymous\":{},\"type\":{{\"kind\":\"array\",\"count\":3,\
                     \"subtype\":{{\"kind\":\"struct\",\"name\":\"S{}\"}}}}}}",
                    field * 8,
                    field == 3,
                    number + 1
                )
            })
            .collect();
        types.push_str(&format!(
            "\"S{number}\":{{\"kind\":\"struct\",\"size\":64,\"fields\":{{{}}}}},",
            fields.join(",")
        ));
    }
    let symbols: Vec<String> =
        (0..200).map(|n| format!("\"Sym{n}\":{{\"address\":{}}}", n * 16)).collect();
    format!(
        "{{\"metadata\":{{}},\"user_types\":{{{}}},\"enums\":{{\"E\":{{\"size\":4,\"constants\":{{\"A\":1}}}}}},\
         \"base_types\":{{}},\"symbols\":{{{}}}}}",
        types.trim_end_matches(','),
        symbols.join(",")
    )
    .into_bytes()
}

#[test]
fn damaged_files_take_no_more_memory_than_they_may_and_end() {
    let fixture = |name: &str| {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
        std::fs::read(folder.join(name)).unwrap()
    };
    let (pdb, image) = (fixture("shapes.pdb"), fixture("shapes.sys"));
    check("pdb", &pdb, 4000, read_pdb);
    check("image", &image, 6000, read_image);
    check("isf", &isf(), 1000, read_json);
    let made = Pdb::open(Arc::new(pdb.clone())).unwrap();
    let profile = Profile::make(&made, "shapes.pdb", &["_LATER"], &["DriverEntry"]).unwrap();
    check("profile", profile.to_json().unwrap().as_bytes(), 1000, read_json);
    shared_lists(&pdb);
    packed(&fixture("small.json.xz"));
    packed(&fixture("zeros.xz"));
    small_entries();
    real_files();
}

/// Of what is packed, the dictionary is bounded, and what is unpacked.
fn packed(original: &[u8]) {
    const DICTIONARY: usize = 68 << 20;
    for seed in 0..100_u64 {
        let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
        let bytes = if seed == 0 { original.to_vec() } else { damaged(original, &mut random) };
        let room = DICTIONARY + 3 * (64 * bytes.len() + (1 << 20));
        let used = taken(bytes, read_json);
        assert!(used <= room, "packed {seed}: {used} bytes of memory, {room} allowed");
    }
}

/// Every class is given the longest field list there is: the fields would be
/// as many as classes times fields.
fn shared_lists(pdb: &[u8]) {
    let mut bytes = pdb.to_vec();
    let lists: Vec<usize> =
        (0..bytes.len() - 2).filter(|&at| bytes[at..at + 2] == [0x03, 0x12]).collect();
    assert!(!lists.is_empty());
    for list in lists {
        // A continuation of a list in the list itself, whatever its number is.
        for number in 0x1000..0x1040_u32 {
            let entry = [&[0x04, 0x14, 0, 0][..], &number.to_le_bytes()].concat();
            bytes[list + 2..list + 10].copy_from_slice(&entry);
            let room = 8 * bytes.len() + BESIDE;
            let used = taken(bytes.clone(), read_pdb);
            assert!(used <= room, "list at {list:#x} continued in {number:#x}: {used}");
        }
    }
}

/// Text in which every few bytes ask for an entry of some table.
fn small_entries() {
    let many = |entry: &dyn Fn(u32) -> String| (0..60_000).map(entry).collect::<Vec<_>>().join(",");
    let named = |rest: &'static str| many(&move |number| format!("\"{number}\":{rest}"));
    let isf = |part: &str, content: &str| {
        format!("{{\"metadata\":{{}},\"{part}\":{{{content}}}}}").into_bytes()
    };
    let fields = named("{\"offset\":0,\"type\":{\"kind\":\"function\"}}");
    let structure = format!("\"S\":{{\"kind\":\"struct\",\"size\":0,\"fields\":{{{fields}}}}}");
    let constants = format!("\"E\":{{\"size\":4,\"constants\":{{{}}}}}", named("1"));
    let head = "{\"format\":\"livedump-profile\",\"version\":1,\"pdb\":{\"name\":\"\",\"guid\":\
                \"5278AFF86C341677D7D7835C85B7B844\",\"age\":1},";
    let list = many(&|_| "{\"offset\":0,\"type\":\"unknown\"}".to_owned());
    let files = [
        ("symbols", isf("symbols", &named("{\"address\":0}"))),
        ("structures", isf("user_types", &named("{\"kind\":\"struct\",\"size\":0,\"fields\":{}}"))),
        ("fields", isf("user_types", &structure)),
        ("enumerations", isf("enums", &named("{\"size\":4,\"constants\":{}}"))),
        ("constants", isf("enums", &constants)),
        ("base types", isf("base_types", &named("{\"size\":4}"))),
        ("a profile's symbols", format!("{head}\"symbols\":{{{}}}}}", named("1")).into_bytes()),
        (
            "a profile's fields",
            format!("{head}\"structures\":{{\"S\":{{\"size\":0,\"kind\":\"struct\",\"fields\":[{list}]}}}}}}")
                .into_bytes(),
        ),
    ];
    for (what, file) in files {
        assert!(KernelSymbols::read(Arc::new(file.clone()), &Wanted::All).is_ok(), "{what}");
        let room = 8 * file.len() + BESIDE;
        let used = taken(file.clone(), |bytes| {
            let _ = KernelSymbols::read(bytes, &Wanted::All);
        });
        println!("{what}: {used} bytes for {}", file.len());
        assert!(used <= room, "{what}: {used} bytes of memory, {room} allowed");
    }
}

/// The same with the samples, where they are.
fn real_files() {
    let Some(root) = std::env::var_os("LIVEDUMP_SAMPLES").filter(|root| !root.is_empty()) else {
        eprintln!("skipped the samples: LIVEDUMP_SAMPLES is not set");
        return;
    };
    let folder = PathBuf::from(root).join("symbols");
    let read = |path: &str| std::fs::read(folder.join(path)).unwrap();
    let pdb = read("amdppm.pdb/1C19FDDB27BB3399D9B45973EFEAFCF31/amdppm.pdb");
    check("amdppm.pdb", &pdb, 150, read_pdb);
    check("amdppm.sys", &read("amdppm.sys/c9c030003b000/amdppm.sys"), 300, read_image);
    check("Wdf01000.sys", &read("Wdf01000.sys/a9a9d36ed1000/Wdf01000.sys"), 100, read_image);
    let isf = read("types/ntkrnlmp-5278AFF86C341677D7D7835C85B7B844-1.isf.json");
    check("the kernel's ISF", &isf, 4, read_json);
}

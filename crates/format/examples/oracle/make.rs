//! Makes the files and the plans.

use std::error::Error;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use format::write::{DumpPages, Kind, Overlay, Plan as Layout, write};
use format::{Bytes, Dump, File};
use memory::{PageFrame, PhysicalAddress, VirtualAddress, VirtualMemory};
use simulator::files::{Answer, DumpFile, FileSpec, Machine, Page, Stored, Way};

use crate::cases::{self, Case};
use crate::errors::{self, Traps, View};
use crate::plan::{Asked, Header, PAGE, Plan, pages, seen};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const TYPES: [(&str, u32); 3] = [("full", 1), ("bitmap", 5), ("kernel-bitmap", 6)];
/// Room of a type 1 file's run list, as we write it.
const MOST_RUNS: usize = 42;

/// What a source holds, whoever says so.
struct Source<'a> {
    name: String,
    path: PathBuf,
    runs: Vec<(u64, u64)>,
    /// The runs in the order of the file, where it says some twice or stores page 0.
    order: Vec<Stored>,
    page: &'a dyn Fn(u64) -> Option<Vec<u8>>,
    reads: Vec<Read>,
}

/// A virtual read: the bytes, or nothing where nothing can be read.
type Read = (String, u64, usize, Option<Vec<u8>>);

/// Everything.
pub(crate) fn all(folder: &Path, livedump: &Path) -> Result<()> {
    let sources = folder.join("sources");
    fs::create_dir_all(&sources)?;
    for case in cases::all() {
        of_serialiser(folder, livedump, &case)?;
    }
    overlaid(folder)?;
    let captured = sources.join("captured.dmp");
    run(Command::new(livedump).args(["kernel", "--simulate", "--overwrite"]).arg(&captured))?;
    of_dump(folder, livedump, "captured", &captured)?;
    if let Some(samples) = std::env::var_os("LIVEDUMP_SAMPLES") {
        let sample = PathBuf::from(samples).join("qemu/win-dmp-8m.dmp");
        of_dump(folder, livedump, "qemu", &sample)?;
    }
    Ok(())
}

fn of_serialiser(folder: &Path, livedump: &Path, case: &Case) -> Result<()> {
    let made = case.spec.build();
    let path = folder.join("sources").join(format!("{}.dmp", case.name));
    made.write_to(&mut fs::File::create(&path)?)?;
    let page = |frame| made.page(frame);
    let source = Source {
        name: case.name.clone(),
        path,
        runs: runs(&made),
        order: Vec::new(),
        page: &page,
        reads: reads(&made),
    };
    if case.as_made {
        let file = format!("{}.made.dmp", case.name);
        fs::rename(&source.path, folder.join(&file))?;
        let order = made.truth().stored.clone();
        let source = Source { path: folder.join(&file), order, ..source };
        put(folder, &source, &file, "serialiser")?;
        let source = Source { order: Vec::new(), ..source };
        return converted(folder, livedump, &source);
    }
    converted(folder, livedump, &source)
}

/// A dump that was captured, or that somebody else wrote: its pages are what our reader sees.
fn of_dump(folder: &Path, livedump: &Path, name: &str, path: &Path) -> Result<()> {
    let file = File::open(path)?;
    let dump = Dump::open(&file)?;
    let stored = dump.pages()?;
    let page = |frame| {
        let mut page = vec![0; PAGE];
        let offset = stored.offset(PageFrame(frame)).ok()??;
        file.read_exact_at(offset, &mut page).ok()?;
        Some(page)
    };
    let mut runs: Vec<(u64, u64)> = Vec::new();
    stored.runs(|run| {
        match runs.last_mut() {
            Some((first, count)) if *first + *count == run.base => *count += run.pages,
            _ => runs.push((run.base, run.pages)),
        }
        true
    })?;
    let kernel = dump.kernel_memory()?;
    let header = dump.header();
    let mut reads = Vec::new();
    for (what, address) in [
        ("debugger block", header.kd_debugger_data_block),
        ("PsLoadedModuleList", header.ps_loaded_module_list),
        ("PsActiveProcessHead", header.ps_active_process_head),
    ] {
        let mut bytes = vec![0; 0x40];
        let Some(address) = address else { continue };
        if kernel.read_virtual(VirtualAddress(address.0), &mut bytes).is_ok() {
            reads.push((what.to_owned(), address.0, bytes.len(), Some(bytes)));
        }
    }
    let source = Source {
        name: name.to_owned(),
        path: path.to_owned(),
        runs,
        order: Vec::new(),
        page: &page,
        reads,
    };
    converted(folder, livedump, &source)
}

/// `livedump convert` to each of its types.
fn converted(folder: &Path, livedump: &Path, source: &Source<'_>) -> Result<()> {
    for (kind, number) in TYPES {
        if number == 1 && source.runs.len() > MOST_RUNS {
            continue;
        }
        let file = format!("{}.{kind}.dmp", source.name);
        let mut convert = Command::new(livedump);
        convert.arg("convert").arg(&source.path).arg(folder.join(&file));
        run(convert.args(["--type", kind, "--overwrite"]))?;
        put(folder, source, &file, "convert")?;
    }
    Ok(())
}

/// The library alone, with overlays: in one page, and across two.
fn overlaid(folder: &Path) -> Result<()> {
    let (first, count) = (0x2003_u64, 5000);
    let spec = FileSpec::new(simulator::files::Kind::Full, Machine::X64);
    let made = spec.pages(first, count, Page::Addresses).build();
    let path = folder.join("sources/overlaid.dmp");
    made.write_to(&mut fs::File::create(&path)?)?;
    let patches = [(first * 4096 + 8, vec![0xA5; 0x20]), ((first + 9) * 4096 - 3, vec![0x5A; 7])];
    let page = |frame: u64| {
        let mut page = made.page(frame)?;
        for (at, bytes) in &patches {
            for (address, byte) in (*at..).zip(bytes) {
                if address / PAGE as u64 == frame {
                    page[address as usize % PAGE] = *byte;
                }
            }
        }
        Some(page)
    };
    let reads = reads(&made);
    let source = Source {
        name: "overlaid".to_owned(),
        path,
        runs: runs(&made),
        order: Vec::new(),
        page: &page,
        reads,
    };
    let bytes = File::open(&source.path)?;
    let from = DumpPages::open(&bytes)?;
    for (kind, (name, _)) in [Kind::Full, Kind::Bitmap, Kind::KernelBitmap].into_iter().zip(TYPES) {
        let mut request = from.request(kind)?;
        let overlay =
            |(at, bytes): &(u64, Vec<u8>)| Overlay::memory(PhysicalAddress(*at), bytes.clone());
        request.overlays.extend(patches.iter().map(overlay));
        let layout = Layout::new(&from, request)?;
        let file = format!("overlaid.{name}.dmp");
        let mut out = fs::File::create(folder.join(&file))?;
        write(&layout, &from, &mut out, &mut |_| ControlFlow::Continue(()))?;
        put(folder, &source, &file, "library")?;
    }
    Ok(())
}

/// The plan of a file with the pages of `source`.
fn put(folder: &Path, source: &Source<'_>, file: &str, writer: &str) -> Result<()> {
    let path = folder.join(file);
    let (header, kind) = (header(&source.path)?, kind(&path)?);
    let views = views(source, &path, kind)?;
    let named = |traps: Traps| traps.into_iter().map(|(e, sees)| (e.to_owned(), sees)).collect();
    let read = |(what, address, length, bytes): &Read| {
        let (holds, root) = (bytes.as_deref().map(seen), header.directory_table_base);
        let place = (*address, *length);
        let traps = errors::of_read(&views, source.page, root, place, holds.as_ref());
        let (what, traps) = (what.clone(), named(traps));
        Asked { what, address: *address, length: *length, holds, traps }
    };
    let mut pages = pages(&source.runs, source.page);
    for asked in &mut pages {
        let frame = asked.address / PAGE as u64;
        asked.traps = named(errors::of_page(&views, frame, asked.holds.as_ref()));
    }
    let before_zero = before_zero(&source.order);
    let zero = before_zero.map(|stored| (errors::ZERO.to_owned(), pages_of(stored)));
    let plan = Plan {
        file: file.to_owned(),
        kind,
        writer: writer.to_owned(),
        length: fs::metadata(&path)?.len(),
        stored: source.runs.iter().map(|(_, count)| count).sum(),
        counted: zero.into_iter().collect(),
        unaligned: matches!(kind, 5 | 6) && first_page(&path)? % PAGE as u64 != 0,
        repeats: source.order.iter().any(|stored| stored.repeated),
        pages,
        reads: source.reads.iter().map(read).collect(),
        header,
    };
    Ok(fs::write(path.with_extension("json"), serde_json::to_vec(&plan)?)?)
}

/// What readers with errors see of the pages in a file.
fn views<'a>(source: &'a Source<'_>, path: &Path, kind: u32) -> Result<Vec<View<'a>>> {
    let mut views = Vec::new();
    if matches!(kind, 5 | 6) {
        // Pages of the bitmap's header: specification, section 4.
        let bits = u64_at(&start(path, 0x2038)?, 0x2030);
        for (error, whole) in [(errors::BYTE, 8), (errors::WORD, 64)] {
            let end = bits / whole * whole;
            let page = Box::new(move |frame| (source.page)(frame).filter(|_| frame < end));
            views.push(View { error, page });
        }
    }
    if matches!(kind, 8..=10) {
        let bytes = fs::read(path)?;
        let page = Box::new(move |frame: u64| {
            bytes.get(usize::try_from(frame).ok()?.checked_mul(PAGE)?..)?.get(..PAGE).map(Vec::from)
        });
        views.push(View { error: errors::RAW, page });
    }
    if let Some(before) = before_zero(&source.order).filter(|_| kind == 0xA) {
        let held = |frame| before.iter().any(|s| (s.first..s.first + s.count).contains(&frame));
        let page = Box::new(move |frame| (source.page)(frame).filter(|_| held(frame)));
        views.push(View { error: errors::ZERO, page });
    }
    Ok(views)
}

/// What a list has before its entry of page 0, if it has one.
fn before_zero(order: &[Stored]) -> Option<&[Stored]> {
    order.get(..order.iter().position(|stored| stored.first == 0)?)
}

fn pages_of(stored: &[Stored]) -> u64 {
    stored.iter().filter(|stored| !stored.repeated).map(|stored| stored.count).sum()
}

/// Stored runs, sorted, those that touch as one.
fn runs(made: &DumpFile) -> Vec<(u64, u64)> {
    let mut stored: Vec<_> =
        made.truth().stored.iter().filter(|s| !s.repeated).map(|s| (s.first, s.count)).collect();
    stored.sort_unstable();
    let mut runs: Vec<(u64, u64)> = Vec::new();
    for (first, count) in stored {
        match runs.last_mut() {
            Some((start, length)) if *start + *length == first => *length += count,
            _ => runs.push((first, count)),
        }
    }
    runs
}

/// What the processor itself would read, and what it could not.
fn reads(made: &DumpFile) -> Vec<Read> {
    let by_tables = made.truth().known.iter().filter(|known| known.way == Way::Tables);
    let read = |known: &simulator::files::Known| {
        let (length, bytes) = match &known.answer {
            Answer::Bytes { bytes, .. } => (bytes.len(), Some(bytes.clone())),
            _ => (4, None),
        };
        (known.name.to_owned(), known.virtual_address, length, bytes)
    };
    by_tables.map(read).chain(long(made)).collect()
}

/// Reads of several pages, where all of it is stored: over the border of two large pages, and
/// from the middle of a page on.
fn long(made: &DumpFile) -> Vec<Read> {
    // Where the border is in what is known, and how much is read before and behind it.
    const BORDER: u64 = 0xC;
    const BEFORE: u64 = 3 * PAGE as u64;
    const BEHIND: u64 = PAGE as u64;
    let across = made.truth().known.iter().find(|known| known.name == "across two large pages");
    let Some(known) = across else { return Vec::new() };
    let Answer::Bytes { physical: Some(physical), bytes } = &known.answer else {
        return Vec::new();
    };
    // Each eight bytes there are their own physical address.
    let second = u64_at(bytes, BORDER as usize);
    let (start, first) = (known.virtual_address + BORDER - BEFORE, physical + BORDER - BEFORE);
    let mut held = Vec::new();
    let pages = [(first, BEFORE), (second, BEHIND)];
    for address in pages.iter().flat_map(|(at, length)| (*at..at + length).step_by(PAGE)) {
        let Some(page) = made.page(address / PAGE as u64) else { return Vec::new() };
        held.extend(page);
    }
    let half = PAGE / 2;
    let middle = held[half..2 * PAGE].to_vec();
    vec![
        ("far across two large pages".to_owned(), start, held.len(), Some(held)),
        ("from the middle of a page".to_owned(), start + half as u64, middle.len(), Some(middle)),
    ]
}

/// By offsets, not by our reader: specification, section 2.
fn header(path: &Path) -> Result<Header> {
    let bytes = start(path, 0x2000)?;
    let parameter = |number: usize| u64_at(&bytes, 0x40 + number * 8);
    Ok(Header {
        directory_table_base: u64_at(&bytes, 0x10) & !0xFFF,
        code: u64_at(&bytes, 0x38) as u32,
        parameters: [parameter(0), parameter(1), parameter(2), parameter(3)],
        processors: (u64_at(&bytes, 0x30) >> 32) as u32,
    })
}

/// Where the first page lies: specification, section 4.
fn first_page(path: &Path) -> Result<u64> {
    Ok(u64_at(&start(path, 0x2038)?, 0x2020))
}

fn kind(path: &Path) -> Result<u32> {
    Ok(u64_at(&start(path, 0x2000)?, 0xF98) as u32)
}

fn start(path: &Path, length: usize) -> Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = vec![0; length];
    fs::File::open(path)?.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn u64_at(bytes: &[u8], offset: usize) -> u64 {
    bytes[offset..offset + 8].try_into().map_or(0, u64::from_le_bytes)
}

/// 8 is what `convert` says of a source that is not in order: all pages are there.
fn run(command: &mut Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if !matches!(output.status.code(), Some(0 | 8)) {
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("{command:?}: {}: {told}", output.status).into());
    }
    Ok(())
}

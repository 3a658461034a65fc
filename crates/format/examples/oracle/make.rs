//! Makes the files and the plans.

use std::error::Error;
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use format::write::{DumpPages, Kind, Overlay, Plan as Layout, write};
use format::{Bytes, Dump, File};
use memory::{PageFrame, PhysicalAddress, VirtualAddress, VirtualMemory};
use simulator::files::{Answer, DumpFile, FileSpec, Machine, Page, Way};

use crate::cases::{self, Case};
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
        page: &page,
        reads: reads(&made),
    };
    if case.as_made {
        let file = format!("{}.made.dmp", case.name);
        fs::rename(&source.path, folder.join(&file))?;
        let source = Source { path: folder.join(&file), ..source };
        put(folder, &source, &file, "serialiser")?;
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
    let source = Source { name: name.to_owned(), path: path.to_owned(), runs, page: &page, reads };
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
    let source =
        Source { name: "overlaid".to_owned(), path, runs: runs(&made), page: &page, reads };
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
    let (header, kind) = (header(&source.path)?, kind(&folder.join(file))?);
    let reads = source.reads.iter().map(|(what, address, length, bytes)| Asked {
        what: what.clone(),
        address: *address,
        length: *length,
        holds: bytes.as_deref().map(seen),
    });
    let plan = Plan {
        file: file.to_owned(),
        kind,
        writer: writer.to_owned(),
        header,
        stored: source.runs.iter().map(|(_, count)| count).sum(),
        pages: pages(&source.runs, source.page),
        reads: reads.collect(),
    };
    let path = folder.join(file).with_extension("json");
    Ok(fs::write(path, serde_json::to_vec(&plan)?)?)
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
    by_tables.map(read).collect()
}

/// By offsets, not by our reader: specification, section 2.
fn header(path: &Path) -> Result<Header> {
    let bytes = start(path)?;
    let parameter = |number: usize| u64_at(&bytes, 0x40 + number * 8);
    Ok(Header {
        directory_table_base: u64_at(&bytes, 0x10) & !0xFFF,
        code: u64_at(&bytes, 0x38) as u32,
        parameters: [parameter(0), parameter(1), parameter(2), parameter(3)],
        processors: (u64_at(&bytes, 0x30) >> 32) as u32,
    })
}

fn kind(path: &Path) -> Result<u32> {
    Ok(u64_at(&start(path)?, 0xF98) as u32)
}

fn start(path: &Path) -> Result<Vec<u8>> {
    use std::io::Read;
    let mut bytes = vec![0; 0x2000];
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

//! Our reader and the crate `kdmp-parser`, asked the same questions.

use std::error::Error;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use format::{Bytes, Dump, File};
use kdmp_parser::gxa::{Gpa, Gva};
use kdmp_parser::parse::KernelDumpParser;
use kdmp_parser::{phys, virt};
use memory::{PageFrame, VirtualAddress, VirtualMemory};

use crate::plan::{Answer, Header, PAGE, Plan, seen};

/// `PAGEPAGE`: what a field that was never filled looks like to a judge.
const FILLER: u64 = 0x4547_4150_4547_4150;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Every plan of a folder, one line of JSON each.
pub(crate) fn answer(folder: &Path, reader: fn(&Path, &Plan) -> Result<Answer>) -> Result<()> {
    let mut plans: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<_>>()?;
    plans.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    plans.sort();
    for path in plans {
        let plan: Plan = serde_json::from_slice(&fs::read(path)?)?;
        let path = folder.join(&plan.file);
        // A judge that panics has not opened the file, and the next one is waiting.
        let said = catch_unwind(|| reader(&path, &plan)).unwrap_or_else(|_| Err("panicked".into()));
        let failed =
            |error: Box<dyn Error>| Answer { error: Some(error.to_string()), ..Answer::default() };
        let mut answer = said.unwrap_or_else(failed);
        answer.file = plan.file;
        println!("{}", serde_json::to_string(&answer)?);
    }
    Ok(())
}

/// Our reader, as `livedump read` uses it.
pub(crate) fn ours(path: &Path, plan: &Plan) -> Result<Answer> {
    let file = File::open(path)?;
    let dump = Dump::open(&file)?;
    let pages = dump.pages()?;
    let header = dump.header();
    let page = |address: u64| {
        let mut page = [0; PAGE];
        let offset = pages.offset(PageFrame(address >> 12)).ok()??;
        file.read_exact_at(offset, &mut page).ok()?;
        Some(seen(&page))
    };
    // A dump of bare pages has no kernel, and nothing to be read in it.
    let kernel = if plan.reads.is_empty() { None } else { Some(dump.kernel_memory()?) };
    let read = |address: u64, length: usize| {
        let mut bytes = vec![0; length];
        kernel.as_ref()?.read_virtual(VirtualAddress(address), &mut bytes).ok()?;
        Some(seen(&bytes))
    };
    Ok(Answer {
        header: Some(Header {
            directory_table_base: header.directory_table_base.unwrap_or(FILLER) & !0xFFF,
            code: header.bug_check_code.unwrap_or(0),
            parameters: header.bug_check_parameters.map(|parameter| parameter.unwrap_or(0)),
            processors: header.number_processors.unwrap_or(0),
        }),
        stored: Some(pages.count() - pages.repeated()),
        pages: plan.pages.iter().map(|asked| page(asked.address)).collect(),
        reads: plan.reads.iter().map(|asked| read(asked.address, asked.length)).collect(),
        ..Answer::default()
    })
}

/// The crate.
pub(crate) fn kdmp_parser(path: &Path, plan: &Plan) -> Result<Answer> {
    let parser = KernelDumpParser::new(path)?;
    let (physical, space) = (phys::Reader::new(&parser), virt::Reader::new(&parser));
    let header = parser.headers();
    let page = |address: u64, length: usize| {
        let mut bytes = vec![0; length];
        physical.read_exact(Gpa::new(address), &mut bytes).ok()?;
        Some(seen(&bytes))
    };
    let read = |address: u64, length: usize| {
        let mut bytes = vec![0; length];
        space.read_exact(Gva::new(address), &mut bytes).ok()?;
        Some(seen(&bytes))
    };
    Ok(Answer {
        header: Some(Header {
            directory_table_base: header.directory_table_base & !0xFFF,
            code: header.bug_check_code,
            parameters: header.bug_check_code_parameters,
            processors: header.number_processors,
        }),
        stored: Some(parser.physmem().len() as u64),
        pages: plan.pages.iter().map(|asked| page(asked.address, asked.length)).collect(),
        reads: plan.reads.iter().map(|asked| read(asked.address, asked.length)).collect(),
        ..Answer::default()
    })
}

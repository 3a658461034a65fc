//! Faults that were, each named by what was wrong.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)] // as clippy.toml allows in tests, whose helpers it does not see

mod inside;
mod livedump;

use format::{Dump, File};
use ntos::{Kernel, StoreFiles};
use symbols::{Store, SymbolPath};

/// Each waiter walked the whole list of its object's waiters to find itself
/// there, so that `hang` took time by the square of their number. What is
/// counted is steps along links, which is what took the time.
#[test]
fn a_popular_object_s_list_of_waiters_was_walked_once_for_each_waiter() {
    let bench = livedump::Bench::new();
    let machine = "many-threads,layout=19041,threads=4000";
    bench.run(&format!("kernel --simulate={machine} x.dmp")).exits(0);
    let file = File::open(&bench.path("x.dmp")).unwrap();
    let dump = Dump::open(&file).unwrap();
    let path = SymbolPath::parse(&inside::fixtures("19041"));
    let files = StoreFiles::new(Store::new(path), Store::default(), None);

    let steps = 50_000;
    let kernel = Kernel::open_within(steps, &dump, &files).unwrap();
    let mut waiters = std::collections::HashMap::<_, u64>::new();
    for process in kernel.processes().unwrap().processes {
        for address in kernel.threads(&process).unwrap().addresses {
            for wait in kernel.waits(&kernel.thread(address)).into_iter().flatten() {
                assert_eq!(wait.listed, Some(true), "{wait:?}");
                *waiters.entry(wait.object).or_default() += 1;
            }
        }
    }
    let most = waiters.values().copied().max().unwrap();
    assert!(most * most > 10 * steps, "{most} waiters of one object prove nothing");
    assert!(!kernel.is_exhausted(), "more than {steps} steps for {most} waiters");
}

/// A triage dump names no PDB of its kernel. Two addresses in its header were
/// all that a file's symbols were held against, and the first to agree taken.
#[test]
fn types_of_another_build_were_taken_because_two_addresses_agreed() {
    let bench = livedump::Bench::new();
    bench.run("triage --simulate=deadlock,layout=a -p lsass.exe -t all x.dmp").exits(0);
    let [arm64, first, a, b] = [inside::ARM64, "19041", "a", "b"].map(inside::fixtures);
    let right = format!("stacks x.dmp --symbols {arm64};{first};{b};{a}");
    let path = std::path::Path::new("x64-a").join("ntkrnlmp.pdb");
    bench.run(&right).exits(0).says(&path.display().to_string());
    let others = format!("stacks x.dmp --symbols {arm64};{first};{b}");
    bench.run(&others).exits(0).says("no types of this kernel");
}

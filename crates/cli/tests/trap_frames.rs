//! Trap frames: crossed by unwind data, on both machines, and the end of walks
//! that lost their way.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used, clippy::expect_used)] // as clippy.toml allows in tests, whose helpers it does not see

mod inside;
mod livedump;

use std::collections::HashMap;

use format::{Dump, File};
use inside::{ARM64, Case, each, text};
use ntos::{Kernel, StoreFiles};
use serde_json::Value;
use symbols::{Store, SymbolPath};

const BOTH: [&str; 2] = ["a", ARM64];

#[test]
fn an_interrupted_thread_is_gone_on_with_at_the_very_instruction() {
    for layout in BOTH {
        let case = Case::of("dpc-storm", layout);
        let processors = case.ask("processors");
        let storm = &case.truth["dpc"]["processor"];
        let busy = each(&processors["processors"]).find(|one| one["number"] == *storm).unwrap();
        let frames: Vec<&Value> = each(&busy["frames"]).collect();
        let trap = frames.iter().position(|one| one["symbol"] == "KiDpcInterrupt").unwrap();
        let interrupted = frames[trap + 1];
        assert_eq!(interrupted["symbol"], "KiIdleWait", "{busy:#}");
        assert_eq!(interrupted["found"], "machine-frame", "{busy:#}");
        assert!(frames.iter().all(|frame| frame["trust"] == "certain"), "{busy:#}");
    }
}

/// Unwind data says "a trap frame" and no more: what one is, the unwinder knows
/// from documentation. The kernel's own types must say the same.
#[test]
fn arm64_trap_frames_are_to_the_unwinder_what_they_are_to_the_kernel_s_types() {
    let case = Case::of("healthy", ARM64);
    let file = File::open(&case.bench.path("x.dmp")).unwrap();
    let dump = Dump::open(&file).unwrap();
    let path = SymbolPath::parse(&inside::fixtures(ARM64));
    let files = StoreFiles::new(Store::new(path), Store::default(), None);
    let kernel = Kernel::open(&dump, &files).unwrap();
    let layout = kernel.layout().trap_frame;
    let offset = |member: Option<ntos::layout::Member>| member.map(|one| one.offset);
    let told = [layout.spsr, layout.sp, layout.lr, layout.fp, layout.pc].map(offset);
    assert_eq!(told, [0x90, 0x98, 0x138, 0x140, 0x148].map(Some));
    assert_eq!((layout.rip, layout.rsp, layout.code_segment), (None, None, None));
}

/// What each thread's walk ends with, and whether it was lost on the way.
fn ends(stacks: &Value) -> HashMap<String, (String, bool)> {
    let of = |stack: &Value| {
        let guessed = each(&stack["frames"]).any(|one| one["trust"] == "weak");
        (text(&stack["thread"]["address"]).to_owned(), (text(&stack["end"]).to_owned(), guessed))
    };
    each(&stacks["stacks"]).map(of).collect()
}

/// With types and without any image, x64 walks are scans.
#[test]
fn a_walk_that_lost_its_way_ends_where_the_thread_came_from_user_mode() {
    let case = Case::of("deadlock", "a");
    case.bench.run("triage --simulate=deadlock,layout=a -p lsass.exe -t all t.dmp").exits(0);
    let pdb = format!("{}/ntkrnlmp.pdb", inside::fixtures("a"));
    case.bench.run(&format!("profile make {pdb} -o p.json")).exits(0);
    let whole = ends(&case.ask_of("stacks", "t.dmp"));
    let (code, lost) = case.bench.json("stacks t.dmp --profile p.json");
    assert_eq!(code, 0);
    let lost = ends(&lost);
    assert!(lost.len() > 5);
    for (thread, (end, guessed)) in lost {
        assert!(guessed && end.starts_with("in user mode at"), "{end}");
        assert_eq!(Some(&end), whole.get(&thread).map(|(end, _)| end), "{thread}");
    }
}

/// The capture's own frames have no CONTEXT to begin with, but what ARM64 code
/// saves beside its return address.
#[test]
fn threads_of_an_arm64_triage_dump_are_unwound_from_the_capture_s_frames() {
    let case = Case::of("deadlock", ARM64);
    case.bench.run("triage --simulate=deadlock,arch=arm64 -p lsass.exe -t all t.dmp").exits(0);
    let stacks = case.ask_of("stacks", "t.dmp");
    let threads: Vec<&Value> = each(&stacks["stacks"]).collect();
    assert!(threads.len() > 5);
    for stack in threads {
        let of_capture = each(&stack["frames"]).filter(|one| one["capture"] == true).count();
        assert_eq!(of_capture, 3, "{stack:#}");
        let place = |pc: &Value, sp: &Value| (text(pc).to_owned(), text(sp).to_owned());
        let own = each(&stack["frames"]).skip(of_capture + 1);
        let own: Vec<_> = own.map(|one| place(&one["address"], &one["stack_pointer"])).collect();
        let truth = case.thread_at(&stack["thread"]["address"]).unwrap();
        let planted = each(&truth["stack"]).skip(3).map(|one| place(&one["pc"], &one["sp"]));
        assert_eq!(own, planted.collect::<Vec<_>>(), "{stack:#}");
        assert!(each(&stack["frames"]).all(|frame| frame["trust"] == "certain"), "{stack:#}");
    }
}

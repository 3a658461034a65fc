//! What the machine tells of itself.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::sync::Arc;
use std::time::Duration;

use common::{live, machine};
use machine::{
    Architecture, Clock, Machine, OsErrorKind, Pages, Participant, PrivilegeState,
    StructureVersion, Wake,
};
use simulator::{Scenario, SimulatedClock};

#[test]
fn every_listed_scenario_can_be_made() {
    for info in simulator::list() {
        assert!(Scenario::parse(info.name).is_ok(), "{}", info.name);
    }
}

#[test]
fn what_is_not_known_is_said_with_what_is_near() {
    let says = |text: &str| Scenario::parse(text).unwrap_err().to_string();
    assert!(says("helthy").contains("did you mean healthy?"));
    assert!(says("memory-presure").contains("memory-pressure"));
    assert!(
        says("process=3").contains("processes or processors")
            || says("process=3").contains("processes")
    );
    assert_eq!(says("memory=lots"), "memory=lots: a size from 16m to 1t expected");
    assert_eq!(says("arch=mips"), "arch=mips: x64 or arm64 expected");
    assert_eq!(says("build=7601"), "build=7601: a build number from 14393 on expected");
}

#[test]
fn a_setting_wins_over_what_a_name_implies() {
    let machine = machine("processors=3,many-processors,build=22631,windows-10");
    let facts = machine.facts();
    assert_eq!((facts.processors, facts.os.unwrap().build), (Some(3), 22631));
}

#[test]
fn the_memory_facts_bracket_the_dump() {
    let user = Pages { include_user_space: true, ..Pages::default() };
    for (scenario, pages) in [
        ("", Pages::default()),
        ("", user),
        ("memory=2g,pool=64m", Pages::default()),
        ("memory=256m,pool=16m,processes=120,threads=1500", user),
        ("many-threads", Pages::default()),
        ("many-processors", Pages::default()),
    ] {
        let machine = machine(scenario);
        let m = machine.facts().memory;
        let own = if pages.include_user_space { m.working_sets.unwrap() } else { 0 };
        let private = if pages.include_user_space { 0 } else { m.private_working_sets.unwrap() };
        let lower = m.nonpaged_pool.unwrap()
            + m.resident_paged_pool.unwrap()
            + m.resident_kernel_code.unwrap()
            + m.resident_driver_code.unwrap()
            + u64::from(m.threads.unwrap()) * 24 * 1024
            + m.working_sets.unwrap() / 512
            + m.total.unwrap() / 4096 * 48
            + own;
        let upper = m.total.unwrap() - m.available.unwrap() - private;
        let (status, file) = live(&machine, StructureVersion::V1, pages);
        let length = file.len() as u64;
        assert_eq!(status, 0);
        assert!(lower <= length && length <= upper, "{scenario}: {lower} <= {length} <= {upper}");
        assert!(
            upper <= m.available.unwrap() || scenario.is_empty(),
            "{scenario}: memory for a copy is there"
        );
    }
}

#[test]
fn a_healthy_machine_lists_idle_first_and_names_protection() {
    let machine = machine("");
    let processes = machine.processes().unwrap();
    assert_eq!((processes[0].pid, processes[0].name.as_str()), (0, "Idle"));
    assert_eq!((processes[1].pid, processes[1].name.as_str()), (4, "System"));
    assert!(machine.protection(4).unwrap().unwrap().is_protected());
    assert_eq!(machine.protection(3).unwrap_err().kind, OsErrorKind::NotFound);
    assert!(machine.threads(3).unwrap().is_empty());
    for process in processes {
        let threads = machine.threads(process.pid).unwrap();
        assert_eq!(threads.len() as u32, process.threads);
        assert!(threads.iter().all(|t| t.pid == process.pid));
    }
}

#[test]
fn a_large_machine_has_what_was_asked_for() {
    let machine = machine("processes=300,threads=6000,memory=1t");
    let facts = machine.facts();
    assert_eq!((facts.memory.processes, facts.memory.threads), (Some(300), Some(6000)));
    assert_eq!(facts.memory.total, Some(1 << 40));
}

#[test]
fn wait_times_are_tick_stamps_and_a_probe_can_tell() {
    let machine = machine("");
    let probe = machine.wait_probe(Duration::from_secs(2)).unwrap();
    assert_eq!(probe.parked, Duration::from_secs(2));
    let ticks = probe.clock.ticks - u64::from(probe.raw);
    assert_eq!(ticks * u64::from(probe.clock.tick_100ns), 20_000_000);
    let durations = common::machine("wait-durations");
    assert_eq!(durations.wait_probe(Duration::from_secs(2)).unwrap().raw, 128);
}

#[test]
fn threads_can_be_denied_or_gone() {
    let kinds = |scenario: &str, name: &str| -> Vec<Option<OsErrorKind>> {
        let machine = machine(scenario);
        let pid = machine.processes().unwrap().iter().find(|p| p.name == name).unwrap().pid;
        let threads = machine.threads(pid).unwrap();
        threads.iter().take(3).map(|t| machine.open_thread(t.tid).err().map(|e| e.kind)).collect()
    };
    let (gone, denied) = (Some(OsErrorKind::Gone), Some(OsErrorKind::AccessDenied));
    assert_eq!(kinds("", "notepad.exe"), [None; 3]);
    assert_eq!(kinds("thread-gone", "notepad.exe"), [None, gone, None]);
    assert_eq!(kinds("threads-denied", "notepad.exe"), [None, denied, None]);
    assert_eq!(kinds("process-exits", "notepad.exe"), [gone; 3]);
    assert_eq!(kinds("protected-process", "lsass.exe"), [denied; 3]);
    assert_eq!(kinds("", "csrss.exe"), [denied; 3]);
}

#[test]
fn an_ordinary_user_has_no_privilege() {
    let machine = machine("not-elevated");
    let facts = machine.facts();
    assert_eq!(
        (facts.elevated, facts.debug_privilege),
        (Some(false), Some(PrivilegeState::NotHeld))
    );
    assert_eq!(machine.enable_debug_privilege().err().unwrap().kind, OsErrorKind::PrivilegeNotHeld);
}

#[test]
fn time_moves_when_everybody_sleeps_and_only_then() {
    let clock: Arc<dyn Clock> = SimulatedClock::new(false);
    let worker = Participant::new(clock.clone());
    let _main = Participant::new(clock.clone());
    let (started, go) = std::sync::mpsc::channel();
    let inner = clock.clone();
    let thread = std::thread::spawn(move || {
        let _worker = worker;
        go.recv().unwrap();
        let before = inner.now();
        inner.sleep_until(Some(before + Duration::from_secs(100)), &Wake::new());
        (before, inner.now())
    });
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(60));
            started.send(()).unwrap();
        });
        clock.sleep_until(Some(Duration::from_secs(3600)), &Wake::new());
    });
    let (before, after) = thread.join().unwrap();
    assert_eq!((before, after), (Duration::ZERO, Duration::from_secs(100)));
    assert_eq!(clock.now(), Duration::from_secs(3600));
}

#[test]
fn a_wake_ends_a_sleep_without_end() {
    let clock = SimulatedClock::new(false);
    let wake = Wake::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_millis(10));
            wake.raise();
        });
        assert!(clock.sleep_until(None, &wake));
    });
    assert_eq!(clock.now(), Duration::ZERO);
    assert!(!wake.is_raised());
}

#[test]
fn facts_can_be_refused_and_are_then_named() {
    let facts = machine("facts-unread").facts();
    assert_eq!(
        (facts.memory.total, facts.debugger, facts.policy.allow_live_dump),
        (None, None, None)
    );
    assert!(facts.unread.iter().any(|(name, _)| name == "memory"));
    assert!(machine("").facts().unread.is_empty());
}

#[test]
fn the_process_may_be_of_another_architecture_than_the_machine() {
    let of = |scenario: &str| {
        let facts = machine(scenario).facts();
        (facts.process.unwrap(), facts.native.unwrap())
    };
    assert_eq!(of("wow64"), (Architecture::X86, Architecture::X64));
    assert_eq!(of("x64-on-arm64"), (Architecture::X64, Architecture::Arm64));
}

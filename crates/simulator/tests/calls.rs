//! Which status each call gets, and which check comes first: interface specification, 1.3 to 1.8.
#![allow(missing_docs, clippy::unwrap_used)]

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::Duration;

use machine::Clock;
use simulator::{
    Answer, EventObject, FileObject, Kernel, Objects, RawCall, RealProcess, Scenario,
    SimulatedClock, ThreadObject,
};

const FILE: u64 = 0x10;
const EVENT: u64 = 0x14;
const THREAD: u64 = 0x1000;
const ADDRESS: u64 = 0x5000_0000;

const INFO_LENGTH_MISMATCH: u32 = 0xC000_0004;
const INVALID_PARAMETER: u32 = 0xC000_000D;
const ACCESS_DENIED: u32 = 0xC000_0022;

struct Handles {
    file: FileObject,
    event: EventObject,
    threads: HashMap<u64, ThreadObject>,
    memory: Vec<u8>,
    /// Looks at the event after which it is set.
    set_after: RefCell<Option<u32>>,
    /// Answered by writes.
    write_status: Option<u32>,
    writes: RefCell<Vec<(u64, usize)>>,
}

impl Default for Handles {
    fn default() -> Self {
        Self {
            file: FileObject { granted: 0x12_0196, synchronous: true, sector: Some(512) },
            event: EventObject { granted: 0x10_0001 },
            threads: HashMap::new(),
            memory: Vec::new(),
            set_after: RefCell::default(),
            write_status: None,
            writes: RefCell::default(),
        }
    }
}

impl Objects for Handles {
    fn file(&self, handle: u64) -> Result<FileObject, u32> {
        match handle {
            FILE => Ok(self.file),
            EVENT => Err(0xC000_0024),
            _ => Err(0xC000_0008),
        }
    }
    fn write(&self, _: u64, offset: u64, bytes: &[u8]) -> Result<(), u32> {
        self.writes.borrow_mut().push((offset, bytes.len()));
        self.write_status.map_or(Ok(()), Err)
    }
    fn event(&self, handle: u64) -> Result<EventObject, u32> {
        if handle == EVENT { Ok(self.event) } else { Err(0xC000_0008) }
    }
    fn is_set(&self, _: u64) -> bool {
        match self.set_after.borrow_mut().as_mut() {
            None => false,
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
        }
    }
    fn thread(&self, handle: u64) -> Result<ThreadObject, u32> {
        self.threads.get(&handle).copied().ok_or(0xC000_0008)
    }
    fn read_memory(&self, address: u64, length: usize) -> Result<Vec<u8>, u32> {
        let from = address.checked_sub(ADDRESS).ok_or(0xC000_0005u32)? as usize;
        self.memory.get(from..from + length).map(<[u8]>::to_vec).ok_or(0xC000_0005)
    }
}

fn kernel(scenario: &str) -> Kernel {
    Kernel::new(Scenario::parse(scenario).unwrap(), SimulatedClock::new(false))
}

fn ask(
    kernel: &Kernel,
    class: u32,
    input: &[u8],
    output: Option<&mut [u8]>,
    objects: &Handles,
) -> Answer {
    let output_length = output.as_ref().map_or(0, |o| o.len() as u32);
    kernel.system_debug_control(
        RawCall { class, input, misaligned: false, output, output_length },
        objects,
    )
}

/// SYSDBG_LIVEDUMP_CONTROL, changed by 32-bit values at offsets.
fn control(length: usize, changes: &[(usize, u32)]) -> Vec<u8> {
    let mut bytes = vec![0; length];
    bytes[0] = 2;
    bytes[40] = FILE as u8;
    for (at, value) in changes {
        bytes[*at..at + 4].copy_from_slice(&value.to_le_bytes());
    }
    bytes
}

fn live(scenario: &str, input: &[u8], objects: &Handles) -> u32 {
    ask(&kernel(scenario), 37, input, None, objects).status
}

#[test]
fn a_misaligned_structure_is_refused_before_anything_else() {
    let input = control(64, &[]);
    let call =
        RawCall { class: 12, input: &input, misaligned: true, output: None, output_length: 0 };
    assert_eq!(
        kernel("not-elevated").system_debug_control(call, &Handles::default()).status,
        0x8000_0002
    );
}

#[test]
fn without_a_debugger_only_two_classes_are_alive() {
    let without = kernel("not-elevated");
    let with = kernel("debugger");
    for class in (0..29).chain(30..37).chain(38..45) {
        assert_eq!(
            ask(&without, class, &[], None, &Handles::default()).status,
            0xC000_0354,
            "{class}"
        );
    }
    for (class, status) in
        [(0, 0xC000_0002), (8, 0xC000_0002), (20, 0xC000_0002), (99, 0xC000_0003)]
    {
        assert_eq!(ask(&with, class, &[], None, &Handles::default()).status, status, "{class}");
    }
}

#[test]
fn the_privilege_is_asked_for_before_the_lengths() {
    for scenario in ["not-elevated", "no-debug-privilege", "container"] {
        for class in [29, 37] {
            let answer = ask(&kernel(scenario), class, &[0; 3], None, &Handles::default());
            assert_eq!(answer.status, ACCESS_DENIED, "{scenario} {class}");
        }
    }
}

#[test]
fn lengths_of_the_live_dump_follow_the_build() {
    let objects = Handles::default();
    for (build, length, status) in [
        ("windows-10", 64, 0),
        ("windows-10", 72, INFO_LENGTH_MISMATCH),
        ("build=22000", 72, INFO_LENGTH_MISMATCH),
        ("build=22621", 72, 0),
        ("", 64, 0),
        ("", 68, INFO_LENGTH_MISMATCH),
        ("", 48, INFO_LENGTH_MISMATCH),
        ("v1-only", 72, INFO_LENGTH_MISMATCH),
        ("v1-only", 64, 0),
    ] {
        assert_eq!(live(build, &control(length, &[]), &objects), status, "{build} {length}");
    }
}

#[test]
fn a_live_dump_takes_no_output_buffer() {
    let answer = ask(&kernel(""), 37, &control(64, &[]), Some(&mut [0; 16]), &Handles::default());
    assert_eq!(answer, Answer { status: INFO_LENGTH_MISMATCH, length: 0 });
}

#[test]
fn the_file_must_be_one_that_can_be_written_synchronously() {
    let input = control(64, &[]);
    let with = |granted, synchronous| Handles {
        file: FileObject { granted, synchronous, sector: None },
        ..Handles::default()
    };
    assert_eq!(live("", &control(64, &[(40, 0)]), &Handles::default()), INVALID_PARAMETER);
    assert_eq!(live("", &control(64, &[(40, 0x7777)]), &Handles::default()), 0xC000_0008);
    assert_eq!(live("", &control(64, &[(40, EVENT as u32)]), &Handles::default()), 0xC000_0024);
    assert_eq!(live("", &input, &with(0x1, true)), ACCESS_DENIED);
    assert_eq!(live("", &input, &with(0x2, false)), INVALID_PARAMETER);
    assert_eq!(live("", &input, &with(0x2, true)), 0);
}

#[test]
fn the_cancel_event_must_be_one_that_can_be_asked() {
    let input = control(64, &[(48, EVENT as u32)]);
    let with = |granted| Handles { event: EventObject { granted }, ..Handles::default() };
    assert_eq!(live("", &input, &with(0x10_0001)), 0);
    assert_eq!(live("", &input, &with(0x10_0000)), ACCESS_DENIED);
    assert_eq!(live("", &control(64, &[(48, 0x7777)]), &Handles::default()), 0xC000_0008);
}

#[test]
fn a_selective_dump_needs_every_field_right() {
    let inner = |version: u32, size: u32, flags: u32| {
        let mut memory = vec![0; 48];
        memory[..4].copy_from_slice(&version.to_le_bytes());
        memory[4..8].copy_from_slice(&size.to_le_bytes());
        memory[8..12].copy_from_slice(&flags.to_le_bytes());
        Handles { memory, ..Handles::default() }
    };
    let good = [(56, 0x10), (64, ADDRESS as u32)];
    assert_eq!(live("", &control(72, &good), &inner(1, 48, 1)), 0);
    for (input, objects) in [
        (control(72, &[(56, 0x10)]), inner(1, 48, 1)),
        (control(72, &[good[0], good[1], (0, 1)]), inner(1, 48, 1)),
        (control(72, &[good[0], good[1], (60, 1)]), inner(1, 48, 1)),
        (control(64, &[(56, 0x10)]), inner(1, 48, 1)),
        (control(72, &good), inner(2, 48, 1)),
        (control(72, &good), inner(1, 40, 1)),
        (control(72, &good), inner(1, 48, 2)),
    ] {
        assert_eq!(live("", &input, &objects), INVALID_PARAMETER);
    }
    assert_eq!(live("", &control(72, &[(56, 0x10), (64, 0x10)]), &inner(1, 48, 1)), 0xC000_0005);
}

#[test]
fn user_pages_need_a_new_build_or_a_debugger() {
    let input = control(64, &[(56, 0x4)]);
    for (scenario, status) in [
        ("", 0),
        ("debugger-inactive", 0xC000_0354),
        ("build=22000", 0xC000_0354),
        ("windows-10,debugger", 0),
    ] {
        assert_eq!(live(scenario, &input, &Handles::default()), status, "{scenario}");
    }
}

#[test]
fn flags_that_a_build_does_not_know_are_not_implemented() {
    for (scenario, change) in [
        ("windows-10-1607", (56, 0x8)),
        ("windows-10", (60, 0x2)),
        ("", (56, 0x20)),
        ("", (60, 0x4)),
    ] {
        assert_eq!(
            live(scenario, &control(64, &[change]), &Handles::default()),
            0xC000_0002,
            "{scenario}"
        );
    }
    assert_eq!(
        live("", &control(64, &[(56, 0x3)]), &Handles::default()),
        0,
        "two flags do nothing"
    );
}

#[test]
fn scenarios_are_the_statuses_of_the_catalogue() {
    for (scenario, flags, status) in [
        ("always-busy", 0, 0xC000_022D),
        ("capture-timeout", 0, 0xC000_0476),
        ("partial", 0, 0x105),
        ("memory-pressure", 8, 0xC000_0240),
        ("memory-pressure", 0, 0x105),
        ("low-memory", 0, 0xC000_009A),
        ("disk-full-mid-write", 0, 0xC000_007F),
        ("fat32", 0, 0xC000_007F),
        ("reports-off", 0, 0xC000_0804),
        ("policy-off", 0, 0xC000_00BB),
        ("unknown-status", 0, 0xC0DE_F00D),
        ("stalled-volume", 0, 0),
    ] {
        let input = control(64, &[(56, flags)]);
        assert_eq!(live(scenario, &input, &Handles::default()), status, "{scenario}");
    }
}

#[test]
fn a_busy_kernel_is_free_at_the_third_call() {
    let kernel = kernel("busy-then-ok");
    let statuses: Vec<u32> = (0..4)
        .map(|_| ask(&kernel, 37, &control(64, &[]), None, &Handles::default()).status)
        .collect();
    assert_eq!(statuses, [0xC000_022D, 0xC000_022D, 0, 0]);
}

#[test]
fn the_header_is_written_last_in_chunks_of_the_builds_size() {
    for (scenario, chunk) in [("", 2 << 20), ("windows-10", 256 << 10)] {
        let objects = Handles::default();
        assert_eq!(live(scenario, &control(64, &[]), &objects), 0);
        let writes = objects.writes.into_inner();
        let (last, body) = writes.split_last().unwrap();
        assert_eq!((*last, body[0]), ((0, 0x2000), (0x2000, chunk)));
        assert!(body.windows(2).all(|w| w[0].0 + w[0].1 as u64 == w[1].0));
    }
}

#[test]
fn a_cancel_is_seen_between_chunks_and_leaves_no_header() {
    let objects = Handles { set_after: RefCell::new(Some(3)), ..Handles::default() };
    assert_eq!(live("", &control(64, &[(48, EVENT as u32)]), &objects), 0xC000_0120);
    assert_eq!(
        objects.writes.into_inner().iter().map(|w| w.0).collect::<Vec<_>>(),
        [0x2000, 0x20_2000, 0x40_2000]
    );
}

#[test]
fn what_the_file_system_says_is_passed_on() {
    let objects = Handles { write_status: Some(0xC000_0185), ..Handles::default() };
    assert_eq!(live("", &control(64, &[]), &objects), 0xC000_0185);
}

/// Asks for a second dump while the first is being written.
struct Impatient<'a> {
    kernel: &'a Kernel,
    handles: Handles,
    second: RefCell<Option<u32>>,
}

impl Objects for Impatient<'_> {
    fn file(&self, handle: u64) -> Result<FileObject, u32> {
        self.handles.file(handle)
    }
    fn write(&self, _: u64, _: u64, _: &[u8]) -> Result<(), u32> {
        let second = ask(self.kernel, 37, &control(64, &[]), None, &self.handles);
        *self.second.borrow_mut() = Some(second.status);
        Ok(())
    }
    fn event(&self, handle: u64) -> Result<EventObject, u32> {
        self.handles.event(handle)
    }
    fn is_set(&self, event: u64) -> bool {
        self.handles.is_set(event)
    }
    fn thread(&self, handle: u64) -> Result<ThreadObject, u32> {
        self.handles.thread(handle)
    }
    fn read_memory(&self, address: u64, length: usize) -> Result<Vec<u8>, u32> {
        self.handles.read_memory(address, length)
    }
}

#[test]
fn a_second_live_dump_is_told_to_retry() {
    let kernel = kernel("");
    let objects =
        Impatient { kernel: &kernel, handles: Handles::default(), second: RefCell::default() };
    let input = control(64, &[]);
    let call =
        RawCall { class: 37, input: &input, misaligned: false, output: None, output_length: 0 };
    assert_eq!(kernel.system_debug_control(call, &objects).status, 0);
    assert_eq!(objects.second.into_inner(), Some(0xC000_022D));
    assert_eq!(
        ask(&kernel, 37, &input, None, &Handles::default()).status,
        0,
        "the lock was given back"
    );
}

fn real_threads(count: u32) -> (Vec<RealProcess>, Handles) {
    let tids: Vec<u32> = (0..count).map(|n| 0x4000 + n * 4).collect();
    let mut objects = Handles::default();
    for (number, tid) in tids.iter().enumerate() {
        let handle = THREAD + number as u64 * 4;
        objects.memory.extend_from_slice(&handle.to_le_bytes());
        objects.threads.insert(handle, ThreadObject { granted: 0x1F_FFFF, tid: *tid, pid: 0x3000 });
    }
    (vec![RealProcess { pid: 0x3000, name: "real.exe".into(), threads: tids }], objects)
}

/// SYSDBG_TRIAGE_DUMP for so many threads.
fn triage(threads: u32) -> Vec<u8> {
    let mut bytes = vec![0; 56];
    bytes[44..48].copy_from_slice(&threads.to_le_bytes());
    bytes[48..56].copy_from_slice(&ADDRESS.to_le_bytes());
    bytes
}

#[test]
fn lengths_and_counts_of_the_triage_dump() {
    let (real, objects) = real_threads(1);
    let kernel = kernel("");
    kernel.adopt(&real);
    let mut large = vec![0; 0x20_0000];
    let mut status = |input: &[u8], length: usize| {
        ask(&kernel, 29, input, Some(&mut large[..length]), &objects).status
    };
    assert_eq!(status(&triage(1), 0x4_0000), 0);
    assert_eq!(status(&triage(1), 0x20_0000), 0);
    assert_eq!(status(&triage(1), 0x3_FFFF), INFO_LENGTH_MISMATCH);
    assert_eq!(status(&triage(1)[..52], 0x10_0000), INFO_LENGTH_MISMATCH);
    assert_eq!(status(&triage(0), 0x10_0000), INVALID_PARAMETER);
    let mut with_process = triage(1);
    with_process[40] = 1;
    assert_eq!(status(&with_process, 0x10_0000), INVALID_PARAMETER);
    let mut with_flags = triage(1);
    with_flags[0] = 1;
    assert_eq!(status(&with_flags, 0x10_0000), 0);
    with_flags[0] = 2;
    assert_eq!(status(&with_flags, 0x10_0000), INVALID_PARAMETER);
}

#[test]
fn threads_that_fail_are_skipped_and_all_failing_is_access_denied() {
    let (real, mut objects) = real_threads(3);
    let kernel = kernel("");
    kernel.adopt(&real);
    let mut output = vec![0; 0x10_0000];
    objects.threads.remove(&THREAD);
    objects.threads.get_mut(&(THREAD + 4)).unwrap().granted = 0x1F_FFFE;
    let answer = ask(&kernel, 29, &triage(3), Some(&mut output), &objects);
    assert_eq!(answer.status, 0);
    assert!(answer.length > 0x2080);
    objects.threads.clear();
    let answer = ask(&kernel, 29, &triage(3), Some(&mut output), &objects);
    assert_eq!(answer, Answer { status: ACCESS_DENIED, length: 0 });
}

#[test]
fn a_thread_that_does_not_answer_costs_five_seconds() {
    let (real, objects) = real_threads(4);
    let clock = SimulatedClock::new(false);
    let kernel = Kernel::new(Scenario::parse("stuck-thread").unwrap(), clock.clone());
    kernel.adopt(&real);
    let mut output = vec![0; 0x10_0000];
    assert_eq!(ask(&kernel, 29, &triage(4), Some(&mut output), &objects).status, 0);
    assert_eq!(clock.now(), Duration::from_secs(5));
}

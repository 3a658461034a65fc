//! What `kernel` promises, on the simulated machine and the real file system.
#![allow(clippy::unwrap_used, dead_code, missing_docs)]

mod world;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use capture::{Class, Common, Event, KernelOptions, Report};
use machine::Pages;
use world::{Seen, TestHost, names, on, world};

fn options(folder: &Path) -> KernelOptions {
    let file = Some(folder.join("live.dmp").display().to_string());
    KernelOptions { common: Common { file, ..Common::default() }, pages: Pages::default() }
}

fn take(scenario: &str, options: &KernelOptions) -> Report {
    capture::kernel(&world(scenario), options, Arc::new(Seen::default()))
}

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn a_healthy_machine_gives_a_verified_file_under_its_final_name() {
    let folder = folder();
    let report = take("healthy", &options(folder.path()));
    assert_eq!(report.class, Class::Done, "{report:#?}");
    assert_eq!(names(folder.path()), ["live.dmp"]);
    assert_eq!(report.files[0].verification.as_ref().unwrap().verdict, format::Verdict::Good);
    assert_eq!(report.simulated.as_deref(), Some("healthy"));
}

#[test]
fn the_estimate_brackets_what_is_written() {
    for scenario in
        ["healthy", "healthy,memory=1g", "windows-10", "healthy,threads=6000,processes=300"]
    {
        for pages in [Pages::default(), Pages { include_user_space: true, ..Pages::default() }] {
            if scenario == "windows-10" && pages.include_user_space {
                continue;
            }
            let folder = folder();
            let report = take(scenario, &KernelOptions { pages, ..options(folder.path()) });
            let (estimate, size) = (report.estimate.unwrap(), report.files[0].size);
            assert!(estimate.lower.unwrap() <= size, "{scenario}: {:?} > {size}", estimate.lower);
            assert!(estimate.upper.unwrap() >= size, "{scenario}: {:?} < {size}", estimate.upper);
        }
    }
}

#[test]
fn every_scenario_ends_in_its_class_and_leaves_no_file_when_it_failed() {
    let expected = [
        ("busy-then-ok", Class::Done),
        ("always-busy", Class::Busy),
        ("capture-timeout", Class::Busy),
        ("partial", Class::Partial),
        ("encrypted", Class::Partial),
        ("low-memory", Class::Memory),
        ("disk-full-mid-write", Class::Disk),
        ("fat32", Class::Disk),
        ("reports-off", Class::Policy),
        ("policy-off", Class::Policy),
        ("not-elevated", Class::Elevation),
        ("container", Class::Unsupported),
        ("windows-10-1607", Class::Done),
        ("windows-10", Class::Done),
        ("windows-11", Class::Done),
        ("v1-only", Class::Done),
        ("unknown-status", Class::Internal),
    ];
    for (scenario, class) in expected {
        let folder = folder();
        let report = take(scenario, &options(folder.path()));
        assert_eq!(report.class, class, "{scenario}: {report:#?}");
        let stays = matches!(class, Class::Done | Class::Partial);
        assert_eq!(!names(folder.path()).is_empty(), stays, "{scenario}");
    }
}

#[test]
fn a_refused_call_is_told_with_value_name_meaning_and_remedy() {
    let folder = folder();
    let failure = take("reports-off", &options(folder.path())).failure.unwrap();
    let status = failure.status.unwrap();
    assert_eq!(status.ntstatus, "0xC0000804");
    assert_eq!(status.name.as_deref(), Some("STATUS_CONTENT_BLOCKED"));
    assert!(!status.meaning.is_empty() && failure.remedy.is_some());
    let failure = take("unknown-status", &options(folder.path())).failure.unwrap();
    assert!(failure.status.unwrap().name.is_none() && failure.remedy.is_some());
}

#[test]
fn busy_is_retried_on_the_machines_clock_and_told() {
    let folder = folder();
    let seen = Arc::new(Seen::default());
    let report = capture::kernel(&world("always-busy"), &options(folder.path()), seen.clone());
    assert_eq!(report.attempts.len(), 6);
    let waits: Vec<f64> = seen
        .0
        .lock()
        .unwrap()
        .iter()
        .filter_map(|e| if let Event::Retry { wait, .. } = e { Some(*wait) } else { None })
        .collect();
    assert_eq!(waits, [1.0, 2.0, 4.0, 8.0, 15.0]);
    assert!(report.times.total >= 30.0);
}

#[test]
fn the_other_structure_is_tried_once_when_a_length_is_refused() {
    let folder = folder();
    let report = take("v1-only", &options(folder.path()));
    assert_eq!(report.attempts.iter().map(|a| a.structure).collect::<Vec<_>>(), [72, 64]);
    let ten = take(
        "windows-10",
        &KernelOptions {
            common: Common { overwrite: true, ..options(folder.path()).common },
            ..options(folder.path())
        },
    );
    assert_eq!(ten.attempts.iter().map(|a| a.structure).collect::<Vec<_>>(), [64]);
}

#[test]
fn an_existing_file_is_refused_before_the_call_and_not_touched() {
    let folder = folder();
    std::fs::write(folder.path().join("live.dmp"), b"evidence").unwrap();
    let report = take("healthy", &options(folder.path()));
    assert_eq!(report.class, Class::Disk);
    assert!(report.failure.unwrap().remedy.unwrap().contains("--overwrite"));
    assert!(report.attempts.is_empty());
    assert_eq!(std::fs::read(folder.path().join("live.dmp")).unwrap(), b"evidence");
}

#[test]
fn overwrite_replaces_only_at_the_end_and_a_failed_capture_leaves_the_old_file() {
    let folder = folder();
    let path = folder.path().join("live.dmp");
    std::fs::write(&path, b"evidence").unwrap();
    let mut options = options(folder.path());
    options.common.overwrite = true;
    assert_eq!(take("disk-full-mid-write", &options).class, Class::Disk);
    assert_eq!(std::fs::read(&path).unwrap(), b"evidence");
    assert_eq!(take("healthy", &options).class, Class::Done);
    assert!(std::fs::metadata(&path).unwrap().len() > 8);
    assert_eq!(names(folder.path()), ["live.dmp"]);
}

#[test]
fn a_success_that_does_not_verify_keeps_its_partial_and_never_the_name() {
    for scenario in ["bad-header", "truncated"] {
        let folder = folder();
        let report = take(scenario, &options(folder.path()));
        assert_eq!(report.class, Class::Unverified, "{scenario}: {report:#?}");
        assert_eq!(names(folder.path()), ["live.dmp.partial"]);
        assert!(!report.files[0].complete_name);
        assert!(!report.failure.unwrap().details.is_empty());
    }
}

#[test]
fn a_partial_dump_has_its_name_unless_a_complete_one_is_required() {
    let folder = folder();
    let mut options = options(folder.path());
    options.common.require_complete = true;
    let report = take("partial", &options);
    assert_eq!(report.class, Class::Partial);
    assert_eq!(names(folder.path()), ["live.dmp.partial"]);
    let kept = folder.path().join("live.dmp.partial");
    std::fs::rename(&kept, folder.path().join("older")).unwrap();
    options.common.require_complete = false;
    assert_eq!(take("partial", &options).class, Class::Partial);
    assert_eq!(names(folder.path()), ["live.dmp", "older"]);
}

#[test]
fn memory_pressure_aborts_only_when_asked_to() {
    let folder = folder();
    let pages = Pages { abort_if_memory_pressure: true, ..Pages::default() };
    assert_eq!(
        take("memory-pressure", &KernelOptions { pages, ..options(folder.path()) }).class,
        Class::Memory
    );
    assert_eq!(take("memory-pressure", &options(folder.path())).class, Class::Partial);
}

#[test]
fn user_pages_on_an_old_build_are_unsupported() {
    let folder = folder();
    let pages = Pages { include_user_space: true, ..Pages::default() };
    let report = take("debugger-inactive", &KernelOptions { pages, ..options(folder.path()) });
    assert_eq!(report.class, Class::Unsupported);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn stacks_only_is_smaller_and_not_combined_with_other_pages() {
    let folder = folder();
    let whole = take("healthy", &options(folder.path())).files[0].size;
    let pages = Pages { kernel_stacks_only: true, ..Pages::default() };
    let mut stacks = KernelOptions { pages, ..options(folder.path()) };
    stacks.common.file = Some(folder.path().join("stacks.dmp").display().to_string());
    let report = take("healthy", &stacks);
    assert_eq!(report.class, Class::Done, "{report:#?}");
    assert!(report.files[0].size < whole);
    stacks.pages.hypervisor = true;
    assert_eq!(take("healthy", &stacks).class, Class::Usage);
}

#[test]
fn an_interrupt_cancels_and_leaves_nothing() {
    let folder = folder();
    let host = TestHost::new();
    host.interrupts.store(1, Ordering::SeqCst);
    let report =
        capture::kernel(&on("healthy", host), &options(folder.path()), Arc::new(Seen::default()));
    assert_eq!(report.class, Class::Cancelled, "{report:#?}");
    assert_eq!(report.failure.unwrap().status.unwrap().ntstatus, "0xC0000120");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_second_interrupt_abandons_the_call_and_the_file_goes_away() {
    let folder = folder();
    let host = TestHost::new();
    host.interrupts.store(2, Ordering::SeqCst);
    let report = capture::kernel(
        &on("stalled-volume", host),
        &options(folder.path()),
        Arc::new(Seen::default()),
    );
    assert_eq!(report.class, Class::Cancelled);
    assert!(report.abandoned);
    assert!(names(folder.path()).is_empty());
}

#[test]
fn a_timeout_cancels_a_stalled_volume_and_keeps_the_partial_only_when_asked() {
    for keep in [false, true] {
        let folder = folder();
        let mut options = options(folder.path());
        options.common.timeout = Some(Duration::from_secs(5));
        options.common.keep_partial = keep;
        let report = take("stalled-volume", &options);
        assert_eq!(report.class, Class::Cancelled, "{report:#?}");
        assert_eq!(names(folder.path()).len(), usize::from(keep));
        assert_eq!(report.files.len(), usize::from(keep));
    }
}

#[test]
fn code_parameters_and_comment_are_in_the_header() {
    let folder = folder();
    let mut options = options(folder.path());
    let report = take("healthy", &options);
    let info = info(&report);
    assert_eq!(info.comment.as_deref().map(|c| c.starts_with("simulated")), Some(true));
    let header = std::fs::read(folder.path().join("live.dmp")).unwrap();
    assert_eq!(&header[0x38..0x3C], 0x161u32.to_le_bytes());
    assert_eq!(&header[0x40..0x48], b"pmudevil");
    options.common = Common {
        overwrite: true,
        bugcheck: Some(0x1CC),
        parameters: vec![7, 8],
        comment: Some("ticket 4711".into()),
        hash: true,
        ..options.common
    };
    let report = take("healthy", &options);
    let header = std::fs::read(folder.path().join("live.dmp")).unwrap();
    assert_eq!(&header[0x38..0x3C], 0x1CCu32.to_le_bytes());
    assert_eq!(&header[0x40..0x50], [7u64.to_le_bytes(), 8u64.to_le_bytes()].concat());
    assert!(header[0xFB0..0x1030].windows(11).any(|w| w == b"ticket 4711"));
    assert!(report.files[0].sha256.as_ref().is_some_and(|h| h.len() == 64));
}

fn info(report: &Report) -> format::Info {
    let file = format::File::open(Path::new(&report.files[0].path)).unwrap();
    format::info(&file).unwrap()
}

#[test]
fn a_partial_of_an_earlier_run_is_never_touched() {
    let folder = folder();
    std::fs::write(folder.path().join("live.dmp.partial"), b"evidence").unwrap();
    let report = take("healthy", &options(folder.path()));
    assert_eq!(report.class, Class::Done);
    assert_eq!(names(folder.path()), ["live.dmp", "live.dmp.partial"]);
    assert_eq!(std::fs::read(folder.path().join("live.dmp.partial")).unwrap(), b"evidence");
}

#[test]
fn a_folder_gets_a_made_up_name_and_a_missing_one_is_said() {
    let folder = folder();
    let mut options = options(folder.path());
    options.common.file = Some(folder.path().display().to_string());
    assert_eq!(take("healthy", &options).class, Class::Done);
    let [name] = &names(folder.path())[..] else { panic!() };
    assert!(name.starts_with("TEST-PC-kernel-") && name.ends_with(".dmp"));
    options.common.file = Some(folder.path().join("nowhere").join("x.dmp").display().to_string());
    assert_eq!(take("healthy", &options).class, Class::Disk);
}

#[test]
fn without_a_file_no_dump_goes_under_the_systems_own_folder() {
    let folder = folder();
    let mut host = TestHost::new();
    host.current = Some(folder.path().join("system32"));
    host.system = Some(folder.path().to_path_buf());
    std::fs::create_dir(folder.path().join("system32")).unwrap();
    let mut options = options(folder.path());
    options.common.file = None;
    let report = capture::kernel(&on("healthy", host), &options, Arc::new(Seen::default()));
    assert_eq!(report.class, Class::Done, "{report:#?}");
    assert_eq!(names(&folder.path().join("system32")), Vec::<String>::new());
    let path = Path::new(&report.files[0].path);
    assert!(!path.starts_with(folder.path()));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_folder_that_synchronises_is_refused_unless_allowed() {
    let folder = folder();
    let synced = || {
        let mut host = TestHost::new();
        host.synced = vec![machine::SyncedFolder {
            provider: "OneDrive".into(),
            path: folder.path().to_path_buf(),
        }];
        host
    };
    let mut options = options(folder.path());
    let report = capture::kernel(&on("healthy", synced()), &options, Arc::new(Seen::default()));
    assert_eq!(report.class, Class::Policy);
    options.common.allow_synced = true;
    let report = capture::kernel(&on("healthy", synced()), &options, Arc::new(Seen::default()));
    assert_eq!(report.class, Class::Done);
}

#[test]
fn a_simulated_capture_writes_no_event_log_record() {
    let folder = folder();
    let host = Arc::new(TestHost::new());
    let world = capture::World { host: host.clone(), ..world("healthy") };
    assert_eq!(
        capture::kernel(&world, &options(folder.path()), Arc::new(Seen::default())).class,
        Class::Done
    );
    assert!(host.events.lock().unwrap().is_empty());
}

#[test]
fn a_fact_that_could_not_be_read_is_never_told_as_in_order() {
    let doctor = capture::doctor(&world("facts-unread"), None);
    for name in ["FullLiveReportsMax", "AllowLiveDump"] {
        let found: Vec<_> = doctor.findings.iter().filter(|f| f.name == name).collect();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!((found[0].level, found[0].value.as_str()), (capture::Level::Warning, "unknown"));
    }
    let kernel = doctor.kinds.iter().find(|k| k.kind == "kernel").unwrap();
    assert_eq!(kernel.possible, None);
}

#[cfg(unix)]
#[test]
fn overwrite_replaces_files_and_nothing_else() {
    let folder = folder();
    let path = folder.path().join("live.dmp");
    let mut options = options(folder.path());
    options.common.overwrite = true;
    let _socket = std::os::unix::net::UnixListener::bind(&path).unwrap();
    assert_eq!(take("healthy", &options).class, Class::Usage);
    std::fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("elsewhere", &path).unwrap();
    assert_eq!(take("healthy", &options).class, Class::Usage);
    assert!(path.symlink_metadata().unwrap().file_type().is_symlink());
}

#[cfg(unix)]
#[test]
fn a_way_round_into_a_synced_folder_is_refused_as_well() {
    let folder = folder();
    let synced = folder.path().join("Dropbox");
    std::fs::create_dir_all(synced.join("in")).unwrap();
    std::fs::create_dir(folder.path().join("x")).unwrap();
    std::os::unix::fs::symlink(&synced, folder.path().join("link")).unwrap();
    for way in ["x/../Dropbox/live.dmp", "link/in/live.dmp"] {
        let mut host = TestHost::new();
        host.synced =
            vec![machine::SyncedFolder { provider: "Dropbox".into(), path: synced.clone() }];
        let mut options = options(folder.path());
        options.common.file = Some(folder.path().join(way).display().to_string());
        let report = capture::kernel(&on("healthy", host), &options, Arc::new(Seen::default()));
        assert_eq!(report.class, Class::Policy, "{way}");
    }
}

#[test]
fn a_refused_call_is_never_told_as_time_spent_writing() {
    let folder = folder();
    let times = take("capture-timeout", &options(folder.path())).times;
    assert!(times.preparing > 0.0 && times.writing == 0.0, "{times:?}");
}

#[test]
fn a_comment_that_does_not_fit_is_cut_aloud() {
    let folder = folder();
    let mut options = options(folder.path());
    options.common.comment = Some("x".repeat(127));
    let report = take("healthy", &options);
    assert!(report.notes.iter().any(|n| n.warning && n.text.contains("cut")), "{:?}", report.notes);
}

#[test]
fn two_made_up_names_of_one_second_do_not_collide() {
    let folder = folder();
    let mut options = options(folder.path());
    options.common.file = Some(folder.path().display().to_string());
    for _ in 0..3 {
        assert_eq!(take("healthy", &options).class, Class::Done);
    }
    assert_eq!(names(folder.path()).len(), 3);
}

/// A capture of a machine that says it is real; the event-log records it left.
fn real(change: impl Fn(&mut TestHost, &mut KernelOptions)) -> (Report, Vec<machine::EventRecord>) {
    let folder = folder();
    let (mut host, mut options) = (TestHost::new(), options(folder.path()));
    change(&mut host, &mut options);
    let host = Arc::new(host);
    let machine = Arc::new(world::as_real::AsReal(world("healthy").machine));
    let world = capture::World { machine, host: host.clone() };
    let report = capture::kernel(&world, &options, Arc::new(Seen::default()));
    let events = host.events.lock().unwrap().clone();
    (report, events)
}

#[test]
fn a_real_capture_leaves_one_record_of_who_what_where_and_how_it_ended() {
    let (report, events) = real(|_, _| {});
    assert_eq!((report.class, events.len()), (Class::Done, 1));
    assert_eq!(events[0].who, "TEST\\user");
    assert!(events[0].what.contains("kernel memory") && events[0].file.ends_with("live.dmp"));
    assert!(events[0].size > 1 << 20 && events[0].result.contains("good"), "{events:?}");
}

#[test]
fn no_event_log_leaves_no_record() {
    let (report, events) = real(|_, options| options.common.no_event_log = true);
    assert_eq!((report.class, events.len()), (Class::Done, 0));
}

#[test]
fn a_record_that_cannot_be_written_is_a_warning() {
    let (report, _) = real(|host, _| host.log_fails = true);
    assert_eq!(report.class, Class::Done);
    assert!(
        report.notes.iter().any(|n| n.warning && n.text.contains("event-log")),
        "{:?}",
        report.notes
    );
}

//! This machine, where it is Windows; run under Wine where it is not.
#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

#[cfg(not(windows))]
#[test]
fn only_windows_is_a_machine_that_can_be_dumped() {
    assert!(sys::machine().is_none());
}

#[cfg(windows)]
mod on_windows {
    use std::sync::Arc;

    use machine::{
        LiveDumpRequest, Machine, Origin, Pages, StructureVersion, TargetOptions, TriageRequest,
    };

    fn this() -> Arc<dyn Machine> {
        sys::machine().unwrap().unwrap()
    }

    #[test]
    fn facts_of_the_real_machine_are_read_and_what_is_not_is_named() {
        let machine = this();
        assert_eq!(machine.origin(), Origin::Real);
        let facts = machine.facts();
        assert!(facts.computer.is_some() && facts.os.is_some());
        assert!(facts.elevated.is_some() && facts.debug_privilege.is_some());
        assert!(facts.unread.iter().all(|(fact, why)| !fact.is_empty() && !why.is_empty()));
    }

    #[test]
    fn our_own_process_and_its_threads_are_in_the_lists() {
        let machine = this();
        let own = std::process::id();
        assert!(machine.processes().unwrap().iter().any(|process| process.pid == own));
        let threads = machine.threads(own).unwrap();
        assert!(!threads.is_empty());
        assert!(threads.iter().all(|thread| thread.pid == own));
        assert_eq!(machine.threads(0xFFFF_FFF1).unwrap(), []);
    }

    /// Wine's kernel side answers every dump command so, whatever it is given.
    const DEBUGGER_INACTIVE: u32 = 0xC000_0354;
    const ACCESS_DENIED: u32 = 0xC000_0022;

    // A Windows where the test runs elevated with the privilege enabled would
    // take a dump: so the privilege stays as it is, which is not enabled.
    #[test]
    fn both_calls_bring_back_the_kernels_own_status() {
        let machine = this();
        let folder = tempfile::tempdir().unwrap();
        let options = TargetOptions {
            folder: folder.path().to_path_buf(),
            name: "x.partial".into(),
            allocate: 0,
            reader: None,
            unbuffered: true,
        };
        let target = sys::host().unwrap().create_target(&options).unwrap();
        assert_ne!(target.raw(), 0);
        let cancel = machine.cancel_token().unwrap();
        for version in [StructureVersion::V1, StructureVersion::V2] {
            let answer = machine.live_dump(&LiveDumpRequest {
                version,
                bugcheck_code: 0x161,
                parameters: [0; 4],
                pages: Pages::default(),
                target: target.as_ref(),
                cancel: Some(cancel.as_ref()),
            });
            assert!(matches!(answer.status, DEBUGGER_INACTIVE | ACCESS_DENIED), "{answer:X?}");
        }
        let own = machine.threads(std::process::id()).unwrap();
        let threads = [machine.open_thread(own[0].tid).unwrap()];
        let request = TriageRequest { bugcheck_code: 0, parameters: [0; 4], threads: &threads };
        let answer = machine.triage_dump(&request, &mut vec![0; 0x10_0000]);
        assert!(matches!(answer.status, DEBUGGER_INACTIVE | ACCESS_DENIED), "{answer:X?}");
    }
}

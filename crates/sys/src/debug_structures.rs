//! The typed requests as the structures of the debug-control call. Pure: tested on every OS.

use machine::{LiveDumpRequest, TriageRequest};
use nt::sysdbg::{
    LIVEDUMP_CONTROL_VERSION_1, LiveDumpAddPages, LiveDumpControlV1, LiveDumpFlags, TriageDump,
};

/// The fields that both versions share. `selective` needs the second version's pointer.
pub(crate) fn live_dump(request: &LiveDumpRequest<'_>) -> LiveDumpControlV1 {
    let [bug_check_param1, bug_check_param2, bug_check_param3, bug_check_param4] =
        request.parameters;
    LiveDumpControlV1 {
        version: LIVEDUMP_CONTROL_VERSION_1,
        bug_check_code: request.bugcheck_code,
        bug_check_param1,
        bug_check_param2,
        bug_check_param3,
        bug_check_param4,
        dump_file_handle: request.target.raw() as u64,
        cancel_event_handle: request.cancel.map_or(0, |cancel| cancel.raw() as u64),
        flags: flags(request),
        add_pages_control: added_pages(request),
    }
}

fn flags(request: &LiveDumpRequest<'_>) -> LiveDumpFlags {
    let pages = &request.pages;
    [
        (pages.use_dump_storage_stack, LiveDumpFlags::USE_DUMP_STORAGE_STACK),
        (pages.compress_memory_pages_data, LiveDumpFlags::COMPRESS_MEMORY_PAGES_DATA),
        (pages.include_user_space, LiveDumpFlags::INCLUDE_USER_SPACE_MEMORY_PAGES),
        (pages.abort_if_memory_pressure, LiveDumpFlags::ABORT_IF_MEMORY_PRESSURE),
        (pages.kernel_stacks_only, LiveDumpFlags::SELECTIVE_DUMP),
    ]
    .into_iter()
    .filter(|(wanted, _)| *wanted)
    .fold(LiveDumpFlags::NONE, |all, (_, flag)| all | flag)
}

fn added_pages(request: &LiveDumpRequest<'_>) -> LiveDumpAddPages {
    let mut added = LiveDumpAddPages::NONE;
    if request.pages.hypervisor {
        added |= LiveDumpAddPages::HYPERVISOR_PAGES;
    }
    if request.pages.nonessential_hypervisor {
        added |= LiveDumpAddPages::NON_ESSENTIAL_HYPERVISOR_PAGES;
    }
    added
}

/// The triage structure over `handles`, which must outlive the call. `None`: more threads than it can count.
pub(crate) fn triage(request: &TriageRequest<'_>, handles: &[usize]) -> Option<TriageDump> {
    let [bug_check_param1, bug_check_param2, bug_check_param3, bug_check_param4] =
        request.parameters;
    Some(TriageDump {
        flags: 0,
        bug_check_code: request.bugcheck_code,
        bug_check_param1,
        bug_check_param2,
        bug_check_param3,
        bug_check_param4,
        process_handles: 0,
        thread_handles: u32::try_from(handles.len()).ok()?,
        handles: handles.as_ptr().addr() as u64,
    })
}

#[cfg(test)]
mod tests {
    use machine::{
        CancelToken, OsError, Pages, StructureVersion, Target, TargetError, TargetFacts,
        ThreadHandle,
    };

    use super::*;

    struct Raw(usize);

    impl CancelToken for Raw {
        fn cancel(&self) {}
        fn is_cancelled(&self) -> bool {
            false
        }
        fn raw(&self) -> usize {
            self.0
        }
    }

    impl Target for Raw {
        fn path(&self) -> std::path::PathBuf {
            unreachable!()
        }
        fn raw(&self) -> usize {
            self.0
        }
        fn facts(&self) -> &TargetFacts {
            unreachable!()
        }
        fn len(&self) -> std::io::Result<u64> {
            unreachable!()
        }
        fn read_at(&self, _: u64, _: &mut [u8]) -> std::io::Result<usize> {
            unreachable!()
        }
        fn write_at(&self, _: u64, _: &[u8]) -> std::io::Result<()> {
            unreachable!()
        }
        fn set_len(&self, _: u64) -> std::io::Result<()> {
            unreachable!()
        }
        fn flush(&self) -> std::io::Result<()> {
            unreachable!()
        }
        fn rename(&self, _: &str, _: bool) -> Result<std::path::PathBuf, TargetError> {
            unreachable!()
        }
        fn delete(&self) -> Result<(), OsError> {
            unreachable!()
        }
    }

    fn bits(pages: Pages) -> (u32, u32) {
        let request = LiveDumpRequest {
            version: StructureVersion::V1,
            bugcheck_code: 0x161,
            parameters: [1, 2, 3, 4],
            pages,
            target: &Raw(0x44),
            cancel: Some(&Raw(0x48)),
        };
        let control = live_dump(&request);
        assert_eq!((control.dump_file_handle, control.cancel_event_handle), (0x44, 0x48));
        assert_eq!((control.bug_check_code, control.bug_check_param4), (0x161, 4));
        (control.flags.0, control.add_pages_control.0)
    }

    #[test]
    fn every_option_is_its_own_bit() {
        let none = Pages::default();
        assert_eq!(bits(none), (0, 0));
        assert_eq!(bits(Pages { use_dump_storage_stack: true, ..none }), (1, 0));
        assert_eq!(bits(Pages { compress_memory_pages_data: true, ..none }), (2, 0));
        assert_eq!(bits(Pages { include_user_space: true, ..none }), (4, 0));
        assert_eq!(bits(Pages { abort_if_memory_pressure: true, ..none }), (8, 0));
        assert_eq!(bits(Pages { kernel_stacks_only: true, ..none }), (16, 0));
        assert_eq!(bits(Pages { hypervisor: true, ..none }), (0, 1));
        assert_eq!(bits(Pages { nonessential_hypervisor: true, ..none }), (0, 2));
    }

    #[test]
    fn a_triage_request_counts_threads_and_never_processes() {
        let threads = [7_usize, 11].map(|raw| ThreadHandle { tid: 1, raw, owner: Box::new(()) });
        let handles: Vec<usize> = threads.iter().map(|thread| thread.raw).collect();
        let request = TriageRequest { bugcheck_code: 5, parameters: [0; 4], threads: &threads };
        let made = triage(&request, &handles).unwrap();
        assert_eq!((made.flags, made.process_handles, made.thread_handles), (0, 0, 2));
        assert_eq!(made.handles, handles.as_ptr().addr() as u64);
        assert_eq!(made.bug_check_code, 5);
    }
}

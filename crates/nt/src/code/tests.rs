use super::*;

fn decoded(code: u32, parameters: [u64; 4], at: usize) -> Option<String> {
    explain_with(code, parameters).readings[0].parameters[at].decoded.clone()
}

#[test]
fn tables_are_sorted_and_share_no_code() {
    assert!(BUGCHECKS.windows(2).all(|pair| pair[0].code < pair[1].code));
    assert!(LIVE_DUMP_CODES.windows(2).all(|pair| pair[0].code < pair[1].code));
    let is_bugcheck = |code| BUGCHECKS.binary_search_by_key(&code, |row: &Row| row.code).is_ok();
    assert!(LIVE_DUMP_CODES.iter().all(|row| !is_bugcheck(row.code)));
}

#[test]
fn names_are_unique_and_written_as_windows_writes_them() {
    let names: Vec<&str> = BUGCHECKS.iter().chain(LIVE_DUMP_CODES).map(|row| row.name).collect();
    let unique: std::collections::HashSet<_> = names.iter().collect();
    assert_eq!(unique.len(), names.len());
    let is_plain = |name: &&str| {
        name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    assert!(names.iter().all(is_plain));
}

#[test]
fn the_live_dump_catalogue_is_complete_and_described() {
    assert_eq!(LIVE_DUMP_CODES.len(), 48 + 3 + 1);
    assert!(LIVE_DUMP_CODES.iter().all(|row| !row.meaning.is_empty()));
}

#[test]
fn well_known_bugchecks_are_described() {
    assert!(BUGCHECKS.iter().filter(|row| !row.meaning.is_empty()).count() >= 120);
    assert!(BUGCHECKS.iter().filter(|row| !row.parameters[0].is_empty()).count() >= 120);
}

#[test]
fn the_minidump_form_is_told_and_stripped() {
    let explanation = explain(0x1000_007E);
    assert_eq!(explanation.readings[0].name, "SYSTEM_THREAD_EXCEPTION_NOT_HANDLED");
    assert_eq!(explanation.readings[0].code, 0x7E);
    assert_eq!(explanation.flags, [MINIDUMP_TEXT]);
    assert!(explain(0x7E).flags.is_empty());
}

#[test]
fn a_documented_code_keeps_its_high_bits() {
    let explanation = explain(0x4000_008A);
    assert_eq!(explanation.readings[0].name, "THREAD_TERMINATE_HELD_MUTEX");
    assert!(explanation.flags.is_empty());
}

#[test]
fn a_number_with_two_readings_gives_both() {
    let kinds: Vec<_> = explain(0x105).readings.iter().map(|reading| reading.kind).collect();
    assert_eq!(kinds, [Kind::Bugcheck, Kind::NtStatus]);
    assert_eq!(explain(0x105).readings[1].name, "STATUS_MORE_ENTRIES");
    assert_eq!(explain(0x124).readings[0].kind, Kind::BugcheckOrLiveDump);
}

#[test]
fn a_status_is_explained_in_general_and_for_a_dump_call() {
    let explanation = explain(0xC000_0022);
    let reading = &explanation.readings[0];
    assert_eq!((reading.kind, reading.name), (Kind::NtStatus, "STATUS_ACCESS_DENIED"));
    assert_eq!(reading.win32, Some(5));
    assert!(reading.meaning.is_some() && reading.meaning_for_dump_call.is_some());
    assert_eq!(explain(0xC000_0005).readings[0].remedy, None);
}

#[test]
fn an_unknown_number_has_no_reading() {
    assert_eq!(explain(0x0BAD_CAFE).readings, []);
    assert!(explain(0x1BAD_CAFE).flags.is_empty());
}

#[test]
fn task_manager_signs_its_dumps() {
    let words = decoded(0x161, [0x0054_6173_6b6d_6772, 0, 0, 0], 0);
    assert_eq!(words.as_deref(), Some("Taskmgr"));
    assert_eq!(decoded(0x161, [0, 0, 0, 0], 0), None);
    assert_eq!(decoded(0x161, [0x0102_0304, 0, 0, 0], 0), None);
}

#[test]
fn exception_codes_are_named_sign_extended_or_not() {
    for value in [0xC000_0005, 0xFFFF_FFFF_C000_0005] {
        let words = decoded(0x7E, [value, 0, 0, 0], 0).unwrap();
        assert!(words.starts_with("0xC0000005 (STATUS_ACCESS_VIOLATION): "), "{words}");
    }
    assert_eq!(decoded(0x7E, [0x1234_0000_C000_0005, 0, 0, 0], 0), None);
}

#[test]
fn an_access_violation_of_0x1e_tells_the_operation() {
    let parameters = [0xFFFF_FFFF_C000_0005, 0, 1, 0x10];
    assert_eq!(decoded(0x1E, parameters, 2).as_deref(), Some("write"));
    assert_eq!(decoded(0x1E, [0x8000_0003, 0, 1, 0], 2), None);
}

#[test]
fn subcodes_are_told() {
    assert!(decoded(0x9F, [3, 0, 0, 0], 0).unwrap().contains("blocked a power request"));
    assert!(decoded(0x133, [1, 0, 0, 0], 0).unwrap().contains("DISPATCH_LEVEL"));
    assert_eq!(decoded(0xEF, [0, 0, 0, 0], 1).as_deref(), Some("a process ended"));
    assert_eq!(decoded(0xD1, [0, 2, 1, 0], 1).as_deref(), Some("DISPATCH_LEVEL"));
    assert_eq!(decoded(0xD1, [0, 2, 1, 0], 2).as_deref(), Some("write"));
    assert_eq!(decoded(0x1A8, [10, 0, 0, 0], 0).as_deref(), Some("no path for the monitor"));
}

#[test]
fn names_are_accepted_in_any_case() {
    let code = |name| explain_name(name).map(|explanation| explanation.code);
    assert_eq!(code("critical_process_died"), Some(0xEF));
    assert_eq!(code("STATUS_RETRY"), Some(0xC000_022D));
    assert_eq!(code(" Live_System_Dump "), Some(0x161));
    assert_eq!(code("KERNEL_MODE_EXCEPTION_NOT_HANDLED_M"), Some(0x1000_008E));
    assert_eq!(code("no such name"), None);
}

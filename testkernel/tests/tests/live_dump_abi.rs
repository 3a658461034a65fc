//! The bytes of the live-dump call as they cross the ABI, at the offsets of the
//! interface specification, section 1.2.

use wine_tests::{Call, Desk, native_livedump};

const VERSION: usize = 0;
const BUGCHECK_CODE: usize = 4;
const BUGCHECK_PARAMETERS: usize = 8;
const DUMP_FILE_HANDLE: usize = 40;
const CANCEL_EVENT_HANDLE: usize = 48;
const FLAGS: usize = 56;
const ADD_PAGES_CONTROL: usize = 60;
const SELECTIVE_CONTROL: usize = 64;

const LIVE_SYSTEM_DUMP: u32 = 0x161;
const LIVEDUMP: u64 = u64::from_be_bytes(*b"livedump");

/// The one call of a capture that succeeds.
fn call(scenario: &str, options: &[&str]) -> Call {
    let desk = Desk::new();
    let arguments: Vec<&str> =
        ["kernel"].iter().chain(options).chain(&["live.dmp"]).copied().collect();
    desk.livedump(scenario, &arguments).exits(0);
    let mut calls = desk.calls();
    assert_eq!(calls.len(), 1, "{calls:?}");
    calls.remove(0)
}

#[test]
fn a_build_that_knows_it_gets_the_72_byte_structure() {
    let call = call("healthy", &[]);
    assert_eq!(call.number("/class"), 37);
    assert_eq!(call.number("/input_length"), 72);
    assert_eq!(call.number("/output_length"), 0);
    assert_eq!(call.input32(VERSION), 2);
    assert_eq!(call.input64(SELECTIVE_CONTROL), 0);
}

#[test]
fn an_older_build_gets_the_64_byte_structure() {
    let call = call("windows-10", &[]);
    assert_eq!(call.number("/input_length"), 64);
    assert_eq!(call.input32(VERSION), 1);
}

#[test]
fn a_length_that_is_refused_is_followed_by_the_64_byte_structure() {
    let desk = Desk::new();
    desk.livedump("v1-only", &["kernel", "live.dmp"]).exits(0);
    let calls = desk.calls();
    let lengths: Vec<u64> = calls.iter().map(|call| call.number("/input_length")).collect();
    assert_eq!(lengths, [72, 64]);
    assert_eq!(calls[0].number("/status"), 0xC000_0004);
}

#[test]
fn the_dump_says_who_took_it() {
    let call = call("healthy", &[]);
    assert_eq!(call.input32(BUGCHECK_CODE), LIVE_SYSTEM_DUMP);
    assert_eq!(call.input64(BUGCHECK_PARAMETERS), LIVEDUMP);
    for parameter in 1..4 {
        assert_eq!(call.input64(BUGCHECK_PARAMETERS + 8 * parameter), 0);
    }
}

#[test]
fn code_and_parameters_are_the_users_where_given() {
    let call =
        call("healthy", &["--bugcheck", "0xE2", "--parameter", "0x11", "--parameter", "0x22"]);
    assert_eq!(call.input32(BUGCHECK_CODE), 0xE2);
    assert_eq!(call.input64(BUGCHECK_PARAMETERS), 0x11);
    assert_eq!(call.input64(BUGCHECK_PARAMETERS + 8), 0x22);
}

#[test]
fn the_file_is_synchronous_and_may_be_written() {
    let call = call("healthy", &[]);
    assert_ne!(call.input64(DUMP_FILE_HANDLE), 0);
    assert_eq!(call.0.pointer("/file/type").unwrap(), "File");
    assert_ne!(call.number("/file/access") & 0x2, 0, "FILE_WRITE_DATA");
    assert!(call.is("/file/synchronous"));
}

#[test]
fn the_file_is_unbuffered_and_written_through_by_preference() {
    let call = call("healthy", &[]);
    assert!(call.is("/file/unbuffered"));
    assert!(call.is("/file/write_through"));
}

#[test]
fn the_cancel_event_grants_what_the_kernel_needs() {
    let call = call("healthy", &[]);
    assert_ne!(call.input64(CANCEL_EVENT_HANDLE), 0);
    assert_eq!(call.0.pointer("/event/type").unwrap(), "Event");
    assert_eq!(call.number("/event/access") & 0x10_0001, 0x10_0001);
}

#[test]
fn the_privilege_is_enabled_when_the_call_is_made() {
    assert!(call("healthy", &[]).is("/debug_privilege"));
}

/// One test a row: options, Flags, AddPagesControl.
macro_rules! flags {
    ($($name:ident: [$($option:literal),*] => $flags:literal, $pages:literal;)*) => {
        $(#[test]
        fn $name() {
            let call = call("healthy", &[$($option),*]);
            assert_eq!(call.input32(FLAGS), $flags);
            assert_eq!(call.input32(ADD_PAGES_CONTROL), $pages);
        })*
    };
}

flags! {
    no_option_sets_no_flag: [] => 0x0, 0x0;
    c_asks_for_compression: ["-c"] => 0x2, 0x0;
    d_asks_for_the_dump_storage_stack: ["-d"] => 0x1, 0x0;
    u_asks_for_user_pages: ["-u"] => 0x4, 0x0;
    h_asks_for_hypervisor_pages: ["-h"] => 0x0, 0x1;
    nonessential_hypervisor_pages_bring_the_others: ["--nonessential-hypervisor"] => 0x0, 0x3;
    memory_pressure_may_abort: ["--abort-on-memory-pressure"] => 0x8, 0x0;
    all_four_letters_add_up: ["-c", "-d", "-h", "-u"] => 0x7, 0x1;
    letters_may_be_capitals: ["-C", "-U"] => 0x6, 0x0;
}

#[test]
fn stacks_only_points_to_48_bytes_of_selective_control() {
    let call = call("healthy", &["--stacks-only"]);
    assert_eq!(call.number("/input_length"), 72);
    assert_eq!(call.input32(VERSION), 2);
    assert_eq!(call.input32(FLAGS), 0x10);
    assert_ne!(call.input64(SELECTIVE_CONTROL), 0);
    let mut expected = [0; 48];
    expected[0] = 1;
    expected[4] = 48;
    expected[8] = 1;
    assert_eq!(call.bytes("/selective"), expected);
}

#[test]
fn the_dump_is_good_to_our_reader_on_another_system() {
    let desk = Desk::new();
    desk.livedump("healthy", &["kernel", "live.dmp"]).exits(0);
    native_livedump(&["verify"], &desk.path("live.dmp")).exits(0);
}

#[test]
fn the_dump_is_open_to_an_independent_reader() {
    let desk = Desk::new();
    desk.livedump("healthy", &["kernel", "live.dmp"]).exits(0);
    let dump = kdmp_parser::parse::KernelDumpParser::new(desk.path("live.dmp")).unwrap();
    assert_eq!(dump.headers().bug_check_code, LIVE_SYSTEM_DUMP);
    assert_eq!(dump.headers().bug_check_code_parameters[0], LIVEDUMP);
}

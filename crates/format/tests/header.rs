//! Facts about the dump header.

mod common;

use common::{Image, check, header64, small_bitmap, small_triage};
use format::{Dump, Level, Machine, Outcome, Verdict, Width, info, verify};

#[test]
fn what_is_no_dump_is_unusable_and_named() {
    for (bytes, word) in [
        (Vec::new(), "an empty file"),
        (vec![0; 0x4000], "cut off before its header was written"),
        (b"MDMP\x93\xA7\0\0".to_vec(), "user-mode minidump"),
        (b"\x7FELF\x02\x01".to_vec(), "ELF"),
        (header64(6).0[..0x1000].to_vec(), "the file ends too early for the 64-bit dump header"),
    ] {
        let found = verify(&bytes, Level::Structure);
        assert_eq!(found.verdict, Verdict::Unusable);
        assert!(found.summary.contains(word), "{}", found.summary);
    }
}

#[test]
fn a_live_dump_whose_header_was_not_written_is_named_so() {
    let mut image = small_bitmap();
    image.put(0, &[0; 0x2000]);
    let found = image.verify();
    assert_eq!(found.verdict, Verdict::Unusable);
    assert!(found.summary.contains("before its header was written"));
}

#[test]
fn a_field_that_was_never_filled_is_absent() {
    let mut image = small_bitmap();
    let filler = *b"PAGEPAGE";
    image.put(0x80, &filler).put(0xFA8, &filler).put(0x1030, &filler).put(0x1050, &filler[..4]);
    let dump = Dump::open(&image.0).unwrap();
    let header = dump.header();
    assert_eq!((header.kd_debugger_data_block, header.system_time), (None, None));
    assert_eq!((header.system_up_time, header.attributes), (None, None));
    assert_eq!((header.comment.clone(), header.kd_secondary_version), (None, None));
    let json = serde_json::to_value(info(&image.0).unwrap()).unwrap();
    for name in ["time", "uptime_seconds", "comment", "attributes", "kd_debugger_data_block"] {
        assert!(json.get(name).is_none(), "{name}");
    }
}

#[test]
fn a_partial_live_dump_is_partial_and_the_reason_is_not_stated_as_certain() {
    let mut image = small_bitmap();
    let found = image.u32(0x1050, 0x8010).verify();
    assert_eq!(found.verdict, Verdict::Partial);
    assert!(found.summary.contains("is reported to mean"), "{}", found.summary);
    assert!(info(&image.0).unwrap().partial);
}

#[test]
fn nothing_below_the_header_of_an_encrypted_dump_is_looked_at() {
    let mut image = small_bitmap();
    image.u32(0x1050, 0x110).put(0x2000, &[0xA5; 0x2000]);
    let found = image.verify();
    assert_eq!((found.verdict, found.level), (Verdict::Encrypted, Level::Header));
    assert!(found.checks.iter().all(|check| check.name.starts_with("header.")));
    let info = info(&image.0).unwrap();
    assert!(info.encrypted && info.pages.is_none());
    assert_eq!((info.memory, info.memory_not_told), (None, None));
    assert_eq!(info.unread, ["the dump is encrypted: nothing below its header can be read"]);
    assert!(Dump::open(&image.0).unwrap().bitmap().is_err());
}

#[test]
fn the_live_attribute_is_a_note() {
    let found = small_bitmap().verify();
    assert_eq!(check(&found, "header.live").outcome, Outcome::Note);
}

#[test]
fn what_the_writer_said_decides_between_good_and_partial() {
    for (status, verdict) in
        [(0, Verdict::Good), (0x105, Verdict::Partial), (0xC000_007F, Verdict::Partial)]
    {
        let found = small_bitmap().u32(0x1048, status).verify();
        assert_eq!(found.verdict, verdict, "{status:#x}");
    }
    let found = small_bitmap().u32(0x1048, 0x105).verify();
    assert!(found.summary.contains("0x00000105 (STATUS_MORE_ENTRIES)"), "{}", found.summary);
}

#[test]
fn a_file_that_was_too_small_is_partial_but_for_triage_dumps() {
    assert_eq!(small_bitmap().u32(0x1050, 0x14).verify().verdict, Verdict::Partial);
    assert_eq!(small_triage().0.u32(0x1050, 0x0C).verify().verdict, Verdict::Good);
}

#[test]
fn space_that_was_wanted_beyond_the_file_is_a_note() {
    let mut image = small_bitmap();
    let found = image.u64(0xFA0, 1 << 40).verify();
    assert_eq!(found.verdict, Verdict::Good);
    assert_eq!(check(&found, "header.required_space").outcome, Outcome::Note);
}

#[test]
fn fields_that_contradict_the_signature_are_damage() {
    for (offset, value) in [(0x30, 0x14C), (0x30, 0x1234), (0x34, 0), (0x34, 5000), (0xF98, 99)] {
        let found = small_bitmap().u32(offset, value).verify();
        assert_eq!(found.verdict, Verdict::Damaged, "{value:#x} at {offset:#x}");
    }
}

#[test]
fn header_level_looks_no_further() {
    let mut image = small_bitmap();
    image.put(0x2000, &[0xA5; 0x100]);
    assert_eq!(verify(&image.0, Level::Header).verdict, Verdict::Good);
}

#[test]
fn a_kind_that_is_not_understood_is_not_called_good() {
    let mut image = small_bitmap();
    let found = image.u32(0xF98, 0xB).verify();
    assert_eq!(found.verdict, Verdict::Damaged);
    assert_eq!(check(&found, "structure").outcome, Outcome::Warn);
}

#[test]
fn a_32_bit_dump_is_recognised_and_named() {
    let mut image = Image(b"PAGE".repeat(0x800));
    image.put(4, b"DUMP").u32(0x20, 0x14C).u32(0x24, 2).u32(0x28, 0x50).u32(0x2C, 1).u32(0xF88, 4);
    let dump = Dump::open(&image.0).unwrap();
    assert_eq!(dump.header().width, Width::Bits32);
    assert_eq!(dump.header().machine_image_type, Machine::X86);
    let info = info(&image.0).unwrap();
    assert_eq!((info.kind.as_str(), info.code), ("32-bit triage dump", Some(0x50)));
    assert_eq!(info.unread.len(), 1, "the triage header is filler: {:?}", info.unread);
    assert_eq!(image.verify().verdict, Verdict::Damaged);
}

#[test]
fn a_simulated_dump_says_so() {
    let mut image = small_bitmap();
    image.put(0xFB0, b"simulated by livedump: healthy\0");
    let info = info(&image.0).unwrap();
    assert!(info.simulated);
    assert_eq!(info.comment.as_deref(), Some("simulated by livedump: healthy"));
}

#[test]
fn unknown_attribute_bits_are_shown_as_a_number() {
    let mut image = small_bitmap();
    image.u32(0x1050, 0x2_1810);
    let info = info(&image.0).unwrap();
    assert_eq!(info.attributes, ["LiveDumpGeneratedDump"]);
    assert_eq!(info.attributes_unknown, Some(0x2_1800));
    assert_eq!(image.verify().verdict, Verdict::Good);
}

#[test]
fn a_code_keeps_its_flags_and_is_matched_without_them() {
    let mut image = small_bitmap();
    image.u32(0x38, 0x1000_007E);
    let dump = Dump::open(&image.0).unwrap();
    assert_eq!(dump.header().bug_check_code, Some(0x1000_007E));
    assert_eq!(dump.header().code(), Some(0x7E));
}

#[test]
fn a_code_is_shown_with_its_name_and_a_strange_one_as_a_number() {
    let mut image = small_bitmap();
    assert_eq!(info(&image.0).unwrap().code_text.as_deref(), Some("0x161 (LIVE_SYSTEM_DUMP)"));
    image.u32(0x38, 0x0BAD_0BAD);
    assert_eq!(info(&image.0).unwrap().code_text.as_deref(), Some("0xBAD0BAD"));
}

#[test]
fn what_is_no_dump_has_evidence_too() {
    let found = verify(&b"PK\x03\x04 and so on".to_vec(), Level::Structure);
    let check = &found.checks[0];
    assert_eq!((check.offset, check.expected.as_deref()), (Some(0), Some("PAGEDU64 or PAGEDUMP")));
    assert!(check.found.as_deref().is_some_and(|what| what.contains("zip")), "{check:?}");
}

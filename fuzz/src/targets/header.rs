//! The dump header: every field is what stands at its offset, or absent where that is filler.

use format::{Dump, Header, Width};

use crate::folded::unfold;

/// A folded file.
pub fn target(data: &[u8]) {
    let file = unfold(data);
    let Ok(dump) = Dump::open(&file) else { return };
    let header = dump.header();
    assert_eq!(&file[..4], b"PAGE");
    let wide = header.width == Width::Bits64;
    assert_eq!(&file[4..8], if wide { b"DU64" } else { b"DUMP" });
    assert_eq!(dump.kind(), word(&file, if wide { 0xF98 } else { 0xF88 }).into());
    if wide {
        wide_fields(header, &file)
    } else {
        narrow_fields(header, &file)
    }
    if let (Some(root), Some(base)) = (header.page_table_root(), header.directory_table_base) {
        assert!(base - root.0 < 0x1000);
    }
    if let Some(comment) = &header.comment {
        assert!(comment.is_ascii() && comment.len() <= 128);
    }
    let _ = (header.code(), header.is_live(), header.is_simulated());
    crate::facts::of(&file);
}

fn word(file: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(file[at..at + 4].try_into().unwrap())
}

fn filled32(file: &[u8], at: usize) -> Option<u32> {
    Some(word(file, at)).filter(|value| &value.to_le_bytes() != b"PAGE")
}

fn filled64(file: &[u8], at: usize) -> Option<u64> {
    let value = u64::from_le_bytes(file[at..at + 8].try_into().unwrap());
    Some(value).filter(|value| &value.to_le_bytes() != b"PAGEPAGE")
}

fn wide_fields(header: &Header, file: &[u8]) {
    assert_eq!(header.minor_version, filled32(file, 0xC));
    assert_eq!(header.directory_table_base, filled64(file, 0x10));
    assert_eq!(header.ps_loaded_module_list.map(u64::from), filled64(file, 0x20));
    assert_eq!(header.ps_active_process_head.map(u64::from), filled64(file, 0x28));
    assert_eq!(header.machine_image_type, word(file, 0x30).into());
    assert_eq!(header.number_processors, filled32(file, 0x34));
    assert_eq!(header.bug_check_code, filled32(file, 0x38));
    let parameters = [0x40, 0x48, 0x50, 0x58].map(|at| filled64(file, at));
    assert_eq!(header.bug_check_parameters, parameters);
    assert_eq!(header.kd_debugger_data_block.map(u64::from), filled64(file, 0x80));
    assert_eq!(header.required_dump_space, filled64(file, 0xFA0));
    assert_eq!(header.system_up_time, filled64(file, 0x1030));
    assert_eq!(header.attributes.map(|all| all.bits()), filled32(file, 0x1050));
}

fn narrow_fields(header: &Header, file: &[u8]) {
    let wide = |at| filled32(file, at).map(u64::from);
    assert_eq!(header.minor_version, filled32(file, 0xC));
    assert_eq!(header.directory_table_base, wide(0x10));
    assert_eq!(header.machine_image_type, word(file, 0x20).into());
    assert_eq!(header.number_processors, filled32(file, 0x24));
    assert_eq!(header.bug_check_code, filled32(file, 0x28));
    assert_eq!(header.bug_check_parameters, [0x2C, 0x30, 0x34, 0x38].map(wide));
    assert_eq!(header.required_dump_space, filled64(file, 0xFA0));
    assert_eq!(header.attributes.map(|all| all.bits()), filled32(file, 0x8A0));
}

//! DUMP_HEADER64.
//!
//! Source: dump-formats specification, sections 2 and 13.

use crate::bytes::{put, put32, put64};
use crate::image::Image;

pub(crate) const HEADER_SIZE: usize = 0x2000;
pub(crate) const LIVE_DUMP: u32 = 6;
pub(crate) const TRIAGE_DUMP: u32 = 4;
const CONTEXT: usize = 0x348;
const EXCEPTION: usize = 0xF00;
const EXCEPTION_SIZE: usize = 0x98;
const COMMENT: usize = 0xFB0;
const COMMENT_SIZE: usize = 128;
const SINGLE_USER_TERMINAL_SERVER: u32 = 0x110;

/// Attributes, header offset 0x1050.
pub(crate) mod attributes {
    pub(crate) const KERNEL_TRIAGE: u32 = 0x8;
    pub(crate) const LIVE: u32 = 0x10;
    pub(crate) const ENCRYPTED: u32 = 0x100;
    pub(crate) const SELECTIVE: u32 = 0x4000;
    pub(crate) const PARTIAL: u32 = 0x8000;
}

/// What the caller wants to have in the header.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Bugcheck {
    pub(crate) code: u32,
    pub(crate) parameters: [u64; 4],
}

pub(crate) struct Header<'a> {
    pub(crate) image: &'a Image,
    pub(crate) bugcheck: Bugcheck,
    pub(crate) kind: u32,
    pub(crate) attributes: u32,
    pub(crate) required: u64,
    /// FILETIME.
    pub(crate) time: u64,
    /// 100 ns since the start.
    pub(crate) up_time: u64,
    pub(crate) mini_dump_fields: u32,
    pub(crate) context: Vec<u8>,
    pub(crate) scenario: &'a str,
}

impl Header<'_> {
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut to = b"PAGE".repeat(HEADER_SIZE / 4);
        self.put_system(&mut to);
        put32(&mut to, 0x38, self.bugcheck.code);
        put32(&mut to, 0x3C, 0);
        for (number, parameter) in self.bugcheck.parameters.iter().enumerate() {
            put64(&mut to, 0x40 + number * 8, *parameter);
        }
        to[CONTEXT..EXCEPTION].fill(0);
        put(&mut to, CONTEXT, &self.context);
        to[EXCEPTION..EXCEPTION + EXCEPTION_SIZE].fill(0);
        put32(&mut to, 0xF98, self.kind);
        put32(&mut to, 0xF9C, 0);
        put64(&mut to, 0xFA0, self.required);
        put64(&mut to, 0xFA8, self.time);
        to[COMMENT..COMMENT + COMMENT_SIZE].fill(0);
        put(&mut to, COMMENT, &comment(self.scenario));
        put64(&mut to, 0x1030, self.up_time);
        put32(&mut to, 0x1038, self.mini_dump_fields);
        put32(&mut to, 0x103C, 0);
        put32(&mut to, 0x1040, 1);
        put32(&mut to, 0x1044, SINGLE_USER_TERMINAL_SERVER);
        put32(&mut to, 0x1048, 0);
        to[0x104D] = 0;
        put32(&mut to, 0x1050, self.attributes);
        put32(&mut to, 0x1054, 37);
        to
    }

    fn put_system(&self, to: &mut [u8]) {
        let image = self.image;
        put(to, 0, b"PAGEDU64");
        put32(to, 0x08, 0xF);
        put32(to, 0x0C, image.build);
        put64(to, 0x10, image.directory_base());
        put64(to, 0x18, image.at.page_frame_variable);
        put64(to, 0x20, image.at.module_head);
        put64(to, 0x28, image.at.process_head);
        put32(to, 0x30, if image.is_arm() { 0xAA64 } else { 0x8664 });
        put32(to, 0x34, image.processors);
        put64(to, 0x80, image.at.debugger_block);
    }
}

/// Never without the word "simulated": nobody shall take the file for a real machine's.
fn comment(scenario: &str) -> Vec<u8> {
    let text = format!("simulated: {scenario}");
    let ascii = text.chars().map(|c| if c.is_ascii_graphic() || c == ' ' { c as u8 } else { b'?' });
    ascii.take(COMMENT_SIZE - 1).collect()
}

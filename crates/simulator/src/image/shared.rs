//! KUSER_SHARED_DATA.

use crate::bytes::{put, put16, put32, put64, utf16};
use crate::image::Image;
use crate::image::entries::Access;
use crate::image::physical::Content;
use crate::image::place::SHARED_DATA;
use crate::population::{BOOT_TIME, START_TICKS, TICK};

impl Image {
    /// Field offsets as the WDK's ntddk.h gives them.
    pub(crate) fn build_shared_data(&mut self) {
        let up = u64::from(START_TICKS) * u64::from(TICK);
        let mut page = vec![0; 0x800];
        put32(&mut page, 0x4, 0x0FA0_0000);
        system_time(&mut page, 0x8, up);
        system_time(&mut page, 0x14, BOOT_TIME + up);
        let machine = if self.is_arm() { 0xAA64 } else { 0x8664 };
        put16(&mut page, 0x2C, machine);
        put16(&mut page, 0x2E, machine);
        put(&mut page, 0x30, &utf16("C:\\Windows"));
        put32(&mut page, 0x260, self.build);
        put32(&mut page, 0x264, 1);
        page[0x268] = 1;
        put32(&mut page, 0x26C, 10);
        put32(&mut page, 0x270, 0);
        put64(&mut page, 0x320, u64::from(START_TICKS));
        put32(&mut page, 0x3C0, self.processors);
        self.space.area(SHARED_DATA, 1, Content::Zero, true, Access::Data);
        self.space.write(SHARED_DATA, &page);
    }
}

/// KSYSTEM_TIME: low, high, and high again.
fn system_time(to: &mut [u8], at: usize, time: u64) {
    put64(to, at, time);
    put32(to, at + 8, (time >> 32) as u32);
}

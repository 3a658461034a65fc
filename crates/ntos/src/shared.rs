//! `KUSER_SHARED_DATA`: the page that the kernel shares with every process.
//!
//! Its address and members are documented (WDK, `ntddk.h`: "the layout of this
//! structure must not change") and the same on every version.

use format::Width;
use memory::VirtualAddress;

use crate::reader::{Reader, at};

/// `InterruptTime`, a KSYSTEM_TIME, in 100 ns since boot.
const INTERRUPT_TIME: u64 = 0x8;
/// `SystemTime`, a KSYSTEM_TIME, in 100 ns since 1601.
const SYSTEM_TIME: u64 = 0x14;
/// `TickCountQuad`.
const TICK_COUNT: u64 = 0x320;
/// `TickCountMultiplier`: milliseconds of a tick, times 2^24.
const TICK_COUNT_MULTIPLIER: u64 = 0x4;

/// What the clock said when the dump was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clock {
    /// Ticks since boot, the low half: what WaitTime is counted in.
    pub ticks: u32,
    /// Length of a tick in 100 ns.
    pub tick_length: u64,
    /// InterruptTime: 100 ns since boot.
    pub since_boot: u64,
    /// SystemTime: 100 ns since 1601.
    pub system_time: u64,
}

impl Clock {
    /// So many ticks in milliseconds.
    pub fn milliseconds(&self, ticks: u64) -> u64 {
        ticks.saturating_mul(self.tick_length) / 10_000
    }
}

/// Reads the clock. `None` when the page is not in the dump, or shows a clock
/// that never ran.
pub(crate) fn clock(reader: &Reader<'_>, width: Width) -> Option<Clock> {
    let base = VirtualAddress(match width {
        Width::Bits64 => 0xFFFF_F780_0000_0000,
        Width::Bits32 => 0xFFDF_0000,
    });
    let value = |offset, size| reader.integer(at(base, offset), size).ok();
    let multiplier = value(TICK_COUNT_MULTIPLIER, 4)?;
    Some(Clock {
        ticks: value(TICK_COUNT, 4)? as u32,
        tick_length: (multiplier.saturating_mul(10_000) >> 24).max(1),
        since_boot: value(INTERRUPT_TIME, 8)?,
        system_time: value(SYSTEM_TIME, 8)?,
    })
    .filter(|clock| clock.ticks != 0)
}

//! What the raw wait time of the system's process information means on this machine.
//!
//! Its unit is UNCONFIRMED: a duration, or the tick count at which the wait
//! began. A thread of ours parked for a known time settles it each time.

use std::time::Duration;

use machine::{Machine, WaitProbe};
use schemars::JsonSchema;
use serde::Serialize;

/// How long our own thread is parked to find out.
const PARK: Duration = Duration::from_millis(120);

/// The unit of the raw wait time, as found out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WaitUnit {
    /// The tick count at which the wait began.
    TickStamp,
    /// Ticks waited.
    Ticks,
    /// Milliseconds waited.
    Milliseconds,
    /// None of these explained what our own thread showed: wait times are not told.
    Unknown,
}

/// Turns raw wait times into durations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WaitScale {
    pub(crate) unit: WaitUnit,
    ticks_now: u64,
    tick_100ns: u32,
}

impl WaitScale {
    /// Parks a thread of ours and compares.
    pub(crate) fn calibrate(machine: &dyn Machine) -> Self {
        machine.wait_probe(PARK).map_or(
            Self { unit: WaitUnit::Unknown, ticks_now: 0, tick_100ns: 0 },
            |probe| Self {
                unit: unit_of(&probe),
                ticks_now: probe.clock.ticks,
                tick_100ns: probe.clock.tick_100ns,
            },
        )
    }

    #[cfg(test)]
    pub(crate) fn in_ticks() -> Self {
        Self { unit: WaitUnit::Ticks, ticks_now: 0, tick_100ns: 156_250 }
    }

    /// How long a thread with this raw wait time has waited.
    pub(crate) fn duration(self, raw: u32) -> Option<Duration> {
        let ticks = match self.unit {
            WaitUnit::Milliseconds => return Some(Duration::from_millis(raw.into())),
            WaitUnit::Ticks => u64::from(raw),
            WaitUnit::TickStamp => u64::from(ticks_since(self.ticks_now, raw)),
            WaitUnit::Unknown => return None,
        };
        Some(ticks_to_duration(ticks, self.tick_100ns))
    }
}

/// The stamp is 32 bits of a wider count; a stamp a little in the future is 0.
fn ticks_since(now: u64, stamp: u32) -> u32 {
    #[allow(clippy::cast_possible_truncation)] // the stamp is the low half by definition
    let since = (now as u32).wrapping_sub(stamp);
    if since > u32::MAX - 1024 { 0 } else { since }
}

fn ticks_to_duration(ticks: u64, tick_100ns: u32) -> Duration {
    Duration::from_nanos(ticks.saturating_mul(u64::from(tick_100ns)).saturating_mul(100))
}

/// The unit under which the probe's raw value is nearest to the truth, if it is near at all.
fn unit_of(probe: &WaitProbe) -> WaitUnit {
    let tick = probe.clock.tick_100ns;
    if tick == 0 {
        return WaitUnit::Unknown;
    }
    // Nothing moves between ticks, and the thread parks a little after the clock is read.
    let tolerance = ticks_to_duration(3, tick) + probe.parked / 4;
    [
        (
            WaitUnit::TickStamp,
            ticks_to_duration(ticks_since(probe.clock.ticks, probe.raw).into(), tick),
        ),
        (WaitUnit::Ticks, ticks_to_duration(probe.raw.into(), tick)),
        (WaitUnit::Milliseconds, Duration::from_millis(probe.raw.into())),
    ]
    .into_iter()
    .map(|(unit, told)| (unit, told.abs_diff(probe.parked)))
    .filter(|(_, off)| *off <= tolerance)
    .min_by_key(|(_, off)| *off)
    .map_or(WaitUnit::Unknown, |(unit, _)| unit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use machine::TickClock;

    fn probe(raw: u32) -> WaitProbe {
        WaitProbe {
            raw,
            parked: Duration::from_millis(125),
            clock: TickClock { ticks: 1_000_000, tick_100ns: 156_250 },
        }
    }

    #[test]
    fn a_tick_stamp_a_tick_count_and_milliseconds_are_told_apart() {
        assert_eq!(unit_of(&probe(1_000_000 - 8)), WaitUnit::TickStamp);
        assert_eq!(unit_of(&probe(8)), WaitUnit::Ticks);
        assert_eq!(unit_of(&probe(125)), WaitUnit::Milliseconds);
    }

    #[test]
    fn a_raw_value_that_fits_nothing_gives_no_wait_times() {
        assert_eq!(unit_of(&probe(77_777)), WaitUnit::Unknown);
        let scale = WaitScale { unit: WaitUnit::Unknown, ticks_now: 5, tick_100ns: 156_250 };
        assert_eq!(scale.duration(1), None);
    }

    #[test]
    fn a_stamp_survives_the_wrap_of_its_32_bits() {
        let scale =
            WaitScale { unit: WaitUnit::TickStamp, ticks_now: (1 << 32) + 10, tick_100ns: 156_250 };
        assert_eq!(scale.duration(u32::MAX - 53), Some(Duration::from_secs(1)));
    }
}

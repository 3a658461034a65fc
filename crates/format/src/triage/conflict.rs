//! Do blocks that overlap agree?

use super::Triage;
use crate::Error;

/// What comparing found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conflicts {
    /// Bytes of blocks that were held against an earlier one.
    pub compared: u64,
    /// Bytes that differ from the earlier one.
    pub different: u64,
    /// The first difference: number of the block, its address, and the earlier block.
    pub first: Option<(u32, u64, u32)>,
    /// Not everything was compared: there is more than any real dump has.
    pub cut_short: bool,
}

/// Bytes that are compared at most, and steps that are taken at most: real
/// dumps overlap by a few thousand.
const BUDGET: u64 = 1 << 26;
const STEPS: u64 = 1 << 22;
/// Bytes compared at once.
const PART: u64 = 0x4000;

impl Triage<'_> {
    /// Compares every block, and every copy that has an address, with the
    /// earlier block that is read instead where both have an address.
    pub fn conflicts(&self) -> Result<Conflicts, Error> {
        let mut found = Conflicts::default();
        let mut steps = 0;
        for (number, block) in self.blocks.iter().enumerate() {
            let mut at = block.address.0;
            let in_file = self.source.len().saturating_sub(block.offset.into());
            let end = at.saturating_add(in_file.min(block.size.into()));
            while at < end {
                steps += 1;
                if steps > STEPS || found.compared > BUDGET {
                    return Ok(Conflicts { cut_short: true, ..found });
                }
                let Some((winner, segment)) = self.index.find(at) else { break };
                let part = segment.min(end);
                if winner as usize != number {
                    self.compare(number as u32, winner, at..part, &mut found)?;
                }
                at = part;
            }
        }
        Ok(found)
    }

    fn compare(
        &self,
        number: u32,
        winner: u32,
        range: std::ops::Range<u64>,
        found: &mut Conflicts,
    ) -> Result<(), Error> {
        let place = |block: u32, at: u64| {
            let block = self.blocks[block as usize];
            u64::from(block.offset) + (at - block.address.0)
        };
        let mut at = range.start;
        while at < range.end && found.compared <= BUDGET {
            let size = (range.end - at).min(PART);
            found.compared += size;
            let (ours, theirs) = (place(number, at), place(winner, at));
            if ours != theirs {
                let ours = self.source.vec("a data block", ours, size)?;
                let theirs = self.source.vec("a data block", theirs, size)?;
                if ours != theirs {
                    let differ = || (0..ours.len()).filter(|at| ours[*at] != theirs[*at]);
                    found.different += differ().count() as u64;
                    let first = || Some((number, at + differ().next()? as u64, winner));
                    found.first = found.first.or_else(first);
                }
            }
            at += size;
        }
        Ok(())
    }

    /// Whether a number of [`Conflicts::first`] is one of the table, or of a
    /// copy that was put behind it.
    pub fn is_of_table(&self, number: u32) -> bool {
        (number as usize) < self.table
    }
}

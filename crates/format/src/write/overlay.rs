//! Bytes that stand in the place of the source's.

use memory::{PAGE_SIZE, PageFrame, PhysicalAddress};

use super::Error;
use super::head::equal_mxcsr;
use crate::Machine;

/// Bytes that replace what the source has: contexts in the PRCBs, a debugger
/// block in clear, a header field that this crate has no name for. Of two that
/// overlap the later one counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlay {
    place: Place,
    bytes: Vec<u8>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Header(u64),
    Memory(PhysicalAddress),
}

impl Overlay {
    /// Bytes at an offset in the dump header.
    pub fn header(offset: u64, bytes: impl Into<Vec<u8>>) -> Self {
        Self { place: Place::Header(offset), bytes: bytes.into() }
    }

    /// Bytes at a physical address; they may go on into following pages, all
    /// of which the source must have.
    pub fn memory(address: PhysicalAddress, bytes: impl Into<Vec<u8>>) -> Self {
        Self { place: Place::Memory(address), bytes: bytes.into() }
    }

    /// A processor's context record, at the physical address of the one in its
    /// PRCB: where a debugger looks for the registers of each processor.
    pub fn context(machine: Machine, address: PhysicalAddress, record: impl Into<Vec<u8>>) -> Self {
        let mut record = record.into();
        if machine == Machine::X64 {
            equal_mxcsr(&mut record);
        }
        Self::memory(address, record)
    }
}

/// A part of an overlay that lies in one page.
pub(super) struct Piece<'a> {
    pub(super) frame: PageFrame,
    pub(super) address: PhysicalAddress,
    pub(super) bytes: &'a [u8],
}

/// Puts the header's overlays into its bytes.
pub(super) fn apply_to_header(overlays: &[Overlay], header: &mut [u8]) -> Result<(), Error> {
    let room = header.len();
    for overlay in overlays {
        let Place::Header(offset) = overlay.place else { continue };
        let length = overlay.bytes.len();
        let start = usize::try_from(offset).ok();
        let range = start.and_then(|start| Some(start..start.checked_add(length)?));
        let place = range.and_then(|range| header.get_mut(range));
        place
            .ok_or(Error::OverlayOutside { offset, length, room })?
            .copy_from_slice(&overlay.bytes);
    }
    Ok(())
}

/// The overlays of memory, page by page, in the order of their pages; those of
/// one page in the order that they were given.
pub(super) fn pieces(overlays: &[Overlay]) -> Result<Vec<Piece<'_>>, Error> {
    let mut pieces = Vec::new();
    for overlay in overlays {
        let Place::Memory(mut address) = overlay.place else { continue };
        let mut rest = &overlay.bytes[..];
        while !rest.is_empty() {
            let length = rest.len().min(address.left_in_page() as usize);
            let (bytes, behind) = rest.split_at(length);
            pieces.push(Piece { frame: address.frame(), address, bytes });
            rest = behind;
            if !rest.is_empty() {
                let next = address.page().checked_add(PAGE_SIZE);
                address = next.ok_or(Error::OverlayAbsent { address })?;
            }
        }
    }
    pieces.sort_by_key(|piece| piece.frame);
    Ok(pieces)
}

//! What a file can have that a careless reader stumbles over.

/// One trait of a file. Those that do not concern the file's kind change nothing.
///
/// Some are damage, others occur in good files: dump-formats specification,
/// section 14 and the sections named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hazard {
    /// Every optional header field holds the filler `PAGE` (section 1).
    FillerFields,
    /// The encryption attribute, and an unreadable payload (2.1).
    Encrypted,
    /// RequiredDumpSpace is this much larger than the file.
    RequiredSpaceBeyond(u64),
    /// KdDebuggerDataBlock is 0.
    NoDebuggerBlock,
    /// The debugger block is encoded as in a live system (10.1).
    EncodedDebuggerBlock,
    /// DirectoryTableBase has flags in its low bits (section 2).
    DirectoryBaseFlags,
    /// Large pages have PAT, bit 12 of their entries, which is no part of the address (11.1).
    LargePagesWithPat,
    /// This many zero bytes behind everything else (section 8).
    SlackTail(u64),
    /// Page data takes half the room it needs: "compressed" (section 9).
    ShortPages,
    /// The count of pages is off by this much.
    WrongPageCount(i64),
    /// Type 1: the dword between NumberOfRuns and NumberOfPages is garbage (section 3).
    PaddingGarbage,
    /// Type 1: as many runs as readers accept: 43, or 86 in 32-bit headers.
    FullRunTable,
    /// Runs or ranges are not in the order of their page frames.
    UnsortedRuns,
    /// A part of the longest run or range occurs again, last and with other bytes: the first counts.
    OverlappingRuns,
    /// Bitmap: the first page follows the bitmap's last byte, unaligned (section 4).
    UnalignedPages,
    /// Bitmap: covers so many bits, whatever they are a multiple of; pages beyond are left out.
    BitmapBits(u64),
    /// Bitmap: bits past the end are set in the last byte.
    StrayBits,
    /// Bitmap: `SDMP` for `FDMP` and the reverse.
    OtherSignature,
    /// PhysicalMemoryBlock is filler.
    FillerMemoryBlock,
    /// Type 0xA: page frame 0 is stored too; `kdmp-parser` ends its list there.
    FrameZero,
    /// Ranges: more entries stand behind the end of the list.
    TrailingRanges,
    /// Triage: a block overlaps another, with the same bytes (7.3).
    OverlappingBlocks,
    /// Triage: a block overlaps an earlier one, with other bytes: the earlier counts.
    ConflictingBlocks,
    /// Triage: a block that wraps round the end of the address space.
    WrappingBlock,
    /// Triage: no `TRGD` at ValidOffset (7.1).
    NoEndMark,
    /// Triage: SizeOfDump is 0x40000 and padded, as Windows 7 has it (7.3).
    FixedSize,
    /// Triage: 50 unloaded drivers, all that Windows keeps.
    ManyUnloaded,
    /// Triage: a data page is told in the triage header.
    DataPage,
}

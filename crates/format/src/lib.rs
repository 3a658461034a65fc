//! Windows kernel dump files: what they are, what is in them, whether they are whole.
//!
//! [`Dump::open`] reads the header, and the parts below it are opened one by
//! one: [`Dump::pages`] is the physical memory, [`Dump::space`] the kernel's
//! address space over it, [`Dump::triage`] the blocks of a triage dump,
//! [`Dump::blobs`] the secondary data; [`Set`] is a triage capture of several
//! files. [`verify()`] says whether a file is good, with every check and its
//! evidence; [`info()`] says what a debugger shows on opening. All take any
//! bytes: nothing from a file is used before it was held against the file's
//! length, and no file takes more than 64 MiB of memory.
//!
//! ```no_run
//! use format::{Dump, File};
//! use memory::{VirtualAddress, VirtualMemory};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let file = File::open_suited("MEMORY.DMP".as_ref())?;
//! let dump = Dump::open(&file)?;
//! let kernel = dump.kernel_memory()?;
//! let head = dump.header().ps_loaded_module_list.unwrap_or_default();
//! println!("the first module's entry is at {:x}", kernel.read_u64(head)?);
//! # Ok(())
//! # }
//! ```
//!
//! # The file
//!
//! All integers are little endian; a page has 4096 bytes. The marks say where
//! a fact comes from: **(S)** seen in real files, **(H)** public Microsoft
//! headers, **(D)** Microsoft's documentation, **(R)** agreed on by open
//! readers, **UNCONFIRMED** none of these.
//!
//! | at | what |
//! |---|---|
//! | 0x0 | the dump header: `PAGEDU64` and 0x2000 bytes ([`raw::DumpHeader64`]), or `PAGEDUMP` and 0x1000 bytes ([`raw::DumpHeader32`]) (H) (S) |
//! | behind it | by `DumpType` ([`DumpType`]), below |
//! | behind that | secondary data ([`raw::BlobFileHeader`]): tagged blobs; none in many files (S) |
//!
//! The header is written over a buffer of the dwords `PAGE`: a field that
//! still holds them was never filled, and is `None` in [`Header`]. (S) In a
//! live dump the header is reported to be written last, so a capture that
//! ended early leaves a file that begins with zeros.
//!
//! * **Type 1**: the header's run list (0x88 in the 64-bit header, 0x64 in the
//!   32-bit one) names runs of physical pages; their bytes follow from the
//!   header's end on, back to back, run by run: page `p` of a run lies at
//!   header size + 4096 * (pages of the runs before + `p` - BasePage).
//!   64-bit: NumberOfRuns u32, a dword that may be garbage, NumberOfPages u64,
//!   then runs of two u64, 42 in the SDK's layout and 43 as QEMU fills it.
//!   32-bit: both counts u32, then up to 86 runs of two u32. [`Runs`] (H) (S)
//! * **Types 5, 6 and 7**: [`raw::BitmapHeader`], then one bit for each
//!   physical page (bit `n` of byte `k` is page `8k + n`); from its HeaderSize
//!   on the pages of the set bits, in rising order: page `p` lies at
//!   HeaderSize + 4096 * (bits set before `p`). HeaderSize need not be
//!   aligned, the bits need not be a multiple of 8. That a file ever carries
//!   7 is UNCONFIRMED. [`Bitmap`] (R)
//! * **Type 2**: [`raw::SummaryHeader`] and an RTL_BITMAP, UNCONFIRMED and
//!   experimental: read only where every size agrees.
//! * **Types 8, 9 and 0xA**: [`raw::RangesHeader`], then ranges
//!   ([`raw::PhysicalMemoryRun`]) whose pages follow from FirstPageOffset on
//!   in the order of the list, which need not be sorted. The list of types 8
//!   and 9 ends at a range from page 0 on, that of 0xA where the ranges have
//!   TotalNumberOfPages pages; neither reaches into the pages. For 32-bit
//!   dumps UNCONFIRMED. [`Runs`] (R kdmp-parser)
//! * **Type 3**: nothing.
//! * **Type 4**: [`raw::TriageHeader64`] or [`raw::TriageHeader32`], then
//!   pieces that it gives the file offsets of, in no fixed order, and `TRGD`
//!   at the end: [`Triage`]. Blocks of virtual memory are in a table of
//!   [`raw::TriageBlock`], unsorted, unaligned, and overlapping in later-made
//!   files; in 32-bit dumps their addresses are sign-extended. The call stack
//!   reaches UP from TopOfStack; the debugger block's copy belongs to the
//!   header's KdDebuggerDataBlock, the thread's to CurrentThread in the KPRCB's
//!   copy, the process's to ApcState.Process in the thread's, the KPRCB's to
//!   its pointer in KiProcessorBlock, and none of them is in the table. (S)
//! * **Secondary data**: behind the last page, or at SizeOfDump of a triage
//!   dump: `DumpBlob`, then blobs ([`raw::BlobHeader`]) up to the end of the
//!   file or to a header of zeros: [`Blobs`]. (S)
//!
//! Where two runs or two blocks hold the same page or address, the one that
//! the file names first is read, and [`verify()`] reports it.
//!
//! Never understood: encrypted dumps, and page data that is compressed. A
//! bitmap that names more pages than there is room for is mapped only when
//! what is there proves to be pages; a file that was cut keeps the rest.
//!
//! # Virtual memory
//!
//! DirectoryTableBase is the root of the page tables; its low bits are flags
//! (S). x86 has PAE by the header's PaeEnabled; the header does not tell
//! five-level paging of x64, so both ways are tried and the one that leads to
//! the debugger block and to an image at its KernBase is taken. ARM64 has one
//! root for both halves (R). ARM32 and IA64: the header and the pages only.
//!
//! # What verification cannot see
//!
//! Secondary data has neither a count nor an end: a file cut exactly between
//! two blobs, or exactly behind the pages, looks whole. `RequiredDumpSpace`
//! does not help: whole files of real machines want more than they have. (S)
//! The pages have no sums of their own: [`Level::Deep`] proves that each can
//! be read, and that the kernel is found through them, not that none changed.
#![forbid(unsafe_code)]

mod attributes;
mod bitmap;
mod blob;
mod blocks;
mod comment;
mod debugger;
mod dump;
mod error;
mod extent;
mod filler;
pub mod header;
mod identity;
mod info;
mod kind;
mod pages;
mod ranges;
pub mod raw;
mod runs;
mod set;
mod source;
mod space;
mod tags;
mod time;
mod triage;
mod verify;
pub mod write;

pub use attributes::Attributes;
pub use bitmap::{Bitmap, MAX_BITS};
pub use blob::{Blob, BlobEnd, Blobs, Build, Guid, LISTED_BLOBS, MAX_BLOBS, NotAGuid};
pub use blocks::Block;
pub use debugger::DebuggerSizes;
pub use dump::Dump;
pub use error::Error;
pub use extent::{Content, Extent, LISTED_PLACES, Missing, Part, Place};
pub use header::Header;
pub use identity::Identity;
pub use info::{BlobInfo, Info, MemoryClass, info};
pub use kind::{DumpType, Machine, Width};
pub use map::{Bytes, File};
pub use pages::Pages;
pub use ranges::MAX_RANGES;
pub use runs::{MAX_RUNS, MAX_RUNS_32, Run, Runs};
pub use set::{Moment, Set, SetError, SetMemory};
pub use space::KernelMemory;
pub use time::FileTime;
pub use triage::{
    Conflicts, Driver, MAX_BLOCKS, Origin, Piece, Triage, TriageHeader, UnloadedDriver,
};
pub use verify::{
    Check, Level, Outcome, SetVerification, Verdict, Verification, verify, verify_set,
};

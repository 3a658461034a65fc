//! Triage dumps (type 4): no physical memory, but blocks of virtual memory
//! and copies of a few kernel structures.

mod conflict;
mod header;
mod lists;
mod parts;

use memory::{ReadError, VirtualAddress, VirtualMemory};
use zerocopy::FromBytes;

use crate::blocks::{Block, Index};
use crate::raw::TriageBlock;
use crate::source::Source;
use crate::{DebuggerSizes, Error, Header};

pub use conflict::Conflicts;
pub use header::TriageHeader;
pub use lists::{Driver, UnloadedDriver};
pub(crate) use lists::{MAX_DRIVERS, little_endian};

/// Blocks that are read at most.
pub const MAX_BLOCKS: u32 = 1 << 20;

/// Bytes of a debugger block that are looked at: every known one has under 0x400.
const MAX_DEBUGGER_BLOCK: u32 = 0x1_0000;

/// A part of the file that is a copy of something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// File offset.
    pub offset: u32,
    /// Bytes; absent when no debugger block says.
    pub size: Option<u32>,
    /// Where the thing was in memory, when the dump says.
    pub address: Option<VirtualAddress>,
}

/// Who made a triage dump, as far as it shows. (S)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// The kernel, when it crashed or was asked to: TriageOptions 0xFFFFFFFF.
    Kernel,
    /// A debugger or the error reporting, out of a larger dump: TriageOptions 0x41.
    LaterMade,
    /// Neither value.
    Unknown(u32),
}

/// The parts of a triage dump. What points outside the file was left out;
/// [`crate::verify()`] says what that was.
///
/// Addresses of a 32-bit dump have 32 bits here, whereas its block table
/// extends their sign (S); reading takes them either way.
pub struct Triage<'a> {
    source: Source<'a>,
    header: TriageHeader,
    table: usize,
    /// The block table, and behind it the copies that have an address of their own.
    blocks: Vec<Block>,
    index: Index,
    debugger: Option<(VirtualAddress, Vec<u8>)>,
    prcb: Option<Piece>,
    thread: Option<Piece>,
    process: Option<Piece>,
}

impl<'a> Triage<'a> {
    pub(crate) fn open(source: Source<'a>, dump: &Header) -> Result<Self, Error> {
        let header = TriageHeader::read(&source, dump.width)?;
        let blocks = read_table(&source, &header)?;
        let debugger = read_debugger(&source, &header)?;
        let mut triage = Self {
            source,
            table: blocks.len(),
            header,
            blocks,
            index: Index::default(),
            debugger: dump.kd_debugger_data_block.zip(debugger),
            prcb: None,
            thread: None,
            process: None,
        };
        triage.find_copies();
        triage.map_copies();
        triage.index = Index::new(&triage.blocks, source.len());
        triage.map_prcb();
        Ok(triage)
    }

    /// The triage header.
    pub fn header(&self) -> &TriageHeader {
        &self.header
    }

    /// Who made it.
    pub fn origin(&self) -> Origin {
        match self.header.triage_options {
            u32::MAX => Origin::Kernel,
            0x41 => Origin::LaterMade,
            other => Origin::Unknown(other),
        }
    }

    /// Where the dump proper ends and secondary data begins.
    pub fn size_of_dump(&self) -> u64 {
        self.header.size_of_dump.into()
    }

    /// Whether `TRGD` stands where the header says that the dump ends.
    pub fn has_end_mark(&self) -> Result<bool, Error> {
        let offset = u64::from(self.header.valid_offset);
        if !self.source.holds(offset, 4) {
            return Ok(false);
        }
        let mut mark = [0; 4];
        self.source.fill("the end mark", offset, &mut mark)?;
        Ok(&mark == b"TRGD")
    }

    /// The block table: unsorted, possibly overlapping. At most as many as the file holds.
    pub fn blocks(&self) -> impl ExactSizeIterator<Item = Block> + '_ {
        self.blocks[..self.table].iter().copied()
    }

    /// The bytes of one block of the table, as far as the file holds them.
    pub fn block_bytes(&self, index: usize) -> Result<Vec<u8>, Error> {
        let Some(block) = self.blocks[..self.table].get(index) else { return Ok(Vec::new()) };
        let offset = u64::from(block.offset);
        let length = u64::from(block.size).min(self.source.len().saturating_sub(offset));
        self.source.vec("a data block", offset.min(self.source.len()), length)
    }

    /// How many of the `size` bytes from `address` on the dump holds, each counted once.
    pub fn covered(&self, address: VirtualAddress, size: u64) -> u64 {
        self.index.covered(address.0..address.0.saturating_add(size))
    }

    /// Bytes of the blocks of the table, as far as the file has them.
    pub fn stored(&self) -> u64 {
        crate::blocks::total(&self.blocks[..self.table], self.source.len())
    }

    /// Bytes that more than one block or copy holds.
    pub fn overlap(&self) -> u64 {
        self.index.overlap
    }

    /// The copy of KDDEBUGGER_DATA64 and the address it belongs to, which the block table does not have.
    pub fn debugger_block(&self) -> Option<(VirtualAddress, &[u8])> {
        self.debugger.as_ref().map(|(address, bytes)| (*address, bytes.as_slice()))
    }

    /// Sizes and offsets from the debugger block.
    pub fn debugger_sizes(&self) -> Option<DebuggerSizes> {
        DebuggerSizes::of(self.debugger_block()?.1)
    }

    /// The copy of the processor's KPRCB; its address is in KiProcessorBlock, where that is stored.
    pub fn prcb(&self) -> Option<Piece> {
        self.prcb
    }

    /// The copy of the current ETHREAD; its address is the KPRCB's CurrentThread.
    pub fn thread(&self) -> Option<Piece> {
        self.thread
    }

    /// The copy of the EPROCESS; its address is the thread's ApcState.Process.
    pub fn process(&self) -> Option<Piece> {
        self.process
    }

    /// The call stack: from TopOfStack, its lowest address, upwards.
    pub fn call_stack(&self) -> Option<Block> {
        let (offset, size) = (self.header.call_stack_offset, self.header.size_of_call_stack);
        let address = self.header.top_of_stack;
        (offset != 0 && size != 0).then_some(Block { address, offset, size })
    }

    /// How many drivers were loaded.
    pub fn driver_count(&self) -> u32 {
        self.header.driver_count
    }

    /// The data page, when there is one.
    pub fn data_page(&self) -> Option<Block> {
        let header = &self.header;
        let (offset, size) = (header.data_page_offset, header.data_page_size);
        let address = header.data_page_address;
        (offset != 0 && size != 0).then_some(Block { address, offset, size })
    }

    fn find_copies(&mut self) {
        let sizes = self.debugger_sizes();
        let piece = |offset: u32, size: Option<u16>, address| {
            let size = size.filter(|size| *size != 0).map(u32::from);
            (offset != 0).then_some(Piece { offset, size, address })
        };
        let (thread_offset, process_offset) =
            (self.header.thread_offset, self.header.process_offset);
        self.prcb = piece(self.header.prcb_offset, sizes.map(|s| s.size_prcb), None);
        let current = sizes.map(|s| s.offset_prcb_current_thread);
        let thread = self.pointer_in(self.prcb, current);
        self.thread = piece(thread_offset, sizes.map(|s| s.size_ethread), thread);
        let process = sizes.map(|s| s.offset_kthread_apc_process);
        let process = self.pointer_in(self.thread, process);
        self.process = piece(process_offset, sizes.map(|s| s.size_eprocess), process);
    }

    /// A pointer at an offset into a copy, if it points into the kernel's half.
    fn pointer_in(&self, piece: Option<Piece>, offset: Option<u16>) -> Option<VirtualAddress> {
        let at = u64::from(piece?.offset) + u64::from(offset?);
        let mut bytes = [0; 8];
        let bytes = &mut bytes[..self.header.width.pointer_size()];
        self.source.fill("a pointer in a copied structure", at, bytes).ok()?;
        let address = VirtualAddress(little_endian(bytes));
        Some(address).filter(|address| self.header.width.is_kernel(*address))
    }

    fn map_copies(&mut self) {
        let block = |piece: Option<Piece>| {
            let piece = piece?;
            Some(Block { address: piece.address?, offset: piece.offset, size: piece.size? })
        };
        let debugger = self.debugger.as_ref().map(|(address, bytes)| Block {
            address: *address,
            offset: self.header.debugger_data_offset,
            size: bytes.len() as u32,
        });
        let copies = [
            self.call_stack(),
            debugger,
            block(self.thread),
            block(self.process),
            self.data_page(),
        ];
        self.blocks.extend(copies.into_iter().flatten());
    }

    /// The KPRCB's address: KiProcessorBlock has it, at the processor's own
    /// number. Both are stored in most dumps. (S)
    fn map_prcb(&mut self) {
        let Some((block, piece)) = self.find_prcb() else { return };
        self.prcb = Some(piece);
        self.blocks.push(block);
        // The old index goes first: two of them are too much memory.
        self.index = Index::default();
        self.index = Index::new(&self.blocks, self.source.len());
    }

    fn find_prcb(&self) -> Option<(Block, Piece)> {
        let piece = self.prcb?;
        let sizes = self.debugger_sizes()?;
        let mut number = [0; 4];
        let at = u64::from(piece.offset) + u64::from(sizes.offset_prcb_number);
        self.source.fill("a processor's number", at, &mut number).ok()?;
        let number = Some(u32::from_le_bytes(number)).filter(|number| *number < 2048)?;
        let size = self.header.width.pointer_size();
        let pointer = sizes.ki_processor_block?.checked_add(u64::from(number) * size as u64)?;
        let mut bytes = [0; 8];
        self.read_virtual(pointer, &mut bytes[..size]).ok()?;
        let address = VirtualAddress(little_endian(&bytes));
        if !self.header.width.is_kernel(address) {
            return None;
        }
        let block = Block { address, offset: piece.offset, size: piece.size? };
        Some((block, Piece { address: Some(address), ..piece }))
    }
}

/// Reads as much of the table as the file has.
fn read_table(source: &Source<'_>, header: &TriageHeader) -> Result<Vec<Block>, Error> {
    const ENTRY: u64 = size_of::<TriageBlock>() as u64;
    let count = header.data_blocks_count;
    if count > MAX_BLOCKS {
        return Err(Error::TooMany {
            what: "data blocks",
            offset: header.blocks_count_field(),
            most: MAX_BLOCKS.into(),
            found: count.into(),
        });
    }
    let offset = u64::from(header.data_blocks_offset);
    let held = source.len().saturating_sub(offset) / ENTRY;
    let count = held.min(count.into());
    // Room for the copies that follow, so that a large table is never moved.
    let mut blocks = Vec::with_capacity(count as usize + 8);
    let offset = offset.min(source.len());
    source.windows("the block table", offset, count * ENTRY, |_, window| {
        let entries = window.chunks_exact(ENTRY as usize);
        blocks.extend(entries.filter_map(|entry| TriageBlock::read_from_bytes(entry).ok()).map(
            |entry| Block {
                address: header.width.address(entry.address.get()),
                offset: entry.offset.get(),
                size: entry.size.get(),
            },
        ));
        true
    })?;
    Ok(blocks)
}

fn read_debugger(source: &Source<'_>, header: &TriageHeader) -> Result<Option<Vec<u8>>, Error> {
    let (offset, size) = (header.debugger_data_offset, header.debugger_data_size);
    if offset == 0 || size == 0 || !source.holds(offset.into(), size.into()) {
        return Ok(None);
    }
    let size = size.min(MAX_DEBUGGER_BLOCK);
    source.vec("the debugger block", offset.into(), size.into()).map(Some)
}

impl VirtualMemory for Triage<'_> {
    fn read_virtual(&self, address: VirtualAddress, buffer: &mut [u8]) -> Result<(), ReadError> {
        let address = self.header.width.address(address.0);
        let mut done = 0;
        while done < buffer.len() {
            let at = address.0.wrapping_add(done as u64);
            let absent = ReadError::VirtualAbsent { address: VirtualAddress(at) };
            let Some((index, end)) = self.index.find(at) else { return Err(absent) };
            let Some(block) = self.blocks.get(index as usize) else { return Err(absent) };
            let size = (end - at).min((buffer.len() - done) as u64) as usize;
            let offset = u64::from(block.offset) + (at - block.address.0);
            let part = &mut buffer[done..done + size];
            self.source.fill("a data block", offset, part).map_err(|error| ReadError::Io {
                address: at,
                offset,
                source: std::io::Error::other(error),
            })?;
            done += size;
        }
        Ok(())
    }
}

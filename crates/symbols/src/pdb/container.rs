//! The container (MSF): superblock and stream directory, checked against the
//! file before anything else is read.
//!
//! LLVM, "The MSF File Format": superblock at 0 with the block size at 0x20,
//! the number of blocks at 0x28, the directory's bytes at 0x2C, and at 0x34
//! the blocks that list the directory's blocks. The directory: number of
//! streams, their sizes (all ones: none), then the blocks of each in turn.

use map::Bytes;

use super::PdbError;
use crate::bytes::u32_at;

const MAGIC: &[u8; 32] = b"Microsoft C/C++ MSF 7.00\r\n\x1a\x44\x53\0\0\0";
const NO_STREAM: u32 = u32::MAX;

struct Superblock {
    block: u64,
    blocks: u64,
    directory: u64,
}

/// Whether every stream fits the file: alone, and all together, as no block
/// belongs to two streams.
pub(super) fn check(file: &dyn Bytes) -> Result<(), PdbError> {
    let superblock = superblock(file)?;
    let directory = directory(file, &superblock)?;
    let at = |index: usize| u32_at(&directory, index * 4);
    let too_short = |found: u64| PdbError::Container {
        offset: 0x2c,
        what: "the stream directory is too short for its streams",
        found,
        room: directory.len() as u64,
    };
    let count = at(0).ok_or_else(|| too_short(4))?;
    let (mut bytes, mut blocks) = (0_u64, 0_u64);
    for stream in 0..count as usize {
        let size = at(1 + stream).ok_or_else(|| too_short(u64::from(count) * 4 + 4))?;
        if size != NO_STREAM {
            bytes += u64::from(size);
            blocks += u64::from(size).div_ceil(superblock.block);
        }
    }
    if bytes > file.len() {
        let what = "the streams together are longer than the file";
        return Err(PdbError::Container { offset: 0x2c, what, found: bytes, room: file.len() });
    }
    let needed = 4 + 4 * (u64::from(count) + blocks);
    if needed > directory.len() as u64 {
        return Err(too_short(needed));
    }
    let numbers = directory[4 + 4 * count as usize..needed as usize].chunks_exact(4);
    let largest = numbers.filter_map(|number| u32_at(number, 0)).max().map_or(0, u64::from);
    block_inside(&superblock, 0x2c, largest)
}

fn superblock(file: &dyn Bytes) -> Result<Superblock, PdbError> {
    let mut head = [0; 0x38];
    if file.len() < head.len() as u64 {
        return Err(PdbError::NotPdb);
    }
    read(file, 0, &mut head)?;
    if !head.starts_with(MAGIC) {
        return Err(PdbError::NotPdb);
    }
    let field = |offset| u64::from(u32_at(&head, offset).unwrap_or_default());
    let (block, blocks, directory) = (field(0x20), field(0x28), field(0x2c));
    let fits = |offset, what, found, room| match found <= room {
        true => Ok(()),
        false => Err(PdbError::Container { offset, what, found, room }),
    };
    if !block.is_power_of_two() || block < 0x100 {
        return Err(PdbError::Container {
            offset: 0x20,
            what: "the block size",
            found: block,
            room: file.len(),
        });
    }
    fits(0x20, "the block size", block, file.len())?;
    fits(0x28, "the number of blocks", blocks, file.len().div_ceil(block))?;
    fits(0x2c, "the stream directory's size", directory, file.len())?;
    Ok(Superblock { block, blocks, directory })
}

/// The whole stream directory.
fn directory(file: &dyn Bytes, superblock: &Superblock) -> Result<Vec<u8>, PdbError> {
    let blocks = superblock.directory.div_ceil(superblock.block);
    let list_blocks = (blocks * 4).div_ceil(superblock.block);
    let mut lists = vec![0; (list_blocks * 4) as usize];
    read(file, 0x34, &mut lists)?;
    let list = gather(file, superblock, &lists, blocks * 4)?;
    gather(file, superblock, &list, superblock.directory)
}

/// `size` bytes from the blocks whose numbers are given.
fn gather(
    file: &dyn Bytes,
    superblock: &Superblock,
    numbers: &[u8],
    size: u64,
) -> Result<Vec<u8>, PdbError> {
    let mut gathered = vec![0; size as usize];
    let parts = gathered.chunks_mut(superblock.block as usize);
    for (part, number) in parts.zip(numbers.chunks_exact(4)) {
        let number = u64::from(u32_at(number, 0).unwrap_or_default());
        block_inside(superblock, 0x34, number)?;
        read(file, number * superblock.block, part)?;
    }
    Ok(gathered)
}

fn block_inside(superblock: &Superblock, offset: u64, number: u64) -> Result<(), PdbError> {
    match number < superblock.blocks.max(1) {
        true => Ok(()),
        false => {
            let what = "the number of a block";
            Err(PdbError::Container { offset, what, found: number, room: superblock.blocks })
        }
    }
}

fn read(file: &dyn Bytes, offset: u64, buffer: &mut [u8]) -> Result<(), PdbError> {
    file.read_exact_at(offset, buffer).map_err(|error| PdbError::Io(error.to_string()))
}

//! Files packed with xz, as volatility3 keeps its ISFs.

use std::borrow::Cow;
use std::io::{self, Read};

use lzma_rust2::XzReader;

/// What an xz file begins with. (The .xz File Format, section 2.1.1.1.)
pub(crate) const MAGIC: &[u8] = b"\xFD7zXZ\0";
/// Bytes that a packed file is read of: volatility3's have 1 to 3 MiB.
pub(crate) const MOST_PACKED: u64 = 32 << 20;
/// Bytes that are unpacked at most: a kernel's ISF has some 15 MiB.
const MOST: usize = 64 << 20;
/// By how much a file may grow, and what is let grow by more: a kernel's ISF
/// grows by 12 to 20.
const GROWTH: usize = 64;
const SMALL: usize = 1 << 20;
/// What the dictionary may take, in KiB: `xz -9` asks for 64 MiB, and some for itself.
const DICTIONARY: u32 = 66 << 10;
/// Bytes that are unpacked at a time.
const STEP: u64 = 1 << 20;

/// Why a packed file cannot be unpacked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum XzError {
    /// What is there is not a whole xz stream.
    #[error("at byte {offset} of the packed file: {why}")]
    Damaged {
        /// How far it was read, in bytes.
        offset: u64,
        /// What is wrong.
        why: String,
    },
    /// It is larger than any file of symbols that is packed to so little.
    #[error("it unpacks to more than {most} bytes: unpack it yourself (xz -d) if it is sound")]
    TooLarge {
        /// What would be unpacked at most.
        most: usize,
    },
    /// The packed file itself is.
    #[error("it is packed, and larger than {} MiB", MOST_PACKED >> 20)]
    TooLargePacked,
}

/// A file's bytes, unpacked if they are packed.
pub(crate) fn unpacked(bytes: &[u8]) -> Result<Cow<'_, [u8]>, XzError> {
    if !bytes.starts_with(MAGIC) {
        return Ok(Cow::Borrowed(bytes));
    }
    let mut read = 0;
    let counted = Counted { rest: bytes, read: &mut read };
    let most = bytes.len().saturating_mul(GROWTH).saturating_add(SMALL).min(MOST);
    let unpacked = unpack(XzReader::new_mem_limit(counted, true, DICTIONARY), most);
    match unpacked {
        Ok(text) if text.len() > most => Err(XzError::TooLarge { most }),
        Ok(text) => Ok(Cow::Owned(text)),
        Err(error) => Err(XzError::Damaged { offset: read, why: error.to_string() }),
    }
}

/// No more than a byte beyond what is allowed; what is claimed allocates nothing.
fn unpack(mut reader: impl Read, most: usize) -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    while text.len() <= most {
        let left = (most + 1 - text.len()) as u64;
        if reader.by_ref().take(STEP.min(left)).read_to_end(&mut text)? == 0 {
            break;
        }
    }
    Ok(text)
}

/// Counts what is read.
struct Counted<'a> {
    rest: &'a [u8],
    read: &'a mut u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.rest.read(buffer)?;
        *self.read += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `printf '{"metadata": {}}' | xz -9`
    const PACKED: &[u8] = include_bytes!("../tests/fixtures/small.json.xz");

    #[test]
    fn what_is_packed_is_unpacked_and_all_else_is_as_it_is() {
        assert_eq!(&*unpacked(PACKED).unwrap(), b"{\"metadata\": {}}");
        assert_eq!(&*unpacked(b"{}").unwrap(), b"{}");
    }

    #[test]
    fn a_file_that_is_cut_or_damaged_says_where() {
        for cut in [MAGIC.len(), 13, 30, PACKED.len() - 1] {
            let error = unpacked(&PACKED[..cut]).unwrap_err();
            assert!(matches!(error, XzError::Damaged { offset, .. } if offset <= cut as u64));
        }
        for at in 6..PACKED.len() {
            let mut damaged = PACKED.to_vec();
            damaged[at] ^= 0x41;
            let _ = unpacked(&damaged);
        }
        let mut damaged = PACKED.to_vec();
        damaged[28] ^= 0xFF;
        assert!(unpacked(&damaged).unwrap_err().to_string().starts_with("at byte "));
    }

    /// 200 MiB of zeros in some 30 KiB.
    #[test]
    fn a_bomb_is_not_unpacked_further_than_any_file_of_symbols_is_long() {
        let bomb = include_bytes!("../tests/fixtures/zeros.xz");
        let most = bomb.len() * GROWTH + SMALL;
        assert_eq!(unpacked(bomb).unwrap_err(), XzError::TooLarge { most });
    }
}

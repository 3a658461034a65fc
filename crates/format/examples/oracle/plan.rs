//! What is asked about a file, and the right answers.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub(crate) const PAGE: usize = 4096;

/// Pages asked about beside those at the ends of runs.
const AT_RANDOM: usize = 64;
/// Runs whose ends are all asked about; of longer lists, the first and the last so many.
const RUNS: usize = 64;

/// A file to be judged.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Plan {
    pub(crate) file: String,
    /// DumpType.
    pub(crate) kind: u32,
    /// Who wrote it: "convert", "library", or "serialiser", which is not the product.
    pub(crate) writer: String,
    pub(crate) header: Header,
    /// Bytes of the file.
    pub(crate) length: u64,
    /// How many pages it stores.
    pub(crate) stored: u64,
    /// How many a reader with a known error counts.
    pub(crate) counted: BTreeMap<String, u64>,
    /// Whether the pages of a bitmap dump begin off a page's boundary.
    pub(crate) unaligned: bool,
    /// Whether the same page is stored twice.
    pub(crate) repeats: bool,
    pub(crate) pages: Vec<Asked>,
    pub(crate) reads: Vec<Asked>,
}

/// Fields that the judges show.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) directory_table_base: u64,
    pub(crate) code: u32,
    pub(crate) parameters: [u64; 4],
    pub(crate) processors: u32,
}

/// One question.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// "last page of run 3", "across two large pages".
    pub(crate) what: String,
    /// Physical or virtual.
    pub(crate) address: u64,
    pub(crate) length: usize,
    /// See [`seen`]; `None` for what has to be absent.
    pub(crate) holds: Option<String>,
    /// What a reader with a known error sees, where that is something else.
    pub(crate) traps: BTreeMap<String, Option<String>>,
}

/// What one reader says of one file.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Answer {
    pub(crate) file: String,
    /// Why it could not be opened.
    pub(crate) error: Option<String>,
    pub(crate) header: Option<Header>,
    pub(crate) stored: Option<u64>,
    /// As asked, in order.
    pub(crate) pages: Vec<Option<String>>,
    pub(crate) reads: Vec<Option<String>>,
}

/// The first and the last 16 bytes in hex, for people, and the SHA-256 of all.
pub(crate) fn seen(bytes: &[u8]) -> String {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let (first, last) = (bytes.len().min(16), bytes.len().saturating_sub(16));
    format!("{}..{}:{}", hex(&bytes[..first]), hex(&bytes[last..]), hex(&Sha256::digest(bytes)))
}

/// Asks for the first and the last page of each run, the one before and the one after, and for
/// some at random, always the same. `runs` are sorted and do not touch.
pub(crate) fn pages(runs: &[(u64, u64)], page: impl Fn(u64) -> Option<Vec<u8>>) -> Vec<Asked> {
    let mut asked: Vec<(u64, String)> = Vec::new();
    for (number, (first, count)) in runs.iter().enumerate() {
        if number >= RUNS && number + RUNS < runs.len() {
            continue;
        }
        asked.extend(first.checked_sub(1).map(|frame| (frame, format!("before run {number}"))));
        asked.push((*first, format!("first of run {number}")));
        asked.push((first + count - 1, format!("last of run {number}")));
        asked.push((first + count, format!("after run {number}")));
    }
    let stored: u64 = runs.iter().map(|(_, count)| count).sum();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..AT_RANDOM {
        // xorshift64
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let mut left = state % stored.max(1);
        for (first, count) in runs {
            if left < *count {
                asked.push((first + left, "at random".to_owned()));
                break;
            }
            left -= count;
        }
    }
    asked.sort_by_key(|(frame, _)| *frame);
    asked.dedup_by_key(|(frame, _)| *frame);
    let question = |(frame, what)| Asked {
        what,
        address: frame * PAGE as u64,
        length: PAGE,
        holds: page(frame).map(|bytes| seen(&bytes)),
        traps: BTreeMap::new(),
    };
    asked.into_iter().map(question).collect()
}

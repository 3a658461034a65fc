//! A full `.xdata` record.

use super::UnwindCode;
use super::code::decode_codes;
use crate::image::dword;
use crate::{Code, Image, Missing};

/// One epilogue of a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Epilogue {
    /// Its first byte, relative to the function's.
    pub start: u32,
    /// Where in the code bytes its codes begin.
    pub index: usize,
}

/// A record, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionRecord {
    /// Bytes of code.
    pub length: u32,
    /// 0, the only one there is.
    pub version: u8,
    /// X: whether an exception handler follows.
    pub handler: bool,
    /// E: with one epilogue at the function's end, where its codes begin.
    pub single_epilogue: Option<usize>,
    /// How many epilogues are listed.
    pub epilogues: u32,
    /// The bytes of all codes, the prologue's first.
    pub codes: Vec<u8>,
    scopes: u32,
}

impl FunctionRecord {
    /// Reads a record's header and codes.
    pub fn read(code: &dyn Code, image: &Image, rva: u32) -> Result<Self, Missing> {
        let word = dword(code, image, rva)?;
        let behind = |count: u32| rva.checked_add(4 * count).ok_or(Missing { rva });
        let (mut epilogues, mut words, mut scopes) = (word >> 22 & 31, word >> 27, behind(1)?);
        if epilogues == 0 && words == 0 {
            let second = dword(code, image, scopes)?;
            (epilogues, words, scopes) = (second & 0xFFFF, second >> 16 & 0xFF, behind(2)?);
        }
        let single = word >> 21 & 1 == 1;
        let listed = if single { 0 } else { epilogues };
        let start = scopes.checked_add(4 * listed).ok_or(Missing { rva })?;
        let mut codes = vec![0; 4 * words as usize];
        if u64::from(start) + codes.len() as u64 > u64::from(image.size) {
            return Err(Missing { rva: start });
        }
        if !codes.is_empty() {
            code.read(image, start, &mut codes)?;
        }
        Ok(Self {
            length: (word & 0x3_FFFF) * 4,
            version: (word >> 18 & 3) as u8,
            handler: word >> 20 & 1 == 1,
            single_epilogue: single.then_some(epilogues as usize),
            epilogues: listed,
            codes,
            scopes,
        })
    }

    /// The codes from a place on.
    pub fn codes_from(&self, index: usize) -> Vec<UnwindCode> {
        decode_codes(self.codes.get(index..).unwrap_or_default())
    }

    /// The epilogue that begins nearest before an address, relative to the
    /// function. They are sorted; no more than 17 of them are looked at.
    pub fn epilogue_before(
        &self,
        code: &dyn Code,
        image: &Image,
        offset: u32,
    ) -> Result<Option<Epilogue>, Missing> {
        let (mut low, mut high) = (0, self.epilogues);
        let mut best = None;
        while low < high {
            let middle = low + (high - low) / 2;
            let scope = dword(code, image, self.scopes.wrapping_add(4 * middle))?;
            let start = (scope & 0x3_FFFF) * 4;
            if start > offset {
                high = middle;
            } else {
                best = Some(Epilogue { start, index: (scope >> 22) as usize });
                low = middle + 1;
            }
        }
        Ok(best)
    }
}

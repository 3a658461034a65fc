//! Secondary data, "DumpBlob".
//!
//! Source: dump-formats specification, section 8.

use super::kind::{Kind, Machine};
use super::truth::BlobPlace;
use crate::bytes::put32;

const FILE_HEADER: usize = 0x10;
const BLOB_HEADER: usize = 0x20;
const FREE_BUILD: u32 = 0xF000_0000;

/// A blob, as it is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// The tag, a GUID as stored.
    pub tag: [u8; 16],
    /// Its data.
    pub data: Vec<u8>,
    /// Zero bytes before the data (PrePad).
    pub before: u32,
    /// Zero bytes behind it (PostPad).
    pub after: u32,
}

impl Blob {
    /// Without padding.
    pub fn new(tag: [u8; 16], data: impl Into<Vec<u8>>) -> Self {
        Self { tag, data: data.into(), before: 0, after: 0 }
    }

    /// Padded behind to a multiple of 8, as the kernel does.
    pub fn padded(tag: [u8; 16], data: impl Into<Vec<u8>>) -> Self {
        let data = data.into();
        let after = (data.len().next_multiple_of(8) - data.len()) as u32;
        Self { tag, data, before: 0, after }
    }
}

/// 2b88b710-1c93-4f7c-b06c-655ecc50decc: the true build.
const BUILD: [u8; 16] = *b"\x10\xb7\x88\x2b\x93\x1c\x7c\x4f\xb0\x6c\x65\x5e\xcc\x50\xde\xcc";
/// d03dc06f-d88e-44c5-ba2a-fae035172d19: CPUID vendor data.
const VENDOR: [u8; 16] = *b"\x6f\xc0\x3d\xd0\x8e\xd8\xc5\x44\xba\x2a\xfa\xe0\x35\x17\x2d\x19";
/// 80cc79cf-a719-4af1-bf97-fe29ff76ebc1: winlogon.
const WINLOGON: [u8; 16] = *b"\xcf\x79\xcc\x80\x19\xa7\xf1\x4a\xbf\x97\xfe\x29\xff\x76\xeb\xc1";

/// What files of a kind have: data of an odd size, of 0 and of 8 bytes, and the true build.
pub(crate) fn usual(kind: Kind, machine: Machine, build: u32) -> Vec<Blob> {
    let mut zb = vec![0; 0x2C];
    zb[..4].copy_from_slice(b"Zb\x02\0");
    put32(&mut zb, 4, build | FREE_BUILD);
    put32(&mut zb, 8, 2995);
    let bare = machine.is_32_bit() || kind == Kind::TriageLater;
    let make = |tag, data| if bare { Blob::new(tag, data) } else { Blob::padded(tag, data) };
    vec![
        make(VENDOR, b"SimulatedCPU!".to_vec()),
        make(WINLOGON, vec![]),
        make([0x5A; 16], vec![1, 2, 3, 4, 5, 6, 7, 8]),
        make(BUILD, zb),
    ]
}

/// The bytes, to stand at file offset `at`, and where each blob's data is.
pub(crate) fn bytes(blobs: &[Blob], at: u64, build: u32) -> (Vec<u8>, Vec<BlobPlace>) {
    let (mut out, mut places) = (Vec::new(), Vec::new());
    if blobs.is_empty() {
        return (out, places);
    }
    out.extend_from_slice(b"DumpBlob");
    out.extend_from_slice(&(FILE_HEADER as u32).to_le_bytes());
    out.extend_from_slice(&(build | FREE_BUILD).to_le_bytes());
    for blob in blobs {
        let size = blob.data.len() as u32;
        out.extend_from_slice(&(BLOB_HEADER as u32).to_le_bytes());
        out.extend_from_slice(&blob.tag);
        for number in [size, blob.before, blob.after] {
            out.extend_from_slice(&number.to_le_bytes());
        }
        out.resize(out.len() + blob.before as usize, 0);
        places.push(BlobPlace { tag: blob.tag, offset: at + out.len() as u64, size });
        out.extend_from_slice(&blob.data);
        out.resize(out.len() + blob.after as usize, 0);
    }
    (out, places)
}

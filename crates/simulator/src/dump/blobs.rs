//! Secondary data, "DumpBlob", behind the pages or the triage data.
//!
//! Source: dump-formats specification, section 8.

use crate::bytes::put32;

const FREE_BUILD: u32 = 0xF000_0000;
/// 2b88b710-1c93-4f7c-b06c-655ecc50decc, with the true build number.
const BUILD_TAG: [u8; 16] = [
    0x10, 0xb7, 0x88, 0x2b, 0x93, 0x1c, 0x7c, 0x4f, 0xb0, 0x6c, 0x65, 0x5e, 0xcc, 0x50, 0xde, 0xcc,
];
/// d03dc06f-d88e-44c5-ba2a-fae035172d19, CPUID vendor data.
const VENDOR_TAG: [u8; 16] = [
    0x6f, 0xc0, 0x3d, 0xd0, 0x8e, 0xd8, 0xc5, 0x44, 0xba, 0x2a, 0xfa, 0xe0, 0x35, 0x17, 0x2d, 0x19,
];

/// The whole of it: file header, and two blobs.
pub(crate) fn secondary(build: u32) -> Vec<u8> {
    let mut out = b"DumpBlob".to_vec();
    out.extend_from_slice(&0x10u32.to_le_bytes());
    out.extend_from_slice(&(build | FREE_BUILD).to_le_bytes());
    blob(&mut out, VENDOR_TAG, b"SimulatedCPU");
    let mut data = vec![0; 0x60];
    data[..2].copy_from_slice(b"Zb");
    data[2] = 2;
    put32(&mut data, 4, build | FREE_BUILD);
    put32(&mut data, 8, 2995);
    blob(&mut out, BUILD_TAG, &data);
    out
}

fn blob(out: &mut Vec<u8>, tag: [u8; 16], data: &[u8]) {
    let padding = data.len().next_multiple_of(8) - data.len();
    out.extend_from_slice(&0x20u32.to_le_bytes());
    out.extend_from_slice(&tag);
    for number in [data.len(), 0, padding] {
        out.extend_from_slice(&(number as u32).to_le_bytes());
    }
    out.extend_from_slice(data);
    out.resize(out.len() + padding, 0);
}

//! Every page of a bitmap, the fast way and the others.

use std::io;

use map::Bytes;
use memory::{PAGE_SIZE, PageFrame, PhysicalAddress, PhysicalMemory};

use super::Pages;
use crate::source::Source;
use crate::{Bitmap, Width};

/// Bytes that are not lent.
struct ByPosition(Vec<u8>);

impl Bytes for ByPosition {
    fn len(&self) -> u64 {
        Bytes::len(&self.0)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, buffer)
    }
}

/// Bits of every kind: blocks that are full or clear, and words that are neither.
fn bit(frame: u64) -> bool {
    match frame / 512 % 4 {
        0 => true,
        1 => false,
        _ => frame.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 61 > 2,
    }
}

/// A bitmap of so many bits, and pages that begin with their own numbers.
/// Behind the last bit, all that are left of its byte are set.
fn image(bits: u64, first_page: u64) -> Vec<u8> {
    let mut image = vec![0; 0x2038];
    image[0x2000..0x2008].copy_from_slice(b"SDMPDUMP");
    image[0x2020..0x2028].copy_from_slice(&first_page.to_le_bytes());
    image[0x2030..0x2038].copy_from_slice(&bits.to_le_bytes());
    image.resize(0x2038 + bits.div_ceil(8) as usize, 0);
    for frame in 0..bits.next_multiple_of(8) {
        let set = u8::from(frame >= bits || bit(frame));
        image[0x2038 + frame as usize / 8] |= set << (frame % 8);
    }
    assert!(image.len() as u64 <= first_page);
    image.resize(first_page as usize, 0);
    for frame in (0..bits).filter(|frame| bit(*frame)) {
        image.extend_from_slice(&frame.to_le_bytes());
        image.resize(image.len() + PAGE_SIZE as usize - 8, 0);
    }
    image
}

fn number(pages: &Pages<'_>, frame: u64) -> Option<u64> {
    let mut bytes = [0; 8];
    pages.read_physical(PhysicalAddress(frame * PAGE_SIZE), &mut bytes).ok()?;
    Some(u64::from_le_bytes(bytes))
}

#[test]
fn every_page_of_any_number_of_bits_is_found_in_each_way_of_reading() {
    for bits in [1, 10, 63, 64, 66, 511, 512, 513, 576, 700, 1024, 1100, 2047, 2055] {
        // The first page need not be aligned.
        let image = ByPosition(image(bits, 0x2401));
        let open = |bytes| {
            let bitmap = Bitmap::open(Source::new(bytes), Width::Bits64).unwrap();
            Pages::of_bitmap(&bitmap).unwrap()
        };
        let (mapped, positioned) = (open(&image.0), open(&image));
        for frame in 0..bits + 600 {
            let expected = (frame < bits && bit(frame)).then_some(frame);
            assert_eq!(number(&mapped, frame), expected, "page {frame} of {bits}, mapped");
            assert_eq!(number(&positioned, frame), expected, "page {frame} of {bits}");
            let lent = mapped.page(PageFrame(frame)).map(|page| page[..8].to_vec());
            assert_eq!(lent, expected.map(|frame| frame.to_le_bytes().to_vec()));
            assert!(positioned.page(PageFrame(frame)).is_none());
        }
    }
}

#[test]
fn a_read_goes_on_over_the_end_of_a_page_and_says_where_it_ends() {
    let image = image(513, 0x3000);
    let bitmap = Bitmap::open(Source::new(&image), Width::Bits64).unwrap();
    let pages = Pages::of_bitmap(&bitmap).unwrap();
    let mut bytes = [1; 12];
    pages.read_physical(PhysicalAddress(5 * PAGE_SIZE - 4), &mut bytes).unwrap();
    assert_eq!(bytes, [0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0]);
    let error = pages.read_physical(PhysicalAddress(512 * PAGE_SIZE - 4), &mut bytes).unwrap_err();
    assert!(error.to_string().contains("0000000000200000 is not in the dump"), "{error}");
}

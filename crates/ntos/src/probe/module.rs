//! Members of an entry of the loaded modules' list.

use memory::VirtualAddress;

use super::only;
use symbols::pe::Headers;

use crate::image;
use crate::layout::ModuleLayout;
use crate::module::{file_name, probed};
use crate::reader::{Reader, at};

/// Bytes of an entry that are looked at.
const ENTRY: u64 = 0x100;
/// Entries that are compared with the images they name.
const SAMPLE: usize = 64;

/// Finds the members in a ring of entries, of which the first is the kernel's.
///
/// The base is proved by the image headers that lie there and, for the kernel,
/// by the list's head lying inside it; sizes and stamps by being equal to those
/// in the headers, for every image whose first page is in the dump.
pub(crate) fn find(
    reader: &Reader<'_>,
    head: VirtualAddress,
    entries: &[VirtualAddress],
) -> Option<ModuleLayout> {
    let pointer = reader.pointer_size();
    let first = *entries.first()?;
    let kernel_at = |offset: &u64| {
        let base = reader.pointer(at(first, *offset)).ok()?;
        let headers = image::headers(reader, base)?;
        let inside = head.0.wrapping_sub(base.0) < headers.size_of_image.into();
        inside.then_some(*offset)
    };
    let base = only((2 * pointer..ENTRY).step_by(pointer as usize).filter_map(|o| kernel_at(&o)))?;
    let images: Vec<(VirtualAddress, VirtualAddress, Headers)> = entries
        .iter()
        .take(SAMPLE)
        .filter_map(|entry| {
            let start = reader.pointer(at(*entry, base)).ok()?;
            Some((*entry, start, image::headers(reader, start)?))
        })
        .collect();
    let equal = |size: usize, wanted: &dyn Fn(VirtualAddress, &Headers) -> u64| {
        let fits = |offset: &u64| {
            let value = |entry| reader.integer(at(entry, *offset), size).ok();
            images.iter().all(|(entry, start, headers)| {
                value(*entry).is_none_or(|value| value == wanted(*start, headers))
            })
        };
        let step = size.min(8);
        let free = |offset: &u64| !(base..base + pointer).contains(offset);
        let place = only((2 * pointer..ENTRY).step_by(step).filter(free).filter(fits))?;
        probed(place, size as u64)
    };
    let (full_name, base_name) = names(reader, entries, base);
    Some(ModuleLayout {
        links: probed(0, 2 * pointer),
        base: probed(base, pointer),
        image_size: equal(4, &|_, headers| headers.size_of_image.into()),
        time_date_stamp: equal(4, &|_, headers| headers.time_date_stamp.into()),
        check_sum: equal(4, &|_, headers| headers.checksum.into()),
        entry_point: equal(pointer as usize, &|start, headers| {
            start.0.wrapping_add(headers.entry_point.into())
        }),
        full_name: full_name.and_then(|place| probed(place, 2 * pointer)),
        base_name: base_name.and_then(|place| probed(place, 2 * pointer)),
        ..ModuleLayout::default()
    })
}

/// The two names: texts in every entry that can be read, of which one ends with the other.
fn names(reader: &Reader<'_>, entries: &[VirtualAddress], base: u64) -> (Option<u64>, Option<u64>) {
    let pointer = reader.pointer_size();
    let sample = entries.get(..entries.len().min(SAMPLE)).unwrap_or_default();
    let texts = |offset: u64| -> Vec<Option<String>> {
        let text = |entry: &VirtualAddress| reader.unicode_string(at(*entry, offset)).ok();
        sample.iter().map(text).map(|text| text.filter(|text| is_name(text))).collect()
    };
    let strings: Vec<(u64, Vec<Option<String>>)> = (base + pointer..ENTRY)
        .step_by(pointer as usize)
        .filter(|offset| is_string(reader, sample, *offset))
        .map(|offset| (offset, texts(offset)))
        .filter(|(_, texts)| texts.iter().flatten().count() * 2 > sample.len().min(2))
        .collect();
    for (full, paths) in &strings {
        for (short, names) in strings.iter().filter(|(short, _)| short != full) {
            let pairs = paths
                .iter()
                .zip(names)
                .filter_map(|pair| Some((pair.0.as_ref()?, pair.1.as_ref()?)));
            let mut agree = 0;
            let fits = pairs.inspect(|_| agree += 1).all(|(path, name)| {
                file_name(path).eq_ignore_ascii_case(name) && path.len() > name.len()
            });
            if fits && agree > 0 {
                return (Some(*full), Some(*short));
            }
        }
    }
    (None, strings.first().map(|(offset, _)| *offset))
}

/// Whether a UNICODE_STRING can be here: an even length, not beyond its maximum.
fn is_string(reader: &Reader<'_>, entries: &[VirtualAddress], offset: u64) -> bool {
    entries.iter().all(|entry| {
        let field = |at_offset| reader.integer(at(*entry, offset + at_offset), 2).ok();
        match (field(0), field(2)) {
            (Some(length), Some(most)) => length % 2 == 0 && length <= most && most <= 0x1000,
            _ => true,
        }
    })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(['\u{FFFD}', '\0']) && !text.chars().any(char::is_control)
}

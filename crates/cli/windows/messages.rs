//! The message table of the event log's records (MESSAGE_RESOURCE_DATA).

/// MESSAGE_RESOURCE_ENTRY: the text is UTF-16.
const MESSAGE_RESOURCE_UNICODE: u16 = 1;

/// One record: who, what, file, size, flags, result. Event ids are looked up
/// whole, severity bits included (0x4000_0000 is informational): 1000 is there
/// with them and without, so that the text is found whichever was written.
const MESSAGES: [(u32, &str); 2] = [(1000, CAPTURED), (0x4000_03E8, CAPTURED)];
const CAPTURED: &str = "%1 captured a %2.%n%nFile: %3%nSize: %4 bytes%nFlags: %5%nResult: %6\r\n";

/// The bytes of the resource. One block an id, as the ids are far apart.
pub(crate) fn table() -> Vec<u8> {
    let count = MESSAGES.len() as u32;
    let mut offset = 4 + 12 * count;
    let mut blocks = count.to_le_bytes().to_vec();
    let mut entries = Vec::new();
    for (id, text) in MESSAGES {
        for field in [id, id, offset] {
            blocks.extend(field.to_le_bytes());
        }
        let entry = entry(text);
        offset += entry.len() as u32;
        entries.extend(entry);
    }
    blocks.extend(entries);
    blocks
}

/// Length and flags, the text with its end, filled up to four bytes.
fn entry(text: &str) -> Vec<u8> {
    let mut units: Vec<u16> = text.encode_utf16().chain([0]).collect();
    if units.len() % 2 == 1 {
        units.push(0);
    }
    let length = 4 + 2 * units.len() as u16;
    [length, MESSAGE_RESOURCE_UNICODE].into_iter().chain(units).flat_map(u16::to_le_bytes).collect()
}

//! The version resource (VS_VERSIONINFO), as Explorer shows it.

const VS_FFI_SIGNATURE: u32 = 0xFEEF_04BD;
const VS_FFI_STRUCVERSION: u32 = 0x0001_0000;
const VS_FFI_FILEFLAGSMASK: u32 = 0x3F;
const VOS_NT_WINDOWS32: u32 = 0x0004_0004;
const VFT_APP: u32 = 1;
const ENGLISH: u16 = 0x0409;
const UTF_16: u16 = 1200;

/// The bytes of the resource for a version such as "0.1.0".
pub(crate) fn info(version: &str) -> Vec<u8> {
    let strings = [
        ("CompanyName", "the livedump project"),
        ("FileDescription", "livedump: takes and verifies kernel dumps of a running machine"),
        ("FileVersion", version),
        ("InternalName", "livedump"),
        ("LegalCopyright", "MIT OR Apache-2.0"),
        ("OriginalFilename", "livedump.exe"),
        ("ProductName", "livedump"),
        ("ProductVersion", version),
    ];
    let texts = strings.map(|(key, value)| text(key, value));
    let table = block(&format!("{ENGLISH:04X}{UTF_16:04X}"), Value::None, &texts);
    let translation = block("Translation", Value::Bytes(&pair(ENGLISH, UTF_16)), &[]);
    let children = [
        block("StringFileInfo", Value::None, &[table]),
        block("VarFileInfo", Value::None, &[translation]),
    ];
    block("VS_VERSION_INFO", Value::Bytes(&fixed(version)), &children)
}

enum Value<'a> {
    None,
    Bytes(&'a [u8]),
    Text(&'a [u16]),
}

/// VS_FIXEDFILEINFO.
fn fixed(version: &str) -> Vec<u8> {
    let digits = version.split(|c: char| !c.is_ascii_digit());
    let numbers: Vec<u32> =
        digits.map_while(|part| part.parse().ok()).chain([0; 4]).take(4).collect();
    let high = numbers[0] << 16 | numbers[1];
    let low = numbers[2] << 16 | numbers[3];
    let fields = [
        VS_FFI_SIGNATURE,
        VS_FFI_STRUCVERSION,
        high,
        low,
        high,
        low,
        VS_FFI_FILEFLAGSMASK,
        0,
        VOS_NT_WINDOWS32,
        VFT_APP,
        0,
        0,
        0,
    ];
    fields.into_iter().flat_map(u32::to_le_bytes).collect()
}

fn text(key: &str, value: &str) -> Vec<u8> {
    let units: Vec<u16> = value.encode_utf16().chain([0]).collect();
    block(key, Value::Text(&units), &[])
}

/// Length, value length, type, key, value, children; each part starts on four bytes.
fn block(key: &str, value: Value<'_>, children: &[Vec<u8>]) -> Vec<u8> {
    let (value_length, is_text, value_bytes) = match value {
        Value::None => (0, 1, Vec::new()),
        Value::Bytes(bytes) => (bytes.len(), 0, bytes.to_vec()),
        // The length of a text counts characters.
        Value::Text(units) => {
            (units.len(), 1, units.iter().copied().flat_map(u16::to_le_bytes).collect())
        }
    };
    let mut bytes = vec![0, 0];
    bytes.extend((value_length as u16).to_le_bytes());
    bytes.extend(u16::to_le_bytes(is_text));
    bytes.extend(key.encode_utf16().chain([0]).flat_map(u16::to_le_bytes));
    for part in std::iter::once(&value_bytes).chain(children) {
        if !part.is_empty() {
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes.extend(part);
        }
    }
    let length = bytes.len() as u16;
    bytes[..2].copy_from_slice(&length.to_le_bytes());
    bytes
}

fn pair(first: u16, second: u16) -> Vec<u8> {
    [first, second].into_iter().flat_map(u16::to_le_bytes).collect()
}

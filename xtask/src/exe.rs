//! What the shipped exe must be: small, self-contained, with its resources.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use object::LittleEndian as LE;
use object::read::pe::{PeFile64, ResourceDirectoryEntryData};

const LARGEST: usize = 5 << 20;

/// DLLs that every Windows since 10 1607 has in system32. `api-ms-win-*` are names of such.
const SYSTEM_DLLS: [&str; 18] = [
    "advapi32.dll",
    "bcrypt.dll",
    "bcryptprimitives.dll",
    "combase.dll",
    "crypt32.dll",
    "kernel32.dll",
    "msvcrt.dll",
    "netapi32.dll",
    "ntdll.dll",
    "ole32.dll",
    "psapi.dll",
    "secur32.dll",
    "shell32.dll",
    "user32.dll",
    "userenv.dll",
    "version.dll",
    "wevtapi.dll",
    "ws2_32.dll",
];

const MESSAGETABLE: u16 = 11;
const VERSION: u16 = 16;
const MANIFEST: u16 = 24;

/// Checks imports, size and resources; returns a note of what was found.
pub(crate) fn check(file: &Path, version: &str) -> Result<String> {
    let bytes =
        std::fs::read(file).with_context(|| format!("could not read {}", file.display()))?;
    ensure!(bytes.len() < LARGEST, "the exe has {} bytes, more than {LARGEST}", bytes.len());
    let pe = PeFile64::parse(bytes.as_slice()).context("not a 64-bit PE file")?;
    let mut dlls = imports(&pe)?;
    let strange: Vec<&String> = dlls.iter().filter(|dll| !is_system(dll)).collect();
    ensure!(strange.is_empty(), "the exe imports what is not part of Windows: {strange:?}");
    dlls.sort();
    dlls.dedup();
    resources(&pe, version)?;
    Ok(format!("{} KiB, imports {}", bytes.len() >> 10, dlls.join(" ")))
}

fn is_system(dll: &str) -> bool {
    SYSTEM_DLLS.contains(&dll) || dll.starts_with("api-ms-win-")
}

fn imports(pe: &PeFile64<'_>) -> Result<Vec<String>> {
    let table = pe.import_table()?.context("the exe imports nothing")?;
    let mut descriptors = table.descriptors()?;
    let mut dlls = Vec::new();
    while let Some(descriptor) = descriptors.next()? {
        let name = table.name(descriptor.name.get(LE))?;
        dlls.push(String::from_utf8_lossy(name).to_lowercase());
    }
    Ok(dlls)
}

fn resources(pe: &PeFile64<'_>, version: &str) -> Result<()> {
    let manifest = String::from_utf8(resource(pe, MANIFEST)?).context("the manifest")?;
    for wanted in [r#"level="asInvoker""#, "longPathAware", "UTF-8", "8e0f7a12-bfb3-4fe8-b9a5"] {
        ensure!(manifest.contains(wanted), "the manifest has no {wanted}");
    }
    let numbers = resource(pe, VERSION)?;
    for wanted in ["ProductVersion", version] {
        ensure!(holds(&numbers, &wide(wanted)), "the version resource has no {wanted}");
    }
    let messages = resource(pe, MESSAGETABLE)?;
    for insert in ["%1", "%2", "%3", "%4", "%5", "%6"] {
        ensure!(holds(&messages, &wide(insert)), "the message table has no {insert}");
    }
    ensure!(holds(&messages, &1000u32.to_le_bytes()), "the message table has no message 1000");
    Ok(())
}

/// The bytes of the one resource of a type.
fn resource(pe: &PeFile64<'_>, kind: u16) -> Result<Vec<u8>> {
    let sections = pe.section_table();
    let directories = pe.data_directories();
    let directory = directories
        .resource_directory(pe.data(), &sections)?
        .context("the exe has no resources")?;
    let root = directory.root()?;
    let of_kind = root.entries.iter().find(|entry| entry.name_or_id().id() == Some(kind));
    let mut entry = of_kind.with_context(|| format!("the exe has no resource of type {kind}"))?;
    loop {
        match entry.data(directory)? {
            ResourceDirectoryEntryData::Table(table) => {
                entry = table.entries.first().context("an empty resource directory")?;
            }
            ResourceDirectoryEntryData::Data(data) => {
                let address = data.offset_to_data.get(LE);
                let size = data.size.get(LE) as usize;
                let bytes = sections.pe_data_at(pe.data(), address).context("resource outside")?;
                return Ok(bytes.get(..size).context("resource cut")?.to_vec());
            }
        }
    }
}

fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_dlls_of_windows_may_be_imported() {
        assert!(is_system("ntdll.dll"));
        assert!(is_system("api-ms-win-core-synch-l1-2-0.dll"));
        assert!(!is_system("libgcc_s_seh-1.dll"));
        assert!(!is_system("libwinpthread-1.dll"));
    }
}

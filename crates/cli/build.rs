//! Puts the Windows resources into the exe: manifest, version, message table.
//!
//! They are written here byte by byte, because the tools that do it differ by
//! toolchain (`windres`, `rc`, `llvm-rc`) and none is there on a machine with
//! Rust alone.
#![forbid(unsafe_code)]

#[path = "windows/link.rs"]
mod link;
#[path = "windows/messages.rs"]
mod messages;
#[path = "windows/version.rs"]
mod version;

use std::error::Error;
use std::path::Path;

use link::Resource;

const RT_MESSAGETABLE: u16 = 11;
const RT_VERSION: u16 = 16;
const RT_MANIFEST: u16 = 24;
/// The id at which Windows looks for the manifest of an exe.
const CREATEPROCESS_MANIFEST_RESOURCE_ID: u16 = 1;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=windows");
    if std::env::var("CARGO_CFG_TARGET_OS")? != "windows" {
        return Ok(());
    }
    // In the order of their types, as a resource directory wants them.
    let resources = [
        Resource { kind: RT_MESSAGETABLE, id: 1, data: messages::table() },
        Resource {
            kind: RT_VERSION,
            id: 1,
            data: version::info(&std::env::var("CARGO_PKG_VERSION")?),
        },
        Resource {
            kind: RT_MANIFEST,
            id: CREATEPROCESS_MANIFEST_RESOURCE_ID,
            data: include_bytes!("windows/livedump.exe.manifest").to_vec(),
        },
    ];
    let folder = std::env::var("OUT_DIR")?;
    let (name, bytes) = if std::env::var("CARGO_CFG_TARGET_ENV")? == "msvc" {
        ("livedump.res", link::res_file(&resources))
    } else {
        let machine = link::Machine::of(&std::env::var("CARGO_CFG_TARGET_ARCH")?)?;
        ("livedump-resources.o", link::coff_object(&resources, &machine))
    };
    let file = Path::new(&folder).join(name);
    std::fs::write(&file, bytes)?;
    println!("cargo::rustc-link-arg-bins={}", file.display());
    Ok(())
}

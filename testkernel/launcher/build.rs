//! A manifest that asks for elevation: Wine then gives the children a full token.
#![forbid(unsafe_code)]

#[allow(dead_code)]
#[path = "../../crates/cli/windows/link.rs"]
mod link;

const RT_MANIFEST: u16 = 24;
const MANIFEST: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<assembly xmlns="urn:schemas-microsoft-com:asm.v1" manifestVersion="1.0">
  <trustInfo xmlns="urn:schemas-microsoft-com:asm.v3"><security><requestedPrivileges>
    <requestedExecutionLevel level="requireAdministrator" uiAccess="false"/>
  </requestedPrivileges></security></trustInfo>
</assembly>
"#;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS")? != "windows" {
        return Ok(());
    }
    let manifest = link::Resource { kind: RT_MANIFEST, id: 1, data: MANIFEST.into() };
    let machine = link::Machine::of(&std::env::var("CARGO_CFG_TARGET_ARCH")?)?;
    let file = std::path::Path::new(&std::env::var("OUT_DIR")?).join("launcher-resources.o");
    std::fs::write(&file, link::coff_object(&[manifest], &machine))?;
    println!("cargo::rustc-link-arg-bins={}", file.display());
    Ok(())
}

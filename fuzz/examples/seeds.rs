//! Writes the committed seeds anew: `cargo run -p fuzz --example seeds`.
#![forbid(unsafe_code)]

use std::fs;
use std::io;
use std::path::Path;

fn main() -> io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds");
    for (target, _) in fuzz::TARGETS {
        let folder = folder.join(target);
        fs::create_dir_all(&folder)?;
        for (name, bytes) in fuzz::seeds::of(target) {
            if bytes.len() <= fuzz::seeds::committed(target) {
                fs::write(folder.join(name), bytes)?;
            }
        }
    }
    Ok(())
}

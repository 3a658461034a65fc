//! What livedump says of a dump.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::compare::Lists;
use super::machines::Livedump;
use crate::command;

/// Its lists, and how to read pages of what it was made from.
pub(crate) struct Ours {
    pub(crate) lists: Lists,
    /// How many pages the dump has.
    pub(crate) pages: u64,
    pub(crate) kernel_base: u64,
    pub(crate) tables: u64,
    pub(crate) source: Source,
}

/// The file that the dump was converted from.
pub(crate) struct Source {
    livedump: Livedump,
    path: PathBuf,
}

/// Asks for the lists with the files of the kernel's own build.
pub(crate) fn ask(livedump: &Livedump, fixture: &Path, source: &Path, dump: &Path) -> Result<Ours> {
    let mut symbols = OsString::from(fixture);
    symbols.push(";");
    symbols.push(livedump.fixtures.join("x64-drivers"));
    let said = |word: &str| {
        let mut command = livedump.command(word);
        json(command.arg("--json").arg("--symbols").arg(&symbols).arg(dump))
    };
    let modules = said("modules")?;
    if modules["kernel"]["types"]["matched"] != "identity" {
        bail!("{} is not of the kernel in the dump: {}", fixture.display(), modules["kernel"]);
    }
    let info = json(livedump.command("info").arg("--json").arg(dump))?;
    let info = &info["info"];
    let mut processes = list(&said("ps")?["processes"])?;
    for process in &mut processes {
        let tables = address(process.get("directory_table_base").unwrap_or(&Value::Null))? & !0xFFF;
        process.insert("tables".to_owned(), format!("{tables:016x}").into());
    }
    Ok(Ours {
        lists: Lists {
            processes: Some(processes),
            modules: Some(list(&modules["modules"])?),
            threads: Some(list(&said("threads")?["threads"])?),
        },
        pages: info["pages"].as_u64().context("info does not count pages")?,
        kernel_base: address(&modules["kernel"]["base"])?,
        tables: address(&info["directory_table_base"])?,
        source: Source { livedump: livedump.clone(), path: source.to_owned() },
    })
}

impl Source {
    /// SHA-256 of pages; an error when one of them is not there.
    pub(crate) fn hash(&self, first: u64, count: u64) -> Result<String> {
        let mut read = self.livedump.command("read");
        read.args(["--physical", "--raw"]).arg(&self.path);
        read.arg(format!("{:#x}", first << 12)).arg(format!("{:#x}", count << 12));
        let output = read.output()?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Ok(Sha256::digest(&output.stdout).iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

fn json(command: &mut std::process::Command) -> Result<Value> {
    Ok(serde_json::from_str(&command::output(command)?)?)
}

fn list(value: &Value) -> Result<Vec<super::compare::Record>> {
    let list: Vec<_> = serde_json::from_value(value.clone())?;
    // Where both sides see nothing, nothing was judged.
    if list.is_empty() {
        bail!("livedump lists nothing");
    }
    Ok(list)
}

fn address(value: &Value) -> Result<u64> {
    let digits = value.as_str().context("no address")?;
    Ok(u64::from_str_radix(digits, 16)?)
}

//! `cargo xtask dist`: what would be released, in `target/dist`: an archive
//! each for this system and for Windows, and the SHA-256 of both.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest as _, Sha256};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::project::Project;
use crate::windows::{Cross, GNU};
use crate::{command, exe, paths};

const SUMS: &str = "SHA256SUMS";

/// A file of an archive: where it is, its name in there, whether it is a program.
struct Entry {
    source: PathBuf,
    name: String,
    program: bool,
}

/// Builds both, checks both, packs both.
pub(crate) fn run() -> Result<ExitCode> {
    let project = Project::load()?;
    let version = &project.package("livedump")?.version;
    let documents = documents(&project)?;
    let dist = project.target.join("dist");
    if dist.exists() {
        std::fs::remove_dir_all(&dist)?;
    }
    std::fs::create_dir_all(&dist)?;

    let program = build_host(&project)?;
    let name = format!("livedump-{version}-{}", host()?);
    tar_gz(&dist.join(format!("{name}.tar.gz")), &name, &entries(&program, &documents)?)?;

    let cross = Cross::present().or_else(|_| Cross::set_up(&project))?;
    let program = cross.build_exe(&project)?;
    println!("{}", exe::check(&program, version)?);
    paths::check(&program, &project)?;
    let name = format!("livedump-{version}-{GNU}");
    zip(&dist.join(format!("{name}.zip")), &name, &entries(&program, &documents)?)?;

    print!("{}", sums(&dist)?);
    println!("in {}", dist.display());
    Ok(ExitCode::SUCCESS)
}

fn build_host(project: &Project) -> Result<PathBuf> {
    let mut cargo = command::cargo();
    cargo.args(["build", "--release", "-p", "livedump"]);
    paths::remap(&mut cargo, project)?;
    command::run(&mut cargo)?;
    let name = format!("livedump{}", std::env::consts::EXE_SUFFIX);
    let program = project.target.join("release").join(name);
    paths::check(&program, project)?;
    Ok(program)
}

fn host() -> Result<String> {
    let version = command::output(std::process::Command::new("rustc").arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc -vV names no host")
}

/// README, licences and docs.
fn documents(project: &Project) -> Result<Vec<Entry>> {
    let mut documents = Vec::new();
    for file in files(&project.root)? {
        let name = name_of(&file)?;
        if name == "README.md" || name.starts_with("LICENSE") {
            documents.push(Entry { source: file, name, program: false });
        }
    }
    for wanted in ["README.md", "LICENSE"] {
        ensure!(
            documents.iter().any(|entry| entry.name.starts_with(wanted)),
            "nothing can be released without {wanted}"
        );
    }
    for file in files(&project.root.join("docs"))? {
        let name = format!("docs/{}", name_of(&file)?);
        documents.push(Entry { source: file, name, program: false });
    }
    Ok(documents)
}

fn entries(program: &Path, documents: &[Entry]) -> Result<Vec<Entry>> {
    let first = Entry { source: program.to_path_buf(), name: name_of(program)?, program: true };
    let rest = documents.iter().map(|entry| Entry {
        source: entry.source.clone(),
        name: entry.name.clone(),
        program: false,
    });
    Ok(std::iter::once(first).chain(rest).collect())
}

/// The same files make the same archive: no times, no owners.
fn tar_gz(file: &Path, folder: &str, entries: &[Entry]) -> Result<()> {
    let mut tar = tar::Builder::new(GzEncoder::new(File::create(file)?, Compression::best()));
    for entry in entries {
        let bytes = read(&entry.source)?;
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(if entry.program { 0o755 } else { 0o644 });
        tar.append_data(&mut header, format!("{folder}/{}", entry.name), bytes.as_slice())?;
    }
    tar.into_inner()?.finish()?;
    Ok(())
}

fn zip(file: &Path, folder: &str, entries: &[Entry]) -> Result<()> {
    let mut zip = ZipWriter::new(File::create(file)?);
    for entry in entries {
        zip.start_file(format!("{folder}/{}", entry.name), SimpleFileOptions::default())?;
        zip.write_all(&read(&entry.source)?)?;
    }
    zip.finish()?;
    Ok(())
}

/// Writes the sums of all archives as `sha256sum` does, and returns them.
fn sums(dist: &Path) -> Result<String> {
    let mut text = String::new();
    for file in files(dist)? {
        let digest = Sha256::digest(read(&file)?);
        let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        text.push_str(&format!("{hex}  {}\n", name_of(&file)?));
    }
    std::fs::write(dist.join(SUMS), &text)?;
    Ok(text)
}

/// The files of a folder, in the order of their names.
fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder)
        .with_context(|| format!("could not read {}", folder.display()))?;
    let mut files = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    std::fs::read(file).with_context(|| format!("could not read {}", file.display()))
}

fn name_of(file: &Path) -> Result<String> {
    let name = file.file_name().with_context(|| format!("no name: {}", file.display()))?;
    Ok(name.to_string_lossy().into_owned())
}

//! What `cargo metadata` says about a workspace.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::command;

/// A workspace of ours.
pub(crate) struct Project {
    /// Folder of the workspace's `Cargo.toml`.
    pub(crate) root: PathBuf,
    /// Where cargo builds: honours `CARGO_TARGET_DIR` and cargo's configuration.
    pub(crate) target: PathBuf,
    /// Its members.
    pub(crate) packages: Vec<Package>,
}

/// A member of the workspace.
pub(crate) struct Package {
    /// Package name.
    pub(crate) name: String,
    /// Version.
    pub(crate) version: String,
    /// Its folder.
    pub(crate) folder: PathBuf,
    /// Root files of its libraries, programs and build script.
    pub(crate) roots: Vec<PathBuf>,
    /// Folders of the path dependencies that are not dev-dependencies.
    pub(crate) paths: Vec<PathBuf>,
}

impl Project {
    /// The project's own, wherever we were started.
    pub(crate) fn load() -> Result<Self> {
        Self::at(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml"))
    }

    /// Another workspace.
    pub(crate) fn at(manifest: &Path) -> Result<Self> {
        let mut cargo = command::cargo();
        cargo.args(["metadata", "--format-version=1", "--no-deps", "--manifest-path"]);
        let text = command::output(cargo.arg(manifest))?;
        let value: Value = serde_json::from_str(&text).context("cargo metadata")?;
        let packages = value["packages"].as_array().context("cargo metadata: packages")?;
        Ok(Self {
            root: path(&value["workspace_root"])?,
            target: path(&value["target_directory"])?,
            packages: packages.iter().map(Package::from_metadata).collect::<Result<_>>()?,
        })
    }

    /// A member by name.
    pub(crate) fn package(&self, name: &str) -> Result<&Package> {
        let found = self.packages.iter().find(|package| package.name == name);
        found.with_context(|| format!("no package {name} in {}", self.root.display()))
    }
}

impl Package {
    fn from_metadata(value: &Value) -> Result<Self> {
        let manifest = path(&value["manifest_path"])?;
        let targets = value["targets"].as_array().context("cargo metadata: targets")?;
        let dependencies =
            value["dependencies"].as_array().context("cargo metadata: dependencies")?;
        Ok(Self {
            name: text(&value["name"])?,
            version: text(&value["version"])?,
            folder: manifest.parent().context("a manifest in no folder")?.to_path_buf(),
            roots: targets
                .iter()
                .filter(|target| is_product(target))
                .map(|target| path(&target["src_path"]))
                .collect::<Result<_>>()?,
            paths: dependencies
                .iter()
                .filter(|dependency| dependency["kind"] != "dev" && !dependency["path"].is_null())
                .map(|dependency| path(&dependency["path"]))
                .collect::<Result<_>>()?,
        })
    }
}

/// Tests, benches and examples are not what we ship.
fn is_product(target: &Value) -> bool {
    let tests = ["test", "bench", "example"];
    let kinds = target["kind"].as_array();
    !kinds.is_some_and(|kinds| kinds.iter().any(|k| tests.contains(&k.as_str().unwrap_or(""))))
}

fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).with_context(|| format!("cargo metadata: not text: {value}"))
}

fn path(value: &Value) -> Result<PathBuf> {
    text(value).map(PathBuf::from)
}

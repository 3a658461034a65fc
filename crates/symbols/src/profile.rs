//! Layout profiles: the few structures that the tool needs, as JSON of ours.
//!
//! Made from a PDB once, a profile replaces it where there is no network: some
//! 100 KB instead of 12 MB, and readable.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::layout::{Enumeration, Layouts, Origin, Structure, Wanted};
use crate::{Pdb, PdbError, PdbIdentity, SymbolKind, SymbolTable};

const FORMAT: &str = "livedump-profile";
const VERSION: u32 = 1;

/// Why a profile cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// It is not JSON, or lacks what a profile has.
    #[error("line {line}, column {column}: {why}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong.
        why: String,
    },
    /// Another format, or a version of a later livedump.
    #[error("format {format:?} version {version}, where {FORMAT:?} version {VERSION} can be read")]
    Version {
        /// `format`.
        format: String,
        /// `version`.
        version: u32,
    },
    /// Its GUID is not one.
    #[error("pdb.guid: {0}")]
    Guid(#[from] crate::GuidError),
}

impl From<serde_json::Error> for ProfileError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json { line: error.line(), column: error.column(), why: error.to_string() }
    }
}

/// A layout profile, as it lies in its file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Profile {
    /// `livedump-profile`.
    pub format: String,
    /// 1. Greater: not to be read by who knows only 1.
    pub version: u32,
    /// What made it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub producer: String,
    /// Which PDB it was made from.
    pub pdb: ProfilePdb,
    /// Structures and unions by name.
    #[serde(default)]
    pub structures: BTreeMap<String, Structure>,
    /// Enumerations by name.
    #[serde(default)]
    pub enumerations: BTreeMap<String, Enumeration>,
    /// Symbols by name: addresses relative to the image's base.
    #[serde(default)]
    pub symbols: BTreeMap<String, u32>,
}

/// Which PDB a profile was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProfilePdb {
    /// The PDB's file name.
    pub name: String,
    /// Its GUID, with dashes.
    pub guid: String,
    /// Its age.
    pub age: u32,
}

impl Profile {
    /// Makes one from a PDB: these structures and enumerations with what lies
    /// in them by value, and the addresses of these symbols. What the PDB does
    /// not have is left out.
    pub fn make(
        pdb: &Pdb,
        pdb_name: &str,
        types: &[&str],
        symbols: &[&str],
    ) -> Result<Self, PdbError> {
        let layouts = pdb.layouts(&Wanted::Named(types))?;
        let table = if symbols.is_empty() { SymbolTable::default() } else { pdb.symbols()? };
        let found = symbols.iter().filter_map(|name| Some((*name, table.named(name)?.rva)));
        Ok(Self {
            format: FORMAT.to_owned(),
            version: VERSION,
            producer: concat!("livedump ", env!("CARGO_PKG_VERSION")).to_owned(),
            pdb: ProfilePdb {
                name: pdb_name.to_owned(),
                guid: pdb.identity().guid.to_string(),
                age: pdb.identity().age,
            },
            symbols: found.map(|(name, rva)| (name.to_owned(), rva)).collect(),
            structures: layouts.structures().clone(),
            enumerations: layouts.enumerations().clone(),
        })
    }

    /// Reads the text of one.
    pub fn parse(text: &[u8]) -> Result<Self, ProfileError> {
        let head: Head = serde_json::from_slice(text)?;
        if head.format != FORMAT || head.version != VERSION {
            return Err(ProfileError::Version { format: head.format, version: head.version });
        }
        let profile: Self = serde_json::from_slice(text)?;
        profile.identity()?;
        Ok(profile)
    }

    /// Whether a text says that it is one.
    pub fn is_profile(text: &[u8]) -> bool {
        serde_json::from_slice::<Head>(text).is_ok_and(|head| head.format == FORMAT)
    }

    /// Its text: indented JSON with a line's end.
    pub fn to_json(&self) -> Result<String, ProfileError> {
        let mut text = serde_json::to_string_pretty(self)?;
        text.push('\n');
        Ok(text)
    }

    /// The file name under which [`crate::Store`] finds it in a folder of the
    /// symbol path: `ntkrnlmp-GUID-AGE.profile.json`.
    pub fn file_name(&self) -> String {
        let name = crate::store::safe_name(&self.pdb.name).unwrap_or("kernel");
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        let guid: String = self.pdb.guid.chars().filter(char::is_ascii_hexdigit).collect();
        format!("{stem}-{guid}-{:X}.profile.json", self.pdb.age)
    }

    /// Which PDB it was made from.
    pub fn identity(&self) -> Result<PdbIdentity, ProfileError> {
        Ok(PdbIdentity { guid: self.pdb.guid.parse()?, age: self.pdb.age })
    }

    /// Its layouts.
    pub fn layouts(&self, wanted: &Wanted<'_>) -> Layouts {
        Self { symbols: BTreeMap::new(), ..self.clone() }.into_parts(wanted).0
    }

    /// Its symbols. They are few: nearest-below means little here.
    pub fn symbols(&self) -> SymbolTable {
        table(self.symbols.clone())
    }

    /// Both, without a copy of either.
    pub(crate) fn into_parts(self, wanted: &Wanted<'_>) -> (Layouts, SymbolTable) {
        let identity = self.identity().ok();
        let symbols = table(self.symbols);
        let all =
            Layouts::from_parts(Origin::Profile, identity, self.structures, self.enumerations);
        let layouts = match wanted {
            Wanted::All => all,
            Wanted::Named(names) => all.select(names),
        };
        (layouts, symbols)
    }
}

fn table(symbols: BTreeMap<String, u32>) -> SymbolTable {
    let mut table = SymbolTable::builder();
    for (name, rva) in symbols {
        table.add(SymbolKind::Public, rva, 0, name.as_bytes());
    }
    table.build()
}

#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"format": "livedump-profile", "version": 1,
        "pdb": {"name": "ntkrnlmp.pdb", "guid": "5278AFF8-6C34-1677-D7D7-835C85B7B844", "age": 1},
        "structures": {"_A": {"size": 16, "kind": "struct", "fields": [
            {"name": "Next", "offset": 0, "type": {"pointer": {"size": 8, "to": {"structure": "_A"}}}},
            {"offset": 8, "bits": {"position": 1, "length": 2}, "name": "Bits", "type": {"base": {"name": "long", "size": 4, "signed": true}}},
            {"offset": 12, "name": "Strange", "type": "unknown"}]}},
        "enumerations": {"_E": {"size": 4, "values": {"One": 1}}},
        "symbols": {"KiWaitNever": 4096}, "later": "ignored"}"#;

    #[test]
    fn a_profile_is_read_back_as_it_was_written() {
        let profile = Profile::parse(TEXT.as_bytes()).unwrap();
        let again = Profile::parse(profile.to_json().unwrap().as_bytes()).unwrap();
        assert_eq!(again, profile);
        assert_eq!(profile.file_name(), "ntkrnlmp-5278AFF86C341677D7D7835C85B7B844-1.profile.json");
        let layouts = profile.layouts(&Wanted::All);
        assert_eq!(layouts.source(), Origin::Profile);
        assert_eq!(layouts.field("_A", "Bits").unwrap().bits.unwrap().of(0b110), 0b11);
        assert_eq!(layouts.structure("_A").unwrap().fields[0].type_.points_to(), Some("_A"));
        assert_eq!(profile.symbols().named("KiWaitNever").unwrap().rva, 4096);
    }

    #[test]
    fn a_later_version_is_refused_by_its_number() {
        let later = TEXT.replace("\"version\": 1", "\"version\": 2");
        let error = Profile::parse(later.as_bytes()).unwrap_err();
        assert!(matches!(error, ProfileError::Version { version: 2, .. }), "{error}");
        assert!(Profile::is_profile(later.as_bytes()));
        assert!(!Profile::is_profile(b"{\"metadata\": {}}"));
        let bad = TEXT.replace("5278AFF8", "x");
        assert!(matches!(Profile::parse(bad.as_bytes()), Err(ProfileError::Guid(_))));
    }
}

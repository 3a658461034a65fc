//! Layouts of structures by name, wherever they come from.

mod lookup;
mod model;

pub use lookup::FieldAt;
pub use model::{Bits, Enumeration, Field, Kind, Structure, Type};

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::PdbIdentity;

/// What layouts were read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Origin {
    /// The types of a PDB.
    Pdb,
    /// A layout profile of ours.
    Profile,
    /// volatility3's ISF.
    Isf,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pdb => "PDB",
            Self::Profile => "profile",
            Self::Isf => "ISF",
        })
    }
}

/// Which structures and enumerations to load. Those that lie in them by value
/// come along; those only pointed at do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// All that there are.
    All,
    /// These.
    Named(&'a [&'a str]),
}

/// Structures and enumerations by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layouts {
    origin: Origin,
    identity: Option<PdbIdentity>,
    structures: BTreeMap<String, Structure>,
    enumerations: BTreeMap<String, Enumeration>,
}

impl Layouts {
    pub(crate) fn new(origin: Origin, identity: Option<PdbIdentity>) -> Self {
        Self { origin, identity, structures: BTreeMap::new(), enumerations: BTreeMap::new() }
    }

    pub(crate) fn from_parts(
        origin: Origin,
        identity: Option<PdbIdentity>,
        structures: BTreeMap<String, Structure>,
        enumerations: BTreeMap<String, Enumeration>,
    ) -> Self {
        Self { origin, identity, structures, enumerations }
    }

    /// What they were read from.
    pub fn source(&self) -> Origin {
        self.origin
    }

    /// Which PDB they are of, where that is known.
    pub fn identity(&self) -> Option<PdbIdentity> {
        self.identity
    }

    /// A structure or union by its name (`_KTHREAD`).
    pub fn structure(&self, name: &str) -> Option<&Structure> {
        self.structures.get(name)
    }

    /// An enumeration by its name (`_KWAIT_REASON`).
    pub fn enumeration(&self, name: &str) -> Option<&Enumeration> {
        self.enumerations.get(name)
    }

    /// Where a field of a structure is. The path goes into structures that lie
    /// in it by value (`Tcb.Header.SignalState`), into unions without a name
    /// without saying so, and into arrays by number (`Queue[2].Flink`). It
    /// does not follow pointers.
    pub fn field(&self, structure: &str, path: &str) -> Option<FieldAt<'_>> {
        lookup::field(self, structure, path)
    }

    /// The bytes of a type: those of its structure, if it is one.
    pub fn size_of(&self, type_: &Type) -> Option<u64> {
        lookup::size_of(self, type_, 0)
    }

    /// All structures.
    pub fn structures(&self) -> &BTreeMap<String, Structure> {
        &self.structures
    }

    /// All enumerations.
    pub fn enumerations(&self) -> &BTreeMap<String, Enumeration> {
        &self.enumerations
    }

    /// Those named, with what lies in them by value.
    pub fn select(&self, names: &[&str]) -> Self {
        let mut selected = Self::new(self.origin, self.identity);
        let mut seen = BTreeSet::new();
        let mut left: Vec<&str> = names.to_vec();
        while let Some(name) = left.pop() {
            if !seen.insert(name) {
                continue;
            }
            if let Some(found) = self.enumerations.get(name) {
                selected.enumerations.insert(name.to_owned(), found.clone());
            }
            if let Some(found) = self.structures.get(name) {
                selected.structures.insert(name.to_owned(), found.clone());
                left.extend(found.fields.iter().filter_map(|field| field.type_.by_value()));
            }
        }
        selected
    }

    pub(crate) fn add_structure(&mut self, name: &str, structure: Structure) {
        self.structures.entry(name.to_owned()).or_insert(structure);
    }

    pub(crate) fn add_enumeration(&mut self, name: &str, enumeration: Enumeration) {
        self.enumerations.entry(name.to_owned()).or_insert(enumeration);
    }
}

#[cfg(test)]
mod tests;

//! The plain types.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A structure, class or union.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Structure {
    /// Its bytes.
    pub size: u64,
    /// What kind of thing it is.
    pub kind: Kind,
    /// Its fields, in the file's order. Those of unions overlap.
    pub fields: Vec<Field>,
}

/// What kind of thing has fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Fields lie one after the other.
    Struct,
    /// Fields lie over each other.
    Union,
}

/// A field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Field {
    /// Its name. Empty, where the file has none: a union or structure whose
    /// fields count as the owner's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
    /// Bytes from the start of the structure.
    pub offset: u64,
    /// Which bits of it, where it is a bit field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits: Option<Bits>,
    /// What it is.
    #[serde(rename = "type")]
    pub type_: Type,
}

/// Bits of a number, from the lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Bits {
    /// The lowest.
    pub position: u8,
    /// How many.
    pub length: u8,
}

impl Bits {
    /// These bits of a number.
    pub fn of(self, value: u64) -> u64 {
        let mask = 1_u64.checked_shl(self.length.into()).map_or(u64::MAX, |bit| bit - 1);
        value.checked_shr(self.position.into()).unwrap_or(0) & mask
    }
}

/// A type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// A number, or `void` of no bytes.
    Base {
        /// C's name of it.
        name: String,
        /// Its bytes.
        size: u8,
        /// Whether it has a sign.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        signed: bool,
    },
    /// A pointer.
    Pointer {
        /// Its bytes.
        size: u8,
        /// What it points to.
        to: Box<Type>,
    },
    /// So many, one after the other.
    Array {
        /// How many.
        count: u64,
        /// Of what.
        of: Box<Type>,
    },
    /// A structure or union, by the name it has in the same layouts.
    Structure(String),
    /// An enumeration, by name.
    Enumeration {
        /// Its name.
        name: String,
        /// Its bytes.
        size: u8,
    },
    /// Code.
    Function,
    /// What the file says is not understood.
    Unknown,
}

impl Type {
    /// The name of the structure or enumeration that lies in a field of this
    /// type by value.
    pub fn by_value(&self) -> Option<&str> {
        match self {
            Self::Structure(name) | Self::Enumeration { name, .. } => Some(name),
            Self::Array { of, .. } => of.by_value(),
            _ => None,
        }
    }

    /// The name of the structure that a pointer of this type points to.
    pub fn points_to(&self) -> Option<&str> {
        match self {
            Self::Pointer { to, .. } => match &**to {
                Self::Structure(name) => Some(name),
                _ => None,
            },
            _ => None,
        }
    }
}

/// An enumeration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Enumeration {
    /// Its bytes.
    pub size: u8,
    /// Its names with their values.
    pub values: BTreeMap<String, i64>,
}

impl Enumeration {
    /// The name of a value: the first in the alphabet, of several.
    pub fn name_of(&self, value: i64) -> Option<&str> {
        self.values.iter().find(|(_, v)| **v == value).map(|(name, _)| name.as_str())
    }

    /// The value of a name.
    pub fn value_of(&self, name: &str) -> Option<i64> {
        self.values.get(name).copied()
    }
}

//! volatility3's ISF: symbols and types as JSON.
//!
//! The format is the published schema of volatility3 ("schema-6.2.0.json"):
//! `metadata.windows.pdb` names the PDB it was made from, `base_types`,
//! `user_types` and `enums` are the types, `symbols` have addresses relative
//! to the image's base.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::layout::{Bits, Enumeration, Field, Kind, Layouts, Origin, Structure, Type, Wanted};
use crate::table::SymbolTableBuilder;
use crate::xz::{self, XzError};
use crate::{PdbIdentity, SymbolKind, SymbolTable};

/// Why an ISF cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IsfError {
    /// It is packed, and cannot be unpacked.
    #[error("as a file packed with xz: {0}")]
    Xz(#[from] XzError),
    /// It is not JSON, or not of this format.
    #[error("line {line}, column {column}: {why}")]
    Json {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
        /// What is wrong.
        why: String,
    },
}

impl From<serde_json::Error> for IsfError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json { line: error.line(), column: error.column(), why: error.to_string() }
    }
}

/// An ISF that was read.
#[derive(Debug, Clone)]
pub struct Isf {
    /// Which PDB it was made from, where it says so.
    pub identity: Option<PdbIdentity>,
    /// The name of that PDB (`ntkrnlmp.pdb`).
    pub pdb_name: Option<String>,
    /// The layouts that were wanted.
    pub layouts: Layouts,
    /// All symbols.
    pub symbols: SymbolTable,
}

impl Isf {
    /// Reads the text of one, packed with xz or not.
    pub fn parse(text: &[u8], wanted: &Wanted<'_>) -> Result<Self, IsfError> {
        let text = xz::unpacked(text)?;
        let file: File = serde_json::from_slice(&text)?;
        let pdb = file.metadata.windows.and_then(|windows| windows.pdb);
        let identity = pdb.as_ref().and_then(PdbJson::identity);
        let layouts = layouts(file.user_types, file.enums, &file.base_types, identity);
        let layouts = match wanted {
            Wanted::All => layouts,
            Wanted::Named(names) => layouts.select(names),
        };
        let pdb_name = pdb.and_then(|pdb| pdb.database);
        Ok(Self { identity, pdb_name, layouts, symbols: file.symbols.0.build() })
    }

    /// Only which PDB it was made from.
    pub fn identity_of(text: &[u8]) -> Result<Option<PdbIdentity>, IsfError> {
        #[derive(Deserialize)]
        struct Only {
            metadata: Metadata,
        }
        let file: Only = serde_json::from_slice(&xz::unpacked(text)?)?;
        Ok(file.metadata.windows.and_then(|windows| windows.pdb).and_then(|pdb| pdb.identity()))
    }
}

fn layouts(
    user_types: BTreeMap<String, UserType>,
    enums: BTreeMap<String, EnumJson>,
    base_types: &BTreeMap<String, BaseType>,
    identity: Option<PdbIdentity>,
) -> Layouts {
    let pointer = base_types.get("pointer").map_or(8, |pointer| pointer.size);
    let sizes: BTreeMap<String, u8> =
        enums.iter().map(|(name, json)| (name.clone(), json.size)).collect();
    let known = Known { base_types, enums: &sizes, pointer };
    let structures = user_types.into_iter().map(|(name, user)| {
        let mut fields = user.fields.0;
        fields.iter_mut().for_each(|field| known.size(&mut field.type_));
        fields.sort_by_key(|field| (field.offset, field.bits.map(|bits| bits.position)));
        (name, Structure { size: user.size, kind: user.kind.into(), fields })
    });
    let structures = structures.collect();
    let enums = enums
        .into_iter()
        .map(|(name, json)| (name, Enumeration { size: json.size, values: json.constants }));
    let enums = enums.collect();
    Layouts::from_parts(Origin::Isf, identity, structures, enums)
}

/// Sizes that stand elsewhere in the file than where a type is used.
struct Known<'a> {
    base_types: &'a BTreeMap<String, BaseType>,
    enums: &'a BTreeMap<String, u8>,
    pointer: u8,
}

impl Known<'_> {
    fn size(&self, type_: &mut Type) {
        match type_ {
            Type::Base { name, size, signed } => {
                if let Some(base) = self.base_types.get(name) {
                    (*size, *signed) = (base.size, base.signed);
                }
            }
            Type::Pointer { size, to } => {
                *size = self.pointer;
                self.size(to);
            }
            Type::Array { of, .. } => self.size(of),
            Type::Enumeration { name, size } => {
                *size = self.enums.get(name).copied().unwrap_or_default();
            }
            Type::Structure(_) | Type::Function | Type::Unknown => {}
        }
    }
}

#[derive(Deserialize)]
struct File {
    metadata: Metadata,
    #[serde(default)]
    base_types: BTreeMap<String, BaseType>,
    #[serde(default)]
    user_types: BTreeMap<String, UserType>,
    #[serde(default)]
    enums: BTreeMap<String, EnumJson>,
    #[serde(default)]
    symbols: Symbols,
}

#[derive(Deserialize)]
struct Metadata {
    #[serde(default)]
    windows: Option<Windows>,
}

#[derive(Deserialize)]
struct Windows {
    #[serde(default)]
    pdb: Option<PdbJson>,
}

#[derive(Deserialize)]
struct PdbJson {
    #[serde(rename = "GUID")]
    guid: String,
    age: u32,
    #[serde(default)]
    database: Option<String>,
}

impl PdbJson {
    fn identity(&self) -> Option<PdbIdentity> {
        Some(PdbIdentity { guid: self.guid.parse().ok()?, age: self.age })
    }
}

#[derive(Deserialize)]
struct BaseType {
    size: u8,
    #[serde(default)]
    signed: bool,
}

#[derive(Deserialize)]
struct UserType {
    kind: KindJson,
    size: u64,
    fields: Fields,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindJson {
    Union,
    #[serde(other)]
    Struct,
}

impl From<KindJson> for Kind {
    fn from(kind: KindJson) -> Self {
        match kind {
            KindJson::Union => Self::Union,
            KindJson::Struct => Self::Struct,
        }
    }
}

#[derive(Deserialize)]
struct EnumJson {
    size: u8,
    #[serde(deserialize_with = "constants")]
    constants: BTreeMap<String, i64>,
}

/// A number of 64 bits, with or without a sign.
struct Value(i64);

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = serde_json::Number::deserialize(deserializer)?;
        let signed = value.as_i64().or_else(|| value.as_u64().map(u64::cast_signed));
        signed.map(Self).ok_or_else(|| serde::de::Error::custom("a constant is not a whole number"))
    }
}

/// Constants go straight into the map that stays.
fn constants<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, i64>, D::Error> {
    struct Each;
    impl<'de> Visitor<'de> for Each {
        type Value = BTreeMap<String, i64>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("constants by name")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut values = BTreeMap::new();
            while let Some((name, value)) = map.next_entry::<String, Value>()? {
                values.insert(name, value.0);
            }
            Ok(values)
        }
    }
    deserializer.deserialize_map(Each)
}

/// Fields become ours one by one, so that the file is not held twice.
struct Fields(Vec<Field>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("fields by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Vec::new();
                while let Some((name, json)) = map.next_entry::<String, FieldJson>()? {
                    fields.push(json.field(name));
                }
                fields.shrink_to_fit();
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

#[derive(Deserialize)]
struct FieldJson {
    offset: u64,
    #[serde(rename = "type")]
    type_: TypeJson,
    #[serde(default)]
    anonymous: bool,
}

impl FieldJson {
    fn field(self, name: String) -> Field {
        let name = if self.anonymous { String::new() } else { name };
        let bits = self.type_.bit_position.zip(self.type_.bit_length);
        let bits = bits.map(|(position, length)| Bits { position, length });
        Field { name, offset: self.offset, bits, type_: self.type_.into_type() }
    }
}

#[derive(Deserialize)]
struct TypeJson {
    kind: TypeKind,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    subtype: Option<Box<TypeJson>>,
    #[serde(default, rename = "type")]
    type_: Option<Box<TypeJson>>,
    #[serde(default)]
    count: u64,
    #[serde(default)]
    bit_position: Option<u8>,
    #[serde(default)]
    bit_length: Option<u8>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum TypeKind {
    Base,
    Pointer,
    Array,
    Struct,
    Union,
    Class,
    Enum,
    Bitfield,
    Function,
    #[serde(other)]
    Other,
}

impl TypeJson {
    /// Sizes come later, when the whole file is known.
    fn into_type(self) -> Type {
        let name = self.name.unwrap_or_default();
        let inner = |json: Option<Box<Self>>| json.map_or(Type::Unknown, |json| json.into_type());
        match self.kind {
            TypeKind::Base => Type::Base { name, size: 0, signed: false },
            TypeKind::Pointer => Type::Pointer { size: 0, to: Box::new(inner(self.subtype)) },
            TypeKind::Array => Type::Array { count: self.count, of: Box::new(inner(self.subtype)) },
            TypeKind::Struct | TypeKind::Union | TypeKind::Class => Type::Structure(name),
            TypeKind::Enum => Type::Enumeration { name, size: 0 },
            TypeKind::Bitfield => inner(self.type_),
            TypeKind::Function => Type::Function,
            TypeKind::Other => Type::Unknown,
        }
    }
}

/// Symbols go straight into a table.
#[derive(Default)]
struct Symbols(SymbolTableBuilder);

impl<'de> Deserialize<'de> for Symbols {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct SymbolJson {
            address: u64,
            #[serde(default, rename = "type")]
            _type: Option<IgnoredAny>,
        }
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Symbols;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("symbols by name")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Symbols, A::Error> {
                let mut table = SymbolTable::builder();
                while let Some((name, json)) = map.next_entry::<String, SymbolJson>()? {
                    // Beyond 4 GiB nothing is relative to an image's base.
                    if let Ok(rva) = u32::try_from(json.address) {
                        table.add(SymbolKind::Public, rva, 0, name.as_bytes());
                    }
                }
                Ok(Symbols(table))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: &str = r#"{
        "metadata": {"format": "6.1.0", "windows": {"pdb": {"GUID": "5278AFF86C341677D7D7835C85B7B844", "age": 1, "database": "ntkrnlmp.pdb", "machine_type": 34404}}},
        "symbols": {"PsLoadedModuleList": {"address": 4096}, "Far": {"address": 99999999999}, "Next": {"address": 4112, "type": {"kind": "base", "name": "long"}}},
        "enums": {"_STATE": {"base": "int", "size": 4, "constants": {"Low": -1, "High": 18446744073709551615, "Two": 2}}},
        "user_types": {
            "_B": {"kind": "union", "size": 8, "fields": {"Value": {"offset": 0, "type": {"kind": "base", "name": "long"}}}},
            "_A": {"kind": "struct", "size": 32, "fields": {
                "Z": {"offset": 24, "type": {"kind": "enum", "name": "_STATE"}},
                "Flag": {"offset": 8, "type": {"kind": "bitfield", "bit_position": 2, "bit_length": 3, "type": {"kind": "base", "name": "long"}}},
                "Next": {"offset": 0, "type": {"kind": "pointer", "subtype": {"kind": "struct", "name": "_C"}}},
                "unnamed_0": {"offset": 16, "anonymous": true, "type": {"kind": "union", "name": "_B"}}}},
            "_C": {"kind": "struct", "size": 1, "fields": {}}
        },
        "base_types": {"long": {"endian": "little", "kind": "int", "signed": true, "size": 4}, "pointer": {"endian": "little", "kind": "int", "signed": false, "size": 8}}
    }"#;

    #[test]
    fn an_isf_gives_what_is_wanted_of_it_whatever_the_order_of_its_parts() {
        let isf = Isf::parse(SMALL.as_bytes(), &Wanted::Named(&["_A"])).unwrap();
        assert_eq!(isf.identity.unwrap().key(), "5278AFF86C341677D7D7835C85B7B8441");
        assert_eq!(isf.identity, Isf::identity_of(SMALL.as_bytes()).unwrap());
        assert_eq!(isf.pdb_name.as_deref(), Some("ntkrnlmp.pdb"));
        let layouts = &isf.layouts;
        assert_eq!(layouts.structures().keys().collect::<Vec<_>>(), ["_A", "_B"]);
        let names: Vec<_> =
            layouts.structure("_A").unwrap().fields.iter().map(|f| &*f.name).collect();
        assert_eq!(names, ["Next", "Flag", "", "Z"]);
        assert_eq!(layouts.field("_A", "Value").unwrap().offset, 16);
        let flag = layouts.field("_A", "Flag").unwrap();
        assert_eq!(
            (flag.offset, flag.size, flag.bits),
            (8, 4, Some(Bits { position: 2, length: 3 }))
        );
        assert_eq!(layouts.field("_A", "Next").unwrap().size, 8);
        assert_eq!(layouts.field("_A", "Z").unwrap().size, 4);
        assert_eq!(layouts.enumeration("_STATE").unwrap().name_of(2), Some("Two"));
        assert_eq!(layouts.enumeration("_STATE").unwrap().value_of("High"), Some(-1));
    }

    #[test]
    fn its_symbols_are_relative_to_the_image() {
        let isf = Isf::parse(SMALL.as_bytes(), &Wanted::Named(&[])).unwrap();
        assert_eq!(isf.symbols.named("PsLoadedModuleList").unwrap().rva, 4096);
        assert_eq!(isf.symbols.at(4100).unwrap().name, "PsLoadedModuleList");
        assert_eq!(isf.symbols.len(), 2);
    }

    #[test]
    fn what_is_not_an_isf_says_where() {
        let packed = Isf::parse(b"\xFD7zXZ\0..", &Wanted::All).unwrap_err();
        assert!(packed.to_string().contains("packed with xz: at byte 8"), "{packed}");
        let error = Isf::parse(b"{\n \"metadata\": 5}", &Wanted::All).unwrap_err();
        assert!(matches!(error, IsfError::Json { line: 2, .. }), "{error}");
        let deep = format!("{{\"metadata\":{{}},\"x\":{}", "[".repeat(100_000));
        assert!(Isf::parse(deep.as_bytes(), &Wanted::All).is_err());
    }
}

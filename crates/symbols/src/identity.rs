//! What makes two files belong together.

use std::fmt;
use std::str::FromStr;

use crate::Guid;

/// Which PDB: its GUID, and how often it was written again (age). Both must be
/// equal. [CodeView `RSDS` record of the image; PDB information stream.]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PdbIdentity {
    /// The GUID.
    pub guid: Guid,
    /// The age.
    pub age: u32,
}

impl PdbIdentity {
    /// The folder of a symbol store: GUID digits, then the age in upper-case
    /// hex without leading zeros.
    /// [Microsoft, "Using SymStore": `GUIDAGE`.]
    pub fn key(&self) -> String {
        format!("{}{:X}", self.guid.digits(), self.age)
    }

    /// From such a folder's name.
    pub fn from_key(key: &str) -> Option<Self> {
        let (guid, age) = (key.get(..32)?, key.get(32..)?);
        let hex = !age.is_empty() && age.bytes().all(|byte| byte.is_ascii_hexdigit());
        let age = hex.then(|| u32::from_str_radix(age, 16).ok())??;
        Some(Self { guid: Guid::from_str(guid).ok()?, age })
    }
}

/// `GUID 5278AFF8-6C34-1677-D7D7-835C85B7B844 age 1`.
impl fmt::Display for PdbIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GUID {} age {}", self.guid, self.age)
    }
}

/// Which image: what the loader's list and the symbol stores know it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ImageIdentity {
    /// `TimeDateStamp` of the file header. A hash in reproducible builds.
    pub time_date_stamp: u32,
    /// `SizeOfImage` of the optional header.
    pub size_of_image: u32,
}

impl ImageIdentity {
    /// The folder of a symbol store: the stamp as eight hex digits, then the
    /// size without leading zeros. Stores hold both cases; symsrv writes the
    /// stamp in upper and the size in lower case.
    /// [Microsoft, "SSQP key conventions": `PE-timestamp-filesize-key`.]
    pub fn key(&self) -> String {
        format!("{:08X}{:x}", self.time_date_stamp, self.size_of_image)
    }
}

/// `stamp 0x0c9c0300 size 0x3b000`.
impl fmt::Display for ImageIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "stamp {:#010x} size {:#x}", self.time_date_stamp, self.size_of_image)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stores_folder_names_the_pdb_and_back() {
        let key = "5278AFF86C341677D7D7835C85B7B84410";
        let identity = PdbIdentity::from_key(key).unwrap();
        assert_eq!(identity.age, 0x10);
        assert_eq!(identity.key(), key);
        for bad in
            ["", "5278AFF86C341677D7D7835C85B7B844", "5278AFF86C341677D7D7835C85B7B844+1", "é"]
        {
            assert_eq!(PdbIdentity::from_key(bad), None, "{bad}");
        }
    }

    #[test]
    fn the_stamp_keeps_its_zeros_and_the_size_does_not() {
        let identity = ImageIdentity { time_date_stamp: 0x0D83_33E6, size_of_image: 0x104_6000 };
        assert_eq!(identity.key(), "0D8333E61046000");
    }
}

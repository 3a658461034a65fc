//! Types from PDBs, profiles and ISFs, as this crate asks for them.

use symbols::Layouts;
use symbols::layout::Origin;

use crate::layout::{Member, Source, Types};

impl Types for Layouts {
    fn member(&self, structure: &str, path: &str) -> Option<Member> {
        let field = self.field(structure, path)?;
        let source = match self.source() {
            Origin::Pdb => Source::Pdb,
            Origin::Profile => Source::Profile,
            Origin::Isf => Source::Isf,
        };
        Some(Member {
            offset: field.offset,
            size: field.size,
            bits: field.bits.map(|bits| (bits.position, bits.length)),
            source,
        })
    }

    fn size(&self, structure: &str) -> Option<u64> {
        Some(self.structure(structure)?.size)
    }
}

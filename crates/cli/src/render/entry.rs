//! The flag bits of an entry of the page tables, by the names of the processors' manuals.

use memory::{EntryName, Paging};

/// Which flags are set. Only valid entries have any that the processor reads.
pub(crate) fn flags(paging: Paging, level: EntryName, entry: u64) -> Vec<&'static str> {
    if entry & 1 == 0 {
        return Vec::new();
    }
    let names = match paging {
        Paging::Arm64 => arm64(level, entry),
        _ => intel(paging, level),
    };
    let set = names.iter().filter(|(bit, _)| entry >> bit & 1 == 1).map(|(_, name)| *name);
    std::iter::once("valid").chain(set).collect()
}

/// Intel SDM volume 3, tables 4-14 to 4-20.
fn intel(paging: Paging, level: EntryName) -> &'static [(u32, &'static str)] {
    const PTE: &[(u32, &str)] = &[
        (1, "write"),
        (2, "user"),
        (3, "write-through"),
        (4, "cache-disable"),
        (5, "accessed"),
        (6, "dirty"),
        (7, "pat"),
        (8, "global"),
        (63, "no-execute"),
    ];
    const UPPER: &[(u32, &str)] = &[
        (1, "write"),
        (2, "user"),
        (3, "write-through"),
        (4, "cache-disable"),
        (5, "accessed"),
        (6, "dirty"),
        (7, "large"),
        (8, "global"),
        (63, "no-execute"),
    ];
    // The four entries of a PAE root have two flags; the other bits are reserved.
    const PAE_ROOT: &[(u32, &str)] = &[(3, "write-through"), (4, "cache-disable")];
    match level {
        EntryName::Ppe if paging == Paging::X86Pae => PAE_ROOT,
        EntryName::Pte | EntryName::PrototypePte => PTE,
        _ => UPPER,
    }
}

/// Arm ARM, D8.3: the stage 1 descriptors of the 4 KiB granule; bit 55 is Windows' own.
fn arm64(level: EntryName, entry: u64) -> &'static [(u32, &'static str)] {
    const LEAF: &[(u32, &str)] = &[
        (6, "user"),
        (7, "read-only"),
        (10, "accessed"),
        (11, "not-global"),
        (51, "dirty-modifier"),
        (52, "contiguous"),
        (53, "privileged-execute-never"),
        (54, "user-execute-never"),
        (55, "software-55"),
    ];
    const TABLE: &[(u32, &str)] = &[
        (1, "table"),
        (59, "privileged-execute-never"),
        (60, "user-execute-never"),
        (61, "no-user"),
        (62, "read-only"),
    ];
    let leaf = matches!(level, EntryName::Pte | EntryName::PrototypePte) || entry & 2 == 0;
    if leaf { LEAF } else { TABLE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_bit_means_another_thing_at_another_level() {
        let of = |level, entry| flags(Paging::X64, level, entry).join(" ");
        assert_eq!(of(EntryName::Pde, 0xE3), "valid write accessed dirty large");
        assert_eq!(
            of(EntryName::Pte, 0x8000_0000_0000_01E3),
            "valid write accessed dirty pat global no-execute"
        );
        assert_eq!(of(EntryName::Pte, 0x8000_0000_0000_01E2), "", "the processor reads none of it");
        assert_eq!(flags(Paging::X86Pae, EntryName::Ppe, 0x3), ["valid"]);
    }

    #[test]
    fn an_arm64_table_and_a_block_of_the_same_level_have_flags_of_their_own() {
        let of = |entry| flags(Paging::Arm64, EntryName::Pde, entry).join(" ");
        assert_eq!(of(1 << 62 | 3), "valid table read-only");
        assert_eq!(of(1 << 53 | 0x481), "valid read-only accessed privileged-execute-never");
    }
}

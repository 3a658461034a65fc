//! Tags of secondary data whose meaning a public tool or the data itself states.

use crate::Guid;

/// The blob that starts `Zb`: see [`crate::Build`]. (S: checks out in seven files)
pub(crate) const BUILD: Guid = guid(0x2b88_b710_1c93_4f7c_b06c_655e_cc50_decc);

/// What a tag means, where that is known. (ntoseye's table; strings in the data)
pub(crate) fn meaning(tag: &Guid) -> Option<&'static str> {
    TAGS.iter().find(|(known, _)| known == tag).map(|(_, meaning)| *meaning)
}

const TAGS: [(Guid, &str); 10] = [
    (guid(0x00af_e9c4_940d_4213_8016_cd37_19b5_bc20), "NTFS black box"),
    (guid(0xf573_08df_cc45_4e01_ad76_29a4_ebb0_10ec), "boot status black box"),
    (guid(0xb763_1941_532a_4cd6_b1b1_edb5_917d_4557), "PnP black box"),
    (guid(0x80cc_79cf_a719_4af1_bf97_fe29_ff76_ebc1), "winlogon black box"),
    (guid(0x4ee7_6bd8_3cf4_44a0_a0ac_3937_643e_37a3), "code integrity black box"),
    (guid(0x54c8_4888_01d1_4c1e_bed6_282c_9824_1303), "KMDF log"),
    (guid(0x6c7a_c389_4313_47dc_9f34_a880_0a0f_b56c), "probably SMBIOS tables (unconfirmed)"),
    (guid(0xe83b_40d2_b0a0_4842_abea_71c9_e346_3dd1), "part of an ACPI table"),
    (guid(0xd03d_c06f_d88e_44c5_ba2a_fae0_3517_2d19), "CPUID vendor data"),
    (guid(0x2b88_b710_1c93_4f7c_b06c_655e_cc50_decc), "build number and processor clock"),
];

/// A GUID from the digits of its text, in the byte order of the file.
pub(crate) const fn guid(text: u128) -> Guid {
    let [a, b, c, d, e, f, g, h, rest @ ..] = text.to_be_bytes();
    let [i, j, k, l, m, n, o, p] = rest;
    Guid([d, c, b, a, f, e, h, g, i, j, k, l, m, n, o, p])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_shown_as_windows_shows_it_and_found_by_its_bytes() {
        let bytes = [
            0x10, 0xb7, 0x88, 0x2b, 0x93, 0x1c, 0x7c, 0x4f, 0xb0, 0x6c, 0x65, 0x5e, 0xcc, 0x50,
            0xde, 0xcc,
        ];
        assert_eq!(Guid(bytes).to_string(), "2b88b710-1c93-4f7c-b06c-655ecc50decc");
        assert_eq!(Guid(bytes), BUILD);
        assert!(meaning(&BUILD).is_some());
        assert_eq!(meaning(&Guid([0; 16])), None);
    }
}

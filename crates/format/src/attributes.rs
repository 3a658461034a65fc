//! The header's attribute bits.

bitflags::bitflags! {
    /// `Attributes` (0x1050; 0x8A0 in a 32-bit header). Bits without a name
    /// here occur and are kept: 0x800, 0x1000 and 0x20000 were met.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub struct Attributes: u32 {
        /// A crash while hibernating. (H)
        const HIBER_CRASH = 0x1;
        /// The dump device was powered off. (H)
        const DUMP_DEVICE_POWER_OFF = 0x2;
        /// The dump file was too small for all that should be in it. (H)
        const INSUFFICIENT_DUMPFILE_SIZE = 0x4;
        /// The kernel made it as a triage dump. (H)
        const KERNEL_GENERATED_TRIAGE_DUMP = 0x8;
        /// A live dump: nothing crashed. (H)
        const LIVE_DUMP_GENERATED_DUMP = 0x10;
        /// Made later, not by the running system. (H)
        const DUMP_IS_GENERATED_OFFLINE = 0x20;
        /// A filter driver changed it. (H)
        const FILTER_DUMP_FILE = 0x40;
        /// A crash early in boot. (H)
        const EARLY_BOOT_CRASH = 0x80;
        /// What follows the header is encrypted. (H)
        const ENCRYPTED_DUMP_DATA = 0x100;
        /// Was encrypted, and a tool decrypted it. (H)
        const DECRYPTED_DUMP = 0x200;
        /// Reported to mean a selective dump (kernel stacks only); not documented.
        const SELECTIVE = 0x4000;
        /// Reported to mean a partial live dump; not documented.
        const PARTIAL = 0x8000;

        // Every bit is a valid one: unknown ones are shown as numbers.
        const _ = !0;
    }
}

const NAMES: [(Attributes, &str); 12] = [
    (Attributes::HIBER_CRASH, "HiberCrash"),
    (Attributes::DUMP_DEVICE_POWER_OFF, "DumpDevicePowerOff"),
    (Attributes::INSUFFICIENT_DUMPFILE_SIZE, "InsufficientDumpfileSize"),
    (Attributes::KERNEL_GENERATED_TRIAGE_DUMP, "KernelGeneratedTriageDump"),
    (Attributes::LIVE_DUMP_GENERATED_DUMP, "LiveDumpGeneratedDump"),
    (Attributes::DUMP_IS_GENERATED_OFFLINE, "DumpIsGeneratedOffline"),
    (Attributes::FILTER_DUMP_FILE, "FilterDumpFile"),
    (Attributes::EARLY_BOOT_CRASH, "EarlyBootCrash"),
    (Attributes::ENCRYPTED_DUMP_DATA, "EncryptedDumpData"),
    (Attributes::DECRYPTED_DUMP, "DecryptedDump"),
    (Attributes::SELECTIVE, "selective (reported, not documented)"),
    (Attributes::PARTIAL, "partial (reported, not documented)"),
];

impl Attributes {
    /// The names of the bits that are set and have one: the public header's,
    /// or a plain word for those that are only reported.
    pub fn names(self) -> Vec<&'static str> {
        NAMES.iter().filter(|(bit, _)| self.contains(*bit)).map(|(_, name)| *name).collect()
    }

    /// The set bits without a name.
    pub fn unknown(self) -> u32 {
        let named = NAMES.iter().fold(Self::empty(), |all, (bit, _)| all | *bit);
        (self - named).bits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_bits_are_kept_as_numbers() {
        let attributes = Attributes::from_bits_retain(0x2_1810);
        assert_eq!(attributes.names(), ["LiveDumpGeneratedDump"]);
        assert_eq!(attributes.unknown(), 0x2_1800);
    }
}

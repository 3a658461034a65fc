//! Process protection, machine types, product types and suites.

use core::fmt;

/// `PS_PROTECTION`: bits 0..3 type, bit 3 audit, bits 4..8 signer (phnt).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PsProtection(pub u8);

/// `PS_PROTECTED_TYPE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProtectionType {
    /// `PsProtectedTypeNone`.
    None,
    /// `PsProtectedTypeProtectedLight` (PPL).
    Light,
    /// `PsProtectedTypeProtected` (PP).
    Full,
    /// A value this table does not know.
    Unknown(u8),
}

/// `PS_PROTECTED_SIGNER`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProtectionSigner {
    /// `PsProtectedSignerNone`.
    None,
    /// `PsProtectedSignerAuthenticode`.
    Authenticode,
    /// `PsProtectedSignerCodeGen`.
    CodeGen,
    /// `PsProtectedSignerAntimalware`.
    Antimalware,
    /// `PsProtectedSignerLsa`.
    Lsa,
    /// `PsProtectedSignerWindows`.
    Windows,
    /// `PsProtectedSignerWinTcb`.
    WinTcb,
    /// `PsProtectedSignerWinSystem`.
    WinSystem,
    /// `PsProtectedSignerApp`.
    App,
    /// A value this table does not know.
    Unknown(u8),
}

impl PsProtection {
    /// The kind of protection.
    #[must_use]
    pub const fn kind(self) -> ProtectionType {
        match self.0 & 7 {
            0 => ProtectionType::None,
            1 => ProtectionType::Light,
            2 => ProtectionType::Full,
            other => ProtectionType::Unknown(other),
        }
    }

    /// Whether the audit bit is set.
    #[must_use]
    pub const fn audit(self) -> bool {
        self.0 & 8 != 0
    }

    /// Who signed what may run in the process.
    #[must_use]
    pub const fn signer(self) -> ProtectionSigner {
        match self.0 >> 4 {
            0 => ProtectionSigner::None,
            1 => ProtectionSigner::Authenticode,
            2 => ProtectionSigner::CodeGen,
            3 => ProtectionSigner::Antimalware,
            4 => ProtectionSigner::Lsa,
            5 => ProtectionSigner::Windows,
            6 => ProtectionSigner::WinTcb,
            7 => ProtectionSigner::WinSystem,
            8 => ProtectionSigner::App,
            other => ProtectionSigner::Unknown(other),
        }
    }

    /// Whether the process is protected in any way.
    #[must_use]
    pub const fn is_protected(self) -> bool {
        self.0 & 7 != 0
    }

    /// Whether user pages of such a process are reported to be left out of a
    /// live dump: every full protection, and every light one but signer WinSystem.
    #[must_use]
    pub const fn reported_left_out_of_live_dump(self) -> bool {
        match self.kind() {
            ProtectionType::None => false,
            ProtectionType::Light => !matches!(self.signer(), ProtectionSigner::WinSystem),
            ProtectionType::Full | ProtectionType::Unknown(_) => true,
        }
    }
}

impl fmt::Display for ProtectionSigner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(value) => write!(f, "unknown ({value})"),
            named => fmt::Debug::fmt(named, f),
        }
    }
}

impl fmt::Display for PsProtection {
    /// `none`, `protected, signer WinTcb`, `protected (Light), signer Antimalware`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind() {
            ProtectionType::None => return f.write_str("none"),
            ProtectionType::Light => f.write_str("protected (Light)")?,
            ProtectionType::Full => f.write_str("protected")?,
            ProtectionType::Unknown(value) => write!(f, "protected (type {value})")?,
        }
        write!(f, ", signer {}", self.signer())?;
        if self.audit() { f.write_str(", audit") } else { Ok(()) }
    }
}

/// `IMAGE_FILE_MACHINE_*` numbers with a short name (PE specification).
const MACHINES: &[(u16, &str)] = &[
    (0x014C, "x86"),
    (0x01C0, "ARM"),
    (0x01C4, "ARM (Thumb-2)"),
    (0x0200, "Itanium"),
    (0x8664, "x64"),
    (0xA641, "ARM64EC"),
    (0xA64E, "ARM64X"),
    (0xAA64, "ARM64"),
];

/// `IMAGE_FILE_MACHINE_I386`.
pub const IMAGE_FILE_MACHINE_I386: u16 = 0x014C;
/// `IMAGE_FILE_MACHINE_AMD64`.
pub const IMAGE_FILE_MACHINE_AMD64: u16 = 0x8664;
/// `IMAGE_FILE_MACHINE_ARM64`.
pub const IMAGE_FILE_MACHINE_ARM64: u16 = 0xAA64;

/// Short name of an `IMAGE_FILE_MACHINE_*` number ("x64").
#[must_use]
pub fn machine_name(machine: u16) -> Option<&'static str> {
    MACHINES.iter().find(|(number, _)| *number == machine).map(|(_, name)| *name)
}

/// `NT_PRODUCT_TYPE`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProductType {
    /// 1, `NtProductWinNt` (`VER_NT_WORKSTATION`).
    Workstation,
    /// 2, `NtProductLanManNt` (`VER_NT_DOMAIN_CONTROLLER`).
    DomainController,
    /// 3, `NtProductServer` (`VER_NT_SERVER`).
    Server,
    /// A value this table does not know.
    Unknown(u32),
}

impl ProductType {
    /// Whether it is a server edition (a domain controller is one).
    #[must_use]
    pub const fn is_server(self) -> bool {
        matches!(self, Self::DomainController | Self::Server)
    }
}

impl From<u32> for ProductType {
    fn from(value: u32) -> Self {
        match value {
            1 => Self::Workstation,
            2 => Self::DomainController,
            3 => Self::Server,
            other => Self::Unknown(other),
        }
    }
}

impl fmt::Display for ProductType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Workstation => f.write_str("workstation"),
            Self::DomainController => f.write_str("domain controller"),
            Self::Server => f.write_str("server"),
            Self::Unknown(value) => write!(f, "unknown ({value})"),
        }
    }
}

/// `VER_SUITE_*` bits with their names (winnt.h).
const SUITES: &[(u32, &str)] = &[
    (0x0000_0001, "SmallBusiness"),
    (0x0000_0002, "Enterprise"),
    (0x0000_0004, "BackOffice"),
    (0x0000_0008, "Communications"),
    (0x0000_0010, "TerminalServices"),
    (0x0000_0020, "SmallBusinessRestricted"),
    (0x0000_0040, "EmbeddedNt"),
    (0x0000_0080, "DataCenter"),
    (0x0000_0100, "SingleUserTs"),
    (0x0000_0200, "Personal"),
    (0x0000_0400, "Blade"),
    (0x0000_0800, "EmbeddedRestricted"),
    (0x0000_1000, "SecurityAppliance"),
    (0x0000_2000, "StorageServer"),
    (0x0000_4000, "ComputeServer"),
    (0x0000_8000, "HomeServer"),
    (0x0002_0000, "MultiUserTs"),
];

/// Names of the set suite bits, lowest first; bits without a name are left out.
pub fn suite_names(mask: u32) -> impl Iterator<Item = &'static str> {
    SUITES.iter().filter(move |(bit, _)| mask & bit != 0).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protection_reads_as_words() {
        assert_eq!(PsProtection(0x31).to_string(), "protected (Light), signer Antimalware");
        assert_eq!(PsProtection(0x72).to_string(), "protected, signer WinSystem");
        assert_eq!(PsProtection(0x41).to_string(), "protected (Light), signer Lsa");
        assert_eq!(PsProtection(0).to_string(), "none");
        assert_eq!(PsProtection(0xF7).to_string(), "protected (type 7), signer unknown (15)");
    }

    #[test]
    fn only_light_winsystem_processes_stay_in_a_dump() {
        assert!(!PsProtection(0).reported_left_out_of_live_dump());
        assert!(!PsProtection(0x71).reported_left_out_of_live_dump());
        assert!(PsProtection(0x31).reported_left_out_of_live_dump());
        assert!(PsProtection(0x72).reported_left_out_of_live_dump());
    }

    #[test]
    fn machines_and_products_have_names() {
        assert_eq!(machine_name(IMAGE_FILE_MACHINE_AMD64), Some("x64"));
        assert_eq!(machine_name(IMAGE_FILE_MACHINE_ARM64), Some("ARM64"));
        assert_eq!(machine_name(1), None);
        assert!(ProductType::from(2).is_server() && !ProductType::from(1).is_server());
        assert_eq!(ProductType::from(9).to_string(), "unknown (9)");
    }

    #[test]
    fn suites_are_listed_lowest_bit_first() {
        assert_eq!(suite_names(0x110).collect::<Vec<_>>(), ["TerminalServices", "SingleUserTs"]);
    }
}

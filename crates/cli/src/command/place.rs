//! Whether an address and a length can be meant, before they are looked up.

use capture::{Class, Failure};
use format::Width;
use memory::VirtualAddress;

use crate::args;

/// What a command was asked.
pub(super) struct Question {
    pub(super) command: &'static str,
    pub(super) address: u64,
    pub(super) length: u64,
}

/// Bits of the largest address that a 64-bit machine has: a triage dump does not say how many are its own.
const MOST_BITS: u32 = 57;

/// Bits of the largest physical address. (Intel SDM, Arm ARM)
const PHYSICAL_BITS: u32 = 52;

type Checked = Result<u64, clap::Error>;

/// An address of physical memory.
pub(super) fn physical(question: &Question) -> Checked {
    if question.address >> PHYSICAL_BITS != 0 {
        let text = format!(
            "{:016x} is no physical address: they have {PHYSICAL_BITS} bits at most",
            question.address
        );
        return Err(args::usage(question.command, text));
    }
    below(question, u64::MAX)
}

/// An address in the blocks of a triage dump.
pub(super) fn in_triage(question: &Question, width: Width) -> Checked {
    linear(question, width, MOST_BITS)
}

/// A virtual address of a machine whose page tables translate so many bits. Answers with it as
/// the machine has it, without an extended sign.
pub(super) fn linear(question: &Question, width: Width, bits: u32) -> Checked {
    let address = width.address(question.address);
    match width {
        Width::Bits32 if address.0 > u64::from(u32::MAX) => Err(args::usage(
            question.command,
            format!("{address} is no address of a 32-bit machine, nor one with its sign extended"),
        )),
        Width::Bits32 => {
            let plain = Question { address: address.0, ..*question };
            below(&plain, u32::MAX.into())
        }
        Width::Bits64 if !VirtualAddress(address.0).is_canonical_at(bits) => Err(args::usage(
            question.command,
            format!(
                "{address} is not canonical: addresses of this machine have {bits} bits, and those \
                 above repeat the highest"
            ),
        )),
        Width::Bits64 => below(question, u64::MAX),
    }
}

/// The last byte must have an address.
fn below(question: &Question, last: u64) -> Checked {
    let end = question.address.checked_add(question.length.saturating_sub(1));
    match end.filter(|end| *end <= last) {
        Some(_) => Ok(question.address),
        None => Err(args::usage(
            question.command,
            format!(
                "{:#x} bytes from {:016x} on reach beyond the last address, {last:016x}: at most \
                 {:#x} can be read",
                question.length,
                question.address,
                u128::from(last) + 1 - u128::from(question.address)
            ),
        )),
    }
}

/// `--dtb` means page tables, which a triage dump has none of.
pub(super) fn refuse_tables(base: Option<u64>) -> Result<(), Failure> {
    refuse(base.is_some(), "--dtb: a triage dump has blocks of virtual memory and no page tables")
}

/// `--physical` means pages, which a triage dump has none of.
pub(super) fn refuse_physical(physical: bool) -> Result<(), Failure> {
    refuse(physical, "--physical: a triage dump has blocks of virtual memory and no physical pages")
}

fn refuse(given: bool, text: &str) -> Result<(), Failure> {
    if given { Err(Failure::new(Class::Unsupported, text).remedy("leave it out")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(address: u64, length: u64) -> Question {
        Question { command: "read", address, length }
    }

    #[test]
    fn a_range_ends_at_the_last_address_at_most() {
        let ask = |address, length| linear(&question(address, length), Width::Bits64, 48);
        assert_eq!(ask(u64::MAX, 1).unwrap(), u64::MAX);
        let text = ask(u64::MAX, 2).unwrap_err().to_string();
        assert!(text.contains("beyond the last address") && text.contains("at most 0x1"), "{text}");
        assert_eq!(ask(0, 1 << 63).unwrap(), 0);
    }

    #[test]
    fn an_address_that_the_machine_would_refuse_is_refused() {
        let ask = |address, bits| linear(&question(address, 1), Width::Bits64, bits);
        assert!(ask(0x8000_0000_0000, 48).unwrap_err().to_string().contains("not canonical"));
        assert!(ask(0x8000_0000_0000, 57).is_ok());
        assert!(physical(&question(1 << 52, 1)).is_err());
        assert!(physical(&question((1 << 52) - 1, u64::MAX >> 1)).is_ok());
    }

    #[test]
    fn a_32_bit_address_is_taken_with_its_sign_extended_or_not() {
        let ask = |address, length| linear(&question(address, length), Width::Bits32, 32);
        assert_eq!(ask(0xFFFF_FFFF_8280_1000, 4).unwrap(), 0x8280_1000);
        assert_eq!(ask(0x8280_1000, 4).unwrap(), 0x8280_1000);
        assert!(ask(0x1_0000_0000, 1).unwrap_err().to_string().contains("32-bit machine"));
        assert!(ask(0xFFFF_FFFE, 3).unwrap_err().to_string().contains("00000000ffffffff"));
        assert!(ask(0xFFFF_FFFE, 2).is_ok());
    }
}

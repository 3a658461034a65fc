//! What surrounds this Windows: debugger, virtualisation, cluster, container.

use machine::{DebuggerState, OsError, Presence};
use windows_sys::Wdk::System::SystemInformation::NtQuerySystemInformation;
use windows_sys::Win32::System::Threading::{ALL_PROCESSOR_GROUPS, GetActiveProcessorCount};

use super::error;
use super::registry::{self, Root};
use crate::bytes::u32_at;

/// SYSTEM_INFORMATION_CLASS values (phnt, `ntexapi.h`).
mod class {
    /// SystemKernelDebuggerInformation: two booleans.
    pub(super) const KERNEL_DEBUGGER: i32 = 35;
    /// SystemCodeIntegrityInformation (documented): length, options.
    pub(super) const CODE_INTEGRITY: i32 = 103;
    /// SystemIsolatedUserModeInformation: bits, secure kernel first.
    pub(super) const ISOLATED_USER_MODE: i32 = 165;
}

/// CODEINTEGRITY_OPTION_HVCI_KMCI_ENABLED.
const HVCI_KMCI_ENABLED: u32 = 0x400;
/// The user that Windows Sandbox runs everything as.
const SANDBOX_USER: &str = "WDAGUtilityAccount";

/// Asks for `N` bytes, whose first ones may say what is asked.
fn ask<const N: usize>(class: i32, input: [u8; N], doing: &str) -> Result<[u8; N], OsError> {
    #[repr(C, align(8))]
    struct Aligned<const N: usize>([u8; N]);
    let mut buffer = Aligned(input);
    let mut length = 0_u32;
    // SAFETY: the buffer has the bytes that are told.
    let status = unsafe {
        NtQuerySystemInformation(
            class,
            (&raw mut buffer).cast(),
            u32::try_from(N).unwrap_or(0),
            &raw mut length,
        )
    };
    if status < 0 { Err(error::status(doing, status)) } else { Ok(buffer.0) }
}

pub(super) fn debugger() -> Result<DebuggerState, OsError> {
    let [enabled, not_present] =
        ask(class::KERNEL_DEBUGGER, [0; 2], "ask for the kernel debugger")?;
    Ok(DebuggerState { enabled: enabled != 0, not_present: not_present != 0 })
}

fn presence(found: bool) -> Presence {
    if found { Presence::Yes } else { Presence::No }
}

/// The secure kernel runs.
pub(super) fn vbs() -> Result<Presence, OsError> {
    let answer = ask(class::ISOLATED_USER_MODE, [0; 16], "ask for the secure kernel")?;
    Ok(presence(answer[0] & 1 != 0))
}

pub(super) fn hvci() -> Result<Presence, OsError> {
    let input = [8, 0, 0, 0, 0, 0, 0, 0];
    let answer = ask(class::CODE_INTEGRITY, input, "ask for code integrity")?;
    let options = u32_at(&answer, 4).unwrap_or(0);
    Ok(presence(options & HVCI_KMCI_ENABLED != 0))
}

/// CPUID's hypervisor bit, which every hypervisor sets and no processor does.
pub(super) fn hypervisor() -> Presence {
    #[cfg(target_arch = "x86_64")]
    {
        #[allow(unused_unsafe, reason = "safe in newer Rust than the oldest we build with")]
        // SAFETY: every x86-64 processor has CPUID leaf 1.
        let features = unsafe { core::arch::x86_64::__cpuid(1) };
        presence(features.ecx & (1 << 31) != 0)
    }
    #[cfg(not(target_arch = "x86_64"))]
    Presence::Unknown
}

/// Hyper-V's management service is installed.
pub(super) fn hyper_v_host() -> Presence {
    registry::key_presence(r"SYSTEM\CurrentControlSet\Services\vmms")
}

/// Every node keeps the cluster's hive here; a machine with only the feature does not.
pub(super) fn cluster_node() -> Presence {
    registry::key_presence("Cluster")
}

/// A server silo, by the value that Windows sets in containers.
pub(super) fn container() -> Presence {
    match registry::dword(Root::Machine, r"SYSTEM\CurrentControlSet\Control", "ContainerType") {
        Ok(kind) => presence(kind.is_some()),
        Err(_) => Presence::Unknown,
    }
}

/// Windows Sandbox, by its user.
pub(super) fn sandbox() -> Presence {
    match std::env::var("USERNAME") {
        Ok(user) => presence(user.eq_ignore_ascii_case(SANDBOX_USER)),
        Err(_) => Presence::Unknown,
    }
}

/// Active logical processors of all groups.
pub(super) fn processors() -> Option<u32> {
    // SAFETY: takes a number, gives a number.
    let count = unsafe { GetActiveProcessorCount(ALL_PROCESSOR_GROUPS) };
    (count != 0).then_some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Wine answers both; a Windows without VBS says No.
    #[test]
    fn debugger_and_code_integrity_are_told() {
        assert!(debugger().is_ok());
        assert!(hvci().is_ok());
        assert!(processors().unwrap() >= 1);
    }

    #[test]
    fn this_is_no_cluster_and_no_container_that_tests_run_in() {
        assert_eq!(cluster_node(), Presence::No);
        assert_eq!(container(), Presence::No);
        assert_eq!(sandbox(), Presence::No);
    }
}

//! Which Windows this is, for which processor, and for which we were built.

use machine::{Architecture, OsVersion, ProductType};
use windows_sys::Wdk::System::SystemServices::RtlGetVersion;
use windows_sys::Win32::System::SystemInformation::{
    IMAGE_FILE_MACHINE_AMD64, IMAGE_FILE_MACHINE_ARM64, IMAGE_FILE_MACHINE_I386,
    IMAGE_FILE_MACHINE_UNKNOWN, OSVERSIONINFOEXW,
};
use windows_sys::Win32::System::Threading::{GetCurrentProcess, IsWow64Process2};

use super::registry::{self, Root};

const CURRENT_VERSION: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
/// The first build that is called Windows 11.
const WINDOWS_11: u32 = 22_000;

/// The real version: what GetVersionEx tells depends on the manifest.
pub(super) fn version() -> Option<OsVersion> {
    let mut info = OSVERSIONINFOEXW {
        dwOSVersionInfoSize: size_of::<OSVERSIONINFOEXW>() as u32,
        ..Default::default()
    };
    // SAFETY: the structure tells its own size, which is the larger of the two that the call takes.
    if unsafe { RtlGetVersion((&raw mut info).cast()) } < 0 {
        return None;
    }
    let product_type = product_type(u32::from(info.wProductType));
    let named = registry::string(Root::Machine, CURRENT_VERSION, "ProductName").ok().flatten();
    Some(OsVersion {
        major: info.dwMajorVersion,
        minor: info.dwMinorVersion,
        build: info.dwBuildNumber,
        revision: registry::dword(Root::Machine, CURRENT_VERSION, "UBR").ok().flatten(),
        product: named.map(|name| product(name, info.dwBuildNumber, product_type)),
        product_type: Some(product_type),
    })
}

fn product_type(value: u32) -> ProductType {
    match value {
        1 => ProductType::Workstation,
        2 => ProductType::DomainController,
        3 => ProductType::Server,
        other => ProductType::Unknown(other),
    }
}

/// Windows 11's registry still says "Windows 10".
fn product(name: String, build: u32, kind: ProductType) -> String {
    match name.strip_prefix("Windows 10") {
        Some(rest) if build >= WINDOWS_11 && kind == ProductType::Workstation => {
            format!("Windows 11{rest}")
        }
        _ => name,
    }
}

/// The machine's architecture, and the one our process runs as.
pub(super) fn architectures() -> Option<(Architecture, Architecture)> {
    let (mut process, mut native) = (IMAGE_FILE_MACHINE_UNKNOWN, IMAGE_FILE_MACHINE_UNKNOWN);
    // SAFETY: the pseudo handle needs no closing; both numbers are ours.
    let done = unsafe { IsWow64Process2(GetCurrentProcess(), &raw mut process, &raw mut native) };
    if done == 0 {
        return None;
    }
    // "Unknown" means: no WOW64 process. x64 on ARM64 is none either, so our own build tells.
    let process = if process == IMAGE_FILE_MACHINE_UNKNOWN { BUILT_FOR } else { process };
    Some((architecture(native), architecture(process)))
}

const BUILT_FOR: u16 = if cfg!(target_arch = "aarch64") {
    IMAGE_FILE_MACHINE_ARM64
} else if cfg!(target_arch = "x86_64") {
    IMAGE_FILE_MACHINE_AMD64
} else {
    IMAGE_FILE_MACHINE_I386
};

fn architecture(machine: u16) -> Architecture {
    match machine {
        IMAGE_FILE_MACHINE_I386 => Architecture::X86,
        IMAGE_FILE_MACHINE_AMD64 => Architecture::X64,
        IMAGE_FILE_MACHINE_ARM64 => Architecture::Arm64,
        other => Architecture::Unknown(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_windows_has_a_build_and_an_architecture() {
        let version = version().unwrap();
        assert_eq!(version.major, 10);
        assert!(version.build >= 10_240);
        assert_eq!(architectures().unwrap().1, architecture(BUILT_FOR));
    }

    #[test]
    fn windows_11_is_called_so_whatever_its_registry_says() {
        let workstation = ProductType::Workstation;
        assert_eq!(product("Windows 10 Pro".into(), 26_100, workstation), "Windows 11 Pro");
        assert_eq!(product("Windows 10 Pro".into(), 19_045, workstation), "Windows 10 Pro");
        let server = product("Windows Server 2025".into(), 26_100, ProductType::Server);
        assert_eq!(server, "Windows Server 2025");
    }
}

//! The structures and numbers of `NtSystemDebugControl`'s two dump commands.
//!
//! Names and layouts are those of the public phnt headers (`ntexapi.h`); the
//! call itself is not documented by Microsoft. Only 64-bit Windows is served,
//! so every pointer-size field is a `u64` and the layouts hold on any OS that
//! compiles this file.

use core::mem::{align_of, offset_of, size_of};
use core::ops::{BitAnd, BitOr, BitOrAssign};

/// Command `SysDbgGetTriageDump`: input [`TriageDump`], output the dump's bytes.
pub const SYSDBG_GET_TRIAGE_DUMP: u32 = 29;
/// Command `SysDbgGetLiveKernelDump`: input a live-dump control structure, no
/// output buffer (phnt; Windows 8.1 and later).
pub const SYSDBG_GET_LIVE_KERNEL_DUMP: u32 = 37;

/// Smallest output buffer, in bytes, the triage command is reported to accept
/// on 64-bit Windows.
pub const TRIAGE_BUFFER_MIN: usize = 0x4_0000;
/// Bytes of output buffer beyond which the triage command is reported to use
/// nothing.
pub const TRIAGE_BUFFER_MAX: usize = 0x10_0000;

/// Value of [`LiveDumpControlV1::version`] for the 64-byte structure.
pub const LIVEDUMP_CONTROL_VERSION_1: u32 = 1;
/// Value of [`LiveDumpControlV2::version`] for the 72-byte structure.
pub const LIVEDUMP_CONTROL_VERSION_2: u32 = 2;
/// Value of [`LiveDumpSelectiveControl::version`].
pub const LIVEDUMP_SELECTIVE_CONTROL_VERSION: u32 = 1;

/// Seconds the triage command is reported to wait for one thread.
pub const TRIAGE_THREAD_TIMEOUT_SECONDS: u32 = 5;

macro_rules! bits {
    ($(#[$doc:meta])* $name:ident: $raw:ty { $($(#[$bit_doc:meta])* $bit:ident = $value:expr, $text:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
        #[repr(transparent)]
        pub struct $name(pub $raw);

        impl $name {
            /// No bit set.
            pub const NONE: Self = Self(0);
            $($(#[$bit_doc])* pub const $bit: Self = Self($value);)*
            /// Every named bit with phnt's name, lowest first.
            pub const NAMED: &'static [(Self, &'static str)] = &[$((Self::$bit, $text)),*];

            /// Whether all bits of `other` are set.
            #[must_use]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// These bits and those of `other`.
            #[must_use]
            pub const fn with(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }

            /// phnt's names of the set bits, lowest first; bits without a name are left out.
            pub fn names(self) -> impl Iterator<Item = &'static str> {
                Self::NAMED.iter().filter(move |(bit, _)| self.contains(*bit)).map(|(_, name)| *name)
            }
        }

        impl BitOr for $name {
            type Output = Self;
            fn bitor(self, other: Self) -> Self {
                self.with(other)
            }
        }

        impl BitOrAssign for $name {
            fn bitor_assign(&mut self, other: Self) {
                self.0 |= other.0;
            }
        }

        impl BitAnd for $name {
            type Output = Self;
            fn bitand(self, other: Self) -> Self {
                Self(self.0 & other.0)
            }
        }
    };
}

bits! {
    /// `SYSDBG_LIVEDUMP_CONTROL_FLAGS`.
    LiveDumpFlags: u32 {
        /// Reported to be accepted and dropped: no effect.
        USE_DUMP_STORAGE_STACK = 1 << 0, "UseDumpStorageStack";
        /// Reported to be accepted and dropped: no effect.
        COMPRESS_MEMORY_PAGES_DATA = 1 << 1, "CompressMemoryPagesData";
        /// Memory of user space too; see [`crate::build::takes_user_pages`].
        INCLUDE_USER_SPACE_MEMORY_PAGES = 1 << 2, "IncludeUserSpaceMemoryPages";
        /// Give up when memory is short (Windows 10 1803 and later).
        ABORT_IF_MEMORY_PRESSURE = 1 << 3, "AbortIfMemoryPressure";
        /// Use the selective control structure (Windows 11, version 2 only).
        SELECTIVE_DUMP = 1 << 4, "SelectiveDump";
    }
}

bits! {
    /// `SYSDBG_LIVEDUMP_CONTROL_ADDPAGES`.
    LiveDumpAddPages: u32 {
        /// Pages of the hypervisor.
        HYPERVISOR_PAGES = 1 << 0, "HypervisorPages";
        /// Further pages of the hypervisor (Windows 11).
        NON_ESSENTIAL_HYPERVISOR_PAGES = 1 << 1, "NonEssentialHypervisorPages";
    }
}

bits! {
    /// `SYSDBG_LIVEDUMP_SELECTIVE_CONTROL` flags.
    LiveDumpSelectiveFlags: u64 {
        /// Kernel stacks of threads.
        THREAD_KERNEL_STACKS = 1 << 0, "ThreadKernelStacks";
    }
}

/// `SYSDBG_TRIAGE_DUMP`, 56 bytes: input of [`SYSDBG_GET_TRIAGE_DUMP`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct TriageDump {
    /// `Flags`: send 0; the meaning of the one tolerated bit is not known.
    pub flags: u32,
    /// `BugCheckCode`: free; reported to be copied to the dump's header.
    pub bug_check_code: u32,
    /// `BugCheckParam1`.
    pub bug_check_param1: u64,
    /// `BugCheckParam2`.
    pub bug_check_param2: u64,
    /// `BugCheckParam3`.
    pub bug_check_param3: u64,
    /// `BugCheckParam4`.
    pub bug_check_param4: u64,
    /// `ProcessHandles`: a count, reported to have to be 0.
    pub process_handles: u32,
    /// `ThreadHandles`: a count, reported to have to be at least 1.
    pub thread_handles: u32,
    /// `Handles`: address of `thread_handles` thread handles.
    pub handles: u64,
}

/// `SYSDBG_LIVEDUMP_CONTROL_V1`, 64 bytes: input of [`SYSDBG_GET_LIVE_KERNEL_DUMP`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct LiveDumpControlV1 {
    /// `Version`: [`LIVEDUMP_CONTROL_VERSION_1`].
    pub version: u32,
    /// `BugCheckCode`: reported to be copied to the dump's header; 0x161 is customary.
    pub bug_check_code: u32,
    /// `BugCheckParam1`.
    pub bug_check_param1: u64,
    /// `BugCheckParam2`.
    pub bug_check_param2: u64,
    /// `BugCheckParam3`.
    pub bug_check_param3: u64,
    /// `BugCheckParam4`.
    pub bug_check_param4: u64,
    /// `DumpFileHandle`: a file opened for synchronous writing.
    pub dump_file_handle: u64,
    /// `CancelEventHandle`: an event that cancels the call, or 0.
    pub cancel_event_handle: u64,
    /// `Flags`.
    pub flags: LiveDumpFlags,
    /// `AddPagesControl`.
    pub add_pages_control: LiveDumpAddPages,
}

/// `SYSDBG_LIVEDUMP_CONTROL`, 72 bytes: version 1 with `SelectiveControl` at the end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct LiveDumpControlV2 {
    /// `Version`: [`LIVEDUMP_CONTROL_VERSION_2`].
    pub version: u32,
    /// `BugCheckCode`: reported to be copied to the dump's header; 0x161 is customary.
    pub bug_check_code: u32,
    /// `BugCheckParam1`.
    pub bug_check_param1: u64,
    /// `BugCheckParam2`.
    pub bug_check_param2: u64,
    /// `BugCheckParam3`.
    pub bug_check_param3: u64,
    /// `BugCheckParam4`.
    pub bug_check_param4: u64,
    /// `DumpFileHandle`: a file opened for synchronous writing.
    pub dump_file_handle: u64,
    /// `CancelEventHandle`: an event that cancels the call, or 0.
    pub cancel_event_handle: u64,
    /// `Flags`.
    pub flags: LiveDumpFlags,
    /// `AddPagesControl`.
    pub add_pages_control: LiveDumpAddPages,
    /// `SelectiveControl`: address of a [`LiveDumpSelectiveControl`], or 0.
    pub selective_control: u64,
}

/// `SYSDBG_LIVEDUMP_SELECTIVE_CONTROL`, 48 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct LiveDumpSelectiveControl {
    /// `Version`: [`LIVEDUMP_SELECTIVE_CONTROL_VERSION`].
    pub version: u32,
    /// `Size` of this structure in bytes, 48.
    pub size: u32,
    /// `Flags`.
    pub flags: LiveDumpSelectiveFlags,
    /// `Reserved`: 0.
    pub reserved: [u64; 4],
}

macro_rules! layout {
    ($name:ident, $size:literal, { $($field:ident = $offset:literal),* $(,)? }) => {
        const _: () = {
            assert!(size_of::<$name>() == $size);
            assert!(size_of::<$name>() == $name::SIZE);
            assert!(align_of::<$name>() == 8);
            $(assert!(offset_of!($name, $field) == $offset);)*
        };
    };
}

layout!(TriageDump, 56, {
    flags = 0, bug_check_code = 4, bug_check_param1 = 8, bug_check_param2 = 16, bug_check_param3 = 24,
    bug_check_param4 = 32, process_handles = 40, thread_handles = 44, handles = 48,
});
layout!(LiveDumpControlV1, 64, {
    version = 0, bug_check_code = 4, bug_check_param1 = 8, bug_check_param2 = 16, bug_check_param3 = 24,
    bug_check_param4 = 32, dump_file_handle = 40, cancel_event_handle = 48, flags = 56,
    add_pages_control = 60,
});
layout!(LiveDumpControlV2, 72, {
    version = 0, bug_check_code = 4, bug_check_param1 = 8, bug_check_param2 = 16, bug_check_param3 = 24,
    bug_check_param4 = 32, dump_file_handle = 40, cancel_event_handle = 48, flags = 56,
    add_pages_control = 60, selective_control = 64,
});
layout!(LiveDumpSelectiveControl, 48, { version = 0, size = 4, flags = 8, reserved = 16 });

/// Puts little-endian numbers one after the other; all layouts here are free of padding.
struct Bytes<const N: usize> {
    bytes: [u8; N],
    at: usize,
}

impl<const N: usize> Bytes<N> {
    fn new() -> Self {
        Self { bytes: [0; N], at: 0 }
    }

    fn put(mut self, value: &[u8]) -> Self {
        let end = self.at + value.len();
        self.bytes[self.at..end].copy_from_slice(value);
        self.at = end;
        self
    }

    fn u32(self, value: u32) -> Self {
        self.put(&value.to_le_bytes())
    }

    fn u64(self, value: u64) -> Self {
        self.put(&value.to_le_bytes())
    }
}

impl TriageDump {
    /// Bytes of the structure, also the input length of the call.
    pub const SIZE: usize = 56;

    /// The structure as the kernel reads it, little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        Bytes::new()
            .u32(self.flags)
            .u32(self.bug_check_code)
            .u64(self.bug_check_param1)
            .u64(self.bug_check_param2)
            .u64(self.bug_check_param3)
            .u64(self.bug_check_param4)
            .u32(self.process_handles)
            .u32(self.thread_handles)
            .u64(self.handles)
            .bytes
    }
}

impl LiveDumpControlV1 {
    /// Bytes of the structure, also the input length of the call.
    pub const SIZE: usize = 64;

    /// The structure as the kernel reads it, little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        Bytes::new()
            .u32(self.version)
            .u32(self.bug_check_code)
            .u64(self.bug_check_param1)
            .u64(self.bug_check_param2)
            .u64(self.bug_check_param3)
            .u64(self.bug_check_param4)
            .u64(self.dump_file_handle)
            .u64(self.cancel_event_handle)
            .u32(self.flags.0)
            .u32(self.add_pages_control.0)
            .bytes
    }
}

impl LiveDumpControlV2 {
    /// Bytes of the structure, also the input length of the call.
    pub const SIZE: usize = 72;

    /// Version 2 with the fields of `v1` and the address of a selective control (or 0).
    #[must_use]
    pub const fn from_v1(v1: &LiveDumpControlV1, selective_control: u64) -> Self {
        Self {
            version: LIVEDUMP_CONTROL_VERSION_2,
            bug_check_code: v1.bug_check_code,
            bug_check_param1: v1.bug_check_param1,
            bug_check_param2: v1.bug_check_param2,
            bug_check_param3: v1.bug_check_param3,
            bug_check_param4: v1.bug_check_param4,
            dump_file_handle: v1.dump_file_handle,
            cancel_event_handle: v1.cancel_event_handle,
            flags: v1.flags,
            add_pages_control: v1.add_pages_control,
            selective_control,
        }
    }

    /// The structure as the kernel reads it, little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        Bytes::new()
            .u32(self.version)
            .u32(self.bug_check_code)
            .u64(self.bug_check_param1)
            .u64(self.bug_check_param2)
            .u64(self.bug_check_param3)
            .u64(self.bug_check_param4)
            .u64(self.dump_file_handle)
            .u64(self.cancel_event_handle)
            .u32(self.flags.0)
            .u32(self.add_pages_control.0)
            .u64(self.selective_control)
            .bytes
    }
}

impl LiveDumpSelectiveControl {
    /// Bytes of the structure.
    pub const SIZE: usize = 48;

    /// A structure of today's version and size that asks for `flags`.
    #[must_use]
    pub const fn new(flags: LiveDumpSelectiveFlags) -> Self {
        Self {
            version: LIVEDUMP_SELECTIVE_CONTROL_VERSION,
            size: Self::SIZE as u32,
            flags,
            reserved: [0; 4],
        }
    }

    /// The structure as the kernel reads it, little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::SIZE] {
        self.reserved
            .iter()
            .fold(Bytes::new().u32(self.version).u32(self.size).u64(self.flags.0), |bytes, word| {
                bytes.u64(*word)
            })
            .bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn u64_at(bytes: &[u8], offset: usize) -> u64 {
        u64::from_le_bytes(bytes[offset..offset + 8].try_into().unwrap())
    }

    fn u32_at(bytes: &[u8], offset: usize) -> u32 {
        u32::from_le_bytes(bytes[offset..offset + 4].try_into().unwrap())
    }

    fn v1() -> LiveDumpControlV1 {
        LiveDumpControlV1 {
            version: 1,
            bug_check_code: 0x161,
            bug_check_param1: 11,
            bug_check_param2: 12,
            bug_check_param3: 13,
            bug_check_param4: 14,
            dump_file_handle: 0x44,
            cancel_event_handle: 0x48,
            flags: LiveDumpFlags::ABORT_IF_MEMORY_PRESSURE,
            add_pages_control: LiveDumpAddPages::HYPERVISOR_PAGES,
        }
    }

    #[test]
    fn bytes_of_a_triage_request_lie_where_the_kernel_reads_them() {
        let request = TriageDump {
            flags: 1,
            bug_check_code: 0x161,
            bug_check_param1: 11,
            bug_check_param2: 12,
            bug_check_param3: 13,
            bug_check_param4: 14,
            process_handles: 7,
            thread_handles: 16,
            handles: 0x1234_5678_9ABC_DEF0,
        };
        let bytes = request.to_bytes();
        assert_eq!((u32_at(&bytes, 0), u32_at(&bytes, 4)), (1, 0x161));
        assert_eq!([8, 16, 24, 32].map(|at| u64_at(&bytes, at)), [11, 12, 13, 14]);
        assert_eq!((u32_at(&bytes, 40), u32_at(&bytes, 44)), (7, 16));
        assert_eq!(u64_at(&bytes, 48), 0x1234_5678_9ABC_DEF0);
    }

    #[test]
    fn bytes_of_a_live_dump_request_lie_where_the_kernel_reads_them() {
        let bytes = v1().to_bytes();
        assert_eq!((u32_at(&bytes, 0), u32_at(&bytes, 4)), (1, 0x161));
        assert_eq!([8, 16, 24, 32].map(|at| u64_at(&bytes, at)), [11, 12, 13, 14]);
        assert_eq!((u64_at(&bytes, 40), u64_at(&bytes, 48)), (0x44, 0x48));
        assert_eq!((u32_at(&bytes, 56), u32_at(&bytes, 60)), (8, 1));
    }

    #[test]
    fn version_2_is_version_1_with_the_selective_pointer_behind_it() {
        let bytes = LiveDumpControlV2::from_v1(&v1(), 0xFFEE).to_bytes();
        assert_eq!(u32_at(&bytes, 0), 2);
        assert_eq!(bytes[4..64], v1().to_bytes()[4..]);
        assert_eq!(u64_at(&bytes, 64), 0xFFEE);
    }

    #[test]
    fn selective_control_carries_its_own_size_and_zeros() {
        let bytes =
            LiveDumpSelectiveControl::new(LiveDumpSelectiveFlags::THREAD_KERNEL_STACKS).to_bytes();
        assert_eq!((u32_at(&bytes, 0), u32_at(&bytes, 4), u64_at(&bytes, 8)), (1, 48, 1));
        assert!(bytes[16..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn flags_are_named_as_in_phnt() {
        let flags = LiveDumpFlags::INCLUDE_USER_SPACE_MEMORY_PAGES | LiveDumpFlags::SELECTIVE_DUMP;
        assert_eq!(flags.0, 0b10100);
        assert_eq!(
            flags.names().collect::<Vec<_>>(),
            ["IncludeUserSpaceMemoryPages", "SelectiveDump"]
        );
        assert!(!flags.contains(LiveDumpFlags::ABORT_IF_MEMORY_PRESSURE));
    }
}

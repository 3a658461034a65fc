//! Thread states and wait reasons, as system information and `KTHREAD` give them.

use core::fmt;

macro_rules! named_values {
    ($(#[$doc:meta])* $name:ident: $raw:ty { $($value:literal => $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs, reason = "the variants are Windows' own names")]
        pub enum $name {
            $($variant,)*
            /// A value this table does not know.
            Unknown($raw),
        }

        impl $name {
            /// The raw value.
            #[must_use]
            pub const fn value(self) -> $raw {
                match self {
                    $(Self::$variant => $value,)*
                    Self::Unknown(value) => value,
                }
            }

            /// Windows' name; `None` for an unknown value.
            #[must_use]
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => Some(stringify!($variant)),)*
                    Self::Unknown(_) => None,
                }
            }
        }

        impl From<$raw> for $name {
            fn from(value: $raw) -> Self {
                match value {
                    $($value => Self::$variant,)*
                    other => Self::Unknown(other),
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self.name() {
                    Some(name) => f.pad(name),
                    None => f.pad(&format!("unknown ({})", self.value())),
                }
            }
        }
    };
}

named_values! {
    /// `KTHREAD_STATE` (public phnt headers).
    ThreadState: u32 {
        0 => Initialized,
        1 => Ready,
        2 => Running,
        3 => Standby,
        4 => Terminated,
        5 => Waiting,
        6 => Transition,
        7 => DeferredReady,
        8 => GateWaitObsolete,
        9 => WaitingForProcessInSwap,
    }
}

named_values! {
    /// `KWAIT_REASON` (wdm.h up to `WrRundown`, then phnt).
    WaitReason: u32 {
        0 => Executive,
        1 => FreePage,
        2 => PageIn,
        3 => PoolAllocation,
        4 => DelayExecution,
        5 => Suspended,
        6 => UserRequest,
        7 => WrExecutive,
        8 => WrFreePage,
        9 => WrPageIn,
        10 => WrPoolAllocation,
        11 => WrDelayExecution,
        12 => WrSuspended,
        13 => WrUserRequest,
        14 => WrEventPair,
        15 => WrQueue,
        16 => WrLpcReceive,
        17 => WrLpcReply,
        18 => WrVirtualMemory,
        19 => WrPageOut,
        20 => WrRendezvous,
        21 => WrKeyedEvent,
        22 => WrTerminated,
        23 => WrProcessInSwap,
        24 => WrCpuRateControl,
        25 => WrCalloutStack,
        26 => WrKernel,
        27 => WrResource,
        28 => WrPushLock,
        29 => WrMutex,
        30 => WrQuantumEnd,
        31 => WrDispatchInt,
        32 => WrPreempted,
        33 => WrYieldExecution,
        34 => WrFastMutex,
        35 => WrGuardedMutex,
        36 => WrRundown,
        37 => WrAlertByThreadId,
        38 => WrDeferredPreempt,
        39 => WrPhysicalFault,
        40 => WrIoRing,
        41 => WrMdlCache,
        42 => WrRcu,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_comes_back_as_itself() {
        for value in 0..100 {
            assert_eq!(WaitReason::from(value).value(), value);
            assert_eq!(ThreadState::from(value).value(), value);
        }
    }

    #[test]
    fn names_are_those_of_windows() {
        assert_eq!(WaitReason::from(15).to_string(), "WrQueue");
        assert_eq!(WaitReason::from(37).to_string(), "WrAlertByThreadId");
        assert_eq!(ThreadState::from(5).to_string(), "Waiting");
    }

    #[test]
    fn a_value_of_a_newer_windows_keeps_its_number() {
        assert_eq!(WaitReason::from(77), WaitReason::Unknown(77));
        assert_eq!(WaitReason::from(77).to_string(), "unknown (77)");
        assert_eq!(ThreadState::from(12).name(), None);
    }
}

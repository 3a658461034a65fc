//! Codes of live dumps, sorted by code.
//!
//! Source: Microsoft's "Kernel live dump code reference" (48 codes for live
//! dumps only, 3 that are bugchecks too), and 0x11C8, documented elsewhere.
//! Undocumented codes exist.

use crate::code::Row;

const fn row(
    code: u32,
    name: &'static str,
    meaning: &'static str,
    parameters: [&'static str; 4],
) -> Row {
    Row { code, name, meaning, parameters }
}

/// The code a live dump asked for by an administrator customarily carries.
pub const LIVE_SYSTEM_DUMP: u32 = 0x161;

/// Codes that are bugchecks as well.
pub const ALSO_BUGCHECKS: [u32; 3] = [0x124, 0x144, 0x164];

/// Every documented code of a live dump.
pub const LIVE_DUMP_CODES: &[Row] = &[
    row(
        0xAB,
        "SESSION_HAS_VALID_POOL_ON_EXIT",
        "session unloaded while a session driver still held pool",
        [
            "session id",
            "bytes of paged pool leaked",
            "bytes of nonpaged pool leaked",
            "leaked allocations: nonpaged in the high half, paged in the low half",
        ],
    ),
    row(
        0x117,
        "VIDEO_TDR_TIMEOUT_DETECTED",
        "display driver did not answer in time",
        [
            "TDR recovery context",
            "pointer into the display driver",
            "key of the display driver",
            "internal context",
        ],
    ),
    row(
        0x124,
        "WHEA_UNCORRECTABLE_ERROR",
        "hardware error report",
        [
            "kind of error source: 0 machine check, 1 corrected machine check",
            "the WHEA error record",
            "status, high half",
            "status, low half",
        ],
    ),
    row(
        0x141,
        "VIDEO_ENGINE_TIMEOUT_DETECTED",
        "one GPU engine did not answer in time",
        [
            "TDR recovery context",
            "pointer into the display driver",
            "key of the display driver",
            "internal context",
        ],
    ),
    row(
        0x142,
        "VIDEO_TDR_APPLICATION_BLOCKED",
        "an application lost GPU access after repeated timeouts",
        [
            "TDR recovery context",
            "pointer into the display driver",
            "key of the display driver",
            "process id",
        ],
    ),
    row(
        0x144,
        "BUGCODE_USB3_DRIVER",
        "USB3 stack misuse or failure",
        [
            "subcode, such as 0x3003 for a failed enumeration",
            "context",
            "depends on the subcode",
            "depends on the subcode",
        ],
    ),
    row(
        0x156,
        "WINSOCK_DETECTED_HUNG_CLOSESOCKET_LIVEDUMP",
        "closing a socket never finished",
        [
            "AFD endpoint",
            "endpoint type: 1 UDP, 2 raw, 3 listener, 4 TCP",
            "bytes waiting to be sent",
            "AFD triage block",
        ],
    ),
    row(
        0x15C,
        "PDC_WATCHDOG_TIMEOUT_LIVEDUMP",
        "a power-coordinator client holds up connected standby",
        [
            "client id",
            "client type: 1 notification, 2 resiliency, 3 activator",
            "the client",
            "triage block",
        ],
    ),
    row(
        0x15D,
        "SOC_SUBSYSTEM_FAILURE_LIVEDUMP",
        "a subsystem of the SoC failed badly",
        ["details structure", "", "", "vendor data"],
    ),
    row(
        0x15E,
        "BUGCODE_NDIS_DRIVER_LIVE_DUMP",
        "network miniport trouble that can be recovered",
        ["kind of violation", "depends on the kind", "depends on the kind", "depends on the kind"],
    ),
    row(
        0x15F,
        "CONNECTED_STANDBY_WATCHDOG_TIMEOUT_LIVEDUMP",
        "too long out of the deepest idle state in standby",
        [
            "subcode: 1 deepest idle state, 2 device constraint",
            "depends on the subcode",
            "depends on the subcode",
            "depends on the subcode",
        ],
    ),
    row(
        0x161,
        "LIVE_SYSTEM_DUMP",
        "administrator asked for a live dump",
        ["who asked, as text: 0x005461736b6d6772 is Taskmgr", "", "", ""],
    ),
    row(
        0x164,
        "WIN32K_CRITICAL_FAILURE",
        "win32k critical failure",
        ["type", "depends on the type", "depends on the type", "depends on the type"],
    ),
    row(
        0x165,
        "CLUSTER_CSV_STATUS_IO_TIMEOUT_LIVEDUMP",
        "shared-volume I/O on the coordinator too slow",
        ["cluster service process id", "node id", "", ""],
    ),
    row(
        0x166,
        "CLUSTER_RESOURCE_CALL_TIMEOUT_LIVEDUMP",
        "cluster resource call does not return",
        ["resource host process id", "thread id", "call type, 1 to 14", "control code"],
    ),
    row(
        0x167,
        "CLUSTER_CSV_SNAPSHOT_DEVICE_INFO_TIMEOUT_LIVEDUMP",
        "snapshot device query timed out",
        ["process id", "thread id", "1 volume active, 2 after taking it down", ""],
    ),
    row(
        0x168,
        "CLUSTER_CSV_STATE_TRANSITION_TIMEOUT_LIVEDUMP",
        "volume state change too slow",
        [
            "process id",
            "target state: 0 init, 1 paused, 2 draining, 3 set down level, 4 active",
            "",
            "",
        ],
    ),
    row(
        0x169,
        "CLUSTER_CSV_VOLUME_ARRIVAL_LIVEDUMP",
        "new volume device not there in time",
        ["process id", "", "", ""],
    ),
    row(
        0x16A,
        "CLUSTER_CSV_VOLUME_REMOVAL_LIVEDUMP",
        "volume removal too slow",
        ["process id", "", "", ""],
    ),
    row(
        0x16B,
        "CLUSTER_CSV_CLUSTER_WATCHDOG_LIVEDUMP",
        "cluster service thread makes no progress",
        ["process id", "thread id", "", ""],
    ),
    row(
        0x16F,
        "CLUSTER_CSV_STATE_TRANSITION_INTERVAL_TIMEOUT_LIVEDUMP",
        "interval of a state change exceeded",
        [
            "process id",
            "target state: 0 init, 1 paused, 2 draining, 3 set down level, 4 active",
            "",
            "",
        ],
    ),
    row(
        0x175,
        "PREVIOUS_FATAL_ABNORMAL_RESET_ERROR",
        "(phone) machine was reset abnormally before, e.g. hardware watchdog",
        ["reserved", "reserved", "reserved", "reserved"],
    ),
    row(
        0x179,
        "CLUSTER_CLUSPORT_STATUS_IO_TIMEOUT_LIVEDUMP",
        "initiator saw target I/O time out",
        ["the IRP", "", "", ""],
    ),
    row(
        0x17C,
        "PDC_LOCK_WATCHDOG_LIVEDUMP",
        "a thread keeps the power-coordinator lock",
        ["the thread", "timeout in milliseconds", "", ""],
    ),
    row(
        0x17D,
        "PDC_UNEXPECTED_REVOCATION_LIVEDUMP",
        "an activator reference was revoked unexpectedly",
        ["client id", "the client", "the activation", "process information"],
    ),
    row(
        0x187,
        "VIDEO_DWMINIT_TIMEOUT_FALLBACK_BDD",
        "DWM failed to start, basic display used",
        ["reason: 1", "", "", ""],
    ),
    row(
        0x188,
        "CLUSTER_CSVFS_LIVEDUMP",
        "shared-volume file system cache purge/flush problem",
        ["reason, 1 to 4", "stream control block", "", ""],
    ),
    row(
        0x190,
        "WIN32K_CRITICAL_FAILURE_LIVEDUMP",
        "win32k found a critical failure",
        ["type", "depends on the type", "depends on the type", "depends on the type"],
    ),
    row(
        0x193,
        "VIDEO_DXGKRNL_LIVEDUMP",
        "graphics kernel detected a problem",
        ["reason: 0x100 internal", "", "", ""],
    ),
    row(
        0x195,
        "SMB_SERVER_LIVEDUMP",
        "SMB server I/O too slow",
        ["reason: 1", "work item", "", ""],
    ),
    row(
        0x198,
        "UFX_LIVEDUMP",
        "USB function controller: class driver did not activate the bus",
        ["type: 1", "mask of enumerated drivers", "mask of activated drivers", ""],
    ),
    row(
        0x19D,
        "CLUSTER_SVHDX_LIVEDUMP",
        "shared virtual disk mount failed",
        ["reason: 1", "context", "file object", "status"],
    ),
    row(
        0x1A1,
        "WIN32K_CALLOUT_WATCHDOG_LIVEDUMP",
        "a win32k callout did not return",
        ["the thread", "", "", ""],
    ),
    row(
        0x1A3,
        "CALL_HAS_NOT_RETURNED_WATCHDOG_TIMEOUT_LIVEDUMP",
        "a watched call is still running",
        ["the process", "the thread", "timeout in milliseconds", "the watchdog"],
    ),
    row(
        0x1A4,
        "DRIPS_SW_HW_DIVERGENCE_LIVEDUMP",
        "hardware idle time lags software idle time",
        ["software idle time in microseconds", "hardware idle time in microseconds", "", ""],
    ),
    row(
        0x1A5,
        "USB_DRIPS_BLOCKER_SURPRISE_REMOVAL_LIVEDUMP",
        "USB device blocks standby and will be removed",
        ["physical device object", "", "", ""],
    ),
    row(
        0x1A6,
        "BLUETOOTH_ERROR_RECOVERY_LIVEDUMP",
        "Bluetooth radio is being reset",
        ["physical device object", "", "", ""],
    ),
    row(
        0x1A7,
        "SMB_REDIRECTOR_LIVEDUMP",
        "SMB client I/O too slow",
        ["reason: 1", "the connection", "", ""],
    ),
    row(
        0x1A8,
        "VIDEO_DXGKRNL_BLACK_SCREEN_LIVEDUMP",
        "black screen seen by graphics kernel",
        [
            "source: 1 hotkey, 2 volume buttons, 4 internal, 8 long power press, 9 test, 10 no path for the monitor",
            "",
            "",
            "",
        ],
    ),
    row(
        0x1A9,
        "DIRECTED_FX_TRANSITION_LIVEDUMP",
        "directed power change of a device too slow",
        ["the device", "1 power down, 0 power up", "", ""],
    ),
    row(
        0x1B0,
        "VIDEO_MINIPORT_FAILED_LIVEDUMP",
        "video miniport failed",
        ["reason: 1 add device, 2 start device", "status", "", ""],
    ),
    row(
        0x1B8,
        "VIDEO_MINIPORT_BLACK_SCREEN_LIVEDUMP",
        "black screen seen by miniport",
        ["source: 1, 2, 4 or 8", "", "", ""],
    ),
    row(
        0x1C4,
        "DRIVER_VERIFIER_DETECTED_VIOLATION_LIVEDUMP",
        "verifier rule broken, live-dump mode",
        [
            "the rule that was broken",
            "depends on the rule",
            "depends on the rule",
            "depends on the rule",
        ],
    ),
    row(
        0x1C5,
        "IO_THREADPOOL_DEADLOCK_LIVEDUMP",
        "kernel worker pool seems deadlocked",
        ["pool number", "work queue", "", ""],
    ),
    row(
        0x1C9,
        "USER_MODE_HEALTH_MONITOR_LIVEDUMP",
        "critical user process failed its health check",
        ["the process", "timeout in seconds", "source of the watchdog", ""],
    ),
    row(
        0x1CC,
        "EXRESOURCE_TIMEOUT_LIVEDUMP",
        "wait on an executive resource too long",
        ["the resource", "the thread", "contention count", "timeout in seconds"],
    ),
    row(
        0x1D1,
        "TELEMETRY_ASSERTS_LIVEDUMP",
        "an internal assert fired",
        [
            "relative address of the assert",
            "module name",
            "timestamp of the module",
            "size of the module",
        ],
    ),
    row(
        0x1D4,
        "UCMUCSI_LIVEDUMP",
        "USB-C connector firmware command failed",
        ["type: 0 timeout, 1 failure", "the command", "triage information", ""],
    ),
    row(
        0x1E1,
        "DEVICE_DIAGNOSTIC_LOG_LIVEDUMP",
        "device driver collects a diagnostic log",
        ["", "", "", ""],
    ),
    row(
        0x1F5,
        "APPLICATION_HANG_KERNEL_LIVEDUMP",
        "hung app could not be terminated; triage of that process's kernel threads",
        ["reserved", "reserved", "reserved", "reserved"],
    ),
    row(
        0x11C8,
        "MANUALLY_INITIATED_POWER_BUTTON_HOLD_LIVE_DUMP",
        "user held the power button to ask for a live dump",
        ["", "", "", ""],
    ),
    row(
        0x21C8,
        "MANUALLY_INITIATED_BLACKSCREEN_HOTKEY_LIVE_DUMP",
        "user pressed Ctrl+Shift+Win+B",
        ["reserved", "reserved", "reserved", "reserved"],
    ),
];

//! Class 37, SysDbgGetLiveKernelDump: sections 1.4 to 1.7 of the interface specification.

use std::sync::atomic::Ordering;
use std::time::Duration;

use super::{Kernel, Objects, RawCall};
use crate::bytes::{get32, get64};
use crate::dump::{Bugcheck, Content, LiveFile, Sink};
use crate::scenario::Fault;
use crate::status;

const V1_SIZE: usize = 64;
const V2_SIZE: usize = 72;
const SELECTIVE_SIZE: usize = 48;
/// Windows 11 22H2: the 72-byte structure, and user pages without a debugger.
const SERVICED_WINDOWS_11: u32 = 22621;
const WINDOWS_11: u32 = 22000;
const REDSTONE_4: u32 = 17134;

const FILE_WRITE_DATA: u32 = 0x2;
const SYNCHRONIZE_AND_QUERY_STATE: u32 = 0x0010_0001;

const USER_PAGES: u32 = 0x4;
const ABORT_IF_MEMORY_PRESSURE: u32 = 0x8;
const SELECTIVE: u32 = 0x10;
const HYPERVISOR: u32 = 0x1;
const NONESSENTIAL_HYPERVISOR: u32 = 0x2;

/// SYSDBG_LIVEDUMP_CONTROL by its 64-bit offsets.
struct Control {
    version: u32,
    bugcheck: Bugcheck,
    file: u64,
    cancel: u64,
    flags: u32,
    add_pages: u32,
    /// `None` in the 64-byte structure.
    selective: Option<u64>,
}

impl Control {
    fn read(input: &[u8]) -> Self {
        Self {
            version: get32(input, 0),
            bugcheck: Bugcheck {
                code: get32(input, 4),
                parameters: [8, 16, 24, 32].map(|at| get64(input, at)),
            },
            file: get64(input, 40),
            cancel: get64(input, 48),
            flags: get32(input, 56),
            add_pages: get32(input, 60),
            selective: (input.len() >= V2_SIZE).then(|| get64(input, 64)),
        }
    }

    fn has(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }
}

impl Kernel {
    pub(super) fn live_dump(&self, call: &RawCall<'_>, objects: &dyn Objects) -> u32 {
        let result =
            self.check_live_dump(call, objects).and_then(|control| self.capture(&control, objects));
        match result {
            Ok(status) | Err(status) => status,
        }
    }

    fn check_live_dump(&self, call: &RawCall<'_>, objects: &dyn Objects) -> Result<Control, u32> {
        if call.output_length != 0 || !self.accepts_length(call.input.len()) {
            return Err(status::INFO_LENGTH_MISMATCH);
        }
        let control = Control::read(call.input);
        if control.file == 0 {
            return Err(status::INVALID_PARAMETER);
        }
        if control.has(SELECTIVE) {
            check_selective(&control, objects)?;
        }
        if !self.knows_flags(&control) {
            return Err(status::NOT_IMPLEMENTED);
        }
        let old = self.scenario.build < SERVICED_WINDOWS_11;
        if control.has(USER_PAGES) && old && !self.scenario.has(Fault::Debugger) {
            return Err(status::DEBUGGER_INACTIVE);
        }
        self.check_policy()?;
        check_file(control.file, objects)?;
        check_cancel(control.cancel, objects)?;
        Ok(control)
    }

    fn accepts_length(&self, length: usize) -> bool {
        let new = self.scenario.build >= SERVICED_WINDOWS_11 && !self.scenario.has(Fault::V1Only);
        length == V1_SIZE || (new && length == V2_SIZE)
    }

    fn knows_flags(&self, control: &Control) -> bool {
        let build = self.scenario.build;
        let mut flags = 0x7;
        flags |= if build >= REDSTONE_4 { ABORT_IF_MEMORY_PRESSURE } else { 0 };
        flags |= if build >= WINDOWS_11 { SELECTIVE } else { 0 };
        let pages =
            if build >= WINDOWS_11 { HYPERVISOR | NONESSENTIAL_HYPERVISOR } else { HYPERVISOR };
        control.flags & !flags == 0 && control.add_pages & !pages == 0
    }

    fn check_policy(&self) -> Result<(), u32> {
        if self.scenario.has(Fault::ReportsOff) {
            return Err(status::CONTENT_BLOCKED);
        }
        if self.scenario.has(Fault::PolicyOff) {
            return Err(status::NOT_SUPPORTED);
        }
        Ok(())
    }

    fn capture(&self, control: &Control, objects: &dyn Objects) -> Result<u32, u32> {
        let attempt = self.count_attempt();
        let busy = self.scenario.has(Fault::AlwaysBusy)
            || (self.scenario.has(Fault::BusyThenOk) && attempt < 2);
        let lock = self.lock().filter(|_| !busy).ok_or(status::RETRY)?;
        let partial = self.check_memory(control)?;
        if self.scenario.has(Fault::UnknownStatus) {
            return Err(status::UNHEARD_OF);
        }
        let image = self.image();
        let content = self.content(control, partial);
        let file = LiveFile::new(&image, content);
        self.mirror_and_corral(&file)?;
        self.write(control, &file, objects)?;
        drop(lock);
        Ok(if partial { status::MORE_ENTRIES } else { status::SUCCESS })
    }

    /// Whether the dump will be partial.
    fn check_memory(&self, control: &Control) -> Result<bool, u32> {
        if self.scenario.has(Fault::LowMemory) {
            return Err(status::INSUFFICIENT_RESOURCES);
        }
        let pressure = self.scenario.has(Fault::MemoryPressure);
        if pressure && control.has(ABORT_IF_MEMORY_PRESSURE) {
            return Err(status::REQUEST_ABORTED);
        }
        Ok((pressure || self.scenario.has(Fault::Partial)) && !control.has(SELECTIVE))
    }

    fn content(&self, control: &Control, partial: bool) -> Content {
        let nonessential = control.add_pages & NONESSENTIAL_HYPERVISOR != 0;
        Content {
            user: control.has(USER_PAGES),
            hypervisor: control.add_pages & HYPERVISOR != 0 || nonessential,
            nonessential_hypervisor: nonessential,
            stacks_only: control.has(SELECTIVE),
            partial,
            encrypted: self.scenario.has(Fault::Encrypted),
            drop_last_page: self.scenario.has(Fault::Truncated),
        }
    }

    /// The system runs while memory is copied, and stands still for what is left.
    fn mirror_and_corral(&self, file: &LiveFile<'_>) -> Result<(), u32> {
        const COPIED_IN_A_MILLISECOND: u64 = 4 << 20;
        if file.copied() > 0 {
            self.wait(Duration::from_millis(200 + file.copied() / COPIED_IN_A_MILLISECOND));
        }
        if self.scenario.has(Fault::CaptureTimeout) {
            self.wait(Duration::from_secs(5));
            return Err(status::OPERATION_IN_PROGRESS);
        }
        self.wait(Duration::from_millis(30));
        Ok(())
    }

    fn write(
        &self,
        control: &Control,
        file: &LiveFile<'_>,
        objects: &dyn Objects,
    ) -> Result<(), u32> {
        let mut writer = Writer::new(self, control, file, objects);
        let chunk = writer.chunk;
        file.write_body(chunk, &mut writer)?;
        if self.scenario.has(Fault::BadHeader) {
            return Ok(());
        }
        let mut header = file.header(control.bugcheck, self.ticks(), &self.scenario.text);
        writer.put(0, &mut header)
    }
}

fn check_selective(control: &Control, objects: &dyn Objects) -> Result<(), u32> {
    let pointer = control.selective.unwrap_or(0);
    if pointer == 0 || control.version < 2 || control.add_pages != 0 {
        return Err(status::INVALID_PARAMETER);
    }
    let inner = objects.read_memory(pointer, SELECTIVE_SIZE)?;
    let right = get32(&inner, 0) == 1
        && get32(&inner, 4) as usize == SELECTIVE_SIZE
        && get64(&inner, 8) < 2;
    if right { Ok(()) } else { Err(status::INVALID_PARAMETER) }
}

fn check_file(handle: u64, objects: &dyn Objects) -> Result<(), u32> {
    let file = objects.file(handle)?;
    if file.granted & FILE_WRITE_DATA == 0 {
        return Err(status::ACCESS_DENIED);
    }
    if file.synchronous { Ok(()) } else { Err(status::INVALID_PARAMETER) }
}

fn check_cancel(handle: u64, objects: &dyn Objects) -> Result<(), u32> {
    if handle == 0 {
        return Ok(());
    }
    let granted = objects.event(handle)?.granted;
    if granted & SYNCHRONIZE_AND_QUERY_STATE == SYNCHRONIZE_AND_QUERY_STATE {
        Ok(())
    } else {
        Err(status::ACCESS_DENIED)
    }
}

/// Writes chunks: the only place where a cancel is seen, and where volumes fail.
struct Writer<'a> {
    kernel: &'a Kernel,
    objects: &'a dyn Objects,
    file: u64,
    cancel: u64,
    chunk: usize,
    length: u64,
    stalled: bool,
}

const OLD_CHUNK: usize = 256 << 10;
const NEW_CHUNK: usize = 2 << 20;
const SLOW_WRITE: Duration = Duration::from_secs(30);
/// Of the machine's time; shorter where that is real.
const STALL: Duration = Duration::from_secs(120);
const REAL_STALL: Duration = Duration::from_secs(12);
/// Long enough for whoever watches the volume.
const LOW_VOLUME_WRITE: Duration = Duration::from_secs(10);

impl<'a> Writer<'a> {
    fn new(
        kernel: &'a Kernel,
        control: &Control,
        file: &LiveFile<'_>,
        objects: &'a dyn Objects,
    ) -> Self {
        let scenario = &kernel.scenario;
        let old = scenario.build < WINDOWS_11 || scenario.has(Fault::SlowWriter);
        Self {
            kernel,
            objects,
            file: control.file,
            cancel: control.cancel,
            chunk: if old { OLD_CHUNK } else { NEW_CHUNK },
            length: file.length(),
            stalled: false,
        }
    }

    fn time_of(&self, bytes: usize) -> Duration {
        const BYTES_IN_A_MICROSECOND: u64 = 1000;
        let bytes = bytes as u64;
        if self.kernel.scenario.has(Fault::SlowWriter) {
            SLOW_WRITE.mul_f64(bytes as f64 / self.length as f64)
        } else {
            Duration::from_micros(bytes / BYTES_IN_A_MICROSECOND)
        }
    }

    /// What befalls the volume once, in the middle of the file.
    fn stall(&self) {
        let scenario = &self.kernel.scenario;
        if scenario.has(Fault::StalledVolume) {
            self.kernel.wait(if scenario.real_time { REAL_STALL } else { STALL });
        }
        if scenario.has(Fault::VolumeRunsLow) {
            self.kernel.volume_is_low.store(true, Ordering::SeqCst);
            self.kernel.wait(LOW_VOLUME_WRITE);
        }
    }

    fn put(&self, offset: u64, bytes: &mut [u8]) -> Result<(), u32> {
        if let Some(sector) = self.objects.file(self.file)?.sector {
            let sector = u64::from(sector.max(1));
            if !offset.is_multiple_of(sector) || !(bytes.len() as u64).is_multiple_of(sector) {
                return Err(status::INVALID_PARAMETER);
            }
        }
        self.objects.write(self.file, offset, bytes)
    }
}

impl Sink for Writer<'_> {
    fn chunk(&mut self, offset: u64, bytes: &mut [u8]) -> Result<(), u32> {
        if self.cancel != 0 && self.objects.is_set(self.cancel) {
            return Err(status::CANCELLED);
        }
        let scenario = &self.kernel.scenario;
        let middle = offset + bytes.len() as u64 > self.length / 2;
        if middle && (scenario.has(Fault::DiskFull) || scenario.has(Fault::Fat32)) {
            return Err(status::DISK_FULL);
        }
        if middle && !self.stalled {
            self.stalled = true;
            self.stall();
        }
        self.kernel.wait(self.time_of(bytes.len()));
        self.put(offset, bytes)
    }
}

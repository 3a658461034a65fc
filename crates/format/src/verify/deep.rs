//! Checks that read all stored memory, and look up what the header names.

use memory::{VirtualAddress, VirtualMemory};

use super::{Check, Verifier, sum};
use crate::runs::Runs;
use crate::space::DEBUGGER_BLOCK;
use crate::{Attributes, DebuggerSizes, DumpType, Error};

/// How far behind its start an image's `PE` header can lie.
const MAX_LFANEW: u32 = 0x1000;

impl Verifier<'_, '_> {
    pub(super) fn deep(&mut self) {
        if matches!(self.dump.kind(), DumpType::HeaderOnly | DumpType::Unknown(_)) {
            return;
        }
        self.sum();
        self.installed();
        match self.dump.kernel_memory() {
            Ok(memory) => self.kernel(&memory),
            // What the structure says of it was said.
            Err(Error::NoTranslation { machine }) => {
                let text = format!("page tables of {machine} machines are not understood");
                let check = Check::new("kernel.memory", text).at(self.field(0x30, 0x20));
                self.checks.note(check.found(machine));
            }
            Err(error) => self.unread("kernel.memory", &error),
        }
    }

    /// Reads all that lies between the header and the secondary data.
    fn sum(&mut self) {
        let file = self.dump.file_length();
        let Ok(end) = self.dump.body_end() else { return };
        let start = match self.dump.kind() {
            DumpType::Triage => self.start(),
            kind if kind == DumpType::Full || kind.is_ranges() => {
                self.dump.runs().map_or(file, |runs| runs.start)
            }
            _ => self.dump.bitmap().map_or(file, |bitmap| bitmap.first_page_offset()),
        };
        let end = end.min(file);
        let start = start.min(end);
        match sum::crc32(*self.dump.source(), start, end) {
            Ok(sum) => {
                let text = format!("all {} bytes of stored memory were read", end - start);
                let found = format!("CRC-32 {sum:08x}");
                self.checks.pass(Check::new("memory.sum", text).at(start).found(found));
            }
            Err(error) => self.broken("memory.sum", &error),
        }
    }

    /// How much of the machine's memory there is: no fault, whatever it is.
    fn installed(&mut self) {
        let installed = Runs::installed(self.dump.source(), self.dump.header().width);
        let stored = match self.dump.kind() {
            DumpType::Triage => return,
            kind if kind == DumpType::Full || kind.is_ranges() => {
                self.dump.runs().map(|runs| runs.total()).ok()
            }
            _ => self.dump.bitmap().and_then(|bitmap| bitmap.count()).ok(),
        };
        let Some((stored, (installed, _))) = stored.zip(installed) else { return };
        let what = match self.dump.kind() {
            kind if kind.is_complete() => "",
            _ => ": a dump of this kind leaves out what is no kernel memory, or not in use",
        };
        let text = format!("{stored} of the machine's {installed} pages are stored{what}");
        self.checks.note(Check::new("memory.installed", text).at(self.field(0x88, 0x64)));
    }

    fn kernel(&mut self, memory: &dyn VirtualMemory) {
        let header = self.dump.header();
        let offset = self.field(0x80, 0x60);
        let check = |text: &str| Check::new("kernel.debugger_block", text).at(offset);
        let Some(address) = header.kd_debugger_data_block.filter(|address| address.0 != 0) else {
            return self.checks.note(check("the header names no debugger block"));
        };
        let mut block = [0; DEBUGGER_BLOCK];
        if let Err(error) = memory.read_virtual(address, &mut block) {
            return self.promised(check("the debugger block is not in the dump").found(error));
        }
        let Some(sizes) = DebuggerSizes::of(&block) else {
            let text = "the debugger block is not in clear: it is encoded as in a running system, \
                        or something else";
            return self.checks.note(check(text).expected("KDBG").found(address));
        };
        self.checks.pass(check("the debugger block is in clear").found(address));
        let pairs = [
            (
                ("PsLoadedModuleList", self.field(0x20, 0x18)),
                header.ps_loaded_module_list,
                sizes.ps_loaded_module_list,
            ),
            (
                ("PsActiveProcessHead", self.field(0x28, 0x1C)),
                header.ps_active_process_head,
                sizes.ps_active_process_head,
            ),
        ];
        for (field, ours, theirs) in pairs {
            self.agrees(field, ours, theirs);
        }
        match sizes.kernel_base {
            Some(base) => self.image(memory, base),
            None => self.checks.note(Check::new("kernel.base", "the kernel's base is not known")),
        }
    }

    /// Whether the header and the debugger block name the same address.
    fn agrees(
        &mut self,
        (name, offset): (&str, u64),
        ours: Option<VirtualAddress>,
        theirs: Option<VirtualAddress>,
    ) {
        let width = self.dump.header().width;
        let Some((ours, theirs)) = ours.zip(theirs) else { return };
        let check = Check::new(&format!("kernel.{name}"), format!("{name} is the same in both"));
        let check = check.at(offset).expected(width.address(theirs.0)).found(width.address(ours.0));
        if width.address(ours.0) == width.address(theirs.0) {
            return self.checks.pass(check);
        }
        let text = format!("the header and the debugger block name different {name}s");
        self.checks.fail(Check { text, ..check });
    }

    /// Whether an image begins at the kernel's base.
    fn image(&mut self, memory: &dyn VirtualMemory, base: VirtualAddress) {
        let check = |text: &str| Check::new("kernel.base", text).found(base);
        let mut start = [0; 0x40];
        if let Err(error) = memory.read_virtual(base, &mut start) {
            return self.promised(check("the kernel's first page is not in the dump").found(error));
        }
        let [b'M', b'Z', .., a, b, c, d] = start else {
            let text = format!(
                "no image begins at {base}, where the debugger block says that the kernel does"
            );
            // Pages may be what they were in memory and still no image: some
            // programs wipe this header.
            let found = format!("{:02x} {:02x}", start[0], start[1]);
            return self.checks.warn(check(&text).expected("4d 5a (MZ)").found(found));
        };
        let header = u32::from_le_bytes([a, b, c, d]);
        let mut signature = [0; 4];
        let place = base.checked_add(header.into()).filter(|_| header < MAX_LFANEW);
        let read = place.is_some_and(|at| memory.read_virtual(at, &mut signature).is_ok());
        if read && &signature == b"PE\0\0" {
            self.checks.pass(check("the kernel's image begins at its base"));
        } else {
            let text = "the kernel's image begins with MZ, its PE header is not in the dump";
            self.checks.note(check(text));
        }
    }

    /// Something is missing that every dump with pages has; triage dumps and
    /// those that say that much was left out never promised it.
    fn promised(&mut self, check: Check) {
        let header = self.dump.header();
        let sparse = header.has(Attributes::SELECTIVE) || header.has(Attributes::PARTIAL);
        if sparse || self.dump.kind() == DumpType::Triage {
            self.checks.note(check);
        } else {
            self.checks.warn(check);
        }
    }
}

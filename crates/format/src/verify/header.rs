//! Checks of the dump header.

use super::{Check, Verifier};
use crate::{Attributes, DumpType, Machine, Width};

/// More logical processors than any Windows has: beyond, the field is damaged.
const MAX_PROCESSORS: u32 = 2048;

impl Verifier<'_, '_> {
    pub(super) fn header(&mut self) {
        let header = self.dump.header();
        let bits = if header.width == Width::Bits64 { 64 } else { 32 };
        let found = format!("{bits}-bit, {}", header.machine_image_type);
        self.checks
            .pass(Check::new("header.signature", "the signature is right").at(0).found(found));
        self.kind_field();
        self.machine();
        self.processors();
        self.code();
        self.times();
        self.pointers();
        self.required_space();
        self.writer_status();
        self.attributes();
    }

    fn kind_field(&mut self) {
        let kind = self.dump.kind();
        let check = Check::new("header.type", kind.to_string())
            .at(self.field(0xF98, 0xF88))
            .found(kind.value());
        match kind {
            DumpType::Unknown(_) => self.checks.fail(check.expected("1 to 10")),
            _ => self.checks.pass(check),
        }
    }

    fn machine(&mut self) {
        let machine = self.dump.header().machine_image_type;
        let check = Check::new("header.machine", machine.to_string()).at(self.field(0x30, 0x20));
        match machine.width() {
            Some(width) if width == self.dump.header().width => self.checks.pass(check),
            Some(_) => self.checks.fail(check.expected("a machine of the header's width")),
            None => {
                let value = match machine {
                    Machine::Unknown(value) => value,
                    _ => 0,
                };
                self.checks.fail(check.expected("0x8664, 0xaa64, ...").found_hex(value));
            }
        }
    }

    fn processors(&mut self) {
        let count = self.dump.header().number_processors;
        let check =
            Check::new("header.processors", "number of processors").at(self.field(0x34, 0x24));
        match count {
            Some(1..=MAX_PROCESSORS) => self.checks.pass(check.found(count.unwrap_or_default())),
            Some(count) => {
                self.checks.fail(check.expected(format!("1 to {MAX_PROCESSORS}")).found(count));
            }
            None => self.checks.note(check.found("never filled")),
        }
    }

    /// The code with its name, and what its parameters say.
    fn code(&mut self) {
        let header = self.dump.header();
        let offset = self.field(0x38, 0x28);
        let Some(code) = header.bug_check_code else {
            return self.checks.note(
                Check::new("header.code", "the header has no code")
                    .at(offset)
                    .found("never filled"),
            );
        };
        let reading = crate::info::reading(header);
        let text = crate::info::code_text(code, reading.as_ref());
        self.checks.pass(Check::new("header.code", text).at(offset).found_hex(code));
        let meanings = reading.as_ref().map(crate::info::parameter_meanings).unwrap_or_default();
        let told = (1..).zip(&meanings).filter(|(_, meaning)| !meaning.is_empty());
        let told: Vec<String> = told.map(|(number, text)| format!("{number}: {text}")).collect();
        let text = match told.is_empty() {
            true => "the code's parameters".to_owned(),
            false => told.join("; "),
        };
        let check = Check::new("header.parameters", text).at(self.field(0x40, 0x2C));
        self.checks.pass(check.found(crate::info::parameters(header).join(" ")));
    }

    fn times(&mut self) {
        let header = self.dump.header();
        let (time, uptime) = (header.system_time, header.system_up_time);
        let check = Check::new("header.time", "system time").at(self.field(0xFA8, 0xFC0));
        match time.map(|time| (time, time.iso8601())) {
            Some((_, Some(text))) => self.checks.pass(check.found(text)),
            Some((time, None)) => {
                self.checks.note(check.expected("a time of a calendar").found_hex(time.0));
            }
            None => self.checks.note(check.found("never filled")),
        }
        if let (Some(time), Some(uptime)) = (time, uptime)
            && time.0 != 0
            && uptime > time.0
        {
            let text = "the machine ran longer than there is a calendar";
            let check = Check::new("header.uptime", text).at(self.field(0x1030, 0xFB8));
            self.checks.note(check.found_hex(uptime));
        }
    }

    /// The addresses that a debugger starts from lie in the kernel's half.
    fn pointers(&mut self) {
        let header = self.dump.header();
        if header.width == Width::Bits32 {
            return;
        }
        let pointers = [
            ("PsLoadedModuleList", 0x20, header.ps_loaded_module_list),
            ("PsActiveProcessHead", 0x28, header.ps_active_process_head),
            ("KdDebuggerDataBlock", 0x80, header.kd_debugger_data_block),
        ];
        for (name, offset, address) in pointers {
            let check = Check::new(&format!("header.{name}"), name).at(offset);
            match address {
                Some(address) if address.is_kernel() => self.checks.pass(check.found(address)),
                Some(address) => {
                    let text =
                        format!("{name} is no kernel address: a debugger may find no such list");
                    self.checks.note(Check { text, ..check.found(address) });
                }
                None => self.checks.note(check.found("never filled")),
            }
        }
    }

    fn required_space(&mut self) {
        let Some(required) = self.dump.header().required_dump_space else { return };
        let check = Check::new("header.required_space", "RequiredDumpSpace")
            .at(0xFA0)
            .found(format!("{required} bytes"));
        let file = self.dump.file_length();
        if required <= file {
            return self.checks.pass(check);
        }
        let text = format!(
            "the header wanted {required} bytes and the file has {file}, which whole dumps do too \
             whose secondary data was cut down"
        );
        self.checks.note(Check { text, ..check });
    }

    /// Warnings and errors have the highest bit; 0x105 (STATUS_MORE_ENTRIES)
    /// is what the call answers for a partial live dump.
    fn writer_status(&mut self) {
        let header = self.dump.header();
        let (writer, secondary) = (header.writer_status, header.secondary_data_state);
        if let Some(status) = writer {
            let check = Check::new("header.writer_status", "the writer said success")
                .at(self.field(0x1048, 0xF9C))
                .expected("0x0")
                .found_hex(status);
            let text = format!("the writer of the dump left the status {}", nt::NtStatus(status));
            match status {
                0 => self.checks.pass(check),
                0x105 | 0x8000_0000.. => self.checks.warn(Check { text, ..check }),
                _ => self.checks.note(Check { text, ..check }),
            }
        }
        if let Some(status) = secondary.filter(|status| *status != 0) {
            let text = format!("secondary data was left with the status {}", nt::NtStatus(status));
            let check = Check::new("header.secondary_data_state", text);
            self.checks.note(check.at(self.field(0x103C, 0xF90)).found_hex(status));
        }
    }

    fn attributes(&mut self) {
        let Some(attributes) = self.dump.header().attributes else { return };
        let offset = self.field(0x1050, 0x8A0);
        let bits = attributes.bits();
        let check = |name: &str, text: &str| Check::new(name, text).at(offset).found_hex(bits);
        self.checks.pass(check("header.attributes", "attributes"));
        if attributes.contains(Attributes::LIVE_DUMP_GENERATED_DUMP) {
            self.checks.note(check("header.live", "a live dump: nothing crashed"));
        }
        if attributes.contains(Attributes::ENCRYPTED_DUMP_DATA) {
            self.checks.warn(check("header.encrypted", "everything below the header is encrypted"));
        }
        if attributes.contains(Attributes::SELECTIVE) {
            let text =
                "bit 0x4000 is set, which is reported to mean a selective dump: kernel stacks only";
            self.checks.note(check("header.selective", text));
        }
        if attributes.contains(Attributes::PARTIAL) {
            let text = "bit 0x8000 is set, which is reported to mean that pages were left out";
            self.checks.warn(check("header.partial", text));
        }
        // Triage dumps made from a larger file carry this bit and are whole.
        if attributes.contains(Attributes::INSUFFICIENT_DUMPFILE_SIZE) {
            let text = "the dump file was too small for all that should be in it";
            let check = check("header.insufficient_size", text);
            match self.dump.kind() {
                DumpType::Triage => self.checks.note(check),
                _ => self.checks.warn(check),
            }
        }
        if attributes.unknown() != 0 {
            let text = "attribute bits without a known name";
            self.checks
                .note(check("header.attributes_unknown", text).found_hex(attributes.unknown()));
        }
    }
}

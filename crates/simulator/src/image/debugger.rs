//! The debugger block, KDDEBUGGER_DATA64, and the variables that it points to.
//!
//! Source: dump-formats specification, section 10.1.

use crate::bytes::{get64, put, put16, put32, put64};
use crate::image::Image;
use crate::image::physical::Filler;
use crate::layout::fixed;
use crate::names;
use crate::random::Random;

const DEBUGGER_BLOCK_SIZE: usize = 0x380;
/// Offsets in the block of SizeEProcess, SizeEThread and SizePrcb.
const SIZE_OFFSETS: [usize; 3] = [0x2A8, 0x2C0, 0x2B0];

/// Fields that hold an address of some variable: each gets 0x10 bytes of its own.
const PLAIN_VARIABLES: &[usize] = &[
    0x58, 0x60, 0x68, 0x70, 0x78, 0x80, 0x90, 0x98, 0xA0, 0xA8, 0xB0, 0xB8, 0xC8, 0xD0, 0xD8, 0xE0,
    0xE8, 0xF0, 0xF8, 0x100, 0x108, 0x110, 0x118, 0x120, 0x128, 0x130, 0x140, 0x148, 0x150, 0x158,
    0x160, 0x168, 0x170, 0x178, 0x180, 0x188, 0x190, 0x198, 0x1A0, 0x1A8, 0x1B0, 0x1B8, 0x1C0,
    0x1C8, 0x1D0, 0x1D8, 0x1E0, 0x1E8, 0x1F0, 0x1F8, 0x200, 0x230, 0x238, 0x240, 0x248, 0x250,
    0x258, 0x260, 0x268, 0x270, 0x278, 0x280, 0x288, 0x290, 0x2C8, 0x2D0, 0x2D8, 0x308, 0x310,
    0x318, 0x320, 0x328, 0x330,
];

impl Image {
    pub(crate) fn build_debugger_block(&mut self, encoded: bool) {
        let mut block = vec![0; DEBUGGER_BLOCK_SIZE];
        put64(&mut block, 0, self.at.debugger_block);
        put64(&mut block, 8, self.at.debugger_block);
        put(&mut block, 0x10, b"KDBG");
        put32(&mut block, 0x14, DEBUGGER_BLOCK_SIZE as u32);
        for (number, field) in PLAIN_VARIABLES.iter().enumerate() {
            put64(&mut block, *field, self.at.variables + number as u64 * 0x10);
        }
        for (field, value) in [
            (0x18, self.at.kernel),
            (0x20, self.breakpoint()),
            (0x48, self.at.module_head),
            (0x50, self.at.process_head),
            (0x88, self.at.bugcheck_data),
            (0xC0, self.at.page_frame_variable),
            (0x138, 0x1000),
            (0x208, self.at.build_string),
            (0x218, self.at.processor_block),
            (0x220, self.at.unloaded),
            (0x228, self.at.last_unloaded),
            (0x360, self.table_base()),
        ] {
            put64(&mut block, field, value);
        }
        if let Some(resources) = self.variable_of("ExpSystemResourcesList") {
            put64(&mut block, 0x60, resources);
        }
        if self.real.is_some() {
            put64(&mut block, 0x38, self.function_of("KiCallUserMode"));
        }
        self.put_offsets(&mut block);
        self.debugger_block.clone_from(&block);
        if encoded {
            self.encode(&mut block);
        }
        self.space.write(self.at.debugger_block, &block);
        self.build_variables();
    }

    fn put_offsets(&self, block: &mut [u8]) {
        let layout = &self.layout;
        let context = usize::from(layout.processor_state) + fixed::SPECIAL_REGISTERS;
        for (field, offset) in [
            (0x29A, layout.fixed.teb),
            (0x29C, layout.fixed.kernel_stack),
            (0x29E, layout.fixed.initial_stack),
            (0x2A0, layout.fixed.apc_process),
            (0x2A2, layout.fixed.state),
            (SIZE_OFFSETS[0], layout.eprocess.into()),
            (0x2AA, layout.peb.into()),
            (0x2AC, layout.parent.into()),
            (0x2AE, layout.fixed.directory_table_base),
            (SIZE_OFFSETS[2], layout.prcb.into()),
            (0x2B4, layout.fixed.current_thread),
            (0x2B6, layout.fixed.mhz),
            (0x2BC, context),
            (0x2BE, layout.fixed.number),
            (SIZE_OFFSETS[1], layout.ethread.into()),
            (0x2E0, fixed::PRCB_IN_PCR + usize::from(layout.prcb)),
            (0x2E2, 0x18),
            (0x2E4, 0x20),
            (0x2E6, fixed::PRCB_IN_PCR),
            (0x2F2, layout.processor_state.into()),
            (0x338, layout.context_pointer.into()),
            (0x350, layout.fixed.idle_thread),
            (0x354, layout.dpc_stack.into()),
            (0x35C, layout.fixed.wait_reason),
        ] {
            put16(block, field, offset as u16);
        }
        put32(block, 0x340, layout.fixed.stack_limit as u32);
        put32(block, 0x344, layout.fixed.stack_base as u32);
    }

    /// As a running system keeps it: section 10.1 has the way back.
    fn encode(&mut self, block: &mut [u8]) {
        let mut random = Random::new(self.physical().seed, 5);
        let (never, always) = (random.next(), random.next());
        self.space.write64(self.at.keys, never);
        let always_at = self.variable_of("KiWaitAlways").unwrap_or(self.at.keys + 8);
        self.space.write64(always_at, always);
        self.space.write(self.at.encoded_flag, &[1]);
        for at in (0..block.len()).step_by(8) {
            let swapped = (get64(block, at) ^ always).swap_bytes() ^ self.at.encoded_flag;
            put64(block, at, swapped.rotate_right(never as u32 & 0xFF) ^ never);
        }
    }

    /// Some place in the code.
    fn breakpoint(&self) -> u64 {
        match &self.real {
            Some(_) => self.function_of("KeBugCheckEx"),
            None => self.at.kernel + 0x1_1800,
        }
    }

    fn variable(&self, field: usize) -> u64 {
        let number = PLAIN_VARIABLES.iter().position(|f| *f == field).unwrap_or(0);
        self.at.variables + number as u64 * 0x10
    }

    fn build_variables(&mut self) {
        let total = self.physical().total;
        let pool = self.physical().region(Filler::Pool).pages;
        self.space.write64(self.at.page_frame_variable, self.at.page_frames);
        for (field, value) in [
            (0x78, u64::from(crate::population::TICK)),
            (0xE8, 1),
            (0xF0, total - 1),
            (0xF8, total),
            (0x100, pool * 4096),
            (0x110, self.at.pool),
            (0x118, self.at.pool + pool * 4096),
            (0x1C8, 0x7fff_fffe_ffff),
            (0x1D0, 0xffff_8000_0000_0000),
            (0x1D8, 0x7fff_ffff_0000),
        ] {
            self.space.write64(self.variable(field), value);
        }
        let text = format!("{}.1.amd64fre.simulated.260302-0800\0", self.build);
        let text = if self.is_arm() { text.replace("amd64", "arm64") } else { text };
        self.space.write(self.at.build_string, text.as_bytes());
        self.space.write64(self.at.unloaded, self.at.unloaded_array);
        self.space.write(self.at.last_unloaded, &(names::UNLOADED.len() as u32).to_le_bytes());
        self.unloaded();
    }

    /// The array of drivers that were unloaded, and their names behind it.
    fn unloaded(&mut self) {
        const ENTRY: u64 = 0x28;
        let array = self.at.unloaded_array;
        let mut text = array + names::MOST_UNLOADED * ENTRY;
        for (number, name) in (0..).zip(names::UNLOADED) {
            // The newest is the last that was written.
            let place = names::UNLOADED.len() as u64 - 1 - number;
            let (entry, start) = (array + place * ENTRY, names::unloaded_at(&self.at, number));
            let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            let length = units.len() as u64;
            for (offset, value) in [
                (0, length | (length + 2) << 16),
                (8, text),
                (0x10, start),
                (0x18, start + names::UNLOADED_SIZE),
            ] {
                self.space.write64(entry + offset, value);
            }
            self.space.write(text, &units);
            text += length.next_multiple_of(8) + 8;
        }
    }
}

//! Whether types are this kernel's, where the dump has not the identity of its
//! PDB: by all that the dump tells of addresses and offsets.

use format::Dump;
use nt::kdbg::{self, Field};
use symbols::KernelSymbols;

use crate::debugger_block::DebuggerBlock;
use crate::encoded::Known;
use crate::files::HEADS;
use crate::layout::Types;
use crate::module::Module;
use crate::reader::{Reader, at};

/// Variables and functions that the debugger block names, by their symbols.
const ADDRESSES: &[(&str, Field)] =
    &[("KiCallUserMode", kdbg::KI_CALL_USER_MODE), ("KiProcessorBlock", kdbg::KI_PROCESSOR_BLOCK)];

/// Members whose offsets the debugger block has. (wdbgexts.h)
const OFFSETS: &[(&str, &str, Field)] = &[
    ("_KTHREAD", "KernelStack", kdbg::OFFSET_KTHREAD_KERNEL_STACK),
    ("_KTHREAD", "InitialStack", kdbg::OFFSET_KTHREAD_INITIAL_STACK),
    ("_KTHREAD", "StackBase", kdbg::OFFSET_KTHREAD_STACK_BASE),
    ("_KTHREAD", "StackLimit", kdbg::OFFSET_KTHREAD_STACK_LIMIT),
    ("_KTHREAD", "State", kdbg::OFFSET_KTHREAD_STATE),
    ("_KTHREAD", "WaitReason", kdbg::OFFSET_KTHREAD_WAIT_REASON),
    ("_KTHREAD", "Teb", kdbg::OFFSET_KTHREAD_TEB),
    ("_EPROCESS", "Peb", kdbg::OFFSET_EPROCESS_PEB),
    ("_EPROCESS", "InheritedFromUniqueProcessId", kdbg::OFFSET_EPROCESS_PARENT_CID),
    ("_KPRCB", "CurrentThread", kdbg::OFFSET_PRCB_CURRENT_THREAD),
    ("_KPRCB", "IdleThread", kdbg::OFFSET_PRCB_IDLETHREAD),
    ("_KPRCB", "Number", kdbg::OFFSET_PRCB_NUMBER),
    ("_KPRCB", "DpcStack", kdbg::OFFSET_PRCB_DPC_STACK),
];

/// Sizes that it has.
const SIZES: &[(&str, Field)] =
    &[("_EPROCESS", kdbg::SIZE_EPROCESS), ("_ETHREAD", kdbg::SIZE_ETHREAD)];

/// Whether the list heads that the header names are where the symbols say, and
/// nothing in the debugger block is other than the symbols and types say.
pub(crate) fn agree(
    dump: &Dump<'_>,
    reader: &Reader<'_>,
    kernel: &Module,
    found: &KernelSymbols,
) -> bool {
    let header = dump.header();
    let told = [header.ps_loaded_module_list, header.ps_active_process_head];
    let place = |name: &str| Some(at(kernel.base, found.symbols.named(name)?.rva.into()));
    let heads = HEADS.iter().zip(told).all(|(name, told)| told.is_some() && place(name) == told);
    if !heads {
        return false;
    }
    let known = Known {
        kernel_base: Some(kernel.base.0),
        ps_loaded_module_list: header.ps_loaded_module_list.map(|head| head.0),
        ps_active_process_head: header.ps_active_process_head.map(|head| head.0),
    };
    let block = DebuggerBlock::find(reader.memory(), header.kd_debugger_data_block, &known);
    let Ok(block) = block else { return true };
    // What one of both does not know speaks neither for nor against.
    let other = |ours: Option<u64>, its: Option<u64>| ours.zip(its).is_some_and(|(a, b)| a != b);
    let offset = |field| block.offset(field).map(u64::from);
    let member = |structure, path| found.layouts.member(structure, path).map(|one| one.offset);
    let address = |name, field| {
        other(place(name).map(|place| place.0), block.address_of(field).map(|place| place.0))
    };
    !(ADDRESSES.iter().any(|(name, field)| address(name, *field))
        || OFFSETS.iter().any(|(of, path, field)| other(member(of, path), offset(*field)))
        || SIZES.iter().any(|(of, field)| other(Types::size(&found.layouts, of), offset(*field))))
}

//! What the truth says is in the memory of the dump, read by the fixture's table alone.
#![allow(missing_docs, clippy::unwrap_used, clippy::panic)]

mod common;

use std::collections::HashMap;

use common::{Walk, healthy_dump, machine, u32_at, u64_at, walk};
use serde_json::Value;

struct Dump {
    file: Vec<u8>,
    truth: Value,
    /// Offset and size by "structure.field".
    fields: HashMap<String, (u64, usize)>,
}

fn architecture(layout: &str) -> &'static str {
    if layout == "22000" { "arm64" } else { "x64" }
}

fn table(layout: &str) -> HashMap<String, (u64, usize)> {
    let folder = format!("{}-{layout}", architecture(layout));
    let path = format!("{}/fixtures/{folder}/ntoskrnl.txt", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let mut fields = HashMap::new();
    let mut structure = "";
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["struct", name, _] => structure = name,
            [name, offset, size, ..] if line.starts_with(' ') && !name.contains(':') => {
                let hex = |t| u64::from_str_radix(t, 16).unwrap_or(0);
                fields.insert(format!("{structure}.{name}"), (hex(offset), hex(size) as usize));
            }
            _ => {}
        }
    }
    fields
}

fn address(value: &Value) -> u64 {
    u64::from_str_radix(value.as_str().unwrap(), 16).unwrap()
}

impl Dump {
    fn new(scenario: &str, layout: &str) -> Self {
        let scenario = format!("{scenario},layout={layout},arch={}", architecture(layout));
        let truth = machine(&scenario).kernel().truth().unwrap();
        let truth = serde_json::from_str(&truth).unwrap();
        Self { file: healthy_dump(&scenario), truth, fields: table(layout) }
    }

    fn read(&self, address: u64) -> Option<u64> {
        let root = u64_at(&self.file, 0x10) & !0xFFF;
        match walk(&self.file, root, address) {
            Walk::At(offset) => Some(u64_at(&self.file, offset)),
            _ => None,
        }
    }

    fn get(&self, at: u64, field: &str) -> u64 {
        let (offset, size) = self.fields[field];
        let value = self.read(at + offset).unwrap_or_else(|| panic!("{field} of {at:x}"));
        if size < 8 { value & ((1 << (size * 8)) - 1) } else { value }
    }

    fn threads(&self) -> &Vec<Value> {
        self.truth["threads"].as_array().unwrap()
    }

    fn thread(&self, tid: &Value) -> u64 {
        address(&self.threads().iter().find(|t| t["tid"] == *tid).unwrap()["address"])
    }

    fn edges(&self, kind: &str) -> Vec<&Value> {
        self.truth["edges"].as_array().unwrap().iter().filter(|e| e["kind"] == kind).collect()
    }
}

const LAYOUTS: [&str; 4] = ["19041", "a", "b", "22000"];

#[test]
fn the_layouts_differ_where_no_abi_fixes_them() {
    let tables = LAYOUTS.map(table);
    for field in
        ["_ETHREAD.Cid", "_KTHREAD.WaitBlock", "_EPROCESS.UniqueProcessId", "_KPRCB.DpcData"]
    {
        let offsets: Vec<u64> = tables.iter().map(|t| t[field].0).collect();
        assert!(offsets[0] != offsets[1] && offsets[1] != offsets[2], "{field} {offsets:x?}");
    }
    for (field, offset) in [("_EPROCESS.UniqueProcessId", 0x440), ("_KTHREAD.State", 0x184)] {
        assert_eq!(tables[0][field].0, offset, "{field}");
    }
}

#[test]
fn every_thread_of_the_truth_is_an_object_with_its_id_and_state() {
    for layout in LAYOUTS {
        let dump = Dump::new("healthy", layout);
        assert!(dump.threads().len() > 100);
        for thread in dump.threads() {
            let at = address(&thread["address"]);
            assert_eq!(
                dump.get(at + dump.fields["_ETHREAD.Cid"].0, "_CLIENT_ID.UniqueThread"),
                thread["tid"]
            );
            assert_eq!(dump.get(at, "_KTHREAD.State"), thread["state"]);
        }
    }
}

#[test]
fn wait_blocks_name_the_objects_and_the_objects_name_the_blocks() {
    for layout in LAYOUTS {
        let dump = Dump::new("deadlock", layout);
        for thread in dump.threads() {
            let Some(objects) = thread["waits_for"].as_array() else { continue };
            let at = address(&thread["address"]);
            let block = dump.get(at, "_KTHREAD.WaitBlockList");
            assert_eq!(dump.get(block, "_KWAIT_BLOCK.Thread"), at);
            let object = dump.get(block, "_KWAIT_BLOCK.Object");
            assert_eq!(object, address(&objects[0]));
            let head = object + dump.fields["_DISPATCHER_HEADER.WaitListHead"].0;
            let (mut entry, mut found, mut steps) = (dump.read(head).unwrap(), false, 0);
            while entry != head {
                found |= entry == block;
                steps += 1;
                assert!(steps < 1000, "{thread:#}");
                assert_eq!(dump.read(dump.read(entry).unwrap() + 8), Some(entry));
                entry = dump.read(entry).unwrap();
            }
            assert!(found);
        }
    }
}

#[test]
fn the_owners_of_resources_are_in_the_owner_entries() {
    for layout in LAYOUTS {
        let dump = Dump::new("deadlock", layout);
        let edges = dump.edges("resource");
        assert!(edges.len() >= 8, "{edges:#?}");
        let mut marks = std::collections::HashSet::new();
        for edge in edges {
            let (resource, owner) = (address(&edge["object"]), dump.thread(&edge["owner"]));
            let table = dump.get(resource, "_ERESOURCE.OwnerTable");
            let single = resource + dump.fields["_ERESOURCE.OwnerEntry"].0;
            let entries = (1..8).map(|n| table.wrapping_add(n * 0x10)).filter(|_| table != 0);
            let owners: Vec<u64> =
                entries.chain([single]).map(|e| dump.get(e, "_OWNER_ENTRY.OwnerThread")).collect();
            let found = owners.iter().find(|o| *o & !3 == owner);
            marks.insert(found.unwrap_or_else(|| panic!("{owners:x?} {owner:x}")) & 3);
        }
        assert_eq!(marks.len(), 2, "both forms of owners");
        let cycles = dump.truth["cycles"].as_array().unwrap();
        let mut lengths: Vec<usize> = cycles.iter().map(|c| c.as_array().unwrap().len()).collect();
        lengths.sort_unstable();
        assert_eq!(lengths, [2, 3]);
    }
}

#[test]
fn the_top_of_a_waiting_stack_is_the_switch_frame_that_returns_into_the_switch() {
    for layout in LAYOUTS {
        let dump = Dump::new("deadlock", layout);
        for thread in dump.threads().iter().filter(|t| t["state"] == 5) {
            let frames = thread["stack"].as_array().unwrap();
            let stack = dump.get(address(&thread["address"]), "_KTHREAD.KernelStack");
            assert_eq!(frames[0]["symbol"], "SwapContext");
            assert_eq!(address(&frames[0]["sp"]), stack);
            assert_eq!(dump.get(stack, "_KSWITCH_FRAME.Return"), address(&frames[1]["pc"]));
            assert_eq!(
                stack + dump.fields["_KSWITCH_FRAME.Return"].0 + 8,
                address(&frames[1]["sp"])
            );
        }
    }
}

#[test]
fn a_stuck_request_is_in_its_threads_list_and_at_the_bus_drivers_device() {
    for layout in LAYOUTS {
        let dump = Dump::new("stuck-irp", layout);
        let request = &dump.truth["requests"][0];
        let (irp, thread) = (address(&request["irp"]), dump.thread(&request["tid"]));
        let head = thread + dump.fields["_ETHREAD.IrpList"].0;
        assert_eq!(dump.read(head), Some(irp + dump.fields["_IRP.ThreadListEntry"].0));
        let location = dump.get(irp, "_IRP.Tail.Overlay.CurrentStackLocation");
        let device = dump.get(location, "_IO_STACK_LOCATION.DeviceObject");
        assert_eq!(device, address(&request["device_stack"][1]["device"]));
    }
}

#[test]
fn an_unlisted_request_is_on_no_list_and_at_the_bus_drivers_device_all_the_same() {
    for layout in LAYOUTS {
        let dump = Dump::new("unlisted-irp", layout);
        let request = &dump.truth["requests"][0];
        let (irp, thread) = (address(&request["irp"]), dump.thread(&request["tid"]));
        let head = thread + dump.fields["_ETHREAD.IrpList"].0;
        assert_eq!(dump.read(head), Some(head), "its list is empty");
        assert_eq!(dump.get(irp, "_IRP.Type"), 6);
        let location = dump.get(irp, "_IRP.Tail.Overlay.CurrentStackLocation");
        let device = dump.get(location, "_IO_STACK_LOCATION.DeviceObject");
        assert_eq!(device, address(&request["device_stack"][1]["device"]));
        // Seed 1: its own event is the one that is waited for.
        assert_eq!(request["reached"], "user-event");
        let edge = dump.edges("event").into_iter().find(|edge| edge["waiter"] == request["tid"]);
        let event = address(&edge.unwrap()["object"]);
        assert_eq!(dump.get(irp, "_IRP.UserEvent"), event);
    }
}

#[test]
fn a_server_that_waits_itself_is_named_by_the_message() {
    for layout in LAYOUTS {
        let dump = Dump::new("alpc-chain", layout);
        let edges = dump.edges("alpc-message");
        assert_eq!(edges.len(), 3);
        for edge in edges {
            let message = address(&edge["object"]);
            let waiting = dump.get(message, "_KALPC_MESSAGE.WaitingThread");
            assert_eq!(waiting, dump.thread(&edge["waiter"]));
            let server = dump.get(message, "_KALPC_MESSAGE.ServerThread");
            assert_eq!(server != 0, !edge["owner"].is_null());
        }
    }
}

#[test]
fn the_mutants_owner_has_ended_and_is_in_no_list() {
    let dump = Dump::new("mutant-owner-dead", "a");
    let edge = dump.edges("mutant")[0];
    let owner = dump.get(address(&edge["object"]), "_KMUTANT.OwnerThread");
    assert_eq!(owner, dump.thread(&edge["owner"]));
    assert_eq!(dump.get(owner, "_KTHREAD.State"), 4);
}

#[test]
fn a_processor_in_a_storm_names_the_call_that_runs() {
    let dump = Dump::new("dpc-storm", "b");
    let storm = &dump.truth["dpc"];
    let number = storm["processor"].as_u64().unwrap() as usize;
    let prcb = address(&dump.truth["processors"][number]["prcb"]);
    let data = prcb + dump.fields["_KPRCB.DpcData"].0;
    let dpc = dump.get(data, "_KDPC_DATA.ActiveDpc");
    assert_eq!(dpc, address(&storm["dpc"]));
    assert_eq!(dump.get(dpc, "_KDPC.DeferredRoutine"), address(&storm["routine"]));
    assert_eq!(dump.get(data, "_KDPC_DATA.DpcQueueDepth"), storm["queued"]);
}

#[test]
fn a_full_work_queue_has_its_items_behind_blocked_workers() {
    let dump = Dump::new("work-queue-full", "19041");
    let queue =
        dump.truth["objects"].as_array().unwrap().iter().find(|o| o["kind"] == "work-queue");
    let queue = queue.unwrap();
    let at = address(&queue["address"]);
    let head = at + dump.fields["_KPRIQUEUE.EntryListHead"].0 + 12 * 16;
    let (mut entry, mut count) = (dump.read(head).unwrap(), 0);
    while entry != head {
        assert_eq!(dump.get(entry, "_WORK_QUEUE_ITEM.WorkerRoutine"), address(&queue["routine"]));
        entry = dump.read(entry).unwrap();
        count += 1;
    }
    assert_eq!(count, queue["pending"]);
}

/// The physical address of a virtual one, and the number of levels and the page's size.
fn walk_levels(file: &[u8], root: u64, address: u64, levels: u32) -> Option<u64> {
    let mut table = root & 0x000f_ffff_ffff_f000;
    for level in (0..levels).rev() {
        let shift = 12 + 9 * level;
        let page = common::offset_of_frame(file, table >> 12)?;
        let entry = u64_at(file, page + (address >> shift & 511) as usize * 8);
        if entry & 1 == 0 {
            return None;
        }
        table = entry & 0x000f_ffff_ffff_f000;
        if entry & 0x80 != 0 && level > 0 {
            assert_eq!(level, 1);
            return Some(table + (address & 0x1F_FFFF));
        }
    }
    Some(table + (address & 0xFFF))
}

#[test]
fn five_levels_large_pages_and_tables_of_user_mode_are_what_the_tables_say() {
    for (scenario, levels) in [("la57", 5), ("large-pages", 4), ("kva-shadow", 4)] {
        let scenario = format!("{scenario},layout=b");
        let truth: Value =
            serde_json::from_str(&machine(&scenario).kernel().truth().unwrap()).unwrap();
        let file = healthy_dump(&scenario);
        let root = u64_at(&file, 0x10);
        let base = address(&truth["kernel"]["base"]);
        let physical = walk_levels(&file, root, base, levels).unwrap();
        let page = common::offset_of_frame(&file, physical >> 12).unwrap();
        assert_eq!(&file[page..page + 2], b"MZ", "{scenario}");
        let other = walk_levels(&file, root, base, 9 - levels);
        if levels == 5 {
            assert_eq!(other, None, "four levels lead nowhere");
        }
        let process =
            truth["processes"].as_array().unwrap().iter().find(|p| p["pid"] != 0 && p["pid"] != 4);
        let process = process.unwrap();
        let directory = address(&process["directory_table_base"]);
        assert!(walk_levels(&file, directory, base, levels).is_some(), "{scenario}");
        if scenario.starts_with("kva") {
            assert_eq!(directory & 0xFFF, 2);
            let at =
                address(&process["address"]) + table("b")["_KPROCESS.UserDirectoryTableBase"].0;
            let at = walk_levels(&file, root, at, 4).unwrap();
            let at = common::offset_of_frame(&file, at >> 12).unwrap() + (at & 0xFFF) as usize;
            let user = u64_at(&file, at);
            assert_eq!(user & 0xFFF, 1);
            assert_eq!(
                walk_levels(&file, user, base, 4),
                None,
                "user mode does not see the kernel"
            );
        }
    }
}

#[test]
fn an_expanded_stack_leads_back_to_the_one_before() {
    let dump = Dump::new("stack-segments", "a");
    let edge = dump.edges("resource").into_iter().find(|e| {
        let thread = dump.threads().iter().find(|t| t["tid"] == e["waiter"]).unwrap();
        let stack = thread["stack"].as_array().unwrap();
        stack.iter().any(|f| f["symbol"] == "KxSwitchKernelStackCallout")
    });
    let thread = dump.thread(&edge.unwrap()["waiter"]);
    let control = dump.get(thread, "_KTHREAD.InitialStack");
    let base = dump.get(thread, "_KTHREAD.StackBase");
    assert_eq!(dump.get(control, "_KSTACK_CONTROL.StackBase"), base);
    let previous = control + dump.fields["_KSTACK_CONTROL.Previous"].0;
    let old = dump.get(previous, "_KERNEL_STACK_SEGMENT.StackBase");
    assert!(old != base && old != 0);
    let inside = dump.get(previous, "_KERNEL_STACK_SEGMENT.KernelStack");
    assert!((old - 0x2000..old).contains(&inside));
    // What was called there returns to the old stack by the machine frame.
    let frames = dump.threads().iter().find(|t| address(&t["address"]) == thread).unwrap()["stack"]
        .as_array()
        .unwrap()
        .clone();
    let at = frames.iter().position(|f| f["symbol"] == "KxSwitchKernelStackCallout").unwrap();
    let machine = address(&frames[at]["sp"]) + 0x28;
    assert_eq!(dump.read(machine), Some(address(&frames[at + 1]["pc"])));
    assert_eq!(dump.read(machine + 0x18), Some(address(&frames[at + 1]["sp"])));
}

#[test]
fn swapped_stacks_and_missing_pages_are_not_in_the_dump() {
    let dump = Dump::new("swapped-stacks", "a");
    let gone: Vec<&Value> = dump.threads().iter().filter(|t| t["resident"] == false).collect();
    assert!(gone.len() > 5);
    for thread in gone {
        let at = address(&thread["address"]);
        assert_eq!(dump.read(dump.get(at, "_KTHREAD.KernelStack")), None);
        assert_eq!(dump.get(at, "_KTHREAD.KernelStackResident") >> 17 & 1, 0);
    }
    let (whole, less) = (healthy_dump("layout=a"), healthy_dump("layout=a,missing-pages=40"));
    let page_count = |file: &[u8]| u64_at(file, 0x2028);
    assert_eq!(page_count(&whole) - page_count(&less), 40);
    assert_eq!(u32_at(&less, 0xF98), 6);
}

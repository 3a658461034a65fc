//! Modules, processes, threads and processors as lists with a schema.

use ntos::{Images, Kernel, Module, Process, Processor, Stacks, Thread};
use schemars::JsonSchema;
use serde::Serialize;

use crate::stacks::{self, FrameReport};
use crate::{Census, Hex, StackWait, ThreadRef};

/// A loaded module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ModuleReport {
    /// DllBase.
    pub base: Hex,
    /// The first address behind it.
    pub end: Option<Hex>,
    /// Its file's name.
    pub name: Option<String>,
    /// Its path.
    pub path: Option<String>,
    /// TimeDateStamp: with the size the key of the image in a symbol store.
    pub time_date_stamp: Option<u32>,
    /// SizeOfImage.
    pub size: Option<u32>,
}

/// A driver that was unloaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnloadedReport {
    /// Where it began.
    pub start: Hex,
    /// Where it ended.
    pub end: Hex,
    /// Its name; triage dumps keep 12 characters.
    pub name: String,
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProcessReport {
    /// UniqueProcessId.
    pub pid: Option<u64>,
    /// InheritedFromUniqueProcessId.
    pub parent_pid: Option<u64>,
    /// ImageFileName.
    pub name: Option<String>,
    /// Threads in its list.
    pub threads: Option<u64>,
    /// When it began.
    pub created: Option<String>,
    /// When it ended, if it did and is still referred to.
    pub exited: Option<String>,
    /// DirectoryTableBase.
    pub directory_table_base: Option<Hex>,
    /// Its EPROCESS.
    pub address: Hex,
}

/// A thread.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ThreadReport {
    /// The thread and its process.
    #[serde(flatten)]
    pub thread: ThreadRef,
    /// Of a set, the file that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// State.
    pub state: Option<String>,
    /// WaitReason, when it waits.
    pub wait_reason: Option<String>,
    /// For how long, in milliseconds.
    pub wait_milliseconds: Option<u64>,
    /// What it waits for.
    pub waits: Vec<WaitReport>,
    /// Of a thread that the capture woke, whose state and wait blocks are not
    /// those of the hang: the wait that it was in, as its stack tells it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waits_in: Option<StackWait>,
    /// Priority.
    pub priority: Option<u64>,
    /// BasePriority.
    pub base_priority: Option<u64>,
    /// KernelTime in milliseconds.
    pub kernel_milliseconds: Option<u64>,
    /// UserTime in milliseconds.
    pub user_milliseconds: Option<u64>,
    /// ContextSwitches.
    pub context_switches: Option<u64>,
    /// Where it began, with a name.
    pub start_address: Option<Hex>,
    /// The name of that place, when it is in a module.
    pub start_symbol: Option<String>,
    /// Win32StartAddress.
    pub win32_start_address: Option<Hex>,
    /// Requests that it sent and that are not done.
    pub irps: Vec<Hex>,
    /// The processor it runs on.
    pub processor: Option<u64>,
    /// When it began.
    pub created: Option<String>,
}

/// An object that a thread waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct WaitReport {
    /// Where it lies.
    pub object: Hex,
    /// Its kind.
    pub kind: Option<String>,
    /// SignalState.
    pub signal_state: Option<i32>,
}

/// A processor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ProcessorReport {
    /// Its number.
    pub number: u64,
    /// Its KPRCB.
    pub address: Hex,
    /// The thread on it.
    pub current_thread: Option<ThreadRef>,
    /// Whether that is its idle thread.
    pub idle: Option<bool>,
    /// The interrupt level, where it was saved.
    pub irql: Option<u64>,
    /// Whether a DPC was running.
    pub dpc_active: Option<bool>,
    /// The DPC that runs.
    pub dpc: Option<Hex>,
    /// The routine of that DPC.
    pub dpc_routine: Option<String>,
    /// For how many ticks it has run.
    pub dpc_ticks: Option<u64>,
    /// How many wait in its queue.
    pub dpc_queue_depth: Option<u64>,
    /// Its stack.
    pub frames: Vec<FrameReport>,
    /// Why the stack has no more frames, or none.
    pub end: String,
    /// Whether the capture held it: what it did before is not its registers' to say.
    pub corralled: bool,
}

/// The modules.
pub fn modules<'k>(kernel: &'k Kernel<'_>) -> impl Iterator<Item = ModuleReport> + 'k {
    let report = |module: &Module| ModuleReport {
        base: Hex(module.base.0),
        end: module.size.map(|size| Hex(module.base.0.wrapping_add(size.into()))),
        name: module.name.clone(),
        path: module.path.clone(),
        time_date_stamp: module.time_date_stamp,
        size: module.size,
    };
    kernel.modules().modules.iter().map(report)
}

/// The drivers that were unloaded; `None` where the dump does not tell.
pub fn unloaded(kernel: &Kernel<'_>) -> Option<Vec<UnloadedReport>> {
    let report = |driver: ntos::Unloaded| UnloadedReport {
        start: Hex(driver.start.0),
        end: Hex(driver.end.0),
        name: driver.name,
    };
    Some(kernel.unloaded()?.into_iter().map(report).collect())
}

/// The processes.
pub fn processes(census: &Census) -> impl Iterator<Item = ProcessReport> + '_ {
    let report = move |(number, process): (usize, &Process)| ProcessReport {
        pid: process.pid,
        parent_pid: process.parent_pid,
        name: process.name.clone(),
        threads: census.thread_counts().get(number).copied(),
        created: process.create_time.map(|time| time.to_string()),
        exited: process.exit_time.map(|time| time.to_string()),
        directory_table_base: process.directory_table_base.map(Hex),
        address: Hex(process.address.0),
    };
    census.processes.iter().enumerate().map(report)
}

/// The threads that `wanted` takes, each told when it is asked for.
pub fn threads<'r>(
    kernel: &'r Kernel<'_>,
    images: &'r Images<'_>,
    census: &'r Census,
    wanted: impl Fn(usize) -> bool + 'r,
) -> impl Iterator<Item = ThreadReport> + 'r {
    kernel.probe_objects(&census.processes, &census.threads);
    let processors = kernel.processors().map(|all| all.processors).unwrap_or_default();
    // Only a stack tells the wait of a thread that was woken to be photographed.
    let walker = Some(kernel).filter(|kernel| kernel.is_of_threads_in_capture());
    let walker = walker.map(|kernel| Stacks::new(kernel, images, &census.threads));
    let all = census.threads.iter().enumerate().filter(move |(number, _)| wanted(*number));
    all.filter_map(move |(number, thread)| {
        let mut report = self::thread(kernel, images, &processors, thread, census.name(number)?);
        if let Some(walker) = &walker {
            let stack = walker.of(thread).ok();
            let frames = stack.map(|stack| stacks::frames(images, &stack)).unwrap_or_default();
            report.waits_in = StackWait::of(&frames);
        }
        Some(report)
    })
}

fn thread(
    kernel: &Kernel<'_>,
    images: &Images<'_>,
    processors: &[Processor],
    thread: &Thread,
    name: ThreadRef,
) -> ThreadReport {
    let told = !kernel.is_of_threads_in_capture();
    let waits = thread.waits() == Some(true) && told;
    let time = |ticks: Option<u64>| Some(kernel.clock()?.milliseconds(ticks?));
    let on = processors.iter().find(|one| one.current_thread == Some(thread.address));
    let irps = kernel.irps(thread.address).map(|list| list.irps).unwrap_or_default();
    ThreadReport {
        thread: name,
        file: None,
        state: thread.state.filter(|_| told).map(|state| state.to_string()),
        wait_reason: thread.wait_reason.filter(|_| waits).map(|reason| reason.to_string()),
        wait_milliseconds: time(thread.wait_ticks.filter(|_| waits).map(u64::from)),
        waits_in: None,
        waits: kernel
            .waits(thread)
            .filter(|_| told)
            .unwrap_or_default()
            .into_iter()
            .map(|wait| WaitReport {
                object: Hex(wait.object.0),
                kind: wait.kind.map(|kind| kind.to_string()),
                signal_state: wait.signal_state,
            })
            .collect(),
        priority: thread.priority,
        base_priority: thread.base_priority,
        kernel_milliseconds: time(thread.kernel_ticks),
        user_milliseconds: time(thread.user_ticks),
        context_switches: thread.context_switches,
        start_address: thread.start_address.map(|address| Hex(address.0)),
        start_symbol: thread
            .start_address
            .and_then(|at| images.name(at))
            .map(|name| name.to_string()),
        win32_start_address: thread.win32_start_address.map(|address| Hex(address.0)),
        irps: irps.iter().map(|irp| Hex(irp.address.0)).collect(),
        processor: on.map(|processor| processor.number),
        created: thread.create_time.map(|time| time.to_string()),
    }
}

/// The processors with their stacks; `None` where the dump does not tell.
pub fn processors(
    kernel: &Kernel<'_>,
    images: &Images<'_>,
    walker: &Stacks<'_, '_>,
    census: &Census,
) -> Option<Vec<ProcessorReport>> {
    let found = kernel.processors()?.processors;
    Some(found.iter().map(|one| processor(images, walker, census, one)).collect())
}

fn processor(
    images: &Images<'_>,
    walker: &Stacks<'_, '_>,
    census: &Census,
    processor: &Processor,
) -> ProcessorReport {
    let current = processor.current_thread;
    let number = current.and_then(|thread| census.find(thread));
    let thread = number.and_then(|number| census.threads.get(number));
    let (frames, end) = match walker.of_processor(processor, thread) {
        Some(stack) => (stacks::frames(images, &stack), stack.walk.end.to_string()),
        None => (Vec::new(), "its registers are not in the dump".to_owned()),
    };
    let named = number.and_then(|number| census.name(number));
    ProcessorReport {
        number: processor.number,
        address: Hex(processor.address.0),
        current_thread: named.or_else(|| {
            current.map(|thread| ThreadRef {
                tid: None,
                pid: None,
                process: None,
                address: Hex(thread.0),
            })
        }),
        idle: current.zip(processor.idle_thread).map(|(current, idle)| current == idle),
        irql: processor.irql,
        dpc_active: processor.dpc_active,
        dpc: processor.dpc.map(|dpc| Hex(dpc.0)),
        dpc_routine: processor.dpc_routine.map(|routine| {
            images.name(routine).map_or_else(|| routine.to_string(), |name| name.to_string())
        }),
        dpc_ticks: processor.dpc_ticks,
        dpc_queue_depth: processor.dpc_queue_depth,
        corralled: frames.iter().any(|frame| frame.capture),
        frames,
        end,
    }
}

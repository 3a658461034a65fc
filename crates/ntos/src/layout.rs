//! Where the kernel's structures keep their members in this very kernel.
//!
//! No offset is written down here: each is asked of the types that belong to
//! the kernel, then of the dump's own debugger block, then probed, and keeps
//! the name of the one that answered. A member nobody knows is `None`, and
//! what needs it says so.

use nt::kdbg;
use serde::Serialize;

use crate::debugger_block::DebuggerBlock;

/// Who told where a member lies, the most trusted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Source {
    /// The types in the PDB of this kernel.
    Pdb,
    /// A layout profile made from the PDB of this kernel.
    Profile,
    /// volatility3's symbol file of this kernel.
    Isf,
    /// The debugger block in the dump.
    DebuggerBlock,
    /// Found in the dump itself and proved there.
    Probed,
}

/// Where a member of a structure lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub struct Member {
    /// Bytes from the start of the structure.
    pub offset: u64,
    /// Bytes of the member; of its storage when it is a bit field.
    pub size: u64,
    /// First bit and number of bits of a bit field.
    pub bits: Option<(u8, u8)>,
    /// Who told.
    pub source: Source,
}

impl Member {
    /// A member of whole bytes.
    pub const fn new(offset: u64, size: u64, source: Source) -> Self {
        Self { offset, size, bits: None, source }
    }
}

macro_rules! layouts {
    ($($(#[$doc:meta])* $layout:ident = $structure:literal { $($field:ident: $path:literal,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
            pub struct $layout {
                /// Bytes of the whole structure.
                pub size: Option<u64>,
                $(
                    #[doc = concat!("`", $path, "`.")]
                    pub $field: Option<Member>,
                )*
            }

            impl $layout {
                /// Asks `types` for every member, by the names of the PDB.
                pub fn of(types: &dyn Types) -> Self {
                    Self {
                        size: types.size($structure),
                        $($field: types.member($structure, $path),)*
                    }
                }

                fn members(&self) -> Vec<Member> {
                    [$(self.$field),*].into_iter().flatten().collect()
                }
            }
        )*

        /// Every structure and member that is asked for: what a layout profile holds.
        pub const WANTED: &[(&str, &[&str])] = &[$(($structure, &[$($path),*])),*];
    };
}

macro_rules! layout {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $layout:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
        pub struct $name {
            $(
                #[doc = concat!("[`", stringify!($layout), "`].")]
                pub $field: $layout,
            )*
        }

        impl $name {
            /// Asks `types` for everything.
            pub fn of(types: &dyn Types) -> Self {
                Self { $($field: $layout::of(types),)* }
            }

            fn members(&self) -> Vec<Member> {
                [$(self.$field.members()),*].concat()
            }
        }
    };
}

/// Somebody who knows the members of structures by their names in the PDB.
pub trait Types {
    /// Where a member lies; `path` may go through nested structures, with dots.
    fn member(&self, structure: &str, path: &str) -> Option<Member>;
    /// Bytes of a structure.
    fn size(&self, structure: &str) -> Option<u64>;
}

layouts! {
    /// An entry of the list of loaded modules.
    ModuleLayout = "_KLDR_DATA_TABLE_ENTRY" {
        links: "InLoadOrderLinks",
        base: "DllBase",
        entry_point: "EntryPoint",
        image_size: "SizeOfImage",
        full_name: "FullDllName",
        base_name: "BaseDllName",
        flags: "Flags",
        check_sum: "CheckSum",
        time_date_stamp: "TimeDateStamp",
    }
    /// A driver that was unloaded.
    UnloadedLayout = "_UNLOADED_DRIVERS" {
        name: "Name",
        start: "StartAddress",
        end: "EndAddress",
    }
    /// The part of a process that the scheduler knows.
    KernelProcessLayout = "_KPROCESS" {
        directory_table_base: "DirectoryTableBase",
        user_directory_table_base: "UserDirectoryTableBase",
        thread_list_head: "ThreadListHead",
    }
    /// A process.
    ProcessLayout = "_EPROCESS" {
        id: "UniqueProcessId",
        links: "ActiveProcessLinks",
        parent_id: "InheritedFromUniqueProcessId",
        name: "ImageFileName",
        thread_list_head: "ThreadListHead",
        active_threads: "ActiveThreads",
        create_time: "CreateTime",
        exit_time: "ExitTime",
        peb: "Peb",
    }
    /// The part of a thread that the scheduler knows.
    KernelThreadLayout = "_KTHREAD" {
        state: "State",
        wait_reason: "WaitReason",
        wait_time: "WaitTime",
        wait_block_list: "WaitBlockList",
        wait_block_count: "WaitBlockCount",
        priority: "Priority",
        base_priority: "BasePriority",
        kernel_stack: "KernelStack",
        initial_stack: "InitialStack",
        stack_base: "StackBase",
        stack_limit: "StackLimit",
        stack_resident: "KernelStackResident",
        trap_frame: "TrapFrame",
        apc_process: "ApcState.Process",
        process: "Process",
        teb: "Teb",
        list_entry: "ThreadListEntry",
        queue: "Queue",
        mutant_list_head: "MutantListHead",
        kernel_time: "KernelTime",
        user_time: "UserTime",
        context_switches: "ContextSwitches",
        next_processor: "NextProcessor",
    }
    /// A thread.
    ThreadLayout = "_ETHREAD" {
        process_id: "Cid.UniqueProcess",
        id: "Cid.UniqueThread",
        list_entry: "ThreadListEntry",
        start_address: "StartAddress",
        win32_start_address: "Win32StartAddress",
        create_time: "CreateTime",
        irp_list: "IrpList",
        alpc_message: "AlpcMessage",
        lock_entries: "LockEntries",
    }
    /// A processor's control block.
    ProcessorLayout = "_KPRCB" {
        current_thread: "CurrentThread",
        next_thread: "NextThread",
        idle_thread: "IdleThread",
        number: "Number",
        context: "Context",
        context_frame: "ProcessorState.ContextFrame",
        special_registers: "ProcessorState.SpecialRegisters",
        cr8: "ProcessorState.SpecialRegisters.Cr8",
        dpc_stack: "DpcStack",
        isr_stack: "IsrStack",
        exception_stack: "ExceptionStack",
        dpc_active: "DpcRoutineActive",
        dpc_routine: "CurrentDpcRoutine",
        dpc_start_time: "CurrentDpcStartTime",
        dpc_time_count: "DpcTimeCount",
        dpc_time_limit: "DpcTimeLimit",
        dpc_data: "DpcData",
    }
    /// The queue of deferred procedure calls of a processor.
    DpcDataLayout = "_KDPC_DATA" {
        queue_depth: "DpcQueueDepth",
        active: "ActiveDpc",
    }
    /// A deferred procedure call.
    DpcLayout = "_KDPC" {
        routine: "DeferredRoutine",
        context: "DeferredContext",
    }
    /// What every object that can be waited for begins with.
    DispatcherLayout = "_DISPATCHER_HEADER" {
        kind: "Type",
        signal_state: "SignalState",
        wait_list_head: "WaitListHead",
    }
    /// One object that a thread waits for.
    WaitBlockLayout = "_KWAIT_BLOCK" {
        list_entry: "WaitListEntry",
        wait_type: "WaitType",
        thread: "Thread",
        object: "Object",
    }
    /// A mutant, which users know as a mutex.
    MutantLayout = "_KMUTANT" {
        list_entry: "MutantListEntry",
        owner: "OwnerThread",
        abandoned: "Abandoned",
    }
    /// A semaphore.
    SemaphoreLayout = "_KSEMAPHORE" {
        limit: "Limit",
    }
    /// A timer.
    TimerLayout = "_KTIMER" {
        due_time: "DueTime",
        period: "Period",
    }
    /// A queue, as of completion ports.
    QueueLayout = "_KQUEUE" {
        entries: "EntryListHead",
        current_count: "CurrentCount",
        maximum_count: "MaximumCount",
        threads: "ThreadListHead",
    }
    /// A queue with priorities, as of work items.
    PriorityQueueLayout = "_KPRIQUEUE" {
        entries: "EntryListHead",
        current_count: "CurrentCount",
        maximum_count: "MaximumCount",
        threads: "ThreadListHead",
    }
    /// A work item.
    WorkItemLayout = "_WORK_QUEUE_ITEM" {
        links: "List",
        routine: "WorkerRoutine",
    }
    /// An executive resource: a lock with readers and writers.
    ResourceLayout = "_ERESOURCE" {
        links: "SystemResourcesList",
        owner_table: "OwnerTable",
        active_count: "ActiveCount",
        flag: "Flag",
        shared_waiters: "SharedWaiters",
        exclusive_waiters: "ExclusiveWaiters",
        owner_entry: "OwnerEntry",
        active_entries: "ActiveEntries",
        shared_waiter_count: "NumberOfSharedWaiters",
        exclusive_waiter_count: "NumberOfExclusiveWaiters",
    }
    /// One owner of a resource.
    OwnerLayout = "_OWNER_ENTRY" {
        thread: "OwnerThread",
        count: "OwnerCount",
        table_size: "TableSize",
    }
    /// A fast mutex.
    FastMutexLayout = "_FAST_MUTEX" {
        count: "Count",
        owner: "Owner",
        event: "Event",
    }
    /// A lock that a thread holds or waits for, as far as the kernel tracks it.
    LockEntryLayout = "_KLOCK_ENTRY" {
        lock: "LockState",
        flags: "EntryFlags",
        acquired: "AcquiredByte",
        waiting: "WaitingBit",
    }
    /// A request packet.
    IrpLayout = "_IRP" {
        kind: "Type",
        packet_size: "Size",
        thread_list_entry: "ThreadListEntry",
        stack_count: "StackCount",
        current_location: "CurrentLocation",
        pending: "PendingReturned",
        cancel: "Cancel",
        cancel_routine: "CancelRoutine",
        user_event: "UserEvent",
        thread: "Tail.Overlay.Thread",
        stack_location: "Tail.Overlay.CurrentStackLocation",
    }
    /// What one driver is asked by a request packet.
    StackLocationLayout = "_IO_STACK_LOCATION" {
        major: "MajorFunction",
        minor: "MinorFunction",
        control: "Control",
        device: "DeviceObject",
        file: "FileObject",
        completion_routine: "CompletionRoutine",
        context: "Context",
    }
    /// A device.
    DeviceLayout = "_DEVICE_OBJECT" {
        kind: "Type",
        driver: "DriverObject",
        attached: "AttachedDevice",
        current_irp: "CurrentIrp",
    }
    /// A driver.
    DriverLayout = "_DRIVER_OBJECT" {
        kind: "Type",
        device: "DeviceObject",
        start: "DriverStart",
        name: "DriverName",
    }
    /// An open file.
    FileLayout = "_FILE_OBJECT" {
        device: "DeviceObject",
        name: "FileName",
        event: "Event",
    }
    /// A port of local procedure calls.
    AlpcPortLayout = "_ALPC_PORT" {
        communication: "CommunicationInfo",
        owner_process: "OwnerProcess",
        main_queue: "MainQueue",
        pending_queue: "PendingQueue",
        wait_queue: "WaitQueue",
    }
    /// The two ends of a connection.
    AlpcCommunicationLayout = "_ALPC_COMMUNICATION_INFO" {
        connection_port: "ConnectionPort",
        server_port: "ServerCommunicationPort",
        client_port: "ClientCommunicationPort",
    }
    /// A message of local procedure calls.
    AlpcMessageLayout = "_KALPC_MESSAGE" {
        entry: "Entry",
        queue: "PortQueue",
        owner_port: "OwnerPort",
        waiting_thread: "WaitingThread",
        communication: "CommunicationInfo",
        connection_port: "ConnectionPort",
        server_thread: "ServerThread",
    }
    /// What lies at the top of a kernel stack.
    StackControlLayout = "_KSTACK_CONTROL" {
        stack_base: "StackBase",
        previous: "Previous",
    }
    /// A part of a kernel stack that was left for another.
    StackSegmentLayout = "_KERNEL_STACK_SEGMENT" {
        stack_base: "StackBase",
        stack_limit: "StackLimit",
        kernel_stack: "KernelStack",
        initial_stack: "InitialStack",
    }
    /// What an interrupt or a system call saved.
    TrapFrameLayout = "_KTRAP_FRAME" {
        previous_mode: "PreviousMode",
        rip: "Rip",
        rsp: "Rsp",
        rbp: "Rbp",
        code_segment: "SegCs",
        pc: "Pc",
        sp: "Sp",
        fp: "Fp",
        lr: "Lr",
        spsr: "Spsr",
    }
    /// What a thread that does not run left at its saved stack pointer.
    SwitchFrameLayout = "_KSWITCH_FRAME" {
        frame: "Rbp",
        frame_of_arm64: "Fp",
        return_address: "Return",
    }
}

layout! {
    /// All of them, for one kernel.
    Layout {
        module: ModuleLayout,
        unloaded: UnloadedLayout,
        kernel_process: KernelProcessLayout,
        process: ProcessLayout,
        kernel_thread: KernelThreadLayout,
        thread: ThreadLayout,
        processor: ProcessorLayout,
        dpc_data: DpcDataLayout,
        dpc: DpcLayout,
        dispatcher: DispatcherLayout,
        wait_block: WaitBlockLayout,
        mutant: MutantLayout,
        semaphore: SemaphoreLayout,
        timer: TimerLayout,
        queue: QueueLayout,
        priority_queue: PriorityQueueLayout,
        work_item: WorkItemLayout,
        resource: ResourceLayout,
        owner: OwnerLayout,
        fast_mutex: FastMutexLayout,
        lock_entry: LockEntryLayout,
        irp: IrpLayout,
        stack_location: StackLocationLayout,
        device: DeviceLayout,
        driver: DriverLayout,
        file: FileLayout,
        alpc_port: AlpcPortLayout,
        alpc_communication: AlpcCommunicationLayout,
        alpc_message: AlpcMessageLayout,
        stack_control: StackControlLayout,
        stack_segment: StackSegmentLayout,
        trap_frame: TrapFrameLayout,
        switch_frame: SwitchFrameLayout,
    }
}

impl Layout {
    /// Who told where the members lie, with how many each told.
    pub fn sources(&self) -> Vec<(Source, usize)> {
        let mut told = std::collections::BTreeMap::new();
        for member in self.members() {
            *told.entry(member.source).or_default() += 1;
        }
        told.into_iter().collect()
    }

    /// Fills in what the debugger block tells and nobody more trusted told.
    pub(crate) fn complete_from(&mut self, block: &DebuggerBlock, pointer: u64) {
        let told = |member: &mut Option<Member>, field, size| {
            let offset = block.offset(field).map(u64::from);
            *member = member.or(offset.map(|at| Member::new(at, size, Source::DebuggerBlock)));
        };
        let thread = &mut self.kernel_thread;
        told(&mut thread.kernel_stack, kdbg::OFFSET_KTHREAD_KERNEL_STACK, pointer);
        told(&mut thread.initial_stack, kdbg::OFFSET_KTHREAD_INITIAL_STACK, pointer);
        told(&mut thread.stack_base, kdbg::OFFSET_KTHREAD_STACK_BASE, pointer);
        told(&mut thread.stack_limit, kdbg::OFFSET_KTHREAD_STACK_LIMIT, pointer);
        told(&mut thread.apc_process, kdbg::OFFSET_KTHREAD_APC_PROCESS, pointer);
        told(&mut thread.state, kdbg::OFFSET_KTHREAD_STATE, 1);
        told(&mut thread.wait_reason, kdbg::OFFSET_KTHREAD_WAIT_REASON, 1);
        told(&mut thread.teb, kdbg::OFFSET_KTHREAD_TEB, pointer);
        told(&mut self.thread.irp_list, kdbg::OFFSET_ETHREAD_IRP_LIST, 2 * pointer);
        let process = &mut self.process;
        told(&mut process.peb, kdbg::OFFSET_EPROCESS_PEB, pointer);
        told(&mut process.parent_id, kdbg::OFFSET_EPROCESS_PARENT_CID, pointer);
        let base = &mut self.kernel_process.directory_table_base;
        told(base, kdbg::OFFSET_EPROCESS_DIRECTORY_TABLE_BASE, pointer);
        let processor = &mut self.processor;
        told(&mut processor.current_thread, kdbg::OFFSET_PRCB_CURRENT_THREAD, pointer);
        told(&mut processor.idle_thread, kdbg::OFFSET_PRCB_IDLETHREAD, pointer);
        told(&mut processor.number, kdbg::OFFSET_PRCB_NUMBER, 4);
        told(&mut processor.context, kdbg::OFFSET_PRCB_CONTEXT, pointer);
        told(&mut processor.context_frame, kdbg::OFFSET_PRCB_PROC_STATE_CONTEXT, 0);
        told(&mut processor.dpc_active, kdbg::OFFSET_PRCB_DPC_ROUTINE, 1);
        let special = kdbg::OFFSET_PRCB_PROC_STATE_SPECIAL_REG;
        told(&mut processor.special_registers, special, 0);
        told(&mut processor.dpc_stack, kdbg::OFFSET_PRCB_DPC_STACK, pointer);
        told(&mut processor.isr_stack, kdbg::OFFSET_PRCB_ISR_STACK, pointer);
    }
}

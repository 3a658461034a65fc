//! Drivers, their devices, and requests on their way.

use serde_json::json;

use crate::image::Image;
use crate::image::plant::locks::truth_hex;
use crate::image::plant::truth::{Edge, Grade};
use crate::image::plant::waits::kind;
use crate::nt::plan::{Plan, Reached, Request as Planned};

/// IO_TYPE_DEVICE, IO_TYPE_DRIVER, IO_TYPE_FILE, IO_TYPE_IRP.
const DEVICE: u64 = 3;
const DRIVER: u64 = 4;
const FILE: u64 = 5;
const REQUEST: u64 = 6;
/// IRP_MJ_READ.
const READ: u64 = 3;
const LOCATIONS: u64 = 2;

struct Devices {
    bus: u64,
    filter: u64,
}

impl Image {
    pub(super) fn plant_requests(&mut self, plan: &Plan) {
        if self.real.is_none() {
            return;
        }
        let devices = self.devices();
        for request in &plan.requests {
            self.plant_request(request, &devices);
        }
    }

    /// The filter's device is attached above the bus driver's.
    fn devices(&mut self) -> Devices {
        let bus_driver = self.driver(1, r"\Driver\diskbus", "DiskBusDispatchReadWrite");
        let filter_driver = self.driver(2, r"\FileSystem\volfilter", "VolFilterDispatchRead");
        let bus = self.device(bus_driver, 1, 7);
        let filter = self.device(filter_driver, 2, 8);
        self.set(bus, "_DEVICE_OBJECT", "AttachedDevice", filter);
        let extension = self.get(filter, "_DEVICE_OBJECT", "DeviceObjectExtension");
        self.set(extension, "_DEVOBJ_EXTENSION", "AttachedTo", bus);
        Devices { bus, filter }
    }

    fn driver(&mut self, number: usize, name: &str, dispatch: &str) -> u64 {
        let driver = self.object("Driver", "_DRIVER_OBJECT");
        let module = self.modules[number].clone();
        let string = self.unicode(name);
        for (field, value) in [
            ("Type", DRIVER),
            ("Size", 0x150),
            ("DriverStart", module.base),
            ("DriverSize", module.size.into()),
            ("DriverSection", module.entry),
        ] {
            self.set(driver, "_DRIVER_OBJECT", field, value);
        }
        self.set_bytes(driver, "_DRIVER_OBJECT", "DriverName", &string);
        let routines = driver + self.offset_of("_DRIVER_OBJECT", "MajorFunction");
        let routine = self.function_of(dispatch);
        for major in 0..28 {
            self.space.write64(routines + major * 8, routine);
        }
        driver
    }

    fn device(&mut self, driver: u64, stack: u64, kind: u64) -> u64 {
        let device = self.object("Device", "_DEVICE_OBJECT");
        let extension = self.make("_DEVOBJ_EXTENSION");
        for (field, value) in [
            ("Type", DEVICE),
            ("Size", 0x150),
            ("ReferenceCount", 1),
            ("DriverObject", driver),
            ("StackSize", stack),
            ("DeviceType", kind),
            ("DeviceObjectExtension", extension),
        ] {
            self.set(device, "_DEVICE_OBJECT", field, value);
        }
        self.set(extension, "_DEVOBJ_EXTENSION", "Type", 13);
        self.set(extension, "_DEVOBJ_EXTENSION", "DeviceObject", device);
        self.set(driver, "_DRIVER_OBJECT", "DeviceObject", device);
        device
    }

    /// A read that the bus driver keeps; its thread waits for the controller's event.
    fn plant_request(&mut self, request: &Planned, devices: &Devices) {
        let thread = request.thread;
        let file = self.file(devices);
        let (irp, bottom) = self.packet(thread, file, devices);
        // Behind its event, a driver keeps the request that the event is for.
        let beside = request.reached == Reached::Beside;
        let event = self.allocate(if beside { 0x20 } else { 0x18 });
        self.dispatcher(event, kind::NOTIFICATION_EVENT, 0x18, 0);
        match request.reached {
            Reached::List => {
                let head = self.threads[thread] + self.offset_of("_ETHREAD", "IrpList");
                let entry = irp + self.offset_of("_IRP", "ThreadListEntry");
                self.insert(head, entry);
            }
            Reached::Stack => {}
            Reached::UserEvent => self.set(irp, "_IRP", "UserEvent", event),
            Reached::Context => {
                let routine = self.function_of("VolFilterPassThrough");
                self.set(irp, "_IRP", "Tail.Overlay.Thread", 0);
                self.set(bottom, "_IO_STACK_LOCATION", "CompletionRoutine", routine);
                self.set(bottom, "_IO_STACK_LOCATION", "Context", event);
            }
            Reached::Beside => {
                self.set(irp, "_IRP", "UserEvent", event);
                self.space.write64(event + 0x18, irp);
            }
        }
        self.wait_for(thread, &[event], 0);
        if !beside {
            for function in ["DiskBusStartRequest", "VolFilterPassThrough", "VolFilterDispatchRead"]
            {
                self.keep(thread, function, irp);
            }
        }
        if let Some(witness) = request.witness {
            let (done, bottom) = self.packet(witness, file, devices);
            let behind = bottom + LOCATIONS * self.size_of("_IO_STACK_LOCATION") as u64;
            self.set(done, "_IRP", "CurrentLocation", LOCATIONS + 1);
            self.set(done, "_IRP", "Tail.Overlay.CurrentStackLocation", behind);
            self.keep(witness, "VolFilterWaitForService", done);
            self.keep(witness, "VolFilterWorker", irp);
        }
        self.tell_request(request, irp, event, devices);
    }

    fn file(&mut self, devices: &Devices) -> u64 {
        let file = self.object("File", "_FILE_OBJECT");
        let name = self.unicode(r"\Data\journal.bin");
        self.set(file, "_FILE_OBJECT", "Type", FILE);
        self.set(file, "_FILE_OBJECT", "Size", 0xD8);
        self.set(file, "_FILE_OBJECT", "DeviceObject", devices.filter);
        self.set_bytes(file, "_FILE_OBJECT", "FileName", &name);
        file
    }

    /// A request at its last stack location, and where that lies.
    fn packet(&mut self, thread: usize, file: u64, devices: &Devices) -> (u64, u64) {
        let address = self.threads[thread];
        let (size, location) = (self.size_of("_IRP"), self.size_of("_IO_STACK_LOCATION"));
        let whole = size + LOCATIONS as usize * location;
        let irp = self.allocate(whole);
        let bottom = irp + size as u64;
        for (field, value) in [
            ("Type", REQUEST),
            ("Size", whole as u64),
            ("StackCount", LOCATIONS),
            ("CurrentLocation", 1),
            ("RequestorMode", 1),
            ("Tail.Overlay.Thread", address),
            ("Tail.Overlay.CurrentStackLocation", bottom),
            ("Tail.Overlay.OriginalFileObject", file),
        ] {
            self.set(irp, "_IRP", field, value);
        }
        for (number, device) in [devices.bus, devices.filter].into_iter().enumerate() {
            let at = bottom + (number * location) as u64;
            for (field, value) in [
                ("MajorFunction", READ),
                ("DeviceObject", device),
                ("FileObject", file),
                ("Parameters.Read.Length", 0x1000),
            ] {
                self.set(at, "_IO_STACK_LOCATION", field, value);
            }
        }
        (irp, bottom)
    }

    fn tell_request(&mut self, planned: &Planned, irp: u64, event: u64, devices: &Devices) {
        let thread = planned.thread;
        let (reached, grade) = match planned.reached {
            Reached::List => ("list", Grade::Consistent),
            Reached::Stack => ("stack", Grade::Consistent),
            Reached::UserEvent => ("user-event", Grade::Proved),
            Reached::Context => ("context", Grade::Consistent),
            Reached::Beside => ("beside-event", Grade::Proved),
        };
        self.tell_edge(thread, event, "event", None, Grade::NotProvable);
        let tid = self.population.threads[thread].tid;
        let request = json!({
            "irp": truth_hex(irp),
            "tid": tid,
            "reached": reached,
            "grade": grade.name(),
            "major_function": "IRP_MJ_READ",
            "held_by": "diskbus.sys",
            "device_stack": [
                { "device": truth_hex(devices.filter), "driver": "volfilter.sys" },
                { "device": truth_hex(devices.bus), "driver": "diskbus.sys" },
            ],
        });
        if let Some(real) = &mut self.real {
            real.facts.requests.push(request);
        }
    }

    pub(super) fn tell_edge(
        &mut self,
        waiter: usize,
        object: u64,
        kind: &'static str,
        owner: Option<usize>,
        grade: Grade,
    ) {
        if let Some(real) = &mut self.real {
            real.facts.edges.push(Edge { waiter, object, kind, owner, grade });
        }
    }

    pub(super) fn tell_object(
        &mut self,
        address: u64,
        kind: &'static str,
        details: serde_json::Value,
    ) {
        let mut object = json!({ "address": truth_hex(address), "kind": kind });
        if let (Some(all), Some(more)) = (object.as_object_mut(), details.as_object()) {
            all.extend(more.clone());
        }
        if let Some(real) = &mut self.real {
            real.facts.objects.push(object);
        }
    }
}

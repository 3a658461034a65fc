//! Threads and processes that are waited for, requests, and calls to other processes.

use memory::VirtualAddress;
use nt::thread::WaitReason;
use ntos::{AlpcMessage, Irp, ObjectKind};

use super::relation::{Evidence, Grade, Holder, Object, Relation};
use super::scene::Scene;
use crate::Hex;

/// Waits for a thread or a process to end.
pub(crate) fn ends(scene: &Scene<'_, '_>) -> Vec<Relation> {
    let mut relations = Vec::new();
    for (thread, waits) in scene.waits.iter().enumerate() {
        for wait in waits {
            let (kind, holder) = match wait.kind {
                Some(ObjectKind::Thread) => ("thread", scene.thread_at(wait.object)),
                Some(ObjectKind::Process) => ("process", (scene.process_at(wait.object), None)),
                _ => continue,
            };
            let (grade, evidence) = scene.wait_evidence(wait);
            let object = Object::new(wait.object, kind);
            relations.extend(scene.relation(thread, object, Some(holder), grade, evidence));
        }
    }
    relations
}

/// Waiting threads with requests that drivers have not finished.
pub(crate) fn requests(scene: &Scene<'_, '_>) -> Vec<Relation> {
    let mut relations = Vec::new();
    for (number, thread) in scene.census.threads.iter().enumerate() {
        if thread.waits() != Some(true) {
            continue;
        }
        let irps = scene.kernel.irps(thread.address).map(|list| list.irps).unwrap_or_default();
        for irp in irps.iter().filter(|irp| irp.thread.is_none_or(|by| by == thread.address)) {
            relations.extend(request(scene, number, thread.address, irp));
        }
    }
    relations
}

fn request(
    scene: &Scene<'_, '_>,
    number: usize,
    thread: VirtualAddress,
    irp: &Irp,
) -> Option<Relation> {
    let waits_for = |event: VirtualAddress| scene.wait_for(number, event);
    let event = irp.user_event.and_then(waits_for);
    let file = irp.stack.first().and_then(|location| location.file_event);
    let wait = event.or_else(|| waits_for(file?));
    let mut evidence = vec![
        Evidence::new(thread, "its IrpList holds the request"),
        Evidence::new(irp.address, "the request"),
    ];
    // Many requests of a thread are not what it waits for.
    let grade = match wait {
        Some(wait) => {
            evidence.push(Evidence::new(wait.object, "the event that ends the request"));
            scene.wait_evidence(wait).0
        }
        None if scene.reason(number) == Some(WaitReason::WrQueue) => return None,
        None => Grade::Consistent,
    };
    let location = irp.stack.first();
    let holder = location.and_then(|location| {
        evidence.push(Evidence::new(location.address, "its current stack location"));
        let module = location.driver_start.and_then(|start| scene.kernel.modules().at(start));
        Some(Holder::Device {
            device: Hex(location.device?.0),
            driver: location.driver_name.clone(),
            module: module.and_then(|module| module.name.clone()),
        })
    });
    let object = Object::new(irp.address, "irp");
    scene.relation(number, object, holder.map(|holder| (holder, None)), grade, evidence)
}

/// Calls to another process that were not answered.
pub(crate) fn calls(scene: &Scene<'_, '_>) -> Vec<Relation> {
    let mut relations = Vec::new();
    for (number, thread) in scene.census.threads.iter().enumerate() {
        if thread.waits() == Some(true)
            && let Some(message) = scene.kernel.alpc_message(thread.address)
        {
            relations.extend(call(scene, number, &message));
        }
    }
    relations
}

fn call(scene: &Scene<'_, '_>, number: usize, message: &AlpcMessage) -> Option<Relation> {
    let mut evidence =
        vec![Evidence::new(message.address, "the message, whose WaitingThread is the waiter")];
    let server = message.server_thread.filter(|server| scene.census.find(*server).is_some());
    let (holder, grade) = match (server, message.server_process) {
        (Some(server), _) => {
            evidence.push(Evidence::new(server, "its ServerThread"));
            (Some(scene.thread_at(server)), Grade::Proved)
        }
        (None, Some(process)) => {
            let port = message.port.unwrap_or(message.address);
            evidence.push(Evidence::new(port, "no thread took it; the port's owner"));
            let known = scene.census.process(process).is_some();
            let grade = if known { Grade::Proved } else { Grade::Consistent };
            (Some((scene.process_at(process), None)), grade)
        }
        (None, None) => (None, Grade::NotProvable),
    };
    // A message stays with its sender after an answer came: the reason says that it waits.
    let waits = scene.reason(number) == Some(WaitReason::WrLpcReply);
    let grade = if waits { grade } else { grade.min(Grade::Consistent) };
    let object = Object::new(message.address, "alpc-message");
    scene.relation(number, object, holder, grade, evidence)
}

//! Threads and processes that are waited for, and calls to other processes.

use nt::thread::WaitReason;
use ntos::{AlpcMessage, ObjectKind};

use super::relation::{Evidence, Grade, Object, Relation};
use super::scene::Scene;

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
    // Members that were probed lead to the message; that they mean this, it alone says.
    let probed = |member: ntos::layout::Member| member.source == ntos::layout::Source::Probed;
    let grade = match scene.kernel.layout().thread.alpc_message.is_some_and(probed) {
        true => grade.min(Grade::Consistent),
        false => grade,
    };
    let object = Object::new(message.address, "alpc-message");
    scene.relation(number, object, holder, grade, evidence)
}

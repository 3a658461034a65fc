//! Members of a message whose answer a thread waits for, and of its port.

use std::collections::HashMap;

use memory::VirtualAddress;
use nt::thread::WaitReason;

use super::only;
use crate::alpc::FLAGS;
use crate::layout::{AlpcMessageLayout, AlpcPortLayout, Member, Source};
use crate::objects::{Evidence, Waiting};
use crate::reader::{Reader, at};

/// Bytes of a message, its `PORT_MESSAGE` among them, and of a port that are looked at.
const MESSAGE: u64 = 0x180;
const PORT: u64 = 0x80;
/// Messages that are looked at.
const SAMPLE: usize = 256;

/// What was found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found {
    /// AlpcMessage in a thread.
    pub thread: Member,
    /// The message.
    pub message: AlpcMessageLayout,
    /// The port.
    pub port: AlpcPortLayout,
}

/// A message and who sent it.
type Sent = (VirtualAddress, VirtualAddress);

/// Looks in threads that wait for a reply for a pointer to what names the
/// thread twice: by its address, and by its client id, which the sender of a
/// message is known by.
pub(crate) fn find(
    reader: &Reader<'_>,
    evidence: &Evidence,
    thread_size: u64,
    owner_of: impl Fn(VirtualAddress) -> Option<VirtualAddress>,
) -> Option<Found> {
    let for_reply = |one: &&Waiting| one.reason == Some(WaitReason::WrLpcReply);
    let mut votes: HashMap<(u64, u64), Vec<Sent>> = HashMap::new();
    for sender in evidence.waiting.iter().filter(for_reply).take(SAMPLE) {
        for (place, waiting, message) in messages(reader, sender, thread_size) {
            votes.entry((place, waiting)).or_default().push((message, sender.thread));
        }
    }
    let most = votes.values().map(Vec::len).max()?;
    let best = only(votes.iter().filter(|(_, sent)| sent.len() == most).map(|(shape, _)| *shape))?;
    let sent = votes.get(&best)?;
    let member = |offset| Some(Member::new(offset, reader.pointer_size(), Source::Probed));
    let server = server(reader, evidence, sent);
    let port = server.and_then(|server| port(reader, evidence, sent, server, &owner_of));
    Some(Found {
        thread: member(best.0)?,
        message: AlpcMessageLayout {
            waiting_thread: member(best.1),
            server_thread: server.and_then(member),
            connection_port: port.and_then(|(port, _)| member(port)),
            ..AlpcMessageLayout::default()
        },
        port: AlpcPortLayout {
            owner_process: port.and_then(|(_, owner)| member(owner)),
            ..AlpcPortLayout::default()
        },
    })
}

fn words(reader: &Reader<'_>, bytes: u64) -> impl Iterator<Item = u64> + use<> {
    (0..bytes).step_by(reader.pointer_size() as usize)
}

/// Where the thread leads to messages of its own: the place in the thread,
/// that of its address in the message, and the message.
fn messages(
    reader: &Reader<'_>,
    sender: &Waiting,
    thread_size: u64,
) -> Vec<(u64, u64, VirtualAddress)> {
    let Some((pid, tid)) = sender.client else { return Vec::new() };
    let mut found = Vec::new();
    for place in words(reader, thread_size) {
        let Ok(value) = reader.pointer(at(sender.thread, place)) else { continue };
        let message = VirtualAddress(value.0 & !FLAGS);
        let own = message.0.wrapping_sub(sender.thread.0) < thread_size;
        if own || !reader.is_kernel(message) || !reader.step() {
            continue;
        }
        let word = |offset| reader.integer(at(message, offset), reader.pointer_size() as usize);
        let named = |offset: &u64| {
            word(*offset).is_ok_and(|word| word == pid)
                && word(*offset + reader.pointer_size()).is_ok_and(|word| word == tid)
        };
        if words(reader, MESSAGE).any(|offset| named(&offset)) {
            let waiting = |offset: &u64| word(*offset).is_ok_and(|word| word == sender.thread.0);
            let places = words(reader, MESSAGE).filter(waiting);
            found.extend(places.map(|waiting| (place, waiting, message)));
        }
    }
    found
}

/// Where messages name the thread that took them: nobody or another thread in
/// each, and a thread in more messages than at any other place.
fn server(reader: &Reader<'_>, evidence: &Evidence, sent: &[Sent]) -> Option<u64> {
    let taken = |offset: u64| {
        let mut taken = 0;
        for (message, sender) in sent {
            match reader.pointer(at(*message, offset)) {
                Ok(VirtualAddress(0)) | Err(_) => {}
                Ok(word) if word != *sender && evidence.threads.contains(&word) => taken += 1,
                Ok(_) => return 0,
            }
        }
        taken
    };
    let places: Vec<(usize, u64)> =
        words(reader, MESSAGE).map(|place| (taken(place), place)).collect();
    let most = places.iter().map(|(taken, _)| *taken).max().filter(|most| *most > 0)?;
    only(places.iter().filter(|(taken, _)| *taken == most).map(|(_, place)| *place))
}

/// Where messages lead to a port, and a port to the process that owns it: the
/// server's, wherever the server is known, and another than the sender's in all.
fn port(
    reader: &Reader<'_>,
    evidence: &Evidence,
    sent: &[Sent],
    server: u64,
    owner_of: &impl Fn(VirtualAddress) -> Option<VirtualAddress>,
) -> Option<(u64, u64)> {
    let pointer = |place| reader.kernel_pointer(place).ok().flatten();
    let known: Vec<(VirtualAddress, VirtualAddress)> = sent
        .iter()
        .filter_map(|(message, sender)| {
            let process = owner_of(pointer(at(*message, server))?)?;
            (owner_of(*sender) != Some(process)).then_some((*message, process))
        })
        .collect();
    let owner = |message: VirtualAddress, port: u64, owner: u64| {
        let port = pointer(at(message, port)).filter(|_| reader.step());
        port.and_then(|port| pointer(at(port, owner)))
    };
    let leads = |place: u64, at: u64| {
        known.iter().all(|(message, process)| owner(*message, place, at) == Some(*process))
            && sent.iter().all(|(message, sender)| {
                let process = owner(*message, place, at);
                process.is_some_and(|process| evidence.processes.contains(&process))
                    && process != owner_of(*sender)
            })
    };
    if known.is_empty() {
        return None;
    }
    // The port in whose queue the message is belongs to the same process as the
    // port that was connected to: either serves.
    let ways =
        words(reader, MESSAGE).flat_map(|port| words(reader, PORT).map(move |at| (port, at)));
    ways.filter(|(port, owner)| leads(*port, *owner)).last()
}

#[cfg(test)]
mod tests {
    use format::Width;

    use super::*;
    use crate::words::Words;

    const BASE: u64 = 0xFFFF_8000_0000_0000;
    const CLIENT: u64 = BASE + 0x1000;
    const SERVER: u64 = BASE + 0x2000;
    const MESSAGE_AT: u64 = BASE + 0x3000;
    const PORT_AT: u64 = BASE + 0x4000;
    const PROCESSES: [u64; 2] = [BASE + 0x5000, BASE + 0x6000];
    const IDS: (u64, u64) = (0x120, 0x124);

    /// A thread whose message another process's thread took.
    fn machine() -> Words {
        let mut words = Words::default();
        words.put(CLIENT, &[0; 0x40]);
        words.put(CLIENT + 0x90, &[MESSAGE_AT | 1]);
        words.put(MESSAGE_AT, &[0; 0x40]);
        words.put(MESSAGE_AT + 0x20, &[CLIENT]);
        words.put(MESSAGE_AT + 0x48, &[PORT_AT, SERVER]);
        words.put(MESSAGE_AT + 0x80, &[IDS.0, IDS.1]);
        words.put(PORT_AT, &[0, 0, 0, PROCESSES[1]]);
        words
    }

    fn found(words: &Words) -> Option<Found> {
        let waiting = Waiting {
            thread: VirtualAddress(CLIENT),
            reason: Some(WaitReason::WrLpcReply),
            client: Some(IDS),
            object: None,
        };
        let evidence = Evidence {
            processes: PROCESSES.map(VirtualAddress).into(),
            threads: [CLIENT, SERVER].map(VirtualAddress).into(),
            waiting: vec![waiting],
            objects: <_>::default(),
        };
        let owner = |thread: VirtualAddress| match thread.0 {
            CLIENT => Some(VirtualAddress(PROCESSES[0])),
            SERVER => Some(VirtualAddress(PROCESSES[1])),
            _ => None,
        };
        find(&Reader::new(words, Width::Bits64), &evidence, 0x200, owner)
    }

    #[test]
    fn a_message_names_its_sender_twice_its_server_and_a_port_of_the_server_s_process() {
        let found = found(&machine()).unwrap();
        assert_eq!(found.thread.offset, 0x90);
        assert_eq!(found.message.waiting_thread.unwrap().offset, 0x20);
        assert_eq!(found.message.server_thread.unwrap().offset, 0x50);
        assert_eq!(found.message.connection_port.unwrap().offset, 0x48);
        assert_eq!(found.port.owner_process.unwrap().offset, 0x18);
    }

    #[test]
    fn what_names_the_thread_but_not_its_client_id_is_no_message() {
        let mut words = machine();
        words.put(MESSAGE_AT + 0x80, &[IDS.0, IDS.1 + 4]);
        assert!(found(&words).is_none());
    }

    #[test]
    fn of_two_places_that_lead_to_messages_neither_is_believed() {
        let mut words = machine();
        words.put(CLIENT + 0xA8, &[MESSAGE_AT]);
        assert!(found(&words).is_none());
    }

    #[test]
    fn with_two_threads_in_a_message_the_server_is_not_told() {
        let mut words = machine();
        words.put(MESSAGE_AT + 0x60, &[SERVER]);
        let found = found(&words).unwrap();
        assert_eq!((found.message.server_thread, found.port.owner_process), (None, None));
    }
}

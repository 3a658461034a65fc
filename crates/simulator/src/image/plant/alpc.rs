//! ALPC ports and messages.

use serde_json::json;

use crate::image::Image;
use crate::image::plant::locks::truth_hex;
use crate::image::plant::truth::Grade;
use crate::nt::plan::{Message, Plan};

/// What public tools show as the type of a port, in the low bits of its state.
const CONNECTION_PORT: u64 = 1 << 1;
const SERVER_PORT: u64 = 2 << 1;
const CLIENT_PORT: u64 = 3 << 1;
/// LPC_REQUEST.
const REQUEST: u64 = 1;

impl Image {
    pub(super) fn plant_messages(&mut self, plan: &Plan) {
        for (number, message) in plan.messages.iter().enumerate() {
            self.plant_message(message, number as u64 * 4 + 0x2C);
        }
    }

    fn port(&mut self, process: u64, kind: u64, communication: u64) -> u64 {
        let port = self.object("ALPC Port", "_ALPC_PORT");
        self.set(port, "_ALPC_PORT", "OwnerProcess", process);
        self.set(port, "_ALPC_PORT", "CommunicationInfo", communication);
        self.set(port, "_ALPC_PORT", "u1.State", kind);
        for field in [
            "MainQueue",
            "LargeMessageQueue",
            "PendingQueue",
            "DirectQueue",
            "WaitQueue",
            "CanceledQueue",
        ] {
            self.list(port + self.offset_of("_ALPC_PORT", field));
        }
        if let Some(head) = self.variable_of("AlpcpPortList") {
            self.insert(head, port + self.offset_of("_ALPC_PORT", "PortListEntry"));
        }
        port
    }

    /// A message lies in the main queue until a server's thread takes it, then in the pending one.
    fn plant_message(&mut self, of: &Message, id: u64) {
        let client_process = self.get(self.threads[of.client], "_KTHREAD", "Process");
        let server_process = self.processes[of.server_process];
        let info = self.make("_ALPC_COMMUNICATION_INFO");
        let connection = self.port(server_process, CONNECTION_PORT, info);
        let server = self.port(server_process, SERVER_PORT, info);
        let client = self.port(client_process, CLIENT_PORT, info);
        for (field, port) in [
            ("ConnectionPort", connection),
            ("ServerCommunicationPort", server),
            ("ClientCommunicationPort", client),
        ] {
            self.set(info, "_ALPC_COMMUNICATION_INFO", field, port);
        }
        self.list(info + self.offset_of("_ALPC_COMMUNICATION_INFO", "CommunicationList"));
        let message = self.make("_KALPC_MESSAGE");
        let server_thread = of.server.map_or(0, |thread| self.threads[thread]);
        for (field, value) in [
            ("PortQueue", connection),
            ("OwnerPort", client),
            ("WaitingThread", self.threads[of.client]),
            ("ServerThread", server_thread),
            ("QuotaProcess", client_process),
            ("CommunicationInfo", info),
            ("ConnectionPort", connection),
            ("SequenceNo", id),
        ] {
            self.set(message, "_KALPC_MESSAGE", field, value);
        }
        let header = message + self.offset_of("_KALPC_MESSAGE", "PortMessage");
        self.port_message(header, of.client, id);
        let (queue, length) = match of.server {
            Some(_) => ("PendingQueue", "PendingQueueLength"),
            None => ("MainQueue", "MainQueueLength"),
        };
        self.set(connection, "_ALPC_PORT", length, 1);
        let head = connection + self.offset_of("_ALPC_PORT", queue);
        self.insert(head, message + self.offset_of("_KALPC_MESSAGE", "Entry"));
        let semaphore = self.alpc_semaphore(of.client);
        self.wait_for(of.client, &[semaphore], 0);
        let thread = self.threads[of.client];
        self.set(thread, "_ETHREAD", "AlpcMessage", message);
        self.set(thread, "_ETHREAD", "AlpcMessageId", id);
        self.keep(of.client, "AlpcpReceiveSynchronousReply", message);
        let server_pid = self.population.processes[of.server_process].pid;
        let details = json!({
            "connection_port": truth_hex(connection),
            "client_port": truth_hex(client),
            "server_port": truth_hex(server),
            "server_pid": server_pid,
            "queue": queue,
        });
        self.tell_object(message, "alpc-message", details);
        let grade = if of.server.is_some() { Grade::Proved } else { Grade::NotProvable };
        self.tell_edge(of.client, message, "alpc-message", of.server, grade);
    }

    fn port_message(&mut self, header: u64, client: usize, id: u64) {
        let (pid, tid) = (
            u64::from(self.population.threads[client].pid),
            u64::from(self.population.threads[client].tid),
        );
        self.set(header, "_PORT_MESSAGE", "u1.s1.DataLength", 0x40);
        self.set(header, "_PORT_MESSAGE", "u1.s1.TotalLength", 0x68);
        self.set(header, "_PORT_MESSAGE", "u2.s2.Type", REQUEST);
        self.set(header, "_PORT_MESSAGE", "MessageId", id);
        let cid = header + self.offset_of("_PORT_MESSAGE", "ClientId");
        self.set(cid, "_CLIENT_ID", "UniqueProcess", pid);
        self.set(cid, "_CLIENT_ID", "UniqueThread", tid);
    }
}

//! Local procedure calls (ALPC): from who waits, through the message, to who answers.

use memory::VirtualAddress;
use serde::Serialize;

use crate::kernel::Kernel;

/// The low bit of a thread's AlpcMessage says what kind of wait it is.
pub(crate) const FLAGS: u64 = 7;

/// A message that a thread sent and whose answer it waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct AlpcMessage {
    /// Where it lies.
    #[serde(serialize_with = "crate::hex")]
    pub address: VirtualAddress,
    /// WaitingThread: who waits for the answer.
    #[serde(serialize_with = "crate::hex_option")]
    pub waiting_thread: Option<VirtualAddress>,
    /// ServerThread: who took the message and has not answered.
    #[serde(serialize_with = "crate::hex_option")]
    pub server_thread: Option<VirtualAddress>,
    /// The port in whose queue it is.
    #[serde(serialize_with = "crate::hex_option")]
    pub port: Option<VirtualAddress>,
    /// The process that owns the connection port: the server, when no thread took the message.
    #[serde(serialize_with = "crate::hex_option")]
    pub server_process: Option<VirtualAddress>,
}

impl Kernel<'_> {
    /// The message whose answer a thread waits for. `None` when there is none,
    /// or the message names another thread: then the thread's member is an old one.
    pub fn alpc_message(&self, thread: VirtualAddress) -> Option<AlpcMessage> {
        let layout = &self.layout().alpc_message;
        let value = self.member(thread, self.layout().thread.alpc_message)?;
        let address = VirtualAddress(value & !FLAGS);
        if !self.reader().is_kernel(address) {
            return None;
        }
        let waiting = self.pointer(address, layout.waiting_thread);
        let owner = |port| self.pointer(port, self.layout().alpc_port.owner_process);
        let connection = self.pointer(address, layout.connection_port).or_else(|| {
            let communication = self.pointer(address, layout.communication)?;
            self.pointer(communication, self.layout().alpc_communication.connection_port)
        });
        (waiting == Some(thread)).then(|| AlpcMessage {
            address,
            waiting_thread: waiting,
            server_thread: self.pointer(address, layout.server_thread),
            port: self.pointer(address, layout.queue),
            server_process: connection.and_then(owner),
        })
    }
}

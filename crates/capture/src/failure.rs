//! Why a command failed: class, words, and what to do next.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{Class, StatusReport};

/// Why a command failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The class, and so the exit code.
    pub class: Class,
    /// What happened, one sentence.
    pub message: String,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The kernel's status, where it was the kernel that refused; what to do is in `remedy` above.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub status: Option<Box<StatusReport>>,
    /// Lines that belong to the message: the processes of one name, the failed checks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub details: Vec<String>,
}

impl Failure {
    /// A failure with words only.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), remedy: None, status: None, details: Vec::new() }
    }

    /// Says what to do next.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Adds the kernel's status; its remedy is ours, unless one was said.
    #[must_use]
    pub fn status(mut self, mut status: StatusReport) -> Self {
        let remedy = status.remedy.take();
        self.remedy = self.remedy.or(remedy);
        self.status = Some(Box::new(status));
        self
    }

    /// Adds lines.
    #[must_use]
    pub fn details(mut self, details: Vec<String>) -> Self {
        self.details = details;
        self
    }
}

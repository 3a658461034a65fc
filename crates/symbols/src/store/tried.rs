//! What was tried, and what came of it.

use std::fmt;

use serde::Serialize;

/// An answer with its reasons.
#[derive(Debug, Clone)]
pub struct Lookup<T> {
    /// What was found.
    pub found: Option<T>,
    /// Where it was looked for, in that order, and why a place did not do. The
    /// last is where it was found, if it was.
    pub tried: Vec<Tried>,
}

impl<T> Lookup<T> {
    pub(super) fn nothing() -> Self {
        Self { found: None, tried: Vec::new() }
    }

    pub(super) fn refused(place: &str, outcome: Outcome) -> Self {
        Self { found: None, tried: vec![Tried { place: place.to_owned(), outcome }] }
    }

    /// This, and where it found nothing, the other.
    pub(super) fn or(mut self, other: Self) -> Self {
        self.tried.extend(other.tried);
        Self { found: self.found.or(other.found), tried: self.tried }
    }

    /// Notes what came of a place. Whether it was found there.
    pub(super) fn note(&mut self, place: impl ToString, result: Result<T, Outcome>) -> bool {
        let outcome = match result {
            Ok(found) => {
                self.found = Some(found);
                Outcome::Found
            }
            Err(outcome) => outcome,
        };
        self.tried.push(Tried { place: place.to_string(), outcome });
        self.found.is_some()
    }
}

/// A place, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// A path or an address.
    pub place: String,
    /// What came of it.
    pub outcome: Outcome,
}

impl Tried {
    /// Whether more came of it than that a file was there or was not.
    pub fn says_more(&self) -> bool {
        !matches!(self.outcome, Outcome::NotThere | Outcome::Found)
    }
}

/// `PLACE: outcome`.
impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.outcome)
    }
}

/// What came of looking in a place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was there.
    #[error("found")]
    Found,
    /// It was not there.
    #[error("not there")]
    NotThere,
    /// What the path names does not exist.
    #[error("no such folder or file")]
    NoSuchPlace,
    /// A file of that name that belongs to another build.
    #[error("another one: {found}, not {expected}")]
    Other {
        /// What it is.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// A file that is not what its name says.
    #[error("{0}")]
    Unreadable(String),
    /// A compressed file of a store.
    #[error("there, but compressed: unpack it with expand (Windows) or cabextract")]
    Compressed,
    /// The store says that the file is elsewhere. It is not followed: the
    /// place may be on the network.
    #[error("the store points elsewhere, which is not followed: {0}")]
    Elsewhere(String),
    /// A name that is not a plain file name.
    #[error("not asked for: {0}")]
    BadName(String),
    /// A server, and downloads were not asked for.
    #[error("a server: not asked without --download")]
    NotAsked,
    /// A download, and no folder to put it in.
    #[error("no folder to keep a download in: name one before the server (srv*FOLDER*SERVER)")]
    NoFolder,
    /// This kind of place is not served.
    #[error("only http and https are served")]
    NotServed,
    /// The server's answer.
    #[error("the server answered {0}")]
    Status(u16),
    /// It took too long.
    #[error("not done within {0} s")]
    TimedOut(u64),
    /// It is longer than allowed.
    #[error("longer than the {0} bytes that are allowed")]
    TooLarge(u64),
    /// The answer ended early.
    #[error("the answer ended after {received} of {expected} bytes")]
    CutOff {
        /// What came.
        received: u64,
        /// What was announced.
        expected: u64,
    },
    /// The network or the disk failed.
    #[error("{0}")]
    Failed(String),
}

//! What the harness and its agent say to each other: one JSON object a line, each way.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Any bytes, written as Latin-1 text: U+00XX is byte XX.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Octets(pub(super) Vec<u8>);

impl Serialize for Octets {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.iter().map(|byte| char::from(*byte)).collect::<String>())
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes: Result<Vec<u8>, _> = text.chars().map(|c| u8::try_from(u32::from(c))).collect();
        bytes.map(Octets).map_err(serde::de::Error::custom)
    }
}

/// The first message to the agent.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Hello {
    /// The scratch folder of the run.
    pub(super) scratch: PathBuf,
    /// The `leaselab` executable.
    pub(super) leaselab: PathBuf,
    /// Whether to enter a private root.
    pub(super) private_root: bool,
}

/// The agent's answer to [`Hello`].
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Ready {
    /// Why there is no private root, where one was asked for.
    pub(super) refused: Option<String>,
}

/// A request.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Request {
    /// Run these programs side by side, and wait for all of them.
    Run(Vec<Program>),
    /// Power goes: kill what is left of earlier programs.
    KillStragglers,
}

/// A program to run.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Program {
    /// argv, its first word being the program.
    pub(super) argv: Vec<Octets>,
    /// The whole environment.
    pub(super) environment: BTreeMap<Octets, Octets>,
    /// After how many milliseconds it is killed with its children.
    pub(super) limit_ms: u64,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum End {
    /// By itself, with this exit code.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// It was killed after its limit.
    Hung,
}

/// What a program did.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Done {
    /// How it ended; the error's text if it could not be started.
    pub(super) end: Result<End, String>,
    /// Standard output.
    pub(super) stdout: Octets,
    /// Standard error.
    pub(super) stderr: Octets,
}

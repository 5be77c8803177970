//! What the harness and its agent say to each other: one JSON object a line, each way.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Any bytes, written as Latin-1 text: U+00XX is byte XX.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Octets(pub Vec<u8>);

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
pub struct Hello {
    /// The scratch folder of the run.
    pub scratch: PathBuf,
    /// The `leaselab` executable.
    pub leaselab: PathBuf,
    /// Which view of the file system.
    pub root: Root,
}

/// Which view of the file system scripts get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Root {
    /// The machine's own.
    Shared,
    /// One of their own, in a user namespace of their own.
    Private,
    /// One of their own; the process is root in a user namespace already.
    Mounts,
}

/// The agent's answer to [`Hello`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Ready {
    /// Why there is no private root, where one was asked for.
    pub refused: Option<String>,
}

/// A request.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Run these programs side by side, and wait for all of them.
    Run(Vec<Program>),
    /// Power goes: kill what is left of earlier programs.
    KillStragglers,
    /// Start a program that runs on, its output going to this file. One at a time.
    Start(Program, PathBuf),
    /// Send this signal to it.
    Signal(i32),
    /// Wait for it to end.
    Reap,
}

/// A program to run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Program {
    /// argv, its first word being the program.
    pub argv: Vec<Octets>,
    /// The whole environment.
    pub environment: BTreeMap<Octets, Octets>,
    /// After how many milliseconds it is killed with its children.
    pub limit_ms: u64,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// By itself, with this exit code.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// It was killed after its limit.
    Hung,
}

/// What a program did.
#[derive(Debug, Serialize, Deserialize)]
pub struct Done {
    /// How it ended; the error's text if it could not be started.
    pub end: Result<End, String>,
    /// Standard output.
    pub stdout: Octets,
    /// Standard error.
    pub stderr: Octets,
}

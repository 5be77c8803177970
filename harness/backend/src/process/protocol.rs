//! The messages between a router of processes and its agent: one JSON value per line in each direction.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The name under which the `leaselab` executable runs as the agent.
pub const AGENT_NAME: &str = "leaselab-agent";

/// A byte string. In JSON it is a string of the characters U+0000 to U+00FF, one per byte.
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
pub struct Handshake {
    /// The scratch folder.
    pub scratch: PathBuf,
    /// The `leaselab` executable.
    pub leaselab: PathBuf,
    /// The view of the file system that scripts get.
    pub root: Root,
}

/// The view of the file system that scripts get.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Root {
    /// The machine's own file system.
    Shared,
    /// A private root: user and mount namespaces with their own `/tmp` and `/usr/sbin/nvram`.
    Private,
    /// A private root for a process that is already root in a user namespace: a mount namespace only.
    Mounts,
}

/// The agent's answer to [`Handshake`].
#[derive(Debug, Serialize, Deserialize)]
pub struct HandshakeReply {
    /// Why the requested private root could not be created.
    pub refused: Option<String>,
}

/// A request to the agent.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Run these programs in parallel, and wait for all of them.
    Run(Vec<Program>),
    /// Kill all processes that earlier programs left behind, as a power cut does.
    KillStragglers,
    /// Start a program without waiting for it, with its output going to this file. Only one can run at a time.
    Start(Program, PathBuf),
    /// Send this signal to the program of [`Request::Start`].
    Signal(i32),
    /// Wait for the program of [`Request::Start`].
    Reap,
}

/// A program to run.
#[derive(Debug, Serialize, Deserialize)]
pub struct Program {
    /// The arguments, with the program's path first.
    pub argv: Vec<Octets>,
    /// The whole environment.
    pub environment: BTreeMap<Octets, Octets>,
    /// Time limit in milliseconds, after which the program is killed with its children.
    pub limit_ms: u64,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProgramEnd {
    /// The program ended with this exit code.
    Exited(i32),
    /// This signal killed the program.
    Signalled(i32),
    /// The program exceeded its time limit and was killed.
    TimedOut,
}

/// The result of a program.
#[derive(Debug, Serialize, Deserialize)]
pub struct ProgramResult {
    /// How it ended, or why it could not be started.
    pub end: Result<ProgramEnd, String>,
    /// Standard output.
    pub stdout: Octets,
    /// Standard error.
    pub stderr: Octets,
}

//! The messages between a router of processes and its agent: one JSON value per line in each direction.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use sandbox::clock::Time;
use sandbox::{FileTree, Isolation, RecordedChange, Root};
use serde::{Deserialize, Serialize};

use crate::call::DnsmasqSignal;
pub use sandbox::Octets;

/// The name under which the `leaselab` executable runs as the agent.
pub const AGENT_NAME: &str = "leaselab-agent";

/// The first message to the agent.
#[derive(Debug, Serialize, Deserialize)]
pub struct Handshake {
    /// How far scripts are kept away from the machine.
    pub isolation: Isolation,
    /// What they see instead of the machine's root.
    pub root: Root,
    /// Whether changes of persistent files are recorded.
    pub watches_files: bool,
    /// The persistent files before the first boot.
    pub files: FileTree,
}

/// The agent's answer to [`Handshake`].
#[derive(Debug, Serialize, Deserialize)]
pub struct HandshakeReply {
    /// Why the router could not be set up.
    pub refused: Option<Refusal>,
    /// Why scripts see the machine's clock instead of the router's.
    pub clock_refused: Option<String>,
}

/// Why a router could not be set up.
#[derive(Debug, Serialize, Deserialize)]
pub enum Refusal {
    /// The kernel refused the namespaces.
    Namespaces(String),
    /// The file systems of the router could not be set up.
    FileSystems(String),
    /// The persistent files could not be written.
    Files(FilesError),
}

/// Why the persistent files could not be written.
#[derive(Debug, Serialize, Deserialize)]
pub enum FilesError {
    /// The persistent folders cannot hold them.
    Full(String),
    /// Another error.
    Other(String),
}

impl From<io::Error> for FilesError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull => Self::Full(error.to_string()),
            _ => Self::Other(error.to_string()),
        }
    }
}

/// A request to the agent.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Run these programs in parallel, and wait for all of them.
    Run(Run),
    /// Set the clocks for the programs that run already.
    SetClock(Time),
    /// Read all persistent files.
    ReadFiles,
    /// Replace all persistent files.
    WriteFiles(FileTree),
    /// Kill all processes that earlier programs left behind, as a power cut at this time does.
    KillStragglers(Option<Time>),
    /// Start a program without waiting for it, with its output going to this file. Only one can run at a time.
    Start(Program, PathBuf),
    /// Send this signal to the program of [`Request::Start`].
    Signal(i32),
    /// Wait for the program of [`Request::Start`].
    Reap,
}

/// Programs to run at the same time.
#[derive(Debug, Serialize, Deserialize)]
pub struct Run {
    /// The programs.
    pub programs: Vec<Program>,
    /// The clocks of the router.
    pub time: Option<Time>,
    /// Whether to record changes of persistent files.
    pub watch: bool,
    /// Kill the programs after this many changes of persistent files.
    pub stop: Option<u32>,
}

/// What came of [`Run`].
#[derive(Debug, Serialize, Deserialize)]
pub struct Ran {
    /// One result for each program.
    pub results: Vec<ProgramResult>,
    /// How persistent files changed, in order.
    pub changes: Vec<RecordedChange>,
    /// Whether processes that the programs left running stored something after the programs had ended.
    pub stored_late: bool,
    /// Whether processes sleep that the programs, or earlier ones, left running.
    pub sleeping: bool,
    /// How many processes that they left running neither end nor sleep.
    pub left_running: usize,
    /// The signals that were sent to dnsmasq.
    pub signals: Vec<DnsmasqSignal>,
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

/// Why a program could not be started.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum StartError {
    /// The program or its interpreter cannot be executed.
    #[error("{name}: {why}")]
    Program {
        /// The program as it was named.
        name: String,
        /// The error of the kernel.
        why: String,
    },
    /// The machine has no descriptors, processes, memory or space left.
    #[error("{0}")]
    Resources(String),
}

impl StartError {
    /// The error of a program with this name.
    pub fn new(name: &str, error: &std::io::Error) -> Self {
        use rustix::io::Errno;
        let resources =
            [Errno::MFILE, Errno::NFILE, Errno::AGAIN, Errno::NOMEM, Errno::NOSPC, Errno::DQUOT];
        match Errno::from_io_error(error) {
            Some(errno) if resources.contains(&errno) => {
                Self::Resources(format!("{name}: {error}"))
            }
            _ => Self::Program { name: name.to_owned(), why: error.to_string() },
        }
    }
}

/// The result of a program.
#[derive(Debug, Serialize, Deserialize)]
pub struct ProgramResult {
    /// How it ended, or why it could not be started.
    pub end: Result<ProgramEnd, StartError>,
    /// Standard output.
    pub stdout: Octets,
    /// Standard error.
    pub stderr: Octets,
}

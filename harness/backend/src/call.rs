//! The options and results of script calls and commands.

use nvram_emu::device::Op;
use scenario::Disturbance;
use serde::{Deserialize, Serialize};

/// The options of one script call.
#[derive(Clone, Debug, Default)]
pub struct CallOptions {
    /// The fault that is injected into the call.
    pub disturbance: Option<Disturbance>,
    /// Whether a web page of the router calls `init` at the same time.
    pub web_page: bool,
    /// Whether to record the files in RAM before and after each `nvram` command, and the changes of persistent files
    /// (processes only).
    pub record_files: bool,
}

/// How a script call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// The script ended with this exit code.
    Exited(i32),
    /// This signal killed the script; the router kept its power.
    Killed(i32),
    /// The router lost its power.
    PowerLost,
    /// The script exceeded its time limit, and was killed with its children.
    TimedOut,
}

/// An `nvram` command that a script ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NvramCommand {
    /// Its arguments, without the program's name.
    pub arguments: Vec<Vec<u8>>,
    /// Its exit code; `None` if it did not end, or if the back end does not record exit codes.
    pub code: Option<i32>,
}

impl NvramCommand {
    /// The commands of the call, each a word with its argument: most tools take several.
    pub fn commands(&self) -> impl Iterator<Item = &[Vec<u8>]> {
        let mut rest = self.arguments.as_slice();
        std::iter::from_fn(move || {
            let takes_name =
                matches!(rest.first()?.as_slice(), b"get" | b"set" | b"unset" | b"settmp");
            let (command, after) = rest.split_at(rest.len().min(1 + usize::from(takes_name)));
            rest = after;
            Some(command)
        })
    }

    /// Whether one of the commands has this word.
    pub fn is(&self, name: &str) -> bool {
        self.commands().any(|command| command[0] == name.as_bytes())
    }
}

/// A signal that a script sends to dnsmasq in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DnsmasqSignal {
    /// SIGHUP: dnsmasq reads its files again, and calls the script for every lease.
    Reload,
    /// SIGTERM: dnsmasq ends, and is started again by the router's init system.
    Terminate,
}

/// Who made the flash operations of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The call.
    Call,
    /// The call, or processes that earlier calls have left running.
    CallOrEarlierProcesses,
}

/// The result of a script call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallResult {
    /// How the script ended.
    pub end: CallEnd,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// The `nvram` commands that the script ran, in order.
    pub commands: Vec<NvramCommand>,
    /// The flash operations of these commands.
    pub operations: Vec<Op>,
    /// Whether the script wrote to a journal.
    pub wrote_journal: bool,
    /// Whether processes that the script left running stored something after it had ended.
    pub stored_late: bool,
    /// How many processes that calls have left running neither end nor sleep.
    pub left_running: usize,
    /// The signals that were sent to dnsmasq.
    pub signals: Vec<DnsmasqSignal>,
    /// Whether a power cut lost changes of files that only a file system that delays writes can lose, and none is known.
    pub lost_delayed_writes: bool,
    /// Who made the flash operations.
    pub origin: Origin,
    /// Output and exit code of each `init` call of the web page.
    pub pages: Vec<(Vec<u8>, Option<i32>)>,
}

impl CallResult {
    /// A call that ended in this way, and did nothing else.
    pub fn ended(end: CallEnd) -> Self {
        Self {
            end,
            stdout: Vec::new(),
            stderr: Vec::new(),
            commands: Vec::new(),
            operations: Vec::new(),
            wrote_journal: false,
            stored_late: false,
            left_running: 0,
            signals: Vec::new(),
            lost_delayed_writes: false,
            origin: Origin::Call,
            pages: Vec::new(),
        }
    }
}

/// The result of a command that is not part of a script call.
#[derive(Clone, Debug)]
pub struct CommandResult {
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
    /// Exit code; `None` if a signal killed the command.
    pub code: Option<i32>,
    /// The flash operations that it made.
    pub operations: Vec<Op>,
}

//! The events of a case that failed.

use serde::{Deserialize, Serialize};

/// The events of a case.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timeline {
    /// The events, in chronological order.
    pub events: Vec<Event>,
    /// Number of events of a long case that are omitted.
    #[serde(default)]
    pub omitted: usize,
    /// The flash, if it is known.
    pub flash: Option<FlashShape>,
}

/// The size of the flash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlashShape {
    /// The size of the partition, in bytes.
    pub size: u32,
    /// The size of an erase block, in bytes.
    pub erase_block: u32,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// True time since the beginning of the case, in seconds.
    pub seconds: i64,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// The kinds of events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum EventKind {
    /// A step of the scenario begins.
    Step {
        /// The number of the step, starting at 1.
        number: usize,
        /// The step as its file describes it.
        text: String,
    },
    /// The router is switched on.
    PowerOn,
    /// The router loses power outside of a script call.
    PowerOff,
    /// dnsmasq starts, ends or receives a signal.
    Dnsmasq {
        /// A description of what happens.
        what: String,
    },
    /// The wall clock jumps, or its rate changes.
    Clock {
        /// The number of seconds by which it jumps, or 0 if only its rate changes.
        jump: i64,
    },
    /// A client sends a message.
    Client {
        /// The client.
        client: String,
        /// The message.
        message: String,
        /// The server's reply: `ack`, `nak` or `none`.
        reply: String,
        /// The address of the client after the reply.
        address: Option<String>,
    },
    /// dnsmasq or another program calls the script.
    Call(Call),
    /// Another program runs an `nvram` command.
    OtherProgram {
        /// The command.
        command: Command,
        /// The flash operations of the command.
        operations: Vec<Operation>,
    },
    /// Bytes of the flash or of RAM are overwritten.
    Damage,
}

/// A call of the script.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// The action and the arguments.
    pub arguments: String,
    /// The variables that dnsmasq sets, each as `NAME=value`.
    pub environment: Vec<String>,
    /// How the call ended, for example `exit 0`.
    pub end: String,
    /// Whether the script exited with 0.
    pub succeeded: bool,
    /// The fault that was injected into the call.
    pub fault: Option<String>,
    /// The `nvram` commands that the script ran.
    pub commands: Vec<Command>,
    /// The flash operations of these commands.
    pub operations: Vec<Operation>,
    /// The lines that the script wrote to stderr.
    pub stderr: Vec<String>,
}

/// An `nvram` command.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// The arguments, separated by spaces.
    pub arguments: String,
    /// The exit code, or `None` if the command did not end or its exit code is not recorded.
    pub code: Option<i32>,
}

/// A flash operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The kind of operation.
    pub kind: OperationKind,
    /// The offset of the first byte.
    pub offset: u32,
    /// The number of bytes.
    pub length: u32,
}

/// The kinds of flash operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OperationKind {
    /// A block is erased.
    Erase,
    /// Bytes are programmed.
    Program,
}

//! Flash operations, their log, and where power fails.

use std::fmt;
use std::str::FromStr;

/// What an operation does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpKind {
    /// Sets every bit of one erase block.
    Erase,
    /// Clears bits.
    Program,
}

/// One operation as it happened. `Display` is the log's line: `E offset length` or `P offset length`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Op {
    /// Erase or program.
    pub kind: OpKind,
    /// First byte, from the start of the partition.
    pub offset: u32,
    /// Bytes done; fewer than asked for where power failed.
    pub len: u32,
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            OpKind::Erase => 'E',
            OpKind::Program => 'P',
        };
        write!(f, "{kind} {} {}", self.offset, self.len)
    }
}

/// Operations since the log was last taken.
pub type OpLog = Vec<Op>;

/// Power fails in operation `op` (from 0, counted since the cut was armed) after `byte` bytes. `K:B` as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cut {
    /// The operation.
    pub op: u64,
    /// Bytes of it that are done.
    pub byte: u32,
}

impl FromStr for Cut {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wanted = "expected OPERATION:BYTES, for example 2:100";
        let (op, byte) = text.split_once(':').ok_or(wanted)?;
        Ok(Self { op: op.parse().map_err(|_| wanted)?, byte: byte.parse().map_err(|_| wanted)? })
    }
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.op, self.byte)
    }
}

/// Why an operation did not complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpError {
    /// Power is gone; nothing works until it is back.
    PowerLost,
    /// A worn block did not erase, or a NAND page was not erased before programming.
    Io,
}

impl fmt::Display for OpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PowerLost => "power lost",
            Self::Io => "Input/output error",
        })
    }
}

impl std::error::Error for OpError {}

//! Flash operations, their log, and power cuts.

use std::fmt;
use std::str::FromStr;

/// The kind of a flash operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpKind {
    /// Sets all bits of one erase block.
    Erase,
    /// Clears bits of a range of bytes.
    Program,
}

/// One operation that was performed. `Display` gives its log line: `E offset length` or `P offset length`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Op {
    /// The kind of operation.
    pub kind: OpKind,
    /// Offset of the first byte in the partition.
    pub offset: u32,
    /// Number of bytes processed; fewer than requested if power was lost.
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

/// A power cut in operation `op` after `byte` bytes. The text form is `OPERATION:BYTES`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Cut {
    /// Number of the operation, counted from 0 since the cut was armed.
    pub op: u64,
    /// Bytes of the operation that are processed before the cut.
    pub byte: u32,
}

impl FromStr for Cut {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let expected = "expected OPERATION:BYTES, for example 2:100";
        let (op, byte) = text.split_once(':').ok_or(expected)?;
        Ok(Self {
            op: op.parse().map_err(|_| expected)?,
            byte: byte.parse().map_err(|_| expected)?,
        })
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
    /// There is no power, until [`Flash::power_on`](super::Flash::power_on).
    PowerLost,
    /// A worn block cannot be erased, a NAND page was not erased before programming, or the range exceeds the
    /// partition.
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

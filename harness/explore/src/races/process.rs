//! The two processes of a race.

use std::fmt::{self, Write as _};

/// One of the two processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Process {
    /// The first process.
    A,
    /// The second process.
    B,
}

impl Process {
    pub(super) fn from_index(index: usize) -> Self {
        if index == 0 { Self::A } else { Self::B }
    }

    pub(super) fn index(self) -> usize {
        usize::from(self == Self::B)
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char(if *self == Self::A { 'A' } else { 'B' })
    }
}

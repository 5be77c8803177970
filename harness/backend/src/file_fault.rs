//! A power cut, or a kill of the script, at a change of a persistent file.

use scenario::{Disturbance, Point};

use crate::call::CallEnd;
use crate::file_history::{FileHistory, FilesAfterCut};

/// A fault at a change of a persistent file.
#[derive(Clone, Copy, Debug)]
pub(crate) enum FileFault {
    /// Power is cut after this many changes, and leaves this state of those that are possible.
    Cut {
        /// Number of changes, from 1.
        changes: u32,
        /// The state, from 0; the last one if there are fewer.
        state: u32,
    },
    /// The script is killed after this many changes.
    Kill(u32),
}

impl FileFault {
    /// The fault of a disturbance, if it is at a change of a persistent file.
    pub(crate) fn of(disturbance: Option<&Disturbance>) -> Option<Self> {
        match *disturbance? {
            Disturbance::Cut(Point::FileChange { nth, state }) => {
                Some(Self::Cut { changes: nth, state })
            }
            Disturbance::Kill(Point::FileChange { nth, .. }) => Some(Self::Kill(nth)),
            Disturbance::Cut(_) | Disturbance::Kill(_) | Disturbance::Fail(_) => None,
        }
    }

    /// How many changes are made before the fault.
    pub(crate) fn changes(self) -> u32 {
        match self {
            Self::Cut { changes, .. } | Self::Kill(changes) => changes,
        }
    }

    /// Whether changes that were made before it can be lost.
    pub(crate) fn loses_changes(self) -> bool {
        matches!(self, Self::Cut { state: 1.., .. })
    }

    /// How the call ends.
    pub(crate) fn end(self) -> CallEnd {
        match self {
            Self::Cut { .. } => CallEnd::PowerLost,
            Self::Kill(_) => CallEnd::Killed(9),
        }
    }

    /// The files that the fault leaves at the end of this history.
    pub(crate) fn files_left(self, history: &FileHistory) -> FilesAfterCut {
        let changes = history.len();
        match self {
            Self::Cut { state: 0, .. } | Self::Kill(_) => {
                FilesAfterCut { files: history.seen_after(changes), needs_delayed_writes: false }
            }
            Self::Cut { state, .. } => {
                let mut states = history.states_after(changes);
                states.swap_remove((state as usize).min(states.len() - 1))
            }
        }
    }
}

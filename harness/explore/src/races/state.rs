//! The state of a race: what the processes share, and the progress of each.

use super::images::ImageId;

/// A file. It exists as long as it has a name or a process has it open.
pub(super) type Inode = u8;

/// The state that the processes share.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct SharedState {
    pub(super) flash: ImageId,
    /// The file named /tmp/.nvram.
    pub(super) staging: Option<Inode>,
    pub(super) files: Vec<ImageId>,
    /// The entries of the script's intent log: the indices of the processes that wrote them.
    pub(super) intent_log: Vec<usize>,
}

/// How a command ends once its remaining steps are done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct CommandEnd {
    /// The number of its output and exit code in [`Stepper`](super::stepper::Stepper).
    pub(super) response: u32,
    /// Whether the staging file is written to flash first.
    pub(super) commit: bool,
}

/// The next step of a process. Another process can run before and after each step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// The first step of a command, or a request that is not a command.
    Begin,
    /// `read` of the partition, to make a staging file.
    ReadFlash,
    /// `open(O_CREAT)` of the staging file.
    Create { copy: ImageId },
    /// `write` of the copy.
    Copy { copy: ImageId, to: Inode },
    /// `open` and `mmap` of the staging file.
    Open,
    /// The mapping is read into the table, and the command is applied to the table.
    Load { file: Option<Inode> },
    /// The data area of the mapping is cleared.
    Clear { file: Inode, image: ImageId, then: CommandEnd },
    /// The first half of the entries is written.
    First { file: Inode, image: ImageId, then: CommandEnd },
    /// The second half of the entries is written.
    Second { file: Inode, image: ImageId, then: CommandEnd },
    /// The length and the CRC are written.
    Header { file: Inode, image: ImageId, then: CommandEnd },
    /// `open` and `read` of the staging file, to commit it.
    ReadStaging { then: CommandEnd },
    /// `write` to the partition.
    WriteFlash { bytes: ImageId, then: CommandEnd },
    /// `unlink` of the staging file.
    Unlink { then: CommandEnd },
    /// The process has exited.
    Exited,
}

impl Phase {
    fn file(&mut self) -> Option<&mut Inode> {
        match self {
            Self::Copy { to, .. } => Some(to),
            Self::Load { file } => file.as_mut(),
            Self::Clear { file, .. }
            | Self::First { file, .. }
            | Self::Second { file, .. }
            | Self::Header { file, .. } => Some(file),
            _ => None,
        }
    }
}

/// The state of one process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct ProcessState {
    /// The node in its request tree: the responses so far, which determine its next request.
    pub(super) node: u32,
    pub(super) phase: Phase,
    /// Whether one of its commands crashed.
    pub(super) crashed: bool,
}

/// A state of the race. It determines everything that can follow.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) shared: SharedState,
    pub(super) processes: [ProcessState; 2],
}

impl State {
    /// Removes unreachable files, and numbers the others in a fixed order, so that equivalent states compare equal.
    pub(super) fn canonicalize(&mut self) {
        let mut kept: Vec<Inode> = Vec::new();
        let mut renumber = |file: &mut Inode| {
            let at = kept.iter().position(|old| old == file).unwrap_or_else(|| {
                kept.push(*file);
                kept.len() - 1
            });
            *file = at as Inode;
        };
        self.shared.staging.as_mut().map(&mut renumber);
        for process in &mut self.processes {
            process.phase.file().map(&mut renumber);
        }
        self.shared.files = kept.iter().map(|old| self.shared.files[usize::from(*old)]).collect();
    }
}

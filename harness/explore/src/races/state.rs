//! What two processes share, and how far each has come.

use super::images::ImageId;

/// A file, which lives as long as it has a name or somebody has it open.
pub(super) type Inode = u8;

/// Flash, the staging file, the script's marker.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    pub(super) flash: ImageId,
    /// The file named /tmp/.nvram.
    pub(super) staging: Option<Inode>,
    pub(super) files: Vec<ImageId>,
    /// The lines of the marker: the process that wrote it, and the note.
    pub(super) marker: Vec<(usize, Vec<u8>)>,
}

/// How a command ends, whatever its last steps are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Ending {
    /// The number of what it printed and returned.
    pub(super) answer: u32,
    /// Whether the staging file goes to flash first.
    pub(super) commit: bool,
}

/// The next step of a process. Each is one thing that another process can come before or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Phase {
    /// Nothing of the present command is done; or of another request.
    Begin,
    /// `read` of the partition, to make a staging file.
    ReadFlash,
    /// `open(O_CREAT)` of the staging file.
    Create { copy: ImageId },
    /// `write` of the copy.
    Copy { copy: ImageId, to: Inode },
    /// `open` and `mmap` of the staging file.
    Open,
    /// The mapping is read into the table; the words are done.
    Load { file: Option<Inode> },
    /// The data area of the mapping is cleared.
    Clear { file: Inode, image: ImageId, then: Ending },
    /// The first half of the entries.
    First { file: Inode, image: ImageId, then: Ending },
    /// The rest of them.
    Second { file: Inode, image: ImageId, then: Ending },
    /// Length and CRC.
    Header { file: Inode, image: ImageId, then: Ending },
    /// `open` and `read` of the staging file, to commit it.
    ReadStaging { then: Ending },
    /// `write` to the partition.
    WriteFlash { bytes: ImageId, then: Ending },
    /// `unlink` of the staging file.
    Unlink { then: Ending },
    /// The process is over.
    Over,
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

/// One process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Running {
    /// The number of the answers that it has had, which decide what it asks next.
    pub(super) node: u32,
    pub(super) phase: Phase,
    /// Whether one of its commands crashed.
    pub(super) crashed: bool,
}

/// Everything that decides what can happen next.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) world: World,
    pub(super) processes: [Running; 2],
}

impl State {
    /// Forgets files that nobody can reach, and numbers the others in one order: equal states look equal.
    pub(super) fn tidy(&mut self) {
        let mut kept: Vec<Inode> = Vec::new();
        let mut renumber = |file: &mut Inode| {
            let at = kept.iter().position(|old| old == file).unwrap_or_else(|| {
                kept.push(*file);
                kept.len() - 1
            });
            *file = at as Inode;
        };
        self.world.staging.as_mut().map(&mut renumber);
        for process in &mut self.processes {
            process.phase.file().map(&mut renumber);
        }
        self.world.files = kept.iter().map(|old| self.world.files[usize::from(*old)]).collect();
    }
}

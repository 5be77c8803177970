//! The contents of a file, and changes to them.

/// A change to a file's contents.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum DataChange {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

impl DataChange {
    /// Applies the change, or only the range `part` of the bytes that it writes. If this extends the file, the new bytes
    /// before the range are zeros.
    pub(crate) fn apply(&self, data: &mut Vec<u8>, part: &std::ops::Range<usize>) {
        match self {
            Self::Truncate(length) => data.resize((*length).min(data.len()), 0),
            Self::Write(at, bytes) => {
                let end = at + part.end;
                if data.len() < end {
                    data.resize(end, 0);
                }
                data[at + part.start..end].copy_from_slice(&bytes[part.clone()]);
            }
        }
    }

    /// Returns the number of bytes that the change writes.
    pub(crate) fn length(&self) -> usize {
        match self {
            Self::Write(_, bytes) => bytes.len(),
            Self::Truncate(_) => 0,
        }
    }
}

/// The contents of a file, which may have several names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Node {
    /// The contents that programs see.
    pub(crate) data: Vec<u8>,
    /// The contents on the medium.
    pub(crate) durable: Vec<u8>,
    /// The changes that lead from `durable` to `data`.
    pub(crate) pending: Vec<DataChange>,
    pub(crate) modified: i64,
}

impl Node {
    /// Creates a file whose contents are all on the medium.
    pub(crate) fn synced(data: Vec<u8>, modified: i64) -> Self {
        Self { durable: data.clone(), data, pending: Vec::new(), modified }
    }

    pub(crate) fn modified(&self) -> i64 {
        self.modified
    }

    pub(crate) fn change(&mut self, change: DataChange, now: i64) {
        change.apply(&mut self.data, &(0..change.length()));
        self.pending.push(change);
        self.modified = now;
    }

    pub(crate) fn sync(&mut self) {
        self.durable.clone_from(&self.data);
        self.pending.clear();
    }
}

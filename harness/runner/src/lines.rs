//! A collection of lease lines.

use std::sync::Arc;

/// The subject of a line: an address, or [`DUID`](super::lease_line::DUID).
pub type Subject = Vec<u8>;

/// The lines that `init` printed, by their subject. Clones share them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Lines(Arc<Vec<Entry>>);

/// A line with its subject. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Entry {
    subject: Arc<[u8]>,
    line: Arc<[u8]>,
}

impl Lines {
    /// No lines.
    pub fn new() -> Self {
        Self::default()
    }

    /// Number of lines.
    #[expect(clippy::len_without_is_empty, reason = "not needed")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Collects lines, each after its subject.
    ///
    /// # Errors
    /// The subject of two lines.
    pub(super) fn collect<'a>(
        lines: impl Iterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<Self, Subject> {
        let entry =
            |(subject, line): (&[u8], &[u8])| Entry { subject: subject.into(), line: line.into() };
        let mut entries: Vec<Entry> = lines.map(entry).collect();
        entries.sort_by(|a, b| a.subject.cmp(&b.subject));
        match entries.windows(2).find(|pair| pair[0].subject == pair[1].subject) {
            Some(pair) => Err(pair[1].subject.to_vec()),
            None => Ok(Self(Arc::new(entries))),
        }
    }

    fn place(&self, subject: &[u8]) -> Result<usize, usize> {
        self.0.binary_search_by(|entry| (*entry.subject).cmp(subject))
    }

    /// The line about `subject`.
    pub fn get(&self, subject: &[u8]) -> Option<&[u8]> {
        self.place(subject).ok().map(|at| &*self.0[at].line)
    }

    /// Whether there is a line about `subject`.
    pub fn contains(&self, subject: &[u8]) -> bool {
        self.place(subject).is_ok()
    }

    /// Replaces or adds the line about `subject`; `None` removes it.
    pub fn put(&mut self, subject: &[u8], line: Option<&[u8]>) {
        let place = self.place(subject);
        match (place, line) {
            (Ok(at), Some(line)) => Arc::make_mut(&mut self.0)[at].line = line.into(),
            (Ok(at), None) => {
                Arc::make_mut(&mut self.0).remove(at);
            }
            (Err(at), Some(line)) => {
                let entry = Entry { subject: subject.into(), line: line.into() };
                Arc::make_mut(&mut self.0).insert(at, entry);
            }
            (Err(_), None) => {}
        }
    }

    /// Subjects and lines, in the order of the subjects.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.0.iter().map(|entry| (&*entry.subject, &*entry.line))
    }

    /// The lines about other subjects.
    #[must_use]
    pub fn without(&self, subjects: &[&[u8]]) -> Self {
        let others = self.0.iter().filter(|entry| !subjects.contains(&&*entry.subject));
        Self(Arc::new(others.cloned().collect()))
    }

    /// Applies `line` to each line. It must not change the subject.
    #[must_use]
    pub fn map(&self, line: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        let made = |entry: &Entry| Entry {
            subject: Arc::clone(&entry.subject),
            line: line(&entry.line).into(),
        };
        Self(Arc::new(self.0.iter().map(made).collect()))
    }
}

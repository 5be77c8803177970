//! A folder on a simulated disk: the state that programs see, the state on the medium, and the pending changes between them.
//!
//! Names and contents are stored separately. Each has a part that survives any power cut, and a list of pending changes that
//! may or may not have reached the medium.

use std::ffi::{OsStr, OsString};
use std::hash::{Hash, Hasher};
use std::io;
use std::os::unix::ffi::OsStrExt as _;

use lease_journal::{FileSystem, Handle, Kind, Mode, OperationError, Status};
use xxhash_rust::xxh3::Xxh3;

use super::fault::{Cut, CutState, IoFault, Step};
use super::names::{NameChange, Names, apply_name};
use super::node::{DataChange, Node};
use super::ordering::WriteOrdering;

/// A folder on a simulated disk.
#[derive(Clone, Debug)]
pub struct Disk {
    pub(crate) ordering: WriteOrdering,
    pub(crate) nodes: Vec<Node>,
    pub(crate) names: Names,
    pub(crate) durable: Names,
    pub(crate) pending: Vec<NameChange>,
    handles: Vec<Option<usize>>,
    clock: i64,
    calls: u64,
    cut: CutState,
    steps: Vec<Step>,
    /// Number of calls, including those that only read.
    attempts: u64,
    fault: Option<IoFault>,
    /// The first call that failed because of the fault.
    failed: Option<String>,
    /// Whether the file system supports hard links.
    pub has_links: bool,
}

impl Disk {
    /// Creates an empty folder.
    pub fn new(ordering: WriteOrdering) -> Self {
        Self {
            ordering,
            nodes: Vec::new(),
            names: Names::new(),
            durable: Names::new(),
            pending: Vec::new(),
            handles: Vec::new(),
            clock: 0,
            calls: 0,
            cut: CutState::None,
            steps: Vec::new(),
            attempts: 0,
            fault: None,
            failed: None,
            has_links: true,
        }
    }

    /// Schedules a cut, after which all calls fail with [`OperationError::Killed`].
    pub fn arm(&mut self, cut: Cut) {
        self.cut = CutState::Scheduled(cut);
    }

    /// Schedules calls that fail. Numbering starts with the next call.
    pub fn fail(&mut self, fault: IoFault) {
        self.attempts = 0;
        self.fault = Some(fault);
        self.failed = None;
    }

    /// Returns the number of calls since the last [`Self::fail`] or [`Self::end_processes`], including those that only read.
    pub fn attempts(&self) -> u64 {
        self.attempts
    }

    /// Returns the first call that failed because of [`Self::fail`].
    pub fn failed_call(&self) -> Option<&str> {
        self.failed.as_deref()
    }

    /// Replaces bytes of a file on the medium, as a failing disk does.
    pub fn damage(&mut self, name: &OsStr, at: usize, bytes: &[u8]) {
        let Some(node) = self.names.get(name) else { return };
        let node = &mut self.nodes[*node];
        for data in [&mut node.data, &mut node.durable] {
            if let Some(place) = data.get_mut(at..at + bytes.len()) {
                place.copy_from_slice(bytes);
            }
        }
    }

    /// Counts a call, and returns the error of the scheduled fault if the call must fail. `grows` is whether the call needs
    /// space.
    fn attempt(
        &mut self,
        grows: bool,
        text: impl FnOnce() -> String,
    ) -> Result<(), OperationError> {
        if self.cut == CutState::Occurred {
            return Err(OperationError::Killed);
        }
        let number = self.attempts;
        self.attempts += 1;
        let Some(IoFault { call, lasts, error }) = self.fault else { return Ok(()) };
        let is_failing = number == call || lasts && number > call;
        if is_failing && (grows || error != io::ErrorKind::StorageFull) {
            self.failed.get_or_insert_with(text);
            return Err(error.into());
        }
        Ok(())
    }

    /// Returns the calls that changed something since the last use of this function, and restarts their numbering.
    pub fn take_steps(&mut self) -> Vec<Step> {
        self.calls = 0;
        std::mem::take(&mut self.steps)
    }

    /// Writes all pending changes to the medium.
    pub fn sync_all(&mut self) {
        self.nodes.iter_mut().for_each(Node::sync);
        self.durable.clone_from(&self.names);
        self.pending.clear();
    }

    /// Ends all processes without a power cut. Cancels the scheduled cut and the scheduled fault.
    pub fn end_processes(&mut self) {
        self.handles.clear();
        self.cut = CutState::None;
        self.attempts = 0;
        self.fault = None;
        self.take_steps();
    }

    /// Cuts the power. All changes that were not synced are lost.
    pub fn lose_power(&mut self) {
        for node in &mut self.nodes {
            node.data.clone_from(&node.durable);
            node.pending.clear();
        }
        self.names.clone_from(&self.durable);
        self.pending.clear();
        self.end_processes();
    }

    /// Closes all open files, as the exit of a process does.
    pub fn close_all(&mut self) {
        self.handles.clear();
    }

    /// Returns the file names in ascending order.
    pub fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.names.keys().map(|name| name.to_string_lossy().into_owned())
    }

    /// Returns a hash of the whole state: the state that programs see, the state on the medium, and the pending changes.
    pub fn digest(&self) -> u64 {
        let mut hasher = Xxh3::new();
        let nodes = self.names.values().chain(self.durable.values());
        let nodes: std::collections::BTreeSet<usize> = nodes.copied().collect();
        for node in nodes {
            let node = &self.nodes[node];
            (&node.data, &node.durable, &node.pending).hash(&mut hasher);
        }
        (&self.names, &self.durable, &self.pending).hash(&mut hasher);
        hasher.finish()
    }

    /// Returns the contents of a file.
    pub fn contents(&self, name: &OsStr) -> Option<&[u8]> {
        self.names.get(name).map(|node| self.nodes[*node].data.as_slice())
    }

    /// Returns all files with their contents, in ascending order of their names.
    pub fn files(&self) -> impl Iterator<Item = (&OsStr, &[u8])> {
        self.names.iter().map(|(name, node)| (name.as_os_str(), self.nodes[*node].data.as_slice()))
    }

    /// Creates a file whose name and contents are on the medium.
    pub fn create_synced(&mut self, name: impl Into<OsString>, data: &[u8]) {
        let (name, node) = (name.into(), self.add_synced_node(data));
        self.names.insert(name.clone(), node);
        self.durable.insert(name, node);
    }

    /// Creates a file whose contents reach the medium together with its name, as they do for a symbolic link.
    pub fn create_linked(&mut self, name: &OsStr, data: &[u8]) {
        let node = self.add_synced_node(data);
        self.change_name(NameChange::Add(name.to_owned(), node));
    }

    /// Writes bytes at an offset. A gap before them is filled with zeros.
    ///
    /// # Errors
    /// Returns an error if there is no such file, or the scheduled cut has occurred.
    pub fn write_at(
        &mut self,
        name: &OsStr,
        at: usize,
        bytes: &[u8],
    ) -> Result<(), OperationError> {
        let node = self.lookup(name)?;
        let torn = self.step(|| format!("write {}", name.display()), bytes.len())?;
        let written = torn.unwrap_or(bytes.len());
        let now = self.clock;
        self.nodes[node].change(DataChange::Write(at, bytes[..written].to_vec()), now);
        if torn.is_some() { Err(OperationError::Killed) } else { Ok(()) }
    }

    fn add_synced_node(&mut self, data: &[u8]) -> usize {
        self.clock += 1;
        self.nodes.push(Node::synced(data.to_vec(), self.clock));
        self.nodes.len() - 1
    }

    /// Counts a call that changes something. Returns the number of bytes to write if the scheduled cut is inside the call, or
    /// `None` if the call is not cut.
    fn step(
        &mut self,
        text: impl FnOnce() -> String,
        bytes: usize,
    ) -> Result<Option<usize>, OperationError> {
        if self.cut == CutState::Occurred {
            return Err(OperationError::Killed);
        }
        self.clock += 1;
        if let CutState::Scheduled(cut) = self.cut
            && cut.call == self.calls
        {
            self.cut = CutState::Occurred;
            if cut.bytes == 0 || bytes == 0 {
                return Err(OperationError::Killed);
            }
            return Ok(Some(cut.bytes.min(bytes)));
        }
        self.calls += 1;
        self.steps.push(Step { text: text(), bytes });
        Ok(None)
    }

    fn change_name(&mut self, change: NameChange) {
        apply_name(&mut self.names, &change);
        self.pending.push(change);
    }

    fn node(&self, handle: Handle) -> Result<usize, OperationError> {
        let node = self.handles.get(handle.0).copied().flatten();
        node.ok_or_else(|| io::Error::other("the file is not open").into())
    }

    fn name_of(&self, node: usize) -> String {
        let name = self.names.iter().find(|(_, other)| **other == node);
        name.map_or_else(|| "(deleted)".to_owned(), |(name, _)| name.to_string_lossy().into_owned())
    }

    fn open_node(&mut self, node: usize) -> Handle {
        self.handles.push(Some(node));
        Handle(self.handles.len() - 1)
    }

    fn lookup(&self, name: &OsStr) -> Result<usize, OperationError> {
        self.names.get(name).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl FileSystem for Disk {
    fn lock(&mut self, _: &OsStr) -> Result<bool, OperationError> {
        self.attempt(false, || "lock".to_owned()).map(|()| true)
    }

    fn open(&mut self, name: &OsStr, mode: Mode) -> Result<Handle, OperationError> {
        let shown = name.to_string_lossy().into_owned();
        let grows = mode == Mode::CreateNew;
        self.attempt(grows, || format!("open {shown}"))?;
        match (self.names.get(name).copied(), mode) {
            (Some(_), Mode::CreateNew) => Err(io::ErrorKind::AlreadyExists.into()),
            (None, Mode::Read | Mode::Append) => Err(io::ErrorKind::NotFound.into()),
            (Some(node), Mode::Read | Mode::Append) => Ok(self.open_node(node)),
            (None, Mode::CreateNew | Mode::Truncate) => {
                self.step(|| format!("create {shown}"), 0)?;
                let modified = self.clock;
                self.nodes.push(Node { modified, ..Node::default() });
                let node = self.nodes.len() - 1;
                self.change_name(NameChange::Add(name.to_owned(), node));
                Ok(self.open_node(node))
            }
            (Some(node), Mode::Truncate) => {
                self.step(|| format!("empty {shown}"), 0)?;
                let now = self.clock;
                self.nodes[node].change(DataChange::Truncate(0), now);
                Ok(self.open_node(node))
            }
        }
    }

    fn read(&mut self, file: Handle) -> Result<Vec<u8>, OperationError> {
        let node = self.node(file)?;
        let name = self.name_of(node);
        self.attempt(false, || format!("read {name}"))?;
        Ok(self.nodes[node].data.clone())
    }

    fn append(&mut self, file: Handle, bytes: &[u8]) -> Result<usize, OperationError> {
        let node = self.node(file)?;
        let name = self.name_of(node);
        let mut bytes = bytes;
        if let Err(error) = self.attempt(true, || format!("write {name}")) {
            let is_full = matches!(&error, OperationError::Io(why) if why.kind() == io::ErrorKind::StorageFull);
            let is_first = self.fault.is_some_and(|fault| fault.call + 1 == self.attempts);
            if !is_full || !is_first || bytes.len() < 2 {
                return Err(error);
            }
            bytes = &bytes[..bytes.len() / 2];
        }
        let torn = self.step(|| format!("write {name}"), bytes.len())?;
        let written = torn.unwrap_or(bytes.len());
        let (at, now) = (self.nodes[node].data.len(), self.clock);
        self.nodes[node].change(DataChange::Write(at, bytes[..written].to_vec()), now);
        if torn.is_some() { Err(OperationError::Killed) } else { Ok(written) }
    }

    fn truncate(&mut self, file: Handle, length: u64) -> Result<(), OperationError> {
        let node = self.node(file)?;
        let name = self.name_of(node);
        self.attempt(false, || format!("truncate {name}"))?;
        self.step(|| format!("truncate {name} {length}"), 0)?;
        let now = self.clock;
        self.nodes[node].change(DataChange::Truncate(length as usize), now);
        Ok(())
    }

    fn fsync(&mut self, file: Handle) -> Result<(), OperationError> {
        let node = self.node(file)?;
        let name = self.name_of(node);
        self.attempt(false, || format!("fsync {name}"))?;
        self.step(|| format!("fsync {name}"), 0)?;
        self.nodes[node].sync();
        if self.ordering == WriteOrdering::Ordered {
            // The file system commits its whole journal, including the changes to names.
            self.durable.clone_from(&self.names);
            self.pending.clear();
        }
        Ok(())
    }

    fn copy_metadata(&mut self, _: Handle, _: Handle) -> Result<(), OperationError> {
        self.attempt(false, || "fchmod".to_owned())
    }

    fn close(&mut self, file: Handle) {
        if let Some(handle) = self.handles.get_mut(file.0) {
            *handle = None;
        }
    }

    fn link(&mut self, old: &OsStr, new: &OsStr) -> Result<(), OperationError> {
        let text = format!("link {} {}", old.display(), new.display());
        self.attempt(true, || text.clone())?;
        self.step(|| text, 0)?;
        if !self.has_links {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        let node = self.lookup(old)?;
        if self.names.contains_key(new) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.change_name(NameChange::Add(new.to_owned(), node));
        Ok(())
    }

    fn rename(&mut self, old: &OsStr, new: &OsStr) -> Result<(), OperationError> {
        let text = format!("rename {} {}", old.display(), new.display());
        self.attempt(false, || text.clone())?;
        self.step(|| text, 0)?;
        let node = self.lookup(old)?;
        // rename() does nothing if both names are links to the same file.
        if self.names.get(new) != Some(&node) {
            self.change_name(NameChange::Rename(old.to_owned(), new.to_owned(), node));
        }
        Ok(())
    }

    fn unlink(&mut self, name: &OsStr) -> Result<(), OperationError> {
        self.attempt(false, || format!("unlink {}", name.display()))?;
        let node = self.lookup(name)?;
        self.step(|| format!("unlink {}", name.display()), 0)?;
        self.change_name(NameChange::Remove(name.to_owned(), node));
        Ok(())
    }

    fn fsync_dir(&mut self) -> Result<(), OperationError> {
        self.attempt(false, || "fsync .".to_owned())?;
        self.step(|| "fsync .".to_owned(), 0)?;
        self.durable.clone_from(&self.names);
        self.pending.clear();
        Ok(())
    }

    fn list(&mut self, prefix: &OsStr) -> Result<Vec<OsString>, OperationError> {
        self.attempt(false, || "readdir".to_owned())?;
        let matches = |name: &&OsString| name.as_bytes().starts_with(prefix.as_bytes());
        Ok(self.names.keys().filter(matches).cloned().collect())
    }

    fn status(&mut self, name: &OsStr) -> Result<Option<Status>, OperationError> {
        self.attempt(false, || format!("lstat {}", name.display()))?;
        Ok(self.names.get(name).map(|node| Status {
            kind: Kind::File,
            inode: *node as u64,
            length: self.nodes[*node].data.len() as u64,
            modified: (self.nodes[*node].modified, 0),
            changed: (self.nodes[*node].modified, 0),
        }))
    }
}

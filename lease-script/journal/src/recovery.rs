//! Recovery of a live file that is missing, empty or unreadable.
//!
//! 1. A live file with readable declarations is kept.
//! 2. Otherwise, a complete temporary file replaces it if the temporary file is newer than `~` or there is no `~`. A
//!    temporary file of this crate ends in a mark with the number of the rewrite and its length. A temporary file of dhcpd is
//!    complete if it can be read to its end without a problem and declares every address that has an active lease in `~`.
//!    A torn temporary file is never used.
//! 3. Otherwise, `~` replaces it.
//! 4. Otherwise, if no file with leases is left and the live file is missing or empty, an empty database is created.
//! 5. Otherwise, nothing is changed: manual intervention is required.
//!
//! If any of these files cannot be read, nothing is changed either, because that file may contain the leases. A live file
//! without readable declarations is kept as `NAME.damaged`.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::net::IpAddr;
use std::os::unix::ffi::OsStrExt as _;

use crate::contents::Contents;
use crate::error::{OperationError, message, reason};
use crate::file_system::{FileSystem, Mode, append_all, unlink_if_there};
use crate::reading::Reading;
use crate::rewrite::rewritten;
use crate::status::{Kind, Status};
use crate::text::Rewrite;

/// The state of the live file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// It contains readable declarations, or no damage.
    Valid,
    /// It does not exist.
    Missing,
    /// Its length is 0.
    Empty,
    /// It contains no readable declaration.
    Garbage,
}

/// What [`apply`] does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing has to be done.
    Nothing,
    /// The named file replaces the live one.
    Restore(OsString),
    /// An empty database is created.
    Create,
    /// Manual intervention is required, for this reason.
    Refuse(String),
}

/// A file that could replace the live one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The name of the file.
    pub name: OsString,
    /// The number of active leases in it.
    pub leases: usize,
    /// Why the file cannot be used, or `None` if it can.
    pub rejection: Option<String>,
    /// Whether the file could not be read.
    pub is_unreadable: bool,
    rewrite: Option<Rewrite>,
    modified: (i64, i64),
}

/// The state of the files, and the action that follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The name of the live file.
    pub name: OsString,
    /// The state of the live file.
    pub live: Live,
    /// The files that could replace the live file: `~` first, then temporary files. Empty if the live file is valid.
    pub candidates: Vec<Candidate>,
    /// What [`apply`] does.
    pub action: Action,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.to_string_lossy();
        let state = match self.live {
            Live::Valid => "is valid",
            Live::Missing => "is missing",
            Live::Empty => "is empty",
            Live::Garbage => "contains no readable declaration",
        };
        write!(f, "{name} {state}: ")?;
        match &self.action {
            Action::Nothing => write!(f, "nothing to do"),
            Action::Restore(from) => write!(f, "{} replaces it", from.to_string_lossy()),
            Action::Create => {
                write!(f, "no other file can replace it: an empty database is created")
            }
            Action::Refuse(why) => write!(f, "{why}"),
        }
    }
}

/// Returns the name of the live file with a suffix.
pub fn sibling(name: &OsStr, suffix: &str) -> OsString {
    let mut name = name.to_owned();
    name.push(suffix);
    name
}

/// Reads and parses a file.
pub(crate) fn read(fs: &mut dyn FileSystem, name: &OsStr) -> Result<Contents, OperationError> {
    let file = fs.open(name, Mode::Read)?;
    let text = fs.read(file);
    fs.close(file);
    Ok(Contents::parse(text?))
}

/// Returns the state of the live file, and its contents if they were read.
pub(crate) fn examine(
    fs: &mut dyn FileSystem,
    name: &OsStr,
) -> Result<(Live, Option<Contents>), OperationError> {
    Ok(match fs.status(name)? {
        None => (Live::Missing, None),
        Some(status) if status.kind != Kind::File => {
            return Err(message("not a regular file").into());
        }
        Some(status) if status.length == 0 => (Live::Empty, None),
        Some(_) => {
            let contents = read(fs, name)?;
            (if contents.is_garbage { Live::Garbage } else { Live::Valid }, Some(contents))
        }
    })
}

/// Examines the live file `name` and the files beside it. Changes nothing.
///
/// # Errors
/// If the live file is not a regular file or cannot be read, or the directory cannot be listed.
pub fn plan(fs: &mut dyn FileSystem, name: &OsStr) -> Result<Plan, OperationError> {
    let (live, _) = examine(fs, name)?;
    plan_for(fs, name, live)
}

/// Plans the recovery of a live file in this state.
pub(crate) fn plan_for(
    fs: &mut dyn FileSystem,
    name: &OsStr,
    live: Live,
) -> Result<Plan, OperationError> {
    let mut plan =
        Plan { name: name.to_owned(), live, candidates: Vec::new(), action: Action::Nothing };
    if live != Live::Valid {
        plan.candidates = candidates(fs, name)?;
        plan.action = decide(&plan);
    }
    Ok(plan)
}

fn candidates(fs: &mut dyn FileSystem, name: &OsStr) -> Result<Vec<Candidate>, OperationError> {
    let backup = sibling(name, "~");
    let mut found = Vec::new();
    let mut held = Vec::new();
    for other in std::iter::once(backup.clone()).chain(temporaries(fs, name)?) {
        let Some(status) = fs.status(&other)? else { continue };
        let is_backup = other == backup;
        let mut candidate = Candidate {
            name: other,
            leases: 0,
            rejection: None,
            is_unreadable: false,
            rewrite: None,
            modified: status.modified,
        };
        let contents = match status.kind {
            Kind::File => read(fs, &candidate.name),
            Kind::Other => Err(message("not a regular file").into()),
        };
        match contents {
            Err(OperationError::Killed) => return Err(OperationError::Killed),
            Err(OperationError::Io(error)) => {
                candidate.is_unreadable = true;
                candidate.rejection = Some(format!("cannot be read: {}", reason(&error)));
            }
            Ok(contents) => {
                let active = contents.reading.addresses(true);
                candidate.leases = active.len();
                candidate.rewrite = contents.rewrite;
                candidate.rejection = if is_backup {
                    (contents.text.is_empty() || contents.is_garbage)
                        .then(|| "no readable declaration".to_owned())
                } else if candidate.rewrite.is_some() {
                    contents.problem.map(|problem| format!("damaged: {problem}"))
                } else if candidate.name == sibling(name, ".tmp") {
                    Some("torn: the mark at its end is missing".to_owned())
                } else {
                    torn(&contents, &held)
                };
                if is_backup {
                    held = active;
                }
            }
        }
        found.push(candidate);
    }
    Ok(found)
}

/// Returns why a temporary file of dhcpd is incomplete, or `None` if it is complete.
fn torn(contents: &Contents, held: &[IpAddr]) -> Option<String> {
    if contents.torn() > 0 {
        return Some("torn: its last record is incomplete".to_owned());
    }
    if let Some(problem) = &contents.problem {
        return Some(format!("damaged: {problem}"));
    }
    let declared = contents.reading.addresses(false);
    if declared.is_empty() {
        return Some("contains no lease".to_owned());
    }
    let missing = held.iter().find(|address| declared.binary_search(address).is_err())?;
    Some(format!("torn: {missing} is missing, but has a lease in ~"))
}

/// Returns whether this is the suffix of a temporary file of dhcpd: `snprintf(..., "%s.%d", path_dhcpd_db, (int)t)` in
/// `new_lease_file` of server/db.c, with the current time in seconds since 1970.
///
/// Rotated files end in a small number (`NAME.1`) or a date (`NAME.20261120`). Therefore only numbers of nine or ten digits
/// count, which are times from 1973 to 2038.
pub fn is_epoch(suffix: &[u8]) -> bool {
    let number = std::str::from_utf8(suffix).ok().filter(|text| !text.starts_with(['0', '+', '-']));
    number.and_then(|text| text.parse().ok()).is_some_and(|time: i32| time >= 100_000_000)
}

/// Returns the names of temporary files: `NAME.tmp` of this crate and `NAME.EPOCH` of dhcpd.
fn temporaries(fs: &mut dyn FileSystem, name: &OsStr) -> Result<Vec<OsString>, OperationError> {
    let prefix = sibling(name, ".");
    let rest = |other: &OsString| other.as_bytes()[prefix.len()..].to_vec();
    let mut names = fs.list(&prefix)?;
    names.retain(|other| {
        let rest = rest(other);
        rest == b"tmp" || is_epoch(&rest)
    });
    Ok(names)
}

fn decide(plan: &Plan) -> Action {
    let backup_name = sibling(&plan.name, "~");
    if let Some(unreadable) = plan.candidates.iter().find(|candidate| candidate.is_unreadable) {
        let name = unreadable.name.to_string_lossy();
        let why = unreadable.rejection.as_deref().unwrap_or_default();
        return Action::Refuse(format!("left unchanged, since {name} {why}"));
    }
    let usable = |c: &&Candidate| c.rejection.is_none();
    let backup = plan.candidates.iter().filter(usable).find(|c| c.name == backup_name);
    let newest =
        plan.candidates.iter().filter(usable).filter(|c| c.name != backup_name).max_by(|a, b| {
            if a.is_newer_than(b) { std::cmp::Ordering::Greater } else { std::cmp::Ordering::Less }
        });
    let chosen = match (newest, backup) {
        (Some(temporary), Some(backup)) if !temporary.is_newer_than(backup) => Some(backup),
        (temporary, backup) => temporary.or(backup),
    };
    if let Some(chosen) = chosen.filter(|c| c.leases > 0 || plan.live != Live::Empty) {
        return Action::Restore(chosen.name.clone());
    }
    if let Some(torn) = plan.candidates.iter().find(|c| c.leases > 0) {
        let name = torn.name.to_string_lossy();
        return Action::Refuse(format!(
            "only {name} is left, with {} leases: see `leaselab leases show {name}`, then rename \
             it to {} or remove it",
            torn.leases,
            plan.name.to_string_lossy()
        ));
    }
    if plan.live == Live::Garbage {
        return Action::Refuse("left unchanged".to_owned());
    }
    Action::Create
}

impl Candidate {
    /// Compares the numbers of the rewrites if both files have different ones, and otherwise the modification times.
    fn is_newer_than(&self, other: &Self) -> bool {
        match (self.rewrite, other.rewrite) {
            (Some(own), Some(other)) if own.generation != other.generation => {
                own.generation > other.generation
            }
            _ => self.modified > other.modified,
        }
    }
}

/// Applies a plan. The caller must hold the lock. The live file or the file that replaces it exists at all times.
///
/// # Errors
/// If a file operation fails, or the action is [`Action::Refuse`].
pub fn apply(fs: &mut dyn FileSystem, plan: &Plan, now: i64) -> Result<(), OperationError> {
    match &plan.action {
        Action::Nothing => Ok(()),
        Action::Refuse(why) => Err(message(why).into()),
        Action::Create => {
            let text = rewritten(&Reading::default(), 1, now, &[]);
            let temporary = sibling(&plan.name, ".tmp");
            unlink_if_there(fs, &temporary)?;
            let file = fs.open(&temporary, Mode::CreateNew)?;
            let mut written = append_all(fs, file, &text).and_then(|()| fs.fsync(file));
            if plan.live == Live::Empty && written.is_ok() {
                written = fs.open(&plan.name, Mode::Read).and_then(|empty| {
                    let copied = fs.copy_metadata(file, empty);
                    fs.close(empty);
                    copied
                });
            }
            fs.close(file);
            remove_on_error(fs, &temporary, written)?;
            let renamed = fs.rename(&temporary, &plan.name);
            remove_on_error(fs, &temporary, renamed)?;
            fs.fsync_dir()
        }
        Action::Restore(from) => {
            let file = fs.open(from, Mode::Append)?;
            let synced = fs.fsync(file);
            fs.close(file);
            synced?;
            if plan.live == Live::Garbage {
                keep_damaged(fs, &plan.name)?;
            }
            fs.rename(from, &plan.name)?;
            fs.fsync_dir()
        }
    }
}

/// Keeps a damaged file as `NAME.damaged`, or as `NAME.damaged.1` if `NAME.damaged` exists. An existing `NAME.damaged.1` is
/// replaced. Returns the name.
pub(crate) fn keep_damaged(
    fs: &mut dyn FileSystem,
    name: &OsStr,
) -> Result<OsString, OperationError> {
    let inode = |status: Option<Status>| status.map(|status| status.inode);
    let live = inode(fs.status(name)?);
    let mut kept = sibling(name, ".damaged");
    for other in [kept.clone(), sibling(name, ".damaged.1")] {
        match inode(fs.status(&other)?) {
            None => {
                kept = other;
                break;
            }
            // An earlier call that was interrupted has already kept the file.
            found if found == live => return Ok(other),
            Some(_) => kept = other,
        }
    }
    unlink_if_there(fs, &kept)?;
    match fs.link(name, &kept) {
        Ok(()) => {}
        Err(OperationError::Killed) => return Err(OperationError::Killed),
        // The file system may not support hard links.
        Err(OperationError::Io(_)) => copy(fs, name, &kept)?,
    }
    Ok(kept)
}

fn copy(fs: &mut dyn FileSystem, from: &OsStr, to: &OsStr) -> Result<(), OperationError> {
    let old = fs.open(from, Mode::Read)?;
    let text = fs.read(old);
    let copied = text.and_then(|text| {
        let new = fs.open(to, Mode::CreateNew)?;
        let written = fs
            .copy_metadata(new, old)
            .and_then(|()| append_all(fs, new, &text))
            .and_then(|()| fs.fsync(new));
        fs.close(new);
        remove_on_error(fs, to, written)
    });
    fs.close(old);
    copied
}

/// Removes a temporary file if an operation on it failed.
pub(crate) fn remove_on_error(
    fs: &mut dyn FileSystem,
    temporary: &OsStr,
    result: Result<(), OperationError>,
) -> Result<(), OperationError> {
    if let Err(OperationError::Io(_)) = &result {
        // If this fails as well, recovery still recognizes the file as incomplete.
        let _ = fs.unlink(temporary);
    }
    result
}

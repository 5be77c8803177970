//! What to do where the live file is not there, or is nothing that could be read.
//!
//! 1. A live file that reads as a journal stays. So does an empty one, unless 2 or 3 has leases to offer.
//! 2. Else a whole temporary file takes its place, if it is newer than `~`, or there is no `~`. Our own says itself
//!    whether it is whole, and which rewrite it is; dhcpd's is whole when it reads to its end without a complaint and
//!    declares every address that `~` has an active lease for. A torn one is never taken.
//! 3. Else `~` takes its place.
//! 4. Else, if there is nothing but perhaps a temporary file without a lease in it: an empty database is made.
//! 5. Else nothing is done: a person has to look.
//!
//! What stood in the place of the live file without being a journal is kept as `NAME.damaged`.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt as _;

use crate::fs::{FileSystem, Kind, Mode, append_all};
use crate::store::sibling;
use crate::text::{Rewrite, begin, end, rewrite_of, whole_length};
use lease_formats::dhcpd::{BindingState, Reading, View, read_bytes};

/// The state of the live file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    /// It reads as a journal.
    Sound,
    /// There is none.
    Missing,
    /// It has no bytes.
    Empty,
    /// It has bytes, and no declaration among them.
    Garbage,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    Nothing,
    /// A file takes the place of the live one.
    Restore(OsString),
    /// An empty database is made.
    Create,
    /// A person has to look: why.
    Refuse(String),
}

/// A file that could take the live one's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its name.
    pub name: OsString,
    /// Active leases in it.
    pub leases: usize,
    /// Why it is not taken.
    pub fault: Option<String>,
    rewrite: Option<Rewrite>,
    modified: (i64, i64),
}

/// What was found, and what follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The name of the live file.
    pub name: OsString,
    /// Its state.
    pub live: Live,
    /// What stands beside it: `~` first, then temporaries.
    pub candidates: Vec<Candidate>,
    /// What is to be done.
    pub action: Action,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.to_string_lossy();
        let state = match self.live {
            Live::Sound => "is there",
            Live::Missing => "is missing",
            Live::Empty => "is empty",
            Live::Garbage => "holds nothing that reads as a lease journal",
        };
        write!(f, "{name} {state}: ")?;
        match &self.action {
            Action::Nothing => write!(f, "nothing to do"),
            Action::Restore(from) => write!(f, "{} takes its place", from.to_string_lossy()),
            Action::Create => write!(f, "no other file to take: an empty database is made"),
            Action::Refuse(why) => write!(f, "{why}"),
        }
    }
}

/// Reads with records atomic.
pub(crate) fn careful(text: &[u8]) -> Reading {
    read_bytes(text, &crate::store::careful_options(None))
}

fn active(reading: &Reading) -> Vec<String> {
    let held = |state| state == BindingState::Active;
    let v4 = reading.leases().filter(|lease| held(lease.state)).map(|l| l.address.to_string());
    let v6 = reading.ias().flat_map(|ia| &ia.addresses).filter(|at| held(at.state));
    let mut all: Vec<String> = v4.chain(v6.map(|at| at.address.to_string())).collect();
    all.sort();
    all.dedup();
    all
}

fn declared(reading: &Reading) -> Vec<String> {
    let v4 = reading.leases().map(|lease| lease.address.to_string());
    let v6 = reading.ias().flat_map(|ia| &ia.addresses).map(|at| at.address.to_string());
    let mut all: Vec<String> = v4.chain(v6).collect();
    all.sort();
    all
}

/// True where no declaration was understood, and something was not.
pub(crate) fn is_garbage(reading: &Reading) -> bool {
    reading.counts.declarations == 0
        && reading.counts.others == 0
        && reading.byte_order.is_none()
        && reading.server_duid.is_none()
        && reading.diagnostics.total() > 0
}

struct Opened {
    text: Vec<u8>,
    reading: Reading,
}

fn read(fs: &mut dyn FileSystem, name: &OsStr) -> io::Result<Opened> {
    let file = fs.open(name, Mode::Read)?;
    let text = fs.read(file);
    fs.close(file);
    let text = text?;
    let reading = careful(&text);
    Ok(Opened { text, reading })
}

/// Looks at the live file called `name` and at what stands beside it. Changes nothing.
///
/// # Errors
/// A live file that is no regular file or cannot be read, a folder that cannot be listed.
pub fn examine(fs: &mut dyn FileSystem, name: &OsStr) -> io::Result<Plan> {
    let live = match fs.status(name)? {
        None => Live::Missing,
        Some(status) if status.kind != Kind::File => {
            return Err(io::Error::other("is no regular file"));
        }
        Some(status) if status.length == 0 => Live::Empty,
        Some(_) if is_garbage(&read(fs, name)?.reading) => Live::Garbage,
        Some(_) => Live::Sound,
    };
    let mut plan =
        Plan { name: name.to_owned(), live, candidates: Vec::new(), action: Action::Nothing };
    if live != Live::Sound {
        plan.candidates = candidates(fs, name)?;
        plan.action = decide(&plan);
    }
    Ok(plan)
}

fn candidates(fs: &mut dyn FileSystem, name: &OsStr) -> io::Result<Vec<Candidate>> {
    let backup = sibling(name, "~");
    let mut found = Vec::new();
    let mut held = Vec::new();
    for other in std::iter::once(backup.clone()).chain(temporaries(fs, name)?) {
        let Some(status) = fs.status(&other)?.filter(|status| status.kind == Kind::File) else {
            continue;
        };
        let is_backup = other == backup;
        let mut candidate = Candidate {
            name: other,
            leases: 0,
            fault: None,
            rewrite: None,
            modified: status.modified,
        };
        match read(fs, &candidate.name) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            Err(error) => candidate.fault = Some(error.to_string()),
            Ok(Opened { text, reading }) => {
                let active = active(&reading);
                candidate.leases = active.len();
                candidate.rewrite = rewrite_of(&text);
                candidate.fault = if is_backup {
                    (text.is_empty() || is_garbage(&reading)).then(|| "holds nothing".to_owned())
                } else if candidate.rewrite.is_some() {
                    None
                } else if candidate.name == sibling(name, ".tmp") {
                    Some("torn: the mark at its end is missing".to_owned())
                } else {
                    torn(&text, &reading, &held)
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

/// Why another program's temporary file is not whole.
fn torn(text: &[u8], reading: &Reading, held: &[String]) -> Option<String> {
    if whole_length(text) < text.len() {
        return Some("torn: its last record is not whole".to_owned());
    }
    if let Some(problem) = reading.diagnostics.iter().next() {
        return Some(format!("damaged: {problem}"));
    }
    let declared = declared(reading);
    if declared.is_empty() {
        return Some("holds no lease".to_owned());
    }
    let missing = held.iter().find(|address| declared.binary_search(address).is_err())?;
    Some(format!("torn: {missing}, which ~ has, is not in it"))
}

/// The names of temporary files: ours, and `NAME.EPOCH` of dhcpd's.
pub(crate) fn temporaries(fs: &mut dyn FileSystem, name: &OsStr) -> io::Result<Vec<OsString>> {
    let prefix = sibling(name, ".");
    let rest = |other: &OsString| other.as_bytes()[prefix.len()..].to_vec();
    let mut names = fs.list(&prefix)?;
    names.retain(|other| {
        let rest = rest(other);
        rest == b"tmp" || (!rest.is_empty() && rest.iter().all(u8::is_ascii_digit))
    });
    Ok(names)
}

fn decide(plan: &Plan) -> Action {
    let backup_name = sibling(&plan.name, "~");
    let whole = |c: &&Candidate| c.fault.is_none();
    let backup = plan.candidates.iter().filter(whole).find(|c| c.name == backup_name);
    let newest =
        plan.candidates.iter().filter(whole).filter(|c| c.name != backup_name).max_by(|a, b| {
            if a.is_newer_than(b) { std::cmp::Ordering::Greater } else { std::cmp::Ordering::Less }
        });
    let chosen = match (newest, backup) {
        (Some(temporary), Some(backup)) if !temporary.is_newer_than(backup) => Some(backup),
        (temporary, backup) => temporary.or(backup),
    };
    if let Some(chosen) = chosen.filter(|c| c.leases > 0 || plan.live != Live::Empty) {
        return Action::Restore(chosen.name.clone());
    }
    if plan.live == Live::Empty {
        return Action::Nothing;
    }
    if let Some(torn) = plan.candidates.iter().find(|c| c.leases > 0) {
        let name = torn.name.to_string_lossy();
        return Action::Refuse(format!(
            "only {name} is left, with {} leases: see `leaselab leases show {name}`, then move it \
             here or away",
            torn.leases
        ));
    }
    if plan.live == Live::Garbage {
        return Action::Refuse("not touched".to_owned());
    }
    Action::Create
}

impl Candidate {
    /// By the number of the rewrite where both have one, else by the time of the last change.
    fn is_newer_than(&self, other: &Self) -> bool {
        match (self.rewrite, other.rewrite) {
            (Some(own), Some(other)) if own.generation != other.generation => {
                own.generation > other.generation
            }
            _ => self.modified > other.modified,
        }
    }
}

/// Does what a plan says. The caller holds the lock. At every moment there is the live file or what it is restored
/// from.
///
/// # Errors
/// Those of the file operations; a refusal.
pub fn carry_out(fs: &mut dyn FileSystem, plan: &Plan, now: i64) -> io::Result<()> {
    match &plan.action {
        Action::Nothing => Ok(()),
        Action::Refuse(why) => Err(io::Error::other(why.clone())),
        Action::Create => {
            let mut text = begin(None).map_err(io::Error::other)?;
            end(&mut text, 1, now);
            let temporary = sibling(&plan.name, ".tmp");
            unlink_if_there(fs, &temporary)?;
            let file = fs.open(&temporary, Mode::CreateNew)?;
            let written = append_all(fs, file, &text).and_then(|()| fs.fsync(file));
            fs.close(file);
            give_up_on_error(fs, &temporary, written)?;
            let renamed = fs.rename(&temporary, &plan.name);
            give_up_on_error(fs, &temporary, renamed)?;
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

/// Keeps a file that could not be read as it should under the name `NAME.damaged`, once.
pub(crate) fn keep_damaged(fs: &mut dyn FileSystem, name: &OsStr) -> io::Result<()> {
    fs.link(name, &sibling(name, ".damaged"))
}

pub(crate) fn unlink_if_there(fs: &mut dyn FileSystem, name: &OsStr) -> io::Result<()> {
    match fs.unlink(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Takes a temporary file away when what was to be done with it failed.
pub(crate) fn give_up_on_error(
    fs: &mut dyn FileSystem,
    temporary: &OsStr,
    result: io::Result<()>,
) -> io::Result<()> {
    if let Err(error) = &result
        && error.kind() != io::ErrorKind::Interrupted
    {
        // What is left of it is never taken for whole.
        let _ = fs.unlink(temporary);
    }
    result
}

/// The view in which files are judged.
pub(crate) const VIEW: View = View::Careful;

//! `leaselab leases recover`.

use std::ffi::{OsStr, OsString};
use std::fmt::Write as _;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::PathBuf;

use lease_journal::{
    Action, FileSystem, Handle, Live, Mode, OperationError, Plan, RealDirectory, apply,
    intact_length, is_epoch, locate,
};

use super::clock;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::shown::Shown as _;

/// The arguments of `leaselab leases recover`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The folder of the journals (dhcpd.leases, dhcpd6.leases), or one journal
    path: PathBuf,
    /// Only print what would be done
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: &Args) -> Result<Exit, CommandError> {
    let shown = args.path.shown();
    let unreadable = |error: OperationError| CommandError::Usage(format!("{shown}: {error}"));
    let is_folder = args.path.is_dir();
    let (mut folder, names) = if is_folder {
        let mut folder = RealDirectory::new(args.path.clone());
        let names = journals(&folder.list(OsStr::new("")).map_err(unreadable)?);
        (folder, names)
    } else {
        let (folder, name) = locate(&args.path).map_err(|error| unreadable(error.into()))?;
        (folder, vec![name])
    };
    let mut exit = Exit::Passed;
    let mut found = false;
    for name in names {
        let unreadable = |error| CommandError::Usage(format!("{shown}: {}: {error}", name.shown()));
        // Nothing is created, not even a lock, where there is no database of this kind, or nothing to do.
        let mut plan = lease_journal::plan(&mut folder, &name).map_err(unreadable)?;
        if !is_of_dhcpd(&plan, is_folder) {
            continue;
        }
        found = true;
        if !args.dry_run && plan.action != Action::Nothing {
            if !folder.lock(&name).map_err(unreadable)? {
                errln!("{shown}: {}: not changed: another writer holds the lock", name.shown());
                exit = Exit::Failed;
                continue;
            }
            // Another writer may have changed it before.
            plan = lease_journal::plan(&mut folder, &name).map_err(unreadable)?;
        }
        let mut text = describe(&plan, &mut folder);
        if let Action::Refuse(_) = plan.action {
            exit = Exit::Failed;
        } else if !args.dry_run
            && let Err(error) = apply(&mut folder, &plan, clock::now())
        {
            exit = Exit::Failed;
            let _ = writeln!(text, "{}: not done: {error}", plan.name.shown());
        }
        if args.dry_run {
            out!("{text}");
        } else {
            err!("{text}");
        }
    }
    if found {
        return Ok(exit);
    }
    let expected = "expected dhcpd.leases, dhcpd6.leases, or the backup or temporary file of one";
    Err(CommandError::Usage(format!("{shown}: not a lease database of dhcpd: {expected}")))
}

/// Whether a journal, or a file that could replace it, is a lease database of dhcpd. Other programs use the ending
/// `.leases`, too.
fn is_of_dhcpd(plan: &Plan, is_folder: bool) -> bool {
    let is_named = plan.name.as_bytes().starts_with(b"dhcpd");
    match plan.live {
        Live::Valid | Live::Empty => true,
        Live::Missing => !plan.candidates.is_empty(),
        Live::Garbage => {
            !is_folder || is_named || plan.candidates.iter().any(|other| other.leases > 0)
        }
    }
}

/// The journals to which the files of a folder belong.
fn journals(names: &[OsString]) -> Vec<OsString> {
    let mut found: Vec<OsString> = names.iter().filter_map(|name| live_name(name)).collect();
    found.sort();
    found.dedup();
    found
}

/// The journal to which a file belongs: itself, or the one whose backup or temporary file it is.
fn live_name(name: &OsStr) -> Option<OsString> {
    let bytes = name.as_bytes();
    let stem = bytes
        .strip_suffix(b"~")
        .or_else(|| bytes.strip_suffix(b".tmp"))
        .or_else(|| {
            let dot = bytes.iter().rposition(|c| *c == b'.')?;
            is_epoch(&bytes[dot + 1..]).then(|| &bytes[..dot])
        })
        .unwrap_or(bytes);
    let is_journal = stem.ends_with(b".leases") || stem == b"leases";
    is_journal.then(|| OsString::from_vec(stem.to_vec()))
}

fn describe(plan: &Plan, folder: &mut RealDirectory) -> String {
    let mut text = String::new();
    for candidate in &plan.candidates {
        let fault = candidate.rejection.clone().unwrap_or_else(|| {
            torn_bytes(folder, &candidate.name).map_or_else(
                || "complete".to_owned(),
                |torn| format!("its last {torn} bytes are a torn record"),
            )
        });
        let (name, leases) = (candidate.name.shown(), candidate.leases);
        let _ = writeln!(text, "  {name}: {leases} active leases, {fault}");
    }
    let _ = writeln!(text, "{plan}");
    if plan.live == Live::Valid
        && let Some(torn) = torn_bytes(folder, &plan.name)
    {
        let _ = writeln!(
            text,
            "{}: its last {torn} bytes are a torn record, which dhcpd would accept in place of the complete one before; \
             lease-update removes it",
            plan.name.shown()
        );
    }
    text
}

fn torn_bytes(folder: &mut RealDirectory, name: &OsStr) -> Option<usize> {
    let file: Handle = folder.open(name, Mode::Read).ok()?;
    let bytes = folder.read(file);
    folder.close(file);
    let bytes = bytes.ok()?;
    Some(bytes.len() - intact_length(&bytes)).filter(|torn| *torn > 0)
}

//! `leaselab` under the name `nvram`: the fake tool, plus the two things that a run needs of it:
//! a record of the commands, and the strike of a [`Disturbance`].

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use nvram_emu::device::{Op, OpKind};
use rustix::process::{Signal, getpgrp, kill_process_group};

use super::files;
use crate::plan::{FaultAction, FaultInjector};
use scenario::Disturbance;

/// The variable with the file to which each command is appended.
pub(super) const COMMANDS: &str = "LEASELAB_COMMANDS";

/// The variable with the scratch folder, where the files in RAM are to be followed.
pub(super) const FOLLOW: &str = "LEASELAB_FOLLOW";

/// The variable with the disturbance.
pub(super) const DISTURBANCE: &str = "LEASELAB_DISTURBANCE";

/// Runs one command as `nvram` would.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let environment = |name: &str| std::env::var_os(name);
    let Some(commands) = environment(COMMANDS) else {
        return nvram_emu::emu::main(arguments.into_iter(), &environment);
    };
    let words: Vec<&[u8]> = arguments.iter().map(|word| word.as_bytes()).collect();
    let count = match record(Path::new(&commands), &words) {
        Ok(count) => count,
        Err(error) => {
            eprintln!("nvram: {}: {error}", Path::new(&commands).display());
            return ExitCode::FAILURE;
        }
    };
    let disturbance: Option<Disturbance> =
        environment(DISTURBANCE).and_then(|text| text.to_str()?.parse().ok());
    let mut striker = FaultInjector::new(disturbance.as_ref(), count);
    let strike = striker.next(&words, || nvram_emu::emu::dry_run(&words, &environment));
    match strike {
        FaultAction::Before => die(),
        FaultAction::Fail => {
            eprintln!("nvram: made to fail");
            return ExitCode::FAILURE;
        }
        FaultAction::None | FaultAction::During(_) | FaultAction::After => {}
    }
    let follow = || {
        if let Some(scratch) = environment(FOLLOW) {
            let scratch = Path::new(&scratch);
            // Without the note the call cannot be followed, which its reader sees.
            _ = files::note(&scratch.join("beside"), &scratch.join("tmp"));
        }
    };
    follow();
    let with_cut = |name: &str| match (name, strike) {
        ("NVRAM_EMU_CUT", FaultAction::During(cut)) => Some(cut.to_string().into()),
        ("NVRAM_EMU_CUT_SCOPE", FaultAction::During(_)) => Some("group".into()),
        _ => environment(name),
    };
    let code = nvram_emu::emu::main(arguments.clone().into_iter(), &with_cut);
    follow();
    if strike == FaultAction::After {
        die();
    }
    code
}

/// Kills the script and all its processes, this one included.
fn die() -> ! {
    _ = io::stdout().flush();
    _ = kill_process_group(getpgrp(), Signal::KILL);
    std::process::abort()
}

/// Appends a command to the record; returns how many there were before it.
fn record(path: &Path, words: &[&[u8]]) -> io::Result<u32> {
    let before = fs::read(path).unwrap_or_default();
    let latin: Vec<String> =
        words.iter().map(|word| word.iter().map(|byte| char::from(*byte)).collect()).collect();
    let mut line = serde_json::to_vec(&latin)?;
    line.push(b'\n');
    OpenOptions::new().append(true).create(true).open(path)?.write_all(&line)?;
    Ok(before.iter().filter(|byte| **byte == b'\n').count() as u32)
}

/// The commands on record.
pub(super) fn read_commands(path: &Path) -> Vec<Vec<Vec<u8>>> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .filter_map(|line| serde_json::from_str::<Vec<String>>(line).ok())
        .map(|words| {
            words.iter().map(|word| word.chars().map(|c| u32::from(c) as u8).collect()).collect()
        })
        .collect()
}

/// Reads a line of `NVRAM_EMU_LOG`.
pub(super) fn parse_operation(line: &str) -> Option<Op> {
    let mut words = line.split(' ');
    let kind = match words.next()? {
        "E" => OpKind::Erase,
        "P" => OpKind::Program,
        _ => return None,
    };
    let offset = words.next()?.parse().ok()?;
    let len = words.next()?.parse().ok()?;
    words.next().is_none().then_some(Op { kind, offset, len })
}

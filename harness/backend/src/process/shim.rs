//! `leaselab` under the name `nvram`: the emulated tool, which also logs its commands and injects a [`Disturbance`].

use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use nvram_emu::device::{Op, OpKind};
use rustix::process::{Signal, getpgrp, kill_process_group};
use sandbox::read_plain;
use serde_json::json;

use super::files::MAX_FILE;
use super::ram_files;
use crate::call::NvramCommand;
use crate::fault_injector::{FaultAction, FaultInjector};
use scenario::Disturbance;

/// Environment variable with the path of the log to which each command is appended.
pub(super) const COMMANDS: &str = "LEASELAB_COMMANDS";

/// Environment variable with the path of the scratch folder; set if the files in RAM are to be recorded.
pub(super) const SCRATCH: &str = "LEASELAB_SCRATCH";

/// Environment variable with the disturbance.
pub(super) const DISTURBANCE: &str = "LEASELAB_DISTURBANCE";

/// Runs the `nvram` command of the command line.
///
/// # Errors
/// If a log cannot be written, or for the injected failure of a command. The caller prints the text after `nvram: `.
pub fn main() -> Result<ExitCode, String> {
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let environment = |name: &str| std::env::var_os(name);
    let Some(commands) = environment(COMMANDS) else {
        return Ok(nvram_emu::emu::main(arguments.into_iter(), &environment));
    };
    let words: Vec<&[u8]> = arguments.iter().map(|word| word.as_bytes()).collect();
    let log = Path::new(&commands);
    let count = log_command(log, &words).map_err(|error| format!("{}: {error}", log.display()))?;
    let disturbance: Option<Disturbance> =
        environment(DISTURBANCE).and_then(|text| text.to_str()?.parse().ok());
    let mut injector = FaultInjector::new(disturbance.as_ref(), count);
    let fault = injector.next(&words, || nvram_emu::emu::dry_run(&words, &environment));
    match fault {
        FaultAction::Kill(0) => die(),
        FaultAction::Fail(done) => {
            if done > 0 {
                let _ = nvram_emu::emu::exit_code(arguments[..done].iter().cloned(), &environment);
            }
            _ = append(log, &json!({ "command": count, "code": 1 }));
            return Err("made to fail".to_owned());
        }
        FaultAction::None | FaultAction::During(_) | FaultAction::Kill(_) => {}
    }
    let record_ram_files = || {
        if let Some(scratch) = environment(SCRATCH) {
            let scratch = Path::new(&scratch);
            // The reader of the log detects a missing entry by the number of entries.
            _ = ram_files::append_to_log(
                &scratch.join(ram_files::LOG),
                &scratch.join(sandbox::RAM_FOLDER),
            );
        }
    };
    record_ram_files();
    let with_cut = |name: &str| match (name, fault) {
        ("NVRAM_EMU_CUT", FaultAction::During(cut)) => Some(cut.to_string().into()),
        ("NVRAM_EMU_CUT_SCOPE", FaultAction::During(_)) => Some("group".into()),
        _ => environment(name),
    };
    let done = if let FaultAction::Kill(done) = fault { done } else { arguments.len() };
    let code = nvram_emu::emu::exit_code(arguments[..done].iter().cloned(), &with_cut);
    // A report without the exit code is better than a command that fails for its sake.
    _ = append(log, &json!({ "command": count, "code": code }));
    record_ram_files();
    if matches!(fault, FaultAction::Kill(_)) {
        die();
    }
    Ok(ExitCode::from(code))
}

/// Kills the process group of the script, this process included.
fn die() -> ! {
    _ = io::stdout().flush();
    _ = kill_process_group(getpgrp(), Signal::KILL);
    std::process::abort()
}

/// Appends a command to the log. Returns the number of commands before it.
fn log_command(path: &Path, words: &[&[u8]]) -> io::Result<u32> {
    let before = fs::read(path).unwrap_or_default();
    let latin: Vec<String> =
        words.iter().map(|word| word.iter().map(|byte| char::from(*byte)).collect()).collect();
    append(path, &json!(latin))?;
    let is_command = |line: &&[u8]| line.starts_with(b"[");
    Ok(before.split(|byte| *byte == b'\n').filter(is_command).count() as u32)
}

/// Appends a line to the log: the arguments of a command that starts, or the exit code of one that has ended.
fn append(path: &Path, entry: &serde_json::Value) -> io::Result<()> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    OpenOptions::new().append(true).create(true).open(path)?.write_all(&line)
}

/// A line of the log.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum LogEntry {
    /// The arguments of a command, each byte as the character of the same number.
    Started(Vec<String>),
    /// A command, counted from 0, has ended.
    Ended { command: usize, code: i32 },
}

/// The commands of a log.
pub(super) fn read_commands(path: &Path) -> Vec<NvramCommand> {
    let text = read_plain(path, MAX_FILE).unwrap_or_default();
    let bytes = |word: &String| word.chars().map(|c| u32::from(c) as u8).collect();
    let mut commands: Vec<NvramCommand> = Vec::new();
    let lines = text.split(|byte| *byte == b'\n');
    for entry in lines.filter_map(|line| serde_json::from_slice(line).ok()) {
        match entry {
            LogEntry::Started(words) => {
                let arguments = words.iter().map(bytes).collect();
                commands.push(NvramCommand { arguments, code: None });
            }
            LogEntry::Ended { command, code } => {
                if let Some(command) = commands.get_mut(command) {
                    command.code = Some(code);
                }
            }
        }
    }
    commands
}

/// Parses a line of `NVRAM_EMU_LOG`.
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

//! One command: load, run, store.

use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::process::ExitCode;

use super::error::EmuError;
use super::files::{append, read, remove, replace};
use super::folder::{read_wear, write_wear};
use super::kill::power_lost;
use super::lock::lock;
use super::settings::{Env, Settings};
use super::{fast_get, race};
use crate::device::{Flash, Op};
use crate::dialect::{ProcMtd, Ram};
use crate::machine::{CommandOutput, Exit, Machine};

/// The `nvram` executable: `args` without the program's name. Prints, and returns the exit code; a power cut
/// does not return.
pub fn main(args: impl Iterator<Item = OsString>, env: Env<'_>) -> ExitCode {
    let args: Vec<OsString> = args.collect();
    let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_encoded_bytes()).collect();
    let run = Settings::read(env).and_then(|settings| {
        let outcome = run(&settings, &args)?;
        if outcome.exit == Exit::PowerLost {
            power_lost(settings.cut_scope);
        }
        Ok(outcome)
    });
    match run {
        Ok(outcome) => {
            print(&outcome);
            match outcome.exit {
                Exit::Code(code) => ExitCode::from(code),
                Exit::PowerLost => ExitCode::FAILURE,
            }
        }
        Err(error) => {
            print(&CommandOutput {
                stdout: Vec::new(),
                stderr: format!("nvram: {error}\n").into_bytes(),
                exit: Exit::Code(1),
            });
            ExitCode::FAILURE
        }
    }
}

/// The flash operations that a command would make, everything left as it is; none where it would fail.
pub fn dry_run(args: &[&[u8]], env: Env<'_>) -> Vec<Op> {
    let machine = Settings::read(env).and_then(|settings| load(&settings));
    let Ok(mut machine) = machine else { return Vec::new() };
    machine.run(args);
    machine.take_ops()
}

/// A reader that has gone away is not an error of the tool's.
fn print(outcome: &CommandOutput) {
    write_all(rustix::stdio::stdout(), &outcome.stdout);
    write_all(rustix::stdio::stderr(), &outcome.stderr);
}

/// Unbuffered: the standard library's buffered streams cost a short process more than its one write.
fn write_all(stream: BorrowedFd<'_>, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match rustix::io::write(stream, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

/// Runs one command on the files.
fn run(settings: &Settings, args: &[&[u8]]) -> Result<CommandOutput, EmuError> {
    if let Some(tool) = settings.config.dialect.openwrt().filter(|_| settings.race) {
        return race::run(settings, tool, args);
    }
    if let Some(outcome) = fast_get::get(settings, args) {
        return Ok(outcome);
    }
    // A missing flash file is the tool's own affair: it finds no device.
    let _lock = lock(&settings.flash).ok();
    let mut machine = load(settings)?;
    let fresh = matches!(machine.board().ram, Ram::Empty);
    let before = machine.board().ram.clone();
    let outcome = machine.run(args);
    store(settings, &mut machine, &before, fresh)?;
    Ok(outcome)
}

/// The router as the files describe it.
pub(super) fn load(settings: &Settings) -> Result<Machine, EmuError> {
    let config = &settings.config;
    let driver = config.dialect.tool().driver();
    let bytes = read(&settings.flash)?;
    if bytes.is_none() && driver.is_some() {
        return Err(EmuError::file("open", &settings.flash)(std::io::ErrorKind::NotFound.into()));
    }
    // An OpenWrt tool without a partition, or with an empty one, says so itself.
    let missing = bytes.as_ref().is_none_or(Vec::is_empty);
    let bytes = bytes.filter(|bytes| !bytes.is_empty()).unwrap_or_else(|| vec![0xFF]);
    if let (Some(space), Some(_)) = (config.space, driver)
        && space as usize > bytes.len()
    {
        return Err(EmuError::Geometry(format!(
            "the NVRAM ({space} bytes) is larger than the partition ({} bytes): see NVRAM_EMU_SPACE and {}",
            bytes.len(),
            settings.flash.display()
        )));
    }
    let mut flash = Flash::from_bytes(&bytes, config.erase, config.chip)
        .map_err(|error| EmuError::Geometry(format!("{error}: see NVRAM_EMU_ERASE")))?;
    if let Some(folder) = &settings.folder {
        read_wear(folder, &mut flash)?;
    }
    flash.arm(settings.cut);
    let proc_mtd = if missing { ProcMtd::Missing } else { proc_mtd(settings.proc_mtd.as_deref())? };
    let mut machine = Machine::new(config.dialect, flash, config.space).with_proc_mtd(proc_mtd);
    if let Some(bytes) = read(&settings.staging)? {
        machine.board_mut().ram = Ram::from_bytes(bytes, driver)
            .map_err(|_| EmuError::InvalidStaging(settings.staging.clone()))?;
    }
    Ok(machine)
}

/// The stand-in for /proc/mtd.
pub(super) fn proc_mtd(path: Option<&Path>) -> Result<ProcMtd, EmuError> {
    Ok(match path {
        None => ProcMtd::Assumed,
        Some(path) => read(path)?.map_or(ProcMtd::Missing, |text| ProcMtd::Text(text.into())),
    })
}

/// Stores what a command changed.
fn store(
    settings: &Settings,
    machine: &mut Machine,
    before: &Ram,
    fresh: bool,
) -> Result<(), EmuError> {
    let ops = machine.take_ops();
    if !ops.is_empty() {
        record_ops(settings, &ops)?;
        if let Some(folder) = &settings.folder {
            write_wear(folder, machine.flash())?;
        }
        replace(&settings.flash, &machine.flash_bytes(), 0o644)?;
    }
    let ram = &machine.board().ram;
    if same(ram, before) {
        return Ok(());
    }
    match ram.to_bytes() {
        Some(bytes) => replace(&settings.staging, &bytes, 0o600),
        None if fresh => Ok(()),
        None => remove(&settings.staging),
    }
}

/// Whether RAM is untouched, by identity: a tool that writes makes its own copy.
fn same(now: &Ram, before: &Ram) -> bool {
    match (now, before) {
        (Ram::Empty, Ram::Empty) => true,
        (Ram::File(now), Ram::File(before)) => std::sync::Arc::ptr_eq(now, before),
        (Ram::Kernel(now), Ram::Kernel(before)) => std::sync::Arc::ptr_eq(now, before),
        _ => false,
    }
}

/// Appends the operations to the logs.
pub(super) fn record_ops(settings: &Settings, ops: &[Op]) -> Result<(), EmuError> {
    let text = ops.iter().fold(String::new(), |text, op| text + &op.to_string() + "\n");
    if let Some(log) = &settings.log {
        append(log, &text)?;
    }
    match &settings.folder {
        Some(folder) => append(&folder.join("ops.log"), &text),
        None => Ok(()),
    }
}

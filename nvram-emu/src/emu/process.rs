//! The `nvram` process: runs one command on the files of a device.

use std::ffi::OsString;
use std::os::fd::BorrowedFd;
use std::process::ExitCode;
use std::sync::Arc;

use super::error::EmuError;
use super::host_files::HostFiles;
use super::kill::kill_by_power_loss;
use super::lock::lock;
use super::settings::{Env, LockMode, Settings};
use super::store::{load, store};
use super::{fast_get, race};
use crate::device::Op;
use crate::machine::{CommandOutput, Exit};

/// Runs the `nvram` executable with `args`, which do not include the program name. Prints the output and
/// returns the exit code. Does not return if power is lost.
pub fn main(args: impl Iterator<Item = OsString>, env: Env<'_>) -> ExitCode {
    ExitCode::from(exit_code(args, env))
}

/// Like [`main`], but returns the exit code as a number.
pub fn exit_code(args: impl Iterator<Item = OsString>, env: Env<'_>) -> u8 {
    let args: Vec<OsString> = args.collect();
    let args: Vec<&[u8]> = args.iter().map(|arg| arg.as_encoded_bytes()).collect();
    let run = Settings::read(env).and_then(|settings| {
        let output = run(&settings, &args)?;
        if output.exit == Exit::PowerLost {
            kill_by_power_loss(settings.cut_scope);
        }
        Ok(output)
    });
    match run {
        Ok(output) => {
            print(&output);
            match output.exit {
                Exit::Code(code) => code,
                Exit::PowerLost => 1,
            }
        }
        Err(error) => {
            print(&CommandOutput {
                stdout: Vec::new(),
                stderr: format!("nvram: {error}\n").into_bytes(),
                exit: Exit::Code(1),
            });
            1
        }
    }
}

/// The flash operations that a command would perform, without changing any file. Empty if the device cannot be
/// loaded.
pub fn dry_run(args: &[&[u8]], env: Env<'_>) -> Vec<Op> {
    let machine = Settings::read(env).and_then(|settings| load(&settings));
    let Ok(mut machine) = machine else { return Vec::new() };
    machine.run(args);
    machine.take_ops()
}

/// Ignores write errors, such as a closed pipe.
fn print(output: &CommandOutput) {
    write_all(rustix::stdio::stdout(), &output.stdout);
    write_all(rustix::stdio::stderr(), &output.stderr);
}

/// Writes without a buffer: setting up the buffered streams of the standard library takes a short process longer
/// than the write itself.
fn write_all(stream: BorrowedFd<'_>, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match rustix::io::write(stream, bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

fn run(settings: &Settings, args: &[&[u8]]) -> Result<CommandOutput, EmuError> {
    if let Some(tool) =
        settings.config.dialect.openwrt().filter(|_| settings.lock == LockMode::None)
    {
        return race::run(settings, tool, args);
    }
    if let Some(output) = fast_get::get(settings, args) {
        return Ok(output);
    }
    let _lock = lock(&settings.flash)?;
    let mut machine = load(settings)?;
    machine.board_mut().files = Arc::new(HostFiles);
    let before = machine.board().ram.clone();
    let output = machine.run(args);
    store(settings, &mut machine, &before)?;
    Ok(output)
}

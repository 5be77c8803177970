//! Runs programs of the host.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::QemuError;

/// Number of the last lines of a failed program's standard error in an error message.
const STDERR_LINES: usize = 12;

/// Finds a program in `PATH`, `/usr/sbin` and `/sbin`.
///
/// # Errors
/// When it is not installed, with the Debian package to install.
pub(super) fn find(name: &str, package: &str) -> Result<PathBuf, QemuError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| {
            QemuError::Environment(format!(
                "{name} not found: install Debian's package {package} (apt-get install {package})"
            ))
        })
}

/// Runs a program, and returns its standard output.
///
/// # Errors
/// When it cannot be started or fails: with the last lines of its standard error.
pub(super) fn run(command: &mut Command) -> Result<Vec<u8>, QemuError> {
    let text = format!("{command:?}");
    let text = text.replace('"', "");
    // A signal ends the program, too.
    scratch::interrupt::handle_signals().map_err(|error| cannot_start(&text, &error))?;
    let output =
        command.stdin(Stdio::null()).output().map_err(|error| cannot_start(&text, &error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let stderr = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = stderr.lines().collect();
    let tail = lines[lines.len().saturating_sub(STDERR_LINES)..].join("\n");
    Err(QemuError::Environment(format!("{text}: {}\n{tail}", output.status)))
}

fn cannot_start(text: &str, error: &io::Error) -> QemuError {
    let name = text.split(' ').next().unwrap_or_default();
    let what = Path::new(name).file_name().unwrap_or(OsStr::new(name)).to_string_lossy();
    QemuError::Environment(format!("{what}: {error}"))
}

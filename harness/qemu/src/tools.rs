//! Programs of the machine that the lab runs.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::QemuError;

/// Where a program lies.
///
/// # Errors
/// It is not on the path: names Debian's package.
pub(super) fn find(name: &str, package: &str) -> Result<PathBuf, QemuError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
        .ok_or_else(|| {
            QemuError::Environment(format!(
                "{name} is not here: install Debian's package {package} (apt-get install {package})"
            ))
        })
}

/// Runs a program to its end and gives its output.
///
/// # Errors
/// It cannot be started, or it fails: with the end of what it said.
pub(super) fn run(command: &mut Command) -> Result<Vec<u8>, QemuError> {
    let text = format!("{command:?}");
    let text = text.replace('"', "");
    let output = command.stdin(Stdio::null()).output().map_err(|error| started(&text, &error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<&str> = said.lines().collect();
    let tail = lines[lines.len().saturating_sub(12)..].join("\n");
    Err(QemuError::Environment(format!("{text}: {}\n{tail}", output.status)))
}

fn started(text: &str, error: &io::Error) -> QemuError {
    let name = text.split(' ').next().unwrap_or_default();
    let what = Path::new(name).file_name().unwrap_or(OsStr::new(name)).to_string_lossy();
    QemuError::Environment(format!("{what}: {error}"))
}

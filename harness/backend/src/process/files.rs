//! Changes of single files of a router, and the start of processes beside them.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::{PoisonError, RwLock};

/// How much of a file that a script can change is read, in bytes.
pub(super) const MAX_FILE: usize = 64 << 20;

/// Shared by those who write a program, exclusive while a process is started. Until it executes its program, the new process
/// has the descriptors of all threads, and a file that is open for writing cannot be executed (ETXTBSY of execve(2)).
static PROGRAMS: RwLock<()> = RwLock::new(());

/// Removes a file; one that does not exist is no error.
pub(super) fn remove_if_exists(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Writes a program.
pub(super) fn write_executable(path: &Path, text: &[u8]) -> io::Result<()> {
    let _no_process_starts = PROGRAMS.read().unwrap_or_else(PoisonError::into_inner);
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// Starts a process while no program is written.
pub(super) fn spawn(command: &mut Command) -> io::Result<Child> {
    let _no_program_is_written = PROGRAMS.write().unwrap_or_else(PoisonError::into_inner);
    command.spawn()
}

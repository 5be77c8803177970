//! Checks that a script can be run, with messages that say what to do if it cannot.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Number of bytes in which the end of the first line is searched.
const FIRST_LINE_BYTES: u64 = 4096;

/// How an executable file (ELF) begins.
const EXECUTABLE: &[u8] = b"\x7fELF";

/// Why a script cannot be run. The messages do not name the file.
#[derive(Debug, thiserror::Error)]
pub enum ScriptFileError {
    /// The file cannot be read.
    #[error(transparent)]
    Unreadable(#[from] std::io::Error),
    /// A folder or a device.
    #[error("not a file")]
    NotAFile,
    /// A file without contents.
    #[error("the file is empty")]
    Empty,
    /// An executable, which no shell can read.
    #[error("a program, not a script: leave out --shell")]
    ProgramWithShell,
    /// No run bit, and no shell that would run the script without it. dnsmasq exits at its start then.
    #[error(
        "not executable: make it executable with chmod +x, or name what runs it with --shell, for example --shell 'busybox ash'"
    )]
    NotExecutable,
    /// Line ends of Windows: the kernel searches for an interpreter whose name ends in a carriage return, and shells
    /// reject the commands.
    #[error(
        "its lines end with CR LF, as on Windows, and no router can run it: convert it with sed -i 's/\\r$//'"
    )]
    WindowsLineEnds,
    /// The program of the first line.
    #[error(
        "its first line names {0}, which this machine does not have: name what runs it with --shell, for example --shell 'busybox ash'"
    )]
    NoInterpreter(String),
}

/// Checks that a script can be read and run, by its own `#!` line or by a shell.
///
/// # Errors
/// The reason why not.
pub fn check_script_file(path: &Path, has_shell: bool) -> Result<(), ScriptFileError> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(ScriptFileError::NotAFile);
    }
    if metadata.len() == 0 {
        return Err(ScriptFileError::Empty);
    }
    let mut start = Vec::new();
    fs::File::open(path)?.take(FIRST_LINE_BYTES).read_to_end(&mut start)?;
    let first_line = start.split_inclusive(|byte| *byte == b'\n').next().unwrap_or_default();
    if has_shell && start.starts_with(EXECUTABLE) {
        return Err(ScriptFileError::ProgramWithShell);
    }
    if first_line.ends_with(b"\r\n") {
        return Err(ScriptFileError::WindowsLineEnds);
    }
    if !has_shell && metadata.permissions().mode() & 0o111 == 0 {
        return Err(ScriptFileError::NotExecutable);
    }
    if !has_shell
        && let Some(words) = first_line.strip_prefix(b"#!")
        && let Some(word) = words.split(u8::is_ascii_whitespace).find(|word| !word.is_empty())
    {
        let interpreter = String::from_utf8_lossy(word).into_owned();
        if !Path::new(&interpreter).exists() {
            return Err(ScriptFileError::NoInterpreter(interpreter));
        }
    }
    Ok(())
}

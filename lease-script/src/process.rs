//! The `nvram` tool as an external program.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Stdio};

use lease_journal::OperationError;

use crate::nvram::{Nvram, NvramOutput};

/// An `nvram` tool that is started for each command, with an empty standard input.
#[derive(Clone, Debug)]
pub struct SpawnedNvram {
    program: OsString,
}

impl SpawnedNvram {
    /// The tool with this name or path; `None` for `nvram` from PATH, or /usr/sbin/nvram.
    pub fn new(program: Option<OsString>) -> Self {
        let default = || if on_path("nvram") { "nvram" } else { "/usr/sbin/nvram" }.into();
        Self { program: program.unwrap_or_else(default) }
    }
}

impl Nvram for SpawnedNvram {
    fn run(&mut self, args: &[&[u8]]) -> Result<NvramOutput, OperationError> {
        let output = Command::new(&self.program)
            .args(args.iter().map(|arg| OsStr::from_bytes(arg)))
            .stdin(Stdio::null())
            .output()?;
        let code = output.status.code().or(output.status.signal().map(|signal| 128 + signal));
        Ok(NvramOutput { stdout: output.stdout, stderr: output.stderr, code: code.unwrap_or(127) })
    }
}

fn on_path(name: &str) -> bool {
    env::var_os("PATH").is_some_and(|path| {
        env::split_paths(&path).any(|directory| {
            let program = directory.join(name);
            program
                .metadata()
                .is_ok_and(|data| data.is_file() && data.permissions().mode() & 0o111 != 0)
        })
    })
}

//! The `nvram` tool as an external program.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::{ChildStderr, ChildStdout, Command, Stdio};

use lease_journal::OperationError;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;

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
        let mut child = Command::new(&self.program)
            .args(args.iter().map(|arg| OsStr::from_bytes(arg)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let read = stdout.zip(stderr).map(|(stdout, stderr)| read_both(stdout, stderr));
        // Even if reading has failed: no other command may run beside this one.
        let status = child.wait()?;
        let [stdout, stderr] = read.transpose()?.unwrap_or_default();
        let code = status.code().or(status.signal().map(|signal| 128 + signal));
        Ok(NvramOutput { stdout, stderr, code: code.unwrap_or(127) })
    }
}

/// Reads two pipes to their ends, at the same time, because a full pipe stops the program that writes to it.
/// (`Command::output` panics if a system call fails.)
fn read_both(stdout: ChildStdout, stderr: ChildStderr) -> io::Result<[Vec<u8>; 2]> {
    let mut pipes = vec![(0, OwnedFd::from(stdout)), (1, OwnedFd::from(stderr))];
    let mut texts = [Vec::new(), Vec::new()];
    let mut buffer = [0; 4096];
    while !pipes.is_empty() {
        let mut polled: Vec<PollFd<'_>> =
            pipes.iter().map(|(_, pipe)| PollFd::new(pipe, PollFlags::IN)).collect();
        retry_on_intr(|| poll(&mut polled, None))?;
        let ready = polled.iter().position(|pipe| !pipe.revents().is_empty());
        let Some(ready) = ready else { continue };
        let (text, pipe) = &pipes[ready];
        let length = retry_on_intr(|| rustix::io::read(pipe, &mut buffer))?;
        texts[*text].extend_from_slice(&buffer[..length]);
        if length == 0 {
            pipes.remove(ready);
        }
    }
    Ok(texts)
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

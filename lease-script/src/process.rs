//! The `nvram` tool as an external program.

use std::env;
use std::ffi::{CString, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;

use lease_journal::OperationError;
use nix::spawn::{PosixSpawnAttr, PosixSpawnFileActions, PosixSpawnFlags, posix_spawnp};
use nix::sys::signal::{SigSet, Signal};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::retry_on_intr;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::process::{Pid, WaitOptions, waitpid};

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
        let (child, pipes) = self.start(args)?;
        let read = read_both(pipes);
        // Even if reading has failed: no other command may run at the same time.
        let status = retry_on_intr(|| waitpid(Some(child), WaitOptions::empty()));
        let code = status.map_err(io::Error::from)?.and_then(|(_, status)| {
            status.exit_status().or(status.terminating_signal().map(|signal| 128 + signal))
        });
        let [stdout, stderr] = read?;
        Ok(NvramOutput { stdout, stderr, code: code.unwrap_or(127) })
    }
}

impl SpawnedNvram {
    /// Starts the tool; returns the process, and the ends of its output and of its error messages.
    /// (`std::process::Command` would make up a twelfth of the executable.)
    fn start(&self, args: &[&[u8]]) -> io::Result<(Pid, [OwnedFd; 2])> {
        let mut words = vec![CString::new(self.program.as_bytes())?];
        for arg in args {
            words.push(CString::new(*arg)?);
        }
        let variable = |(name, value): (OsString, OsString)| {
            CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).ok()
        };
        let variables: Vec<CString> = env::vars_os().filter_map(variable).collect();
        let input = File::open("/dev/null")?;
        let (output, output_end) = pipe_with(PipeFlags::CLOEXEC)?;
        let (errors, errors_end) = pipe_with(PipeFlags::CLOEXEC)?;
        let mut actions = PosixSpawnFileActions::init()?;
        actions.add_dup2(input.as_raw_fd(), 0)?;
        actions.add_dup2(output_end.as_raw_fd(), 1)?;
        actions.add_dup2(errors_end.as_raw_fd(), 2)?;
        // Rust ignores this signal, which tools may need.
        let mut attributes = PosixSpawnAttr::init()?;
        attributes.set_flags(PosixSpawnFlags::POSIX_SPAWN_SETSIGDEF)?;
        attributes.set_sigdefault(&SigSet::from(Signal::SIGPIPE))?;
        let child = posix_spawnp(&words[0], &actions, &attributes, &words, &variables)?;
        let child = Pid::from_raw(child.as_raw()).ok_or(io::ErrorKind::Other)?;
        Ok((child, [output, errors]))
    }
}

/// Reads two pipes to their ends, at the same time, because a full pipe stops the program that writes to it.
fn read_both(pipes: [OwnedFd; 2]) -> io::Result<[Vec<u8>; 2]> {
    let mut pipes: Vec<(usize, OwnedFd)> = pipes.into_iter().enumerate().collect();
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

//! The agent: a small process of one thread that starts the scripts of one run.
//!
//! It exists because a process with threads cannot enter a user namespace, because starting a
//! child of a small process is cheap, and because it reaps whatever a script leaves behind.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{self, BufRead, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, kill_process_group, pidfd_open,
    set_child_subreaper, wait,
};

use super::private_root;
use super::protocol::{Done, End, Hello, Octets, Program, Ready, Request};

/// A script may not print more than this on each stream.
const MAX_OUTPUT: usize = 4 << 20;

/// Serves requests on stdin until it ends, then kills what is left.
pub fn main() -> ExitCode {
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("leaselab agent: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve() -> io::Result<()> {
    let mut lines = io::stdin().lock().lines();
    let Some(first) = lines.next() else { return Ok(()) };
    let hello: Hello = serde_json::from_str(&first?)?;
    set_child_subreaper(Some(getpid()))?;
    let refused = private_root::enter(&hello.scratch, &hello.leaselab, hello.root)
        .err()
        .map(|error| error.to_string());
    let mut stdout = io::stdout().lock();
    answer(&mut stdout, &Ready { refused })?;
    let mut started: Option<Child> = None;
    for line in lines {
        match serde_json::from_str(&line?)? {
            Request::Run(programs) => {
                let done = run(&programs, &hello.scratch);
                answer(&mut stdout, &done)?;
            }
            Request::KillStragglers => {
                kill_stragglers();
                started = None;
                answer(&mut stdout, &())?;
            }
            Request::Start(program, log) => {
                let child = start(&program, &hello.scratch, &log);
                let answered = child.as_ref().map(|child| child.id() as i32);
                answer(&mut stdout, &answered.map_err(ToString::to_string))?;
                started = child.ok();
            }
            Request::Signal(signal) => {
                if let (Some(child), Some(signal)) = (&started, Signal::from_named_raw(signal)) {
                    _ = kill_process(Pid::from_child(child), signal);
                }
                answer(&mut stdout, &())?;
            }
            Request::Reap => {
                let status = started.take().and_then(|mut child| child.wait().ok());
                answer(&mut stdout, &status.map(end_of))?;
            }
        }
    }
    kill_stragglers();
    Ok(())
}

fn answer(stdout: &mut impl Write, message: &impl serde::Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stdout.write_all(&line)?;
    stdout.flush()
}

/// Starts a program that runs on.
fn start(program: &Program, directory: &Path, log: &Path) -> io::Result<Child> {
    let log = fs::File::options().create(true).append(true).open(log)?;
    let errors = log.try_clone()?;
    let mut command = command(program, directory)?;
    let child = command.stdout(log).stderr(errors).spawn();
    child.map_err(|error| {
        io::Error::new(error.kind(), format!("{}: {error}", command.get_program().display()))
    })
}

/// A program in a process group of its own.
fn command(program: &Program, directory: &Path) -> io::Result<Command> {
    let word = |octets: &Octets| OsString::from_vec(octets.0.clone());
    let (name, arguments) = program
        .argv
        .split_first()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "an empty command"))?;
    let mut command = Command::new(word(name));
    command
        .args(arguments.iter().map(word))
        .env_clear()
        .envs(program.environment.iter().map(|(k, v)| (OsStr::from_bytes(&k.0), word(v))))
        .current_dir(directory)
        .process_group(0)
        .stdin(Stdio::null());
    Ok(command)
}

fn end_of(status: ExitStatus) -> End {
    match status.code() {
        Some(code) => End::Exited(code),
        None => End::Signalled(status.signal().unwrap_or(0)),
    }
}

/// A stream of a running program.
struct Stream {
    pipe: Option<OwnedFd>,
    text: Vec<u8>,
}

impl Stream {
    fn new(pipe: Option<OwnedFd>) -> Self {
        Self { pipe, text: Vec::new() }
    }

    /// Takes what the pipe holds; closes it at its end or when there is too much.
    fn take(&mut self) {
        let Some(pipe) = &self.pipe else { return };
        let mut buffer = [0; 16 * 1024];
        match rustix::io::read(pipe, &mut buffer) {
            Ok(0) | Err(_) => self.pipe = None,
            Ok(count) => {
                self.text.extend_from_slice(&buffer[..count]);
                if self.text.len() > MAX_OUTPUT {
                    self.pipe = None;
                }
            }
        }
    }
}

/// A program that was started.
struct Running {
    child: Child,
    group: Pid,
    ended: Option<OwnedFd>,
    stdout: Stream,
    stderr: Stream,
    deadline: Instant,
    hung: bool,
}

impl Running {
    fn start(program: &Program, directory: &Path) -> io::Result<Self> {
        let mut child =
            command(program, directory)?.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let group = Pid::from_child(&child);
        Ok(Self {
            group,
            ended: Some(pidfd_open(group, PidfdFlags::empty())?),
            stdout: Stream::new(child.stdout.take().map(Into::into)),
            stderr: Stream::new(child.stderr.take().map(Into::into)),
            deadline: Instant::now() + Duration::from_millis(program.limit_ms),
            hung: false,
            child,
        })
    }

    /// Over when the program has ended and nobody holds its output open any more, as dnsmasq's
    /// `popen` and `pclose` see it.
    fn is_over(&self) -> bool {
        self.ended.is_none() && self.stdout.pipe.is_none() && self.stderr.pipe.is_none()
    }

    fn kill(&mut self) {
        self.hung = true;
        _ = kill_process_group(self.group, Signal::KILL);
        kill_children();
        self.ended = None;
        self.stdout.pipe = None;
        self.stderr.pipe = None;
    }

    fn finish(mut self) -> Done {
        let end = self.child.wait().map_err(|error| error.to_string());
        let end = end.map(|status| if self.hung { End::Hung } else { end_of(status) });
        Done { end, stdout: Octets(self.stdout.text), stderr: Octets(self.stderr.text) }
    }
}

/// Runs programs side by side, and waits for all of them.
pub fn run(programs: &[Program], directory: &Path) -> Vec<Done> {
    let mut running: Vec<Result<Running, String>> = programs
        .iter()
        .map(|program| {
            Running::start(program, directory).map_err(|error| {
                let name = String::from_utf8_lossy(program.argv.first().map_or(b"", |n| &n.0));
                format!("{name}: {error}")
            })
        })
        .collect();
    while running.iter().flatten().any(|program| !program.is_over()) {
        watch(&mut running);
    }
    running
        .into_iter()
        .map(|program| match program {
            Ok(program) => program.finish(),
            Err(why) => {
                Done { end: Err(why), stdout: Octets::default(), stderr: Octets::default() }
            }
        })
        .collect()
}

/// Waits for something to happen to any of the programs, and takes notice of it.
fn watch(running: &mut [Result<Running, String>]) {
    let now = Instant::now();
    let mut nearest = Duration::from_secs(60);
    for program in running.iter_mut().flatten().filter(|program| !program.is_over()) {
        if program.deadline <= now {
            program.kill();
        } else {
            nearest = nearest.min(program.deadline - now);
        }
    }
    let mut descriptors = Vec::new();
    let mut owners = Vec::new();
    for (index, program) in running.iter().enumerate() {
        let Ok(program) = program else { continue };
        let streams = [&program.ended, &program.stdout.pipe, &program.stderr.pipe];
        for (which, descriptor) in streams.into_iter().enumerate() {
            if let Some(descriptor) = descriptor {
                descriptors.push(PollFd::from_borrowed_fd(descriptor.as_fd(), PollFlags::IN));
                owners.push((index, which));
            }
        }
    }
    let timeout = Timespec::try_from(nearest).ok();
    if descriptors.is_empty() || poll(&mut descriptors, timeout.as_ref()).is_err() {
        return;
    }
    let ready: Vec<(usize, usize)> = descriptors
        .iter()
        .zip(&owners)
        .filter(|(descriptor, _)| !descriptor.revents().is_empty())
        .map(|(_, owner)| *owner)
        .collect();
    drop(descriptors);
    for (index, which) in ready {
        let Ok(program) = &mut running[index] else { continue };
        match which {
            0 => program.ended = None,
            1 => program.stdout.take(),
            _ => program.stderr.take(),
        }
    }
}

/// Kills and reaps every descendant, also those that left their process group.
fn kill_stragglers() {
    loop {
        kill_children();
        match wait(WaitOptions::empty()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

/// Kills every child of this process: as a subreaper it inherits those that scripts leave behind.
fn kill_children() {
    let own = getpid().as_raw_nonzero();
    let children = fs::read_to_string(format!("/proc/{own}/task/{own}/children"));
    for child in children.unwrap_or_default().split_ascii_whitespace() {
        if let Some(pid) = child.parse().ok().and_then(Pid::from_raw) {
            _ = kill_process_group(pid, Signal::KILL);
            _ = kill_process(pid, Signal::KILL);
        }
    }
}

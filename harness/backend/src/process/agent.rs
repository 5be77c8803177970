//! The agent: a small single-threaded process that starts the scripts of one router.
//!
//! It exists for three reasons: a process with several threads cannot enter a user namespace; starting a child is cheaper
//! from a small process; and as the first process of its namespace, or as a subreaper, it finds and kills the processes
//! that a script leaves behind.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitOptions, getpid, kill_process, kill_process_group, pidfd_open,
    set_child_subreaper, wait,
};

use sandbox::clock::{Supervision, Supervisor, Time};
use sandbox::{FileTree, Isolation, append_plain, read_plain};

use super::dnsmasq_stand_in::DnsmasqStandIn;
use super::files::MAX_FILE;
use super::protocol::{
    FilesError, Handshake, HandshakeReply, Octets, Program, ProgramEnd, ProgramResult, Ran,
    Refusal, Request, Run, StartError,
};
use super::stragglers::{Daemons, children};

/// Maximum output of a program on each stream, in bytes. The pipe is closed when it is exceeded.
const MAX_OUTPUT: usize = 4 << 20;

/// How often processes wake between two calls. One that wakes every second for days would take minutes.
const MAX_WAKES: u32 = 100;

/// The name of the log of `nvram` commands in the scratch folder.
pub(super) const COMMAND_LOG: &str = "commands";

/// The name of the file that programs see as `/proc/uptime`.
const UPTIME: &str = "uptime";

/// Serves requests until the end of standard input, then kills the remaining processes.
///
/// # Errors
/// If a request is invalid or a system call fails.
pub fn main() -> io::Result<()> {
    sandbox::close_inherited_descriptors();
    let mut lines = io::stdin().lock().lines();
    let Some(first) = lines.next() else { return Ok(()) };
    let handshake: Handshake = serde_json::from_str(&first?)?;
    let mut stdout = io::stdout().lock();
    let mut agent = match Agent::new(&handshake) {
        Ok(agent) => agent,
        Err(error) => {
            let refused = Some(error);
            return answer(&mut stdout, &HandshakeReply { refused, clock_refused: None });
        }
    };
    let clock_refused = agent.clock_refused.take();
    answer(&mut stdout, &HandshakeReply { refused: None, clock_refused })?;
    for line in lines {
        match serde_json::from_str(&line?)? {
            Request::Run(request) => answer(&mut stdout, &agent.run(&request))?,
            Request::SetClock(time) => {
                agent.set_clock(Some(time));
                answer(&mut stdout, &())?;
            }
            Request::ReadFiles => {
                let files = FileTree::read(&sandbox::Root::persistent_folder());
                answer(&mut stdout, &files.map_err(|error| error.to_string()))?;
            }
            Request::WriteFiles(files) => {
                let written = files.write(&sandbox::Root::persistent_folder());
                answer(&mut stdout, &written.map_err(FilesError::from))?;
            }
            Request::KillStragglers(time) => {
                agent.wake_sleepers(time);
                agent.kill_stragglers();
                answer(&mut stdout, &())?;
            }
            Request::Start(program, log) => {
                let child = start(&program, &agent.directory, &log);
                let answered = child.as_ref().map(|child| child.id() as i32);
                answer(&mut stdout, &answered.map_err(ToString::to_string))?;
                agent.started = child.ok();
            }
            Request::Signal(signal) => {
                if let (Some(child), Some(signal)) =
                    (&agent.started, Signal::from_named_raw(signal))
                {
                    _ = kill_process(Pid::from_child(child), signal);
                }
                answer(&mut stdout, &())?;
            }
            Request::Reap => {
                let status = agent.started.take().and_then(|mut child| child.wait().ok());
                answer(&mut stdout, &status.map(end_of))?;
            }
        }
    }
    agent.kill_stragglers();
    Ok(())
}

/// The state of the agent.
struct Agent {
    /// The scratch folder, as this process sees it.
    scratch: PathBuf,
    /// The working directory of scripts.
    directory: PathBuf,
    supervisor: Option<Supervisor>,
    clock_refused: Option<String>,
    /// What scripts take for dnsmasq, unless a real one runs.
    dnsmasq: Option<DnsmasqStandIn>,
    /// The program of [`Request::Start`].
    started: Option<Child>,
    daemons: Daemons,
}

impl Agent {
    /// Moves this process into the sandbox.
    fn new(handshake: &Handshake) -> Result<Self, Refusal> {
        let Handshake { isolation, root, watches_files, files } = handshake;
        let namespaces = |error: io::Error| Refusal::Namespaces(error.to_string());
        sandbox::enter(*isolation).map_err(namespaces)?;
        let mut agent = Self {
            scratch: root.scratch.clone(),
            directory: root.scratch.join(sandbox::RAM_FOLDER).join("tmp"),
            supervisor: None,
            clock_refused: None,
            dnsmasq: None,
            started: None,
            daemons: Daemons::default(),
        };
        if *isolation == Isolation::None {
            set_child_subreaper(Some(getpid())).map_err(|error| namespaces(error.into()))?;
            return Ok(agent);
        }
        root.mount().map_err(|error| Refusal::FileSystems(error.to_string()))?;
        // As dnsmasq does (main in dnsmasq.c).
        agent.directory = PathBuf::from("/");
        agent.scratch = PathBuf::from(sandbox::HARNESS);
        let written = files.write(&sandbox::Root::persistent_folder());
        written.map_err(|error| Refusal::Files(error.into()))?;
        let supervision =
            if *watches_files { Supervision::ClockAndFiles } else { Supervision::Clock };
        match sandbox::clock::start(supervision, *isolation) {
            Ok(supervisor) => agent.supervisor = Some(supervisor),
            Err(error) => agent.clock_refused = Some(error.to_string()),
        }
        if *isolation == Isolation::Full {
            agent.dnsmasq = Some(DnsmasqStandIn::new().map_err(namespaces)?);
        }
        sandbox::confine_programs().map_err(namespaces)?;
        Ok(agent)
    }

    fn set_clock(&mut self, time: Option<Time>) {
        self.wake_sleepers(time);
        if let Some(supervisor) = &self.supervisor {
            supervisor.clock.set(time);
            supervisor.clock.write_uptime(&self.scratch.join(UPTIME));
        }
    }

    fn run(&mut self, request: &Run) -> Ran {
        self.set_clock(request.time);
        let began = sandbox::clock::earliest_file_time();
        let folder = sandbox::Root::persistent_folder();
        let is_watched = self.supervisor.as_ref().is_some_and(|supervisor| {
            request.watch
                && supervisor
                    .watch(folder.clone(), self.scratch.join(COMMAND_LOG), request.stop)
                    .is_ok()
        });
        let requests = io::stdin();
        let results = run_until(&request.programs, &self.directory, Some(requests.as_fd()));
        let exited = |result: &ProgramResult| matches!(result.end, Ok(ProgramEnd::Exited(_)));
        let stored_late = self.started.is_none() && results.iter().all(exited) && self.store_late();
        let watcher = self.supervisor.as_ref().filter(|_| is_watched);
        let changes = watcher.map_or_else(Vec::new, Supervisor::take_changes);
        if let (Some(time), Some(_)) = (request.time, &self.supervisor) {
            // A file whose time cannot be changed keeps that of the machine.
            _ = sandbox::clock::date_files(&sandbox::Root::ram_folder(), began, time.wall);
            _ = sandbox::clock::date_files(&folder, began, time.wall);
        }
        let supervisor = self.supervisor.as_ref();
        let sleeping = supervisor.is_some_and(|supervisor| !supervisor.sleeping().is_empty());
        let left_running = self.daemons.running();
        let signals = self.dnsmasq.as_mut().map_or_else(Vec::new, DnsmasqStandIn::take_signals);
        Ran { results, changes, stored_late, sleeping, left_running, signals }
    }

    /// Wakes the programs that earlier calls have left sleeping and that wake until `time`, one after the other.
    fn wake_sleepers(&mut self, time: Option<Time>) {
        let (Some(supervisor), Some(time)) = (&self.supervisor, time) else { return };
        for _ in 0..MAX_WAKES {
            if !supervisor.wake_next(time) {
                break;
            }
            self.daemons.wait_for_stragglers(Some(supervisor));
        }
    }

    /// Waits for the processes that the programs have left running. Returns whether they have stored something.
    fn store_late(&mut self) -> bool {
        let supervisor = self.supervisor.as_ref();
        if let Some(supervisor) = supervisor {
            supervisor.clock.stop();
        }
        if self.daemons.stragglers(supervisor).is_empty() {
            return false;
        }
        let stored = || {
            let read =
                |name: &str| read_plain(&self.scratch.join(name), MAX_FILE).unwrap_or_default();
            let files = FileTree::read(&sandbox::Root::persistent_folder()).unwrap_or_default();
            (read("flash"), read("staging"), files)
        };
        let before = stored();
        self.daemons.wait_for_stragglers(supervisor);
        before != stored()
    }

    /// Kills and reaps every process that scripts have left behind, including those that left their process group.
    fn kill_stragglers(&mut self) {
        kill_stragglers();
        self.started = None;
    }
}

fn answer(stdout: &mut impl Write, message: &impl serde::Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stdout.write_all(&line)?;
    stdout.flush()
}

/// Starts a program without waiting for it.
fn start(program: &Program, directory: &Path, log: &Path) -> io::Result<Child> {
    let log = append_plain(log)?;
    let errors = log.try_clone()?;
    let mut command = command(program, directory)?;
    let child = command.stdout(log).stderr(errors).spawn();
    child.map_err(|error| {
        io::Error::new(error.kind(), format!("{}: {error}", command.get_program().display()))
    })
}

/// A command that will run in its own process group.
fn command(program: &Program, directory: &Path) -> io::Result<Command> {
    let word = |octets: &Octets| OsString::from_vec(octets.0.clone());
    let (name, arguments) = program
        .argv
        .split_first()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the command is empty"))?;
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

fn end_of(status: ExitStatus) -> ProgramEnd {
    match status.code() {
        Some(code) => ProgramEnd::Exited(code),
        None => ProgramEnd::Signalled(status.signal().unwrap_or(0)),
    }
}

/// An output stream of a running program.
struct Stream {
    pipe: Option<OwnedFd>,
    text: Vec<u8>,
}

impl Stream {
    fn new(pipe: Option<OwnedFd>) -> Self {
        Self { pipe, text: Vec::new() }
    }

    /// Reads the available output. Closes the pipe at its end or after [`MAX_OUTPUT`] bytes.
    fn read_available(&mut self) {
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

/// A running program.
struct Running {
    child: Child,
    group: Pid,
    /// The process as a file descriptor, until it has ended.
    pidfd: Option<OwnedFd>,
    stdout: Stream,
    stderr: Stream,
    deadline: Instant,
    timed_out: bool,
}

impl Running {
    fn start(program: &Program, directory: &Path) -> io::Result<Self> {
        let mut child =
            command(program, directory)?.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let group = Pid::from_child(&child);
        Ok(Self {
            group,
            pidfd: Some(pidfd_open(group, PidfdFlags::empty())?),
            stdout: Stream::new(child.stdout.take().map(Into::into)),
            stderr: Stream::new(child.stderr.take().map(Into::into)),
            deadline: Instant::now() + Duration::from_millis(program.limit_ms),
            timed_out: false,
            child,
        })
    }

    /// Whether the program has ended and no process holds its output open any more. dnsmasq's `popen` and `pclose` wait
    /// for both.
    fn is_finished(&self) -> bool {
        self.pidfd.is_none() && self.stdout.pipe.is_none() && self.stderr.pipe.is_none()
    }

    fn kill(&mut self) {
        self.timed_out = true;
        _ = kill_process_group(self.group, Signal::KILL);
        kill_children();
        self.pidfd = None;
        self.stdout.pipe = None;
        self.stderr.pipe = None;
    }

    fn finish(mut self) -> ProgramResult {
        let end = self.child.wait().map_err(|error| StartError::new("wait", &error));
        let end =
            end.map(|status| if self.timed_out { ProgramEnd::TimedOut } else { end_of(status) });
        ProgramResult { end, stdout: Octets(self.stdout.text), stderr: Octets(self.stderr.text) }
    }
}

/// Runs programs in parallel, and waits for all of them.
pub fn run(programs: &[Program], directory: &Path) -> Vec<ProgramResult> {
    run_until(programs, directory, None)
}

/// Like [`run`], but kills the programs and ends this process when the other end of the pipe `client` is closed, because
/// the process that wants the results was killed.
fn run_until(
    programs: &[Program],
    directory: &Path,
    client: Option<BorrowedFd<'_>>,
) -> Vec<ProgramResult> {
    let mut running: Vec<Result<Running, StartError>> = programs
        .iter()
        .map(|program| {
            Running::start(program, directory).map_err(|error| {
                let name = String::from_utf8_lossy(program.argv.first().map_or(b"", |n| &n.0));
                StartError::new(&name, &error)
            })
        })
        .collect();
    while running.iter().flatten().any(|program| !program.is_finished()) {
        if poll_once(&mut running, client) == Client::Gone {
            kill_stragglers();
            std::process::exit(1);
        }
    }
    running
        .into_iter()
        .map(|program| match program {
            Ok(program) => program.finish(),
            Err(why) => ProgramResult {
                end: Err(why),
                stdout: Octets::default(),
                stderr: Octets::default(),
            },
        })
        .collect()
}

/// Whether anybody wants the results.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Client {
    Waits,
    Gone,
}

/// Waits for output, an exit or a deadline of any of the programs, and handles it.
fn poll_once(
    running: &mut [Result<Running, StartError>],
    client: Option<BorrowedFd<'_>>,
) -> Client {
    let now = Instant::now();
    let mut nearest = Duration::from_secs(60);
    for program in running.iter_mut().flatten().filter(|program| !program.is_finished()) {
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
        let streams = [&program.pidfd, &program.stdout.pipe, &program.stderr.pipe];
        for (which, descriptor) in streams.into_iter().enumerate() {
            if let Some(descriptor) = descriptor {
                descriptors.push(PollFd::from_borrowed_fd(descriptor.as_fd(), PollFlags::IN));
                owners.push((index, which));
            }
        }
    }
    // Every program was killed: nothing is left to wait for.
    if owners.is_empty() {
        return Client::Waits;
    }
    // Without an event that is asked for, the kernel reports only that the other end was closed.
    descriptors.extend(client.map(|pipe| PollFd::from_borrowed_fd(pipe, PollFlags::empty())));
    let timeout = Timespec::try_from(nearest).ok();
    if poll(&mut descriptors, timeout.as_ref()).is_err() {
        return Client::Waits;
    }
    if descriptors[owners.len()..].iter().any(|pipe| pipe.revents().contains(PollFlags::HUP)) {
        return Client::Gone;
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
            0 => program.pidfd = None,
            1 => program.stdout.read_available(),
            _ => program.stderr.read_available(),
        }
    }
    Client::Waits
}

/// Kills and reaps every descendant, including those that left their process group.
fn kill_stragglers() {
    loop {
        kill_children();
        match wait(WaitOptions::empty()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return,
        }
    }
}

/// Kills every child of this process. As a subreaper it is the parent of the processes that scripts leave behind.
fn kill_children() {
    for pid in children() {
        _ = kill_process_group(pid, Signal::KILL);
        _ = kill_process(pid, Signal::KILL);
    }
}

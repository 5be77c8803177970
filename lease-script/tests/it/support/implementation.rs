//! The implementations of the script, and how they are called.

use std::env;
use std::fs;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixListener;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread;
use std::{ffi::OsStr, net::Shutdown};

use lease_script::{
    Call, MemoryIntentLog, Nvram, NvramOutput, OperationError, Outcome, run_in_process,
};
use rustix::process::{Pid, Signal, kill_process_group};

use super::router::Router;

/// An implementation of the script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Implementation {
    /// `lease_script::run`.
    Library,
    /// `lease-update`.
    Executable,
    /// `lease_update.sh` in busybox ash.
    Ash,
    /// `lease_update.sh` in dash.
    Dash,
    /// `lease_update.sh` in bash.
    Bash,
}

impl Implementation {
    /// The command line; `None` for the library.
    pub(crate) fn command(self) -> Option<Command> {
        let mut command = match self {
            Self::Library => return None,
            Self::Executable => return Some(Command::new(env!("CARGO_BIN_EXE_lease-update"))),
            Self::Ash => ash(),
            Self::Dash => Command::new(on_path("dash")),
            Self::Bash => Command::new(on_path("bash")),
        };
        command.arg(script());
        Some(command)
    }
}

/// busybox ash, or the command line in `LEASE_TEST_ASH`, such as `qemu-mipsel /path/busybox ash` or `mksh`: words
/// separated by blanks, the first one a program.
pub(crate) fn ash() -> Command {
    let words = env::var("LEASE_TEST_ASH").unwrap_or_else(|_| "busybox ash".to_owned());
    let mut words = words.split_whitespace();
    let mut command = Command::new(on_path(words.next().unwrap_or("busybox")));
    command.args(words);
    command
}

/// The shells in which a script must run.
pub(crate) fn shells() -> [Command; 3] {
    [ash(), Command::new(on_path("dash")), Command::new(on_path("bash"))]
}

pub(crate) fn script() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/lease_update.sh"))
}

/// A program that the tests need.
pub(crate) fn on_path(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .map(|directory| directory.join(name))
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("the tests need {name} on the PATH"))
}

/// The `fake-nvram` example, which cargo builds with the tests.
pub(crate) fn fake_nvram() -> PathBuf {
    let program = env::current_exe().expect("a path").with_file_name("../examples/fake-nvram");
    assert!(
        program.exists(),
        "{} is missing: cargo build --examples -p lease-script",
        program.display()
    );
    program
}

struct InProcess<'a>(&'a mut Router);

impl Nvram for InProcess<'_> {
    fn run(&mut self, args: &[&[u8]]) -> Result<NvramOutput, OperationError> {
        self.0.command(args).ok_or(OperationError::Killed)
    }
}

/// Calls the library.
pub(crate) fn in_process(
    router: &mut Router,
    marker: &mut MemoryIntentLog,
    call: &Call,
) -> Outcome {
    run_in_process(call, &mut InProcess(router), marker)
}

/// Starts a program; the socket for its `nvram` commands is in `directory`.
pub(crate) fn in_child_process(
    router: &mut Router,
    mut command: Command,
    call: &Call,
    directory: &Path,
) -> Outcome {
    let socket = directory.join("socket");
    let _ = fs::remove_file(&socket);
    let listener = UnixListener::bind(&socket).expect("a socket");
    command.env_clear().env("PATH", env::var_os("PATH").unwrap_or_default());
    // A kill ends the subshell, too.
    command.process_group(0);
    command.env("LEASE_NVRAM", fake_nvram()).env("FAKE_NVRAM", &socket);
    for (name, value) in call.env.iter() {
        command.env(OsStr::from_bytes(name), OsStr::from_bytes(value));
    }
    command.args(call.args.iter().map(|arg| OsStr::from_bytes(arg)));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());

    let shared = Mutex::new((router, None::<Pid>));
    thread::scope(|scope| {
        // Locked until the process id is known: a fault may kill the process at its first command.
        let mut guard = shared.lock().expect("a lock");
        let server = scope.spawn(|| serve(&listener, &shared));
        let child = command.spawn().expect("the program starts");
        guard.1 = Some(Pid::from_child(&child));
        drop(guard);
        let outcome = finish(child);
        // An empty connection ends the server.
        drop(std::os::unix::net::UnixStream::connect(&socket));
        server.join().expect("the server ends");
        outcome
    })
}

fn finish(child: Child) -> Outcome {
    let output = child.wait_with_output().expect("the program ends");
    Outcome {
        killed: output.status.signal() == Some(9),
        exit: output.status.code().unwrap_or(0) as u8,
        stdout: output.stdout,
        stderr: output.stderr,
    }
}

fn serve(listener: &UnixListener, shared: &Mutex<(&mut Router, Option<Pid>)>) {
    for stream in listener.incoming() {
        let mut stream = stream.expect("a connection");
        let mut text = Vec::new();
        stream.read_to_end(&mut text).expect("the arguments");
        if text.is_empty() {
            return;
        }
        let args: Vec<&[u8]> = text.split(|c| *c == 0).collect();
        let mut guard = shared.lock().expect("a lock");
        let (router, pid) = &mut *guard;
        match router.command(&args) {
            Some(output) => {
                let mut answer = vec![output.code as u8];
                answer.extend_from_slice(&(output.stdout.len() as u32).to_le_bytes());
                answer.extend_from_slice(&output.stdout);
                answer.extend_from_slice(&output.stderr);
                stream.write_all(&answer).expect("the answer");
            }
            None => {
                kill_process_group(pid.expect("a process"), Signal::KILL).expect("the script runs");
            }
        }
        let _ = stream.shutdown(Shutdown::Both);
    }
}

//! The script proxy: the program that a live dnsmasq calls as its `dhcp-script`. It sends its arguments and environment
//! to the harness, and runs the programs that the harness sends back. The first of these is the script under test. The
//! proxy prints the output of the script, and exits with its exit code or ends by the same signal.

use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::ExitCode;

use rustix::process::{Signal, getpid, kill_process};
use serde::{Deserialize, Serialize};

use backend::process::agent;
use backend::process::protocol::{Octets, Program, ProgramEnd, ProgramResult};
use dnsmasq_model::ScriptCall;

/// The name of the folder that contains a link to `leaselab`. When `leaselab` is executed through a link in such a folder,
/// it runs as the script proxy.
pub const FOLDER: &str = "script-proxy";

/// The environment variable that contains the path of the harness's socket.
pub const SOCKET_VARIABLE: &str = "LEASELAB_GATE";

/// Message from the proxy to the harness: the arguments and environment of a call.
#[derive(Debug, Serialize, Deserialize)]
struct CallRequest {
    argv: Vec<Octets>,
    environment: Vec<(Octets, Octets)>,
}

/// Message from the harness to the proxy: the programs to run in parallel, and their working directory.
#[derive(Debug, Serialize, Deserialize)]
struct RunRequest {
    programs: Vec<Program>,
    directory: PathBuf,
}

/// Runs the script proxy. `socket` is the value of [`SOCKET_VARIABLE`].
///
/// # Errors
/// Returns an error if the harness does not answer.
pub fn main(socket: OsString) -> io::Result<ExitCode> {
    Ok(match serve_call(&PathBuf::from(socket))? {
        ProgramEnd::Exited(code) => ExitCode::from(code as u8),
        ProgramEnd::Signalled(signal) => end_by_signal(signal),
        ProgramEnd::TimedOut => end_by_signal(9),
    })
}

fn end_by_signal(signal: i32) -> ExitCode {
    _ = kill_process(getpid(), Signal::from_named_raw(signal).unwrap_or(Signal::KILL));
    ExitCode::FAILURE
}

fn serve_call(socket: &PathBuf) -> io::Result<ProgramEnd> {
    let mut stream = UnixStream::connect(socket)?;
    let variables = std::env::vars_os()
        .filter(|(name, _)| name.as_bytes().starts_with(b"DNSMASQ_"))
        .map(|(name, value)| (Octets(name.into_vec()), Octets(value.into_vec())));
    let called = CallRequest {
        argv: std::env::args_os().map(|word| Octets(word.into_vec())).collect(),
        environment: variables.collect(),
    };
    send(&mut stream, &called)?;
    let request: RunRequest = receive(&mut BufReader::new(&stream))?;
    let done = agent::run(&request.programs, &request.directory);
    send(&mut stream, &done)?;
    let script = done.into_iter().next().ok_or(io::ErrorKind::InvalidData)?;
    io::stdout().write_all(&script.stdout.0)?;
    io::stdout().flush()?;
    script.end.map_err(io::Error::other)
}

fn send(stream: &mut UnixStream, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stream.write_all(&line)
}

fn receive<T: serde::de::DeserializeOwned>(stream: &mut impl BufRead) -> io::Result<T> {
    let mut line = Vec::new();
    if stream.read_until(b'\n', &mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&line)?)
}

/// A script proxy that has sent its call and waits for the programs that it is to run.
#[derive(Debug)]
pub(super) struct WaitingCall {
    stream: BufReader<UnixStream>,
    /// The call as dnsmasq made it.
    pub(super) call: ScriptCall,
}

impl WaitingCall {
    /// Receives the call from a script proxy that has connected. `limit` is the time limit for this and every later read.
    ///
    /// # Errors
    /// Returns an error if the proxy disconnects or sends an invalid message.
    pub(super) fn accept(stream: UnixStream, limit: std::time::Duration) -> io::Result<Self> {
        stream.set_read_timeout(Some(limit))?;
        let mut stream = BufReader::new(stream);
        let called: CallRequest = receive(&mut stream)?;
        let mut argv: Vec<Vec<u8>> = called.argv.into_iter().map(|word| word.0).collect();
        if let Some(name) = argv.first_mut()
            && let Some(slash) = name.iter().rposition(|byte| *byte == b'/')
        {
            // dnsmasq passes the base name of the script, which the interpreter of a `#!` line replaces with its path.
            name.drain(..=slash);
        }
        let env = called
            .environment
            .into_iter()
            .map(|(name, value)| (String::from_utf8_lossy(&name.0).into_owned(), value.0));
        let call = ScriptCall { argv, env: env.collect() };
        Ok(Self { stream, call })
    }

    /// Tells the proxy to run these programs, and waits for their results.
    ///
    /// # Errors
    /// Returns an error if the proxy disconnects.
    pub(super) fn run(
        mut self,
        programs: Vec<Program>,
        directory: PathBuf,
    ) -> io::Result<Vec<ProgramResult>> {
        send(self.stream.get_mut(), &RunRequest { programs, directory })?;
        receive(&mut self.stream)
    }
}

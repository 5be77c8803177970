//! The script that dnsmasq calls: it tells the laboratory its words and environment, runs what the laboratory then
//! says (the script under test), and ends as that ended.

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

/// The folder of the script proxy's link to `leaselab`: what is executed in a folder of this name is the script proxy.
pub const FOLDER: &str = "script_proxy";

/// The variable with the path of the harness's socket.
pub const GATE: &str = "LEASELAB_GATE";

/// What dnsmasq called the script with.
#[derive(Debug, Serialize, Deserialize)]
struct Called {
    argv: Vec<Octets>,
    environment: Vec<(Octets, Octets)>,
}

/// What the laboratory wants run.
#[derive(Debug, Serialize, Deserialize)]
struct Order {
    programs: Vec<Program>,
    directory: PathBuf,
}

/// Runs the script_proxy as a process.
pub fn main(socket: OsString) -> ExitCode {
    match pass(&PathBuf::from(socket)) {
        Ok(ProgramEnd::Exited(code)) => ExitCode::from(code as u8),
        Ok(ProgramEnd::Signalled(signal)) => die(signal),
        Ok(ProgramEnd::TimedOut) => die(9),
        Err(error) => {
            eprintln!("leaselab: the laboratory does not answer: {error}");
            ExitCode::FAILURE
        }
    }
}

fn die(signal: i32) -> ExitCode {
    _ = kill_process(getpid(), Signal::from_named_raw(signal).unwrap_or(Signal::KILL));
    ExitCode::FAILURE
}

fn pass(socket: &PathBuf) -> io::Result<ProgramEnd> {
    let mut stream = UnixStream::connect(socket)?;
    let variables = std::env::vars_os()
        .filter(|(name, _)| name.as_bytes().starts_with(b"DNSMASQ_"))
        .map(|(name, value)| (Octets(name.into_vec()), Octets(value.into_vec())));
    let called = Called {
        argv: std::env::args_os().map(|word| Octets(word.into_vec())).collect(),
        environment: variables.collect(),
    };
    say(&mut stream, &called)?;
    let order: Order = hear(&mut BufReader::new(&stream))?;
    let done = agent::run(&order.programs, &order.directory);
    say(&mut stream, &done)?;
    let script = done.into_iter().next().ok_or(io::ErrorKind::InvalidData)?;
    io::stdout().write_all(&script.stdout.0)?;
    io::stdout().flush()?;
    script.end.map_err(io::Error::other)
}

fn say(stream: &mut UnixStream, message: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(message)?;
    line.push(b'\n');
    stream.write_all(&line)
}

fn hear<T: serde::de::DeserializeOwned>(stream: &mut impl BufRead) -> io::Result<T> {
    let mut line = Vec::new();
    if stream.read_until(b'\n', &mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(serde_json::from_slice(&line)?)
}

/// A call that waits at the script_proxy.
#[derive(Debug)]
pub(super) struct Waiting {
    stream: BufReader<UnixStream>,
    /// What dnsmasq called the script with.
    pub(super) call: ScriptCall,
}

impl Waiting {
    /// A script_proxy has connected: what it was called with.
    ///
    /// # Errors
    /// When it goes away before it has said so.
    pub(super) fn accept(stream: UnixStream, limit: std::time::Duration) -> io::Result<Self> {
        stream.set_read_timeout(Some(limit))?;
        let mut stream = BufReader::new(stream);
        let called: Called = hear(&mut stream)?;
        let mut argv: Vec<Vec<u8>> = called.argv.into_iter().map(|word| word.0).collect();
        if let Some(name) = argv.first_mut()
            && let Some(slash) = name.iter().rposition(|byte| *byte == b'/')
        {
            // The whole path is what a shell or `#!` makes of the base name.
            name.drain(..=slash);
        }
        let env = called
            .environment
            .into_iter()
            .map(|(name, value)| (String::from_utf8_lossy(&name.0).into_owned(), value.0));
        let call = ScriptCall { argv, env: env.collect() };
        Ok(Self { stream, call })
    }

    /// Has these programs run, and waits for their end.
    ///
    /// # Errors
    /// When the script_proxy goes away.
    pub(super) fn run(
        mut self,
        programs: Vec<Program>,
        directory: PathBuf,
    ) -> io::Result<Vec<ProgramResult>> {
        say(self.stream.get_mut(), &Order { programs, directory })?;
        hear(&mut self.stream)
    }
}

//! One boot of a guest: QEMU, its console, and the agent in it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustix::process::{Signal, set_parent_process_death_signal};

use super::error::QemuError;
use super::patience::Patience;

/// How often the harness looks whether QEMU still runs while it waits for a guest.
const LOOK: Duration = Duration::from_millis(100);

/// More than this of a line from a guest is none.
const LONGEST_LINE: usize = 16 << 20;

/// A greeting that was not answered for so long was lost.
const GREETING: Duration = Duration::from_secs(5);

/// Lines of the console that an error shows.
const CONSOLE_LINES: usize = 12;

/// How the harness gets its commands into a guest.
#[derive(Clone, Debug)]
pub(super) enum Entrance {
    /// The image starts our agent on a port of its own.
    Port,
    /// Somebody else's image: its console, and what it takes until it is a shell's.
    Console(super::console::Manners),
}

/// What a command in a guest did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Done {
    /// Its exit code.
    pub(super) code: i32,
    /// Standard output.
    pub(super) stdout: Vec<u8>,
    /// Standard error.
    pub(super) stderr: Vec<u8>,
}

/// A running guest. Dropped, it loses its power.
#[derive(Debug)]
pub(super) struct Guest {
    qemu: Child,
    stream: UnixStream,
    pending: Vec<u8>,
    console: PathBuf,
    number: u64,
    patience: Patience,
}

impl Guest {
    /// Boots QEMU with these options and waits until the agent answers. `work` holds the sockets, the console's
    /// log and QEMU's own words.
    ///
    /// # Errors
    /// QEMU does not start; the guest does not come up in time, panics, or gives up.
    pub(super) fn boot(
        qemu: &Path,
        options: &[String],
        work: &Path,
        entrance: &Entrance,
        patience: &mut Patience,
    ) -> Result<Self, QemuError> {
        let began = Instant::now();
        let console = work.join("console.log");
        let socket = work.join("agent");
        _ = fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket).map_err(QemuError::file(&socket))?;
        listener.set_nonblocking(true).map_err(QemuError::file(&socket))?;
        let words = work.join("qemu.log");
        let log = File::create(&words).map_err(QemuError::file(&words))?;
        let errors = log.try_clone().map_err(QemuError::file(&words))?;
        let mut command = Command::new(qemu);
        command.args(options).stdin(Stdio::null()).stdout(log).stderr(errors);
        // SAFETY: between fork and exec only one system call is made, which allocates nothing.
        unsafe {
            // However the harness ends, it leaves no QEMU behind.
            command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
        }
        let child = command.spawn().map_err(QemuError::file(qemu))?;
        let limit = patience.boot();
        let mut unborn = Unborn { child: Some(child), words, console: console.clone(), limit };
        let stream = unborn.connect(&listener, began)?;
        stream.set_nonblocking(false).map_err(QemuError::file(&socket))?;
        let Some(qemu) = unborn.child.take() else {
            return Err(QemuError::Guest("QEMU is gone".to_owned()));
        };
        let mut guest =
            Self { qemu, stream, pending: Vec::new(), console, number: 0, patience: *patience };
        if let Entrance::Console(manners) = entrance {
            guest.log_in(manners, began + limit)?;
        }
        loop {
            let line = guest.line(began + limit, "the first word of its agent")?;
            if line.ends_with(b"= 0 0 - -") {
                break;
            }
        }
        guest.greet(began + limit)?;
        patience.measured(began.elapsed());
        guest.patience = *patience;
        Ok(guest)
    }

    fn log_in(
        &mut self,
        manners: &super::console::Manners,
        until: Instant,
    ) -> Result<(), QemuError> {
        manners.log_in(self, until)
    }

    /// Asks for an answer until one comes: a serial port that was opened a moment ago may lose what it is sent.
    fn greet(&mut self, until: Instant) -> Result<(), QemuError> {
        const NOTHING: &str = ":";
        loop {
            let number = self.ask(NOTHING)?;
            let again = until.min(Instant::now() + GREETING);
            loop {
                match self.line(again, NOTHING) {
                    Ok(line) if parse(&line, number).is_some() => return Ok(()),
                    Ok(_) => {}
                    Err(error) if Instant::now() >= until => return Err(error),
                    Err(_) => break,
                }
            }
            self.is_there()?;
        }
    }

    /// Runs a shell script in the guest and waits for its end.
    ///
    /// # Errors
    /// The guest does not answer in time, or is gone.
    pub(super) fn run(&mut self, script: &str) -> Result<Done, QemuError> {
        let until = Instant::now() + self.patience.command();
        let number = self.ask(script)?;
        loop {
            let line = self.line(until, script)?;
            if let Some(done) = parse(&line, number) {
                return Ok(done);
            }
        }
    }

    /// Sends a script; the number that its answer will have.
    fn ask(&mut self, script: &str) -> Result<u64, QemuError> {
        self.number += 1;
        self.send(format!("{}\n{script}\n.\n", self.number).as_bytes())?;
        Ok(self.number)
    }

    /// Runs a script that must succeed, and gives its output.
    ///
    /// # Errors
    /// As [`Guest::run`], and where the script fails.
    pub(super) fn must(&mut self, script: &str) -> Result<Vec<u8>, QemuError> {
        let done = self.run(script)?;
        if done.code == 0 {
            return Ok(done.stdout);
        }
        let said = String::from_utf8_lossy(&done.stderr);
        Err(QemuError::Guest(format!(
            "in the guest, `{script}` ended with {}: {}",
            done.code,
            said.trim_end()
        )))
    }

    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), QemuError> {
        self.stream.write_all(bytes).map_err(|error| self.gone(&error))
    }

    /// The next line from the guest, without its end.
    fn line(&mut self, until: Instant, wanted: &str) -> Result<Vec<u8>, QemuError> {
        loop {
            if let Some(at) = self.pending.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.pending.drain(..=at).collect();
                while line.ends_with(b"\n") || line.ends_with(b"\r") {
                    line.pop();
                }
                return Ok(line);
            }
            self.read(until, wanted)?;
        }
    }

    /// Waits until the guest has said `text`.
    ///
    /// # Errors
    /// It does not in time, or is gone.
    pub(super) fn hear(&mut self, text: &str, until: Instant) -> Result<(), QemuError> {
        loop {
            let bytes = text.as_bytes();
            if let Some(at) = self.pending.windows(bytes.len()).position(|w| w == bytes) {
                self.pending.drain(..at + bytes.len());
                return Ok(());
            }
            self.read(until, text)?;
        }
    }

    fn read(&mut self, until: Instant, wanted: &str) -> Result<(), QemuError> {
        let wanted = wanted.lines().next().unwrap_or_default();
        if self.pending.len() > LONGEST_LINE {
            return Err(self.failed(&format!("the guest talks without end, asked for `{wanted}`")));
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(self.failed(&format!(
                "the guest did not answer in time: `{wanted}` (--boot-limit SECONDS waits longer for a first boot)"
            )));
        }
        let wait = left.min(LOOK * 10).max(Duration::from_millis(1));
        self.stream.set_read_timeout(Some(wait)).map_err(|error| self.gone(&error))?;
        let mut buffer = [0; 1 << 13];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(self.failed("the guest is gone")),
            Ok(length) => {
                self.pending.extend_from_slice(&buffer[..length]);
                Ok(())
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock
                        | io::ErrorKind::TimedOut
                        | io::ErrorKind::Interrupted
                ) =>
            {
                Ok(())
            }
            Err(error) => Err(self.gone(&error)),
        }
    }

    fn gone(&self, error: &io::Error) -> QemuError {
        self.failed(&format!("the guest is gone ({error})"))
    }

    fn failed(&self, what: &str) -> QemuError {
        QemuError::Guest(format!("{what}\n{}", last_words(&self.console)))
    }

    /// Power goes: SIGKILL. Returns when QEMU is no more, and its files are what they are.
    ///
    /// # Errors
    /// When the process cannot be waited for.
    pub(super) fn cut(mut self) -> Result<(), QemuError> {
        self.end().map_err(|error| QemuError::Environment(format!("QEMU: {error}")))
    }

    /// Fails where QEMU has ended by itself.
    ///
    /// # Errors
    /// It has.
    pub(super) fn is_there(&mut self) -> Result<(), QemuError> {
        match self.qemu.try_wait() {
            Ok(None) => Ok(()),
            _ => Err(self.failed("the guest is gone")),
        }
    }

    /// QEMU's process, for a cut at a moment that somebody else watches for.
    pub(super) fn pid(&self) -> u32 {
        self.qemu.id()
    }

    fn end(&mut self) -> io::Result<()> {
        self.qemu.kill()?;
        self.qemu.wait().map(|_| ())
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // After a cut there is nothing left to end.
        _ = self.end();
    }
}

/// QEMU before anybody has spoken from inside.
struct Unborn {
    child: Option<Child>,
    words: PathBuf,
    console: PathBuf,
    limit: Duration,
}

impl Unborn {
    fn connect(
        &mut self,
        listener: &UnixListener,
        began: Instant,
    ) -> Result<UnixStream, QemuError> {
        loop {
            match listener.accept() {
                Ok((stream, _)) => return Ok(stream),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(QemuError::Environment(format!("QEMU: {error}"))),
            }
            let ended = self.child.as_mut().and_then(|child| child.try_wait().ok().flatten());
            if let Some(status) = ended {
                let said = fs::read_to_string(&self.words).unwrap_or_default();
                let text = format!("QEMU: {status}: {}", said.trim_end());
                // It found fault with what it was to boot.
                let image = ["kernel", "initrd", "drive", "disk"].iter().any(|w| said.contains(w));
                return Err(if image {
                    QemuError::Input(text)
                } else {
                    QemuError::Environment(text)
                });
            }
            if began.elapsed() > self.limit {
                let words = last_words(&self.console);
                return Err(QemuError::Guest(format!("QEMU did not begin in time\n{words}")));
            }
            // QEMU connects on its own; there is nothing else to wait on.
            thread::sleep(LOOK / 10);
        }
    }
}

impl Drop for Unborn {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            _ = child.kill();
            _ = child.wait();
        }
    }
}

/// The last lines of a console's log.
fn last_words(console: &Path) -> String {
    let text = fs::read(console).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> =
        text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() {
        return "its console shows nothing: is this a kernel for this machine, with a serial console?"
            .to_owned();
    }
    // A panic says why in its first line, and much afterwards.
    let panic = lines.iter().find_map(|line| line.find("Kernel panic").map(|at| &line[at..]));
    if let Some(panic) = panic {
        return format!("its kernel gave up: {panic}");
    }
    let tail = &lines[lines.len().saturating_sub(CONSOLE_LINES)..];
    format!("the last of its console:\n  {}", tail.join("\n  "))
}

/// A line `= NUMBER CODE -STDOUT -STDERR`.
fn parse(line: &[u8], number: u64) -> Option<Done> {
    let text = std::str::from_utf8(line).ok()?;
    // On a console, a shell's echo may stand before it.
    let text = &text[text.find("= ")?..];
    let mut words = text.split(' ').skip(1);
    let mine = words.next()?.parse() == Ok(number);
    let code = words.next()?.parse().ok()?;
    let mut bytes = || BASE64_STANDARD.decode(words.next()?.strip_prefix('-')?).ok();
    let (stdout, stderr) = (bytes()?, bytes()?);
    mine.then_some(Done { code, stdout, stderr })
}

//! The harness's end of the agent in a guest (`harness/qemu/guest/agent`): runs shell scripts in the guest, one at a time.

use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::error::QemuError;
use super::timeouts::{Deadline, Timeouts};

/// A longer line is not an answer of the agent.
const LONGEST_LINE: usize = 16 << 20;

/// Time after which a greeting without an answer is sent again, because a serial port that has just been opened may lose
/// input.
const GREETING_LOST: Duration = Duration::from_secs(5);

/// Number of the last lines of the console in an error message.
const CONSOLE_LINES: usize = 12;

/// The agent's first line.
const READY: &[u8] = b"= 0 0 - -";

/// The result of a script in the guest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommandOutput {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error.
    pub stderr: Vec<u8>,
}

/// A connection to the console of a guest, or to the agent in it.
#[derive(Debug)]
pub(super) struct AgentConnection {
    stream: UnixStream,
    /// Bytes that were received, but not yet parsed.
    pending: Vec<u8>,
    /// The log of the guest's console, for errors.
    console: PathBuf,
    /// The number of the last script that was sent.
    number: u64,
    timeouts: Timeouts,
}

impl AgentConnection {
    pub(super) fn new(stream: UnixStream, console: PathBuf, timeouts: Timeouts) -> Self {
        Self { stream, pending: Vec::new(), console, number: 0, timeouts }
    }

    /// Replaces the time limits after a boot was measured.
    pub(super) fn set_timeouts(&mut self, timeouts: Timeouts) {
        self.timeouts = timeouts;
    }

    /// Waits until the agent runs and answers.
    ///
    /// # Errors
    /// At the deadline, or when the guest has ended.
    pub(super) fn wait_for_agent(&mut self, deadline: Deadline) -> Result<(), QemuError> {
        loop {
            match self.read_line(deadline)? {
                Some(line) if line.ends_with(READY) => break,
                Some(_) => {}
                None => return Err(self.deadline_error(deadline, "the first line of the agent")),
            }
        }
        self.greet(deadline)
    }

    fn greet(&mut self, deadline: Deadline) -> Result<(), QemuError> {
        loop {
            let number = self.send_script(":")?;
            let lost = deadline.at_most(GREETING_LOST);
            while let Some(line) = self.read_line(lost)? {
                if parse_answer(&line, number).is_some() {
                    return Ok(());
                }
            }
            if deadline.has_passed() {
                return Err(self.deadline_error(deadline, "an answer of the agent"));
            }
        }
    }

    /// Runs a shell script in the guest.
    ///
    /// # Errors
    /// When the guest does not answer in time, or has ended.
    pub(super) fn run(&mut self, script: &str) -> Result<CommandOutput, QemuError> {
        self.run_within(script, self.timeouts.command())
    }

    /// Runs a shell script that prepares the guest, and may take longer than a boot.
    ///
    /// # Errors
    /// See [`Self::run`]; also when the script fails.
    pub(super) fn run_preparation(&mut self, script: &str) -> Result<Vec<u8>, QemuError> {
        let output = self.run_long(script)?;
        succeeded(script, output)
    }

    /// Runs a shell script that may take as long as the preparation of a guest.
    ///
    /// # Errors
    /// See [`Self::run`].
    pub(super) fn run_long(&mut self, script: &str) -> Result<CommandOutput, QemuError> {
        self.run_within(script, self.timeouts.preparation())
    }

    /// Runs a script that must succeed, and returns its standard output.
    ///
    /// # Errors
    /// See [`Self::run`]; also when the script fails.
    pub(super) fn run_checked(&mut self, script: &str) -> Result<Vec<u8>, QemuError> {
        let output = self.run(script)?;
        succeeded(script, output)
    }

    fn run_within(&mut self, script: &str, limit: Duration) -> Result<CommandOutput, QemuError> {
        let deadline = Deadline::after(limit);
        let number = self.send_script(script)?;
        loop {
            match self.read_line(deadline)? {
                Some(line) => {
                    if let Some(output) = parse_answer(&line, number) {
                        return Ok(output);
                    }
                }
                None => {
                    let what =
                        format!("the result of `{}`", script.lines().next().unwrap_or_default());
                    return Err(self.deadline_error(deadline, &what));
                }
            }
        }
    }

    /// Sends a script, and returns the number that its answer will have.
    fn send_script(&mut self, script: &str) -> Result<u64, QemuError> {
        self.number += 1;
        self.send(format!("{}\n{script}\n.\n", self.number).as_bytes())?;
        Ok(self.number)
    }

    /// # Errors
    /// When the guest has ended.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), QemuError> {
        self.stream.write_all(bytes).map_err(|error| self.ended(Some(&error)))
    }

    /// The next line, without its end; `None` at the deadline.
    fn read_line(&mut self, deadline: Deadline) -> Result<Option<Vec<u8>>, QemuError> {
        loop {
            if let Some(at) = self.pending.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.pending.drain(..=at).collect();
                while line.ends_with(b"\n") || line.ends_with(b"\r") {
                    line.pop();
                }
                return Ok(Some(line));
            }
            if !self.receive(deadline)? {
                return Ok(None);
            }
        }
    }

    /// Waits until `text` has been received. Returns whether it has, by the deadline.
    ///
    /// # Errors
    /// When the guest has ended.
    pub(super) fn wait_for_text(
        &mut self,
        text: &str,
        deadline: Deadline,
    ) -> Result<bool, QemuError> {
        let text = text.as_bytes();
        loop {
            if let Some(at) = self.pending.windows(text.len()).position(|window| window == text) {
                self.pending.drain(..at + text.len());
                return Ok(true);
            }
            if !self.receive(deadline)? {
                return Ok(false);
            }
        }
    }

    /// Waits for bytes. Returns whether there are any, by the deadline.
    fn receive(&mut self, deadline: Deadline) -> Result<bool, QemuError> {
        if self.pending.len() > LONGEST_LINE {
            return Err(self.failed("the guest sends a line without an end"));
        }
        let timeout = Timespec::try_from(deadline.left()).unwrap_or_default();
        match poll(&mut [PollFd::new(&self.stream, PollFlags::IN)], Some(&timeout)) {
            Ok(0) => return Ok(!deadline.has_passed()),
            Ok(_) => {}
            Err(Errno::INTR) => return Ok(true),
            Err(error) => return Err(self.ended(Some(&error.into()))),
        }
        let mut buffer = [0; 1 << 13];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(self.ended(None)),
            Ok(length) => {
                self.pending.extend_from_slice(&buffer[..length]);
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(self.ended(Some(&error))),
        }
    }

    /// The error for output that did not arrive by the deadline.
    pub(super) fn deadline_error(&self, deadline: Deadline, what: &str) -> QemuError {
        self.failed(&format!("the guest did not send {what} {}", deadline.describe()))
    }

    fn ended(&self, error: Option<&io::Error>) -> QemuError {
        match error {
            None => self.failed("the guest has ended"),
            Some(error) => self.failed(&format!("the guest has ended ({error})")),
        }
    }

    fn failed(&self, what: &str) -> QemuError {
        QemuError::Guest(format!("{what}\n{}", console_tail(&self.console)))
    }
}

fn succeeded(script: &str, output: CommandOutput) -> Result<Vec<u8>, QemuError> {
    if output.code == 0 {
        return Ok(output.stdout);
    }
    Err(QemuError::Guest(format!(
        "in the guest, `{script}` failed with exit code {}: {}",
        output.code,
        String::from_utf8_lossy(&output.stderr).trim_end()
    )))
}

/// The last lines of a console's log, or the kernel's panic message, for an error.
pub(super) fn console_tail(console: &Path) -> String {
    let text = fs::read(console).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> =
        text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() {
        return "its console is empty: is this a kernel for this machine, with a serial console?"
            .to_owned();
    }
    // The first line of a panic names the reason; the last lines do not.
    let panic = lines.iter().find_map(|line| line.find("Kernel panic").map(|at| &line[at..]));
    if let Some(panic) = panic {
        return format!("its kernel stopped: {panic}");
    }
    let tail = &lines[lines.len().saturating_sub(CONSOLE_LINES)..];
    format!("the last lines of its console:\n  {}", tail.join("\n  "))
}

/// Reads a line `= NUMBER CODE -STDOUT -STDERR`; `None` if it is not the answer with this number.
fn parse_answer(line: &[u8], number: u64) -> Option<CommandOutput> {
    let text = std::str::from_utf8(line).ok()?;
    // On a console, the echo of the shell may precede it.
    let text = &text[text.find("= ")?..];
    let mut words = text.split(' ').skip(1);
    let is_mine = words.next()?.parse() == Ok(number);
    let code = words.next()?.parse().ok()?;
    let mut bytes = || BASE64_STANDARD.decode(words.next()?.strip_prefix('-')?).ok();
    let (stdout, stderr) = (bytes()?, bytes()?);
    is_mine.then_some(CommandOutput { code, stdout, stderr })
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::thread::{self, JoinHandle};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(600);

    /// A connection to an agent that answers each script with the next of `answers`, where `N` stands for the script's
    /// number, and then ends.
    fn connection(
        folder: &Path,
        answers: &'static [&'static str],
    ) -> (AgentConnection, JoinHandle<Vec<String>>) {
        let (ours, theirs) = UnixStream::pair().expect("two sockets");
        let agent = thread::spawn(move || {
            let mut scripts = Vec::new();
            let mut lines = BufReader::new(&theirs).lines().map_while(Result::ok);
            for answer in answers {
                let Some(number) = lines.next() else { break };
                scripts.push(lines.by_ref().take_while(|line| line != ".").collect());
                (&theirs).write_all(answer.replace('N', &number).as_bytes()).expect("an answer");
            }
            scripts
        });
        let console = folder.join("console.log");
        (AgentConnection::new(ours, console, Timeouts::new(Some(LIMIT))), agent)
    }

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().expect("a folder")
    }

    /// A line of the guest is the answer or not; nothing panics.
    #[test]
    fn fuzz_the_answers_of_the_agent() {
        fuzz_inputs::check!(1000, |bytes: &[u8]| {
            parse_answer(bytes, 1);
            let answer = [b"= 1 0 -", bytes].concat();
            if let Some(output) = parse_answer(&answer, 1) {
                assert!(output.stdout.len() + output.stderr.len() <= bytes.len());
            }
        });
    }

    #[test]
    fn a_script_is_sent_and_its_output_decoded() {
        let folder = folder();
        let (mut connection, agent) = connection(folder.path(), &["= N 3 -aGk= -b2g=\n"]);
        let output = connection.run("echo hi").expect("an answer");
        let expected = CommandOutput { code: 3, stdout: b"hi".to_vec(), stderr: b"oh".to_vec() };
        assert_eq!(output, expected);
        assert_eq!(agent.join().expect("the agent"), ["echo hi"]);
    }

    #[test]
    fn echoes_old_answers_and_garbage_before_an_answer_are_skipped() {
        let folder = folder();
        let (mut connection, _agent) = connection(
            folder.path(),
            &["\u{1b}[6n\r\n= 99 0 -YmFk -\r\n= N 0 -!! -\r\nroot# = N 0 -b2s= -\r\n"],
        );
        assert_eq!(connection.run_checked("true").expect("an answer"), b"ok");
    }

    #[test]
    fn an_agent_that_ends_is_an_error_with_the_console() {
        let folder = folder();
        fs::write(folder.path().join("console.log"), "booting\nout of memory\n").expect("a log");
        let (mut connection, _agent) = connection(folder.path(), &[]);
        let error = connection.run("true").expect_err("no answer").to_string();
        assert!(error.starts_with("the guest has ended"), "{error}");
        assert!(
            error.ends_with("the last lines of its console:\n  booting\n  out of memory"),
            "{error}"
        );
    }

    #[test]
    fn a_kernel_panic_is_quoted() {
        let folder = folder();
        let log = "a\n[ 1.0] Kernel panic - not syncing: no init\nb\n";
        fs::write(folder.path().join("console.log"), log).expect("a log");
        let (mut connection, _agent) = connection(folder.path(), &[]);
        let error = connection.run("true").expect_err("no answer").to_string();
        assert!(
            error.ends_with("its kernel stopped: Kernel panic - not syncing: no init"),
            "{error}"
        );
    }

    #[test]
    fn an_error_at_the_deadline_names_the_limit_and_its_option() {
        let folder = folder();
        let (ours, _theirs) = UnixStream::pair().expect("two sockets");
        let console = folder.path().join("console.log");
        let mut connection = AgentConnection::new(ours, console, Timeouts::new(None));
        let error = connection.run_within("true\nfalse", Duration::ZERO).expect_err("no answer");
        let expected = "the guest did not send the result of `true` within 0 s (--boot-limit \
                        SECONDS raises the limit)";
        assert!(error.to_string().starts_with(expected), "{error}");
    }

    #[test]
    fn a_script_that_fails_is_an_error_with_its_standard_error() {
        let folder = folder();
        let (mut connection, _agent) = connection(folder.path(), &["= N 2 - -bm8gZmlsZQo=\n"]);
        let error = connection.run_checked("cat x").expect_err("a failure").to_string();
        assert_eq!(error, "in the guest, `cat x` failed with exit code 2: no file");
    }
}

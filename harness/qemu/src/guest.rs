//! One boot of a guest: the QEMU process, and the connection to the agent in the guest.

use std::fs::{self, File};
use std::io;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Signal, set_parent_process_death_signal};

use super::agent_connection::{AgentConnection, CommandOutput, console_tail};
use super::error::QemuError;
use super::guest_channel::GuestChannel;
use super::power_switch::PowerSwitch;
use super::timeouts::{Deadline, Timeouts};

/// A running guest. Dropping it kills QEMU.
#[derive(Debug)]
pub(super) struct Guest {
    qemu: Child,
    power: PowerSwitch,
    connection: AgentConnection,
}

impl Guest {
    /// Starts QEMU with these options and waits until the agent answers. `work` is the folder of the sockets, the console's
    /// log and QEMU's output.
    ///
    /// # Errors
    /// When QEMU does not start, or the guest panics, ends or does not boot in time.
    pub(super) fn boot(
        qemu: &Path,
        options: &[String],
        work: &Path,
        channel: &GuestChannel,
        timeouts: &mut Timeouts,
    ) -> Result<Self, QemuError> {
        let began = Instant::now();
        let deadline = Deadline::after(timeouts.boot());
        let socket = work.join("agent");
        _ = fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket).map_err(QemuError::file(&socket))?;
        let mut starting = StartingGuest::spawn(qemu, options, work)?;
        let stream = starting.accept(&listener, deadline)?;
        let console = starting.console.clone();
        let mut guest = starting.into_guest(AgentConnection::new(stream, console, *timeouts))?;
        if let GuestChannel::Console(protocol) = channel {
            protocol.start_agent(&mut guest.connection, deadline)?;
        }
        guest.connection.wait_for_agent(deadline)?;
        timeouts.record_boot(began.elapsed());
        guest.connection.set_timeouts(*timeouts);
        Ok(guest)
    }

    /// See [`AgentConnection::run`].
    pub(super) fn run(&mut self, script: &str) -> Result<CommandOutput, QemuError> {
        self.connection.run(script)
    }

    /// See [`AgentConnection::run_checked`].
    pub(super) fn run_checked(&mut self, script: &str) -> Result<Vec<u8>, QemuError> {
        self.connection.run_checked(script)
    }

    /// See [`AgentConnection::run_long`].
    pub(super) fn run_long(&mut self, script: &str) -> Result<CommandOutput, QemuError> {
        self.connection.run_long(script)
    }

    /// See [`AgentConnection::run_preparation`].
    pub(super) fn run_preparation(&mut self, script: &str) -> Result<Vec<u8>, QemuError> {
        self.connection.run_preparation(script)
    }

    /// Kills QEMU, and waits for its end, after which its files no longer change.
    ///
    /// # Errors
    /// When the process cannot be killed or waited for.
    pub(super) fn cut_power(mut self) -> Result<(), QemuError> {
        self.end().map_err(|error| QemuError::Environment(format!("ending QEMU: {error}")))
    }

    /// A switch for a power cut by another thread.
    ///
    /// # Errors
    /// When the process has no file descriptor left.
    pub(super) fn power_switch(&self) -> Result<PowerSwitch, QemuError> {
        self.power
            .try_clone()
            .map_err(|error| QemuError::Environment(format!("watching QEMU: {error}")))
    }

    fn end(&mut self) -> io::Result<()> {
        self.qemu.kill()?;
        self.qemu.wait().map(|_| ())
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // After a power cut the process has already ended.
        _ = self.end();
    }
}

/// QEMU before it has connected to the agent's socket. Dropping it kills QEMU.
struct StartingGuest {
    /// `None` once it belongs to a [`Guest`].
    qemu: Option<Child>,
    power: PowerSwitch,
    /// The file with QEMU's own output.
    output: PathBuf,
    /// The file with the console's log.
    console: PathBuf,
}

impl StartingGuest {
    fn spawn(qemu: &Path, options: &[String], work: &Path) -> Result<Self, QemuError> {
        let output = work.join("qemu.log");
        let stdout = File::create(&output).map_err(QemuError::file(&output))?;
        let stderr = stdout.try_clone().map_err(QemuError::file(&output))?;
        let mut command = Command::new(qemu);
        command.args(options).stdin(Stdio::null()).stdout(stdout).stderr(stderr);
        // SAFETY: between fork and exec only one system call is made, which allocates nothing.
        unsafe {
            // QEMU must not outlive a harness that is killed.
            command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
        }
        let mut child = command.spawn().map_err(QemuError::file(qemu))?;
        let power = match PowerSwitch::of(&child) {
            Ok(power) => power,
            Err(error) => {
                _ = child.kill();
                _ = child.wait();
                return Err(QemuError::Environment(format!("watching QEMU: {error}")));
            }
        };
        Ok(Self { qemu: Some(child), power, output, console: work.join("console.log") })
    }

    /// Waits until QEMU connects or ends.
    fn accept(
        &mut self,
        listener: &UnixListener,
        deadline: Deadline,
    ) -> Result<UnixStream, QemuError> {
        let environment = |error: io::Error| QemuError::Environment(format!("QEMU: {error}"));
        loop {
            let timeout = Timespec::try_from(deadline.left()).unwrap_or_default();
            let mut fds =
                [PollFd::new(listener, PollFlags::IN), PollFd::new(&self.power, PollFlags::IN)];
            match poll(&mut fds, Some(&timeout)) {
                Ok(0) if deadline.has_passed() => {
                    return Err(QemuError::Guest(format!(
                        "QEMU did not connect to its agent's socket {}\n{}",
                        deadline.describe(),
                        console_tail(&self.console)
                    )));
                }
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(environment(error.into())),
            }
            let (connected, ended) = (!fds[0].revents().is_empty(), !fds[1].revents().is_empty());
            if connected {
                return listener.accept().map(|(stream, _)| stream).map_err(environment);
            }
            if ended {
                return Err(self.exit_error());
            }
        }
    }

    /// The error of a QEMU that has exited. Its output shows whether the image or the host is the cause.
    fn exit_error(&mut self) -> QemuError {
        let status = self.qemu.as_mut().and_then(|qemu| qemu.wait().ok());
        let status = status.map_or_else(String::new, |status| format!("{status}: "));
        let output = fs::read_to_string(&self.output).unwrap_or_default();
        let text = format!("QEMU ended: {status}{}", output.trim_end());
        if ["kernel", "initrd", "drive", "disk"].iter().any(|word| output.contains(word)) {
            QemuError::Input(text)
        } else {
            QemuError::Environment(text)
        }
    }

    fn into_guest(mut self, connection: AgentConnection) -> Result<Guest, QemuError> {
        let power = self
            .power
            .try_clone()
            .map_err(|error| QemuError::Environment(format!("watching QEMU: {error}")))?;
        match self.qemu.take() {
            Some(qemu) => Ok(Guest { qemu, power, connection }),
            None => Err(QemuError::Guest("QEMU has ended".to_owned())),
        }
    }
}

impl Drop for StartingGuest {
    fn drop(&mut self) {
        if let Some(qemu) = &mut self.qemu {
            _ = qemu.kill();
            _ = qemu.wait();
        }
    }
}

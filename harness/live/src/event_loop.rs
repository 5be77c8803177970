//! Waits for the events of a live dnsmasq: frames, script calls from the script proxy, reports that it is idle, and its
//! exit. A wait returns an error when it reaches its time limit.

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::mem;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use socket2::{Domain, SockAddr, Socket, Type};

use super::script_proxy::WaitingCall;
use backend::BackendError;
use packets::link::{Datagram, Link};

/// A message from one of dnsmasq's processes: four 64-bit numbers (`struct message` in clock.c).
type Message = [i64; 4];

/// Maximum time between two evaluations of a condition. A condition may depend on the time: it may have to repeat a query.
const RECHECK: Duration = Duration::from_secs(1);

/// The value in the first message of a connection from dnsmasq's main process.
const MAIN_PROCESS: i64 = b'M' as i64;

/// The control connection of one of dnsmasq's processes (clock.c).
#[derive(Debug)]
struct ControlConnection {
    socket: Socket,
    /// The last number that the process has sent back. The process was idle after it had received that number.
    last_idle_number: i64,
    /// The time at which SIGALRM is due on the monotonic clock, or 0 if none is due.
    alarm_time: i64,
    /// Number of DHCP messages that the process has read and handled.
    dhcp_messages: i64,
    /// Number of DHCP messages that the process has sent.
    dhcp_replies: i64,
}

impl ControlConnection {
    /// Reads one message. Returns `None` if the process has ended.
    fn read(&self) -> io::Result<Option<Message>> {
        let mut bytes = [0; mem::size_of::<Message>()];
        match io::Read::read(&mut &self.socket, &mut bytes)? {
            0 => Ok(None),
            length if length == bytes.len() => {
                let number = |at: usize| {
                    bytes[at..].first_chunk::<8>().map_or(0, |chunk| i64::from_ne_bytes(*chunk))
                };
                Ok(Some([number(0), number(8), number(16), number(24)]))
            }
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Reads a report and stores its values. Returns `None` if the process has ended.
    fn receive(&mut self) -> io::Result<Option<()>> {
        match self.read() {
            Ok(Some([number, alarm_time, dhcp_messages, dhcp_replies])) => {
                self.last_idle_number = self.last_idle_number.max(number);
                self.alarm_time = alarm_time;
                self.dhcp_messages = dhcp_messages;
                self.dhcp_replies = dhcp_replies;
                Ok(Some(()))
            }
            Ok(None) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The event loop of one run of dnsmasq.
#[derive(Debug)]
pub(super) struct EventLoop {
    pub(super) link: Link,
    calls: UnixListener,
    control: Socket,
    main: Option<ControlConnection>,
    helper: Helper,
    process: OwnedFd,
    /// Whether dnsmasq has ended.
    pub(super) ended: bool,
    /// Script calls whose proxies wait for the programs that they are to run.
    pub(super) waiting: VecDeque<WaitingCall>,
    /// Datagrams that have arrived.
    pub(super) datagrams: Vec<Datagram>,
    /// The last number that was sent to a process.
    number: i64,
    limit: Duration,
}

/// The state of dnsmasq's helper process, which starts scripts.
#[derive(Debug)]
enum Helper {
    NotStarted,
    Running(ControlConnection),
    Exited,
}

/// The sockets that the script proxy and dnsmasq's processes connect to.
#[derive(Debug)]
pub(super) struct Sockets {
    calls: UnixListener,
    control: Socket,
}

impl Sockets {
    /// Binds new sockets at these paths. Replaces existing files.
    ///
    /// # Errors
    /// Returns an error if the sockets cannot be bound, or an existing file cannot be removed.
    pub(super) fn new(calls: &Path, control: &Path) -> io::Result<Self> {
        for path in [calls, control] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let calls = UnixListener::bind(calls)?;
        calls.set_nonblocking(true)?;
        let socket = Socket::new(Domain::UNIX, Type::SEQPACKET, None)?;
        socket.bind(&SockAddr::unix(control)?)?;
        socket.listen(8)?;
        socket.set_nonblocking(true)?;
        Ok(Self { calls, control: socket })
    }
}

impl EventLoop {
    /// Creates the event loop of the dnsmasq with this process id. The parent of the process must not have reaped it yet:
    /// afterwards, the id may be reused.
    ///
    /// # Errors
    /// Returns an error if there is no such process.
    pub(super) fn new(
        link: Link,
        sockets: Sockets,
        process: i32,
        limit: Duration,
    ) -> Result<Self, BackendError> {
        let pid = Pid::from_raw(process).ok_or_else(|| {
            BackendError::Environment("dnsmasq's process id is not positive".to_owned())
        })?;
        let process = pidfd_open(pid, PidfdFlags::empty())
            .map_err(|error| BackendError::Environment(format!("dnsmasq's process: {error}")))?;
        Ok(Self {
            link,
            calls: sockets.calls,
            control: sockets.control,
            main: None,
            helper: Helper::NotStarted,
            process,
            ended: false,
            waiting: VecDeque::new(),
            datagrams: Vec::new(),
            number: 0,
            limit,
        })
    }

    /// Returns the link, for the next run of dnsmasq.
    pub(super) fn into_link(self) -> Link {
        self.link
    }

    /// Returns whether dnsmasq has entered its main loop.
    pub(super) fn is_up(&self) -> bool {
        self.main.is_some()
    }

    /// Returns the time at which SIGALRM is due on the monotonic clock, as dnsmasq reported when it was last idle, or `None`
    /// if none is due.
    pub(super) fn alarm(&self) -> Option<i64> {
        self.main.as_ref().map(|main| main.alarm_time).filter(|alarm_time| *alarm_time != 0)
    }

    /// Returns the number of DHCP messages that dnsmasq has read and handled.
    pub(super) fn dhcp_messages(&self) -> i64 {
        self.main.as_ref().map_or(0, |main| main.dhcp_messages)
    }

    /// Returns the number of DHCP messages that dnsmasq has sent.
    pub(super) fn dhcp_replies(&self) -> i64 {
        self.main.as_ref().map_or(0, |main| main.dhcp_replies)
    }

    /// Handles events until `condition` holds. `what` describes the condition in error messages.
    ///
    /// # Errors
    /// Returns an error if the condition does not hold within the time limit, or if `condition` or the wait fails.
    pub(super) fn until(
        &mut self,
        what: &str,
        mut condition: impl FnMut(&mut Self) -> Result<bool, BackendError>,
    ) -> Result<(), BackendError> {
        let deadline = Instant::now() + self.limit;
        while !condition(self)? {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(BackendError::Environment(format!(
                    "waited {} s for {what}; --timeout SECONDS raises the limit",
                    self.limit.as_secs()
                )));
            }
            self.wait_for_event(left.min(RECHECK)).map_err(|error| {
                BackendError::Environment(format!("waiting for {what}: {error}"))
            })?;
        }
        Ok(())
    }

    /// Asks dnsmasq's main process to report when it is idle. Returns the number that the report will contain.
    pub(super) fn ask_main_if_idle(&mut self) -> i64 {
        self.number += 1;
        ask(self.main.as_ref(), self.number);
        self.number
    }

    /// Returns whether dnsmasq's main process was idle after this number was sent.
    pub(super) fn main_was_idle(&self, number: i64) -> bool {
        self.main.as_ref().is_some_and(|main| main.last_idle_number >= number)
    }

    /// Waits until dnsmasq and its helper are idle, a script call arrives, or dnsmasq ends. Returns whether a script call is
    /// waiting.
    ///
    /// # Errors
    /// Returns an error if none of these happens within the time limit.
    pub(super) fn wait_for_call_or_idle(&mut self) -> Result<bool, BackendError> {
        let over = |event_loop: &Self| !event_loop.waiting.is_empty() || event_loop.ended;
        self.until("dnsmasq to be up", |event_loop| Ok(event_loop.is_up() || over(event_loop)))?;
        let number = self.ask_main_if_idle();
        self.until("dnsmasq to be idle", |event_loop| {
            Ok(event_loop.main_was_idle(number) || over(event_loop))
        })?;
        self.until("dnsmasq's helper to start", |event_loop| {
            Ok(!matches!(event_loop.helper, Helper::NotStarted) || over(event_loop))
        })?;
        self.number += 1;
        let number = self.number;
        ask(self.helper.connection(), number);
        self.until("dnsmasq's helper to be idle", |event_loop| {
            let idle = event_loop
                .helper
                .connection()
                .is_none_or(|helper| helper.last_idle_number >= number);
            Ok(idle || over(event_loop))
        })?;
        Ok(!self.waiting.is_empty())
    }

    /// Waits for the next event for at most `left`, and handles all events that have occurred.
    fn wait_for_event(&mut self, left: Duration) -> io::Result<()> {
        let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
        let connections = [self.main.as_ref(), self.helper.connection()]
            .map(|connection| connection.map(|connection| connection.socket.as_fd()));
        let process = (!self.ended).then(|| self.process.as_fd());
        let sources = [
            Some(self.link.as_fd()),
            Some(self.calls.as_fd()),
            Some(self.control.as_fd()),
            process,
            connections[0],
            connections[1],
        ];
        let mut fds = Vec::with_capacity(sources.len());
        let mut which = Vec::with_capacity(sources.len());
        for (at, source) in sources.into_iter().enumerate() {
            if let Some(source) = source {
                fds.push(PollFd::from_borrowed_fd(source, PollFlags::IN));
                which.push(at);
            }
        }
        match poll(&mut fds, Some(&timeout)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<usize> = fds
            .iter()
            .zip(which)
            .filter(|(fd, _)| !fd.revents().is_empty())
            .map(|(_, at)| at)
            .collect();
        drop(fds);
        for at in ready {
            match at {
                0 => self.datagrams.extend(self.link.receive()?),
                1 => self.accept_call()?,
                2 => self.accept_control_connection()?,
                3 => self.ended = true,
                4 => {
                    if let Some(main) = &mut self.main
                        && main.receive()?.is_none()
                    {
                        self.main = None;
                    }
                }
                _ => {
                    if let Helper::Running(helper) = &mut self.helper
                        && helper.receive()?.is_none()
                    {
                        self.helper = Helper::Exited;
                    }
                }
            }
        }
        Ok(())
    }

    fn accept_call(&mut self) -> io::Result<()> {
        let (stream, _) = self.calls.accept()?;
        stream.set_nonblocking(false)?;
        self.waiting.push_back(WaitingCall::accept(stream, self.limit * 2)?);
        Ok(())
    }

    fn accept_control_connection(&mut self) -> io::Result<()> {
        let (socket, _) = self.control.accept()?;
        socket.set_nonblocking(false)?;
        let connection = ControlConnection {
            socket,
            last_idle_number: 0,
            alarm_time: 0,
            dhcp_messages: 0,
            dhcp_replies: 0,
        };
        match connection.read()? {
            Some([MAIN_PROCESS, ..]) => self.main = Some(connection),
            Some(_) => self.helper = Helper::Running(connection),
            None => {}
        }
        Ok(())
    }
}

impl Helper {
    fn connection(&self) -> Option<&ControlConnection> {
        match self {
            Self::Running(connection) => Some(connection),
            Self::NotStarted | Self::Exited => None,
        }
    }
}

/// Asks a process to send `number` back as soon as it is idle.
fn ask(connection: Option<&ControlConnection>, number: i64) {
    if let Some(connection) = connection {
        // An error here means that the process has ended, which is detected when its connection is read.
        _ = connection.socket.send(&number.to_ne_bytes());
    }
}

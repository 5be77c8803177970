//! Where everything comes together that a live dnsmasq does: frames, script calls at the script_proxy, its word that it is at
//! rest, its end. Nothing here waits for a time; every wait ends with one of these, or with a clear error at its limit.

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

use super::script_proxy::Waiting;
use backend::BackendError;
use packets::wire::{Datagram, Wire};

/// Two numbers of 64 bits, as clock.c has them.
type Message = [i64; 2];

/// What is waited for is looked at again at least so often.
const GLANCE: Duration = Duration::from_secs(1);

/// dnsmasq itself.
const MAIN: i64 = b'M' as i64;

/// One process of dnsmasq's, as its preloaded clock reports of it.
#[derive(Debug)]
struct Line {
    socket: Socket,
    /// The last number that came back.
    rested: i64,
    /// When SIGALRM is due; 0: never.
    due: i64,
}

impl Line {
    /// What has come: `None` when the process has gone.
    fn read(&self) -> io::Result<Option<Message>> {
        let mut bytes = [0; mem::size_of::<Message>()];
        match io::Read::read(&mut &self.socket, &mut bytes)? {
            0 => Ok(None),
            16 => {
                let number = |at: usize| {
                    bytes[at..].first_chunk::<8>().map_or(0, |chunk| i64::from_ne_bytes(*chunk))
                };
                Ok(Some([number(0), number(8)]))
            }
            _ => Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

/// The event_loop.
#[derive(Debug)]
pub(super) struct EventLoop {
    pub(super) wire: Wire,
    script_proxy: UnixListener,
    control: Socket,
    main: Option<Line>,
    helper: Option<Line>,
    process: OwnedFd,
    /// Whether dnsmasq has ended.
    pub(super) ended: bool,
    /// Whether its helper was there and has gone.
    pub(super) helper_gone: bool,
    /// Calls that wait at the script_proxy.
    pub(super) waiting: VecDeque<Waiting>,
    /// Packets that have come.
    pub(super) datagrams: Vec<Datagram>,
    number: i64,
    limit: Duration,
}

/// The two sockets that dnsmasq's processes connect to.
#[derive(Debug)]
pub(super) struct Sockets {
    script_proxy: UnixListener,
    control: Socket,
}

impl Sockets {
    /// New ones at these paths.
    ///
    /// # Errors
    /// When they cannot be made.
    pub(super) fn new(script_proxy: &Path, control: &Path) -> io::Result<Self> {
        for path in [script_proxy, control] {
            match fs::remove_file(path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        let script_proxy = UnixListener::bind(script_proxy)?;
        script_proxy.set_nonblocking(true)?;
        let socket = Socket::new(Domain::UNIX, Type::SEQPACKET, None)?;
        socket.bind(&SockAddr::unix(control)?)?;
        socket.listen(8)?;
        socket.set_nonblocking(true)?;
        Ok(Self { script_proxy, control: socket })
    }
}

impl EventLoop {
    /// For the dnsmasq with this process number.
    ///
    /// # Errors
    /// When there is no such process.
    pub(super) fn new(
        wire: Wire,
        sockets: Sockets,
        process: i32,
        limit: Duration,
    ) -> Result<Self, BackendError> {
        let pid = Pid::from_raw(process)
            .ok_or_else(|| BackendError::Environment("dnsmasq has no process number".to_owned()))?;
        let process = pidfd_open(pid, PidfdFlags::empty())
            .map_err(|error| BackendError::Environment(format!("dnsmasq's process: {error}")))?;
        Ok(Self {
            wire,
            script_proxy: sockets.script_proxy,
            control: sockets.control,
            main: None,
            helper: None,
            process,
            ended: false,
            helper_gone: false,
            waiting: VecDeque::new(),
            datagrams: Vec::new(),
            number: 0,
            limit,
        })
    }

    /// The cable, for the next dnsmasq.
    pub(super) fn into_wire(self) -> Wire {
        self.wire
    }

    /// Whether dnsmasq's main loop has begun.
    pub(super) fn is_up(&self) -> bool {
        self.main.is_some()
    }

    /// When SIGALRM is due, as dnsmasq said when it was last at rest.
    pub(super) fn alarm(&self) -> Option<i64> {
        self.main.as_ref().map(|line| line.due).filter(|due| *due != 0)
    }

    /// Lets things happen until something is so.
    ///
    /// # Errors
    /// When it is not so within the limit, with what was waited for.
    pub(super) fn until(
        &mut self,
        what: &str,
        mut is_so: impl FnMut(&mut Self) -> Result<bool, BackendError>,
    ) -> Result<(), BackendError> {
        let deadline = Instant::now() + self.limit;
        while !is_so(self)? {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(BackendError::Environment(format!(
                    "waited {} s for {what}: in vain (--timeout SECONDS waits longer)",
                    self.limit.as_secs()
                )));
            }
            self.turn(left.min(GLANCE)).map_err(|error| {
                BackendError::Environment(format!("waiting for {what}: {error}"))
            })?;
        }
        Ok(())
    }

    /// Asks dnsmasq to say when it is at rest; the number that it will say.
    pub(super) fn ask_main(&mut self) -> i64 {
        self.number += 1;
        ask(self.main.as_ref(), self.number)
    }

    /// Whether dnsmasq was at rest after this number was sent.
    pub(super) fn main_rested(&self, number: i64) -> bool {
        self.main.as_ref().is_some_and(|line| line.rested >= number)
    }

    /// Waits until dnsmasq and its helper have nothing left to do, or a call waits at the script_proxy. Whether one does.
    ///
    /// # Errors
    /// At the limit.
    pub(super) fn settle(&mut self) -> Result<bool, BackendError> {
        let over = |event_loop: &Self| !event_loop.waiting.is_empty() || event_loop.ended;
        self.until("dnsmasq to be up", |event_loop| Ok(event_loop.is_up() || over(event_loop)))?;
        let number = self.ask_main();
        self.until("dnsmasq to be at rest", |event_loop| {
            Ok(event_loop.main_rested(number) || over(event_loop))
        })?;
        self.until("dnsmasq's helper", |event_loop| {
            Ok(event_loop.helper.is_some() || event_loop.helper_gone || over(event_loop))
        })?;
        self.number += 1;
        let number = ask(self.helper.as_ref(), self.number);
        self.until("dnsmasq's helper to be at rest", |event_loop| {
            let rested = event_loop.helper.as_ref().is_none_or(|line| line.rested >= number);
            Ok(rested || over(event_loop))
        })?;
        Ok(!self.waiting.is_empty())
    }

    /// Waits for the next thing to happen, and takes it in.
    fn turn(&mut self, left: Duration) -> io::Result<()> {
        let timeout = Timespec::try_from(left).map_err(io::Error::other)?;
        let lines = [&self.main, &self.helper].map(|line| line.as_ref().map(|l| l.socket.as_fd()));
        let process = (!self.ended).then(|| self.process.as_fd());
        let sources = [
            Some(self.wire.as_fd()),
            Some(self.script_proxy.as_fd()),
            Some(self.control.as_fd()),
            process,
            lines[0],
            lines[1],
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
                0 => self.datagrams.extend(self.wire.receive()?),
                1 => self.accept_call()?,
                2 => self.accept_line()?,
                3 => self.ended = true,
                4 => take(&mut self.main)?,
                _ => {
                    take(&mut self.helper)?;
                    self.helper_gone |= self.helper.is_none();
                }
            }
        }
        Ok(())
    }

    fn accept_call(&mut self) -> io::Result<()> {
        let (stream, _) = self.script_proxy.accept()?;
        stream.set_nonblocking(false)?;
        self.waiting.push_back(Waiting::accept(stream, self.limit * 2)?);
        Ok(())
    }

    fn accept_line(&mut self) -> io::Result<()> {
        let (socket, _) = self.control.accept()?;
        socket.set_nonblocking(false)?;
        let line = Line { socket, rested: 0, due: 0 };
        match line.read()? {
            Some([MAIN, _]) => self.main = Some(line),
            Some(_) => self.helper = Some(line),
            None => {}
        }
        Ok(())
    }
}

fn ask(line: Option<&Line>, number: i64) -> i64 {
    if let Some(line) = line {
        // A process that has gone is noticed elsewhere.
        _ = line.socket.send(&number.to_ne_bytes());
    }
    number
}

fn take(line: &mut Option<Line>) -> io::Result<()> {
    let Some(own) = line else { return Ok(()) };
    match own.read() {
        Ok(Some([rested, due])) => {
            own.rested = rested;
            own.due = due;
        }
        Ok(None) => *line = None,
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => *line = None,
        Err(error) => return Err(error),
    }
    Ok(())
}

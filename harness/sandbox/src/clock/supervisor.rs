//! The thread that answers the watched system calls.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;
use std::{fs, thread};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, getpid};

use super::file_status;
use super::filter;
use super::listener::{Answer, Listener, SystemCall};
use super::memory;
use super::router_clock::{ClockKind, RouterClock, Time};
use super::sleepers::Sleepers;
use super::traced::Traced;
use super::watcher::Watcher;
use crate::Isolation;
use crate::file_changes::RecordedChange;

/// What the supervisor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supervision {
    /// Answer system calls that query the time.
    Clock,
    /// Also record changes of persistent files.
    ClockAndFiles,
}

/// Handle of the supervisor thread.
#[derive(Debug)]
pub struct Supervisor {
    /// The clock of the programs.
    pub clock: Arc<RouterClock>,
    watcher: Arc<Mutex<Option<Watcher>>>,
    sleepers: Arc<Sleepers>,
}

/// Starts the supervisor of all processes that this thread starts later.
///
/// # Errors
/// If the kernel does not support it or refuses it.
pub fn start(supervision: Supervision, isolation: Isolation) -> io::Result<Supervisor> {
    let clock = Arc::new(RouterClock::default());
    let watcher = Arc::new(Mutex::new(None));
    let stops = signal_descriptor()?;
    let (send, receive) = mpsc::channel();
    let (shared_clock, shared_watcher) = (Arc::clone(&clock), Arc::clone(&watcher));
    // The thread must exist before the filter is installed. Otherwise its system calls would wait for an answer of the
    // thread itself.
    thread::spawn(move || {
        let Ok(sleepers) = receive.recv() else { return };
        Thread {
            own: getpid(),
            isolation,
            sleepers,
            stops,
            clock: shared_clock,
            watcher: shared_watcher,
            traced: Traced::default(),
        }
        .run();
    });
    let listener = filter::install(supervision == Supervision::ClockAndFiles)?;
    let sleepers = Arc::new(Sleepers::new(Listener(listener))?);
    send.send(Arc::clone(&sleepers)).map_err(io::Error::other)?;
    Ok(Supervisor { clock, watcher, sleepers })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Supervisor {
    /// Starts to record the changes of files in `folder`. `commands` is a file with a line for each `nvram` command. The
    /// process group of the program that makes change number `stop` is killed.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn watch(&self, folder: PathBuf, commands: PathBuf, stop: Option<u32>) -> io::Result<()> {
        *lock(&self.watcher) = Some(Watcher::new(folder, commands, stop)?);
        Ok(())
    }

    /// Wakes the program with the earliest wake-up time if that time is not after `time`, and sets the clock to it. Returns
    /// whether a program was woken.
    pub fn wake_next(&self, time: Time) -> bool {
        let now = Duration::from_secs(time.mono.try_into().unwrap_or(0));
        let Some(moment) = self.sleepers.next().filter(|moment| *moment <= now) else {
            return false;
        };
        self.clock.set_before(time, moment);
        self.sleepers.wake(moment);
        true
    }

    /// Returns the processes that sleep.
    pub fn sleeping(&self) -> Vec<Pid> {
        self.sleepers.processes()
    }

    /// Returns a descriptor that becomes readable when a process goes to sleep, and stays readable until
    /// [`Self::take_events`].
    pub fn events(&self) -> BorrowedFd<'_> {
        self.sleepers.events()
    }

    /// Clears the events of [`Self::events`].
    pub fn take_events(&self) {
        self.sleepers.take_events();
    }

    /// Returns the changes since [`Self::watch`], and stops recording.
    pub fn take_changes(&self) -> Vec<RecordedChange> {
        lock(&self.watcher).take().map_or_else(Vec::new, Watcher::take)
    }
}

/// Creates a descriptor that becomes readable when a traced process stops. Blocks SIGCHLD in this thread and in the threads
/// that it starts.
fn signal_descriptor() -> io::Result<OwnedFd> {
    // SAFETY: the set is initialised by the first call, and the descriptor that the kernel returns is ours.
    unsafe {
        let mut set: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut set);
        libc::sigaddset(&raw mut set, libc::SIGCHLD);
        let error = libc::pthread_sigmask(libc::SIG_BLOCK, &raw const set, std::ptr::null_mut());
        if error != 0 {
            return Err(io::Error::from_raw_os_error(error));
        }
        let descriptor = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(OwnedFd::from_raw_fd(descriptor))
    }
}

struct Thread {
    /// The id of this process.
    own: Pid,
    isolation: Isolation,
    sleepers: Arc<Sleepers>,
    stops: OwnedFd,
    clock: Arc<RouterClock>,
    watcher: Arc<Mutex<Option<Watcher>>>,
    traced: Traced,
}

impl Thread {
    /// Answers system calls until the last supervised process has ended.
    fn run(mut self) {
        self.sleepers.listener().enable_sync_wake_up();
        loop {
            let left = self
                .clock
                .running()
                .and_then(|now| Some(self.sleepers.next()?.saturating_sub(now)));
            let timeout = left.and_then(|left| Timespec::try_from(left).ok());
            let mut sources = [
                PollFd::from_borrowed_fd(self.sleepers.listener().0.as_fd(), PollFlags::IN),
                PollFd::from_borrowed_fd(self.stops.as_fd(), PollFlags::IN),
            ];
            match poll(&mut sources, timeout.as_ref()) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => return,
            }
            let [calls, stops] = sources.map(|source| source.revents());
            if let Some(now) = self.clock.running() {
                self.sleepers.wake(now);
            }
            if stops.contains(PollFlags::IN) {
                let mut signals = [0; 1024];
                _ = rustix::io::read(&self.stops, &mut signals);
                self.traced.handle_stops();
            }
            if calls.contains(PollFlags::IN) {
                match self.sleepers.listener().receive() {
                    Ok(Some(call)) => {
                        let answer = self.decide(&call);
                        self.sleepers.listener().answer(&call, answer);
                    }
                    Ok(None) => {}
                    Err(_) => return,
                }
            } else if calls.contains(PollFlags::HUP) {
                return;
            }
        }
    }

    fn decide(&mut self, call: &SystemCall) -> Answer {
        if call.pid == self.own {
            // The thread that starts the programs is also supervised, but belongs to the harness.
            return Answer::Continue;
        }
        let [first, second, third, ..] = call.arguments;
        match call.number {
            libc::SYS_clock_gettime => {
                let kind = match first as libc::clockid_t {
                    libc::CLOCK_REALTIME | libc::CLOCK_REALTIME_COARSE => ClockKind::Wall,
                    _ => ClockKind::Monotonic,
                };
                self.write_time(call, kind, second, 1)
            }
            libc::SYS_gettimeofday => self.write_time(call, ClockKind::Wall, first, 1000),
            #[cfg(target_arch = "x86_64")]
            libc::SYS_time => {
                let Some((seconds, _)) = self.clock.read(ClockKind::Wall) else {
                    return Answer::Continue;
                };
                let bytes = seconds.to_ne_bytes();
                if first != 0 && memory::write(call.pid, first, &bytes).is_err() {
                    return Answer::Error(libc::EFAULT);
                }
                Answer::Value(seconds)
            }
            libc::SYS_nanosleep => self.hold(call, ClockKind::Monotonic, 0, first),
            libc::SYS_clock_nanosleep => {
                let kind = match first as libc::clockid_t {
                    libc::CLOCK_REALTIME => ClockKind::Wall,
                    _ => ClockKind::Monotonic,
                };
                self.hold(call, kind, second, third)
            }
            libc::SYS_execve | libc::SYS_execveat => {
                let path = if call.number == libc::SYS_execve { first } else { second };
                let path = memory::read_string(call.pid, path);
                // The emulated tool belongs to the harness, and its time limits are in real time.
                if path.ends_with(b"/nvram") {
                    // The watcher records the changes so far, so that the order of file changes and commands is known.
                    return lock(&self.watcher)
                        .as_mut()
                        .map_or(Answer::Continue, |watcher| watcher.before(call));
                }
                // If tracing fails, the program reads the machine's clock. That is no reason to stop it.
                _ = self.traced.seize(call.pid);
                Answer::Continue
            }
            number => {
                if let Some(answer) = file_status::answer(call, &self.clock) {
                    return answer;
                }
                if filter::concerns_files(number)
                    && let Some(watcher) = &mut *lock(&self.watcher)
                {
                    return watcher.before(call);
                }
                Answer::Continue
            }
        }
    }

    /// Holds the system call of a program that sleeps. `address` is where the process stores the duration or, with
    /// `TIMER_ABSTIME`, the time at which to wake.
    fn hold(&self, call: &SystemCall, kind: ClockKind, flags: u64, address: u64) -> Answer {
        let time = memory::read(call.pid, address, 16);
        let is_nvram = || {
            let name = fs::read(format!("/proc/{}/comm", call.pid.as_raw_nonzero()));
            name.is_ok_and(|name| name == b"nvram\n")
        };
        let (Some(now), Some(time)) = (self.clock.run_from_now(), memory::duration(&time)) else {
            return Answer::Continue;
        };
        if self.isolation != Isolation::Full || is_nvram() {
            return Answer::Continue;
        }
        let mut left = time;
        if flags == libc::TIMER_ABSTIME as u64 {
            let (seconds, nanoseconds) = self.clock.read(kind).unwrap_or_default();
            let read = Duration::new(seconds.try_into().unwrap_or(0), nanoseconds as u32);
            left = time.saturating_sub(read);
        }
        self.sleepers.add(*call, now.saturating_add(left));
        Answer::Later
    }

    /// Writes the time to an address of the process. `unit` is the unit of the fraction, in nanoseconds.
    fn write_time(&self, call: &SystemCall, kind: ClockKind, address: u64, unit: i64) -> Answer {
        let Some((seconds, nanoseconds)) = self.clock.read(kind) else { return Answer::Continue };
        let bytes = memory::pair(seconds, nanoseconds / unit);
        if address == 0 || memory::write(call.pid, address, &bytes).is_ok() {
            Answer::Value(0)
        } else {
            Answer::Error(libc::EFAULT)
        }
    }
}

//! Programs that sleep.
//!
//! The supervisor holds the system call of a program that sleeps, and answers it at the right time. During a call that is
//! the machine's time. A program that still sleeps when the call has ended wakes when the router's clock gets there, so a
//! script that stores its leases a minute later does so in a scenario, too, and nobody has to wait.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};
use rustix::process::Pid;

use super::listener::{Answer, Listener, SystemCall};

/// A program that sleeps.
#[derive(Debug)]
struct Sleeper {
    call: SystemCall,
    /// When it wakes, since the router's power-on.
    wakes: Duration,
}

/// The programs that sleep.
#[derive(Debug)]
pub(super) struct Sleepers {
    listener: Listener,
    list: Mutex<Vec<Sleeper>>,
    /// Readable after a program has gone to sleep.
    asleep: OwnedFd,
}

impl Sleepers {
    pub(super) fn new(listener: Listener) -> io::Result<Self> {
        let asleep = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { listener, list: Mutex::default(), asleep })
    }

    pub(super) fn listener(&self) -> &Listener {
        &self.listener
    }

    /// The sleepers whose processes are still there.
    fn list(&self) -> MutexGuard<'_, Vec<Sleeper>> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|sleeper| self.listener.is_waiting(&sleeper.call));
        list
    }

    /// Holds a system call until [`Self::wake`].
    pub(super) fn add(&self, call: SystemCall, wakes: Duration) {
        self.list().push(Sleeper { call, wakes });
        _ = rustix::io::write(&self.asleep, &1_u64.to_ne_bytes());
    }

    /// A descriptor that can be read after a program has gone to sleep.
    pub(super) fn events(&self) -> BorrowedFd<'_> {
        self.asleep.as_fd()
    }

    /// Forgets the events of [`Self::events`].
    pub(super) fn take_events(&self) {
        _ = rustix::io::read(&self.asleep, &mut [0; 8]);
    }

    /// The processes that sleep.
    pub(super) fn processes(&self) -> Vec<Pid> {
        self.list().iter().map(|sleeper| sleeper.call.pid).collect()
    }

    /// When the next program wakes.
    pub(super) fn next(&self) -> Option<Duration> {
        self.list().iter().map(|sleeper| sleeper.wakes).min()
    }

    /// Wakes the programs whose time has come.
    pub(super) fn wake(&self, now: Duration) {
        self.list().retain(|sleeper| {
            let sleeps = sleeper.wakes > now;
            if !sleeps {
                self.listener.answer(&sleeper.call, Answer::Value(0));
            }
            sleeps
        });
    }
}

//! Programs that sleep.
//!
//! The supervisor answers the system call of a program that sleeps only when the program is to wake. During a call, the
//! program sleeps in real time. A program that still sleeps after the end of the call wakes when the router's clock reaches
//! its wake-up time. A script that stores its leases a minute later therefore also does so in a scenario, without a real
//! wait.

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
    /// When it wakes, as the time since the router's power-on.
    wakes: Duration,
}

/// The programs that sleep.
#[derive(Debug)]
pub(super) struct Sleepers {
    listener: Listener,
    list: Mutex<Vec<Sleeper>>,
    /// Becomes readable when a program goes to sleep.
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

    /// Removes the sleepers whose processes have ended, and returns the others.
    fn list(&self) -> MutexGuard<'_, Vec<Sleeper>> {
        let mut list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|sleeper| self.listener.is_waiting(&sleeper.call));
        list
    }

    /// Holds a system call until [`Self::wake`] answers it.
    pub(super) fn add(&self, call: SystemCall, wakes: Duration) {
        self.list().push(Sleeper { call, wakes });
        _ = rustix::io::write(&self.asleep, &1_u64.to_ne_bytes());
    }

    /// Returns a descriptor that becomes readable when a program goes to sleep.
    pub(super) fn events(&self) -> BorrowedFd<'_> {
        self.asleep.as_fd()
    }

    /// Clears the events of [`Self::events`].
    pub(super) fn take_events(&self) {
        _ = rustix::io::read(&self.asleep, &mut [0; 8]);
    }

    /// Returns the processes that sleep.
    pub(super) fn processes(&self) -> Vec<Pid> {
        self.list().iter().map(|sleeper| sleeper.call.pid).collect()
    }

    /// Returns when the next program wakes, as the time since the router's power-on.
    pub(super) fn next(&self) -> Option<Duration> {
        self.list().iter().map(|sleeper| sleeper.wakes).min()
    }

    /// Wakes the programs whose wake-up time has been reached.
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

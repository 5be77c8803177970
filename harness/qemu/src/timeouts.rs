//! Time limits for guests. They depend on how long boots took in this run, because the same guest is three times as slow on
//! a busy machine.

use std::time::{Duration, Instant};

/// Limit of a boot before any was measured.
const FIRST_BOOT: Duration = Duration::from_secs(240);

/// Minimum of both limits once a boot was measured.
const MINIMUM: Duration = Duration::from_secs(60);

/// Limit of a boot, as a multiple of the slowest boot so far.
const BOOT_FACTOR: u32 = 8;

/// Limit of a command, as a multiple of the slowest boot so far.
const COMMAND_FACTOR: u32 = 4;

/// Limits that depend on the slowest boot so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    /// What the user allowed for a boot (`--boot-limit`).
    boot_limit: Option<Duration>,
    slowest: Option<Duration>,
}

/// A time limit that has begun.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deadline {
    at: Instant,
    limit: Duration,
}

impl Timeouts {
    pub(super) fn new(boot_limit: Option<Duration>) -> Self {
        Self { boot_limit, slowest: None }
    }

    /// Adds the time that a boot took.
    pub(super) fn record_boot(&mut self, boot: Duration) {
        self.slowest = Some(self.slowest.unwrap_or_default().max(boot));
    }

    /// How long the slowest boot took; `None` before the first.
    pub(super) fn slowest(&self) -> Option<Duration> {
        self.slowest
    }

    /// How long a boot may take.
    pub(super) fn boot(&self) -> Duration {
        match self.slowest {
            None => self.boot_limit.unwrap_or(FIRST_BOOT),
            Some(slowest) => self.at_least(slowest * BOOT_FACTOR),
        }
    }

    /// How long the preparation of a guest after its boot may take. Services of the image that start late do not start
    /// earlier because the kernel boots quickly, so it is never less than for the first boot.
    pub(super) fn preparation(&self) -> Duration {
        self.boot().max(FIRST_BOOT)
    }

    /// How long a command may take.
    pub(super) fn command(&self) -> Duration {
        self.at_least(self.slowest.unwrap_or_default() * COMMAND_FACTOR)
    }

    fn at_least(&self, limit: Duration) -> Duration {
        limit.max(MINIMUM).max(self.boot_limit.unwrap_or_default())
    }
}

impl Deadline {
    /// The limit begins now.
    pub(super) fn after(limit: Duration) -> Self {
        Self { at: Instant::now() + limit, limit }
    }

    /// The time that is left.
    pub(super) fn left(&self) -> Duration {
        self.at.saturating_duration_since(Instant::now())
    }

    pub(super) fn has_passed(&self) -> bool {
        self.left().is_zero()
    }

    /// A deadline at most `limit` from now, and not later than this one.
    pub(super) fn at_most(self, limit: Duration) -> Self {
        let sooner = Self::after(limit);
        if sooner.at < self.at { sooner } else { self }
    }

    /// For an error message: the limit, and the option that raises it.
    pub(super) fn describe(&self) -> String {
        format!("within {} s (--boot-limit SECONDS raises the limit)", self.limit.as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn limits_follow_the_slowest_boot() {
        let mut timeouts = Timeouts::new(None);
        assert_eq!((timeouts.boot(), timeouts.command()), (seconds(240), seconds(60)));
        timeouts.record_boot(seconds(4));
        assert_eq!((timeouts.boot(), timeouts.command()), (seconds(60), seconds(60)));
        assert_eq!(timeouts.preparation(), seconds(240));
        timeouts.record_boot(seconds(30));
        timeouts.record_boot(seconds(5));
        assert_eq!((timeouts.boot(), timeouts.command()), (seconds(240), seconds(120)));
    }

    #[test]
    fn the_boot_limit_of_the_user_raises_every_limit() {
        let mut timeouts = Timeouts::new(Some(seconds(500)));
        assert_eq!((timeouts.boot(), timeouts.command()), (seconds(500), seconds(500)));
        assert_eq!(timeouts.preparation(), seconds(500));
        timeouts.record_boot(seconds(4));
        assert_eq!((timeouts.boot(), timeouts.command()), (seconds(500), seconds(500)));
    }

    #[test]
    fn the_boot_limit_of_the_user_shortens_the_first_boot_only() {
        let mut timeouts = Timeouts::new(Some(seconds(10)));
        assert_eq!((timeouts.boot(), timeouts.command()), (seconds(10), seconds(60)));
        timeouts.record_boot(seconds(4));
        assert_eq!(timeouts.boot(), seconds(60));
    }
}

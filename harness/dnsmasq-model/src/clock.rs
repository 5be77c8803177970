//! The clocks of the router, and which of them dnsmasq uses.

/// The build of dnsmasq, which determines the clock that it uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Build {
    /// The default build: leases expire at a time of the wall clock.
    Rtc,
    /// Built with `HAVE_BROKEN_RTC`: leases have a length, and the time is that of `CLOCK_MONOTONIC`.
    NoRtc,
}

impl Build {
    /// Returns the result of `dnsmasq_time()` (util.c) in this build, in seconds.
    #[must_use]
    pub fn now(self, clock: Clock) -> i64 {
        match self {
            Build::Rtc => clock.wall,
            Build::NoRtc => clock.mono,
        }
    }
}

/// Both clocks of the machine, in whole seconds. A jump of the wall clock changes only `wall`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Clock {
    /// `CLOCK_REALTIME`, seconds since 1970.
    pub wall: i64,
    /// `CLOCK_MONOTONIC`, seconds since boot.
    pub mono: i64,
}

impl Clock {
    /// Returns both clocks advanced by `seconds`.
    #[must_use]
    pub fn after(self, seconds: i64) -> Clock {
        Clock { wall: self.wall.wrapping_add(seconds), mono: self.mono.wrapping_add(seconds) }
    }
}

//! The clocks of the router, and which of them dnsmasq uses.

/// The build of dnsmasq: which clock it relies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Build {
    /// The default build: leases end at a time of the wall clock.
    Rtc,
    /// Built with `HAVE_BROKEN_RTC`: leases have a length, time is `CLOCK_MONOTONIC`.
    NoRtc,
}

impl Build {
    /// What `dnsmasq_time()` (util.c) returns in this build, in seconds.
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
    /// Both clocks `seconds` later.
    #[must_use]
    pub fn after(self, seconds: i64) -> Clock {
        Clock { wall: self.wall.wrapping_add(seconds), mono: self.mono.wrapping_add(seconds) }
    }
}

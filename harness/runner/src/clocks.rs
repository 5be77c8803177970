//! The router's clocks, and the true time, which the router may not know.

use dnsmasq_model::Clock;
use scenario::{BootClock, Moment};

/// Seconds from power-on to the start of dnsmasq.
const BOOT_SECONDS: i64 = 30;

/// True time, wall clock, monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Clocks {
    /// Seconds since 1970.
    truth: i64,
    clock: Clock,
    /// How much too fast the wall clock runs, in parts per million.
    drift_ppm: i32,
    /// Microseconds that the wall clock has gained since its last whole second.
    gained: i64,
}

impl Clocks {
    /// The clocks of a router that is off. `truth` is in seconds since 1970.
    pub fn new(truth: i64, drift_ppm: i32) -> Self {
        Self { truth, clock: Clock { wall: truth, mono: 0 }, drift_ppm, gained: 0 }
    }

    /// The clocks that the router's programs read.
    pub fn now(&self) -> Clock {
        self.clock
    }

    /// The true time, in seconds since 1970.
    pub fn truth(&self) -> i64 {
        self.truth
    }

    /// Seconds since power-on.
    pub fn mono(&self) -> i64 {
        self.clock.mono
    }

    /// Time passes while the router is off.
    pub(crate) fn pass_off(&mut self, seconds: i64) {
        self.truth += seconds;
    }

    /// Time passes while it is on.
    pub fn pass(&mut self, seconds: i64) {
        self.truth += seconds;
        self.clock.mono += seconds;
        self.gained += seconds * i64::from(self.drift_ppm);
        self.clock.wall += seconds + self.gained / 1_000_000;
        self.gained %= 1_000_000;
    }

    /// Power on: the monotonic clock restarts, and the wall clock is what `clock` says.
    pub fn boot(&mut self, clock: BootClock) {
        self.truth += BOOT_SECONDS;
        let wall = match clock {
            BootClock::Kept => self.truth,
            BootClock::Epoch => BOOT_SECONDS,
            BootClock::Moment(Moment::At(second)) => second + BOOT_SECONDS,
            BootClock::Moment(Moment::By(seconds)) => (self.truth + seconds).max(BOOT_SECONDS),
        };
        self.clock = Clock { wall, mono: BOOT_SECONDS };
        self.gained = 0;
    }

    /// Sets the wall clock. A time before 1970 changes nothing: the kernel refuses it (`do_settimeofday64` in
    /// kernel/time/timekeeping.c).
    pub fn set(&mut self, moment: Moment) {
        let wall = match moment {
            Moment::At(second) => second,
            Moment::By(seconds) => self.clock.wall + seconds,
        };
        if wall >= 0 {
            self.clock.wall = wall;
        }
    }

    /// NTP sets the wall clock to the true time.
    pub fn ntp(&mut self) {
        self.clock.wall = self.truth;
        self.gained = 0;
    }

    /// Changes how much too fast the wall clock runs, in parts per million.
    pub fn drift(&mut self, ppm: i32) {
        self.drift_ppm = ppm;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drifting_clock_gains_without_rounding_away() {
        let mut clocks = Clocks::new(1_000_000, 50);
        clocks.boot(BootClock::Kept);
        for _ in 0..86_400 {
            clocks.pass(1);
        }
        // 50 ppm of a day are 4.32 s.
        assert_eq!(clocks.now().wall - clocks.truth, 4);
        assert_eq!(clocks.now().mono, BOOT_SECONDS + 86_400);
    }

    #[test]
    fn without_a_hardware_clock_the_router_boots_in_1970_until_ntp_answers() {
        let mut clocks = Clocks::new(1_700_000_000, 0);
        clocks.boot(BootClock::Epoch);
        clocks.pass(60);
        assert_eq!(clocks.now().wall, 90);
        clocks.ntp();
        assert_eq!(clocks.now(), Clock { wall: 1_700_000_090, mono: 90 });
    }

    #[test]
    fn no_clock_shows_a_time_before_1970() {
        let mut clocks = Clocks::new(1_700_000_000, 0);
        clocks.boot(BootClock::Moment(Moment::By(-2_000_000_000)));
        assert_eq!(clocks.now().wall, BOOT_SECONDS);
        clocks.set(Moment::By(-31));
        assert_eq!(clocks.now().wall, BOOT_SECONDS);
        clocks.set(Moment::By(-30));
        assert_eq!(clocks.now().wall, 0);
    }
}

//! The alarm for the next expiry of a lease (lease.c `lease_update_file`).

use super::db::LeaseDb;

/// When SIGALRM arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Alarm {
    /// No alarm is set.
    #[default]
    Off,
    /// SIGALRM arrives at this time on the monotonic clock.
    At(i64),
    /// SIGALRM arrives at the earliest expiry of a lease. [`Alarm::time`] computes the time on demand, because most
    /// alarms are set again before it is needed.
    EarliestExpiry {
        /// dnsmasq's clock when the alarm was set.
        now: i64,
        /// The monotonic clock at that moment.
        mono: i64,
    },
}

impl Alarm {
    /// Returns the time of the alarm on the monotonic clock, or `None` if no alarm is set.
    pub(crate) fn time(self, db: &LeaseDb) -> Option<i64> {
        match self {
            Alarm::Off => None,
            Alarm::At(time) => Some(time),
            Alarm::EarliestExpiry { now, mono } => {
                // alarm() takes an unsigned int; 0 cancels the alarm.
                let wait = db.earliest_alarm()?.wrapping_sub(now) as u32;
                (wait != 0).then(|| mono.saturating_add(i64::from(wait)))
            }
        }
    }

    /// Returns a lower bound of [`Alarm::time`] without scanning the leases, or `i64::MAX` if no alarm is set.
    pub(crate) fn bound(self, db: &LeaseDb) -> i64 {
        match self {
            Alarm::Off => i64::MAX,
            Alarm::At(time) => time,
            Alarm::EarliestExpiry { now, mono } => {
                let wait = db.earliest_alarm_bound().saturating_sub(now);
                mono.saturating_add(wait.clamp(0, i64::from(u32::MAX)))
            }
        }
    }

    /// Computes the time of the alarm, so that it no longer depends on the leases.
    #[must_use]
    pub(crate) fn resolved(self, db: &LeaseDb) -> Alarm {
        self.time(db).map_or(Alarm::Off, Alarm::At)
    }

    /// Returns whether the time still depends on the leases.
    pub(crate) fn depends_on_leases(self) -> bool {
        matches!(self, Alarm::EarliestExpiry { .. })
    }
}

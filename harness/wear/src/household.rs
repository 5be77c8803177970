//! Who lives behind the router.

use serde::{Deserialize, Serialize};

/// Seconds.
pub const HOUR: u64 = 3600;
/// Seconds.
pub const DAY: u64 = 24 * HOUR;
/// Seconds: 30 days.
pub const MONTH: u64 = 30 * DAY;
/// Seconds: 365 days.
pub const YEAR: u64 = 365 * DAY;

/// More leases than any NVRAM holds.
const MOST_CLIENTS: u32 = 4000;
/// dnsmasq raises shorter ones to it.
const SHORTEST_LEASE: u32 = 120;
/// A century.
const LONGEST_LEASE: u32 = 3_153_600_000;

/// A household, by numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Household {
    /// Clients that are always on.
    pub clients: u32,
    /// Phones that come and go: on return they ask for the address that they remember (INIT-REBOOT).
    pub phones: u32,
    /// How long a phone stays on average, seconds; each stay lasts half to one and a half of it.
    pub phone_home: u32,
    /// How long a phone is away on average, seconds.
    pub phone_away: u32,
    /// Guests a month: a new device each, that comes once and never releases its lease.
    pub guests: u32,
    /// How long a guest stays on average, seconds.
    pub guest_stay: u32,
    /// Lease time, seconds.
    pub lease_time: u32,
    /// Clients renew at half the lease time (T1), give or take so many thousandths of T1.
    pub jitter: u32,
    /// Orderly reboots a month.
    pub reboots: u32,
    /// SIGHUPs to dnsmasq a month.
    pub sighups: u32,
    /// Power cuts a year.
    pub power_cuts: u32,
    /// How long the router is off at each of them, seconds.
    pub off: u32,
}

impl Default for Household {
    fn default() -> Self {
        Self {
            clients: 12,
            phones: 8,
            phone_home: 10 * HOUR as u32,
            phone_away: 6 * HOUR as u32,
            guests: 8,
            guest_stay: 4 * HOUR as u32,
            lease_time: 12 * HOUR as u32,
            jitter: 50,
            reboots: 1,
            sighups: 4,
            power_cuts: 4,
            off: 90,
        }
    }
}

/// A household that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadHousehold(String);

impl Household {
    /// Nobody but `clients` that are always on, and a router that is never disturbed.
    pub fn quiet(clients: u32, lease_time: u32) -> Self {
        Self {
            clients,
            phones: 0,
            guests: 0,
            lease_time,
            reboots: 0,
            sighups: 0,
            power_cuts: 0,
            ..Self::default()
        }
    }

    /// Whether it can be lived in.
    ///
    /// # Errors
    /// Says which number is out of bounds.
    pub fn check(&self) -> Result<(), BadHousehold> {
        let bad = |text: String| Err(BadHousehold(text));
        let people = u64::from(self.clients) + u64::from(self.phones) + u64::from(self.guests);
        if people == 0 {
            return bad("a household of nobody: give it clients, phones or guests".to_owned());
        }
        if people > u64::from(MOST_CLIENTS) {
            return bad(format!("{people} clients, phones and guests: at most {MOST_CLIENTS}"));
        }
        if !(SHORTEST_LEASE..=LONGEST_LEASE).contains(&self.lease_time) {
            return bad(format!(
                "a lease time of {} seconds: dnsmasq takes {SHORTEST_LEASE} seconds to a century",
                self.lease_time
            ));
        }
        if self.jitter > 500 {
            return bad(format!("a jitter of {} thousandths: at most 500", self.jitter));
        }
        for (what, seconds) in [
            ("phone-home", self.phone_home),
            ("phone-away", self.phone_away),
            ("guest-stay", self.guest_stay),
            ("off", self.off),
        ] {
            if seconds == 0 {
                return bad(format!("{what}: no time at all"));
            }
        }
        for (what, times, most) in [
            ("reboots", self.reboots, 3000),
            ("sighups", self.sighups, 100_000),
            ("power-cuts", self.power_cuts, 36_500),
        ] {
            if times > most {
                return bad(format!("{what}: {times}, at most {most}"));
            }
        }
        Ok(())
    }

    /// Leases that there can be at a time, roughly: guests leave theirs behind.
    pub fn leases(&self) -> u32 {
        let lingering = u64::from(self.guest_stay) * 3 / 2 + u64::from(self.lease_time);
        let guests = (u64::from(self.guests) * lingering).div_ceil(MONTH) * 2;
        let guests = guests.min(u64::from(MOST_CLIENTS)) as u32;
        self.clients + self.phones + guests
    }
}

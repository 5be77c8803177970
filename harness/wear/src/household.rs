//! The clients of a router, and its reboots and power cuts.

use dnsmasq_model::Release;
use serde::{Deserialize, Serialize};

use super::durations::{HOUR, MONTH};

/// Maximum number of clients. No NVRAM can hold this many leases.
const MAX_CLIENTS: u32 = 4000;
/// Shortest lease time. dnsmasq raises shorter lease times to this value.
const MIN_LEASE_TIME: u32 = 120;
/// Longest lease time: 100 years.
const MAX_LEASE_TIME: u32 = 3_153_600_000;
/// Largest jitter, in thousandths.
const MAX_JITTER: u32 = 500;

/// The clients of a router, and its reboots and power cuts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Household {
    /// Clients that are always on.
    pub clients: u32,
    /// Phones that come and go. On return they request the address that they remember (INIT-REBOOT).
    pub phones: u32,
    /// Average time that a phone stays, in seconds. Each stay lasts 0.5 to 1.5 times this time.
    pub phone_home: u32,
    /// Average time that a phone is away, in seconds.
    pub phone_away: u32,
    /// Guests a month. Each guest is a new device that comes once and never releases its lease.
    pub guests: u32,
    /// Average time that a guest stays, in seconds.
    pub guest_stay: u32,
    /// Lease time, in seconds.
    pub lease_time: u32,
    /// Maximum deviation of a renewal from half the lease time (T1), in thousandths of T1.
    pub jitter: u32,
    /// Orderly reboots a month.
    pub reboots: u32,
    /// SIGHUPs to dnsmasq a month.
    pub sighups: u32,
    /// Power cuts a year.
    pub power_cuts: u32,
    /// Time that the router is off at a reboot or power cut, in seconds.
    pub off: u32,
    /// Whether a phone returns with a new random hardware address, and so gets another lease.
    #[serde(default)]
    pub random_macs: bool,
    /// Number of addresses in the pool. By default, there are more than enough for all clients.
    #[serde(default)]
    pub pool: Option<u32>,
    /// dnsmasq's `dhcp-lease-max`. Defaults to the number of addresses.
    #[serde(default)]
    pub lease_max: Option<u32>,
    /// The release of dnsmasq.
    #[serde(default, with = "release_text")]
    pub release: Release,
}

/// Serialises a release of dnsmasq as text.
mod release_text {
    use dnsmasq_model::Release;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub(super) fn serialize<S: Serializer>(
        release: &Release,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(release)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Release, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
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
            random_macs: false,
            pool: None,
            lease_max: None,
            release: Release::NEWEST,
        }
    }
}

/// The error for a number of a household that is out of range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HouseholdError {
    /// There are no clients, phones or guests.
    #[error("an empty household: expected at least one client, phone or guest")]
    Empty,
    /// There are more clients, phones and guests than are supported.
    #[error("{0} clients, phones and guests: at most {MAX_CLIENTS}")]
    TooManyClients(u64),
    /// The lease time is out of range.
    #[error(
        "a lease time of {0} seconds: expected {MIN_LEASE_TIME} seconds, the shortest that dnsmasq uses, to 100 years"
    )]
    LeaseTime(u32),
    /// The jitter is too large.
    #[error("a jitter of {0} thousandths: at most {MAX_JITTER}")]
    Jitter(u32),
    /// A number of addresses or leases is 0 or too large.
    #[error("{what} {number}: expected 1 to {MAX_CLIENTS}")]
    Leases {
        /// The name of the limit.
        what: &'static str,
        /// The limit.
        number: u32,
    },
    /// A duration is 0.
    #[error("{0}: expected at least 1 second")]
    ZeroTime(&'static str),
    /// An event is too frequent.
    #[error("{what}: {times}, at most {max}")]
    TooFrequent {
        /// The event.
        what: &'static str,
        /// The number of times that it happens.
        times: u32,
        /// The largest number that is allowed.
        max: u32,
    },
}

impl Household {
    /// Creates a household of `clients` that are always on, with a router that never reboots or loses power.
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

    /// Checks that every number is in its range.
    ///
    /// # Errors
    /// Returns an error for the first number that is out of range.
    pub fn check(&self) -> Result<(), HouseholdError> {
        let clients = u64::from(self.clients) + u64::from(self.phones) + u64::from(self.guests);
        if clients == 0 {
            return Err(HouseholdError::Empty);
        }
        if clients > u64::from(MAX_CLIENTS) {
            return Err(HouseholdError::TooManyClients(clients));
        }
        if !(MIN_LEASE_TIME..=MAX_LEASE_TIME).contains(&self.lease_time) {
            return Err(HouseholdError::LeaseTime(self.lease_time));
        }
        if self.jitter > MAX_JITTER {
            return Err(HouseholdError::Jitter(self.jitter));
        }
        for (what, limit) in [("pool", self.pool), ("lease-max", self.lease_max)] {
            if let Some(number) = limit.filter(|number| !(1..=MAX_CLIENTS).contains(number)) {
                return Err(HouseholdError::Leases { what, number });
            }
        }
        for (what, seconds) in [
            ("phone-home", self.phone_home),
            ("phone-away", self.phone_away),
            ("guest-stay", self.guest_stay),
            ("off", self.off),
        ] {
            if seconds == 0 {
                return Err(HouseholdError::ZeroTime(what));
            }
        }
        for (what, times, max) in [
            ("reboots", self.reboots, 3000),
            ("sighups", self.sighups, 100_000),
            ("power-cuts", self.power_cuts, 36_500),
        ] {
            if times > max {
                return Err(HouseholdError::TooFrequent { what, times, max });
            }
        }
        Ok(())
    }

    /// Estimates the largest number of leases at a time. The lease of a guest remains after the guest has left.
    pub fn leases(&self) -> u32 {
        let lease_of_guest = u64::from(self.guest_stay) * 3 / 2 + u64::from(self.lease_time);
        let guests = (u64::from(self.guests) * lease_of_guest).div_ceil(MONTH) * 2;
        // The lease for a previous hardware address of a phone remains, too.
        let stay = u64::from(self.phone_home) + u64::from(self.phone_away);
        let each =
            if self.random_macs { u64::from(self.lease_time).div_ceil(stay.max(1)) + 1 } else { 1 };
        let others = (guests + u64::from(self.phones) * each).min(u64::from(MAX_CLIENTS)) as u32;
        self.clients + others
    }
}
